"""One pure function per formula, vectorised over draws. Every argument is an array of draws or a single number.

Money is in US dollars, time in the unit named. Knows no scenario and no approach. Sources: P1..P6 are in
core/evidence/figures.toml; "ours" marks our own derivation.
"""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

HOURS_PER_MONTH = 730.0
DAYS_PER_MONTH = HOURS_PER_MONTH / 24
FLOAT_BYTES = 4  # float32 vectors
SHORTEST = 0.03  # months between two retrains at least, about a day: what costs nothing would be done without end
FULL = 0.995  # above this utilisation a queue has no steady state within a day; the wait is that of this one


def prompt_tokens(system: Array, history: Array, question: Array, knowledge: Array) -> Array:
    """Tokens sent with one query; `knowledge` is k x chunk, the whole corpus, or 0."""
    return system + history + question + knowledge


def overflow(prompt: Array, answer: Array, context: Array) -> Array:
    """Tokens by which prompt and answer exceed the context length; negative when they fit."""
    return prompt + answer - context


def input_cost(tokens: Array, cacheable: Array, hit_rate: Array, discount: Array, price: Array) -> Array:
    """USD for the prompt of one query: the cache discount applies to the cached part of the input only.

    `price` in USD per million tokens, `hit_rate` and `discount` as shares. Source: providers' price pages.
    """
    return (tokens - hit_rate * discount * cacheable) * price / 1e6


def token_cost(tokens: Array, price: Array) -> Array:
    """USD for `tokens` at `price` USD per million."""
    return tokens * price / 1e6


def vector_gigabytes(corpus: Array, chunk: Array, dimensions: Array) -> Array:
    """Size of the vectors: chunks x dimensions x 4 bytes. `corpus` counts overlap already."""
    return corpus / chunk * dimensions * FLOAT_BYTES / 1e9


def with_overlap(corpus: Array, overlap: Array) -> Array:
    """Tokens to embed when each chunk repeats the share `overlap` of its neighbour."""
    return corpus / (1 - overlap)


def training_tokens(rows: Array, row_tokens: Array, epochs: Array) -> Array:
    """Tokens seen in one training: rows x tokens x epochs."""
    return rows * row_tokens * epochs


def gpu_training_hours(params: Array, tokens: Array, peak: Array, mfu: Array, share: float) -> Array:
    """GPU hours of one training: 6 N D / (peak x MFU x 3600), times LoRA's share of full compute. Sources: P5, P6.

    `params` in parameters, `peak` in operations per second, `mfu` as a share.
    """
    return share * 6 * params * tokens / (peak * mfu * 3600)


def replicas_per_query(seconds: Array, concurrency: Array, utilisation: Array) -> Array:
    """Machine-months that one query takes. Ours: the fleet follows the load, so fractions of a machine count."""
    return seconds / (HOURS_PER_MONTH * 3600 * concurrency * utilisation)


def hosting_month(replica_month: Array, minimum: Array, queries: Array, per_query: Array) -> Array:
    """USD a month for machines: the larger of the minimum and what the load needs."""
    return replica_month * np.maximum(minimum, queries * per_query)


def owned_replica_month(price: Array, months: Array, kilowatts: Array, power_price: Array) -> Array:
    """USD a month for one bought machine: write-off plus electricity around the clock."""
    return price / months + kilowatts * HOURS_PER_MONTH * power_price


def discount_factors(rate: float, months: int) -> Array:
    """(months,) present value of 1 USD at the end of month 1, 2, ...; `rate` a year, as a share."""
    result: Array = (1 + rate) ** (-np.arange(1, months + 1) / 12)
    return result


def retrains_until(interval: Array, horizon: int) -> list[Array]:
    """Retrains done by the end of month 1, ..., `horizon`: one each `interval` months, none at or after the end."""
    most = np.ceil(horizon / interval) - 1
    return [np.minimum(np.floor(month / interval), most) for month in range(1, horizon + 1)]


def queue_wait(
    seconds: Array, servers: Array, utilisation: Array, arrivals: Array, service: Array
) -> tuple[Array, Array]:
    """(chance that a request waits, mean wait in seconds of those that do) before `servers` places, G/G/c.

    Mean wait = (ca2 + cs2) / 2 x s / c x u^(sqrt(2 (c + 1)) - 1) / (1 - u): Kingman's factor for variability over
    Sakasegawa's approximation of M/M/c (exact for c = 1). `arrivals` (ca2) and `service` (cs2) are squared coefficients
    of variation. Source: Q1.
    """
    used = np.clip(utilisation, 0, FULL)
    places = np.maximum(servers, 1)
    chance: Array = used ** (np.sqrt(2 * (places + 1)) - 1)
    return chance, (arrivals + service) / 2 * seconds / (places * (1 - used))


def prefill_rate_roofline(params: Array, peak: Array, efficiency: Array) -> Array:
    """Prompt tokens per second: peak x efficiency / 2 N. Source: P4."""
    return peak * efficiency / (2 * params)


def decode_ms_roofline(params: Array, weight_bytes: Array, bandwidth: Array, efficiency: Array) -> Array:
    """Milliseconds per answer token: model bytes / (bandwidth x efficiency). Source: P4."""
    return params * weight_bytes / (bandwidth * efficiency) * 1000


