"""What would change the recommendation: the nearest flip of every input, the switches, and the map over two inputs; and
the tornado of the cost.

Flips and tornado move one input and leave the others at the middle of their ranges; the map draws the others. Knows no
words and no charts.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.approaches import APPROACHES
from core.calculator.approaches import USES, compose, fit
from core.calculator.compass import NONE_MEETS, Compass, Readings
from core.calculator.costs import calendar, total, totals
from core.calculator.draws import central, middle, sample
from core.calculator.formulas import Array
from core.calculator.inputs import Scenario, every
from core.calculator.model import evaluate_cached
from core.errors import Problem

# These make no approach better than another, or are one number by nature.
FIXED = frozenset({"horizon", "discount_rate", "exchange_rate", "draws", "seed"})
REACH = 100.0  # a flip further away than a hundredfold is no news
GRID = 25
MAX_CELL_DRAWS = 500
BUDGETS = ("budget_total", "budget_first_year", "budget_month")  # 0 is no limit, and none is no flip
ONLY_WITH = {  # input -> (choice, options with which it counts)
    "retrieval_query_cost": ("retrieval_cost_from", ("document",)),
    "training_document": ("training_from", ("document",)),
    "training_price": ("training_from", ("api",)),
    "gpu_hour_price": ("training_from", ("gpu",)),
    "document_latency_tuned": ("latency_from", ("document",)),
    "document_latency_retrieval": ("latency_from", ("document",)),
    "prompt_setup_days": ("launch_from", ("document",)),
    "retrieval_setup_days": ("launch_from", ("document",)),
    "tuning_setup_days": ("launch_from", ("document",)),
    "people": ("launch_from", ("hours",)),
    "week_hours": ("launch_from", ("hours",)),
    "tuned_multiplier": ("tuned_hosting", ("premium",)),
    "tuned_price_in": ("tuned_hosting", ("priced",)),
    "tuned_price_out": ("tuned_hosting", ("priced",)),
    "gpu_bandwidth": ("speed_from", ("roofline",)),
    "weight_bytes": ("speed_from", ("roofline",)),
    "inference_efficiency": ("speed_from", ("roofline",)),
    "prefill_rate": ("speed_from", ("rates",)),
    "decode_ms": ("speed_from", ("rates",)),
}


@dataclass(frozen=True)
class Flip:
    """Moving `name` from its middle to `at` makes `winner` the recommended one (NONE_MEETS: none meets every target).

    `cause` says why: "misses" (the recommended one misses `aims` there), "meets" (the winner meets `aims` there),
    "fits" (one of the two fits or no longer fits) or "cost". `change` is at / now - 1 (inf from 0).
    """

    name: str
    now: float
    at: float
    winner: str
    change: float
    cause: str
    aims: tuple[str, ...]


@dataclass(frozen=True)
class Switch:
    """Setting choice `name` to `option` makes `winner` the recommended one; `cause` and `aims` as in a Flip."""

    name: str
    option: str
    winner: str
    cause: str
    aims: tuple[str, ...]


@dataclass(frozen=True)
class Bar:
    """One input's bar in the tornado: the measure (scenario's currency) at the input's low and high end."""

    name: str
    low: float
    high: float


@dataclass(frozen=True)
class Map:
    """The recommended approach over two inputs: `winner[y][x]`, and the share of the cell's draws in which it is the
    cheapest of those that meet every target there."""

    x_name: str
    y_name: str
    x: list[float]
    y: list[float]
    winner: list[list[str]]
    share: list[list[float]]


def movable() -> list[str]:
    """The inputs that flips, tornado and map may move: none that only weighs, converts or counts draws."""
    return [
        name
        for name, one in every().items()
        if not one.is_word and name not in FIXED and not name.startswith("weight_")
    ]


def recommended_in_the_middle(scenario: Scenario) -> str:
    """What the compass reads where nothing is moved: the outcome's recommendation, or NONE_MEETS."""
    return Compass(scenario, evaluate_cached(scenario)).read({}).recommended[0]


def flips(scenario: Scenario) -> list[Flip]:
    """The nearest flip of every input that has one within its limits and REACH, nearest first."""
    compass = Compass(scenario, evaluate_cached(scenario))
    here = compass.read({})
    start = here.recommended[0]
    names = [name for name in movable() if name in _used(scenario)]
    now = {name: middle(name, scenario.ranges[name]) for name in names}
    grids = [_grid(name, now[name]) for name in names]
    brackets = []
    for name, grid, row in zip(names, grids, _rows(compass, names, grids), strict=True):
        brackets += [(name, *bracket) for bracket in _brackets(grid, row, start, now[name])]
    for _ in range(2):
        moved = [name for name, *_ in brackets]
        grids = [np.linspace(inside, outside, GRID) for _, inside, outside, _ in brackets]
        rows = _rows(compass, moved, grids)
        brackets = [(name, *_edge(grid, row, start)) for name, grid, row in zip(moved, grids, rows, strict=True)]
    nearest: dict[str, tuple[float, str]] = {}
    for name, _, at, winner in brackets:
        if name not in nearest or _far(now[name], at) < _far(now[name], nearest[name][0]):
            nearest[name] = (at, winner)
    there = compass.read(_moved(list(nearest), [np.array([at]) for at, _ in nearest.values()]))
    found = []
    for place, (name, (at, winner)) in enumerate(nearest.items()):
        change = at / now[name] - 1 if now[name] else np.inf
        found.append(Flip(name, now[name], at, winner, float(change), *_cause(here, there, place, start, winner)))
    return sorted(found, key=lambda flip: _far(flip.now, flip.at))


