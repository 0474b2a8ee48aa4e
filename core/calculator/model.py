"""From a scenario to an outcome: draw every range, price what fits, choose, summarise over draws.

The currency's exchange rate enters here, in the summaries; everything before is in US dollars.
"""

import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.calculator import breakeven, costs, judge, requests
from core.calculator import formulas as f
from core.calculator.approaches import EXIT, FACTS, Approach, Fit, compose, fit
from core.calculator.costs import Calendar, calendar, cost_line, cumulative, sum_of, total_parts
from core.calculator.draws import Draws, percentiles, percentiles_of, rows_percentiles, sample
from core.calculator.formulas import Array
from core.calculator.inputs import Scenario
from core.calculator.weights import CRITERIA, Stability, stability
from core.calculator.worth import Worth, worths

COST_PERCENTILES = (5, 25, 50, 75, 95)
BAND_PERCENTILES = (5, 50, 95)  # of every month
REQUEST_PERCENTILES = (50, 95, 99)
RANGE_PERCENTILES = (5, 50, 95)
MOST_DRAWS = 40_000  # how many draws a close choice may take
WORKERS = os.cpu_count() or 1
WORTH_A_LOOK = (
    0.1  # an approach that meets its targets in fewer draws is no candidate when asking what to measure first
)


@dataclass(frozen=True)
class Exit:
    """The vendor's retirement of the model within the horizon: how likely, and its present value."""

    chance: float  # share of draws with at least one
    cost: dict[str, float]
    mean: float


@dataclass(frozen=True)
class Result:
    """One approach that fits. Percentiles over draws are by name ('p5'); money in the scenario's currency.

    `latency` and `ttft` are percentiles over requests, in the median draw ('95 of 100 requests'); `latency_range` says
    how uncertain their p95 is: its percentiles over draws, in the measure that the target means.
    """

    total: dict[str, float]  # present value over the horizon
    mean_total: float  # what the recommendation compares
    first_year: dict[str, float]  # up to launch and twelve months after it, not discounted
    month: dict[str, float]  # mean a month after launch, not discounted
    per_query: dict[str, float] | None  # present value of cost over present value of queries; None without queries
    per_right: dict[str, float] | None  # the same a right answer
    wrong_answers: dict[str, float]  # within the horizon
    wrong_cost: dict[str, float] | None  # their present value; None when a wrong answer costs nothing
    parts: dict[str, float]  # mean cost a query by part (or mean total cost, without queries)
    months: dict[str, list[float]]  # cumulative cost, month 0 to horizon, by percentile
    latency_parts: dict[str, float]  # mean ms
    ttft: dict[str, float]  # ms
    latency: dict[str, float]
    latency_range: dict[str, float]
    within_target: float  # share of draws whose p95 is within the required latency
    accuracy: dict[str, float]
    accurate: float  # share of draws that reach the required accuracy
    stale: dict[str, float]  # % of all answers stale at any moment
    delay_mean: dict[str, float]  # hours
    delay_longest: dict[str, float]  # hours
    fresh_enough: float
    weeks: dict[str, float]
    in_time: float
    net_value: dict[str, float] | None  # value of right answers less cost of wrong ones less total cost
    query_energy: dict[str, float] | None  # Wh a query, training spread over all; None without queries
    energy: dict[str, float]  # kWh over the horizon
    query_carbon: dict[str, float] | None  # g CO2e
    carbon: dict[str, float]  # kg CO2e
    exit: Exit | None  # None on own weights
    met: dict[str, float]  # aim -> share of draws that meet it
    meets: dict[str, bool]  # aim -> whether the median draw meets it; budgets only when set
    all_met: float  # share of draws that meet every target
    cheapest: float  # share of draws in which it is the cheapest that fits
    retrain: dict[str, Any] | None  # best interval, for fine-tuning


@dataclass(frozen=True)
class Outcome:
    """Everything that comes out of a scenario."""

    fits: dict[str, Fit]
    results: dict[str, Result]  # of the approaches that fit
    crossings: list[breakeven.Crossing]  # every pair that fits
    choice: judge.Choice  # the recommendation, and what else is possible within the sampling error
    cheapest: str | None  # of the lowest mean cost
    stability: Stability | None  # under the stakeholders' weights; None without weights
    worth: list[Worth]  # what measuring first is worth, dearest first
    worth_of_everything: float
    by_value: str | None  # of the highest expected net value, which `worth` is about

    @property
    def recommended(self) -> str | None:
        """The approach of the lowest mean cost among those that meet every target; None when none does."""
        return self.choice.recommended


