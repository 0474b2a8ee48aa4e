"""The folder of model files: each whole, with a note beside it, changed by one process at a time.

A note (`FILE.json`) holds the file's SHA-256, size and date, what it was made from and how; a file that no longer
matches its note is hashed again. Files are written elsewhere and renamed into place under a lock between processes.
Knows nothing of what a model is, where files come from or how one is made of another: that is `catalog`.
"""

import datetime
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

from core.errors import Problem
from core.weights import sources
from core.weights.manifest import File
from core.weights.sources import Progress

INSTALL = "Install them: python -m pip install -r requirements.txt"
STAGING = ".staging-"
Stop = Callable[[], bool]


class Folder:
    """The model files at `path`."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def install(self, path: Path, name: str, note: dict[str, Any]) -> None:
        """Rename a finished file into place, then write its note: after a crash in between it is checked anew."""
        target = self.path / name
        digest = sources.sha256(path)
        _note_path(target).unlink(missing_ok=True)
        path.replace(target)
        self._write_note(target, note | {"sha256": digest})

    def _write_note(self, target: Path, note: dict[str, Any]) -> dict[str, Any]:
        stat = target.stat()
        made_at = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        whole = note | {"size": stat.st_size, "mtime_ns": stat.st_mtime_ns, "installed": made_at}
        handle, temporary = tempfile.mkstemp(prefix=STAGING, dir=self.path)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(whole, file, indent=2)
        Path(temporary).replace(_note_path(target))
        return whole

    def note(self, name: str, file: File | None, verify: bool = False) -> dict[str, Any] | None:
        """The note of a whole, unchanged file, else None. A source file put there by hand is adopted.

        `file`: the manifest's entry of a source file, None for a derived one.
        """
        path = self.path / name
        try:
            stat = path.stat()
        except OSError:
            return None
        note = _read_note(path)
        unchanged = note is not None and (note["size"], note["mtime_ns"]) == (stat.st_size, stat.st_mtime_ns)
        if note is not None and unchanged and not verify:
            return note if file is None or file.sha256 in (None, note["sha256"]) else None
        if (note is None and file is None) or (file is not None and stat.st_size != file.size):
            return None
        found = sources.sha256(path) if verify else hash_of(path)
        if found != ((file.sha256 if file else None) or (note or {}).get("sha256") or found):
            return None
        adopted = (note or {"kind": "source", "from": "put into the folder by hand"}) | {"sha256": found}
        with suppress(OSError):  # no room for a note: the next reader hashes again
            return self._write_note(path, adopted)
        return adopted

    @contextmanager
    def alone(self, report: Progress, stop: Stop) -> Iterator[None]:
        """One process at a time changes the folder; another one waits, and then mostly finds its work done."""
        try:
            from filelock import FileLock, Timeout
        except ModuleNotFoundError as error:
            raise Problem(f"Models need packages that are not installed. {INSTALL}") from error

        lock = FileLock(self.path / ".lock")
        while True:
            try:
                lock.acquire(timeout=0.3)
                break
            except Timeout:
                if stop():
                    raise sources.Cancelled from None
                report(0.0, "Another process is preparing models; waiting for it")
        try:
            yield
        finally:
            lock.release()

    def busy(self) -> bool:
        """Whether some process changes the folder now."""
        if not self.path.is_dir():  # the lock would make it
            return False
        try:
            from filelock import FileLock, Timeout

            with FileLock(self.path / ".lock", timeout=0):
                return False
        except Timeout:
            return True
        except (ModuleNotFoundError, OSError):  # made for the dashboard only, or not ours to write: nothing is fetched
            return False

    @contextmanager
    def staging(self) -> Iterator[Path]:
        """A folder on the same disk to write into; what was not installed from it is removed."""
        stage = Path(tempfile.mkdtemp(prefix=STAGING, dir=self.path))
        try:
            yield stage
        finally:
            shutil.rmtree(stage, ignore_errors=True)

    def tidy(self) -> None:
        """Remove what a killed process left behind, unless one is at work here now."""
        try:
            from filelock import FileLock, Timeout
        except ModuleNotFoundError:  # made for the dashboard only: nothing is ever fetched
            return
        try:
            with FileLock(self.path / ".lock", timeout=0):
                self._remove_staged()
        except Timeout:
            return

    def _remove_staged(self) -> None:
        for left in self.path.glob(f"{STAGING}*"):
            shutil.rmtree(left, ignore_errors=True) if left.is_dir() else left.unlink(missing_ok=True)

    def sweep(self, known: set[str]) -> None:
        """Under the lock: remove what a killed process left behind, and derived files not in `known`."""
        self._remove_staged()
        for note_path in self.path.glob("*.gguf.json"):
            target = note_path.with_suffix("")
            note = _read_note(target)
            if note is not None and note.get("kind") == "derived" and target.name not in known:
                target.unlink(missing_ok=True)
                note_path.unlink(missing_ok=True)

    def room_for(self, needed: int) -> None:
        """Raise Problem when the disk has less room than that."""
        if shutil.disk_usage(self.path).free < needed:
            raise sources.disk_full(self.path, needed)


def hash_of(path: Path) -> str:
    """The SHA-256 of a file, read once for each version of it."""
    stat = path.stat()
    return _hash_of_version(path, stat.st_size, stat.st_mtime_ns)


@lru_cache(maxsize=32)
def _hash_of_version(path: Path, size: int, mtime_ns: int) -> str:
    return sources.sha256(path)


def _note_path(target: Path) -> Path:
    return target.with_name(target.name + ".json")


def _read_note(target: Path) -> dict[str, Any] | None:
    try:
        note = json.loads(_note_path(target).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    whole = isinstance(note, dict) and {"sha256", "size", "mtime_ns"} <= note.keys()
    return note if whole else None
