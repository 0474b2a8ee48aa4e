"""Two evaluations side by side: what got better, worse, or stayed. Knows reports; knows no project and no screen.

Questions are matched by their text, arms by their name, so that a run may be held against one over other documents,
another model or another prompt.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core.errors import Problem
from core.evaluation.report import settled

Report = Mapping[str, Any]


@dataclass(frozen=True)
class Changed:
    """One question to one arm in both runs. `kind`: better, worse, or same."""

    question: str
    cls: str
    arm: str
    kind: str
    expected: str
    before: str
    after: str


@dataclass(frozen=True)
class Versus:
    """`cases`: what both runs asked; `arms`: name -> the paired difference of the second over the first."""

    cases: tuple[Changed, ...]
    arms: dict[str, dict[str, Any]]
    only_before: int
    only_after: int


def versus(before: Report, after: Report) -> Versus:
    """What `after` changed. Raises Problem when the two have no question and arm in common."""
    one, two = _by_place(before), _by_place(after)
    common = [place for place in two if place in one]
    if not common:
        raise Problem("These two evaluations have no question of the same arm in common, so they cannot be compared.")
    cases = tuple(_case(one[place], two[place]) for place in common)
    arms = {}
    for arm in dict.fromkeys(name for _, name in common):
        places = [place for place in common if place[1] == arm]
        pairs = [(bool(one[place]["right"]), bool(two[place]["right"])) for place in places]
        groups = [two[place]["group"] for place in places]
        arms[arm] = settled([a for a, _ in pairs], [b for _, b in pairs], groups)
    return Versus(cases, arms, len(one) - len(common), len(two) - len(common))


def _by_place(report: Report) -> dict[tuple[str, str], Mapping[str, Any]]:
    return {(row["question"], row["arm"]): row for row in report["rows"] if not row["problem"]}


def _case(one: Mapping[str, Any], two: Mapping[str, Any]) -> Changed:
    kind = "same" if one["right"] == two["right"] else "better" if two["right"] else "worse"
    return Changed(two["question"], two["cls"], two["arm"], kind, two["expected"], one["reply"], two["reply"])
