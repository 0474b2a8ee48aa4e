"""The four approaches, composed from the formulas: which uses which, for drawn inputs.

Prompt only sends the whole corpus, retrieval k passages, fine-tuning neither, hybrid passages to a fine-tuned model.
Amounts are US dollars. Knows no months (costs.py) and no summaries (model.py).
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields, replace

import numpy as np

from core.approaches import APPROACHES as APPROACHES
from core.calculator import formulas as f
from core.calculator.draws import Draws, central
from core.calculator.formulas import Array
from core.calculator.inputs import Scenario
from core.calculator.requests import Timing
from core.evidence import figures

USES = {name: f"use_{name.replace('-', '_')}" for name in APPROACHES}  # the input that says whether it may be used


@dataclass(frozen=True)
class Approach:
    """One approach over draws. Costs in USD by part: at launch, a month, at each event, a query; times as named."""

    prompt: Array  # tokens a query
    overflow: Array  # tokens beyond the context length; negative when it fits
    setup: Mapping[str, Array]
    monthly: Mapping[str, Array]
    events: Mapping[str, Mapping[str, Array]]  # by name of the event in costs.Calendar: a retrain, the vendor's exit
    per_query: Mapping[str, Array]
    replica_month: Array  # USD
    min_replicas: Array
    replicas_per_query: Array  # machine-months
    latency: Mapping[str, Array]  # mean ms by part
    timing: Timing  # the same for single requests
    accuracy: Array  # %
    fresh: Array  # share of changing facts that are right, averaged over time
    delay_mean: Array  # hours from a changed fact to a right answer
    delay_longest: Array
    weeks: Array  # to first launch
    query_energy: Array  # kWh, of the tokens at an API
    machine_power: Array  # kW of one machine, busy or idle
    training_energy: Array  # kWh of one training


def compose(d: Draws, words: Mapping[str, str], each: Callable[..., Iterable[Approach]] = map) -> dict[str, Approach]:
    """The four approaches for drawn inputs `d` and choices `words`. `each`: a `map`, perhaps a pool's."""
    return dict(zip(APPROACHES, each(lambda name: _approach(name, d, words), APPROACHES), strict=True))


def way_of(name: str, words: Mapping[str, str]) -> str:
    """Where an approach's model runs: 'api', 'dedicated' or 'own'. A vendor's exit concerns the first alone."""
    way = words["tuned_hosting"] if name in TUNED else "same"
    return {"same": words["hosting"], "premium": "api", "priced": "api"}.get(way, way)


def sent(name: str, d: Draws) -> tuple[Array, Array]:
    """Tokens sent with one query, and tokens beyond the context length (negative when they fit)."""
    knowledge = d["corpus_tokens"] if name == "prompt" else _passages(d) if name in RETRIEVING else _ZERO
    tokens = f.prompt_tokens(_system(name, d), d["history_tokens"], d["question_tokens"], knowledge)
    return tokens, f.overflow(tokens, d["answer_tokens"], d["context_tokens"])


def _approach(name: str, d: Draws, words: Mapping[str, str]) -> Approach:
    tuned, retrieves = name in TUNED, name in RETRIEVING
    way = way_of(name, words)
    prompt, overflow = sent(name, d)
    cacheable = _system(name, d) + d["corpus_tokens"] if name == "prompt" else _system(name, d)
    charged = prompt - _passages(d) if retrieves and words["retrieval_cost_from"] == "document" else prompt
    indexing = _retrieval_costs(d, words) if retrieves else _NONE
    training = _training_cost(d, words) if tuned else _ZERO
    interval, lead = _update(name, d)
    fresh = f.fresh_share_within(d["churn"] / 100, interval, lead, d["horizon"])
    timing, waiting = _timing(name, way, prompt, cacheable, d, words)
    labels = d["labelled_rows"] * d["label_cost"]
    retrain = {
        "people": d["retrain_hours"] * d["hour_rate"],
        "training": training,
        "labels": labels * d["relabel_share"] / 100,
    }
    building = {"training": training, "labels": labels} if tuned else {}
    energy, machine_power = _energy(way, prompt - d["cache_hit"] / 100 * cacheable, d)
    return Approach(
        prompt=prompt,
        overflow=overflow,
        setup={"people": _people(name, "setup_hours", d), **indexing["setup"], **building},
        monthly={"people": _people(name, "month_hours", d), **indexing["monthly"]},
        events={
            **({FACTS if name == "fine-tuning" else BEHAVIOUR: retrain} if tuned else {}),
            **({EXIT: {"vendor's exit": _exit_cost(tuned, retrain, d)}} if way == "api" else {}),
        },
        per_query={**_token_costs(name, way, charged, cacheable, d, words), **indexing["per_query"]},
        **_machines(way, timing, d),
        latency=_latency(retrieves, timing, waiting, d, words),
        timing=_documents(retrieves, d) if words["latency_from"] == "document" else timing,
        accuracy=_accuracy(name, fresh, d),
        fresh=fresh,
        delay_mean=(interval / 2 + lead) * f.HOURS_PER_MONTH,
        delay_longest=(interval + lead) * f.HOURS_PER_MONTH,
        weeks=_weeks(name, d, words),
        query_energy=energy,
        machine_power=machine_power,
        training_energy=_training_energy(d, words) if tuned else _ZERO,
    )


