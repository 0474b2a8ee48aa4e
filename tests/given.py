"""What tests of arms and projects begin with: the bundled project, and settings in one line."""

from dataclasses import replace
from typing import Any

from core import arms, ask
from core.arms import Arm
from core.project import bundled

BRIGHTWATER = bundled.all_bundled()["brightwater"]
FOUR = tuple(arm.name for arm in BRIGHTWATER.arms)
MORE = ("base+pinned", "base+perfect", "fine-tuned+perfect")


def chosen(
    names: tuple[str, ...] = FOUR, *, top_k: int = 3, pinned: str | None = None, **sampling: Any
) -> tuple[Arm, ...]:
    """Arms by name, all with this search and sampling."""
    return tuple(
        replace(arm, pinned=pinned, search=replace(arm.search, top_k=top_k), sampling=replace(arm.sampling, **sampling))
        for arm in arms.parse_all(names)
    )


def settings(names: tuple[str, ...] = FOUR, *, way: str = "together", **rest: Any) -> ask.Settings:
    """Settings for arms by name."""
    return ask.Settings(chosen(names, **rest), way)
