"""From a scenario to an outcome: draws every range, composes the four approaches, summarises what comes out.

Every range is drawn once and shared by all approaches (common random numbers), each from a stream of its own (seed and
name), so that changing one input leaves the other draws as they were. Formulas live in formulas.py; this module knows
which approach uses which. Amounts are US dollars until the summary, where the exchange rate enters.
"""

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import combinations, pairwise
from typing import Any

import numpy as np

from core.calculator import breakeven
from core.calculator import formulas as f
from core.calculator.formulas import Array
from core.calculator.inputs import Scenario, every

APPROACHES = ("prompt", "retrieval", "fine-tuning", "hybrid")
COST_PERCENTILES = (5, 25, 50, 75, 95)
BAND_PERCENTILES = (5, 50, 95)  # of every month
LATENCY_PERCENTILES = (50, 95, 99)
RANGE_PERCENTILES = (5, 50, 95)
LATENCY_TARGET_SHARE = 0.95

Draws = Mapping[str, Array]


# ------------------------------------------------------------------------------------------------------------- draws
def sample(scenario: Scenario) -> dict[str, Array]:
    """One array (draws,) for each range, a 0-d array for each single value; `cache_is_hit` is 1 or 0 a draw."""
    count, seed = int(scenario.number("draws")), int(scenario.number("seed"))
    draws = {name: _draw(name, value, count, seed) for name, value in scenario.ranges.items()}
    hit = draws["cache_hit"] / 100
    certain = hit.ndim == 0 and hit in (0, 1)
    draws["cache_is_hit"] = hit if certain else (_uniform("cache_is_hit", count, seed) < hit).astype(float)
    return draws


def central(scenario: Scenario, **changes: Array) -> dict[str, Array]:
    """Every input at the middle of its range, as 0-d arrays, except `changes`; the cache hits in its mean share."""
    draws = {name: np.asarray(middle(name, value)) for name, value in scenario.ranges.items()} | changes
    return {**draws, "cache_is_hit": draws["cache_hit"] / 100}


def middle(name: str, value: tuple[float, float]) -> float:
    """The median of a range's distribution."""
    low, high = value
    return float(np.sqrt(low * high)) if _is_log(name, low) and low != high else (low + high) / 2


def _draw(name: str, value: tuple[float, float], count: int, seed: int) -> Array:
    low, high = value
    if low == high:
        return np.asarray(low)
    uniform = _uniform(name, count, seed)
    if _is_log(name, low):
        return np.asarray(low * np.exp(uniform * np.log(high / low)))
    return low + uniform * (high - low)


def _is_log(name: str, low: float) -> bool:
    return every()[name].shape == "log" and low > 0


def _uniform(name: str, count: int, seed: int) -> Array:
    return np.random.default_rng((seed, zlib.crc32(name.encode()))).random(count)


# -------------------------------------------------------------------------------------------------------- approaches
@dataclass(frozen=True)
class Approach:
    """One approach over draws. Costs in USD by part: at launch, a month, at each retrain, a query; times as named."""

    prompt: Array  # tokens a query
    overflow: Array  # tokens beyond the context length; negative when it fits
    setup: Mapping[str, Array]
    monthly: Mapping[str, Array]
    retrain: Mapping[str, Array]
    per_query: Mapping[str, Array]
    replica_month: Array  # USD
    min_replicas: Array
    replicas_per_query: Array  # machine-months
    latency: Mapping[str, Array]  # ms by part
    after_first_token: frozenset[str]  # parts of the latency that do not count towards TTFT
    accuracy: Array  # %
    fresh: Array  # share of changing facts that are right, averaged over time
    delay_mean: Array  # hours from a changed fact to a right answer
    delay_longest: Array
    weeks: Array  # to first launch


def compose(d: Draws, words: Mapping[str, str]) -> dict[str, Approach]:
    """The four approaches for drawn inputs `d` and choices `words`."""
    return {name: _approach(name, d, words) for name in APPROACHES}