FACTS, BEHAVIOUR, EXIT = "retrain for facts", "retrain for behaviour", "vendor's exit"
TUNED, RETRIEVING = ("fine-tuning", "hybrid"), ("retrieval", "hybrid")
_ZERO = np.zeros(())
_NONE: Mapping[str, Mapping[str, Array]] = {"setup": {}, "monthly": {}, "per_query": {}}
_OWN_PARTS = {
    "prompt": ("prompt",),
    "retrieval": ("retrieval",),
    "fine-tuning": ("tuning",),
    "hybrid": ("retrieval", "tuning"),
}


def event_months(d: Draws) -> dict[str, Array]:
    """Months between two events of each kind."""
    return {FACTS: d["retrain_months"], BEHAVIOUR: d["behaviour_retrain_months"], EXIT: d["retirement_months"]}


def _system(name: str, d: Draws) -> Array:
    return d["tuned_system_tokens" if name in TUNED else "system_tokens"]


def _passages(d: Draws) -> Array:
    return d["top_k"] * d["chunk_tokens"]


def _hours(name: str, kind: str, d: Draws) -> Array:
    """People's hours; hybrid needs both parts'."""
    return sum((d[f"{part}_{kind}"] for part in _OWN_PARTS[name]), start=_ZERO)


def _people(name: str, kind: str, d: Draws) -> Array:
    return _hours(name, kind, d) * d["hour_rate"]


def _weeks(name: str, d: Draws, words: Mapping[str, str]) -> Array:
    """Weeks to first launch. Labels come before training; hybrid builds its retrieval while others label.

    By hours the same people build both parts of hybrid in turn; by the documents' days the longer part counts.
    """
    labelling = d["labelled_rows"] / d["label_rows_per_week"]
    if words["launch_from"] == "document":
        tuning = d["tuning_setup_days"] / 7 + labelling
        retrieval = d["retrieval_setup_days"] / 7
        times = {"prompt": d["prompt_setup_days"] / 7, "retrieval": retrieval, "fine-tuning": tuning}
        return times[name] if name in times else np.maximum(tuning, retrieval)
    week = d["people"] * d["week_hours"]
    if name not in TUNED:
        return _hours(name, "setup_hours", d) / week
    before = d["retrieval_setup_hours"] / week if name == "hybrid" else _ZERO
    return np.maximum(before, labelling) + d["tuning_setup_hours"] / week


def _exit_cost(tuned: bool, retrain: Mapping[str, Array], d: Draws) -> Array:
    """USD when the vendor retires the model: the move, and for a fine-tune training once more or setting up anew.

    `tuning_ends` is 1 where the successor cannot be tuned (its chance, in the middle of the ranges).
    """
    move = d["migration_hours"] * d["hour_rate"]
    if not tuned:
        return move
    anew = d["tuning_setup_hours"] * d["hour_rate"] + retrain["training"] + retrain["labels"]
    again = sum(retrain.values(), start=_ZERO)
    return move + again + d["tuning_ends"] * np.maximum(anew - again, 0)


def _update(name: str, d: Draws) -> tuple[Array, Array]:
    """(months between two updates, months until an update is in service)."""
    if name == "fine-tuning":
        return np.minimum(d["retrain_months"], d["horizon"]), d["retrain_days"] / f.DAYS_PER_MONTH
    hours = d["prompt_update_hours"] if name == "prompt" else d["reindex_hours"]
    return _ZERO, hours / f.HOURS_PER_MONTH


def _accuracy(name: str, fresh: Array, d: Draws) -> Array:
    """Mean accuracy in %; hybrid is retrieval's plus a gain that may be a loss, kept within 0 to 100.

    Without a passage, or without a row, the base model alone is left; below one passage (below `rows_for_effect` rows)
    the gain over it shrinks in proportion. Ours.
    """
    static, current = {
        "prompt": ("acc_prompt", "acc_prompt"),
        "fine-tuning": ("acc_tuned_static", "acc_tuned_static"),
    }.get(name, ("acc_retrieval_static", "acc_retrieval_fresh"))
    mean = f.accuracy(d[static], d[current], d["acc_stale"], d["changing_share"] / 100, fresh)
    taught = np.minimum(d["labelled_rows"] / d["rows_for_effect"], 1.0)
    if name == "fine-tuning":
        return d["acc_alone"] + (mean - d["acc_alone"]) * taught
    if name in RETRIEVING:
        mean = d["acc_alone"] + (mean - d["acc_alone"]) * np.minimum(d["top_k"], 1.0)
    return np.clip(mean + d["hybrid_gain"] * taught, 0, 100) if name == "hybrid" else mean


