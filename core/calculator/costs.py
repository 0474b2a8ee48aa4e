"""Costs over the months: cumulative, in all, by part, and as a line over the number of queries.

Present values in US dollars. Knows what an approach costs at launch, a month, at a retrain and a query, not why.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np

from core.calculator import breakeven
from core.calculator import formulas as f
from core.calculator.approaches import Approach
from core.calculator.draws import Draws
from core.calculator.formulas import Array


@dataclass(frozen=True)
class Calendar:
    """What the months do to money, shared by all approaches: present values of 1 USD a month, of the queries, of
    retrains; and of machines for one approach by `machines`."""

    factors: Array  # (months,)
    queries: Sequence[Array]  # a month
    retrains: Sequence[Array]  # in each month

    @cached_property
    def monthly(self) -> Array:
        """Present value of 1 USD at the end of every month."""
        return np.asarray(self.factors.sum())

    @cached_property
    def all_queries(self) -> Array:
        """Queries of all months, each discounted like the cost that it causes."""
        return self.present(self.queries)

    @cached_property
    def all_retrains(self) -> Array:
        return self.present(self.retrains)

    @cached_property
    def asked(self) -> Array:
        """Queries of all months, counted in full."""
        return sum(self.queries, start=np.zeros(()))

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


def calendar(d: Draws) -> Calendar:
    """The months of the horizon for drawn inputs. The horizon itself is one number, never a range."""
    months = int(d["horizon"].flat[0])
    factors = f.discount_factors(float(d["discount_rate"].flat[0]) / 100, months)
    growth = 1 + d["growth"] / 100
    queries = [d["queries"]]
    for _ in range(months - 1):
        queries.append(queries[-1] * growth)
    done = [f.retrains_until(month, d["retrain_months"], months) for month in range(1, months + 1)]
    return Calendar(factors, queries, [done[0], *(np.subtract(b, a) for a, b in pairwise(done))])


def total_parts(approach: Approach, months: Calendar) -> dict[str, Array]:
    """Present value in USD of each part of the cost over the horizon. The parts sum to the total."""
    parts: dict[str, Array] = {}
    for amounts, times in (
        (approach.setup, np.ones(())),
        (approach.monthly, months.monthly),
        (approach.retrain, months.all_retrains),
        (approach.per_query, months.all_queries),
    ):
        for part, amount in amounts.items():
            parts[part] = parts.get(part, np.zeros(())) + amount * times
    if np.any(approach.replica_month):
        parts["machines"] = months.machines(approach)
    return parts


def totals(approaches: Mapping[str, Approach], months: Calendar) -> dict[str, Array]:
    """Present value in USD over the horizon; infinite where the prompt does not fit."""
    return {
        name: np.where(one.overflow > 0, np.inf, sum_of(total_parts(one, months))) for name, one in approaches.items()
    }


def cost_line(approach: Approach, months: Calendar) -> breakeven.Line:
    """The total as a function of a steady number of queries a month, for break-even."""
    fixed = sum_of(approach.setup) + sum_of(approach.monthly) * months.monthly
    fixed = fixed + sum_of(approach.retrain) * months.all_retrains
    return breakeven.Line(
        fixed=fixed,
        per_query=sum_of(approach.per_query) * months.monthly,
        machine=approach.replica_month * months.monthly,
        minimum=approach.min_replicas,
        share=approach.replicas_per_query,
    )


def cumulative(approach: Approach, months: Calendar) -> list[Array]:
    """Present value in USD of all costs up to the end of month 0 (set-up), 1, ..., horizon."""
    monthly, retrain, per_query = (sum_of(one) for one in (approach.monthly, approach.retrain, approach.per_query))
    machines = bool(np.any(approach.replica_month))
    lines = [sum_of(approach.setup)]
    for factor, queries, retrains in zip(months.factors, months.queries, months.retrains, strict=True):
        amount = monthly + per_query * queries
        if approach.retrain:
            amount = amount + retrain * retrains
        if machines:
            a = approach
            amount = amount + f.hosting_month(a.replica_month, a.min_replicas, queries, a.replicas_per_query)
        lines.append(lines[-1] + factor * amount)
    return lines


def sum_of(parts: Mapping[str, Array]) -> Array:
    """All parts together."""
    total = np.zeros(())
    for amount in parts.values():
        total = total + amount
    return total
