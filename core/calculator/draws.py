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


@lru_cache(maxsize=256)
def _draw(name: str, value: tuple[float, float], count: int, seed: int) -> Array:
    """Remembered: of a scenario's many inputs one is changed at a time."""
    low, high = value
    if low == high:
        return np.asarray(low)
    place = uniform(name, count, seed)
    values = low * np.exp(place * np.log(high / low)) if _is_log(name, low) else low + place * (high - low)
    values.flags.writeable = False
    return np.asarray(values)


def _is_log(name: str, low: float) -> bool:
    return every()[name].shape == "log" and low > 0


def uniform(name: str, count: int, seed: int) -> Array:
    """(count,) evenly drawn from 0 to 1: an input's place in its range. More draws begin with the same."""
    return np.random.default_rng((seed, zlib.crc32(name.encode()))).random(count)


def percentiles(values: Array, wanted: Sequence[int]) -> dict[str, float]:
    """{'p5': ..., ...} with linear interpolation between ranks; a single value is all its percentiles."""
    return {name: float(row[0]) for name, row in rows_percentiles(values.reshape(1, -1), wanted).items()}


def percentiles_of(values: Mapping[str, Array], wanted: Sequence[int]) -> dict[str, dict[str, float]]:
    """`percentiles` of several by name, those over draws together."""
    drawn = [name for name, one in values.items() if one.size > 1]
    rows = rows_percentiles(np.stack([values[name] for name in drawn]), wanted) if drawn else {}
    found = {name: {p: float(row[at]) for p, row in rows.items()} for at, name in enumerate(drawn)}
    return {name: found[name] if name in found else percentiles(one, wanted) for name, one in values.items()}


def rows_percentiles(values: Array, wanted: Sequence[int]) -> dict[str, Array]:
    """`percentiles` of every row of (rows, draws): arrays (rows,) by name."""
    last = values.shape[1] - 1
    if last == 0:
        return {f"p{p}": values[:, 0] for p in wanted}
    positions = {p: p / 100 * last for p in wanted}
    ranked = _ranked(values.copy(), 0, sorted({int(position) for position in positions.values()}))
    found = {}
    for p, position in positions.items():
        low, high = ranked[int(position)]
        apart = np.subtract(high, low, out=np.zeros_like(low), where=high != low)  # not where both are infinite
        found[f"p{p}"] = low + apart * (position - int(position))
    return found


def _ranked(values: Array, first: int, ranks: Sequence[int]) -> dict[int, tuple[Array, Array]]:
    """Rank -> (each row's value of that rank, and of the next). Rows hold the ranks from `first` on and are reordered.

    One rank at a time, the middle one first: NumPy partitions by one rank several times faster than by many.
    """
    if not ranks:
        return {}
    at = ranks[len(ranks) // 2]
    values.partition(at - first, axis=1)
    low, above = values[:, at - first].copy(), values[:, at - first + 1 :]
    return {
        **_ranked(values[:, : at - first], first, [rank for rank in ranks if rank < at]),
        at: (low, above.min(axis=1) if above.shape[1] else low),
        **_ranked(above, at + 1, [rank for rank in ranks if rank > at]),
    }
