"""From a scenario to an outcome: draw every range, price what fits, summarise over draws.

The currency's exchange rate enters here, in the summaries; everything before is in US dollars.
"""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations
from typing import Any

import numpy as np

from core.calculator import breakeven
from core.calculator import formulas as f
from core.calculator.approaches import Approach, Fit, compose, fit
from core.calculator.costs import Calendar, calendar, cost_line, cumulative, sum_of, total_parts
from core.calculator.draws import Draws, percentiles, sample
from core.calculator.formulas import Array
from core.calculator.inputs import Scenario

COST_PERCENTILES = (5, 25, 50, 75, 95)
BAND_PERCENTILES = (5, 50, 95)  # of every month
LATENCY_PERCENTILES = (50, 95, 99)
RANGE_PERCENTILES = (5, 50, 95)


@dataclass(frozen=True)
class Result:
    """One approach that fits. Percentiles are by name ('p5'); money in the scenario's currency."""

    total: dict[str, float]
    per_query: dict[str, float] | None  # None without queries
    parts: dict[str, float]  # mean cost a query by part (or mean total cost, without queries)
    months: dict[str, list[float]]  # cumulative cost, month 0 to horizon, by percentile
    latency_parts: dict[str, float]  # mean ms
    ttft: dict[str, float]
    latency: dict[str, float]
    within_target: float  # share of draws within the required latency
    accuracy: dict[str, float]
    accurate: float  # share of draws that reach the required accuracy
    stale: dict[str, float]  # % of all answers stale at any moment
    delay_mean: dict[str, float]  # hours
    delay_longest: dict[str, float]  # hours
    fresh_enough: float
    weeks: dict[str, float]
    in_time: float
    net_value: dict[str, float] | None
    meets: dict[str, bool]  # latency, accuracy, freshness, launch
    cheapest: float  # share of draws in which it is the cheapest that fits
    retrain: dict[str, Any] | None  # best interval, for fine-tuning


@dataclass(frozen=True)
class Outcome:
    """Everything that comes out of a scenario."""

    fits: dict[str, Fit]
    results: dict[str, Result]  # of the approaches that fit
    crossings: list[breakeven.Crossing]  # every pair that fits
    recommended: str | None  # the cheapest that meets every target
    cheapest: str | None  # most often the cheapest


def evaluate(scenario: Scenario) -> Outcome:
    """Draw, compose, price what fits, summarise. Same scenario and seed, same outcome to the last digit."""
    d = sample(scenario)
    fits = fit(scenario)
    approaches = {name: one for name, one in compose(d, scenario.words).items() if fits[name].fits}
    months = calendar(d)
    lines = {name: cumulative(one, months) for name, one in approaches.items()}
    wins = _wins({name: line[-1] for name, line in lines.items()})
    curves = {name: cost_line(one, months) for name, one in approaches.items()}
    # Ranking the draws of every month is most of the work, and NumPy lets threads do it side by side.
    with ThreadPoolExecutor() as pool:
        made = pool.map(
            lambda name: _result(name, approaches[name], lines[name], wins[name], months, d, scenario), approaches
        )
        results = dict(zip(approaches, made, strict=True))
    crossings = [
        breakeven.crossing((a, b), (curves[a], curves[b]), (lines[a], lines[b])) for a, b in combinations(approaches, 2)
    ]
    good = {name: lines[name][-1] for name, result in results.items() if all(result.meets.values())}
    return Outcome(fits, results, crossings, _most(_wins(good)), _most(wins))


@lru_cache(maxsize=32)
def _evaluate_cached(key: tuple[Any, ...]) -> Outcome:
    return evaluate(Scenario(dict(key[0]), dict(key[1])))


def evaluate_cached(scenario: Scenario) -> Outcome:
    """`evaluate`, remembering the last outcomes: pages ask again at every click."""
    return _evaluate_cached((tuple(sorted(scenario.ranges.items())), tuple(sorted(scenario.words.items()))))


def _wins(total: Mapping[str, Array]) -> dict[str, float]:
    """Share of draws in which each is the cheapest; a tie goes to the first."""
    if not total:
        return {}
    least = np.argmin(np.stack(np.broadcast_arrays(*total.values())), axis=0)
    return {name: float(np.mean(least == at)) for at, name in enumerate(total)}


