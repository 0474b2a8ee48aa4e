"""The four approaches, composed from the formulas: which uses which, for drawn inputs.

Prompt only sends the whole corpus, retrieval k passages, fine-tuning neither, hybrid passages to a fine-tuned model.
Amounts are US dollars. Knows no months (costs.py) and no summaries (model.py).
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from core.approaches import APPROACHES as APPROACHES
from core.calculator import formulas as f
from core.calculator.draws import Draws, central
from core.calculator.formulas import Array
from core.calculator.inputs import Scenario


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
    price_in, price_out = (d[f"tuned_price_{end}" if way == "priced" else f"price_{end}"] for end in ("in", "out"))
    way = words["hosting"] if way == "same" else "api" if way in ("premium", "priced") else way
    zero = np.asarray(0.0)
    if way == "api":
        hit, discount = d["cache_hit"] / 100, d["cache_discount"] / 100
        tokens = {
            "input tokens": f.input_cost(charged, cacheable, hit, discount, price_in * premium),
            "output tokens": f.token_cost(d["answer_tokens"], price_out * premium),
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


@dataclass(frozen=True)
class Fit:
    """Whether the prompt fits at the upper end of every range, and by how many tokens it does not."""

    fits: bool
    prompt_tokens: float
    over_by: float
    fits_at_low_end: bool


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
