"""Retrieval quality on real documents with the real embedder: hit@1, hit@3, MRR with standard errors, per class.

    python tests/bench/quality.py [--small] [--hops] [--record]

Documents: Brightwater as of today, an office handbook, a spare-parts catalogue with near-duplicates. Ways: BM25, dense,
fused, fused and reranked; with both splitters; then fused over weights. A hit is a passage of a right document. The
settings were chosen on these questions (the weight on others), so expect a little less on yours. `--hops`: only "two
hops", where a hit is all that an answer needs: every piece of `evidence` of a question by hand, or both documents.
"""

import argparse
import json
import math
import random
import sys
import tempfile
import time
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402

from core import runtime  # noqa: E402
from core.retrieval import KnowledgeBase, Passage, Settings  # noqa: E402
from core.retrieval.embedders import EngineEmbedder  # noqa: E402
from core.retrieval.schema import MIGRATIONS  # noqa: E402
from core.retrieval.values import Embedder, Vector  # noqa: E402
from core.store import Store  # noqa: E402
from core.weights import catalog  # noqa: E402

HERE = Path(__file__).resolve().parent
BRIGHTWATER = ROOT / "models" / "brightwater"
PER_CLASS = 60  # Brightwater questions drawn of each kind
DEPTH = 10  # passages looked at for the MRR
HOP_CLASSES, HOP_MOST, HOP_TEMPLATED = ("two-document", "static", "changed"), 73, "test-two-document.jsonl"


@dataclass(frozen=True)
class Question:
    kind: str
    text: str
    documents: frozenset[str]


class Remembering:
    """The real embedder, each text embedded once for all ways."""

    def __init__(self, inner: Embedder) -> None:
        self.inner, self.dimensions, self.identity = inner, inner.dimensions, inner.identity
        self.known: dict[str, Vector] = {}

    def embed(self, text: str) -> Vector:
        if text not in self.known:
            self.known[text] = self.inner.embed(text)
        return self.known[text]

    def embed_passages(self, texts: list[str]) -> list[Vector]:
        return [self.embed(text) for text in texts]


def parts(table: dict) -> Iterator[tuple[str, str, dict[str, str]]]:
    """(path, text, row) of the catalogue's sheets."""
    for values in table["rows"]:
        row = dict(zip(table["columns"], values, strict=True))
        text = (
            f"# {row['name'].capitalize()} {row['code']}\n\n"
            f"Part {row['code']} is a {row['name']} for the {row['fits']}. Size: {row['size']}. "
            f"It is made of {row['material']}.\n\n## Fitting\n\n"
            f"Tighten the {row['name']} {row['code']} to {row['torque']}. Replace it {row['interval']}."
        )
        yield f"parts/{row['code'].replace('/', '-').lower()}.md", text, row


def corpus() -> tuple[dict[str, str], list[Question]]:
    """All documents by path, and all questions."""
    documents = {
        f"brightwater/{file.relative_to(BRIGHTWATER / 'today').as_posix()}": file.read_text(encoding="utf-8")
        for file in sorted((BRIGHTWATER / "today").rglob("*.md"))
    }
    questions: list[Question] = []
    draw = random.Random(1)
    for kind in ("static", "changed", "two-document"):
        lines = (BRIGHTWATER / "questions" / f"test-{kind}.jsonl").read_text(encoding="utf-8").splitlines()
        rows = [json.loads(line) for line in lines]
        for row in draw.sample(rows, min(PER_CLASS, len(rows))):
            right = frozenset(f"brightwater/{path}" for path in row["documents"])
            questions.append(Question(f"Brightwater {kind}", row["question"], right))
    own = tomllib.loads((HERE / "quality_documents.toml").read_text(encoding="utf-8"))
    for page in own["handbook"]:
        documents[page["path"]] = page["text"]
        questions.append(Question("natural", page["natural"], frozenset({page["path"]})))
        questions.append(Question("paraphrase", page["paraphrase"], frozenset({page["path"]})))
    for number, (path, text, row) in enumerate(parts(own["parts"])):
        documents[path] = text
        asked = ("How tight must {code} be?", "What is part {code} made of?", "{code}")[number % 3]
        questions.append(Question("exact code", asked.format(**row), frozenset({path})))
        described = "Which {name} for the {fits} is {size} and made of {material}?".format(**row)
        questions.append(Question("near-duplicate", described, frozenset({path})))
    return documents, questions


