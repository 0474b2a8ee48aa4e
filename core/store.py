"""One SQLite file with many readers and one writer. Knows nothing of what the tables mean.

Every thread reads through a connection of its own; every change runs in one writer thread inside BEGIN IMMEDIATE,
so a change is whole or absent, also after kill -9. WAL needs a local disk: on a network folder the Store refuses.
"""

import queue
import sqlite3
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from core.errors import Problem
from core.paths import NAME, private_file

T = TypeVar("T")
BUSY_MS = 15_000
CACHE_KB = 512  # pages that each connection keeps, and every thread has one; the system keeps the file's anyway


@dataclass(frozen=True)
class Migration:
    """One step of the schema: a name, unique for ever, and the SQL script that takes the file there."""

    name: str
    sql: str


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=BUSY_MS / 1000, isolation_level=None, check_same_thread=False)
    connection.row_factory = sqlite3.Row
    connection.execute(f"PRAGMA busy_timeout = {BUSY_MS}")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute(f"PRAGMA cache_size = -{CACHE_KB}")
    return connection


class Store:
    """The database at `path`, brought up to `migrations` when opened. `also_known`: steps made by others.

    Raises Problem when the file is not a database, is newer than this program, or lies where WAL does not work.
    """

    def __init__(self, path: Path, migrations: Sequence[Migration], also_known: Sequence[str] = ()) -> None:
        self.path, self._also_known = path, frozenset(also_known)
        self._local = threading.local()
        self._open: dict[threading.Thread, sqlite3.Connection] = {}
        self._lock = threading.Lock()
        self._queue: queue.SimpleQueue[tuple[Callable[[sqlite3.Connection], Any], Future[Any]] | None]
        self._queue = queue.SimpleQueue()
        self._closed = False
        try:
            private_file(path)
            self._writer = _connect(path)
            try:
                mode = self._writer.execute("PRAGMA journal_mode = WAL").fetchone()[0]
                self._migrate(migrations)
            except BaseException:
                self._writer.close()
                raise
        except sqlite3.Error as error:
            advice = _disk_advice(error, path) or f"{_repair(path)} Or set RR_HOME to another folder."
            raise Problem(f"The database {path} cannot be opened ({error}). {advice}") from error
        if mode != "wal":
            raise Problem(f"The database {path} is not on a local disk ({mode}). Set RR_HOME to a local folder.")
        self._thread = threading.Thread(target=self._write_loop, name="store-writer", daemon=True)
        self._thread.start()

    def read(self, sql: str, params: Sequence[object] | dict[str, object] = ()) -> list[sqlite3.Row]:
        """All rows of one SELECT, from a connection of the calling thread's own."""
        try:
            return self.connection().execute(sql, params).fetchall()
        except sqlite3.DatabaseError as error:
            if not _is_for_people(error):
                raise
            advice = f" {_repair(self.path)}" if _is_broken(error) else ""
            raise Problem(f"The database {self.path} could not be read ({error}).{advice}") from error

    def connection(self) -> sqlite3.Connection:
        """This thread's reading connection (autocommit).

        Connections of threads that have ended are closed here: a page's every redraw is a thread of its own, and kept
        connections used up the process's file handles after some hundred redraws.
        """
        if self._closed:
            raise Problem("The database is closed: the app is shutting down.")
        found: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if found is None:
            with self._lock:
                for ended in [thread for thread in self._open if not thread.is_alive()]:
                    self._open.pop(ended).close()
                found = self._local.connection = self._open[threading.current_thread()] = _connect(self.path)
        return found

    def write(self, change: Callable[[sqlite3.Connection], T]) -> T:
        """Run `change` in the writer thread inside one transaction and give back what it returns.

        Whatever `change` raises rolls everything back and is raised here; a full or locked disk is a Problem.
        """
        if threading.current_thread() is self._thread:
            raise RuntimeError("a change may not start another change")
        with self._lock:
            if self._closed:
                raise Problem("The database is closed: the app is shutting down.")
            done: Future[T] = Future()
            self._queue.put((change, done))
        return done.result()

    def data_version(self) -> int:
        """A number that changes, for this thread, whenever any other connection has committed a change."""
        return int(self.read("PRAGMA data_version")[0][0])

    def close(self) -> None:
        """Finish the queued changes, then close every connection."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            self._queue.put(None)
        self._thread.join()
        for connection in (self._writer, *self._open.values()):
            connection.close()

    def _write_loop(self) -> None:
        while (item := self._queue.get()) is not None:
            change, done = item
            try:
                self._writer.execute("BEGIN IMMEDIATE")
                result = change(self._writer)
                self._writer.execute("COMMIT")
            except BaseException as error:
                with suppress(sqlite3.Error):  # a broken file refuses even that, and the next change must be heard
                    if self._writer.in_transaction:
                        self._writer.execute("ROLLBACK")
                if isinstance(error, sqlite3.DatabaseError) and _is_for_people(error):
                    advice = _repair(self.path) if _is_broken(error) else _disk_advice(error, self.path)
                    advice = advice or "Nothing of it was kept: try again."
                    problem = Problem(f"The change was not saved: {error}. {advice}")
                    problem.__cause__ = error
                    done.set_exception(problem)
                else:
                    done.set_exception(error)
            else:
                done.set_result(result)

    def _migrate(self, migrations: Sequence[Migration]) -> None:
        writer = self._writer
        writer.execute("CREATE TABLE IF NOT EXISTS migrations (name TEXT PRIMARY KEY, made TEXT NOT NULL)")
        known = {step.name for step in migrations} | self._also_known
        for step in migrations:
            writer.execute("BEGIN IMMEDIATE")
            try:
                if writer.execute("SELECT 1 FROM migrations WHERE name = ?", (step.name,)).fetchone() is None:
                    for statement in _statements(step.sql):
                        writer.execute(statement)
                    writer.execute("INSERT INTO migrations VALUES (?, datetime('now'))", (step.name,))
                writer.execute("COMMIT")
            except BaseException:
                writer.execute("ROLLBACK")
                raise
        strange = {row["name"] for row in writer.execute("SELECT name FROM migrations")} - known
        if strange:
            raise Problem(
                f"The database {self.path} was written by a newer version of this app ({', '.join(sorted(strange))}). "
                "Update the app, or set RR_HOME to another folder."
            )


def _repair(path: Path) -> str:
    """What to do about a broken file."""
    if path.name != f"{NAME}.sqlite3" and path.parent.name != "knowledge":  # named by the user
        return "Move it away to start afresh."
    return "Look at it: python -m core state check; mend it, the broken file set aside: python -m core state repair."


def _is_for_people(error: sqlite3.DatabaseError) -> bool:
    """Whether it is the file's or the disk's fault and not the program's."""
    return isinstance(error, sqlite3.OperationalError) or _is_broken(error)


def _is_broken(error: sqlite3.Error) -> bool:
    """Whether the file itself is damaged, or no database."""
    return getattr(error, "sqlite_errorname", "").startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB"))


def _disk_advice(error: sqlite3.Error, path: Path) -> str:
    """What to do when a disk took no more; "" when it is not the disk. A size limit is an I/O error too."""
    if not getattr(error, "sqlite_errorname", "").startswith(("SQLITE_FULL", "SQLITE_IOERR")):
        return ""
    return (
        f"The disk of {path.parent} is full or failing. What was saved before is whole, nothing of this was kept: "
        "make room there, or set RR_HOME to a folder on another disk, and try again."
    )


def _statements(script: str) -> list[str]:
    """`script` cut into statements: executescript would commit the transaction around it."""
    found, current = [], ""
    for piece in script.split(";"):
        current += piece + ";"
        if current.strip(" \n;") and sqlite3.complete_statement(current):
            found.append(current)
            current = ""
    return found
