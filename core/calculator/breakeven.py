"""Where two approaches cost the same: in queries of the first month and in months. "Always" and "never" are answers.

Knows lines and cumulative costs, not what they are made of.
"""

from dataclasses import dataclass, field, fields
from functools import cached_property, partial

import numpy as np
from numpy.typing import NDArray

from core.calculator.draws import percentiles
from core.calculator.formulas import Array

SHOWN = (5, 50, 95)
BLOCK = 1024


@dataclass(frozen=True)
class Line:
    """Total cost as a function of q, the queries of the first month, over draws, in USD: fixed + per_query x q
    + machine x the sum over months t = 0, 1, ... of discount^t x max(minimum, share x q x growth^t).

    `growth`: factor a month. The sum is straight between kinks, one a month: where that month's minimum is used up.
    """

    fixed: Array
    per_query: Array
    machine: Array
    minimum: Array
    share: Array
    growth: Array = field(default_factory=partial(np.ones, ()))
    discount: Array = field(default_factory=partial(np.ones, ()))
    months: int = 1

    @cached_property
    def at_none(self) -> Array:
        """USD over the horizon without a query."""
        return self.fixed + self.machine * self.minimum * sum(self.discount**month for month in range(self.months))

    def kinks(self) -> "Kinks":
        """The kinks from the lowest volume up: growing, the last month's minimum is used up first."""
        last = self.growth > 1
        weight = self.machine * self.share * np.where(last, (self.discount * self.growth) ** (self.months - 1), 1.0)
        factor = np.where(last, 1 / (self.discount * self.growth), self.discount * self.growth)
        with np.errstate(divide="ignore", invalid="ignore"):
            first = np.where(
                weight > 0, self.minimum / self.share * np.where(last, self.growth ** (1 - self.months), 1.0), np.inf
            )
        return Kinks(first, weight, np.where(last, self.growth, 1 / self.growth), factor, self.months)


class Kinks:
    """A walk over a line's kinks. `next`: queries at the next one, infinite behind the last; `weight`: how many USD a
    query the line is steeper behind it."""

    def __init__(self, first: Array, weight: Array, apart: Array, factor: Array, count: int) -> None:
        self.next, self.weight, self._apart, self._factor = first, weight, apart, factor
        self._left = np.full(np.shape(first), count)

    def passed(self, end: Array) -> Array:
        """USD a query added where the kink at `end` is passed; then the next one stands there."""
        here = (self.next <= end) & np.isfinite(self.next)
        added = np.where(here, self.weight, 0.0)
        self._left = self._left - here
        self.next = np.where(here, np.where(self._left > 0, self.next * self._apart, np.inf), self.next)
        self.weight = np.where(here, self.weight * self._factor, self.weight)
        return added


@dataclass(frozen=True)
class Crossing:
    """Break-even of `second` against `first`. Percentiles are over the draws that have a break-even."""

    first: str
    second: str
    queries: dict[str, float] | None  # in the first month, growing as the scenario says; None when no draw has one
    second_cheaper_above: bool  # above the break-even volume the second is the cheaper one (in most such draws)
    first_always: float  # share of draws in which the first is cheaper at every volume
    second_always: float
    months: dict[str, float] | None  # months after launch at which the cumulative costs cross, at the scenario's volume
    second_cheaper_later: bool
    first_throughout: float  # share of draws in which the first is cheaper from set-up to the horizon
    second_throughout: float


def crossing(names: tuple[str, str], lines: tuple[Line, Line], cumulative: tuple[Array, Array]) -> Crossing:
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
    """(queries in the first month at which both cost the same or NaN, sign of a - b below that volume), over draws.

    The difference of two such lines is straight between the kinks of either, so the first change of sign is found
    exactly, walking from kink to kink: q* = begin - gap / slope on its piece. Without growth each line has one kink; on
    one piece this is the textbook formula (fixed_b - fixed_a) / (per_query_a - per_query_b). Ours.
    """
    # by the fields, for a line's own dictionary grows when another pair's thread asks for `at_none`
    shape = np.broadcast_shapes((1,), *(np.shape(getattr(line, of.name)) for line in (a, b) for of in fields(line)))
    above, below = a.kinks(), b.kinks()
    gap, slope = (np.broadcast_to(one, shape) for one in (a.at_none - b.at_none, a.per_query - b.per_query))
    begin, found, start = np.zeros(shape), np.full(shape, np.nan), np.zeros(shape)
    while True:
        end = np.minimum(above.next, below.next)
        start = np.where((start == 0) & (end > begin), np.where(gap != 0, np.sign(gap), np.sign(slope)), start)
        with np.errstate(divide="ignore", invalid="ignore"):
            root = begin - gap / slope
        found = np.where(np.isnan(found) & (root > begin) & (root <= end) & (slope * start < 0), root, found)
        if np.all(np.isinf(end)):
            return found, start
        reached = np.where(np.isfinite(end), end, begin)
        gap, begin = gap + slope * (reached - begin), reached
        slope = slope + above.passed(end) - below.passed(end)


def break_even_months(costs_a: Array, costs_b: Array) -> tuple[Array, Array]:
    """(months until the cumulative costs cross or NaN, sign of a - b before), straight between two month ends.

    Costs are (months, draws). BLOCK draws at a time, so that all their months stay in the processor's cache.
    """
    count = max(costs_a.shape[1], costs_b.shape[1])
    found, start = np.full(count, np.nan), np.zeros(count)
    for at in range(0, count, BLOCK):
        here = slice(at, min(at + BLOCK, count))
        a, b = (costs[:, here] if costs.shape[1] > 1 else costs for costs in (costs_a, costs_b))
        _first_crossing(a - b, found[here], start[here])
    return found, start


def _first_crossing(gap: Array, found: Array, start: Array) -> None:
    """Where the first sign that a gap (months, draws) has turns over: filled into `found`, the sign into `start`."""
    start[:] = np.sign(gap[0])
    for row in gap[1:]:
        if start.all():
            break
        np.copyto(start, np.sign(row), where=start == 0)
    turned = (gap < 0) if (start > 0).all() else (gap > 0) if (start < 0).all() else gap * start < 0
    draws = np.flatnonzero(turned.any(axis=0))
    month = turned[:, draws].argmax(axis=0)
    before, after = gap[month - 1, draws], gap[month, draws]
    found[draws] = month - 1 + before / (before - after)


def _summary(values: Array) -> dict[str, float] | None:
    known = values[np.isfinite(values)]
    if known.size == 0:
        return None
    return percentiles(known, SHOWN)


def _mostly(flags: NDArray[np.bool_]) -> bool:
    return bool(flags.size and np.mean(flags) >= 0.5)
