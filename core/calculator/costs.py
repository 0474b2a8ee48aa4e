"""Costs over the months: cumulative, in all, by part, and as a line over the number of queries.

Present values in US dollars. Knows what an approach costs at launch, a month, at a retrain and a query, not why.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np

from core.calculator import breakeven
from core.calculator import formulas as f
from core.calculator.approaches import Approach, event_months
from core.calculator.draws import Draws
from core.calculator.formulas import Array


@dataclass(frozen=True)
class Calendar:
    """What the months do to money, shared by all approaches: queries and events by month, and their present values."""

    factors: Array  # (months,)
    queries: Sequence[Array]  # a month
    events: Mapping[str, Sequence[Array]]  # how many of each kind in each month
    done: Mapping[str, Array]  # how many of each kind within the horizon
    growth: Array  # of the queries, factor a month

    @cached_property
    def monthly(self) -> Array:
        """Present value of 1 USD at the end of every month."""
        return np.asarray(self.factors.sum())

    @cached_property
    def all_queries(self) -> Array:
        """Queries of all months, each discounted like the cost that it causes: what a cost a query is divided by."""
        return self.present(self.queries)

    @cached_property
    def per_first_query(self) -> Array:
        """Present value of 1 USD for every query, a query of the first month: the sum of discount x growth by month."""
        total, grown = np.zeros(()), np.ones(())
        for factor in self.factors:
            total, grown = total + factor * grown, grown * self.growth
        return total

    @cached_property
    def all_events(self) -> Mapping[str, Array]:
        """Present value of 1 USD at every event of each kind."""
        return {name: self.present(amounts) for name, amounts in self.events.items()}

    @cached_property
    def happens(self) -> Mapping[str, Sequence[bool]]:
        """Whether an event of each kind happens in each month, in any draw: most months have none to pay for."""
        return {name: [bool(times.any()) for times in amounts] for name, amounts in self.events.items()}

    @cached_property
    def asked(self) -> Array:
        """Queries of all months, counted in full."""
        return sum(self.queries, start=np.zeros(()))

    def count(self, event: str) -> Array:
        """Events of one kind within the horizon."""
        return self.done[event]

    def present(self, amounts: Sequence[Array]) -> Array:
        """Present value of one amount a month."""
        total = np.zeros(())
        for factor, amount in zip(self.factors, amounts, strict=True):
            total = total + factor * amount
        return total

    def machines(self, approach: Approach) -> Array:
        """Present value of the machine cost of all months, in USD."""
        if not np.any(approach.replica_month):
            return np.zeros(())
        a = approach
        return self.present(
            [f.hosting_month(a.replica_month, a.min_replicas, q, a.replicas_per_query) for q in self.queries]
        )


def calendar(d: Draws, over: Callable[..., Iterable[list[Array]]] = map) -> Calendar:
    """The months of the horizon for drawn inputs. The horizon itself is one number, never a range. `over`: a `map`."""
    months = int(d["horizon"].flat[0])
    factors = f.discount_factors(float(d["discount_rate"].flat[0]) / 100, months)
    growth = 1 + d["growth"] / 100
    queries = [d["queries"]]
    for _ in range(months - 1):
        queries.append(queries[-1] * growth)
    every = event_months(d)
    done = dict(zip(every, over(lambda each: f.retrains_until(each, months), every.values()), strict=True))
    events = {name: _by_month(each) for name, each in done.items()}
    return Calendar(factors, queries, events, {name: each[-1] for name, each in done.items()}, growth)


def _by_month(done: Sequence[Array]) -> list[Array]:
    return [np.subtract(after, before) for before, after in pairwise([np.zeros(()), *done])]


def total_parts(approach: Approach, months: Calendar) -> dict[str, Array]:
    """Present value in USD of each part of the cost over the horizon. The parts sum to the total."""
    parts: dict[str, Array] = {}
    for amounts, times in (
        (approach.setup, np.ones(())),
        (approach.monthly, months.monthly),
        *((amounts, months.all_events[name]) for name, amounts in approach.events.items()),
        (approach.per_query, months.all_queries),
    ):
        for part, amount in amounts.items():
            parts[part] = parts.get(part, np.zeros(())) + amount * times
    if np.any(approach.replica_month):
        parts["machines"] = months.machines(approach)
    return parts


def total(approach: Approach, months: Calendar) -> Array:
    """Present value in USD of everything over the horizon."""
    return sum_of(total_parts(approach, months))


def totals(approaches: Mapping[str, Approach], months: Calendar) -> dict[str, Array]:
    """`total` of each; infinite where the prompt does not fit."""
    return {name: np.where(one.overflow > 0, np.inf, total(one, months)) for name, one in approaches.items()}


def cost_line(approach: Approach, months: Calendar) -> breakeven.Line:
    """The total as a function of the queries of the first month, which grow as the scenario says, for break-even."""
    fixed = sum_of(approach.setup) + sum_of(approach.monthly) * months.monthly
    for name, amounts in approach.events.items():
        fixed = fixed + sum_of(amounts) * months.all_events[name]
    per_query = sum_of(approach.per_query) * months.per_first_query
    machines = approach.replica_month, approach.min_replicas, approach.replicas_per_query
    if not np.any(approach.replica_month) or np.all(months.growth == 1):
        return breakeven.Line(fixed, per_query, machines[0] * months.monthly, *machines[1:])
    discount = np.asarray(months.factors[0])
    return breakeven.Line(
        fixed, per_query, machines[0] * discount, *machines[1:], months.growth, discount, len(months.factors)
    )


def paid(approach: Approach, months: Calendar) -> Array:
    """(1 + horizon, draws) USD paid up to launch (month 0) and in month 1, ..., horizon; not discounted."""
    monthly, per_query = sum_of(approach.monthly), sum_of(approach.per_query)
    events = [(sum_of(amounts), months.events[name], months.happens[name]) for name, amounts in approach.events.items()]
    a, setup, machines = approach, sum_of(approach.setup), bool(np.any(approach.replica_month))
    hosted = (a.replica_month, a.min_replicas, a.replicas_per_query) if machines else ()
    each_month = [one for amount, times, _ in events for one in (amount, times[0])]
    shape = np.broadcast_shapes(
        (1,), *(np.shape(one) for one in (setup, monthly, per_query, months.queries[-1], *each_month, *hosted))
    )
    amounts = np.empty((1 + len(months.queries), *shape))
    amounts[0] = setup
    for month, (row, queries) in enumerate(zip(amounts[1:], months.queries, strict=True)):
        np.multiply(per_query, queries, out=row)
        row += monthly
        for amount, times, happens in events:
            if happens[month]:
                row += amount * times[month]
        if machines:
            row += f.hosting_month(a.replica_month, a.min_replicas, queries, a.replicas_per_query)
    return amounts


def cumulative(amounts: Array, months: Calendar) -> Array:
    """(1 + horizon, draws) present value in USD of all that is `paid` up to the end of month 0 (set-up), 1, ...

    `amounts` become it: so many draws in so many months are not written twice.
    """
    for before, row, factor in zip(amounts[:-1], amounts[1:], months.factors, strict=True):
        row *= factor
        row += before
    return amounts


def first_year(amounts: Array) -> Array:
    """USD up to launch and in the twelve months after it (fewer when the horizon is shorter), not discounted."""
    return _added(amounts[:13])


def month(amounts: Array) -> Array:
    """Mean USD a month after launch over the horizon, not discounted."""
    return np.asarray(_added(amounts[1:]) / (len(amounts) - 1))


def _added(amounts: Array) -> Array:
    """Rows added up one after the other."""
    total: Array = amounts[0].copy()
    for row in amounts[1:]:
        total += row
    return total


def energy(approach: Approach, months: Calendar) -> Array:
    """kWh over the horizon: tokens or machine hours, and every training."""
    used = approach.query_energy * months.asked + approach.training_energy * (1 + _trainings(approach, months))
    if not np.any(approach.machine_power):
        return used
    a = approach
    machines = sum((np.maximum(a.min_replicas, q * a.replicas_per_query) for q in months.queries), start=np.zeros(()))
    return used + machines * a.machine_power * f.HOURS_PER_MONTH


def _trainings(approach: Approach, months: Calendar) -> Array:
    """Trainings after the first: retrains, and one at each retirement."""
    return sum((months.count(name) for name in approach.events), start=np.zeros(()))


def sum_of(parts: Mapping[str, Array]) -> Array:
    """All parts together."""
    whole = np.zeros(())
    for amount in parts.values():
        whole = whole + amount
    return whole
