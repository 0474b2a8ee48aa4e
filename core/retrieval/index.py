"""Chunks in SQLite, found by vector, by word, or by both. Knows no documents' texts, splitting or embedding.

Words are always searched here; vectors here and, where a server holds some (handover.py), there.

A search looks at the versions that are valid in one view and pass the filter; `visible` marks them by version id.
"""

import hashlib
import sqlite3
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from core.errors import Problem
from core.retrieval import fusion, words
from core.retrieval.handover import Handover
from core.retrieval.values import Bools, Chunk, Vector
from core.retrieval.vectors import Vectors
from core.store import Store

POOL = 64  # candidates each side brings into the fusion (more when more passages are asked for)
_REMEMBERED = 32  # (view, filter) pairs whose visible versions are kept


@dataclass(frozen=True)
class Where:
    """A condition on versions: SQL over `versions v JOIN documents d`, and its parameters."""

    sql: str = "1"
    params: tuple[str | int | float, ...] = ()


@dataclass(frozen=True)
class Hit:
    """One chunk found. `score`: 0..1 in sparse and hybrid mode, the cosine in dense mode."""

    chunk: int
    score: float
    similarity: float | None
    bm25: float | None


def content_hash(text: str) -> bytes:
    """Names a chunk's text: the same text needs no second embedding."""
    return hashlib.blake2b(text.encode(), digest_size=16).digest()


def touch(connection: sqlite3.Connection, *, removals: int = 0) -> None:
    """Tell every process that what can be found has changed."""
    connection.execute("UPDATE index_state SET generation = generation + 1, removals = removals + ?", (removals,))


def add_chunks(
    connection: sqlite3.Connection, version: int, chunks: Sequence[Chunk], vectors: Sequence[Vector | None]
) -> list[int]:
    """Store `chunks` of `version`, each with its vector or None (to follow); gives their ids."""
    ids = []
    for chunk, vector in zip(chunks, vectors, strict=True):
        cursor = connection.execute(
            "INSERT INTO chunks (version, title, heading, lead, body, start, stop, tokens, hash) "
            "VALUES (?,?,?,?,?,?,?,?,?)",
            (
                *(version, chunk.title, chunk.heading, chunk.lead, chunk.body, chunk.start, chunk.end, chunk.tokens),
                content_hash(chunk.text),
            ),
        )
        ids.append(int(cursor.lastrowid or 0))
        if vector is not None:
            add_vector(connection, ids[-1], vector)
    touch(connection)
    return ids


def add_vector(connection: sqlite3.Connection, chunk: int, vector: Vector) -> None:
    """Store the vector of a chunk, unless the chunk is gone meanwhile or has one; the caller calls `touch`."""
    connection.execute(
        "INSERT OR IGNORE INTO embeddings (chunk, version, vector) SELECT id, version, ? FROM chunks WHERE id = ?",
        (np.ascontiguousarray(vector, np.float32).tobytes(), chunk),
    )


def remove_chunks(connection: sqlite3.Connection, version: int) -> None:
    """Forget the chunks of `version` and their vectors."""
    connection.execute("DELETE FROM chunks WHERE version = ?", (version,))
    touch(connection, removals=1)