@dataclass(frozen=True)
class _Priced:
    """An approach with what its draws cost and reach."""

    approach: Approach
    line: Array  # (1 + horizon, draws) cumulative present value
    ttft: Array  # (3, draws) over requests
    latency: Array
    reached: Mapping[str, Array]  # by aim of judge.AIMS


def evaluate(scenario: Scenario) -> Outcome:
    """Draw, compose, price what fits, choose, summarise. Same scenario and seed, same outcome to the last digit."""
    d, fits, limit = sample(scenario), fit(scenario), judge.limits(scenario)
    months = calendar(d)
    with ThreadPoolExecutor(WORKERS) as pool:  # NumPy lets threads work side by side
        priced = _price(d, fits, months, scenario, pool)
        choice, met = _choice(scenario, fits, priced, pool)
        wins = _wins({name: one.line[-1] for name, one in priced.items()})
        curves = {name: cost_line(one.approach, months) for name, one in priced.items()}
        crossed = pool.map(
            lambda pair: breakeven.crossing(
                pair, (curves[pair[0]], curves[pair[1]]), (priced[pair[0]].line, priced[pair[1]].line)
            ),
            combinations(priced, 2),
        )
        made = pool.map(lambda name: _result(name, priced[name], wins[name], met[name], months, d, scenario), priced)
        results, crossings = dict(zip(priced, made, strict=True)), list(crossed)
    net = _net_by_target(priced, results, limit, months, d)
    worth, everything = worths(scenario, net)
    return Outcome(
        fits=fits,
        results=results,
        crossings=crossings,
        choice=choice,
        cheapest=min(results, key=lambda name: results[name].mean_total) if results else None,
        stability=stability(
            _by_criterion(results, scenario), {name: scenario.number(f"weight_{name}") for name in CRITERIA}
        ),
        worth=worth,
        worth_of_everything=everything,
        by_value=max(net, key=lambda name: float(np.mean(net[name]))) if net else None,
    )


def decide(scenario: Scenario) -> judge.Choice:
    """The choice of `evaluate` alone, without the summaries."""
    d, fits = sample(scenario), fit(scenario)
    with ThreadPoolExecutor(WORKERS) as pool:
        return _choice(scenario, fits, _price(d, fits, calendar(d), scenario, pool), pool)[0]


@lru_cache(maxsize=32)
def _evaluate_cached(key: tuple[Any, ...]) -> Outcome:
    return evaluate(Scenario(dict(key[0]), dict(key[1])))


def evaluate_cached(scenario: Scenario) -> Outcome:
    """`evaluate`, remembering the last outcomes: pages ask again at every click."""
    return _evaluate_cached((tuple(sorted(scenario.ranges.items())), tuple(sorted(scenario.words.items()))))


def _price(
    d: Draws, fits: Mapping[str, Fit], months: Calendar, scenario: Scenario, pool: ThreadPoolExecutor
) -> dict[str, _Priced]:
    """What fits, priced."""
    chosen = {name: one for name, one in compose(d, scenario.words, pool.map).items() if fits[name].fits}
    first = scenario.words["latency_measure"] == "ttft"
    some = slice(requests.worlds(scenario.number("draws")))
    times = requests.quantiles(
        {name: one.timing.some(some) for name, one in chosen.items()}, REQUEST_PERCENTILES, pool.map
    )
    made = pool.map(lambda name: _priced(chosen[name], months, first, *times[name]), chosen)
    return dict(zip(chosen, made, strict=True))


def _priced(one: Approach, months: Calendar, first: bool, ttft: Array, latency: Array) -> _Priced:
    amounts = costs.paid(one, months)
    first_year, month = costs.first_year(amounts), costs.month(amounts)
    line = cumulative(amounts, months)
    reached = {
        "latency": (ttft if first else latency)[REQUEST_PERCENTILES.index(95)],
        "accuracy": one.accuracy,
        "freshness": one.delay_longest,
        "launch": one.weeks,
        "total budget": line[-1],
        "first-year budget": first_year,
        "monthly budget": month,
    }
    return _Priced(one, line, ttft, latency, reached)