def _token_costs(
    name: str, way: str, charged: Array, cacheable: Array, d: Draws, words: Mapping[str, str]
) -> dict[str, Array]:
    """USD of one query's tokens at an API; nothing on machines."""
    if way != "api":
        return {}
    own = words["tuned_hosting"] if name in TUNED else "same"
    premium = d["tuned_multiplier"] if own == "premium" else np.ones(())
    price_in, price_out = (d[f"tuned_price_{end}" if own == "priced" else f"price_{end}"] for end in ("in", "out"))
    hit, discount = d["cache_hit"] / 100, d["cache_discount"] / 100
    return {
        "input tokens": f.input_cost(charged, cacheable, hit, discount, price_in * premium),
        "output tokens": f.token_cost(d["answer_tokens"], price_out * premium),
    }


def _machines(way: str, timing: Timing, d: Draws) -> dict[str, Array]:
    """What machines cost a month, how many there are at least, how much of one a query takes; nothing at an API."""
    if way == "api":
        return {"replica_month": _ZERO, "min_replicas": _ZERO, "replicas_per_query": _ZERO}
    month = d["dedicated_hour_price"] * f.HOURS_PER_MONTH
    if way == "own":
        month = f.owned_replica_month(d["machine_price"], d["machine_months"], d["machine_power"], d["power_price"])
    per_query = f.replicas_per_query(_service_seconds(timing, d), d["concurrency"], d["utilisation"] / 100)
    return {"replica_month": month, "min_replicas": d["min_replicas"], "replicas_per_query": per_query}


def _service_seconds(timing: Timing, d: Draws) -> Array:
    """Seconds that a mean request keeps its place on a machine."""
    read = timing.steady_tokens + timing.varying_tokens - timing.hit * timing.cacheable
    return (read * timing.ms_per_read + timing.answer_tokens * timing.ms_per_token) / 1000


def _energy(way: str, read: Array, d: Draws) -> tuple[Array, Array]:
    """(kWh of one query's tokens at an API, kW of one machine), with the building's overhead; without embedding."""
    if way != "api":
        return _ZERO, d["machine_power"] * d["pue"]
    return (read * d["energy_in"] + d["answer_tokens"] * d["energy_out"]) / 1e6 * d["pue"], _ZERO


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
    if words["training_from"] == "api":
        return f.token_cost(f.training_tokens(d["labelled_rows"], d["row_tokens"], d["epochs"]), d["training_price"])
    return _gpu_hours(d, words) * d["gpu_hour_price"]


def _training_energy(d: Draws, words: Mapping[str, str]) -> Array:
    """kWh of one training, whoever runs it: GPU hours by 6 N D x the machine's power x the building's overhead."""
    return _gpu_hours(d, words) * d["machine_power"] * d["pue"]


def _gpu_hours(d: Draws, words: Mapping[str, str]) -> Array:
    tokens = f.training_tokens(d["labelled_rows"], d["row_tokens"], d["epochs"])
    share = figures.get("P6.lora-share").range[0] if words["training_method"] == "lora" else 1.0
    peak, mfu = d["gpu_peak_tflops"] * 1e12, d["mfu"] / 100
    return f.gpu_training_hours(d["model_params"] * 1e9, tokens, peak, mfu, share)


def _speed(d: Draws, words: Mapping[str, str]) -> tuple[Array, Array]:
    """(prefill tokens per second, decode ms per token)."""
    if words["speed_from"] == "rates":
        return d["prefill_rate"], d["decode_ms"]
    params, efficiency = d["model_params"] * 1e9, d["inference_efficiency"] / 100
    prefill = f.prefill_rate_roofline(params, d["gpu_peak_tflops"] * 1e12, efficiency)
    return prefill, f.decode_ms_roofline(params, d["weight_bytes"], d["gpu_bandwidth"] * 1e9, efficiency)


def _timing(
    name: str, way: str, prompt: Array, cacheable: Array, d: Draws, words: Mapping[str, str]
) -> tuple[Timing, Array]:
    """(what the times of requests are made of, mean wait in ms over all requests)."""
    prefill_rate, decode_ms = _speed(d, words)
    varying = d["history_tokens"] + d["question_tokens"]
    added = d["retrieval_ms"] + d["rerank_ms"] if name in RETRIEVING else _ZERO
    timing = Timing(
        fixed_ms=d["network_ms"] + added,
        ms_per_read=1000 / prefill_rate,
        steady_tokens=prompt - varying,
        varying_tokens=varying,
        cacheable=cacheable,
        hit=d["cache_hit"] / 100,
        answer_tokens=d["answer_tokens"],
        ms_per_token=decode_ms,
        wait_chance=np.ones(()),
        wait_ms=d["queue_ms"],
        spread=d["length_spread"] / 100,
    )
    if way == "api":
        return timing, d["queue_ms"]
    chance, seconds = _queue(timing, d)
    return replace(timing, wait_chance=chance, wait_ms=seconds * 1000), chance * seconds * 1000


