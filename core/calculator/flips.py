"""What would change the answer: the nearest flip of every input, the tornado, and the map over two inputs.

Flips and tornado move one input and leave the others at the middle of their ranges; the map draws the others. Knows no
words and no charts.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.approaches import APPROACHES
from core.calculator.approaches import compose, fit
from core.calculator.costs import calendar, totals
from core.calculator.draws import central, middle, sample
from core.calculator.formulas import Array
from core.calculator.inputs import Scenario, every
from core.errors import Problem

# These make no approach cheaper than another, or are one number by nature.
FIXED = frozenset({"horizon", "discount_rate", "exchange_rate", "draws", "seed"})
REACH = 100.0  # a flip further away than a hundredfold is no news
GRID = 41
MAX_CELL_DRAWS = 500
NONE_FITS = "none fits"


@dataclass(frozen=True)
class Flip:
    """Moving `name` from its middle to `at` makes `winner` the cheapest. `change` is at / now - 1 (inf from 0)."""

    name: str
    now: float
    at: float
    winner: str
    change: float


@dataclass(frozen=True)
class Switch:
    """Setting choice `name` to `option` makes `winner` the cheapest."""

    name: str
    option: str
    winner: str


@dataclass(frozen=True)
class Bar:
    """One input's bar in the tornado: the measure (scenario's currency) at the input's low and high end."""

    name: str
    low: float
    high: float


@dataclass(frozen=True)
class Map:
    """The cheapest approach over two inputs: `winner[y][x]` and in which share of the cell's draws it wins."""

    x_name: str
    y_name: str
    x: list[float]
    y: list[float]
    winner: list[list[str]]
    share: list[list[float]]


def movable() -> list[str]:
    """The inputs that flips, tornado and map may move."""
    return [name for name, one in every().items() if not one.is_word and name not in FIXED]


def cheapest_in_the_middle(scenario: Scenario) -> str:
    """The cheapest approach with every input at the middle of its range."""
    return _winners(scenario, {})[0]


def flips(scenario: Scenario) -> list[Flip]:
    """The nearest flip of every input that has one within its limits and REACH, nearest first."""
    names, now = movable(), {name: middle(name, scenario.ranges[name]) for name in movable()}
    start = cheapest_in_the_middle(scenario)
    grids = [_grid(name, now[name]) for name in names]
    brackets = []
    for name, grid, row in zip(names, grids, _rows(scenario, names, grids), strict=True):
        brackets += [(name, *bracket) for bracket in _brackets(grid, row, start, now[name])]
    for _ in range(2):
        grids = [np.linspace(inside, outside, GRID) for _, inside, outside, _ in brackets]
        rows = _rows(scenario, [name for name, *_ in brackets], grids)
        brackets = [
            (name, *_edge(grid, row, start)) for (name, *_), grid, row in zip(brackets, grids, rows, strict=True)
        ]
    found: dict[str, Flip] = {}
    for name, _, at, winner in brackets:
        change = at / now[name] - 1 if now[name] else np.inf
        flip = Flip(name, now[name], float(at), winner, float(change))
        if name not in found or _distance(flip) < _distance(found[name]):
            found[name] = flip
    return sorted(found.values(), key=_distance)


def switches(scenario: Scenario) -> list[Switch]:
    """The choices that would make another approach the cheapest."""
    start = cheapest_in_the_middle(scenario)
    found = []
    for name, one in every().items():
        for option in one.options:
            if option != scenario.words[name]:
                winner = cheapest_in_the_middle(scenario.replace({name: option}))
                if winner != start:
                    found.append(Switch(name, option, winner))
    return found


def tornado(scenario: Scenario, first: str, second: str | None = None, count: int = 12) -> tuple[float, list[Bar]]:
    """The total of `first` (or its excess over `second`) in the middle, and the widest bars, widest first.

    Only inputs with a range have a bar. Raises Problem when an approach does not fit.
    """
    for name in (first, second):
        if name is not None and not fit(scenario)[name].fits:
            raise Problem(f"{name} does not fit into the context, so it has no cost to compare.")
    names = [name for name in movable() if scenario.ranges[name][0] != scenario.ranges[name][1]]
    ends = [np.asarray(scenario.ranges[name]) for name in names]
    cost = _totals(scenario, names, ends)
    measure = (cost[first] - cost[second] if second else cost[first]) * scenario.number("exchange_rate")
    bars = [Bar(name, float(measure[1 + 2 * at]), float(measure[2 + 2 * at])) for at, name in enumerate(names)]
    return float(measure[0]), sorted(bars, key=lambda bar: -abs(bar.high - bar.low))[:count]


