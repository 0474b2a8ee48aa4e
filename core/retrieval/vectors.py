"""All embeddings in memory, in blocks, kept in step with the database. Knows no text and no ranking.

Blocks instead of one matrix: growing never copies what is there, so 100,000 chunks of 384 floats stay at 154 MB.
Scored by `np.vecdot`, in one thread: beside a running model `@`, whose BLAS threads wait for each other spinning, took
155 ms for 8,192 rows where vecdot took 0.2.
"""

import threading
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.errors import Problem
from core.retrieval.values import Vector
from core.store import Store

BLOCK = 8192  # rows in a block

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass
class _Block:
    vectors: Vector  # (BLOCK, dimensions)
    chunks: Ints  # (BLOCK,)
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

    def scores(self, query: Vector, visible: Bools) -> tuple[Ints, Vector]:
        """Chunk ids and their cosine to `query`, for chunks whose version is marked in `visible`.

        Shapes (n,), (n,); no order. `visible`: indexed by version id. `query`: shape (dimensions,), length 1.
        """
        found = [(block.chunks[: block.used][keep], scores[keep]) for block, scores, keep in self._each(query, visible)]
        if not found:
            return np.zeros(0, np.int64), np.zeros(0, np.float32)
        return np.concatenate([chunks for chunks, _ in found]), np.concatenate([scores for _, scores in found])

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
            "SELECT id, chunk, version, vector FROM embeddings WHERE id > ? ORDER BY id", (self._last,)
        )
        for row_id, chunk, version, vector in rows:
            if not self._blocks or self._blocks[-1].used == BLOCK:
                self._blocks.append(_new_block(len(vector) // 4))
            block = self._blocks[-1]
            if block.vectors.shape[1] * 4 != len(vector):
                raise Problem(
                    "The index holds vectors of different lengths. Delete the knowledge base and build it again."
                )
            at = block.used
            block.vectors[at] = np.frombuffer(vector, np.float32)
            block.chunks[at], block.versions[at], block.ids[at], block.live[at] = chunk, version, row_id, True
            block.used = at + 1
            self._last = row_id

    def _drop_removed(self) -> None:
        kept = np.fromiter((row[0] for row in self._store.connection().execute("SELECT id FROM embeddings")), np.int64)
        for block in self._blocks:
            block.live[: block.used] = np.isin(block.ids[: block.used], kept)
        total = sum(block.used for block in self._blocks)
        if len(self) < total // 2:  # mostly holes: start over rather than score the dead
            self._blocks, self._last = [], 0


def _new_block(dimensions: int) -> _Block:
    return _Block(
        vectors=np.zeros((BLOCK, dimensions), np.float32),
        chunks=np.zeros(BLOCK, np.int64),
        versions=np.zeros(BLOCK, np.int64),
        ids=np.zeros(BLOCK, np.int64),
        live=np.zeros(BLOCK, np.bool_),
    )
