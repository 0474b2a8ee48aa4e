"""How single requests differ within one draw: lengths, cache hits, waits; and the percentiles that follow.

A draw is one way the world may be (what is uncertain); a request is one of the many in that world (what varies). They
are kept apart: every draw has its own p50, p95 and p99 over the same POINTS requests, spread evenly over the unit cube,
so that no randomness is added and the draws stay comparable. Knows no approach and no price.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from statistics import NormalDist

import numpy as np

from core.calculator.formulas import Array

POINTS = 64
WORLDS = 4000  # draws whose requests are worked out: of 10,000 draws; of more draws more of them, up to MOST_WORLDS
MOST_WORLDS = 16_000


@dataclass(frozen=True)
class Timing:
    """What the time of a request is made of, over draws: ms, tokens, tokens a second, shares as named."""

    fixed_ms: Array  # network, retrieval, rerank; or a document's total
    ms_per_read: Array  # prefill, ms a token
    steady_tokens: Array  # read with every request: system prompt, passages or corpus
    varying_tokens: Array  # question and history, as long as this request's are
    cacheable: Array
    hit: Array  # share of requests that find the cacheable part cached
    answer_tokens: Array
    ms_per_token: Array
    wait_chance: Array
    wait_ms: Array  # mean wait of those that wait
    spread: Array  # standard deviation of lengths as a share of their mean

    def first(self, count: int) -> "Timing":
        """The same for the first `count` draws."""
        return Timing(*(value[:count] if np.ndim(value) else value for value in vars(self).values()))


def worlds(draws: float) -> int:
    """Of so many draws, how many have their requests worked out."""
    return int(min(max(WORLDS, draws * 0.4), MOST_WORLDS))


def lengths(spread: Array) -> tuple[Array, Array]:
    """(length of the question and history, length of the answer) of every request as a share of the draw's mean:
    (draws, POINTS) each, log-normal. The same for all approaches, so it is worked out once."""
    question, answer, _, _ = _requests()
    sigma = np.sqrt(np.log1p(np.reshape(spread, (-1, 1)) ** 2))
    return np.exp(sigma * question - sigma**2 / 2), np.exp(sigma * answer - sigma**2 / 2)


def quantiles(timing: Timing, wanted: Sequence[int], shares: tuple[Array, Array]) -> tuple[Array, Array]:
    """(TTFT, total) in ms: arrays (len(wanted), draws), the percentiles over the requests of each draw.

    `shares` are the `lengths` of requests.
    """
    t = Timing(*(np.reshape(value, (-1, 1)) for value in vars(timing).values()))
    _, _, hit, wait = _requests()
    asked, answered = shares
    read = t.varying_tokens * asked + (t.steady_tokens - np.where(hit < t.hit, t.cacheable, 0.0))
    waited = t.wait_ms * np.log(np.maximum(t.wait_chance / (1 - wait), 1.0))
    first = np.maximum(read, 0, out=read) * t.ms_per_read + (t.fixed_ms + waited)
    written = t.answer_tokens * answered - 1
    total = first + np.maximum(written, 0, out=written) * t.ms_per_token
    return _ranked(first, wanted), _ranked(total, wanted)


@cache
def _requests() -> tuple[Array, Array, Array, Array]:
    """(normal deviate of the question, of the answer, uniform of the hit, uniform of the wait), each (POINTS,).

    Roberts' R4 sequence: multiples of the powers of 1 / g, g the root of g^5 = g + 1, spread the points evenly.
    """
    root = 1.1673039782614187
    points = (0.5 + np.outer(np.arange(1, POINTS + 1), root ** -np.arange(1.0, 5.0))) % 1
    deviate = np.vectorize(NormalDist().inv_cdf)
    return deviate(points[:, 0]), deviate(points[:, 1]), points[:, 2], points[:, 3]


def _ranked(times: Array, wanted: Sequence[int]) -> Array:
    """Percentiles along the requests, straight between ranks: (len(wanted), draws)."""
    ranked = np.sort(times, axis=1) if times.shape[1] > 1 else times
    rows = []
    for p in wanted:
        place = p / 100 * (ranked.shape[1] - 1)
        low, part = int(place), place - int(place)
        high = min(low + 1, ranked.shape[1] - 1)
        rows.append(ranked[:, low] + (ranked[:, high] - ranked[:, low]) * part)
    return np.stack(rows)
