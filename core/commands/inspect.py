"""`python -m core inspect FILE`: what a GGUF file holds, and whether it may be loaded."""

import tempfile
from pathlib import Path
from typing import Any

from core import commands
from core.engine import Engine, ModelSpec
from core.engine.inspection import inspect
from core.errors import Problem
from core.weights import catalog


def main(argv: list[str]) -> int:
    """Print the description; a file that must not be loaded is one line and exit status 2."""
    parser = commands.parser("inspect", "what a GGUF file holds, and whether it may be loaded")
    parser.add_argument("file", type=Path, help="a model or a LoRA adapter, in GGUF")
    parser.add_argument("--context", type=int, default=2048, help="tokens the memory is estimated for (2048)")
    parser.add_argument(
        "--with",
        dest="others",
        type=Path,
        action="append",
        metavar="FILE",
        help="an adapter to try on the model, or a model to try the adapter on; may be repeated",
    )
    parser.add_argument("--sha256", help="what the file must hash to")
    parser.add_argument("--load", action="store_true", help="also load it, in a worker, and have it say a few tokens")
    arguments = parser.parse_args(argv)
    if not 1 <= arguments.context <= 2**27:
        raise Problem(f"--context must lie between 1 and {2**27}, not {arguments.context}.")
    others = arguments.others or catalog.bundled_adapters()
    found = inspect(arguments.file, arguments.context, others, arguments.sha256)
    if arguments.load and found["kind"] != "adapter":
        found["loaded"] = _load(arguments.file, found["context"])
    if arguments.json:
        commands.emit(found)
    else:
        print("\n".join(f"{name:>20}  {_shown(value)}" for name, value in found.items()))
    return 0


def _load(path: Path, context: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as logs:
        engine = Engine(Path(logs))
        try:
            return engine.load(ModelSpec(path.name, path.resolve(), context=context))
        finally:
            engine.close()


def _shown(value: Any) -> str:
    text = f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)
    return text if len(text) < 100 else text[:100] + "…"
