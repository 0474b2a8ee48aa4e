"""Where things lie: the read-only install folder and the writable state folder. Knows no file formats.

The state folder holds questions and documents: it and what is in it are for their owner only (0700 and 0600), also when
an older version made them for everybody.
"""

import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path

from core.errors import Problem

ROOT = Path(__file__).resolve().parents[1]
NAME = "retrieve-or-retrain"
SUBFOLDERS = ("models", "logs", "knowledge", "training")


def state_dir() -> Path:
    """The folder for derived models, database and logs: `RR_HOME`, else the platform's user data folder.

    Raises Problem when it cannot be made or written.
    """
    import platformdirs

    chosen = os.environ.get("RR_HOME")
    folder = Path(chosen).expanduser() if chosen else Path(platformdirs.user_data_dir(NAME, False))
    try:
        if not folder.is_dir():
            folder.parent.mkdir(parents=True, exist_ok=True)
            folder.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise Problem(
            f"The state folder {folder} cannot be used ({error.strerror}). Set RR_HOME to a folder you can write."
        ) from error
    if not os.access(folder, os.W_OK):
        raise Problem(f"The state folder {folder} cannot be written. Set RR_HOME to a folder you can write.")
    _make_private(folder)
    return folder


def private_file(path: Path) -> None:
    """Make an empty file for its owner only, if there is none. What SQLite writes beside it gets the same mode."""
    with suppress(OSError):  # whoever opens it next says what is wrong
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))


@cache
def _make_private(folder: Path) -> None:
    """Once per process: take from everybody else what an older version let them read."""
    known = [path for path in _own(folder) if not path.is_symlink()]
    ours = known or not any(folder.iterdir())
    if ours and not folder.stat().st_mode & stat.S_ISVTX:  # a folder that all may write to is not ours to close
        known.append(folder)
    for path in known:
        with suppress(OSError):  # another owner's, or just gone
            mode = path.stat().st_mode
            if mode & 0o077:
                path.chmod(stat.S_IMODE(mode) & 0o700)


def _own(folder: Path) -> Iterator[Path]:
    """What this app keeps in the state folder: its databases, and all below its subfolders."""
    yield from folder.glob(f"{NAME}.sqlite3*")
    for name in SUBFOLDERS:
        yield from (folder / name,) if (folder / name).is_dir() else ()
        yield from (folder / name).rglob("*")


def _sub(name: str) -> Path:
    folder = state_dir() / name
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder


def weights_dir() -> Path:
    """Fetched and derived model files, and the user's own GGUF files."""
    return _sub("models")


def logs_dir() -> Path:
    """One log file per worker."""
    return _sub("logs")


def knowledge_dir() -> Path:
    """One SQLite file per project: its documents and their index."""
    return _sub("knowledge")


def training_dir() -> Path:
    """One folder per fine-tune: its rows, log, checkpoint and adapter."""
    return _sub("training")


def database() -> Path:
    """The one SQLite file of all projects: their settings, questions, runs and jobs."""
    return state_dir() / f"{NAME}.sqlite3"
