"""Which models play the roles base and fine-tuned: the default pair, a preset, or files of the user's own.

Read from RR_BASE and RR_FINE_TUNED (an id or the path of a GGUF), else from the choice saved in the weights folder,
else the default pair. Knows names only; what stands behind a name is the business of `core.weights.catalog`.
"""

import json
import os
import tempfile
from pathlib import Path

from core.errors import Problem

FILE = "choice.json"
VARIABLES = {"base": "RR_BASE", "fine-tuned": "RR_FINE_TUNED"}


def read(weights: Path) -> dict[str, str | None]:
    """Role -> the id or path chosen to play it, None for none; a role that nobody chose for is absent."""
    fixed = {role: name for role, variable in VARIABLES.items() if (name := os.environ.get(variable))}
    return saved(weights) | fixed


def saved(weights: Path) -> dict[str, str | None]:
    """What the choice file says. One that cannot be read counts as none."""
    try:
        names = json.loads((weights / FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    if not isinstance(names, dict) or not isinstance(names.get("base"), str):
        return {}
    tuned = names.get("fine-tuned")
    return {"base": names["base"], "fine-tuned": tuned if isinstance(tuned, str) else None}


def save(weights: Path, names: dict[str, str | None]) -> None:
    """Remember who plays the roles, for every later process. Raises Problem when it cannot be written."""
    try:
        handle, temporary = tempfile.mkstemp(prefix=".staging-choice-", dir=weights)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(names, file)
        Path(temporary).replace(weights / FILE)
    except OSError as error:
        raise Problem(f"The choice of models could not be saved in {weights}: {error.strerror}.") from error


def fixed() -> str | None:
    """The environment variables that decide, when any does: then a saved choice has no effect."""
    names = [variable for variable in VARIABLES.values() if os.environ.get(variable)]
    return ", ".join(names) or None
