"""Which approach is recommended, and whether the draws are many enough to say so.

An approach is eligible when the median draw meets every target; of these the one of lowest mean cost is recommended.
Shares and means over draws have a sampling error: where it leaves more than one answer open, all of them are named and
the choice is "too close to call". Knows no money but US dollars, and neither words nor pages.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.calculator.formulas import Array
from core.calculator.inputs import Scenario

SURE = 4.0  # standard errors: over 20 seeds x 500 scenarios x 4 approaches x 7 targets, a slip is not to be expected
AT_LEAST = frozenset({"accuracy"})  # of this aim more is better, of the others less
AIMS = {  # aim -> its input; the aims after "launch" count only when they are set
    "latency": "latency_target",
    "accuracy": "accuracy_target",
    "freshness": "freshness_target",
    "launch": "launch_target",
    "total budget": "budget_total",
    "first-year budget": "budget_first_year",
    "monthly budget": "budget_month",
}
UNITS = {"freshness": 24.0}  # days to hours


@dataclass(frozen=True)
class Chance:
    """The share of `draws` in which an aim is met."""

    share: float
    draws: int

    @property
    def met(self) -> bool:
        """The median draw meets it."""
        return self.share >= 0.5

    @property
    def sure(self) -> bool:
        """Another seed would not say otherwise."""
        return self.share in (0.0, 1.0) or abs(self.share - 0.5) > SURE * 0.5 / self.draws**0.5


@dataclass(frozen=True)
class Choice:
    """`recommended` is None when none meets every target. More than one `possible` answer is too close to call;
    `why` then names (approach, aim or "cost") that lie within the sampling error."""

    recommended: str | None
    possible: tuple[str | None, ...]
    why: tuple[tuple[str, str], ...]

    @property
    def close(self) -> bool:
        return len(self.possible) > 1


def limits(scenario: Scenario) -> dict[str, float]:
    """Aim -> limit (ms, %, hours, weeks, USD); a budget of 0 is none and left out."""
    found = {aim: scenario.number(name) * UNITS.get(aim, 1.0) for aim, name in AIMS.items()}
    return {aim: limit for aim, limit in found.items() if limit > 0 or not AIMS[aim].startswith("budget")}


def within(aim: str, reached: Array, limit: Array | float) -> NDArray[np.bool_]:
    """Whether the aim is met, draw by draw."""
    return np.asarray(reached >= limit if aim in AT_LEAST else reached <= limit)


def chances(reached: Mapping[str, Array], limit: Mapping[str, float]) -> dict[str, Chance]:
    """Aim -> share of draws that meet it."""
    return {aim: Chance(float(np.mean(within(aim, reached[aim], at))), reached[aim].size) for aim, at in limit.items()}


def choose(cost: Mapping[str, Array], met: Mapping[str, Mapping[str, Chance]]) -> Choice:
    """The choice among approaches that fit: `cost` in USD over draws, `met` their chances by aim."""
    good = [name for name in cost if all(one.met for one in met[name].values())]
    certain = [name for name in cost if all(one.met and one.sure for one in met[name].values())]
    open_ = [name for name in cost if all(one.met or not one.sure for one in met[name].values())]
    best = min(good, key=lambda name: float(np.mean(cost[name]))) if good else None
    possible = [name for name in open_ if not any(_dearer(name, other, cost) for other in certain if other != name)]
    answers: tuple[str | None, ...] = (*possible, *([] if certain else [None]))
    if len(answers) < 2:
        return Choice(best, answers, ())
    why = [(name, aim) for name in open_ for aim, one in met[name].items() if not one.sure]
    return Choice(best, answers, tuple(why) or tuple((name, "cost") for name in possible))


def _dearer(one: str, other: str, cost: Mapping[str, Array]) -> bool:
    """Whether `one` costs more than `other` beyond the sampling error; a tie goes to the first."""
    gap = np.asarray(cost[one] - cost[other])
    error = SURE * float(np.std(gap)) / gap.size**0.5
    mean = float(np.mean(gap))
    return mean > error or (mean == 0 and error == 0 and list(cost).index(other) < list(cost).index(one))
