"""Each model of a pair by quantization: accuracy, prefill, decode, memory. Which one should be the default?

    python tests/bench/quantization.py --pair small            full: 200 questions a model and quantization
    python tests/bench/quantization.py --pair standard --questions 12 --repeats 2
    python tests/bench/quantization.py --pair small --write    also into models/cards/quantization-small.json, where
                                                               other roles and kinds stay as they are

Makes the files in a temporary folder: Q8_0, Q4_1, Q4_0 and Q4_0_M by our own NumPy writer, IQ4_NL and merged Q4_K_M by
llama.cpp's quantizer from a 16-bit file; "shipped" is the source file itself (a base's only). Accuracy: questions of
the second test set (by hand, never trained on), today's documents, the right passage and two near ones before the
model, the same prompts for every file, with a standard error clustered by fact and the paired difference from Q8_0;
of a fine-tune also closed book, by the answers of its training day.
Speed: medians of repeated prompts and greedy answers in shuffled order; run it with nothing else running. The default
it names is the fastest whose accuracies are within 2 points of the best: time of a prompt of 400 tokens and an answer
of 40, all models of the pair.
"""

import argparse
import json
import random
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from core import paths
from core.engine import Engine, ModelSpec, Request, Sampling
from core.errors import Problem
from core.evaluation import scoring
from core.evaluation.statistics import accuracy, difference
from core.weights import catalog, manifest, merge
from models.brightwater import data, documents
from models.training.chat import messages
from models.training.export import write_json

ROLES = ("base", "fine-tuned")
KINDS = ("Q8_0", "shipped", "Q4_K_M", "Q4_1", "Q4_0_M", "Q4_0", "IQ4_NL")
BY_LLAMA = ("IQ4_NL", "Q4_K_M")
WITHIN = 0.02
AT_ONCE = 8
PROMPT, ANSWER = 400, 40  # tokens of the answer whose time is compared
Marks = dict[str, list[bool]]  # "reading", "closed book" -> which questions were right
HELPER = Path(__file__).with_name("requantize_llama.py")


@dataclass(frozen=True)
class Asked:
    """A question with the passages given, the answers accepted, those of the training day, and the fact it is about."""

    question: str
    passages: tuple[str, ...]
    accepted: tuple[str, ...]
    learned: tuple[str, ...]
    fact: str