def _choice(
    scenario: Scenario, fits: Mapping[str, Fit], priced: Mapping[str, _Priced], pool: ThreadPoolExecutor
) -> tuple[judge.Choice, dict[str, dict[str, judge.Chance]]]:
    """The choice and the chances by aim; a close one is made again over MOST_DRAWS draws, which begin with the same."""
    limit = judge.limits(scenario)
    met = {name: judge.chances(one.reached, limit) for name, one in priced.items()}
    choice = judge.choose({name: one.line[-1] for name, one in priced.items()}, met)
    if not choice.close or scenario.number("draws") >= MOST_DRAWS:
        return choice, met
    more = scenario.replace({"draws": MOST_DRAWS})
    d = sample(more)
    return _choice(more, fits, _price(d, fits, calendar(d), more, pool), pool)


def _wins(total: Mapping[str, Array]) -> dict[str, float]:
    """Share of draws in which each is the cheapest; a tie goes to the first."""
    if not total:
        return {}
    least = np.argmin(np.stack(np.broadcast_arrays(*total.values())), axis=0)
    return {name: float(np.mean(least == at)) for at, name in enumerate(total)}


def _result(
    name: str,
    priced: _Priced,
    wins: float,
    met: Mapping[str, judge.Chance],
    months: Calendar,
    d: Draws,
    scenario: Scenario,
) -> Result:
    rate, one, line, reached = scenario.number("exchange_rate"), priced.approach, priced.line, priced.reached
    asked = bool(np.all(months.asked > 0))
    right = months.all_queries * one.accuracy / 100
    per = months.all_queries if asked else np.ones(())
    share = {aim: chance.share for aim, chance in judge.chances(reached, judge.limits(scenario)).items()}
    paid = {
        "total": line[-1] * rate,
        "first_year": reached["first-year budget"] * rate,
        "month": reached["monthly budget"] * rate,
        **({"per_query": line[-1] * rate / per} if asked else {}),
        **({"per_right": line[-1] * rate / right} if asked and np.all(right > 0) else {}),
    }
    cost = percentiles_of(paid, COST_PERCENTILES)
    over = percentiles_of(_over_draws(one, line[-1], months, d, rate), RANGE_PERCENTILES)
    return Result(
        total=cost["total"],
        mean_total=float(np.mean(line[-1])) * rate,
        first_year=cost["first_year"],
        month=cost["month"],
        per_query=cost.get("per_query"),
        per_right=cost.get("per_right"),
        wrong_answers=over["wrong_answers"],
        wrong_cost=over.get("wrong_cost"),
        parts={part: float(np.mean(amount * rate / per)) for part, amount in total_parts(one, months).items()},
        months={name: (row * rate).tolist() for name, row in rows_percentiles(line, BAND_PERCENTILES).items()},
        latency_parts={part: float(np.mean(time)) for part, time in one.latency.items()},
        ttft=_median_draw(priced.ttft),
        latency=_median_draw(priced.latency),
        latency_range=percentiles(reached["latency"], RANGE_PERCENTILES),
        within_target=share["latency"],
        accuracy=over["accuracy"],
        accurate=share["accuracy"],
        stale=over["stale"],
        delay_mean=over["delay_mean"],
        delay_longest=over["delay_longest"],
        fresh_enough=share["freshness"],
        weeks=over["weeks"],
        in_time=share["launch"],
        net_value=over.get("net_value"),
        query_energy=over.get("query_energy"),
        energy=over["energy"],
        query_carbon=over.get("query_carbon"),
        carbon=over["carbon"],
        exit=_exit(one, months, rate),
        met={aim: chance.share for aim, chance in met.items()},
        meets={aim: chance.met for aim, chance in met.items()},
        all_met=float(np.mean(_all_met(reached, judge.limits(scenario)))),
        cheapest=wins,
        retrain=_retrain(one, d, rate) if name == "fine-tuning" else None,
    )


