"""Retrieval's speed and size, both sides in one run: this store beside LlamaIndex's SimpleVectorStore.

    python tests/bench/retrieval.py [--sizes 1000,10000,100000] [--record]

1. Query p50 through LlamaIndex's query interface, without the embedding step: dense, words, hybrid; SimpleVectorStore
   on the same vectors beside it (up to 10,000: beyond, it needs gigabytes).
2. A base of that size: file, memory added when opened, time to open (until the first dense answer).
3. One edit of a one-chunk document among 1,000, until it can be found, with the real embedder and without it.
4. Index throughput beside the embedder alone, on the demo company's texts.
Vectors in 1 and 2 are random (their values do not change the work); texts are drawn from 20,000 words by Zipf's law.
"""

import argparse
import gc
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402

from core import runtime  # noqa: E402
from core.retrieval import KnowledgeBase  # noqa: E402
from core.retrieval.embedders import EngineEmbedder  # noqa: E402
from core.retrieval.index import Index, add_chunks  # noqa: E402
from core.retrieval.schema import MIGRATIONS  # noqa: E402
from core.retrieval.values import CURRENT, Chunk  # noqa: E402
from core.retrieval.versions import put_version  # noqa: E402
from core.store import Store  # noqa: E402
from core.weights import catalog  # noqa: E402

DIMENSIONS = 384
WORDS_A_CHUNK = 100
SIMPLE_AT_MOST = 10_000
TARGETS = {1_000: 2.0, 10_000: 6.0, 100_000: 40.0}  # ms, dense


def words(draw: random.Random, vocabulary: list[str], weights: list[float], count: int) -> str:
    return " ".join(draw.choices(vocabulary, cum_weights=weights, k=count))