def _approach(name: str, d: Draws, words: Mapping[str, str]) -> Approach:
    tuned = name in ("fine-tuning", "hybrid")
    retrieves = name in ("retrieval", "hybrid")
    system = d["tuned_system_tokens"] if tuned else d["system_tokens"]
    passages = d["top_k"] * d["chunk_tokens"]
    knowledge = passages if retrieves else d["corpus_tokens"] if name == "prompt" else np.asarray(0.0)
    prompt = f.prompt_tokens(system, d["history_tokens"], d["question_tokens"], knowledge)
    cacheable = system + d["corpus_tokens"] if name == "prompt" else system
    charged = prompt - passages if retrieves and words["retrieval_cost_from"] == "document" else prompt
    model_cost, machine = _hosting(tuned, charged, prompt, cacheable, d, words)
    indexing = _retrieval_costs(d, words) if retrieves else _NONE
    training = _training_cost(d, words) if tuned else np.asarray(0.0)
    interval, lead = _update(name, d)
    fresh = f.fresh_share(d["churn"] / 100, interval, lead)
    latency = _latency(retrieves, prompt - d["cache_is_hit"] * cacheable, d, words)
    retrain_hours, label = d["retrain_hours"] * d["hour_rate"], d["labelled_rows"] * d["label_cost"]
    return Approach(
        prompt=prompt,
        overflow=f.overflow(prompt, d["answer_tokens"], d["context_tokens"]),
        setup={
            "people": _people(name, "setup_hours", d),
            **indexing["setup"],
            **({"training": training, "labels": label} if tuned else {}),
        },
        monthly={"people": _people(name, "month_hours", d), **indexing["monthly"]},
        retrain={"people": retrain_hours, "training": training, "labels": label * d["relabel_share"] / 100}
        if tuned
        else {},
        per_query={**model_cost, **indexing["per_query"]},
        **machine,
        latency=latency,
        after_first_token=frozenset({"decode"}),
        accuracy=_accuracy(name, fresh, d),
        fresh=fresh,
        delay_mean=(interval / 2 + lead) * f.HOURS_PER_MONTH,
        delay_longest=(interval + lead) * f.HOURS_PER_MONTH,
        weeks=_weeks(name, d),
    )


_NONE: Mapping[str, Mapping[str, Array]] = {"setup": {}, "monthly": {}, "per_query": {}}
_OWN_PARTS = {
    "prompt": ("prompt",),
    "retrieval": ("retrieval",),
    "fine-tuning": ("tuning",),
    "hybrid": ("retrieval", "tuning"),
}


def _people(name: str, kind: str, d: Draws) -> Array:
    """USD for people's hours; hybrid needs both parts' hours."""
    hours = sum((d[f"{part}_{kind}"] for part in _OWN_PARTS[name]), start=np.asarray(0.0))
    return hours * d["hour_rate"]


def _weeks(name: str, d: Draws) -> Array:
    """Weeks to first launch. Labelling precedes training; hybrid builds both parts at once, so the longer counts."""
    tuning = d["tuning_setup_days"] / 7 + d["labelled_rows"] / d["label_rows_per_week"]
    retrieval = d["retrieval_setup_days"] / 7
    times = {"prompt": d["prompt_setup_days"] / 7, "retrieval": retrieval, "fine-tuning": tuning}
    return times[name] if name in times else np.maximum(tuning, retrieval)


def _update(name: str, d: Draws) -> tuple[Array, Array]:
    """(months between two updates, months until an update is in service)."""
    if name == "fine-tuning":
        return np.minimum(d["retrain_months"], d["horizon"]), d["retrain_days"] / f.DAYS_PER_MONTH
    hours = d["prompt_update_hours"] if name == "prompt" else d["reindex_hours"]
    return np.asarray(0.0), hours / f.HOURS_PER_MONTH