class Index:
    """Search over the chunks in `store`, in step with changes from any thread or process."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.vectors = Vectors(store)
        self.handover = Handover(store, self.vectors)
        self._visible: dict[tuple[str, Where], Bools] = {}
        self._generation = -1
        self._counted = (-1, 0)  # generation, chunks in it
        self._lock = threading.Lock()

    def search(
        self, question: str, vector: Vector | None, mode: str, count: int, *, view: str, where: Where, weight: float
    ) -> list[Hit]:
        """The best `count` chunks, best first. Without `vector` only "sparse" works.

        `weight`: the vectors' share in "hybrid", the rest is the words'.
        """
        return ranked(self.found(question, vector, mode, count, view=view, where=where), mode, count, weight)

    def found(self, question: str, vector: Vector | None, mode: str, count: int, *, view: str, where: Where) -> "Found":
        """What `question` finds before it is ranked: what a search of `mode` for `count` chunks ranks; that of "hybrid"
        serves every mode."""
        generation = self.vectors.refresh()
        visible = self._visible_versions(view, where, generation)
        by_word = self._by_word(question, visible, _pool(count)) if mode != "dense" else {}
        if mode == "sparse":
            return Found({}, by_word, 1.0)
        if vector is None:
            raise Problem(f"A {mode} search needs the question's embedding, and there is none.")
        if mode == "dense":
            return Found(self._by_vector(vector, visible, count), {}, 1.0)
        near = self._by_vector(vector, visible, _pool(count), by_word)
        return Found(near, by_word, self._attainable(question, generation) if by_word else 1.0)

    def _by_vector(self, vector: Vector, visible: Bools, count: int, also: Iterable[int] = ()) -> dict[int, float]:
        """Chunk -> cosine: of the `count` nearest visible chunks, and of those of `also` that have a vector."""
        server = self.handover.searched()
        near: dict[int, float] = {}
        for keeper in (self.vectors, server) if server is not None else (self.vectors,):
            ids, cosines = keeper.search(vector, count, visible)
            near |= zip(ids.tolist(), cosines.tolist(), strict=True)
        best = sorted(near, key=lambda one: (-near[one], one))[: 2 * count]
        found = {int(row["chunk"]): near[row["id"]] for row in self._rows("id", best)}
        rows = [row for row in self._rows("chunk", also) if int(row["chunk"]) not in found]
        there = [int(row["id"]) for row in rows if not row["vector"]]
        fetched = server.get(there) if server is not None and there else {}
        for row in rows:
            own = np.frombuffer(row["vector"], np.float32) if row["vector"] else fetched.get(int(row["id"]))
            if own is not None:
                found[int(row["chunk"])] = float(np.vecdot(own, vector))
        return found

    def _rows(self, column: str, values: Iterable[int]) -> list[sqlite3.Row]:
        wanted = list(values)
        marks = ", ".join("?" * len(wanted))
        return self.store.read(f"SELECT id, chunk, vector FROM embeddings WHERE {column} IN ({marks})", wanted)

    def _by_word(self, question: str, visible: Bools, count: int) -> dict[int, float]:
        """Chunk -> BM25 (higher is better) of the best `count` visible chunks."""
        expression = words.match_expression(question)
        if expression is None:
            return {}
        limit = 4 * count
        while True:
            rows = self.store.read(
                "SELECT w.rowid, -w.rank, c.version FROM "
                "(SELECT rowid, rank FROM words WHERE words MATCH ? ORDER BY rank LIMIT ?) w "
                "JOIN chunks c ON c.id = w.rowid ORDER BY w.rank, w.rowid",
                (expression, limit),
            )
            found = {int(row[0]): float(row[1]) for row in rows if row[2] < len(visible) and visible[row[2]]}
            if len(found) >= count or len(rows) < limit:
                return dict(list(found.items())[:count])
            limit *= 8  # the best ones were old versions or filtered out: look further down

    def _attainable(self, question: str, generation: int) -> float:
        """The BM25 that counts as a full match of `question`."""
        if self._counted[0] != generation:
            self._counted = (generation, int(self.store.read("SELECT count(*) FROM chunks")[0][0]))
        terms = [f'"{term}"' for term in words.terms(question)[: words.MOST_TERMS]]
        counts = ", ".join(["(SELECT count(*) FROM words WHERE words MATCH ?)"] * len(terms))
        return fusion.attainable(self._counted[1], self.store.read(f"SELECT {counts}", terms)[0])

    def _visible_versions(self, view: str, where: Where, generation: int) -> Bools:
        with self._lock:
            if generation != self._generation:
                self._visible.clear()
                self._generation = generation
            known = self._visible.get((view, where))
            if known is not None:
                return known
        rows = self.store.read(
            "SELECT v.id FROM views w JOIN versions v ON v.id = w.version JOIN documents d ON d.id = v.document "
            f"WHERE w.name = ? AND ({where.sql})",  # `where` is built in filters.py from fixed pieces
            (view, *where.params),
        )
        ids = np.array([row[0] for row in rows], np.int64)
        visible = np.zeros(int(ids.max(initial=0)) + 1, np.bool_)
        visible[ids] = True
        with self._lock:
            if generation == self._generation and len(self._visible) < _REMEMBERED:
                self._visible[view, where] = visible
        return visible


@dataclass(frozen=True)
class Found:
    """One question's evidence: chunk -> cosine of the nearest and of those with its words, chunk -> BM25, best first,
    and the BM25 that counts as a full match."""

    near: dict[int, float]
    by_word: dict[int, float]
    full: float


def ranked(found: Found, mode: str, count: int, weight: float) -> list[Hit]:
    """The best `count` chunks of what was found, best first; `weight` as in Index.search."""
    if mode == "sparse":
        return _sparse_hits(found.by_word, count)
    if mode == "dense":
        best = sorted(found.near.items(), key=lambda item: (-item[1], item[0]))[:count]
        return [Hit(chunk, _unit(cosine), cosine, None) for chunk, cosine in best]
    fused = fusion.fuse(found.near, found.by_word, weight, found.full)
    best = sorted(fused.items(), key=lambda item: (-item[1], item[0]))[:count]
    return [Hit(chunk, score, found.near.get(chunk), found.by_word.get(chunk)) for chunk, score in best]


def _pool(count: int) -> int:
    return max(POOL, 4 * count)


def _sparse_hits(found: dict[int, float], count: int) -> list[Hit]:
    best = max(found.values(), default=1.0)
    return [Hit(chunk, score / best, None, score) for chunk, score in list(found.items())[:count]]


def _unit(value: float) -> float:
    return min(1.0, max(0.0, float(value)))