def switches(scenario: Scenario) -> list[Switch]:
    """The choices that would make another approach the recommended one."""
    compass = Compass(scenario, evaluate_cached(scenario))
    here = compass.read({})
    start = here.recommended[0]
    found = []
    for name, one in every().items():
        for option in one.options if name not in USES.values() else ():  # no requirement is given up unasked
            if option != scenario.words[name]:
                there = compass.read({}, {name: option})
                if (winner := there.recommended[0]) != start:
                    found.append(Switch(name, option, winner, *_cause(here, there, 0, start, winner)))
    return found


def _cause(here: Readings, there: Readings, row: int, start: str, winner: str) -> tuple[str, tuple[str, ...]]:
    """Why `winner` takes the place of `start` in that row: a target missed, a target met, the context, or the cost."""
    for name, gone, cause in ((start, True, "misses"), (winner, False, "meets")):
        if name != NONE_MEETS:
            at = APPROACHES.index(name)
            if here.fits[at, 0] != there.fits[at, row]:
                return "fits", ()
            if aims := tuple(aim for aim in there.aims(name, row, not gone) if aim in here.aims(name, 0, gone)):
                return cause, aims
    return "cost", ()


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


def recommendation_map(scenario: Scenario, x_name: str, y_name: str, cells: int = 20, draws: int = 200) -> Map:
    """The recommended approach on a grid of `cells` x `cells` over two inputs; costs from `draws` (at most 500) a cell.

    The other inputs are drawn, the same draws in every cell. Raises Problem for an input that cannot be moved.
    """
    for name in (x_name, y_name):
        if name not in movable():
            raise Problem(f"{name}: cannot be an axis. Choose a number other than {', '.join(sorted(FIXED))}.")
    if x_name == y_name:
        raise Problem("Choose two different inputs for the map.")
    x, y = (_axis(name, middle(name, scenario.ranges[name]), cells) for name in (x_name, y_name))
    read = Compass(scenario, evaluate_cached(scenario)).read({x_name: np.tile(x, cells), y_name: np.repeat(y, cells)})
    eligible, recommended = read.eligible.reshape(len(APPROACHES), cells, cells), read.recommended
    count = max(1, min(draws, MAX_CELL_DRAWS))
    drawn = {name: values[:count] if values.ndim else values for name, values in sample(scenario).items()}
    tiled = {name: np.tile(values, cells) if values.ndim else values for name, values in drawn.items()}
    winner, share = [], []
    for at, value in enumerate(y):
        row = {**tiled, x_name: np.repeat(x, count), y_name: np.asarray(value)}
        months = calendar(row)
        cost = [np.broadcast_to(total(one, months), (cells * count,)) for one in compose(row, scenario.words).values()]
        by_cell = np.where(eligible[:, at, :, None], np.reshape(cost, (len(APPROACHES), cells, count)), np.inf)
        best = by_cell.argmin(axis=0)
        names = recommended[at * cells : (at + 1) * cells]
        winner.append(names)
        share.append(
            [
                float(np.mean(best[cell] == APPROACHES.index(name))) if name != NONE_MEETS else 0.0
                for cell, name in enumerate(names)
            ]
        )
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


def _moved(names: Sequence[str], grids: Sequence[Array]) -> dict[str, Array]:
    """One row for each value of each grid: that input there, the others not moved (NaN)."""
    size, at = sum(len(grid) for grid in grids), 0
    moved: dict[str, Array] = {}
    for name, grid in zip(names, grids, strict=True):
        if name not in moved:
            moved[name] = np.full(size, np.nan)
        moved[name][at : at + len(grid)] = grid
        at += len(grid)
    return moved


def _rows(compass: Compass, names: Sequence[str], grids: Sequence[Array]) -> list[list[str]]:
    """The recommendation along each grid, all in one reading."""
    if not names:
        return []
    recommended = compass.read(_moved(names, grids)).recommended
    rows, at = [], 0
    for grid in grids:
        rows.append(recommended[at : at + len(grid)])
        at += len(grid)
    return rows


def _grid(name: str, now: float) -> Array:
    """Values to try for an input, ascending, with `now` among them: even steps for shares, even factors otherwise."""
    one = every()[name]
    if one.max <= 100 or one.min < 0 or now == 0:
        values = np.linspace(one.min, min(one.max, max(100.0, 2 * now)), GRID)
    else:
        values = now * np.geomspace(1 / REACH, REACH, GRID)
        values = np.append(values, [0.0] if one.min <= 0 and name not in BUDGETS else [])
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


def _used(scenario: Scenario) -> frozenset[str]:
    """The inputs that this scenario's choices leave in use; moving another one changes nothing."""
    idle = {name for name, (choice, option) in ONLY_WITH.items() if scenario.words[choice] not in option}
    return frozenset(every()) - idle - {name for name in BUDGETS if not scenario.number(name)}


def _edge(grid: Array, row: Sequence[str], start: str) -> tuple[float, float, str]:
    """The bracket narrowed to the first step of `grid` (running outwards) at which the winner changes."""
    at = next((at for at, winner in enumerate(row) if winner != start), len(row) - 1)
    return float(grid[max(at - 1, 0)]), float(grid[at]), row[at]


def _far(now: float, at: float) -> float:
    """How far an input must move, as a factor either way; from or to zero counts as far."""
    if now > 0 and at > 0:
        return abs(float(np.log(at / now)))
    return float(np.log(REACH)) + abs(at - now)
