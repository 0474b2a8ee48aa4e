"""A knowledge base's texts, read out of its file and put into another. Passages and vectors are not carried: the base
that takes the texts makes its own (`catch_up`). Knows no archive and no project.
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from core.errors import Problem
from core.retrieval import sections, sources, versions
from core.retrieval.schema import MIGRATIONS
from core.retrieval.syncing import read
from core.retrieval.values import CURRENT
from core.store import Store


@dataclass(frozen=True)
class Kept:
    """The text that a view has of a document. `made`: UTC, ISO 8601; `metadata` without front matter's order."""

    view: str
    path: str
    text: str
    metadata: Mapping[str, str | int | float]
    origin: str
    made: str


def count(store: Store) -> int:
    """How many documents are valid now."""
    return int(store.read("SELECT count(*) FROM views WHERE name = ?", (CURRENT,))[0][0])


def copy(source: Path, target: Path) -> None:
    """The base's file as `target`, as it is at this moment, also while it is in use; nothing when there is none yet.
    Vectors that lie at a server are not copied: the copy makes its own.

    Raises Problem when the disk is full.
    """
    if not source.is_file():
        return
    try:
        with closing(sqlite3.connect(source, isolation_level=None)) as reading:
            reading.execute("VACUUM INTO ?", (str(target),))
        with closing(sqlite3.connect(target)) as made, made:  # two bases must not write to one collection
            if made.execute("SELECT 1 FROM sqlite_master WHERE name = 'vector_place'").fetchone():
                made.execute("DELETE FROM vector_place")
                made.execute("DELETE FROM embeddings WHERE length(vector) = 0")
                made.execute("DELETE FROM vectors_gone")
    except sqlite3.Error as error:
        raise Problem(f"The documents could not be copied ({error}). Make room on the disk and try again.") from error


def texts(file: Path) -> Iterator[Kept]:
    """What every view of a base's file holds, in the order in which the texts came in."""
    with closing(sqlite3.connect(file)) as db:
        rows = db.execute(
            "SELECT w.name, d.path, v.text, v.metadata, v.origin, v.made FROM views w "
            "JOIN documents d ON d.id = w.document JOIN versions v ON v.id = w.version ORDER BY v.id, w.name"
        )
        for view, path, text, metadata, origin, made in rows:
            yield Kept(view, path, text, json.loads(metadata), origin, made)


def settings(file: Path) -> dict[str, object]:
    """How a base's file says that its documents are split and searched; what is not there is at its default."""
    with closing(sqlite3.connect(file)) as db:
        found: dict[str, object] = json.loads(db.execute("SELECT settings FROM index_state").fetchone()[0])
    return found


def make(file: Path, kept: Iterable[Kept], folders: Mapping[str, Path], chosen: Mapping[str, object]) -> None:
    """Put texts into the base at `file`, made when it is not there: `kept`, and the documents in `folders` by snapshot.

    All in one transaction; the file is closed and whole when this returns. `chosen`: its settings. Raises Problem.
    """
    store = Store(file, MIGRATIONS)
    try:
        store.write(lambda db: _fill(db, kept, folders, chosen))
    finally:
        store.close()


def _fill(
    db: sqlite3.Connection, kept: Iterable[Kept], folders: Mapping[str, Path], chosen: Mapping[str, object]
) -> None:
    for snapshot, folder in folders.items():
        known = {
            row["path"]
            for row in db.execute(
                "SELECT d.path FROM views w JOIN documents d ON d.id = w.document WHERE w.name = ?", (snapshot,)
            )
        }
        for entry in sources.folder(folder).entries:
            given = None if entry.path in known else read(entry, snapshot)
            if given is not None:
                views = versions.views_to_write(db, given.path, snapshot)
                versions.put_version(db, given.path, given.text, given.title, given.metadata, given.origin, views)
    for one in kept:
        title = sections.title(one.text, one.path)
        number = versions.put_version(db, one.path, one.text, title, one.metadata, one.origin, (one.view,))
        db.execute("UPDATE versions SET made = ? WHERE id = ?", (one.made, number))
    if chosen:
        db.execute("UPDATE index_state SET settings = ?", (json.dumps(dict(chosen)),))
