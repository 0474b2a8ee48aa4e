"""How single requests differ within one draw: lengths, cache hits, waits; and the percentiles that follow.

A draw is one way the world may be (what is uncertain); a request is one of the many in that world (what varies). They
are kept apart: every draw has its own p50, p95 and p99 over the same POINTS requests, spread evenly over the unit cube,
so that no randomness is added and the draws stay comparable. Knows no approach and no price.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from statistics import NormalDist
from typing import Any

import numpy as np

from core.calculator.formulas import Array

POINTS = 64
WORLDS = 4000  # draws whose requests are worked out: of 10,000 draws; of more draws more of them, up to MOST_WORLDS
MOST_WORLDS = 16_000
BLOCK = 1024  # draws worked on at a time: their requests stay in the processor's cache


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
        return Timing(*(value[draws] if np.size(value) > 1 else value for value in vars(self).values()))


def worlds(draws: float) -> int:
    """Of so many draws, how many have their requests worked out."""
    return int(min(max(WORLDS, draws * 0.4), MOST_WORLDS))


def quantiles(
    timings: Mapping[str, Timing], wanted: Sequence[int], each: Callable[..., Iterable[Any]] = map
) -> dict[str, tuple[Array, Array]]:
    """By approach (TTFT, total) in ms: arrays (len(wanted), draws), the percentiles over the requests of each draw.

    Question, answer, cache and their spread are the same for every approach: any timing says them. `each`: a `map` that
    may work on several blocks of draws at a time.
    """
    columns = {name: _columns(timing) for name, timing in timings.items()}
    count = max((len(value) for t in columns.values() for value in vars(t).values()), default=0)
    blocks = [slice(at, at + BLOCK) for at in range(0, count, BLOCK)]
    done = list(each(lambda block: _block({name: t.some(block) for name, t in columns.items()}, wanted), blocks))
    return {
        name: (
            np.concatenate([one[name][0] for one in done], axis=1),
            np.concatenate([one[name][1] for one in done], axis=1),
        )
        for name in timings
    }


def _block(timings: Mapping[str, Timing], wanted: Sequence[int]) -> dict[str, tuple[Array, Array]]:
    """`quantiles` of so few draws that their requests stay in the processor's cache. Lengths are log-normal."""
    question, answer, hit, wait = _points()
    t = next(iter(timings.values()))
    sigma = np.sqrt(np.log1p(t.spread**2))
    asked = t.varying_tokens * np.exp(sigma * question - sigma**2 / 2)
    cached = hit < t.hit
    writing = t.answer_tokens * np.exp(sigma * answer - sigma**2 / 2) - 1
    np.maximum(writing, 0, out=writing)
    writing = writing * t.ms_per_token
    found = {}
    for name, t in timings.items():
        first = asked + (t.steady_tokens - np.where(cached, t.cacheable, 0.0))
        np.maximum(first, 0, out=first)
        waited = t.wait_ms * np.log(np.maximum(t.wait_chance / (1 - wait), 1.0))
        first = first * t.ms_per_read + (t.fixed_ms + waited)
        whole = _ranked(first + writing, wanted)
        found[name] = _ranked(first, wanted), whole
    return found


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
    """Percentiles along the requests, straight between ranks: (len(wanted), draws). Sorts `times`."""
    times.sort(axis=1)
    rows = []
    for p in wanted:
        place = p / 100 * (times.shape[1] - 1)
        low, part = int(place), place - int(place)
        high = min(low + 1, times.shape[1] - 1)
        rows.append(times[:, low] + (times[:, high] - times[:, low]) * part)
    return np.stack(rows)