def _accuracy(name: str, fresh: Array, d: Draws) -> Array:
    """Mean accuracy in %; hybrid is retrieval's plus a gain that may be a loss, kept within 0 to 100."""
    static, current = {
        "prompt": ("acc_prompt", "acc_prompt"),
        "fine-tuning": ("acc_tuned_static", "acc_tuned_static"),
    }.get(name, ("acc_retrieval_static", "acc_retrieval_fresh"))
    mean = f.accuracy(d[static], d[current], d["acc_stale"], d["changing_share"] / 100, fresh)
    return np.clip(mean + d["hybrid_gain"], 0, 100) if name == "hybrid" else mean


def _hosting(
    tuned: bool, charged: Array, prompt: Array, cacheable: Array, d: Draws, words: Mapping[str, str]
) -> tuple[dict[str, Array], dict[str, Array]]:
    """Token costs of one query (API), or what machines cost (dedicated, own); the other one is nothing."""
    way = words["tuned_hosting"] if tuned else "same"
    premium = d["tuned_multiplier"] if way == "premium" else np.asarray(1.0)
    way = words["hosting"] if way == "same" else "api" if way == "premium" else way
    zero = np.asarray(0.0)
    if way == "api":
        hit, discount = d["cache_hit"] / 100, d["cache_discount"] / 100
        tokens = {
            "input tokens": f.input_cost(charged, cacheable, hit, discount, d["price_in"] * premium),
            "output tokens": f.token_cost(d["answer_tokens"], d["price_out"] * premium),
        }
        return tokens, {"replica_month": zero, "min_replicas": zero, "replicas_per_query": zero}
    prefill_rate, decode_ms = _speed(d, words)
    read = prompt - d["cache_hit"] / 100 * cacheable
    seconds = f.service_seconds(read, d["answer_tokens"], prefill_rate, decode_ms / 1000)
    month = d["dedicated_hour_price"] * f.HOURS_PER_MONTH
    if way == "own":
        month = f.owned_replica_month(d["machine_price"], d["machine_months"], d["machine_power"], d["power_price"])
    per_query = f.replicas_per_query(seconds, d["concurrency"], d["utilisation"] / 100)
    return {}, {"replica_month": month, "min_replicas": d["min_replicas"], "replicas_per_query": per_query}


def _retrieval_costs(d: Draws, words: Mapping[str, str]) -> dict[str, dict[str, Array]]:
    """Index, store, query embedding and rerank, in USD."""
    indexed = f.with_overlap(d["corpus_tokens"], d["chunk_overlap"] / 100)
    whole = f.token_cost(indexed, d["embedding_price"])
    gigabytes = f.vector_gigabytes(indexed, d["chunk_tokens"], d["embedding_dimensions"])
    if words["retrieval_cost_from"] == "document":
        per_query = {"retrieval (document)": d["retrieval_query_cost"]}
    else:
        per_query = {
            "query embedding": f.token_cost(d["question_tokens"], d["embedding_price"]),
            "rerank": d["rerank_price"] / 1000,
        }
    return {
        "setup": {"store set-up": d["retrieval_setup"], "embedding": whole},
        "monthly": {
            "vector store": d["vector_monthly"] + gigabytes * d["vector_price"],
            "embedding": whole * (d["churn"] / 100 + d["reembeds_per_year"] / 12),
        },
        "per_query": per_query,
    }


def _training_cost(d: Draws, words: Mapping[str, str]) -> Array:
    """USD for one training, without people and labels."""
    if words["training_from"] == "document":
        return d["training_document"]
    tokens = f.training_tokens(d["labelled_rows"], d["row_tokens"], d["epochs"])
    if words["training_from"] == "api":
        return f.token_cost(tokens, d["training_price"])
    share = 2 / 3 if words["training_method"] == "lora" else 1.0
    peak, mfu = d["gpu_peak_tflops"] * 1e12, d["mfu"] / 100
    return f.gpu_training_hours(d["model_params"] * 1e9, tokens, peak, mfu, share) * d["gpu_hour_price"]