def _most(wins: Mapping[str, float]) -> str | None:
    return max(wins, key=lambda name: wins[name]) if wins else None


def _result(
    name: str, one: Approach, line: list[Array], wins: float, months: Calendar, d: Draws, scenario: Scenario
) -> Result:
    rate = scenario.number("exchange_rate")
    bands = [percentiles(amount, BAND_PERCENTILES) for amount in line]
    has_queries = bool(np.all(months.asked > 0))
    whole = sum_of(one.latency)
    first = sum_of({part: time for part, time in one.latency.items() if part not in one.after_first_token})
    streams = scenario.words["latency_measure"] == "ttft"
    measured = first if streams else whole
    latency, accuracy = percentiles(whole, LATENCY_PERCENTILES), percentiles(one.accuracy, RANGE_PERCENTILES)
    ttft = percentiles(first, LATENCY_PERCENTILES)
    longest, weeks = (percentiles(values, RANGE_PERCENTILES) for values in (one.delay_longest, one.weeks))
    target = {aim: scenario.number(f"{aim}_target") for aim in ("latency", "accuracy", "freshness", "launch")}
    per = months.asked if has_queries else np.ones(())
    return Result(
        total=percentiles(line[-1] * rate, COST_PERCENTILES),
        per_query=percentiles(line[-1] * rate / months.asked, COST_PERCENTILES) if has_queries else None,
        parts={part: float(np.mean(amount * rate / per)) for part, amount in total_parts(one, months).items()},
        months={f"p{p}": [band[f"p{p}"] * rate for band in bands] for p in BAND_PERCENTILES},
        latency_parts={part: float(np.mean(time)) for part, time in one.latency.items()},
        ttft=ttft,
        latency=latency,
        within_target=float(np.mean(measured <= target["latency"])),
        accuracy=accuracy,
        accurate=float(np.mean(one.accuracy >= target["accuracy"])),
        stale=percentiles(d["changing_share"] * (1 - one.fresh), RANGE_PERCENTILES),
        delay_mean=percentiles(one.delay_mean, RANGE_PERCENTILES),
        delay_longest=longest,
        fresh_enough=float(np.mean(one.delay_longest <= target["freshness"] * 24)),
        weeks=weeks,
        in_time=float(np.mean(one.weeks <= target["launch"])),
        net_value=_net_value(one, line[-1], months, d, rate),
        meets={
            "latency": (ttft if streams else latency)["p95"] <= target["latency"],
            "accuracy": accuracy["p50"] >= target["accuracy"],
            "freshness": longest["p50"] <= target["freshness"] * 24,
            "launch": weeks["p50"] <= target["launch"],
        },
        cheapest=wins,
        retrain=_retrain(one, d) if name == "fine-tuning" else None,
    )


def _net_value(one: Approach, cost: Array, months: Calendar, d: Draws, rate: float) -> dict[str, float] | None:
    """Present value of right answers minus cost; None when no value was given."""
    if not np.any(d["value_per_correct"]):
        return None
    gained = months.all_queries * one.accuracy / 100 * d["value_per_correct"]
    return percentiles((gained - cost) * rate, RANGE_PERCENTILES)


def _retrain(one: Approach, d: Draws) -> dict[str, Any]:
    """The best retrain interval in months (infinite at a percentile at which no retrain pays), and its estimate."""
    changing = d["queries"] * d["changing_share"] / 100
    loss = changing * d["value_per_correct"] * (d["acc_tuned_static"] - d["acc_stale"]) / 100
    cost, churn = sum_of(one.retrain), d["churn"] / 100
    best = f.best_retrain_interval(cost, churn, loss)
    estimate = f.best_retrain_interval_estimate(cost, churn, loss)
    pays = float(np.mean(np.isfinite(best)))
    return {
        "best_months": percentiles(best, RANGE_PERCENTILES),
        "estimate_months": percentiles(estimate, RANGE_PERCENTILES),
        "pays": pays,
        "cost": percentiles(cost, RANGE_PERCENTILES),
    }
