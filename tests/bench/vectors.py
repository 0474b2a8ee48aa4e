"""Queries over the same vectors in a base's own file and at a real Chroma server, one table.

    python tests/bench/vectors.py [--count 100000] [--queries 50]

Random unit vectors of 384 numbers, five documents' worth a version: right for times, the worst case for an approximate
index, so what Chroma finds of the true five is a lower bound. Needs core/requirements-chroma.txt.
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from core.retrieval.index import Index, Where, add_chunks  # noqa: E402
from core.retrieval.schema import MIGRATIONS  # noqa: E402
from core.retrieval.values import CURRENT, Chunk, Place, Vector  # noqa: E402
from core.store import Store  # noqa: E402
from tests.retrieval.chroma_run import running  # noqa: E402

DIMENSIONS, EACH, TOP = 384, 20, 5
WORDS = ("grinder", "kettle", "filter", "pump", "valve", "scale", "portafilter", "gasket", "burr", "hopper")


def unit(count: int, seed: int) -> Vector:
    """(count, DIMENSIONS) float32 of length 1."""
    made = np.random.default_rng(seed).standard_normal((count, DIMENSIONS)).astype(np.float32)
    return made / np.linalg.norm(made, axis=1, keepdims=True)


def fill(store: Store, vectors: Vector) -> None:
    """EACH passages a document, each with its vector."""

    def change(db: object) -> None:
        for at in range(0, len(vectors), EACH):
            number = at // EACH + 1
            db.execute("INSERT INTO documents VALUES (?, ?)", (number, f"{number}.md"))
            db.execute(
                "INSERT INTO versions (id, document, hash, title, text, metadata, origin, made) "
                "VALUES (?, ?, ?, 't', 'x', '{}', 'bench', '2026-01-01')",
                (number, number, str(number)),
            )
            db.execute("INSERT INTO views VALUES (?, ?, ?)", (CURRENT, number, number))
            part = vectors[at : at + EACH]
            bodies = [f"{WORDS[(at + n) % 10]} {WORDS[(at + n) // 10 % 10]} number {at + n}" for n in range(len(part))]
            chunks = [Chunk(f"Part {number}", "", body, 0, 9, 9) for body in bodies]
            add_chunks(db, number, chunks, list(part))

    store.write(change)


def asked(index: Index, queries: Vector, mode: str) -> tuple[list[list[int]], float, float]:
    """The best TOP chunks of each query, and p50 and p95 in ms."""
    found, spent = [], []
    for number, query in enumerate(queries):
        words = f"{WORDS[number % 10]} {WORDS[number // 10 % 10]}"
        began = time.perf_counter()
        hits = index.search(words, query, mode, TOP, view=CURRENT, where=Where(), weight=0.7)
        spent.append((time.perf_counter() - began) * 1000)
        found.append([hit.chunk for hit in hits])
    return found, statistics.median(spent), float(np.percentile(spent, 95))


def timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def said(done: float, text: str) -> None:
    print(f"\r{done:4.0%} {text}", end="", file=sys.stderr, flush=True)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--count", type=int, default=100_000)
    options.add_argument("--queries", type=int, default=50)
    given = options.parse_args()
    queries = unit(given.queries, 2)
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder) / "bench.sqlite3", MIGRATIONS)
        index = Index(store)
        fill(store, unit(given.count, 1))
        rows = []
        index.search("warm", queries[0], "dense", TOP, view=CURRENT, where=Where(), weight=0.7)
        here = {mode: asked(index, queries, mode) for mode in ("dense", "hybrid")}
        with running(Path(folder)) as server:
            there_s = timed(lambda: index.handover.move(Place(server.url), said, lambda: False))
            index.search("warm", queries[0], "dense", TOP, view=CURRENT, where=Where(), weight=0.7)
            there = {mode: asked(index, queries, mode) for mode in ("dense", "hybrid")}
            back_s = timed(lambda: index.handover.move(None, said, lambda: False))
        again = asked(index, queries, "dense")[0]
        for place, found in (("SQLite, exact", here), ("Chroma, HNSW", there)):
            for mode in ("dense", "hybrid"):
                pairs = zip(here[mode][0], found[mode][0], strict=True)
                same = np.mean([len(set(one) & set(other)) / TOP for one, other in pairs])
                rows.append(f"| {place} | {mode} | {found[mode][1]:.1f} | {found[mode][2]:.1f} | {same:.2f} |")
        store.close()
    loads = f"load {load:.1f} before and {os.getloadavg()[0]:.1f} after"
    print(f"\n{given.count:,} passages, {given.queries} queries, {loads}")
    print("| where | mode | p50 ms | p95 ms | of the exact top 5 |\n|---|---|---|---|---|\n" + "\n".join(rows))
    print(f"moved there in {there_s:.0f} s, back in {back_s:.0f} s; top 5 then identical: {again == here['dense'][0]}")


if __name__ == "__main__":
    main()
