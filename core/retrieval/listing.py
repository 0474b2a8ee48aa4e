"""Reading what a knowledge base holds: documents, versions, texts, chunks. Changes nothing and searches nothing."""

import sqlite3

from core.errors import Problem
from core.retrieval.values import CURRENT, DELETED, TODAY, Chunk, Document, Passage, Version
from core.store import Store
from core.text import one_line

_FOUND = """
        FROM views w JOIN versions v ON v.id = w.version JOIN documents d ON d.id = w.document
        WHERE w.name = :view AND (instr(lower(d.path), :search) OR instr(lower(v.title), :search))"""


def documents(store: Store, view: str, search: str, first: int = 0, most: int = -1) -> list[Document]:
    """What `view` holds, by path, at `most` (-1: all) from the `first` on; `search`: part of path or title."""
    rows = store.read(
        f"""
        SELECT d.path, v.title, v.id AS version, v.origin, v.made, length(v.text) AS characters,
            (SELECT count(*) FROM versions o WHERE o.document = d.id) AS versions,
            (SELECT count(*) FROM chunks c WHERE c.version = v.id) AS chunks,
            (SELECT count(*) FROM chunks c JOIN embeddings e ON e.chunk = c.id WHERE c.version = v.id) AS embedded,
            (SELECT coalesce(sum(c.tokens), 0) FROM chunks c WHERE c.version = v.id) AS tokens,
            (SELECT t.version FROM views t WHERE t.name = :today AND t.document = d.id) AS shipped
        {_FOUND} ORDER BY d.path LIMIT :most OFFSET :first
        """,
        {"view": view, "today": TODAY, "search": search.strip().lower(), "first": first, "most": most},
    )
    return [_document(row, view) for row in rows]


def standing(store: Store, view: str) -> dict[str, int]:
    """Path -> version of every document of `view`."""
    sql = "SELECT d.path, w.version FROM views w JOIN documents d ON d.id = w.document WHERE w.name = ? ORDER BY d.path"
    return {row["path"]: row["version"] for row in store.read(sql, (view,))}


def count(store: Store, view: str, search: str) -> int:
    """How many documents that are."""
    rows = store.read(f"SELECT count(*) {_FOUND}", {"view": view, "search": search.strip().lower()})
    return int(rows[0][0])


def versions(store: Store, path: str) -> list[Version]:
    """Every kept text of a document, newest first. Raises Problem when there is no such document."""
    rows = store.read(
        "SELECT v.id, v.made, v.origin, length(v.text) AS characters, "
        "(SELECT group_concat(w.name, ' ') FROM views w WHERE w.version = v.id) AS views "
        "FROM versions v JOIN documents d ON d.id = v.document WHERE d.path = ? ORDER BY v.id DESC",
        (path,),
    )
    if not rows:
        raise Problem(f"There is no document '{one_line(path, 80)}'.")
    return [
        Version(row["id"], row["made"], row["origin"], row["characters"], tuple((row["views"] or "").split()))
        for row in rows
    ]


def version(store: Store, path: str, number: int | None, view: str | None) -> sqlite3.Row:
    """The row of one version: by `number`, else the one valid in `view` (None: current). Raises Problem if none is."""
    chosen = "v.id = ?" if number else "v.id IN (SELECT w.version FROM views w WHERE w.name = ?)"
    rows = store.read(
        f"SELECT v.* FROM versions v JOIN documents d ON d.id = v.document WHERE d.path = ? AND {chosen}",
        (path, number or view or CURRENT),
    )
    if not rows:
        raise Problem(f"There is no document '{one_line(path, 80)}'{' in that version' if number else ''}.")
    return rows[0]


def chunks(store: Store, version_id: int) -> list[Chunk]:
    """A version's pieces, in order."""
    rows = store.read("SELECT * FROM chunks WHERE version = ? ORDER BY start, id", (version_id,))
    return [chunk(row) for row in rows]


def passages(store: Store, path: str, view: str) -> list[Passage]:
    """The pieces of a document of `view` as a search would give them, in order, with score 0. Raises Problem."""
    rows = store.read(
        "SELECT * FROM chunks WHERE version = ? ORDER BY start, id", (version(store, path, None, view)["id"],)
    )
    return [_passage(path, row["id"], chunk(row)) for row in rows]


def _passage(path: str, number: int, one: Chunk) -> Passage:
    return Passage(path, one.title, one.heading, one.shown, 0.0, one.start, one.end, number)


def chunk(row: sqlite3.Row) -> Chunk:
    """A row of `chunks` as a plain value."""
    return Chunk(row["title"], row["heading"], row["body"], row["start"], row["stop"], row["tokens"], row["lead"])


def snapshots(store: Store) -> list[str]:
    """The dated snapshots there are."""
    rows = store.read("SELECT DISTINCT name FROM views WHERE name NOT IN (?, ?) ORDER BY name DESC", (CURRENT, DELETED))
    return [row[0] for row in rows]


def counts(store: Store) -> tuple[int, int]:
    """(chunks, chunks with a vector) over all kept versions."""
    row = store.read("SELECT (SELECT count(*) FROM chunks), (SELECT count(*) FROM embeddings)")[0]
    return int(row[0]), int(row[1])


def _document(row: sqlite3.Row, view: str) -> Document:
    if view == DELETED:
        state = "deleted"
    elif row["shipped"] is None:
        state = "added"
    else:
        state = "as shipped" if row["shipped"] == row["version"] else "edited"
    same = ("path", "title", "version", "versions", "chunks", "embedded", "tokens", "characters", "origin")
    return Document(**{name: row[name] for name in same}, changed=row["made"], state=state)
