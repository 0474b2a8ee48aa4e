"""`python -m core merge BASE ADAPTER OUT`: one GGUF out of a base and a LoRA adapter. Knows the command line only.

python -m core merge BASE ADAPTER OUT --quantization Q8_0
python -m core merge BASE --requantize OUT --quantization Q8_0
"""

import sys
from dataclasses import asdict
from pathlib import Path

from core.commands import emit, parser
from core.errors import Problem
from core.weights import merge


def main(argv: list[str]) -> int:
    """Print what was written as one JSON object. Raises Problem on bad input."""
    arguments = parser("merge", "Merge a base and a LoRA adapter into one GGUF, or change a file's quantization.")
    arguments.add_argument("base", type=Path, help="base model, GGUF")
    arguments.add_argument("adapter", type=Path, nargs="?", help="LoRA adapter, GGUF; leave out with --requantize")
    arguments.add_argument("out", type=Path, help="file to write")
    arguments.add_argument("--quantization", default="Q8_0", help=", ".join(merge.QUANTIZATIONS))
    arguments.add_argument("--requantize", action="store_true", help="no adapter: only change the quantization")
    given = arguments.parse_args(argv)
    if bool(given.adapter) == given.requantize:
        raise Problem("Give BASE ADAPTER OUT, or --requantize BASE OUT.")
    if given.adapter:
        derived = merge.merge(given.base, given.adapter, given.out, given.quantization, progress=_progress)
    else:
        derived = merge.requantize(given.base, given.out, given.quantization, progress=_progress)
    emit({name: str(value) if isinstance(value, Path) else value for name, value in asdict(derived).items()})
    return 0


def _progress(done: float) -> None:
    print(f"\r{done:4.0%}", end="" if done < 1 else "\n", file=sys.stderr, flush=True)
