"""Where two approaches cost the same: in queries a month and in months. "Always" and "never" are answers.

Knows lines and cumulative costs, not what they are made of.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.calculator.draws import percentiles
from core.calculator.formulas import Array

SHOWN = (5, 50, 95)


@dataclass(frozen=True)
class Line:
    """Total cost at a steady number q of queries a month, over draws, in USD:
    fixed + per_query x q + machine x max(minimum, share x q)."""

    fixed: Array
    per_query: Array
    machine: Array
    minimum: Array
    share: Array

    def at(self, queries: Array) -> Array:
        """USD over the horizon at `queries` a month."""
        return self.fixed + self.per_query * queries + self.machine * np.maximum(self.minimum, self.share * queries)

    @property
    def kink(self) -> Array:
        """Queries a month above which the minimum of machines is not enough; infinite without machines."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where((self.share > 0) & (self.machine > 0), self.minimum / self.share, np.inf)

    def slope(self, beyond: NDArray[np.bool_]) -> Array:
        """USD a further query a month; `beyond` says where the minimum of machines is used up."""
        return self.per_query + np.where(beyond, self.machine * self.share, 0.0)


@dataclass(frozen=True)
class Crossing:
    """Break-even of `second` against `first`. Percentiles are over the draws that have a break-even."""

    first: str
    second: str
    queries: dict[str, float] | None  # a month, steady; None when no draw has one
    second_cheaper_above: bool  # above the break-even volume the second is the cheaper one (in most such draws)
    first_always: float  # share of draws in which the first is cheaper at every volume
    second_always: float
    months: dict[str, float] | None  # months after launch at which the cumulative costs cross, at the scenario's volume
    second_cheaper_later: bool
    first_throughout: float  # share of draws in which the first is cheaper from set-up to the horizon
    second_throughout: float


def crossing(
    names: tuple[str, str], lines: tuple[Line, Line], cumulative: tuple[Sequence[Array], Sequence[Array]]
) -> Crossing:
    """Both break-evens of a pair, summarised over draws."""
    volume, start = break_even_queries(*lines)
    month, month_start = break_even_months(*cumulative)
    crosses, crosses_later = np.isfinite(volume), np.isfinite(month)
    return Crossing(
        first=names[0],
        second=names[1],
        queries=_summary(volume),
        second_cheaper_above=_mostly(start[crosses] < 0),
        first_always=float(np.mean(~crosses & (start < 0))),
        second_always=float(np.mean(~crosses & (start > 0))),
        months=_summary(month),
        second_cheaper_later=_mostly(month_start[crosses_later] < 0),
        first_throughout=float(np.mean(~crosses_later & (month_start < 0))),
        second_throughout=float(np.mean(~crosses_later & (month_start > 0))),
    )


def break_even_queries(a: Line, b: Line) -> tuple[Array, Array]:
    """(queries a month at which both cost the same or NaN, sign of a - b below that volume), over draws.

    The difference of two such lines is straight between the kinks of either, so the first change of sign is found
    exactly: q* = (fixed_b - fixed_a) / (slope_a - slope_b) on its piece. On one piece this is the textbook formula.
    """
    parts = np.broadcast_arrays(*(np.atleast_1d(part) for line in (a, b) for part in vars(line).values()))
    a, b = Line(*parts[:5]), Line(*parts[5:])
    kink_a, kink_b = a.kink, b.kink
    low, high = np.minimum(kink_a, kink_b), np.maximum(kink_a, kink_b)
    begin, found, start = np.zeros_like(low), np.full(low.shape, np.nan), np.zeros_like(low)
    for end in (low, high, np.full_like(high, np.inf)):
        gap = a.at(begin) - b.at(begin)
        slope = a.slope(begin >= kink_a) - b.slope(begin >= kink_b)
        start = np.where(start == 0, np.where(gap != 0, np.sign(gap), np.sign(slope)), start)
        with np.errstate(divide="ignore", invalid="ignore"):
            root = begin - gap / slope
        crosses = np.isnan(found) & (root > begin) & (root <= end) & (slope * start < 0)
        found = np.where(crosses, root, found)
        if np.all(np.isinf(end)):
            break
        begin = np.where(np.isfinite(end), end, begin)
    return found, start


def break_even_months(costs_a: Sequence[Array], costs_b: Sequence[Array]) -> tuple[Array, Array]:
    """(months until the cumulative costs cross or NaN, sign of a - b before), straight between two month ends."""
    shape = np.atleast_1d(costs_a[-1] - costs_b[-1]).shape
    before = np.asarray(costs_a[0] - costs_b[0])
    start, found = np.sign(np.broadcast_to(before, shape)), np.full(shape, np.nan)
    undecided, together = bool(np.any(start == 0)), np.ones(shape, dtype=bool)  # together: not crossed yet
    for month, (a, b) in enumerate(zip(costs_a[1:], costs_b[1:], strict=True), start=1):
        gap = np.asarray(a - b)
        if undecided:
            start = np.where(start == 0, np.sign(gap), start)
        flipped = (gap * start < 0) & together
        if np.any(flipped):
            with np.errstate(divide="ignore", invalid="ignore"):
                found = np.where(flipped, month - 1 + before / (before - gap), found)
            together &= ~flipped
            if not np.any(together):
                break
        before = gap
    return found, start


def _summary(values: Array) -> dict[str, float] | None:
    known = values[np.isfinite(values)]
    if known.size == 0:
        return None
    return percentiles(known, SHOWN)


def _mostly(flags: NDArray[np.bool_]) -> bool:
    return bool(flags.size and np.mean(flags) >= 0.5)
