"""Two evaluations side by side: what got better, worse, or stayed. Knows reports; knows no project and no screen.

Questions are matched by their text, arms by their name, so that a run may be held against one over other documents,
another model or another prompt.
"""

from dataclasses import dataclass

from core.errors import Problem
from core.evaluation.records import Report, Row, Settled
from core.evaluation.report import settled


@dataclass(frozen=True)
class Changed:
    """One question to one arm in both runs. `kind`: better, worse, or same. `number`: the question's in the later."""

    question: str
    cls: str
    arm: str
    kind: str
    expected: str
    before: str
    after: str
    number: int = 0


@dataclass(frozen=True)
class Versus:
    """`cases`: what both runs asked; `arms`: name -> the paired difference of the second over the first."""

    cases: tuple[Changed, ...]
    arms: dict[str, Settled]
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
        before_and_after = [one[place].right for place in places], [two[place].right for place in places]
        arms[arm] = settled(*before_and_after, [two[place].group for place in places])
    return Versus(cases, arms, len(one) - len(common), len(two) - len(common))


def _by_place(report: Report) -> dict[tuple[str, str], Row]:
    return {(row.question, row.arm): row for row in report.rows if not row.problem and not row.repeat}


def _case(one: Row, two: Row) -> Changed:
    kind = "same" if one.right == two.right else "better" if two.right else "worse"
    return Changed(two.question, two.cls, two.arm, kind, two.expected, one.reply, two.reply, two.number)
