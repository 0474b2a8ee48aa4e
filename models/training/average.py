"""The weighted mean of two runs' adapters, the later one started from the earlier one.

    python -m models.training.average EARLIER LATER --weight 0.7 --out FOLDER

EARLIER and LATER are output folders of `models.training.run`; so is FOLDER then. The later run learned something at the
expense of what the earlier one did well; between the two lies a mean that has most of both. Knows no data: which weight
is best, the evaluation on dev questions tells.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
from gguf import GGUFReader, GGUFValueType

from core.errors import Problem

from . import architecture, export


def mean(earlier: Path, later: Path, weight: float) -> tuple[dict[str, np.ndarray], float, dict[str, str]]:
    """(float16 matrices, alpha, metadata) of `(1 - weight) * earlier + weight * later`. Raises `Problem`."""
    if not 0 <= weight <= 1:
        raise Problem("--weight must be between 0 and 1.")
    (first, alpha, _), (second, other, metadata) = _read(earlier), _read(later)
    shapes = [{name: matrix.shape for name, matrix in held.items()} for held in (first, second)]
    if shapes[0] != shapes[1] or alpha != other:
        raise Problem("The two adapters differ in rank, alpha or layers: only runs of one base and rank have a mean.")
    made = {name: ((1 - weight) * first[name] + weight * second[name]).astype(np.float16) for name in first}
    return made, alpha, metadata


def _read(path: Path) -> tuple[dict[str, np.ndarray], float, dict[str, str]]:
    try:
        reader = GGUFReader(path)
        alpha = float(reader.fields["adapter.lora.alpha"].contents())
        texts = {
            name: field.contents()
            for name, field in reader.fields.items()
            if field.types == [GGUFValueType.STRING] and name.partition(".")[0] in ("general", "derivation")
        }
        matrices = {tensor.name: np.array(tensor.data, dtype=np.float32) for tensor in reader.tensors}
    except (OSError, ValueError, KeyError, IndexError) as error:
        raise Problem(f"{path.parent.name} holds no adapter that can be read: {error}") from error
    kept = {name: text for name, text in texts.items() if name not in ("general.architecture", "general.type")}
    return matrices, alpha, kept


def main(argv: list[str] | None = None) -> int:
    """The command line; exit status 2 and one line on standard error when the input cannot be used."""
    parser = argparse.ArgumentParser(prog="python -m models.training.average", description=__doc__.splitlines()[0])
    parser.add_argument("earlier", type=Path)
    parser.add_argument("later", type=Path)
    parser.add_argument("--weight", type=float, required=True, help="of the later run, 0 to 1")
    parser.add_argument("--pair", default="small", help="small or standard: whose base the two runs were over")
    parser.add_argument("--base", type=Path, help="GGUF file or folder, instead of a pair's base")
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args(argv)
    try:
        print(json.dumps(_write(args)))
    except Problem as problem:
        print(f"error: {problem}", file=sys.stderr)
        return 2
    return 0


def _write(args: argparse.Namespace) -> dict[str, str]:
    made = {name: args.out / name for name in ("adapter.gguf", "golden_logits.json", "training.json")}
    try:
        record: dict[str, Any] = json.loads((args.later / "training.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise Problem(f"{args.later.name} is not the output folder of a finished run: {error}") from error
    matrices, alpha, metadata = mean(args.earlier / "adapter.gguf", args.later / "adapter.gguf", args.weight)
    from . import lora, run  # after the input was found good: they need PyTorch

    args.out.mkdir(parents=True, exist_ok=True)
    base, settings = args.base or run._bundled_base(args.pair), run.Settings(**record["settings"])
    export.write_adapter(matrices, alpha, metadata, made["adapter.gguf"], architecture.of(base))
    model = lora.load_model(base, settings.rank, settings.alpha, settings.seed)
    export.load_adapter(model, made["adapter.gguf"])
    golden = run._golden(base, model, settings, lora.load_tokenizer(base))
    export.write_json(golden, made["golden_logits.json"])
    export.write_json(record | {"weight": args.weight}, made["training.json"])
    return {name: str(path) for name, path in made.items()}


if __name__ == "__main__":
    sys.exit(main())
