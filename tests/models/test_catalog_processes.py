"""The catalog against other processes, kill -9 and a disk that is really full."""

import os
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from core.errors import Problem
from core.paths import ROOT

FETCH = """
import sys, threading
from pathlib import Path
from core.errors import Problem
from core.weights.catalog import Catalog
from core.weights.manifest import File, Manifest, Model, Source, Way
weights, hub, limit = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
entries = [line.split(" ") for line in sys.argv[4].splitlines()]
files = tuple(File(name, int(size), sha, "tiny_model/" + name) for name, size, sha in entries)
way = Way(**eval(sys.argv[5]))
source = Source("tiny", "Tiny", "Apache-2.0", "nobody", files, (way,))
model = Model(
            id="base", pair="default", role="base", name="Tiny", source=source, file=files[0].name,
    quantization="F32", context=64, memory=1,
        )
here = Catalog(Manifest(hub, {"tiny": source}, {"base": model}), weights, tuple(map(Path, sys.argv[6:])))
if limit:
    import resource
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
try:
    print("ready", here.ensure("base", lambda done, message: print(message, flush=True)).sha256)
except Problem as problem:
    print("problem", problem.message)
    sys.exit(2)
"""


def start(tiny, weights: Path, way, *, hub: str = "", limit: int = 0, folders=(), **options):
    source = tiny.source()
    files = "\n".join(f"{file.name} {file.size} {file.sha256}" for file in source.files)
    weights.mkdir(exist_ok=True)
    command = [
        sys.executable,
        "-c",
        FETCH,
        str(weights),
        hub,
        str(limit),
        files,
        repr(way.__dict__),
        *map(str, folders),
    ]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)


def names(weights: Path):
    return {path.name for path in weights.rglob("*") if not path.is_dir()}


def top(weights: Path):
    return {path.name for path in weights.iterdir()}


def test_two_processes_fetch_once_and_both_are_ready(tiny, hub, tmp_path):
    both = [start(tiny, tmp_path / "w", tiny.way("hub"), hub=hub.url) for _ in range(2)]
    said = [process.communicate(timeout=300)[0] for process in both]
    assert all(f"ready {tiny.source().files[0].sha256}" in text for text in said), said
    assert sorted(hub.asked) == sorted(set(hub.asked)), "a file was asked for twice"
    assert names(tmp_path / "w") == {".lock", "tiny.gguf", "tiny.gguf.json", "vocab.txt", "vocab.txt.json"}


