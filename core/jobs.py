"""Long work in the background, with progress, cancel and results on disk. Knows nothing of what the work is.

Every job is a row of the one database, so any page or process can watch it; its results are rows that are only ever
added, so a crash loses nothing that was reported. A job belongs to the process that runs it, which stamps a heartbeat.
Only when that process is gone, by its stale heartbeat, may another one take the job over, and go on with it if its
kind is registered as resumable.
"""

import json
import logging
import os
import socket
import sqlite3
import threading
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from core import limits
from core.errors import Problem
from core.store import Migration, Store

HEARTBEAT_S = 2.0
STALE_S = 20.0
WRITE_EVERY_S = 0.2  # progress is written at most so often
ACTIVE = ("queued", "running")
Rows = list[dict[str, Any]]
GONE = "Interrupted: the program that ran it ended. Start it again."
LOG = logging.getLogger(__name__)

MIGRATIONS = [
    Migration(
        "jobs-1",
        """
        CREATE TABLE jobs (
            id TEXT PRIMARY KEY, kind TEXT NOT NULL, key TEXT, state TEXT NOT NULL, progress REAL NOT NULL,
            message TEXT NOT NULL, created REAL NOT NULL, heartbeat REAL NOT NULL, owner TEXT NOT NULL,
            cancel INTEGER NOT NULL DEFAULT 0, parameters TEXT NOT NULL, result TEXT
        );
        CREATE UNIQUE INDEX jobs_active_key ON jobs (kind, key)
            WHERE key IS NOT NULL AND state IN ('queued', 'running');
        CREATE TABLE job_rows (
            job TEXT NOT NULL REFERENCES jobs (id), n INTEGER NOT NULL, body TEXT NOT NULL, PRIMARY KEY (job, n)
        ) WITHOUT ROWID;
        """,
    ),
    Migration("jobs-2", "ALTER TABLE jobs ADD COLUMN deleted TEXT;"),  # when, UTC; erased a day later
    Migration(
        "jobs-3",
        "CREATE TABLE job_kept (job TEXT PRIMARY KEY REFERENCES jobs (id), key TEXT NOT NULL, body BLOB NOT NULL);",
    ),
]


@dataclass(frozen=True)
class Job:
    """A job as it was when read. `state`: queued, running, done, failed, cancelled or interrupted.

    `progress`: share done, 0 to 1. `message`: what it is doing, or why it failed. `created`, `heartbeat`: seconds since
    the epoch. `result`: what the work gave back, None until done. `parameters`: what it was started with.
    """

    id: str
    kind: str
    key: str | None
    state: str
    progress: float
    message: str
    created: float
    heartbeat: float
    owner: str
    parameters: dict[str, Any]
    result: Any

    @property
    def active(self) -> bool:
        """Still queued or running, as far as the database knows."""
        return self.state in ACTIVE

    @property
    def stale(self) -> bool:
        """Active, but its process is gone: not heard of for STALE_S, or known to have ended on this machine."""
        return self.active and (time.time() - self.heartbeat > STALE_S or _ended(self.owner))


@dataclass
class JobContext:
    """What the work itself sees of its job."""

    id: str
    kind: str
    parameters: dict[str, Any]
    _jobs: "Jobs"
    asker: str = ""  # who started it, as long as this process lives
    _cancel: threading.Event = field(default_factory=threading.Event)
    _closing: bool = False  # asked to stop because the program ends, not by a person
    _latest: tuple[float, str] = (0.0, "")
    _written: float = 0.0

    @property
    def cancelled(self) -> bool:
        """True once someone asked to stop, or another process took the job over: return soon."""
        return self._cancel.is_set()

    def progress(self, done: float, message: str = "") -> None:
        """Say how far the work is: share done, 0 to 1, and what it is doing. Cheap enough to call often."""
        self._latest = (min(1.0, max(0.0, done)), message)
        now = time.monotonic()
        if now - self._written >= WRITE_EVERY_S:
            self._written = now
            self._jobs._beat([self])

    def append(self, row: Mapping[str, Any]) -> None:
        """Add one result, for good. Raises Problem when the job is no longer ours to add to."""
        self._jobs._append(self.id, row)

    def rows(self) -> Rows:
        """The results so far, also those of an earlier process: where a resumed job goes on from."""
        return self._jobs.rows(self.id)


