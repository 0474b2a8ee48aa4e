"""Collections at a vector server whose project was erased: noted with the erasure, deleted as soon as the server is up.

What is noted stays until the server says that it is deleted, or that there is no such collection. One that somebody
else has changed since is not ours any more (a restored copy of the state may share it) and is left alone.
"""

import sqlite3
from contextlib import closing, suppress
from pathlib import Path
from typing import Final

from core.errors import Problem
from core.retrieval import chroma
from core.retrieval.values import Missing, Place
from core.store import Migration, Store
from core.text import one_line

KIND: Final = "erase-vectors"  # of the job that deletes them
MIGRATIONS: Final = [
    Migration(
        "vector-leftovers-1",
        """
        CREATE TABLE vector_leftovers (
            collection TEXT PRIMARY KEY, url TEXT NOT NULL, key_variable TEXT NOT NULL, version TEXT NOT NULL,
            next_version TEXT NOT NULL
        );
        """,
    )
]


def note(db: sqlite3.Connection, base: Path) -> None:
    """Note the collection that the base in that file names, if it names one, inside a change of the app's store."""
    if not base.is_file():
        return
    with suppress(sqlite3.Error), closing(sqlite3.connect(base)) as opened:  # one that cannot be read names none
        sql = "SELECT collection, url, key_variable, version, next_version FROM vector_place"
        db.executemany("INSERT OR REPLACE INTO vector_leftovers VALUES (?, ?, ?, ?, ?)", opened.execute(sql).fetchall())


def waiting(store: Store) -> list[str]:
    """The collections that wait to be deleted, each with its server."""
    rows = store.read("SELECT collection, url FROM vector_leftovers ORDER BY collection")
    return [f"{row['collection']} at {row['url']}" for row in rows]


def clear(store: Store) -> list[str]:
    """Delete what can be deleted; gives a line for each collection that waits on. Asks each server once more."""
    said = []
    for row in store.read("SELECT * FROM vector_leftovers"):
        try:
            there = chroma.ChromaVectors(Place(row["url"], row["key_variable"]), row["collection"])
            if there.version() in (row["version"], row["next_version"]):
                there.drop()
        except Missing:
            pass
        except Problem as problem:
            said.append(f"{one_line(row['collection'], 80)}: {problem.message}")
            continue
        done = (row["collection"],)
        store.write(lambda db, done=done: db.execute("DELETE FROM vector_leftovers WHERE collection = ?", done))  # type: ignore[misc]
    return said
