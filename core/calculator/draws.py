"""Draws: one value for every input in every draw, and percentiles of what comes out.

Every range is drawn once and shared by all approaches (common random numbers), each from a stream of its own (seed and
name), so that changing one input leaves the other draws as they were. Knows no formula and no approach.
"""

import zlib
from collections.abc import Mapping, Sequence
from functools import lru_cache

import numpy as np

from core.calculator.formulas import Array
from core.calculator.inputs import Scenario, every

Draws = Mapping[str, Array]


def sample(scenario: Scenario) -> dict[str, Array]:
    """One array (draws,) for each range, a 0-d array for each single value; `tuning_ends` is 1 or 0 a draw."""
    count, seed = int(scenario.number("draws")), int(scenario.number("seed"))
    draws = {name: _draw(name, value, count, seed) for name, value in scenario.ranges.items()}
    chance = draws["no_successor"] / 100
    certain = chance.ndim == 0 and chance in (0, 1)
    draws["tuning_ends"] = chance if certain else (uniform("tuning_ends", count, seed) < chance).astype(float)
    return draws


def central(scenario: Scenario, **changes: Array) -> dict[str, Array]:
    """Every input at the middle of its range, as 0-d arrays, except `changes`; chances count by their size."""
    draws = {name: np.asarray(middle(name, value)) for name, value in scenario.ranges.items()} | changes
    return {**draws, "tuning_ends": draws["no_successor"] / 100}


def middle(name: str, value: tuple[float, float]) -> float:
    """The median of a range's distribution."""
    low, high = value
    return float(np.sqrt(low * high)) if _is_log(name, low) and low != high else (low + high) / 2


def _draw(name: str, value: tuple[float, float], count: int, seed: int) -> Array:
    low, high = value
    if low == high:
        return np.asarray(low)
    place = uniform(name, count, seed)
    if _is_log(name, low):
        return np.asarray(low * np.exp(place * np.log(high / low)))
    return low + place * (high - low)


def _is_log(name: str, low: float) -> bool:
    return every()[name].shape == "log" and low > 0


@lru_cache(maxsize=256)
def uniform(name: str, count: int, seed: int) -> Array:
    """(count,) evenly drawn from 0 to 1: an input's place in its range. More draws begin with the same."""
    values = np.random.default_rng((seed, zlib.crc32(name.encode()))).random(count)
    values.flags.writeable = False
    return values


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
