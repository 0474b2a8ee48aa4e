"""The state of versions without projects, carried over: documents leave the app's database for a file a project.

What such a version held in one base becomes two: the demo's documents with their edits, and "My documents" with what a
person added. Both files are made whole beside the old tables, which go in one transaction at the end; killed at any
point before, the next start begins again from the old tables. Splits and vectors are carried along, nothing is lost.
"""

import sqlite3
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from core.arms import DEFAULT
from core.project.projects import insert
from core.project.values import Model, Project
from core.records import FIRST_PROJECT
from core.retrieval.schema import MIGRATIONS as KNOWLEDGE
from core.retrieval.values import TODAY, TRAINING_DAY
from core.store import Store

MINE: Final = "my-documents"
TITLE: Final = "My documents"
# A document of the demo is one that a snapshot of the demo holds; what a person added is in none.
_DEMO: Final = "SELECT document FROM views WHERE name IN (?, ?)"
_TABLES: Final = ("embeddings", "words", "chunks", "views", "versions", "documents", "index_state")
_OTHERS: Final = (
    "job_rows",
    "jobs",
    "runs",
    "projects",
    "question_sets",
    "votes",
    "labels",
    "people",
    "vector_leftovers",
)  # the app's own


def carry_over(store: Store, folder: Path) -> None:
    """Move the documents of an older version into files in `folder`. Does nothing where there are none."""
    if not store.read("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'documents'"):
        return

    def move(db: sqlite3.Connection) -> None:
        # Inside the writer's transaction, so that no other process does the same or adds a document meanwhile.
        if not db.execute("SELECT 1 FROM sqlite_master WHERE name = 'documents'").fetchone():
            return
        demo = (TODAY, TRAINING_DAY)
        added = db.execute(f"SELECT count(*) FROM documents WHERE id NOT IN ({_DEMO})", demo).fetchone()[0]
        _split_off(store.path, folder / f"{FIRST_PROJECT}.sqlite3", f"NOT IN ({_DEMO})", demo)
        if added:
            _split_off(store.path, folder / f"{MINE}.sqlite3", f"IN ({_DEMO})", demo)
            if not db.execute("SELECT 1 FROM projects WHERE id = ?", (MINE,)).fetchone():
                insert(db, _mine(), datetime.now(UTC).isoformat(timespec="seconds"))
        for trigger in ("chunks_added", "chunks_removed"):
            db.execute(f"DROP TRIGGER IF EXISTS {trigger}")
        for table in _TABLES:
            db.execute(f"DROP TABLE {table}")
        db.executemany("DELETE FROM migrations WHERE name = ?", [(step.name,) for step in KNOWLEDGE])

    store.write(move)


def _mine() -> Project:
    """The project for what a person had added to the demo's documents: the same models, a neutral instruction."""
    models = (Model("base", "Base", "base"), Model("fine-tuned", "Fine-tuned", "fine-tuned", base="base"))
    about = "Documents that were added beside the demo's before there were projects."
    return Project(MINE, TITLE, about, models=models, arms=DEFAULT)


def _split_off(source: Path, target: Path, foreign: str, demo: Sequence[str]) -> None:
    """A copy of the old database as `target`, with the knowledge alone, less the documents that are `foreign`."""
    staged = target.with_suffix(".staging")
    staged.unlink(missing_ok=True)
    reading, made = sqlite3.connect(source), sqlite3.connect(staged, isolation_level=None)
    try:
        reading.backup(made)
        made.execute("PRAGMA foreign_keys = ON")
        made.execute("BEGIN")
        made.execute(f"CREATE TEMP TABLE foreign_documents AS SELECT id FROM documents WHERE id {foreign}", demo)
        made.execute("DELETE FROM views WHERE document IN (SELECT id FROM foreign_documents)")
        made.execute("DELETE FROM documents WHERE id IN (SELECT id FROM foreign_documents)")
        made.execute("UPDATE index_state SET generation = generation + 1, removals = removals + 1")
        kept = {step.name for step in KNOWLEDGE}
        for table in _OTHERS:
            made.execute(f"DROP TABLE IF EXISTS {table}")
        made.execute(f"DELETE FROM migrations WHERE name NOT IN ({', '.join('?' * len(kept))})", tuple(kept))
        made.execute("COMMIT")
        made.execute("VACUUM")
    finally:
        reading.close()
        made.close()
    staged.replace(target)
