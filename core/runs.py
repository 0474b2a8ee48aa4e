"""Finished runs, kept: the one owner of the table `runs`. Starts nothing and knows no engine."""

import sqlite3
from collections.abc import Mapping
from typing import Final

from core import records
from core.errors import Problem
from core.records import RunRecord
from core.store import Migration, Store

NO_RUN: Final = "There is no such run here: its link was made on another machine, or its data was removed."
MIGRATIONS: Final = [
    Migration(
        "runs-1",
        """
        CREATE TABLE runs (
            id TEXT PRIMARY KEY, made TEXT NOT NULL, question TEXT NOT NULL, way TEXT NOT NULL, body TEXT NOT NULL
        );
        """,
    ),
    Migration(
        "runs-2",
        f"""
        ALTER TABLE runs ADD COLUMN project TEXT NOT NULL DEFAULT '{records.FIRST_PROJECT}';
        CREATE INDEX runs_project ON runs (project, made);
        """,
    ),
    Migration("runs-3", "ALTER TABLE runs ADD COLUMN deleted TEXT;"),  # when, UTC; erased a day later
]


class StoredRuns:
    """The finished runs in `store`."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def save(self, record: RunRecord) -> None:
        """Keep a run."""
        self._store.write(lambda db: insert(db, record))

    def get(self, run_id: str) -> RunRecord:
        """One run. Raises Problem when there is none."""
        rows = self._store.read("SELECT body, deleted FROM runs WHERE id = ?", (run_id,))
        if rows and rows[0]["deleted"]:
            raise Problem("This run was deleted: for a day, the History page brings it back.")
        if not rows:
            raise Problem(NO_RUN)
        return records.run_from(rows[0]["body"])

    def before(self, record: RunRecord) -> RunRecord | None:
        """The run in which the same project was last asked the same question before `record`; None for the first."""
        rows = self._store.read(
            "SELECT body FROM runs WHERE project = ? AND question = ? AND id <> ? AND deleted IS NULL "
            "AND rowid < coalesce((SELECT rowid FROM runs WHERE id = ?), 9223372036854775807) "
            "ORDER BY rowid DESC LIMIT 1",
            (record.project, record.question, record.id, record.id),
        )
        return records.run_from(rows[0]["body"]) if rows else None

    def project_of(self, run_id: str) -> str | None:
        """Whose run it is; None when there is none."""
        rows = self._store.read("SELECT project FROM runs WHERE id = ?", (run_id,))
        return str(rows[0]["project"]) if rows else None

    def history(self, project: str, limit: int = 20) -> list[Mapping[str, str]]:
        """A project's latest runs, newest first: id, made, question, way."""
        rows = self._store.read(
            "SELECT id, made, question, way FROM runs WHERE project = ? AND deleted IS NULL ORDER BY made DESC LIMIT ?",
            (project, limit),
        )
        return [dict(row) for row in rows]

    def latest(self, project: str | None = None, limit: int = 50) -> list[RunRecord]:
        """The latest runs, newest first, of a project or of all; what cannot be read is left out."""
        rows = self._store.read(
            "SELECT body FROM runs WHERE (? IS NULL OR project = ?) AND deleted IS NULL ORDER BY made DESC LIMIT ?",
            (project, project, limit),
        )
        found = []
        for row in rows:
            try:
                found.append(records.run_from(row["body"]))
            except Problem:  # one damaged row must not hide the others
                continue
        return found

    def find(self, project: str, text: str = "", deleted: bool = False, limit: int = 500) -> list[Mapping[str, str]]:
        """A project's runs whose question, answers or passages hold `text` (case ignored), newest first."""
        rows = self._store.read(
            "SELECT id, made, question, way FROM runs WHERE project = ? AND (deleted IS NOT NULL) = ? "
            "AND instr(lower(body), lower(?)) ORDER BY made DESC, rowid DESC LIMIT ?",
            (project, deleted, records.dumps(text)[1:-1], limit),
        )
        return [dict(row) for row in rows]

    def delete(self, project: str, run_id: str, when: str | None) -> None:
        """Take a run away (`when`: UTC, ISO 8601), or bring it back (None)."""
        row = (when, run_id, project)
        self._store.write(lambda db: db.execute("UPDATE runs SET deleted = ? WHERE id = ? AND project = ?", row))


def insert(db: sqlite3.Connection, record: RunRecord) -> None:
    """Keep a run inside a change of the store."""
    row = (record.id, record.made, record.question, record.settings.way, records.dumps(record), record.project)
    db.execute("INSERT OR REPLACE INTO runs (id, made, question, way, body, project) VALUES (?, ?, ?, ?, ?, ?)", row)


def erase(db: sqlite3.Connection, before: str) -> list[str]:
    """Erase what was deleted before that time, inside a change of the store; gives the ids."""
    return [row["id"] for row in db.execute("DELETE FROM runs WHERE deleted < ? RETURNING id", (before,)).fetchall()]