def cheapest_map(scenario: Scenario, x_name: str, y_name: str, cells: int = 20, draws: int = 200) -> Map:
    """The cheapest approach on a grid of `cells` x `cells` over two inputs, `draws` (at most 500) a cell.

    The other inputs are drawn, the same draws in every cell. Raises Problem for an input that cannot be moved.
    """
    for name in (x_name, y_name):
        if name not in movable():
            raise Problem(f"{name}: cannot be an axis. Choose a number other than {', '.join(sorted(FIXED))}.")
    if x_name == y_name:
        raise Problem("Choose two different inputs for the map.")
    x, y = (_axis(name, middle(name, scenario.ranges[name]), cells) for name in (x_name, y_name))
    count = max(1, min(draws, MAX_CELL_DRAWS))
    drawn = {name: values[:count] if values.ndim else values for name, values in sample(scenario).items()}
    tiled = {name: np.tile(values, cells) if values.ndim else values for name, values in drawn.items()}
    winner, share = [], []
    for value in y:
        row = {**tiled, x_name: np.repeat(x, count), y_name: np.asarray(value)}
        if "cache_hit" in (x_name, y_name):
            row["cache_is_hit"] = row["cache_hit"] / 100
        cost = totals(compose(row, scenario.words), calendar(row))
        best, known = _least(cost)
        shares = np.stack([(np.broadcast_to(best, (cells * count,)) == at) for at in range(len(APPROACHES))])
        by_cell = (
            (shares & np.broadcast_to(known, (cells * count,))).reshape(len(APPROACHES), cells, count).mean(axis=2)
        )
        top = by_cell.argmax(axis=0)
        winner.append([APPROACHES[at] if by_cell[at, cell] > 0 else NONE_FITS for cell, at in enumerate(top)])
        share.append([float(by_cell[at, cell]) for cell, at in enumerate(top)])
    return Map(x_name, y_name, x.tolist(), y.tolist(), winner, share)


def _totals(scenario: Scenario, names: Sequence[str], values: Sequence[Array]) -> dict[str, Array]:
    """Totals in USD: first with everything in the middle, then for each name at each of its values, in turn."""
    size = 1 + sum(len(one) for one in values)
    changed: dict[str, Array] = {}
    at = 1
    for name, one in zip(names, values, strict=True):
        if name not in changed:
            changed[name] = np.full(size, middle(name, scenario.ranges[name]))
        changed[name][at : at + len(one)] = one
        at += len(one)
    d = central(scenario, **changed)
    cost = totals(compose(d, scenario.words), calendar(d))
    return {name: np.broadcast_to(one, (size,)) for name, one in cost.items()}


def _least(cost: dict[str, Array]) -> tuple[Array, Array]:
    """(index of the cheapest, whether any fits)."""
    stacked = np.stack(np.broadcast_arrays(*cost.values()))
    return np.argmin(stacked, axis=0), np.isfinite(stacked.min(axis=0))


def _winners(scenario: Scenario, moved: dict[str, Array]) -> list[str]:
    best, known = _least(_totals(scenario, list(moved), list(moved.values())))
    return [APPROACHES[at] if fits else NONE_FITS for at, fits in zip(best, known, strict=True)]


def _rows(scenario: Scenario, names: Sequence[str], grids: Sequence[Array]) -> list[list[str]]:
    """The winner along each grid, all in one evaluation."""
    if not names:
        return []
    best, known = _least(_totals(scenario, names, grids))
    winners = [APPROACHES[at] if fits else NONE_FITS for at, fits in zip(best[1:], known[1:], strict=True)]
    rows, at = [], 0
    for grid in grids:
        rows.append(winners[at : at + len(grid)])
        at += len(grid)
    return rows


def _grid(name: str, now: float) -> Array:
    """Values to try for an input, ascending, with `now` among them: even steps for shares, even factors otherwise."""
    one = every()[name]
    if one.max <= 100 or one.min < 0 or now == 0:
        values = np.linspace(one.min, min(one.max, max(100.0, 2 * now)), GRID)
    else:
        values = now * np.geomspace(1 / REACH, REACH, GRID)
        values = np.append(values, [0.0] if one.min <= 0 else [])
    return np.unique(np.clip(np.append(values, now), one.min, one.max))


def _axis(name: str, now: float, cells: int) -> Array:
    one = every()[name]
    if one.max <= 100 or one.min < 0 or now == 0:
        return np.linspace(one.min, min(one.max, max(100.0, 2 * now)), cells)
    return np.clip(np.geomspace(now / 30, now * 30, cells), one.min, one.max)


def _brackets(grid: Array, row: Sequence[str], start: str, now: float) -> list[tuple[float, float, str]]:
    """(last value with the old winner, first value with a new one, the new one), going down and going up from `now`."""
    here = int(np.searchsorted(grid, now))
    found = []
    for step in (-1, 1):
        at = here
        while 0 <= at + step < len(grid) and row[at + step] == start:
            at += step
        if 0 <= at + step < len(grid):
            found.append((float(grid[at]), float(grid[at + step]), row[at + step]))
    return found


def _edge(grid: Array, row: Sequence[str], start: str) -> tuple[float, float, str]:
    """The bracket narrowed to the first step of `grid` (running outwards) at which the winner changes."""
    at = next((at for at, winner in enumerate(row) if winner != start), len(row) - 1)
    return float(grid[max(at - 1, 0)]), float(grid[at]), row[at]


def _distance(flip: Flip) -> float:
    """How far an input must move, as a factor either way; from or to zero counts as far."""
    if flip.now > 0 and flip.at > 0:
        return abs(float(np.log(flip.at / flip.now)))
    return float(np.log(REACH)) + abs(flip.at - flip.now)
