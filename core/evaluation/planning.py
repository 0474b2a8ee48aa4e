"""Before a run: how long it takes and what its questions can decide. Knows questions and past runs; starts nothing.

What a set decides depends on how many of its questions part two arms. Seen in an earlier run of the same arms it is
taken from there: the pair that was parted most, so that it holds for every pair; (x + 1) / (n + 2) of n facts, so that
no difference seen is not taken for none (Laplace). Else what is expected (see power.py).
"""

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from core.arms import Arm
from core.evaluation import power
from core.evaluation.questions import Question
from core.evaluation.records import Pair
from core.evaluation.report import ALL_FACTS
from core.evaluation.run import applies
from core.records import RunRecord
from core.text import one_line

UNSEEN_S: Final = (0.5, 3.0)  # ours, a reply of a small model on a CPU where nothing has been measured yet
TEN_POINTS: Final = 0.10
ALL: Final = "all"
FEWEST_MADE: Final = 3  # replies, to say how long the rest takes
FEWEST_FACTS: Final = 10  # of an earlier run, to say how far it parted two arms


class Parted(msgspec.Struct, frozen=True, kw_only=True):
    """The share of questions that only one of two arms got right in a run, over so many facts: kept with the run."""

    cls: str
    first: str
    second: str
    facts: int
    discordance: float


class Kept(msgspec.Struct, frozen=True):
    """What a finished evaluation notes of itself."""

    parted: tuple[Parted, ...] = ()


@dataclass(frozen=True)
class Seen:
    """The share of questions that part two arms, as the run of that name showed it."""

    share: float
    run: str


@dataclass(frozen=True)
class Decides:
    """What the questions of one class decide: `detectable` in points (None: none), `for_ten`: facts for 10.

    `discordance`: the share of questions taken to part two arms; `seen`: the run it was seen in, "" when expected.
    """

    cls: str
    questions: int
    facts: int
    detectable: float | None
    for_ten: int | None
    discordance: float
    seen: str


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


def parted(pairs: Iterable[Pair]) -> Kept:
    """What a run notes of its pairs of arms."""
    return Kept(
        tuple(
            Parted(cls=one.cls, first=one.first, second=one.second, facts=one.facts, discordance=one.discordance)
            for one in pairs
        )
    )


def seen(runs: Iterable[tuple[str, object]], arms: Sequence[str]) -> dict[str, Seen]:
    """Class -> how far earlier runs parted two of these arms. `runs`: name and what was noted of it, newest first."""
    found: dict[str, Seen] = {}
    for run, noted in runs:
        most: dict[str, Seen] = {}
        for one in _noted(noted):
            if {one.first, one.second} <= set(arms) and one.facts >= FEWEST_FACTS and 0 <= one.discordance <= 1:
                share = (one.discordance * one.facts + 1) / (one.facts + 2)
                if one.cls not in most or share > most[one.cls].share:
                    most[one.cls] = Seen(share, run)
        found = most | found  # the newer one counts
    return found


def _noted(noted: object) -> tuple[Parted, ...]:
    """The notes of a run; none where there are none, as of an older version, or none that can be read."""
    try:
        return msgspec.convert(noted, Kept).parted
    except msgspec.ValidationError:
        return ()


def plan(
    asked: Sequence[Question], replies: int, seconds: float | None, known: Mapping[str, Seen] | None = None
) -> Plan:
    """The plan of a run. `known`: see `seen`."""
    known = known or {}
    low, high = (seconds, seconds) if seconds else UNSEEN_S
    time = f"{_minutes(replies * low)}" if low == high else f"{_minutes(replies * low)} to {_minutes(replies * high)}"
    classes = list(dict.fromkeys(question.cls for question in asked))
    by_class = [_decides(cls, [q for q in asked if q.cls == cls], known.get(cls)) for cls in classes]
    whole = _decides(ALL, asked, known.get(classes[0] if len(classes) == 1 else ALL_FACTS))
    return Plan(replies, (replies * low, replies * high), time, _sentence(whole), whole, tuple(by_class))


def _decides(cls: str, asked: Sequence[Question], before: Seen | None) -> Decides:
    facts = len({question.group for question in asked})
    share = before.share if before else power.EXPECTED_DISCORDANCE
    smallest = power.detectable(facts, share)
    points = None if smallest is None else 100 * smallest
    enough = power.needed(TEN_POINTS, share)
    return Decides(cls, len(asked), facts, points, enough, share, before.run if before else "")


def _sentence(whole: Decides) -> str:
    if whole.detectable is None:
        return "So few questions can decide no difference between two arms, however large."
    more = max(0, (whole.for_ten or 0) - whole.facts)
    enough = f"{more} more would decide 10 points." if more else "10 points are decided too."
    source = f"as seen in “{one_line(whole.seen, 90)}”" if whole.seen else "as is expected before anything was seen"
    return (
        f"Together they decide a difference of {whole.detectable:.0f} points or more between two arms "
        f"(in 4 of 5 runs, where {whole.discordance:.0%} of the questions part them, {source}). {enough}"
    )


def count(asked: Iterable[Question], chosen: Sequence[Arm]) -> int:
    """How many replies these questions to these arms give."""
    return sum(arm.repeats * applies(arm, question) for question in asked for arm in chosen)


def left(seconds: float, made: int, missing: int) -> str:
    """How long a run still takes that made so many replies in so many seconds, as the end of a sentence; empty where
    too few have come to tell, or none is missing."""
    if made < FEWEST_MADE or not missing:
        return ""
    return f", about {_minutes(seconds / made * missing)} left"


def _minutes(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"
