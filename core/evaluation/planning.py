"""Before a run: how long it takes and what its questions can decide. Knows questions and past times; starts nothing."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from core.evaluation import power
from core.evaluation.questions import Question
from core.records import RunRecord

UNSEEN_S: Final = (0.5, 3.0)  # ours, a reply of a small model on a CPU where nothing has been measured yet
TEN_POINTS: Final = 0.10
ALL: Final = "all"


@dataclass(frozen=True)
class Decides:
    """What the questions of one class decide: `detectable` in points (None: none), `for_ten`: facts for 10."""

    cls: str
    questions: int
    facts: int
    detectable: float | None
    for_ten: int | None


@dataclass(frozen=True)
class Plan:
    """`seconds`: low and high; `time`: in words; `whole`, `sentence`: what all questions together decide; `classes`:
    the same by class."""

    replies: int
    seconds: tuple[float, float]
    time: str
    sentence: str
    whole: Decides
    classes: tuple[Decides, ...]


def seconds_a_reply(runs: Sequence[RunRecord]) -> float | None:
    """The median of a project's measured answers; None when there is none."""
    times = [arm.timing.total / 1000 for run in runs for arm in run.arms if arm.finish and arm.timing.total]
    return statistics.median(times) if times else None


def plan(asked: Sequence[Question], replies: int, seconds: float | None) -> Plan:
    """The plan of a run."""
    low, high = (seconds, seconds) if seconds else UNSEEN_S
    time = f"{_minutes(replies * low)}" if low == high else f"{_minutes(replies * low)} to {_minutes(replies * high)}"
    by_class = [_decides(cls, [q for q in asked if q.cls == cls]) for cls in dict.fromkeys(q.cls for q in asked)]
    whole = _decides(ALL, asked)
    return Plan(replies, (replies * low, replies * high), time, _sentence(whole), whole, tuple(by_class))


def _decides(cls: str, asked: Sequence[Question]) -> Decides:
    facts = len({question.group for question in asked})
    smallest = power.detectable(facts)
    points = None if smallest is None else 100 * smallest
    return Decides(cls, len(asked), facts, points, power.needed(TEN_POINTS))


def _sentence(whole: Decides) -> str:
    if whole.detectable is None:
        return "So few questions can decide no difference between two arms, however large."
    more = max(0, (whole.for_ten or 0) - whole.facts)
    enough = f"{more} more would decide 10 points." if more else "10 points are decided too."
    return (
        f"Together they decide a difference of {whole.detectable:.0f} points or more between two arms "
        f"(in 4 of 5 runs, where {power.EXPECTED_DISCORDANCE:.0%} of the questions part them). {enough}"
    )


def _minutes(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"
