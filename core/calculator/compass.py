"""What would be recommended if inputs stood elsewhere, without drawing anew: for flips, switches and the map.

Every input stands at the middle of its range except those that are moved. What an approach costs and reaches there is
scaled so that the unmoved middle gives exactly what the outcome says of its draws (mean cost, median of each aim); so
the answer agrees with the outcome where it starts, and follows the formulas from there. Knows no words and no charts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.approaches import APPROACHES
from core.calculator import costs, judge, requests
from core.calculator.approaches import Approach, allowed, compose, sent
from core.calculator.draws import central, middle
from core.calculator.formulas import Array
from core.calculator.inputs import Scenario
from core.calculator.model import Outcome, Result

NONE_MEETS = "none"  # no approach meets every target


@dataclass(frozen=True)
class Readings:
    """For moved inputs, one row a setting: is it eligible, what does it cost, which aims does it meet."""

    cost: Array  # (approaches, rows) USD
    fits: NDArray[np.bool_]  # (approaches, rows)
    meets: dict[str, NDArray[np.bool_]]  # aim -> (approaches, rows)

    @property
    def eligible(self) -> NDArray[np.bool_]:
        """(approaches, rows): it fits and meets every target."""
        result = self.fits.copy()
        for met in self.meets.values():
            result &= met
        return result

    @property
    def recommended(self) -> list[str]:
        """One name a row, or NONE_MEETS."""
        eligible = self.eligible
        best = np.where(eligible, self.cost, np.inf).argmin(axis=0)
        known = eligible.max(axis=0)
        return [APPROACHES[at] if some else NONE_MEETS for at, some in zip(best.tolist(), known.tolist(), strict=True)]

    def aims(self, name: str, row: int, met: bool) -> tuple[str, ...]:
        """The aims that an approach meets (or misses) in a row."""
        at = APPROACHES.index(name)
        return tuple(aim for aim, found in self.meets.items() if bool(found[at, row]) is met)


class Compass:
    """Readings around one scenario and its outcome."""

    def __init__(self, scenario: Scenario, outcome: Outcome) -> None:
        self._scenario = scenario
        self._scale: dict[str, dict[str, float]] = {}
        here = self._reached(scenario, {})
        rate = scenario.number("exchange_rate")
        for name, result in outcome.results.items():
            stated = _stated(result, scenario, rate)
            self._scale[name] = {
                key: _factor(stated[key], float(np.ravel(values)[0])) for key, values in here[name].items()
            }

    def read(self, moved: Mapping[str, Array], words: Mapping[str, str] | None = None) -> Readings:
        """The readings with the inputs of `moved` at these values (one a row, all of one length; NaN: not moved)."""
        scenario = self._scenario if words is None else self._scenario.replace(words)
        rows = max((np.size(values) for values in moved.values()), default=1)
        reached = self._reached(scenario, moved)
        limit = _limits(scenario, moved)
        scaled = {
            name: {key: values * self._scale.get(name, {}).get(key, 1.0) for key, values in found.items()}
            for name, found in reached.items()
        }
        over = _overflow(scenario, moved)

        return Readings(
            cost=_table([scaled[name]["cost"] for name in APPROACHES], rows),
            fits=_table([(over[name] <= 0) & allowed(name, scenario) for name in APPROACHES], rows).astype(bool),
            meets={
                aim: _table([judge.within(aim, scaled[name][aim], at) for name in APPROACHES], rows).astype(bool)
                for aim, at in limit.items()
            },
        )

    def _reached(self, scenario: Scenario, moved: Mapping[str, Array]) -> dict[str, dict[str, Array]]:
        unmoved = {name: middle(name, scenario.ranges[name]) for name in moved}
        d = central(scenario, **_filled(moved, unmoved))
        months = costs.calendar(d)
        first = scenario.words["latency_measure"] == "ttft"
        composed = compose(d, scenario.words)
        times = requests.quantiles({name: one.timing for name, one in composed.items()}, (95,))
        return {name: _reached(one, months, times[name][0 if first else 1][0]) for name, one in composed.items()}


def _table(values: Sequence[Any], rows: int) -> NDArray[Any]:
    return np.stack([np.broadcast_to(one, (rows,)) for one in values])


def _reached(one: Approach, months: costs.Calendar, latency: Array) -> dict[str, Array]:
    amounts = costs.paid(one, months)
    first_year, month = costs.first_year(amounts), costs.month(amounts)
    total = costs.cumulative(amounts, months)[-1]
    return {
        "cost": total,
        "latency": latency,
        "accuracy": one.accuracy,
        "freshness": one.delay_longest,
        "launch": one.weeks,
        "total budget": total,
        "first-year budget": first_year,
        "monthly budget": month,
    }


def _stated(result: Result, scenario: Scenario, rate: float) -> dict[str, float]:
    """What the outcome says, in the units of `_reached`."""
    return {
        "cost": result.mean_total / rate,
        "latency": result.latency_range["p50"],
        "accuracy": result.accuracy["p50"],
        "freshness": result.delay_longest["p50"],
        "launch": result.weeks["p50"],
        "total budget": result.total["p50"] / rate,
        "first-year budget": result.first_year["p50"] / rate,
        "monthly budget": result.month["p50"] / rate,
    }


def _filled(moved: Mapping[str, Array], unmoved: Mapping[str, Any]) -> dict[str, Array]:
    return {name: np.where(np.isnan(values), unmoved[name], values) for name, values in moved.items()}


def _factor(stated: float, here: float) -> float:
    return stated / here if here > 0 and stated > 0 else 1.0


def _limits(scenario: Scenario, moved: Mapping[str, Array]) -> dict[str, Array]:
    """Aim -> limit; a budget that is moved counts as soon as it is not 0."""
    found: dict[str, Array] = {aim: np.asarray(at) for aim, at in judge.limits(scenario).items()}
    moved = _filled(moved, {name: scenario.ranges[name][0] for name in moved})
    for aim, name in judge.AIMS.items():
        if name in moved:
            at = np.asarray(moved[name]) * judge.UNITS.get(aim, 1.0)
            found[aim] = np.where(at > 0, at, np.inf) if name.startswith("budget") else at
    return found


def _overflow(scenario: Scenario, moved: Mapping[str, Array]) -> dict[str, Array]:
    """Tokens beyond the context length at the upper ends of all ranges: what fits is decided there."""
    ends: dict[str, Array] = {name: np.asarray(value[1]) for name, value in scenario.ranges.items()}
    d = {**ends, **_filled(moved, ends)}
    return {name: sent(name, d)[1] for name in APPROACHES}