Work = Callable[[JobContext], Any]
Contexts = list[JobContext]
Found = list[Job]  # names of their own: inside Jobs, `list` is a method


class Jobs:
    """The job runner of one process over one store. Each job runs in a thread of its own."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._owner = f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
        self._resumable: dict[str, Work] = {}
        self._mine: dict[str, tuple[JobContext, threading.Thread]] = {}
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._pulse = threading.Thread(target=self._pulse_loop, name="jobs-heartbeat", daemon=True)
        self._pulse.start()

    def register(self, kind: str, work: Work) -> None:
        """Let jobs of `kind` be started by name and resumed by any process; `work` reads parameters and rows so far."""
        self._resumable[kind] = work

    def start(
        self,
        kind: str,
        work: Work | None = None,
        *,
        key: str | None = None,
        parameters: Mapping[str, Any] | None = None,
        asker: str = "",
        most: int | None = None,
    ) -> Job:
        """Run `work` (or the kind's registered one) in the background and give its job.

        With a `key`, a job of that kind and key that is still active, here or in another process, is given instead.
        What `work` returns must fit JSON. `most`: how many evaluations and the like this `asker` may have under way.
        Raises Problem when there is nothing to run, and when those are too many.
        """
        run = work or self._resumable.get(kind)
        if run is None:
            raise Problem(f"Jobs of the kind {kind!r} cannot be started by name.")
        context = JobContext(uuid.uuid4().hex[:12], kind, dict(parameters or {}), self, asker)
        with self._lock:
            if self._closing.is_set():
                raise Problem("The app is shutting down: no new jobs.")
            mine = [one for one, _ in self._mine.values() if one.asker == asker and one.kind in limits.EVALUATING]
            if most is not None and len(mine) >= most:
                raise limits.too_many("evaluations and the like", most, limits.EVALUATIONS[0])
            active = self._store.write(lambda db: self._insert(db, context, kind, key))
            if active is None:
                self._launch(context, run)
        return self.get(active or context.id)

    def get(self, job_id: str) -> Job:
        """The job with that id. Raises Problem when there is none."""
        found = self._store.read("SELECT * FROM jobs WHERE id = ?", (job_id,))
        if not found:
            raise Problem(f"There is no job {job_id[:40]!r}.")
        return _job(found[0])

    def list(self, kind: str | None = None, deleted: bool = False) -> Found:
        """All jobs, or those of one kind, newest first; or those that were taken away."""
        rows = self._store.read(
            "SELECT * FROM jobs WHERE (? IS NULL OR kind = ?) AND (deleted IS NOT NULL) = ? ORDER BY created DESC, id",
            (kind, kind, deleted),
        )
        return [_job(row) for row in rows]

    def heads(self, kind: str, counted: str) -> Found:
        """As `list`, where the parameter `counted`, a list, is given as its length: long ones are not read for it."""
        rows = self._store.read(
            "SELECT *, json_set(parameters, ?, json_array_length(parameters, ?)) AS few FROM jobs "
            "WHERE kind = ? AND deleted IS NULL ORDER BY created DESC, id",
            (f"$.{counted}", f"$.{counted}", kind),
        )
        return [_job(row, "few") for row in rows]

    def active(self) -> "dict[str, int]":
        """How many jobs are queued or running, by kind; those whose process is gone are not counted."""
        where = "state IN ('queued', 'running') AND heartbeat > ?"
        rows = self._store.read(
            f"SELECT kind, count(*) AS n FROM jobs WHERE {where} GROUP BY kind", (time.time() - STALE_S,)
        )
        return {row["kind"]: row["n"] for row in rows}

    def delete(self, job_id: str, when: str | None) -> None:
        """Take a job away from what `list` gives (`when`: UTC, ISO 8601), or bring it back (None)."""
        row = (when, job_id)
        self._store.write(lambda db: db.execute("UPDATE jobs SET deleted = ? WHERE id = ?", row))

    def rows(self, job_id: str, most: int = -1) -> Rows:
        """The job's results so far, in order; the first `most` of them (-1: all)."""
        found = self._store.read("SELECT body FROM job_rows WHERE job = ? ORDER BY n LIMIT ?", (job_id, most))
        return [json.loads(row["body"]) for row in found]

    def count(self, job_id: str) -> int:
        """How many results there are so far."""
        return int(self._store.read("SELECT count(*) FROM job_rows WHERE job = ?", (job_id,))[0][0])

    def rows_where(self, job_id: str, **values: object) -> Rows:
        """The results in which these fields have these values: the others are not decoded."""
        where = "".join(" AND json_extract(body, ?) = ?" for _ in values)
        given = [part for name, value in values.items() for part in (f"$.{name}", value)]
        found = self._store.read(f"SELECT body FROM job_rows WHERE job = ?{where} ORDER BY n", (job_id, *given))
        return [json.loads(row["body"]) for row in found]

    def keep(self, job_id: str, key: str, body: bytes) -> None:
        """Keep what was worked out from a job's results, instead of what was kept before; `key`: what it depends on."""
        row = (job_id, key, body)
        self._store.write(lambda db: db.execute("INSERT OR REPLACE INTO job_kept VALUES (?, ?, ?)", row))

    def kept(self, job_id: str, key: str) -> bytes | None:
        """What was kept under this key; None where nothing was, or under another."""
        found = self._store.read("SELECT body FROM job_kept WHERE job = ? AND key = ?", (job_id, key))
        return bytes(found[0]["body"]) if found else None

    def cancel(self, job_id: str) -> None:
        """Ask a job to stop, whichever process runs it; one whose process is gone is set down as cancelled."""
        job = self.get(job_id)
        if job.stale:
            taken = self._store.write(lambda db: _take(db, job, self._owner))
            if taken:
                self._finish(job_id, "cancelled", "Stopped.", None)
            return
        self._store.write(lambda db: db.execute("UPDATE jobs SET cancel = 1 WHERE id = ?", (job_id,)))
        with self._lock:
            if job_id in self._mine:
                self._mine[job_id][0]._cancel.set()

    def recover(self) -> Found:
        """Take over jobs whose process is gone: resume those of registered kinds, set down the others as interrupted.

        Gives the jobs touched. Safe to call in several processes at once: one of them gets each job.
        """
        touched = []
        for job in self.list():
            if not job.stale or not self._store.write(lambda db, job=job: _take(db, job, self._owner)):  # type: ignore[misc]
                continue
            run = self._resumable.get(job.kind)
            if run is None:
                self._finish(job.id, "interrupted", GONE, None)
            else:
                context = JobContext(job.id, job.kind, job.parameters, self, _latest=(job.progress, job.message))
                with self._lock:
                    self._launch(context, run)
            touched.append(self.get(job.id))
        return touched

    def wait(self, job_id: str, timeout: float | None = None) -> Job:
        """Wait for a job that this process runs, then give it as it ended (or as it is after `timeout` seconds)."""
        with self._lock:
            mine = self._mine.get(job_id)
        if mine is not None:
            mine[1].join(timeout)
        return self.get(job_id)

    def close(self, timeout: float = 10.0) -> None:
        """Ask every job of this process to stop and wait for it.

        Jobs of resumable kinds are handed back, so that the next process goes on with them at once; others are set
        down as interrupted. A job that does not stop in time is recovered when its heartbeat is stale.
        """
        with self._lock:
            self._closing.set()
            running = list(self._mine.values())
        for context, _ in running:
            context._closing = not context.cancelled
            context._cancel.set()
        until = time.monotonic() + timeout
        for _, thread in running:
            thread.join(max(0.0, until - time.monotonic()))
        self._pulse.join()

    def _insert(self, db: sqlite3.Connection, context: JobContext, kind: str, key: str | None) -> str | None:
        """Add the job, or give the id of the active one with the same key. A stale holder of the key is set aside."""
        if key is not None:
            row = db.execute(
                "SELECT * FROM jobs WHERE kind = ? AND key = ? AND state IN ('queued', 'running')", (kind, key)
            ).fetchone()
            if row is not None and not _job(row).stale:
                return str(row["id"])
            if row is not None:
                _take(db, _job(row), self._owner)
                _end(db, row["id"], self._owner, "interrupted", GONE)
        now = time.time()
        db.execute(
            "INSERT INTO jobs (id, kind, key, state, progress, message, created, heartbeat, owner, parameters) "
            "VALUES (?, ?, ?, 'queued', 0, '', ?, ?, ?, ?)",
            (context.id, kind, key, now, now, self._owner, json.dumps(context.parameters)),
        )
        return None

    def _launch(self, context: JobContext, work: Work) -> None:
        thread = threading.Thread(target=self._run, args=(context, work), name=f"job-{context.id}", daemon=True)
        self._mine[context.id] = (context, thread)
        thread.start()

    def _run(self, context: JobContext, work: Work) -> None:
        state, message, result = "done", "", None
        try:
            self._store.write(
                lambda db: db.execute(
                    "UPDATE jobs SET state = 'running' WHERE id = ? AND owner = ?", (context.id, self._owner)
                )
            )
            answer = work(context)
            result = json.dumps(answer)
            message = context._latest[1]
        except Problem as problem:
            state, message = "failed", problem.message
        except Exception as error:
            LOG.exception("job %s failed", context.id)
            state, message = "failed", f"An error in the program: {type(error).__name__}: {error}"
        if context.cancelled:
            state, message = ("interrupted", GONE) if context._closing else ("cancelled", "Stopped.")
        try:
            if context._closing and context.kind in self._resumable:
                self._hand_back(context)
            else:
                self._finish(context.id, state, message, result)
        except Problem:
            LOG.exception("the end of job %s could not be saved", context.id)
        with self._lock:
            self._mine.pop(context.id, None)

    def _finish(self, job_id: str, state: str, message: str, result: str | None) -> None:
        self._store.write(lambda db: _end(db, job_id, self._owner, state, message, result))

    def _hand_back(self, context: JobContext) -> None:
        """Leave the job active with a heartbeat long past, for any process to take over."""
        done, message = context._latest
        self._store.write(
            lambda db: db.execute(
                "UPDATE jobs SET heartbeat = 0, progress = ?, message = ? WHERE id = ? AND owner = ?",
                (done, message, context.id, self._owner),
            )
        )

    def _append(self, job_id: str, row: Mapping[str, Any]) -> None:
        body = json.dumps(row)

        def add(db: sqlite3.Connection) -> None:
            mine = db.execute("SELECT 1 FROM jobs WHERE id = ? AND owner = ?", (job_id, self._owner)).fetchone()
            if mine is None:
                raise Problem("This job was taken over by another process; its results go on there.")
            db.execute(
                "INSERT INTO job_rows SELECT ?, coalesce(max(n), 0) + 1, ? FROM job_rows WHERE job = ?",
                (job_id, body, job_id),
            )

        self._store.write(add)

    def _beat(self, contexts: Contexts) -> None:
        """Stamp the jobs' heartbeat and progress, and learn whether they were cancelled or taken over."""

        def stamp(db: sqlite3.Connection) -> Contexts:
            stopped = []
            for context in contexts:
                done, message = context._latest
                row = db.execute(
                    "UPDATE jobs SET heartbeat = ?, progress = ?, message = ? "
                    "WHERE id = ? AND owner = ? AND state IN ('queued', 'running') RETURNING cancel",
                    (time.time(), done, message, context.id, self._owner),
                ).fetchone()
                if row is None or row["cancel"]:
                    stopped.append(context)
            return stopped

        for context in self._store.write(stamp):
            context._cancel.set()

    def _pulse_loop(self) -> None:
        while not self._closing.wait(HEARTBEAT_S):
            with self._lock:
                contexts = [context for context, _ in self._mine.values()]
            try:
                if contexts:
                    self._beat(contexts)
            except Problem:  # a full disk now may be free at the next beat
                LOG.warning("the heartbeat of %d jobs could not be saved", len(contexts), exc_info=True)


def _ended(owner: str) -> bool:
    """Whether the owner was a process of this machine that no longer exists (where the system can tell)."""
    host, pid, _ = owner.rsplit(":", 2)
    if os.name != "posix" or host != socket.gethostname():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except OSError:  # it exists and is someone else's
        return False
    return False


def _take(db: sqlite3.Connection, job: Job, owner: str) -> bool:
    """Make `owner` the job's owner if it is still as stale as `job` says. Of two takers one succeeds."""
    changed = db.execute(
        "UPDATE jobs SET owner = ?, heartbeat = ?, cancel = 0 WHERE id = ? AND owner = ? AND heartbeat = ? "
        "AND state IN ('queued', 'running')",
        (owner, time.time(), job.id, job.owner, job.heartbeat),
    )
    return changed.rowcount == 1


def _end(db: sqlite3.Connection, job_id: str, owner: str, state: str, message: str, result: str | None = None) -> None:
    db.execute(
        "UPDATE jobs SET state = ?, message = ?, result = ?, heartbeat = ?, "
        "progress = CASE ? WHEN 'done' THEN 1.0 ELSE progress END "
        "WHERE id = ? AND owner = ? AND state IN ('queued', 'running')",
        (state, message, result, time.time(), state, job_id, owner),
    )


def _job(row: sqlite3.Row, parameters: str = "parameters") -> Job:
    fields = {name: row[name] for name in row.keys() if name not in ("cancel", "deleted", "few")}  # noqa: SIM118 - a Row iterates over values
    fields["parameters"] = json.loads(row[parameters])
    fields["result"] = None if row["result"] is None else json.loads(row["result"])
    return Job(**fields)


def insert_ended(db: sqlite3.Connection, job: Job, rows: Rows) -> None:
    """Keep a job that ended elsewhere, with its results, inside a change of the store. It has no key: none goes on."""
    values = (job.id, job.kind, job.state, job.progress, job.message, job.created, job.heartbeat, job.owner)
    db.execute(
        "INSERT INTO jobs (id, kind, state, progress, message, created, heartbeat, owner, parameters, result) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (*values, json.dumps(job.parameters), json.dumps(job.result)),
    )
    db.executemany("INSERT INTO job_rows VALUES (?, ?, ?)", [(job.id, n, json.dumps(r)) for n, r in enumerate(rows, 1)])


def erase(db: sqlite3.Connection, parameter: str, value: str) -> None:
    """Erase the jobs that were started with that parameter, with their results, inside a change of the store."""
    where = "json_extract(parameters, ?) = ?"
    _erase(db, db.execute(f"SELECT id FROM jobs WHERE {where}", (f"$.{parameter}", value)).fetchall())


def erase_deleted(db: sqlite3.Connection, before: str) -> list[str]:
    """Erase what was deleted before that time and runs no more, inside a change of the store; gives the ids."""
    where = "deleted < ? AND state NOT IN ('queued', 'running')"
    return _erase(db, db.execute(f"SELECT id FROM jobs WHERE {where}", (before,)).fetchall())


def _erase(db: sqlite3.Connection, rows: Sequence[sqlite3.Row]) -> "list[str]":
    found = [(row["id"],) for row in rows]
    for table in ("job_rows", "job_kept"):
        db.executemany(f"DELETE FROM {table} WHERE job = ?", found)
    db.executemany("DELETE FROM jobs WHERE id = ?", found)
    return [one for (one,) in found]