def _speed(d: Draws, words: Mapping[str, str]) -> tuple[Array, Array]:
    """(prefill tokens per second, decode ms per token)."""
    if words["speed_from"] == "rates":
        return d["prefill_rate"], d["decode_ms"]
    params, efficiency = d["model_params"] * 1e9, d["inference_efficiency"] / 100
    prefill = f.prefill_rate_roofline(params, d["gpu_peak_tflops"] * 1e12, efficiency)
    return prefill, f.decode_ms_roofline(params, d["weight_bytes"], d["gpu_bandwidth"] * 1e9, efficiency)


def _latency(retrieves: bool, read_tokens: Array, d: Draws, words: Mapping[str, str]) -> dict[str, Array]:
    """Parts of the latency in ms, in the order in which they happen."""
    if words["latency_from"] == "document":
        return {"document": d["document_latency_retrieval" if retrieves else "document_latency_tuned"]}
    prefill_rate, decode_ms = _speed(d, words)
    parts = {"network": d["network_ms"], "queue": d["queue_ms"]}
    if retrieves:
        parts |= {"retrieval": d["retrieval_ms"], "rerank": d["rerank_ms"]}
    parts["prefill"] = read_tokens / prefill_rate * 1000
    parts["decode"] = np.maximum(d["answer_tokens"] - 1, 0) * decode_ms
    return parts


# --------------------------------------------------------------------------------------------------------- costs
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
        name: np.where(one.overflow > 0, np.inf, _sum(total_parts(one, months))) for name, one in approaches.items()
    }


def cost_line(approach: Approach, months: Calendar) -> breakeven.Line:
    """The total as a function of a steady number of queries a month, for break-even."""
    fixed = _sum(approach.setup) + _sum(approach.monthly) * months.monthly
    fixed = fixed + _sum(approach.retrain) * months.all_retrains
    return breakeven.Line(
        fixed=fixed,
        per_query=_sum(approach.per_query) * months.monthly,
        machine=approach.replica_month * months.monthly,
        minimum=approach.min_replicas,
        share=approach.replicas_per_query,
    )


def cumulative(approach: Approach, months: Calendar) -> list[Array]:
    """Present value in USD of all costs up to the end of month 0 (set-up), 1, ..., horizon."""
    monthly, retrain, per_query = (_sum(one) for one in (approach.monthly, approach.retrain, approach.per_query))
    machines = bool(np.any(approach.replica_month))
    lines = [_sum(approach.setup)]
    for factor, queries, retrains in zip(months.factors, months.queries, months.retrains, strict=True):
        amount = monthly + per_query * queries
        if approach.retrain:
            amount = amount + retrain * retrains
        if machines:
            a = approach
            amount = amount + f.hosting_month(a.replica_month, a.min_replicas, queries, a.replicas_per_query)
        lines.append(lines[-1] + factor * amount)
    return lines


def _sum(parts: Mapping[str, Array]) -> Array:
    total = np.zeros(())
    for amount in parts.values():
        total = total + amount
    return total


# ----------------------------------------------------------------------------------------------------------- outcome
@dataclass(frozen=True)
class Fit:
    """Whether the prompt fits at the upper end of every range, and by how many tokens it does not."""

    fits: bool
    prompt_tokens: float
    over_by: float
    fits_at_low_end: bool


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
    results = {
        name: _result(name, one, lines[name], wins[name], months, d, scenario) for name, one in approaches.items()
    }
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


