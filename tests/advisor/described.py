"""Our descriptions with the approach that each calls for: what is learned, and what is kept aside to be read unseen."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
LEARNED = (
    "use_cases",
    "descriptions",
    "descriptions_new",
    "descriptions_aside",
    "descriptions_later",
    "descriptions_last",
    "descriptions_open",
    "descriptions_learned",
    "descriptions_wider",
    "descriptions_fourfold",
    "descriptions_voices",
    "descriptions_trades",
    "descriptions_lines",
)
FRESH = LEARNED[-6:]  # written after the rules, so that they say how rules and learning carry over


def cases(*names: str) -> list[Mapping[str, Any]]:
    """The descriptions of some files, in their order."""
    return [each for name in names for each in tomllib.loads((HERE / f"{name}.toml").read_text("utf-8"))["case"]]
