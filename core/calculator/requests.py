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
from numpy.typing import NDArray

from core.calculator.formulas import Array

POINTS = 64
WORLDS = 4000  # draws whose requests are worked out: of 10,000 draws; of more draws more of them, up to MOST_WORLDS
MOST_WORLDS = 16_000
BLOCK = 512  # draws worked on at a time: their requests stay in the processor's cache


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

    def some(self, draws: slice) -> "Timing":
        """The same for some of the draws."""
        return Timing(*(value[draws] if np.ndim(value) else value for value in vars(self).values()))


def worlds(draws: float) -> int:
    """Of so many draws, how many have their requests worked out."""
    return int(min(max(WORLDS, draws * 0.4), MOST_WORLDS))


@dataclass(frozen=True)
class Requests:
    """What requests are like whatever the approach, so that it is worked out once: (draws, POINTS) each."""

    asked_tokens: Array  # of question and history
    cached: NDArray[np.bool_]  # finds the cacheable part cached
    writing_ms: Array  # after the first token

    def some(self, draws: slice) -> "Requests":
        """The same for some of the draws."""
        asked, cached, writing = (value if len(value) == 1 else value[draws] for value in vars(self).values())
        return Requests(asked, cached, writing)


def made(timing: Timing) -> Requests:
    """The requests of every draw, lengths log-normal around their mean; any approach's timing says what is shared."""
    t = _columns(timing)
    question, answer, hit, _ = _points()
    sigma = np.sqrt(np.log1p(t.spread**2))
    written = t.answer_tokens * np.exp(sigma * answer - sigma**2 / 2) - 1
    return Requests(
        asked_tokens=t.varying_tokens * np.exp(sigma * question - sigma**2 / 2),
        cached=hit < t.hit,
        writing_ms=np.maximum(written, 0, out=written) * t.ms_per_token,
    )


def quantiles(timing: Timing, wanted: Sequence[int], requests: Requests) -> tuple[Array, Array]:
    """(TTFT, total) in ms: arrays (len(wanted), draws), the percentiles over the requests of each draw."""
    count = max(len(value) for value in (*vars(_columns(timing)).values(), *vars(requests).values()))
    blocks = [slice(at, at + BLOCK) for at in range(0, count, BLOCK)]
    ranked = [_quantiles(timing.some(block), wanted, requests.some(block)) for block in blocks]
    return np.concatenate([first for first, _ in ranked], axis=1), np.concatenate([all_ for _, all_ in ranked], axis=1)


def _quantiles(timing: Timing, wanted: Sequence[int], requests: Requests) -> tuple[Array, Array]:
    t = _columns(timing)
    read = requests.asked_tokens + (t.steady_tokens - np.where(requests.cached, t.cacheable, 0.0))
    waited = t.wait_ms * np.log(np.maximum(t.wait_chance / (1 - _points()[3]), 1.0))
    first = np.maximum(read, 0, out=read) * t.ms_per_read + (t.fixed_ms + waited)
    return _ranked(first, wanted), _ranked(first + requests.writing_ms, wanted)


def _columns(timing: Timing) -> Timing:
    """The same with draws along the first axis of two, for requests along the second."""
    return Timing(*(np.reshape(value, (-1, 1)) for value in vars(timing).values()))


@cache
def _points() -> tuple[Array, Array, Array, Array]:
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
