"""How much of a server one person may take at once, and who may change what is everyone's. Settings, no state.

The usual limits lie where somebody alone never comes near them; commands have none.
"""

import os
from typing import Final

from core.errors import Problem
from core.text import one_line

QUESTIONS: Final = ("RR_MOST_QUESTIONS", 8)  # setting, and what holds without it
EVALUATIONS: Final = ("RR_MOST_EVALUATIONS", 20)
EVALUATING: Final = ("evaluate", "judge", "propose", "sweep", "finetune")  # kinds of job that are counted together
ADMINS: Final = "RR_ADMINS"
MODELS: Final = "Model files are everyone's: here those whom RR_ADMINS names fetch, choose, load and unload them."


def questions() -> int:
    """The most questions that one person (or tab, where nobody signs in) has answered at once. Raises Problem."""
    return _setting(*QUESTIONS)


def evaluations() -> int:
    """The most evaluations, judgings, proposals, sweeps and fine-tunes of one person at once. Raises Problem."""
    return _setting(*EVALUATIONS)


def check() -> None:
    """Raises Problem on a setting that is no number, so that a server says so when it starts."""
    questions(), evaluations()


def too_many(what: str, most: int, setting: str) -> Problem:
    """What to say when a limit is reached."""
    return Problem(f"{most} {what} of yours are under way: wait, or stop one. (At most {most} at once: {setting}.)")


def admins() -> frozenset[str]:
    """The addresses and ids that RR_ADMINS names, in small letters."""
    named = os.environ.get(ADMINS, "").replace(";", ",").split(",")
    return frozenset(one.strip().casefold() for one in named if one.strip())


def _setting(name: str, usual: int) -> int:
    text = os.environ.get(name, "").strip()
    if not text:
        return usual
    if not (text.isascii() and text.isdigit() and int(text[:9]) > 0 and len(text) < 9):
        raise Problem(f"{name} must be a whole number above 0, not '{one_line(text, 40)}'.")
    return int(text)