def rank(question: Question, passages: tuple[Passage, ...]) -> int | None:
    """Place of the first right document, from 1, counting documents once."""
    for place, document in enumerate(dict.fromkeys(passage.document for passage in passages), 1):
        if document in question.documents:
            return place
    return None


def with_error(values: list[float]) -> tuple[float, float]:
    """Mean and its standard error."""
    mean = sum(values) / len(values)
    return mean, math.sqrt(sum((value - mean) ** 2 for value in values) / max(1, len(values) - 1) / len(values))


def by_hand() -> dict[str, list[dict]]:
    """ "dev two-document" and so on -> questions: by hand (dev: of training), and the templated test."""
    folder, made = BRIGHTWATER / "questions", {}
    for part, pattern in (("dev", "hand-train-*.jsonl"), ("test", "hand-test.jsonl"), ("tmpl", HOP_TEMPLATED)):
        lines = [line for file in sorted(folder.glob(pattern)) for line in file.read_text("utf-8").splitlines()]
        rows = [json.loads(line) for line in lines]
        random.Random(0).shuffle(rows)
        for kind in HOP_CLASSES:
            if chosen := [row for row in rows if row["class"] == kind][:HOP_MOST]:
                made[f"{part} {kind}"] = chosen
    return made


def whole(row: dict, passages: tuple[Passage, ...]) -> bool:
    """Whether the passages hold all that the answer needs."""
    if not (evidence := row.get("evidence")):
        return set(row["documents"]) <= {passage.document for passage in passages}
    text = bare(" ".join(passage.text for passage in passages))
    return all(bare(one) in text for one in ([evidence] if isinstance(evidence, str) else evidence))


def bare(text: str) -> str:
    return " ".join(text.lower().split()).rstrip(".")


def two_hops(embedder: Embedder, folder: Path) -> dict[str, dict]:
    """Prints and gives, per set of questions, the share answered whole by top-3, top-5, and top-3 with a second hop."""
    root = BRIGHTWATER / "today"
    documents = {file.relative_to(root).as_posix(): file.read_text("utf-8") for file in sorted(root.rglob("*.md"))}
    (folder / "hops").mkdir()
    knowledge = base(documents, Settings(), embedder, folder / "hops")
    ways = {"top-3": (3, 1), "top-5": (5, 1), "top-3 + second hop": (3, 2)}
    recorded: dict[str, dict] = {}
    print(f"\n{'Two hops':<30}" + "".join(f"{name:>20}" for name in ways))
    for name, rows in by_hand().items():
        found = {
            way: with_error(
                [float(whole(row, knowledge.query(row["question"], k, hops=hops).passages)) for row in rows]
            )
            for way, (k, hops) in ways.items()
        }
        recorded[name] = {"questions": len(rows)} | found
        cells = "".join(f"{f'{mean:.2f} ±{error:.2f}':>20}" for mean, error in found.values())
        print(f"{f'{name} ({len(rows)})':<30}{cells}", flush=True)
    return recorded


Way = Callable[[Question], tuple[Passage, ...]]


def measure(questions: list[Question], way: Way) -> dict[str, dict[str, tuple[float, float]]]:
    """class (and "all") -> hit@1, hit@3, MRR, each with its standard error."""
    ranks: dict[str, list[int | None]] = {}
    for question in questions:
        found = rank(question, way(question))
        for kind in (question.kind, "all"):
            ranks.setdefault(kind, []).append(found)
    return {
        kind: {
            "hit@1": with_error([float(place == 1) for place in places]),
            "hit@3": with_error([float(place is not None and place <= 3) for place in places]),
            "MRR": with_error([1 / place if place else 0.0 for place in places]),
        }
        for kind, places in ranks.items()
    }