def fresh_share(churn: Array, interval: Array, lead: Array) -> Array:
    """Share of changing facts that are still right, averaged over the time between two updates. Ours.

    `churn` per month, `interval` between updates and `lead` (age of the knowledge on its first day) in months:
    exp(-c L) (1 - exp(-c T)) / (c T); 1 without churn; exp(-c L) for continuous updates.
    """
    decay = churn * interval
    mean: Array = np.where(decay > 1e-12, -np.expm1(-decay) / np.maximum(decay, 1e-300), 1.0)
    result: Array = np.exp(-churn * lead) * mean
    return result


def fresh_share_within(churn: Array, interval: Array, lead: Array, horizon: Array) -> Array:
    """`fresh_share` averaged over a horizon that the last interval may not fill: n whole intervals and the rest. Ours.

    With n = ceil(H / T) - 1 retrains (none at the horizon's end) and r = H - n T left:
    exp(-c L) (n T m(T) + r m(r)) / H, where m(t) = (1 - exp(-c t)) / (c t).
    """
    each = np.minimum(interval, horizon)
    if not np.any(each):
        return fresh_share(churn, each, lead)
    whole = np.ceil(horizon / np.maximum(each, 1e-9)) - 1
    rest = horizon - whole * each
    mean: Array = (whole * each * fresh_share(churn, each, lead) + rest * fresh_share(churn, rest, lead)) / horizon
    return mean


def accuracy(static: Array, fresh: Array, stale: Array, changing: Array, fresh_part: Array) -> Array:
    """Mean accuracy over static and changing knowledge; all in the same unit, `changing` and `fresh_part` as shares.

    For changing knowledge A_stale + (A_0 - A_stale) x fresh share. Ours.
    """
    return (1 - changing) * static + changing * (stale + (fresh - stale) * fresh_part)


def best_retrain_interval_estimate(cost: Array, churn: Array, loss: Array) -> Array:
    """T* ~ sqrt(2 C / (c Q v (A_0 - A_stale))) in months; `loss` = Q v (A_0 - A_stale) in USD a month. Ours."""
    with np.errstate(divide="ignore", invalid="ignore"):
        result: Array = np.sqrt(2 * cost / (churn * np.maximum(loss, 0)))
    return result


def best_retrain_interval_within(cost: Array, churn: Array, loss: Array, growth: Array, horizon: float) -> Array:
    """The even interval H / (n + 1) that minimises n retrains' cost plus value lost by the horizon; inf for n = 0.

    `loss` in USD a month in the first month, growing by the factor exp(growth) a month. Without growth the best number
    of pieces lies beside H / T* (the sum is convex in it), so its neighbours are tried, growth counted in full. Ours.
    """
    grown = growth * horizon
    mean = np.where(np.abs(grown) > 1e-9, np.expm1(grown) / np.where(grown == 0, 1, grown), 1.0)
    middle = np.atleast_1d(horizon / np.maximum(best_retrain_interval(cost, churn, loss * mean), SHORTEST))
    best, least = np.ones_like(middle), np.full_like(middle, np.inf)
    for step in (None, -1, 0, 1, 2):
        pieces = np.ones_like(middle) if step is None else np.maximum(np.floor(middle) + step, 1)
        spent = (pieces - 1) * cost + _lost(loss, churn, growth, horizon / pieces, pieces)
        best, least = np.where(spent < least, pieces, best), np.minimum(spent, least)
    return np.where(best > 1, horizon / best, np.inf)


def _lost(loss: Array, churn: Array, growth: Array, interval: Array, pieces: Array) -> Array:
    """Value lost to stale answers over `pieces` intervals: the integral of loss e^(g t) (1 - e^(-c age))."""
    starts = _geometric(growth * interval, pieces)
    return loss * starts * (_ramp(growth, interval) - _ramp(growth - churn, interval))


def _ramp(rate: Array, length: Array) -> Array:
    """The integral of e^(rate t) from 0 to length."""
    small = np.abs(rate * length) < 1e-9
    return np.where(small, length, np.expm1(rate * length) / np.where(small, 1.0, rate))


def _geometric(exponent: Array, count: Array) -> Array:
    """1 + e^x + ... + e^((count - 1) x)."""
    small = np.abs(exponent) < 1e-9
    return np.where(small, count, np.expm1(exponent * count) / np.where(small, 1.0, np.expm1(exponent)))


def best_retrain_interval(cost: Array, churn: Array, loss: Array) -> Array:
    """The interval that minimises retrain cost plus value lost to stale answers, in months; inf when none pays. Ours.

    Solves 1 - exp(-x) (1 + x) = c C / loss for x = c T by Newton's method; the estimate above is its limit for small x.
    """
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        right = np.atleast_1d(np.asarray(churn * cost / np.maximum(loss, 0)))
        pays = (right < 1) & (np.asarray(churn) > 0)
        target = np.where(pays, right, 0.5)
        x = np.sqrt(2 * target) + target  # right of the root where the curve is convex, left where it is concave
        for _ in range(14):
            x = np.maximum(x - (1 - np.exp(-x) * (1 + x) - target) / np.maximum(x * np.exp(-x), 1e-300), x / 4)
        return np.where(pays, x / churn, np.inf)