def accuracy_over_time(scenario: Scenario, points_a_month: int = 10) -> tuple[list[float], dict[str, list[float]]]:
    """(months, accuracy in % of each approach that fits), every input at the middle of its range.

    Fine-tuning falls after each retrain as facts change; the others follow a change after their short delay.
    """
    d = {name: float(value) for name, value in central(scenario).items()}
    months = np.linspace(0, d["horizon"], int(d["horizon"]) * points_a_month + 1)
    since_retrain = np.mod(months, d["retrain_months"])
    curves = {}
    for name, fits in fit(scenario).items():
        interval, lead = _update(name, {key: np.asarray(value) for key, value in d.items()})
        age = lead + (since_retrain if interval > 0 else np.zeros_like(months))
        fresh = np.exp(-d["churn"] / 100 * age)
        if fits.fits:
            curves[name] = _accuracy(name, fresh, {key: np.asarray(value) for key, value in d.items()}).tolist()
    return months.tolist(), curves


def fit(scenario: Scenario) -> dict[str, Fit]:
    """Feasible before cheap: does the longest prompt that the ranges allow fit into the context?"""
    ends = []
    for end in (1, 0):
        d = {name: np.asarray(value[end]) for name, value in scenario.ranges.items()}
        ends.append(compose({**d, "cache_is_hit": np.zeros(())}, scenario.words))
    return {
        name: Fit(
            fits=bool(ends[0][name].overflow <= 0),
            prompt_tokens=float(ends[0][name].prompt),
            over_by=max(0.0, float(ends[0][name].overflow)),
            fits_at_low_end=bool(ends[1][name].overflow <= 0),
        )
        for name in APPROACHES
    }


def percentiles(values: Array, wanted: Sequence[int]) -> dict[str, float]:
    """{'p5': ..., ...} with linear interpolation between ranks; a single value is all its percentiles."""
    if values.ndim == 0 or values.size == 1:
        return {f"p{p}": float(values.flat[0]) for p in wanted}
    positions = [p / 100 * (values.size - 1) for p in wanted]
    below = [int(position) for position in positions]
    ranked = np.partition(values, sorted({*below, *(min(at + 1, values.size - 1) for at in below)}))
    result = {}
    for p, position, at in zip(wanted, positions, below, strict=True):
        low, high = float(ranked[at]), float(ranked[min(at + 1, values.size - 1)])
        result[f"p{p}"] = low + (high - low) * (position - at) if high != low else low
    return result


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
    whole = _sum(one.latency)
    first = _sum({part: time for part, time in one.latency.items() if part not in one.after_first_token})
    measured = first if scenario.words["latency_measure"] == "ttft" else whole
    latency, accuracy = percentiles(whole, LATENCY_PERCENTILES), percentiles(one.accuracy, RANGE_PERCENTILES)
    longest, weeks = (percentiles(values, RANGE_PERCENTILES) for values in (one.delay_longest, one.weeks))
    target = {aim: scenario.number(f"{aim}_target") for aim in ("latency", "accuracy", "freshness", "launch")}
    per = months.asked if has_queries else np.ones(())
    return Result(
        total=percentiles(line[-1] * rate, COST_PERCENTILES),
        per_query=percentiles(line[-1] * rate / months.asked, COST_PERCENTILES) if has_queries else None,
        parts={part: float(np.mean(amount * rate / per)) for part, amount in total_parts(one, months).items()},
        months={f"p{p}": [band[f"p{p}"] * rate for band in bands] for p in BAND_PERCENTILES},
        latency_parts={part: float(np.mean(time)) for part, time in one.latency.items()},
        ttft=percentiles(first, LATENCY_PERCENTILES),
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
            "latency": percentiles(measured, (95,))["p95"] <= target["latency"],
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
    cost, churn = _sum(one.retrain), d["churn"] / 100
    best = f.best_retrain_interval(cost, churn, loss)
    estimate = f.best_retrain_interval_estimate(cost, churn, loss)
    pays = float(np.mean(np.isfinite(best)))
    return {
        "best_months": percentiles(best, RANGE_PERCENTILES),
        "estimate_months": percentiles(estimate, RANGE_PERCENTILES),
        "pays": pays,
        "cost": percentiles(cost, RANGE_PERCENTILES),
    }