def questions(count: int) -> list[Asked]:
    """`count` questions by hand on static and changed facts, half of each, drawn once for all files."""
    path = data.FOLDER / "questions" / "hand-test.jsonl"
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    rng, made = random.Random(1), []
    for cls in ("static", "changed"):
        those = [row for row in rows if row["class"] == cls]
        made += rng.sample(those, min(len(those), count // 2))
    return [_asked(row, rng) for row in made]


def _asked(row: dict, rng: random.Random) -> Asked:
    sections = [section for section in documents.sections("today") if section.text]
    words = " ".join(row["evidence"].split())
    right = next(s for s in sections if s.document in row["documents"] and words in " ".join(s.text.split()))
    beside = [s for s in sections if s.document in row["documents"] and s != right]
    passages = [right.text, *(s.text for s in rng.sample([*beside, *rng.sample(sections, 2)], 2))]
    rng.shuffle(passages)
    accepted = (row["answer"], *row["variants"])
    learned = (row["values"]["training-day"],) if row["class"] == "changed" else accepted
    return Asked(row["question"], tuple(passages), accepted, learned, row["fact"])


@contextmanager
def files(pair: str, roles: list[str], kinds: list[str]) -> Iterator[dict[tuple[str, str], ModelSpec]]:
    """(role, kind) -> the file, made in a temporary folder."""
    here = catalog.default()
    found = here.pair(pair)
    if found is None:
        raise Problem(f"There is no pair {pair!r}.")
    here.ensure(found.base)
    base = here.manifest.models[found.base]
    source = here.weights / base.source.files[0].name
    adapters: dict[str, Path | None] = {"base": None}
    if found.fine_tuned is not None:
        pattern = here.manifest.models[found.fine_tuned].adapter
        adapters["fine-tuned"] = next((manifest.PATH.parent).glob(pattern or ""))
    wanted = [(role, kind) for role in roles if role in adapters for kind in kinds]
    with tempfile.TemporaryDirectory() as folder:
        made = {}
        for role, kind in wanted:
            if kind == "shipped":
                if role == "base":
                    made[role, kind] = ModelSpec(f"{role} {kind}", source, context=base.context)
                continue
            out = Path(folder) / f"{role}.{kind}.gguf"
            _make(source, adapters[role], out, kind)
            made[role, kind] = ModelSpec(f"{role} {kind}", out, context=base.context)
            print(f"made {role} {kind}", file=sys.stderr, flush=True)
        yield made


def _make(source: Path, adapter: Path | None, out: Path, kind: str) -> None:
    wide = out.with_suffix(".f16") if kind in BY_LLAMA else out
    written = "F16" if kind in BY_LLAMA else kind
    if adapter is None:
        merge.requantize(source, wide, written)
    else:
        merge.merge(source, adapter, wide, written)
    if kind in BY_LLAMA:
        done = subprocess.run(
            [sys.executable, str(HELPER), str(wide), str(out), kind], capture_output=True, text=True, check=False
        )
        wide.unlink()
        if done.returncode:
            raise Problem(f"llama.cpp could not write {kind}: {done.stderr.strip().splitlines()[-1:]}")


def answer(engine: Engine, spec: ModelSpec, question: str, passages: tuple[str, ...], tokens: int = 64):
    return engine.submit(Request(spec, (messages(question, passages),), Sampling(max_tokens=tokens))).wait()


def right(engine: Engine, spec: ModelSpec, asked: Sequence[Asked], reading: bool) -> list[bool]:
    """Which answers are right, `reading` passages or closed book; computed beside each other where that pays and
    changes none (core/engine/worker_trial.py)."""
    made = []
    for some in batched(asked, AT_ONCE):
        chats = [messages(one.question, one.passages if reading else None) for one in some]
        requests = [Request(spec, (chat,), Sampling(max_tokens=64), contended=True, background=True) for chat in chats]
        replies = [generation.wait().text for generation in [engine.submit(request) for request in requests]]
        for reply, one in zip(replies, some, strict=True):
            made.append(scoring.right(reply, one.accepted if reading else one.learned, one.question))
    return made


def batched(asked: Sequence[Asked], size: int) -> Iterator[Sequence[Asked]]:
    """`asked` in order, `size` at a time (itertools has it from Python 3.12 on)."""
    return (asked[at : at + size] for at in range(0, len(asked), size))


def speeds(engine: Engine, specs: dict, repeats: int) -> dict:
    """(role, kind) -> medians of prefill and decode (tokens a second), prompts alike, files in shuffled order."""
    prose = [section.text for section in documents.sections("today") if len(section.text) > 120]
    found = {key: {"prefill": [], "decode": []} for key in specs}
    rng = random.Random(2)
    for _ in range(repeats):
        passages = tuple(rng.sample(prose, 5))
        for key in rng.sample(list(specs), len(specs)):
            rates = answer(engine, specs[key], "Tell me all that matters.", passages).rates
            for name in ("prefill", "decode"):
                if rates[f"{name}_per_s"]:
                    found[key][name].append(rates[f"{name}_per_s"])
    return {
        key: {f"{name}_per_s": round(statistics.median(of), 1) for name, of in rates.items() if of}
        for key, rates in found.items()
    }


def measure(
    engine: Engine, role: str, kind: str, spec: ModelSpec, asked: list[Asked], wide: Marks
) -> tuple[dict, Marks]:
    """One file's row, without speeds, and its marks. `wide`: those of the same model as Q8_0, if it was measured."""
    marks = {"reading": right(engine, spec, asked, True)}
    if role == "fine-tuned":
        marks["closed book"] = right(engine, spec, asked, False)
    memory = next(state["memory"] for state in engine.status() if state["path"] == str(spec.path)) or 0
    row = {"date": datetime.now(UTC).date().isoformat(), "role": role, "quantization": kind}
    row |= {"megabytes": round(spec.path.stat().st_size / 1e6), "memory_megabytes": round(memory / 1e6)}
    row |= {"questions": len(asked)}
    facts = [item.fact for item in asked]
    for name, found in marks.items():
        score = accuracy(found, facts)
        row[name] = {"accuracy": round(score.accuracy, 4), "standard_error": round(score.standard_error, 4)}
        if name in wide:
            pairs = [float(a) - float(b) for a, b in zip(found, wide[name], strict=True)]
            against = difference(pairs, facts)
            row[name]["over_q8_0"] = [round(x, 3) for x in (against.difference, against.low, against.high)]
    return row, marks


def seconds(row: dict) -> float:
    """Of one answer: a prompt of PROMPT tokens read, ANSWER tokens written."""
    return PROMPT / row["prefill_per_s"] + ANSWER / row["decode_per_s"]


def default(rows: list[dict]) -> str:
    """The fastest quantization whose accuracies are within WITHIN of the best for every model of the pair, which are
    served as one kind (core/DECISIONS.md)."""
    measured = [(row, name) for row in rows for name in ("reading", "closed book") if name in row]
    best: dict[tuple[str, str], float] = {}
    for row, name in measured:
        best[row["role"], name] = max(best.get((row["role"], name), 0.0), row[name]["accuracy"])
    short = {row["quantization"] for row, name in measured if row[name]["accuracy"] < best[row["role"], name] - WITHIN}
    times: dict[str, list[float]] = {}
    for row in rows:
        times.setdefault(row["quantization"], []).append(seconds(row))
    roles = len({row["role"] for row in rows})
    fit = {kind: sum(of) for kind, of in times.items() if kind not in short and len(of) == roles}
    return min(fit, key=fit.__getitem__) if fit else "Q8_0"


def keep(rows: list[dict], path: Path) -> None:
    """Put rows into a file; those of other roles and kinds in it stay."""
    before = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
    found = {(row["role"], row["quantization"]): row for row in [*before, *rows]}
    write_json(sorted(found.values(), key=lambda row: (row["role"], KINDS.index(row["quantization"]))), path)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pair", choices=("small", "standard"), default="small")
    parser.add_argument("--questions", type=int, default=200)
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=list(KINDS))
    parser.add_argument("--roles", nargs="+", choices=ROLES, default=list(ROLES))
    parser.add_argument("--write", action="store_true")
    args = parser.parse_args()
    asked = questions(args.questions)
    engine, rows, marks = Engine(), [], {}
    try:
        with files(args.pair, args.roles, args.kinds) as specs:
            timed = speeds(engine, specs, args.repeats)
            for (role, kind), spec in specs.items():
                row, marks[role, kind] = measure(engine, role, kind, spec, asked, marks.get((role, "Q8_0"), {}))
                row |= timed[role, kind]
                rows.append(row)
                print(json.dumps(row), flush=True)
                if args.write:
                    keep(rows, paths.ROOT / "models" / "cards" / f"quantization-{args.pair}.json")
                engine.unload(spec)
    except Problem as problem:
        print(f"error: {problem}", file=sys.stderr)
        return 2
    finally:
        engine.close()
    print(f"default: {default(rows)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