def test_many_threads_of_one_process_fetch_once(tiny, hub, tmp_path):
    ready = []

    def fetch():
        ready.append(tiny.catalog(tmp_path / "w", tiny.way("hub"), hub=hub.url).ensure("base").sha256)

    threads = [threading.Thread(target=fetch) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(300)
    assert ready == [tiny.source().files[0].sha256] * 8
    assert len(hub.asked) == len(set(hub.asked))


def test_waiting_for_another_process_can_be_cancelled(tiny, tmp_path):
    from filelock import FileLock

    here = tiny.catalog(tmp_path / "w", tiny.way("hub"))
    said = []
    with FileLock(tmp_path / "w" / ".lock"), pytest.raises(Problem, match="Stopped"):
        here.ensure(
            "base", lambda done, message: said.append(message), lambda: len(said) > 0 or said.append("") is None
        )


@pytest.mark.parametrize("kind", ["hub", "local"])
def test_a_really_full_disk_is_a_problem_that_says_so_and_leaves_nothing_half(tiny, hub, tmp_path, shelf, kind):
    weights = tmp_path / "w"
    child = start(tiny, weights, tiny.way(kind), hub=hub.url, limit=100_000, folders=(shelf,))
    said = child.communicate(timeout=300)[0]
    assert child.returncode == 2, said
    assert "problem The disk is full" in said and str(weights) in said and "RR_HOME" in said
    assert "Traceback" not in said
    assert not {name for name in names(weights) if name.endswith((".gguf", ".json")) and "part" not in name}
    assert start(tiny, weights, tiny.way(kind), hub=hub.url, folders=(shelf,)).wait(300) == 0


def test_a_disk_that_fills_up_inside_pip_is_told_as_such(tiny, own_pip, tmp_path):
    child = start(tiny, tmp_path / "w", tiny.way("index"), limit=100_000)
    said = child.communicate(timeout=300)[0]
    assert child.returncode == 2 and "problem The disk is full" in said, said
    assert names(tmp_path / "w") == {".lock"}


def test_deriving_on_a_full_disk_is_a_problem_and_leaves_the_old_file(tmp_path):
    """The real recipe writes about 3 kB here. NumPy cuts the last write without an error at some of these limits."""
    script = f"""
import sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
from pathlib import Path
from core.errors import Problem
from test_catalog import made, write_base
folder = Path(sys.argv[1]); shelf = folder / "shelf"; shelf.mkdir()
write_base(shelf / "tiny.gguf")
made(folder, shelf, quantization="Q4_0").ensure("base")
before = (folder / "weights" / "derived.gguf").read_bytes()
import resource
for limit in (600, 1000, 1500):
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    try:
        made(folder, shelf).ensure("base")
    except Problem as problem:
        print("problem", problem.message)
print("kept", before == (folder / "weights" / "derived.gguf").read_bytes())
print("left", [path.name for path in (folder / "weights").glob(".staging*")])
"""
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)], cwd=ROOT, capture_output=True, text=True, check=False, timeout=60
    )
    assert "kept True" in done.stdout and "left []" in done.stdout, done.stdout + done.stderr
    assert done.stdout.count("The disk is full") == 3, done.stdout


def test_too_little_room_is_told_before_anything_is_fetched(tiny, hub, tmp_path, monkeypatch):
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=200_000))
    with pytest.raises(Problem, match=r"disk is full.*needed"):
        tiny.catalog(tmp_path / "w", tiny.way("hub"), hub=hub.url).ensure("base")
    assert hub.asked == []


def test_after_kill_9_in_the_middle_the_next_run_resumes_and_cleans_up(tiny, hub, tmp_path):
    """The server breaks off and is then busy, so the child sits between two attempts when it is killed."""
    hub.script = ["cut 123456"] + ["status 503"] * 3
    weights = tmp_path / "w"
    child = start(tiny, weights, tiny.way("hub"), hub=hub.url)
    while len(hub.ranges) < 2:
        assert child.poll() is None, child.communicate()[0]
    os.kill(child.pid, signal.SIGKILL)
    child.communicate()
    hub.script = []
    assert any(name.startswith(".staging-") for name in top(weights))
    tiny.catalog(weights, tiny.way("hub"), hub=hub.url).ensure("base")
    assert "bytes=123456-" in hub.ranges
    assert names(weights) == {".lock", "tiny.gguf", "tiny.gguf.json", "vocab.txt", "vocab.txt.json"}


def test_ctrl_c_leaves_no_staging_folder(tiny, hub, tmp_path):
    hub.script = ["cut 123456"] + ["status 503"] * 3
    weights = tmp_path / "w"
    child = start(tiny, weights, tiny.way("hub"), hub=hub.url)
    while len(hub.ranges) < 2:
        assert child.poll() is None, child.communicate()[0]
    child.send_signal(signal.SIGINT)
    child.communicate(timeout=300)
    assert not [name for name in top(weights) if name.startswith(".staging-")]


def test_a_folder_that_cannot_be_written_is_a_problem(tiny, shelf, tmp_path):
    weights = tmp_path / "w"
    here = tiny.catalog(weights, tiny.way("local"), folders=(shelf,))
    (weights / ".lock").mkdir()
    with pytest.raises(Problem, match="cannot be used"):
        here.ensure("base")
