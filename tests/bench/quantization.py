"""Speed and answers of the bundled pair by quantization: `python tests/bench/quantization.py [--questions 60]`.

Makes each quantization from the shipped Q4_1 file and the committed adapter, in a temporary folder. Speed: medians of
repeated prompts of about 200 tokens and of their greedy answers, in shuffled order, nothing else running. Answers:
changed and static test questions with their right passages (today) and closed book (static). Prints one table; with
--write also into models/cards/quantization.json, which the note on the default rests on.
"""

import argparse
import json
import random
import statistics
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from core import paths
from core.engine import Engine, ModelSpec, Request, Sampling
from core.evaluation import scoring
from core.weights import catalog, manifest, merge
from models.brightwater import data, documents
from models.training.chat import messages
from models.training.export import write_json

KINDS = ("Q4_1", "Q8_0", "Q4_0")
ADAPTER = paths.ROOT / "models" / "adapter" / "brightwater.gguf"


def questions(count: int) -> list[tuple[str, str, str]]:
    """(question, passage, value today) of `count` test questions on facts, drawn once for all quantizations."""
    by_id = {fact.id: fact for fact in data.facts()}
    asked = [q for cls in ("static", "changed") for q in data.questions("test", cls)]
    chosen = random.Random(1).sample(asked, count)
    return [(q.question, documents.section_of(by_id[q.fact], "today").text, by_id[q.fact].today) for q in chosen]


def answer(engine: Engine, spec: ModelSpec, question: str, passage: str | None) -> object:
    chat = messages(question, [passage] if passage else None)
    return engine.submit(Request(spec, (chat,), Sampling(max_tokens=64))).wait()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--questions", type=int, default=60)
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--write", action="store_true")
    args = parser.parse_args()
    catalog.ensure("base")
    source = catalog.spec("base").path.parent / manifest.load().models["base"].source.files[0].name
    asked = questions(args.questions)
    prose = [s.text for s in data.sections("today") if s.text]
    engine, rows = Engine(), []
    with tempfile.TemporaryDirectory() as folder:
        specs = {}
        for kind in KINDS:
            out = Path(folder) / f"{kind}.gguf"
            merge.merge(source, ADAPTER, out, kind)
            specs[kind] = ModelSpec(kind, out)
            answer(engine, specs[kind], "Hello!", None)  # load and warm up
        speeds = {kind: {"prefill": [], "decode": []} for kind in KINDS}
        rng = random.Random(2)
        for _ in range(args.repeats):
            passages = rng.sample(prose, 3)
            for kind in rng.sample(KINDS, len(KINDS)):
                chat = messages("Tell me all that matters.", passages)
                result = engine.submit(Request(specs[kind], (chat,), Sampling(max_tokens=64))).wait()
                for name in ("prefill", "decode"):
                    if result.rates[f"{name}_per_s"]:
                        speeds[kind][name].append(result.rates[f"{name}_per_s"])
        for kind in KINDS:
            read = [scoring.right(answer(engine, specs[kind], q, p).text, [v], q) for q, p, v in asked]
            megabytes = round(specs[kind].path.stat().st_size / 1e6)
            row = {"quantization": kind, "megabytes": megabytes, "questions": len(asked), "right": sum(read)}
            row |= {f"{name}_per_s": round(statistics.median(of)) for name, of in speeds[kind].items() if of}
            rows.append(row)
            print(json.dumps(row), flush=True)
    engine.close()
    default = next(row for row in rows if row["quantization"] == "Q8_0")
    for row in rows:
        ratio = {name: round(row[name] / default[name], 2) for name in ("prefill_per_s", "decode_per_s")}
        print(f"{row['quantization']} over Q8_0: {ratio}, right {row['right'] - default['right']:+d}")
    if args.write:
        write_json(rows, paths.ROOT / "models" / "cards" / "quantization.json")


if __name__ == "__main__":
    main()
