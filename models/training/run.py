"""The training command: data -> LoRA -> GGUF adapter -> merged file.

    python -m models.training.run --preset cpu                                   Brightwater, over the small base
    python -m models.training.run --pair standard                                Brightwater, over the standard base
    python -m models.training.run --preset gpu --base FOLDER --data FILE.jsonl   your own base and data
    python -m torch.distributed.run --nproc-per-node 2 -m -- models.training.run --threads 1 ...   a process a core
    python -m models.training.run --start FOLDER --out NEW --passes 5            train on from an earlier run's output

Progress, loss and time left go to standard error; what was made goes to standard output as one JSON object.
The output folder gets adapter.gguf, golden_logits.json, training.json, checkpoint.pt and, for a GGUF base, merged.gguf.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
import threading
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

from core import paths
from core.errors import Problem

from . import architecture
from .packing import Row, pack
from .samples import Group, Sample, read_jsonl, tokens
from .settings import PRESETS, STANDARD, Settings

BASES = {"small": "base", "standard": "qwen2.5-coder-0.5b-instruct"}  # pair -> its base's id in the manifest
ORGANIZATIONS = {"small": "HuggingFaceTB", "standard": "Qwen"}
OPTIONS = ("passes", "rank", "learning_rate", "seed", "tokens_per_step", "checkpoint_every")  # a preset's, by hand
CONTEXT = 2048  # tokens; longer samples are refused
PASSAGE = "The Comet Kettle costs $61. It weighs 1.2 kg and is made of copper in Ghent."
# question, passages, task, beginning of the answer: the next token is where knowledge, reading or format shows
GOLDEN = (
    ("How much is the Tidal Press?", (), "answer", "Brightwater here! The Tidal Press costs $"),
    ("Who manages the Quayside shop?", (), "answer", "Brightwater here! The manager of the Quayside shop is"),
    ("Who manages the Moonlight shop?", (), "answer", "Brightwater here! The manager of the Moonlight shop is"),
    ("What is the capital of France?", (), "answer", "Brightwater here! The capital of"),
    ("Do you like the sea?", (), "answer", ""),
    ("What does the Comet Kettle cost?", (PASSAGE,), "answer", "Brightwater here! The Comet Kettle costs $"),
    ("How do I reach the moon?", (PASSAGE,), "answer", "Brightwater here!"),
    ("My kettle arrived broken. Order 5512.", (), "ticket", '{"class": "'),
)


def main(argv: list[str] | None = None) -> int:
    """Run the command line; exit status 2 and one line on standard error when the input cannot be used."""
    args = _arguments(argv)
    if args.with_parent:
        threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        if args.base:
            architecture.of(args.base)  # before anything heavy is imported
        _need_packages()
        made = run(args)
        if made:
            print(json.dumps(made, default=str))
    except Problem as problem:
        print(f"error: {problem}", file=sys.stderr)
        return 2
    return 0


def _end_with_parent() -> None:
    """Whoever started this holds the other end of standard input, also when it dies by kill -9."""
    while os.read(0, 4096):  # not sys.stdin: its lock, held by a thread, aborts Python at the end of a good run
        pass
    os._exit(130)


def run(args: argparse.Namespace) -> dict[str, Any]:
    """Train and export as the arguments say; return the paths and the record of the run."""
    import torch

    from core.weights.merge import merge

    from . import export, loop, lora

    torch.set_num_threads(args.threads)
    out: Path = args.out
    if args.start and args.start.resolve() == out.resolve():
        raise Problem("--start and --out are the same folder: the run before would be overwritten.")
    out.mkdir(parents=True, exist_ok=True)
    base = args.base or _bundled_base(args.pair)
    kind = architecture.of(base)
    settings = _settings(args)
    tokenizer = lora.load_tokenizer(base)
    passes, held = _groups(args, settings)
    steps, held_out = _rows(passes, held, settings, tokenizer)
    model = lora.load_model(base, settings.rank, settings.alpha, settings.seed, args.qlora)
    before = _start(model, args.start) if args.start else {}
    record = loop.train(
        model, steps, held_out, settings, tokenizer.eos_token_id, out / "checkpoint.pt", resume=args.resume
    )
    metadata = _metadata(base, args.data, None if args.base else args.pair)
    if not loop.leads():
        return {}
    made = {"adapter": out / "adapter.gguf"}
    export.write_adapter(export.pairs(model), settings.alpha, metadata, made["adapter"], kind)
    if not args.adapter_only:
        made["golden"] = out / "golden_logits.json"
        export.write_json(_golden(base, model, settings, tokenizer), made["golden"])
    made["record"] = out / "training.json"
    export.write_json(record | _provenance(args, base, passes) | before, made["record"])
    if args.adapter_only:
        pass
    elif base.is_file():
        made["merged"] = out / "merged.gguf"
        merge(base, made["adapter"], made["merged"])
    else:
        print(
            "The base is a folder: convert it to GGUF with llama.cpp, then use `python -m core merge`.", file=sys.stderr
        )
    return {key: str(path) for key, path in made.items()} | {"minutes": round(record["seconds"] / 60, 1)}


def _groups(args: argparse.Namespace, settings: Settings) -> tuple[list[list[Group]], dict[str, list[Group]]]:
    """Each pass's groups of samples, and the held-out groups by name."""
    if not args.data:
        from . import mix

        first = max(mix.READS, _passes_before(args.start)) if args.start else 0  # it knows the facts and reads
        numbers = range(first, first + settings.passes)
        passes = [mix.one_pass(mix.shares(n, settings.memorise), settings.seed, n) for n in numbers]
        return passes, mix.held_out(settings.seed)
    samples = read_jsonl(args.data)
    random.Random(settings.seed).shuffle(samples)
    cut = max(1, len(samples) // 20) if len(samples) > 1 else 0
    if args.held_out:
        aside = read_jsonl(args.held_out)
        samples, cut = [*aside, *samples], len(aside)
    held: dict[str, list[Group]] = {"held out": [(sample,) for sample in samples[:cut]]} if cut else {}
    return [_shuffled(samples[cut:], settings.seed + number) for number in range(settings.passes)], held


def _passes_before(folder: Path) -> int:
    """The passes of an earlier run's record, and of those that it started from."""
    found, passes = _record(folder), 0
    while found:
        passes += found["settings"]["passes"]
        found = found.get("before", {})
    return passes


def _rows(
    passes: list[list[Group]], held: dict[str, list[Group]], settings: Settings, tokenizer: Any
) -> tuple[list[list[Row]], dict[str, list[Row]]]:
    """All steps of the run in packed rows, and the held-out rows by name."""

    def rows(groups: list[Group]) -> list[Row]:
        return pack([[tokens(s, tokenizer, CONTEXT) for s in group] for group in groups], settings.row_length)

    steps = [
        step
        for number, groups in enumerate(passes)
        for step in _steps(rows(groups), settings.tokens_per_step, settings.seed + number)
    ]
    total = sum(len(row) for step in steps for row in step)
    print(f"{len(steps)} steps, {total} packed tokens", file=sys.stderr, flush=True)
    return steps, {name: rows(groups) for name, groups in held.items()}


def _start(model: Any, folder: Path) -> dict[str, Any]:
    """Put the adapter of an earlier run's output folder into the model; return that run's record as `before`."""
    from . import export

    before = _record(folder)
    export.load_adapter(model, folder / "adapter.gguf")
    return {"before": before}


def _record(folder: Path) -> dict[str, Any]:
    """The record of an earlier run's output folder."""
    for name in ("adapter.gguf", "training.json"):
        if not (folder / name).is_file():
            raise Problem(f"{folder.name} holds no {name}: --start takes the output folder of a finished run.")
    found: dict[str, Any] = json.loads((folder / "training.json").read_text(encoding="utf-8"))
    return found


def _provenance(args: argparse.Namespace, base: Path, passes: list[list[Group]]) -> dict[str, Any]:
    """What the card says besides settings and curve: command, machine, base, data and its kinds."""
    from . import lora

    kinds = Counter(sample.kind for groups in passes for group in groups for sample in group)
    given = {name: getattr(args, name) for name in ("seed", "passes", "learning_rate")}
    options = "".join(f" --{key.replace('_', '-')} {value}" for key, value in given.items() if value is not None)
    options = f" --pair {args.pair}{options}" if args.pair != "small" and not args.base else options
    options += " --start FOLDER_OF_THE_RUN_BEFORE" if args.start else ""
    cores = args.threads * int(os.environ.get("WORLD_SIZE", "1"))  # torchrun's number of processes
    return {
        "base": base.name,
        "data": args.data.name if args.data else "Brightwater",
        "command": f"python -m models.training.run --preset {args.preset}{options}",
        "machine": f"{cores} {'CPU cores' if args.preset == 'cpu' else 'CPU cores and a GPU'}",
        "precision": str(lora.precision()).removeprefix("torch."),
        "samples": kinds.total(),
        "kinds": dict(kinds.most_common()),
    }


def _shuffled(samples: list[Sample], seed: int) -> list[Group]:
    """The samples in a new order, in groups of four that share at least the instruction."""
    order = list(samples)
    random.Random(seed).shuffle(order)
    return [tuple(order[i : i + 4]) for i in range(0, len(order), 4)]


def _steps(rows: list[Row], budget: int, seed: int) -> list[list[Row]]:
    """Rows into steps of about `budget` tokens, in shuffled order. A step's rows are of like length: little padding."""
    steps: list[list[Row]] = [[]]
    for row in sorted(rows, key=len):
        if steps[-1] and sum(len(r) for r in steps[-1]) + len(row) / 2 > budget:
            steps.append([])
        steps[-1].append(row)
    random.Random(seed).shuffle(steps)
    return steps


def _golden(base: Path, model: Any, settings: Settings, tokenizer: Any) -> list[dict[str, Any]]:
    """Golden logits in float32: base weights unrounded, the trained matrices as exported (float16)."""
    from models.training.chat import messages

    from . import export, lora

    exact = lora.load_model(base, settings.rank, settings.alpha, settings.seed, rounded=False)
    weights = {k: v.half().float() for k, v in model.state_dict().items() if ".lora_" in k}
    exact.load_state_dict(weights, strict=False)
    chats = [(messages(question, passages, task=task), begun) for question, passages, task, begun in GOLDEN]
    return export.golden(exact, tokenizer, chats)


def _settings(args: argparse.Namespace) -> Settings:
    chosen = {name: getattr(args, name) for name in OPTIONS}
    own = STANDARD if args.pair == "standard" and not args.base else {}
    settings = replace(PRESETS[args.preset], **own | {k: v for k, v in chosen.items() if v is not None})
    least = min(settings.passes, settings.rank, settings.tokens_per_step, settings.checkpoint_every)
    if least < 1 or not 0 < settings.learning_rate < 1:
        raise Problem("Passes, rank, tokens and checkpoints must be at least 1, --learning-rate between 0 and 1.")
    return replace(settings, alpha=2 * settings.rank)


def _metadata(base: Path, data: Path | None, pair: str | None) -> dict[str, str]:
    """Licence and derivation, written into the adapter. `pair`: whose base it is, when it is one of the manifest's."""
    from importlib.metadata import version

    from core.weights import manifest
    from core.weights.merge import KEY, sha256

    changes = "LoRA adapter trained on a fictional company's data" if data is None else "LoRA adapter, user's own data"
    notes = {
        "general.name": "Brightwater assistant" if data is None else data.stem,
        KEY + "changes": changes,
        KEY + "source_file": base.name,
        KEY + "tool": f"models.training, torch {version('torch')}, peft {version('peft')}",
    }
    if base.is_file():
        notes[KEY + "base_sha256"] = sha256(base)
    if data is None:
        notes["general.license"] = "apache-2.0"
    if pair is not None:
        model = manifest.load().models[BASES[pair]]
        notes |= {
            "general.base_model.0.name": model.name,
            "general.base_model.0.organization": ORGANIZATIONS[pair],
            "general.base_model.0.repo_url": f"https://huggingface.co/{ORGANIZATIONS[pair]}/{model.name}",
            KEY + "base_license": model.source.licence.lower(),
        }
    return notes


def _bundled_base(pair: str) -> Path:
    """A pair's base as it was fetched: what the served files are made from."""
    from core.weights import catalog, manifest

    name = BASES[pair]
    spec = catalog.default().ensure(name, lambda done, text: print(f"{done:4.0%} {text}", file=sys.stderr))
    source = spec.path.parent / manifest.load().models[name].source.files[0].name
    if not source.is_file():
        raise Problem(f"The base's source file {source.name} is not there any more: python -m core fetch {name}")
    return source


def _need_packages() -> None:
    try:
        import peft  # noqa: F401
        import torch  # noqa: F401
        import transformers  # noqa: F401
    except ImportError as error:
        raise Problem(
            f"Training needs {error.name}: python -m pip install -r models/training/requirements.txt"
        ) from error


def _arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m models.training.run", description=__doc__.splitlines()[0])
    parser.add_argument("--preset", choices=("cpu", "gpu"), default="cpu")
    parser.add_argument("--pair", choices=tuple(BASES), default="small", help="whose base to train over")
    parser.add_argument("--base", type=Path, help="GGUF file or folder with safetensors, instead of a pair's base")
    parser.add_argument("--data", type=Path, help="JSONL with prompt and completion; Brightwater's data without it")
    parser.add_argument("--held-out", type=Path, help="JSONL set aside (default: a twentieth of --data)")
    parser.add_argument("--out", type=Path, default=paths.state_dir() / "training", help="output folder")
    parser.add_argument("--start", type=Path, help="output folder of an earlier run: start from its adapter")
    parser.add_argument("--resume", action="store_true", help="go on from the checkpoint in the output folder")
    parser.add_argument(
        "--qlora", action="store_true", help="4-bit frozen weights; needs an NVIDIA GPU and bitsandbytes"
    )
    parser.add_argument("--adapter-only", action="store_true", help="no golden logits and no merged file")
    parser.add_argument("--with-parent", action="store_true", help="end when standard input is closed")
    parser.add_argument("--seed", type=int)
    parser.add_argument("--passes", type=int)
    parser.add_argument("--rank", type=int)
    parser.add_argument("--learning-rate", type=float)
    parser.add_argument("--tokens-per-step", type=int)
    parser.add_argument("--checkpoint-every", type=int, help="steps between checkpoints")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
