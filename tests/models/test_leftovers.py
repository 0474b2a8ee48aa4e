"""What a killed server left half fetched is gone after the next start, unless another process is at work there."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from core import paths
from core.weights.folder import STAGING, Folder

ROOT = Path(__file__).resolve().parents[2]
FETCHING = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, ".")
from core import paths
from core.weights.folder import Folder
folder = Folder(paths.weights_dir())
with folder.alone(lambda done, text: None, lambda: False), folder.staging() as stage:
    (stage / "package").mkdir()
    (stage / "package" / "half.whl").write_bytes(b"x" * 1000)
    print("staged", flush=True)
    sys.stdin.read()
"""


def _staged() -> list[Path]:
    return list(paths.weights_dir().glob(f"{STAGING}*"))


def test_a_server_killed_while_it_fetches_leaves_nothing_after_the_next_start() -> None:
    (paths.weights_dir() / "mine.gguf").write_bytes(b"GGUF")
    child = subprocess.Popen([sys.executable, "-c", FETCHING], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert child.stdout is not None and child.stdout.readline() == b"staged\n"
    Folder(paths.weights_dir()).tidy()
    assert len(_staged()) == 1  # it is still at work
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    assert len(_staged()) == 1
    subprocess.run([sys.executable, "-c", "from core import runtime; runtime.serve()"], cwd=ROOT, check=True)
    assert _staged() == []
    assert (paths.weights_dir() / "mine.gguf").exists()