def corpus(count: int) -> tuple[list[str], np.ndarray, list[str]]:
    """Texts, vectors, and questions of four words each."""
    draw = random.Random(count)
    vocabulary = [f"w{number:05d}" for number in range(20_000)]
    weights = list(np.cumsum(1 / np.arange(5, 20_005)))  # the commonest words are stop words, dropped beforehand
    texts = [words(draw, vocabulary, weights, WORDS_A_CHUNK) for _ in range(count)]
    vectors = np.random.default_rng(count).standard_normal((count, DIMENSIONS)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return texts, vectors, [words(draw, vocabulary, weights, 4) for _ in range(30)]


def fill(store: Store, texts: list[str], vectors: np.ndarray) -> None:
    """One document of one chunk each, in one transaction."""

    def change(connection) -> None:
        for number, text in enumerate(texts):
            version = put_version(connection, f"d{number}.md", text, f"d{number}", {}, "bench", (CURRENT,))
            chunk = Chunk(f"d{number}", "", text, 0, len(text), WORDS_A_CHUNK)
            add_chunks(connection, version, [chunk], [vectors[number]])
        connection.execute("UPDATE index_state SET embedder = 'bench'")

    store.write(change)


def p50(work: Callable[[int], object], repeats: int) -> float:
    """Median milliseconds."""
    work(0)
    spent = []
    for number in range(repeats):
        began = time.perf_counter()
        work(number)
        spent.append((time.perf_counter() - began) * 1000)
    return statistics.median(spent)


def query_times(store: Store, vectors: np.ndarray, questions: list[str], texts: list[str]) -> dict[str, float]:
    from llama_index.core.schema import TextNode
    from llama_index.core.vector_stores import SimpleVectorStore
    from llama_index.core.vector_stores.types import VectorStoreQuery, VectorStoreQueryMode

    from core.retrieval.llama import SqliteVectorStore

    asked = np.random.default_rng(7).standard_normal((30, DIMENSIONS)).astype(np.float32)
    asked /= np.linalg.norm(asked, axis=1, keepdims=True)
    embedded = [row.tolist() for row in asked]

    def ask(vector_store: object, mode: VectorStoreQueryMode) -> Callable[[int], object]:
        return lambda number: vector_store.query(
            VectorStoreQuery(
                query_embedding=embedded[number % 30], query_str=questions[number % 30], similarity_top_k=5, mode=mode
            )
        )

    ours = SqliteVectorStore(Index(store))
    repeats = 50 if len(texts) <= 10_000 else 20
    found = {
        "dense": p50(ask(ours, VectorStoreQueryMode.DEFAULT), repeats),
        "words": p50(ask(ours, VectorStoreQueryMode.SPARSE), repeats),
        "hybrid": p50(ask(ours, VectorStoreQueryMode.HYBRID), repeats),
    }
    if len(texts) <= SIMPLE_AT_MOST:
        simple = SimpleVectorStore()
        simple.add([TextNode(id_=str(n), text=text, embedding=vectors[n].tolist()) for n, text in enumerate(texts)])
        found["SimpleVectorStore dense"] = p50(ask(simple, VectorStoreQueryMode.DEFAULT), 10)
    return found


OPEN = """
import sys, time, resource
sys.path.insert(0, sys.argv[1])
from pathlib import Path
import numpy as np
import core.retrieval.llama
from core.retrieval.index import Index, Where
from core.retrieval.schema import MIGRATIONS
from core.store import Store

def rss():
    return int(Path('/proc/self/statm').read_text().split()[1]) * resource.getpagesize() / 1e6

np.ones((64, 384), np.float32) @ np.ones(384, np.float32)
before, began = rss(), time.perf_counter()
index = Index(Store(Path(sys.argv[2]), MIGRATIONS))
query = np.ones(384, np.float32) / 384 ** 0.5
index.search('x', query, 'dense', 5, view='current', where=Where(), weight=0.7)
print(time.perf_counter() - began, rss() - before)
"""


def opening(file: Path) -> tuple[float, float]:
    """(seconds, MB added) of opening the base in a fresh process, until its first dense answer; medians of three."""
    runs = []
    for _ in range(3):
        done = subprocess.run(
            [sys.executable, "-c", OPEN, str(ROOT), str(file)], capture_output=True, text=True, check=True
        )
        runs.append(tuple(float(value) for value in done.stdout.split()))
    return statistics.median(run[0] for run in runs), statistics.median(run[1] for run in runs)


class Instant:
    """An embedder that costs nothing, to see what the rest costs."""

    dimensions = DIMENSIONS
    identity = "bench"

    def embed(self, text: str) -> np.ndarray:
        return np.full(DIMENSIONS, DIMENSIONS**-0.5, np.float32)

    def embed_passages(self, texts: list[str]) -> list[np.ndarray]:
        return [self.embed(text) for text in texts]


def edit_ms(folder: Path, embedder: object, repeats: int = 15) -> tuple[float, float]:
    """(ms of one edit until a dense question finds it, ms of embedding that text) among 1,000 one-chunk documents."""
    texts, vectors, _ = corpus(1_000)
    store = Store(folder / f"edit-{embedder.identity[:8]}.sqlite3", MIGRATIONS)
    fill(store, texts, vectors)
    store.write(lambda c: c.execute("UPDATE index_state SET embedder = ?", (embedder.identity,)))
    base = KnowledgeBase(store, embedder, catalog.vocab())
    page = "# Harbor Duo\n\nThe Harbor Duo costs ${price}. It is made in Turin and carries a warranty of 8 years."
    base.add("d7.md", page.format(price=0))
    base.query("Harbor Duo", 1)
    spent, alone = [], []
    for number in range(1, repeats + 1):
        text = page.format(price=number)
        began = time.perf_counter()
        embedder.embed(f"Harbor Duo\n{text} again")
        alone.append((time.perf_counter() - began) * 1000)
        began = time.perf_counter()
        base.update("d7.md", text)
        changed = time.perf_counter() - began
        found = base.query("Harbor Duo", 1)
        assert f"${number}." in found.passages[0].text
        spent.append(changed * 1000 + found.search_ms)
    store.close()
    return statistics.median(spent), statistics.median(alone)


def throughput(folder: Path, embedder: object) -> tuple[float, float]:
    """(chunks a second of a whole build, of the embedder alone on the same texts)."""
    source = ROOT / "models" / "brightwater" / "today"
    store = Store(folder / "throughput.sqlite3", MIGRATIONS)
    base = KnowledgeBase(store, embedder, catalog.vocab())
    base.warm()
    began = time.perf_counter()
    base.sync_folder(source)
    build = base.counts()[0] / (time.perf_counter() - began)
    texts = [chunk.text for document in base.documents() for chunk in base.chunks(document.path)]
    began = time.perf_counter()
    for text in texts:
        embedder.embed(text)
    store.close()
    return build, len(texts) / (time.perf_counter() - began)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--sizes", default="1000,10000,100000")
    options.add_argument("--record", action="store_true", help="write the results beside this file")
    given = options.parse_args()
    print(f"load average at the start: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    recorded: dict[str, object] = {"load average": round(os.getloadavg()[0], 1)}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        print(f"{'chunks':>8} {'dense':>8} {'target':>8} {'words':>8} {'hybrid':>8} {'SimpleVS':>9} {'ratio':>6}")
        for size in (int(part) for part in given.sizes.split(",")):
            texts, vectors, questions = corpus(size)
            file = folder / f"{size}.sqlite3"
            store = Store(file, MIGRATIONS)
            fill(store, texts, vectors)
            found = query_times(store, vectors, questions, texts)
            store.close()
            simple = found.get("SimpleVectorStore dense")
            print(
                f"{size:>8} {found['dense']:>8.2f} {TARGETS.get(size, 0):>8.0f} "
                + f"{found['words']:>8.2f} {found['hybrid']:>8.2f} "
                + (f"{simple:>9.1f} {found['dense'] / simple:>6.3f}" if simple else f"{'-':>9} {'-':>6}")
            )
            recorded[f"query p50 ms, {size} chunks"] = found
            if size == max(int(part) for part in given.sizes.split(",")):
                del texts, vectors
                gc.collect()
                seconds, megabytes = opening(file)
                size_mb = file.stat().st_size / 1e6
                print(f"opening {size} chunks: {seconds:.2f} s, {megabytes:.0f} MB added; file {size_mb:.0f} MB")
                recorded["opening"] = {"chunks": size, "s": seconds, "MB": megabytes, "file MB": size_mb}
        catalog.ensure("embedder")
        embedder = EngineEmbedder(runtime.get().engine, catalog.spec("embedder"))
        embedder.embed("warm")
        whole, alone = edit_ms(folder, embedder)
        rest, _ = edit_ms(folder, Instant())
        print(f"one edit among 1,000: {whole:.1f} ms to searchable; embedder {alone:.1f} ms; all but it {rest:.1f} ms")
        build, bare = throughput(folder, embedder)
        print(f"index build {build:.1f} chunks/s, embedder alone {bare:.1f} chunks/s, ratio {build / bare:.2f}")
        recorded["edit ms"] = {"to searchable": whole, "embedder alone": alone, "without embedding": rest}
        recorded["throughput chunks/s"] = {"build": build, "embedder alone": bare, "ratio": build / bare}
    runtime.close()
    if given.record:
        (Path(__file__).with_name("retrieval.json")).write_text(json.dumps(recorded, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
