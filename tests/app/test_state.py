"""The state folder looked after: what is broken is said, nothing is overwritten, a killed change is whole or absent."""

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import zipfile
from contextlib import closing
from pathlib import Path

import pytest

from core import paths, runtime, state
from core.__main__ import main
from core.errors import Problem
from core.retrieval import KnowledgeBase

ROOT = Path(__file__).resolve().parents[2]
MAIN = f"{paths.NAME}.sqlite3"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A state folder with runs, a project of the user's own and its documents."""
    folder = tmp_path_factory.mktemp("built") / "home"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RR_HOME", str(folder))
        here = runtime.get()
        base = KnowledgeBase(here.base_store(here.projects.create("Tea")))
        for number in range(60):
            base.add(
                f"tea/{number}.md", f"# Tea {number}\n\nInfuse sort {number} for {number} minutes. " + "More. " * 200
            )
        rows = [(f"run-{number}", json.dumps({"n": "x" * 900})) for number in range(200)]
        insert = "INSERT INTO runs (id, made, question, way, body) VALUES (?, '2026', 'q', 'w', ?)"
        here.store.write(lambda db: db.executemany(insert, rows))
        runtime.close()
    return folder


@pytest.fixture
def home(built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(built, tmp_path / "home")
    monkeypatch.setenv("RR_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def _sql(path: Path, statement: str) -> list[tuple]:
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        return db.execute(statement).fetchall()


def _runs(home: Path) -> list[str]:
    return [row[0] for row in _sql(home / MAIN, "SELECT id FROM runs ORDER BY id")]


def _knowledge(home: Path) -> Path:
    (found,) = (home / "knowledge").glob("*.sqlite3")
    return found


def _damage(path: Path, *, page: int = 10, pages: int = 3) -> None:
    """Overwrite some pages in the middle of a database."""
    with path.open("r+b") as file:
        file.seek(4096 * page)
        file.write(os.urandom(4096 * pages))


def test_a_sound_folder_is_sound(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["state", "check", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["sound"] and [len(file["problems"]) for file in found["databases"]] == [0, 0]
    assert found["databases"][0]["rows"]["runs"] == 200 and found["databases"][1]["rows"]["documents"] == 60
    assert found["orphans"] == [] and found["sizes"]["databases"] > 100_000


def test_check_names_what_is_broken_and_what_nothing_refers_to(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _damage(_knowledge(home))
    shutil.copy(home / MAIN, home / "knowledge" / "gone.sqlite3")
    (home / "models" / ".staging-x").mkdir(parents=True)
    before = {path: path.read_bytes() for path in home.rglob("*.sqlite3")}
    assert main(["state", "check"]) == 1
    said = capsys.readouterr().err
    assert f"broken  knowledge/{_named(home)}" in said and "core state repair" in said
    assert "orphan  models/.staging-x" in said and "orphan  knowledge/gone.sqlite3" in said
    assert {path: path.read_bytes() for path in before} == before


def _named(home: Path) -> str:
    return next(path.name for path in (home / "knowledge").glob("*.sqlite3") if path.stem != "gone")


def test_a_backup_comes_back_and_what_was_there_is_set_aside(home: Path, tmp_path: Path) -> None:
    assert main(["state", "backup", str(tmp_path / "b.zip")]) == 0
    assert (tmp_path / "b.zip").stat().st_mode & 0o777 == 0o600
    _sql(home / MAIN, "DELETE FROM runs")
    _knowledge(home).unlink()
    assert main(["state", "restore", str(tmp_path / "b.zip")]) == 0
    assert len(_runs(home)) == 200
    assert state.check(home).sound and state.check(home).databases[1].rows["documents"] == 60
    (aside,) = (home / "set-aside").iterdir()
    assert _sql(aside / MAIN, "SELECT count(*) FROM runs") == [(0,)]


def test_a_backup_is_taken_while_the_app_writes(home: Path, tmp_path: Path) -> None:
    here = runtime.get()
    try:
        here.store.write(lambda db: db.execute("DELETE FROM runs WHERE id <> 'run-7'"))
        state.backup(home, tmp_path / "b.zip")
        with pytest.raises(Problem, match="in use by another program"):
            state.restore(home, tmp_path / "b.zip")
    finally:
        runtime.close()
    state.restore(home, tmp_path / "b.zip")
    assert _runs(home) == ["run-7"]


def test_a_backup_overwrites_nothing(home: Path, tmp_path: Path) -> None:
    (tmp_path / "letter.zip").write_text("dear")
    with pytest.raises(Problem, match="exists already"):
        state.backup(home, tmp_path / "letter.zip")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["home", "letter.zip"]


@pytest.mark.parametrize(
    "how", ["noise", "empty", "no list", "outside", "absolute", "bomb", "changed", "cut", "future", "no database"]
)
def test_what_is_no_backup_changes_nothing(home: Path, tmp_path: Path, how: str) -> None:
    whole, bad = tmp_path / "b.zip", tmp_path / "bad.zip"
    state.backup(home, whole)
    with zipfile.ZipFile(whole) as packed:
        members = {name: packed.read(name) for name in packed.namelist()}
    listed = json.loads(members[state.LIST])
    if how in ("outside", "absolute"):
        name = "../x.sqlite3" if how == "outside" else str(tmp_path / "x.sqlite3")
        members[name], listed["files"][1]["name"] = members[listed["files"][1]["name"]], name
    elif how == "bomb":
        listed["files"][0]["bytes"] = 1000
    elif how == "changed":
        members[MAIN] = members[MAIN][:-1] + b"x"
    elif how == "future":
        listed["version"] = 99
    elif how == "no database":
        import hashlib

        members[MAIN] = b"x" * 4096
        listed["files"][0] |= {"bytes": 4096, "sha256": hashlib.sha256(members[MAIN]).hexdigest()}
    members[state.LIST] = json.dumps(listed).encode()
    if how in ("no list", "empty"):
        members = {} if how == "empty" else {MAIN: members[MAIN]}
    with zipfile.ZipFile(bad, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, data in members.items():
            packed.writestr(name, data)
    if how == "noise":
        bad.write_bytes(os.urandom(5000))
    if how == "cut":
        bad.write_bytes(bad.read_bytes()[:-3000])
    before = sorted(str(path) for path in home.rglob("*"))
    with pytest.raises(Problem, match="no backup of this app, or a damaged one"):
        state.restore(home, bad)
    assert sorted(str(path) for path in home.rglob("*") if not path.name.endswith(("-shm", "-wal"))) == before
    assert len(_runs(home)) == 200 and not (tmp_path / "x.sqlite3").exists()


def test_a_database_with_damaged_pages_keeps_what_can_be_read(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _damage(home / MAIN, page=22, pages=4)  # of the runs
    broken = (home / MAIN).read_bytes()
    assert not state.check(home).sound
    assert main(["state", "repair", "--json"]) == 0
    (done,) = json.loads(capsys.readouterr().out)["repaired"]
    assert state.check(home).sound
    kept = _runs(home)
    assert 100 < len(kept) < 200 and len(kept) == done["kept"]["runs"]
    assert (Path(done["set_aside"]) / MAIN).read_bytes() == broken
    here = runtime.get()
    try:
        assert [project.title for project in here.projects.all()][-1] == "Tea"
    finally:
        runtime.close()


def test_damaged_documents_are_split_anew_and_found_again(home: Path) -> None:
    _damage(_knowledge(home), page=30, pages=6)
    (done,) = state.repair(home)
    assert state.check(home).sound and done.kept["documents"] > 10
    here = runtime.get()
    try:
        base = KnowledgeBase(here.base_store(here.projects.all()[-1]))
        base.catch_up(lambda done, text: None, lambda: False)
        for document in base.documents():
            number = document.path.removeprefix("tea/").removesuffix(".md")
            found = base.query(f"Infuse sort {number} for {number} minutes", 3, "sparse").passages
            assert document.path in [passage.document for passage in found]
    finally:
        runtime.close()


def test_a_file_that_is_no_database_any_more_is_set_aside_and_the_app_starts(home: Path) -> None:
    (home / MAIN).write_bytes(b"not a database at all" * 1000)
    with pytest.raises(Problem, match="python -m core state repair"):
        _ = runtime.get().store
    runtime.close()
    (done,) = state.repair(home)
    assert sum(done.kept.values()) == 0 and (Path(done.set_aside) / MAIN).read_bytes().startswith(b"not a database")
    assert runtime.get().store.read("SELECT count(*) FROM runs")[0][0] == 0
    runtime.close()


KILLED = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, ".")
from core import runtime, state
home, left = os.environ["RR_HOME"], int(sys.argv[1])
WATCHED = {"os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.chmod", "open", "sqlite3.connect", "shutil.rmtree"}

def count(event, arguments):
    global left
    if event in WATCHED and arguments and isinstance(arguments[0], (str, os.PathLike)) and home in str(arguments[0]):
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

runtime.open_store, runtime.open_base  # imported before counting
sys.addaudithook(count)
if sys.argv[2] == "repair":
    state.repair(Path(home))
else:
    state.restore(Path(home), Path(sys.argv[3]))
"""


@pytest.mark.parametrize("action", ["restore", "repair"])
def test_killed_at_any_point_the_next_start_finds_the_old_state_or_the_new(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, action: str
) -> None:
    state.backup(home, tmp_path / "b.zip")
    if action == "restore":
        _sql(home / MAIN, "DELETE FROM runs WHERE id > 'run-150'")
    else:
        _damage(home / MAIN, page=22, pages=4)  # of the runs
    old = (home / MAIN).read_bytes()
    outcomes = set()
    for point in (1, *range(4, 100, 4)):
        copy = tmp_path / f"copy-{point}"
        shutil.copytree(home, copy)
        monkeypatch.setenv("RR_HOME", str(copy))
        command = [sys.executable, "-c", KILLED, str(point), action, str(tmp_path / "b.zip")]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode in (0, -signal.SIGKILL), done.stderr
        state.finish(copy)
        assert not (copy / state.ARRIVING).exists()
        aside = list((copy / state.ASIDE).rglob(MAIN)) if (copy / state.ASIDE).exists() else []
        if aside:  # the new one is in place, and the old one is kept to the byte
            outcomes.add("new")
            assert state.check(copy).sound
            assert aside[0].read_bytes() == old
            assert len(_runs(copy)) == 200 or action == "repair"
        else:
            outcomes.add("old")
            assert (copy / MAIN).read_bytes() == old
        if done.returncode == 0:
            break
        shutil.rmtree(copy)
    assert outcomes == {"old", "new"} and done.returncode == 0
