"""Where things lie: the read-only install folder and the writable state folder. Knows no file formats."""

import os
from pathlib import Path

from core.errors import Problem

ROOT = Path(__file__).resolve().parents[1]


def state_dir() -> Path:
    """The folder for derived models, database and logs: `RR_HOME`, else the platform's user data folder.

    Raises Problem when it cannot be made or written.
    """
    import platformdirs

    chosen = os.environ.get("RR_HOME")
    folder = Path(chosen).expanduser() if chosen else Path(platformdirs.user_data_dir("retrieve-or-retrain", False))
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Problem(
            f"The state folder {folder} cannot be used ({error.strerror}). Set RR_HOME to a folder you can write."
        ) from error
    if not os.access(folder, os.W_OK):
        raise Problem(f"The state folder {folder} cannot be written. Set RR_HOME to a folder you can write.")
    return folder


def _sub(name: str) -> Path:
    folder = state_dir() / name
    folder.mkdir(exist_ok=True)
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


def database() -> Path:
    """The one SQLite file of all projects: their settings, questions, runs and jobs."""
    return state_dir() / "retrieve-or-retrain.sqlite3"
