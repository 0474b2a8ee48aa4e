"""Which pair this machine carries: measured once with a short answer, then decided by memory and speed.

The measurement is kept beside the models, so that the decision does not change with what is loaded at the moment.
Knows the two limits and the engine's interface; which models belong to a pair is the business of `catalog`.
"""

import json
import os
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

from core.engine import Engine, ModelSpec, Request, Sampling
from core.engine.host import free_memory, processors
from core.errors import Problem

STANDARD, SMALL = "standard", "small"
MEMORY = 2_500_000_000  # bytes that must be free for the standard pair with both models loaded
SPEED = 15.0  # tokens a second of one answer: slower than this, four panes are no longer read along
FILE = "machine.json"
PROMPT = "Write the numbers from one to forty in words, one a line."


@dataclass(frozen=True)
class Measured:
    """What was found on this machine. `memory`: bytes free before, None where the system does not say.

    `tokens_per_s`: of the standard base, decoding; `estimated` when it was worked out from a smaller model's.
    """

    tokens_per_s: float
    memory: int | None
    processors: int
    model: str
    estimated: bool


@dataclass(frozen=True)
class Decision:
    """The id of the pair to use by default, and why, in a sentence for the page."""

    pair: str
    reason: str


def decide(found: Measured | None, complete: bool) -> Decision:
    """The default pair. `complete`: whether the standard pair has both its models."""
    said = f"{carries(found)[1]} " if found else ""
    if not complete:
        return Decision(SMALL, f"{said}The standard pair has no fine-tuned model yet: the small pair is the default.")
    if found is None:
        return Decision(SMALL, "This machine has not been measured yet: the small pair is the default.")
    fits = carries(found)[0]
    return Decision(STANDARD if fits else SMALL, f"{said}So the {'standard' if fits else 'small'} pair is the default.")


def carries(found: Measured) -> tuple[bool, str]:
    """Whether the machine carries the standard pair, and what was found, in words."""
    about = "about " if found.estimated else ""
    speed = f"a model of the standard size writes {about}{found.tokens_per_s:.0f} tokens a second ({SPEED:.0f} needed)"
    memory = "" if found.memory is None else f", {found.memory / 1e9:.1f} GB are free ({MEMORY / 1e9:.1f} needed)"
    fits = found.tokens_per_s >= SPEED and (found.memory is None or found.memory >= MEMORY)
    return fits, f"Measured here: {speed}{memory}."


def measure(engine: Engine, spec: ModelSpec, standard_bytes: int | None) -> Measured:
    """Let a model answer twice and take the second answer's speed.

    `standard_bytes`: None where the model is the standard base; else the size of that one's file, by which the speed is
    scaled. Raises Problem when the model cannot answer.
    """
    memory = free_memory()
    chat = ({"role": "user", "content": PROMPT},)
    for _ in range(2):
        result = engine.submit(Request(spec, (chat,), Sampling(max_tokens=48))).wait()
    speed = result.rates["decode_per_s"]
    if not speed:
        raise Problem(f"{spec.id} wrote too little to measure this machine by. Try again when it is less busy.")
    scale = spec.path.stat().st_size / standard_bytes if standard_bytes else 1.0
    return Measured(round(speed * scale, 1), memory, processors(), spec.id, standard_bytes is not None)


def read(weights: Path) -> Measured | None:
    """The measurement kept in the models folder; None when there is none, or it was made with other processors."""
    try:
        found = Measured(**json.loads((weights / FILE).read_text(encoding="utf-8")))
        carries(found)
    except (OSError, ValueError, TypeError):
        return None
    return found if found.processors == processors() else None


def keep(weights: Path, found: Measured) -> None:
    """Keep a measurement in the models folder. Raises Problem when it cannot be written."""
    try:
        handle, temporary = tempfile.mkstemp(prefix=".staging-machine-", dir=weights)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(asdict(found), file)
        Path(temporary).replace(weights / FILE)
    except OSError as error:
        raise Problem(f"The measurement could not be kept in {weights}: {error.strerror}.") from error


def as_json(weights: Path) -> dict[str, object] | None:
    """The kept measurement as plain values."""
    found = read(weights)
    return asdict(found) if found else None