def _over_draws(one: Approach, cost: Array, months: Calendar, d: Draws, rate: float) -> dict[str, Array]:
    """What is summarised over draws, by field of `Result`; left out where it says nothing."""
    wrong, used, asked = 1 - one.accuracy / 100, costs.energy(one, months), bool(np.all(months.asked > 0))
    found = {
        "wrong_answers": months.asked * wrong,
        "accuracy": one.accuracy,
        "stale": d["changing_share"] * (1 - one.fresh),
        "delay_mean": one.delay_mean,
        "delay_longest": one.delay_longest,
        "weeks": one.weeks,
        "energy": used,
        "carbon": used * d["grid"] / 1000,
    }
    if asked:
        found |= {"query_energy": used * 1000 / months.asked, "query_carbon": used * d["grid"] / months.asked}
    if np.any(d["cost_per_wrong"]):
        found["wrong_cost"] = months.all_queries * wrong * d["cost_per_wrong"] * rate
    if np.any(d["value_per_correct"]):
        found["net_value"] = _net(one, cost, months, d) * rate
    return found


def _median_draw(times: Array) -> dict[str, float]:
    middle = rows_percentiles(times, (50,))["p50"]
    return {f"p{p}": float(value) for p, value in zip(REQUEST_PERCENTILES, middle, strict=True)}


def _all_met(reached: Mapping[str, Array], limit: Mapping[str, float]) -> NDArray[np.bool_]:
    """Whether every target is met, over the draws whose requests were worked out."""
    met: NDArray[np.bool_] = np.ones((), dtype=bool)
    for aim, at in limit.items():
        here = judge.within(aim, reached[aim], at)
        met = met & (here[: requests.WORLDS] if np.ndim(here) else here)
    return met


def _net(one: Approach, cost: Array, months: Calendar, d: Draws) -> Array:
    """USD: present value of right answers, less what wrong ones cost, less the total cost."""
    right = one.accuracy / 100
    each = right * d["value_per_correct"] - (1 - right) * d["cost_per_wrong"]
    return np.asarray(months.all_queries * each - cost)


def _net_by_target(
    priced: Mapping[str, _Priced],
    results: Mapping[str, Result],
    limit: Mapping[str, float],
    months: Calendar,
    d: Draws,
) -> dict[str, Array]:
    """Net value over draws of what may be chosen; right answers count where every target is met. Ours."""
    net = {}
    for name, one in priced.items():
        if all(results[name].meets.values()) or results[name].all_met >= WORTH_A_LOOK:
            met = _all_met(one.reached, limit)
            gained = np.asarray(months.all_queries * one.approach.accuracy / 100 * d["value_per_correct"])
            net[name] = _head(_net(one.approach, one.line[-1], months, d)) - np.where(met, 0.0, _head(gained))
    return net


def _head(values: Array) -> Array:
    return values[: requests.WORLDS] if np.ndim(values) else values


def _exit(one: Approach, months: Calendar, rate: float) -> Exit | None:
    if EXIT not in one.events:
        return None
    cost = sum_of(one.events[EXIT]) * months.all_events[EXIT] * rate
    return Exit(float(np.mean(months.count(EXIT) > 0)), percentiles(cost, RANGE_PERCENTILES), float(np.mean(cost)))


def _by_criterion(results: Mapping[str, Result], scenario: Scenario) -> dict[str, dict[str, float]]:
    first = scenario.words["latency_measure"] == "ttft"
    return {
        name: {
            "cost": one.mean_total,
            "latency": (one.ttft if first else one.latency)["p95"],
            "freshness": one.delay_longest["p50"],
            "accuracy": one.accuracy["p50"],
            "risk": 1 - one.all_met * (1 - (one.exit.chance if one.exit else 0.0)),
        }
        for name, one in results.items()
    }


def _retrain(one: Approach, d: Draws, rate: float) -> dict[str, Any]:
    """The best retrain interval in months (infinite where no retrain within the horizon pays), and the estimate."""
    changing = d["queries"] * d["changing_share"] / 100
    loss = changing * d["value_per_correct"] * (d["acc_tuned_static"] - d["acc_stale"]) / 100
    cost, churn = sum_of(one.events[FACTS]), d["churn"] / 100
    growth = np.log1p(np.maximum(d["growth"], -99) / 100)
    best = f.best_retrain_interval_within(cost, churn, np.maximum(loss, 0), growth, float(d["horizon"]))
    return {
        "best_months": percentiles(best, RANGE_PERCENTILES),
        "estimate_months": percentiles(f.best_retrain_interval_estimate(cost, churn, loss), RANGE_PERCENTILES),
        "pays": float(np.mean(np.isfinite(best))),
        "cost": percentiles(cost * rate, RANGE_PERCENTILES),
    }