def sentences_reranked(question: Question, passages: tuple[Passage, ...], embedder: Embedder) -> tuple[Passage, ...]:
    """Rerank by the passage's best single sentence: half fused score, half highest cosine of one sentence."""
    asked = embedder.embed(question.text)

    def score(passage: Passage) -> float:
        pieces = [piece for piece in passage.text.replace("\n", ". ").split(". ") if len(piece) > 12] or [passage.text]
        best = max(float(np.dot(embedder.embed(f"{passage.title}. {piece}"), asked)) for piece in pieces)
        return passage.score / 2 + best / 2

    return tuple(sorted(passages, key=score, reverse=True))


def base(documents: dict[str, str], settings: Settings, embedder: Embedder, folder: Path) -> KnowledgeBase:
    made = KnowledgeBase(
        Store(folder / f"{settings.splitter}-{settings.chunk_size}.db", MIGRATIONS), embedder, catalog.vocab()
    )
    made.configure(settings)
    for path, text in documents.items():
        made.add(path, text)
    return made


def table(title: str, results: dict[str, dict[str, dict[str, tuple[float, float]]]], kinds: dict[str, int]) -> None:
    print(f"\n{title}")
    print(f"{'class (questions)':<30}" + "".join(f"{name:>34}" for name in results))
    print(" " * 30 + f"{'hit@1        hit@3        MRR':>34}" * len(results))
    for kind, count in kinds.items():
        cells = [
            "  ".join(f"{mean:.2f} ±{error:.2f}" for mean, error in results[name][kind].values()) for name in results
        ]
        print(f"{f'{kind} ({count})':<30}" + "".join(f"{cell:>34}" for cell in cells))


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--small", action="store_true", help="default splitter only")
    options.add_argument("--record", action="store_true", help="write the results beside this file")
    options.add_argument("--hops", action="store_true", help="the part 'two hops' only")
    given = options.parse_args()
    documents, questions = corpus()
    kinds: dict[str, int] = {}
    for question in questions:
        kinds[question.kind] = kinds.get(question.kind, 0) + 1
    kinds["all"] = len(questions)
    print(f"{len(documents)} documents, {len(questions)} questions")
    catalog.ensure("embedder")
    embedder = Remembering(EngineEmbedder(runtime.get().engine, catalog.spec("embedder")))
    kept, splitters = HERE / "quality.json", () if given.hops else ("headings", "sentences")[: 1 if given.small else 2]
    before = json.loads(kept.read_text("utf-8")) if given.hops and kept.exists() else {}
    recorded: dict[str, object] = before | {"documents": len(documents), "questions": kinds}
    with tempfile.TemporaryDirectory() as folder:
        recorded["two hops"] = two_hops(embedder, Path(folder))
        for splitter in splitters:
            began = time.perf_counter()
            knowledge = base(documents, Settings(splitter=splitter), embedder, Path(folder))
            print(f"\n{splitter}: {knowledge.counts()[0]} passages, indexed in {time.perf_counter() - began:.1f} s")

            def ask(mode: str, weight: float | None = None, knowledge: KnowledgeBase = knowledge) -> Way:
                return lambda question: knowledge.query(question.text, DEPTH * 2, mode, weight=weight).passages

            fused = ask("hybrid")
            results = {
                "BM25": measure(questions, ask("sparse")),
                "dense": measure(questions, ask("dense")),
                "fused": measure(questions, fused),
                "reranked": measure(questions, lambda q, f=fused: sentences_reranked(q, f(q)[:DEPTH], embedder)),
            }
            table(f"Splitter: {splitter}", results, kinds)
            recorded[splitter] = results
            sweep = {f"{weight:.1f}": measure(questions, ask("hybrid", weight)) for weight in np.arange(0, 1.01, 0.1)}
            print("\nFused, by weight of the vectors (hit@1 / hit@3 / MRR over all questions)")
            for weight, found in sweep.items():
                print(f"  {weight}: " + " / ".join(f"{mean:.3f} ±{error:.3f}" for mean, error in found["all"].values()))
            recorded[f"{splitter} by weight"] = {weight: found["all"] for weight, found in sweep.items()}
    runtime.close()
    if given.record:
        kept.write_text(json.dumps(recorded, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
