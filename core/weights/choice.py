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


def read(weights: Path) -> dict[str, str]:
    """Role -> the id or path that plays it. A choice file that cannot be read counts as none."""
    try:
        saved = json.loads((weights / FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        saved = {}
    names = saved if isinstance(saved, dict) else {}
    return {
        role: os.environ.get(variable) or (names[role] if isinstance(names.get(role), str) else role)
        for role, variable in VARIABLES.items()
    }


def save(weights: Path, base: str, fine_tuned: str) -> None:
    """Remember who plays the roles, for every later process. Raises Problem when it cannot be written."""
    try:
        handle, temporary = tempfile.mkstemp(prefix=".staging-choice-", dir=weights)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump({"base": base, "fine-tuned": fine_tuned}, file)
        Path(temporary).replace(weights / FILE)
    except OSError as error:
        raise Problem(f"The choice of models could not be saved in {weights}: {error.strerror}.") from error


def fixed() -> str | None:
    """The environment variables that decide, when any does: then a saved choice has no effect."""
    names = [variable for variable in VARIABLES.values() if os.environ.get(variable)]
    return ", ".join(names) or None