def _queue(timing: Timing, d: Draws) -> tuple[Array, Array]:
    """(chance of a wait, its mean in seconds) on the machines that the load of the first month asks for."""
    service = _service_seconds(timing, d)
    busy = d["queries"] * service / (f.HOURS_PER_MONTH * 3600)  # requests in service at a time
    machines = np.maximum(d["min_replicas"], busy / (d["concurrency"] * d["utilisation"] / 100))
    places = machines * d["concurrency"]
    used = np.divide(busy, places, out=np.zeros(np.broadcast(busy, places).shape), where=places > 0)
    reading, writing = timing.varying_tokens * timing.ms_per_read, timing.answer_tokens * timing.ms_per_token
    hits = timing.hit * (1 - timing.hit) * (timing.cacheable * timing.ms_per_read) ** 2
    spread = (timing.spread**2 * (reading**2 + writing**2) + hits) / np.maximum(service * 1000, 1e-300) ** 2
    at_work = np.maximum(machines, 1.0) * d["concurrency"]  # part of a machine is a whole one for part of the time
    return f.queue_wait(service, at_work, used, d["burstiness"] ** 2, spread)


def _documents(retrieves: bool, d: Draws) -> Timing:
    """A document's total, the same for every request: it says nothing of how requests differ."""
    total = d["document_latency_retrieval" if retrieves else "document_latency_tuned"]
    return Timing(total, *(_ZERO for _ in range(len(fields(Timing)) - 1)))


def _latency(retrieves: bool, t: Timing, waiting: Array, d: Draws, words: Mapping[str, str]) -> dict[str, Array]:
    """Mean ms by part, in the order in which they happen."""
    if words["latency_from"] == "document":
        return {"document": _documents(retrieves, d).fixed_ms}
    parts = {"network": d["network_ms"], "queue": waiting}
    if retrieves:
        parts |= {"retrieval": d["retrieval_ms"], "rerank": d["rerank_ms"]}
    parts["prefill"] = (t.steady_tokens + t.varying_tokens - t.hit * t.cacheable) * t.ms_per_read
    parts["decode"] = np.maximum(t.answer_tokens - 1, 0) * t.ms_per_token
    return parts


@dataclass(frozen=True)
class Fit:
    """Whether it may be used and its prompt fits at the upper end of every range; by how many tokens it does not."""

    fits: bool
    allowed: bool  # no requirement rules it out
    prompt_tokens: float
    over_by: float
    fits_at_low_end: bool


def allowed(name: str, scenario: Scenario) -> bool:
    """Whether no requirement rules the approach out."""
    return scenario.words[USES[name]] == "yes"


def fit(scenario: Scenario) -> dict[str, Fit]:
    """Feasible before cheap: does the longest prompt that the ranges allow fit into the context?"""
    low, high = ({name: np.asarray(value[end]) for name, value in scenario.ranges.items()} for end in (0, 1))
    found = {}
    for name in APPROACHES:
        tokens, over = (float(value) for value in sent(name, high))
        may = allowed(name, scenario)
        found[name] = Fit(over <= 0 and may, may, tokens, max(0.0, over), bool(sent(name, low)[1] <= 0))
    return found


def accuracy_over_time(scenario: Scenario, points_a_month: int = 10) -> tuple[list[float], dict[str, list[float]]]:
    """(months, accuracy in % of each approach that fits), every input at the middle of its range.

    Fine-tuning falls after each retrain as facts change; the others follow a change after their short delay.
    """
    d = {name: float(value) for name, value in central(scenario).items()}
    months = np.linspace(0, d["horizon"], int(d["horizon"]) * points_a_month + 1)
    every = d["retrain_months"]
    last = max(np.ceil(d["horizon"] / every) - 1, 0)  # none at the horizon's end
    since_retrain = months - every * np.minimum(np.floor(months / every), last)
    curves = {}
    for name, fits in fit(scenario).items():
        interval, lead = _update(name, {key: np.asarray(value) for key, value in d.items()})
        age = lead + (since_retrain if interval > 0 else np.zeros_like(months))
        fresh = np.exp(-d["churn"] / 100 * age)
        if fits.fits:
            curves[name] = _accuracy(name, fresh, {key: np.asarray(value) for key, value in d.items()}).tolist()
    return months.tolist(), curves
