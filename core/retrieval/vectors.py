"""The embeddings that lie in the base's own file, all in memory, in blocks. Knows no text and no words.

Blocks instead of one matrix: growing never copies what is there, so 100,000 chunks of 384 floats stay at 154 MB.
Scored by `np.vecdot`, in one thread: beside a running model `@`, whose BLAS threads wait for each other spinning, took
155 ms for 8,192 rows where vecdot took 0.2.
"""

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from core.errors import Problem
from core.retrieval import fusion
from core.retrieval.values import Bools, Ints, Vector, VectorRow
from core.store import Store

BLOCK = 8192  # rows in a block
ELSEWHERE = b""  # stands for a vector that lies at a server


@dataclass
class _Block:
    vectors: Vector  # (BLOCK, dimensions)
    versions: Ints  # (BLOCK,)
    ids: Ints  # (BLOCK,) row ids in `embeddings`, ascending
    live: Bools  # (BLOCK,)
    used: int = 0


class Vectors:
    """The embeddings of `store`. `refresh()` brings in what changed, from whichever process it came."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._blocks: list[_Block] = []
        self._last = 0
        self._seen = (-1, -1)

    def refresh(self) -> int:
        """Bring in added embeddings, drop removed ones; gives the database's generation, unchanged if nothing is new.

        Raises Problem when vectors of different lengths are found.
        """
        with self._lock:
            row = self._store.read("SELECT generation, removals FROM index_state")[0]
            generation, removals = int(row[0]), int(row[1])
            if (generation, removals) != self._seen:
                if removals != self._seen[1] and self._last:
                    self._drop_removed()
                self._append()
                self._seen = (generation, removals)
            return generation

    def __len__(self) -> int:
        return sum(int(block.live[: block.used].sum()) for block in self._blocks)

    def search(self, query: Vector, count: int, visible: Bools) -> tuple[Ints, Vector]:
        """See VectorStore.search. Exact: every vector is looked at. Raises Problem on another number of dimensions."""
        found = [(block.ids[: block.used][keep], scores[keep]) for block, scores, keep in self._each(query, visible)]
        if not found:
            return np.zeros(0, np.int64), np.zeros(0, np.float32)
        ids, cosines = (np.concatenate(parts) for parts in zip(*found, strict=True))
        best = fusion.top(cosines, count)
        return ids[best], cosines[best]

    def put(self, rows: Sequence[VectorRow]) -> None:
        """Keep the vectors of rows that lie elsewhere here again; rows that are gone meanwhile stay gone."""
        self._change(
            "UPDATE embeddings SET vector = ? WHERE id = ? AND length(vector) = 0",
            [(np.ascontiguousarray(row.vector, np.float32).tobytes(), row.id) for row in rows],
        )

    def delete(self, ids: Sequence[int]) -> None:
        """Keep these vectors no longer: they lie elsewhere."""
        self._change("UPDATE embeddings SET vector = ? WHERE id = ?", [(ELSEWHERE, one) for one in ids])

    def get(self, ids: Sequence[int]) -> dict[int, Vector]:
        """The vectors of these numbers, as far as they lie here."""
        marks = ", ".join("?" * len(ids))
        rows = self._store.read(f"SELECT id, vector FROM embeddings WHERE length(vector) > 0 AND id IN ({marks})", ids)
        return {int(row[0]): np.frombuffer(row[1], np.float32) for row in rows}

    def count(self) -> int:
        """How many vectors lie here."""
        return int(self._store.read("SELECT count(*) FROM embeddings WHERE length(vector) > 0")[0][0])

    def version(self) -> str:
        """The database's generation."""
        return str(self._store.read("SELECT generation FROM index_state")[0][0])

    def mark(self, version: str) -> None:
        """Nothing: every change is counted by the database itself."""

    def drop(self) -> None:
        """Forget all vectors that lie here; their passages are embedded again with the next `catch_up`."""
        self._change("DELETE FROM embeddings WHERE length(vector) > 0", [()])

    def _change(self, sql: str, rows: Sequence[tuple[object, ...]]) -> None:
        def change(connection: sqlite3.Connection) -> None:
            connection.executemany(sql, rows)
            connection.execute("UPDATE index_state SET generation = generation + 1, removals = removals + 1")

        self._store.write(change)

    def _each(self, query: Vector, visible: Bools) -> Iterator[tuple[_Block, Vector, Bools]]:
        for block in list(self._blocks):
            used = block.used
            versions = block.versions[:used]
            keep = block.live[:used] & (versions < len(visible))
            keep &= visible[np.minimum(versions, len(visible) - 1)]
            if block.vectors.shape[1] != len(query):
                raise Problem(
                    f"The index holds vectors of {block.vectors.shape[1]} numbers, the embedder makes {len(query)}."
                )
            yield block, np.vecdot(block.vectors[:used], query), keep

    def _append(self) -> None:
        rows = self._store.connection().execute(
            "SELECT id, version, vector FROM embeddings WHERE id > ? AND length(vector) > 0 ORDER BY id", (self._last,)
        )
        for row_id, version, vector in rows:
            if not self._blocks or self._blocks[-1].used == BLOCK:
                self._blocks.append(_new_block(len(vector) // 4))
            block = self._blocks[-1]
            if block.vectors.shape[1] * 4 != len(vector):
                raise Problem(
                    "The index holds vectors of different lengths. Delete the knowledge base and build it again."
                )
            at = block.used
            block.vectors[at] = np.frombuffer(vector, np.float32)
            block.versions[at], block.ids[at], block.live[at] = version, row_id, True
            block.used = at + 1
            self._last = row_id

    def _drop_removed(self) -> None:
        rows = self._store.connection().execute("SELECT id FROM embeddings WHERE length(vector) > 0")
        kept = np.fromiter((row[0] for row in rows), np.int64)
        for block in self._blocks:
            block.live[: block.used] = np.isin(block.ids[: block.used], kept)
        total = sum(block.used for block in self._blocks)
        returned = len(self) < np.count_nonzero(kept <= self._last)  # from a server, under the numbers they had
        if returned or len(self) < total // 2:  # or mostly holes: start over rather than score the dead
            self._blocks, self._last = [], 0


def _new_block(dimensions: int) -> _Block:
    return _Block(
        vectors=np.zeros((BLOCK, dimensions), np.float32),
        versions=np.zeros(BLOCK, np.int64),
        ids=np.zeros(BLOCK, np.int64),
        live=np.zeros(BLOCK, np.bool_),
    )
