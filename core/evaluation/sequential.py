"""An interval that may be watched: it holds at every look at once, so a run may stop as soon as an effect is decided.

The hedged capital interval of Waudby-Smith and Ramdas ("Estimating means of bounded random variables by betting",
JRSS-B 2024): two gamblers bet against each possible mean, and what made one of them rich is ruled out. Nothing is
assumed of their distribution but bounds. Knows numbers; knows no question and no arm.
"""

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

ALPHA: Final = 0.05
GRID: Final = 801
TRUNCATED: Final = 0.5  # of the largest bet that cannot ruin

Array = NDArray[np.float64]


class Watched(Struct, frozen=True):
    """A difference as it stands: the mean so far of `n` groups, and the interval that holds at every look.

    `decided`: "gain", "loss", or empty while it is not.
    """

    n: int
    difference: float
    low: float
    high: float
    decided: str = ""


def watched(differences: Sequence[float], most: float = 1.0) -> Watched:
    """The anytime-valid 95 % interval after these differences, in the order they came, each between -most and most.

    Differences that belong together (one fact asked in several wordings) are given as their mean: one a group.
    """
    return looks(differences, most)[-1] if len(differences) else Watched(0, 0.0, -most, most)


def first_decided(differences: Sequence[float], most: float = 1.0) -> int | None:
    """After how many groups the effect was decided; None when it is not."""
    return next((look.n for look in looks(differences, most) if look.decided), None)


def looks(differences: Sequence[float], most: float = 1.0) -> list[Watched]:
    """What was known after each of the differences, in order."""
    values = (np.asarray(differences, float) / most + 1) / 2  # the theory's bounds: 0 to 1
    sofar = np.cumsum(np.asarray(differences, float)) / np.arange(1, len(values) + 1)
    found, means, step = [], np.linspace(0, 1, GRID), 1 / (GRID - 1)
    for n, richest in enumerate(_richest(values, means), 1):
        kept = means[richest < np.log(2 / ALPHA)]
        if not len(kept):  # the grid is too coarse for what is left: its nearest point
            kept = means[[int(np.argmin(richest))]]
        low, high = max(0.0, float(kept.min()) - step), min(1.0, float(kept.max()) + step)
        low, high = (2 * low - 1) * most, (2 * high - 1) * most
        found.append(Watched(n, float(sofar[n - 1]), low, high, "gain" if low > 0 else "loss" if high < 0 else ""))
    return found


def _richest(values: Array, means: Array) -> Iterator[Array]:
    """After each value: the logarithm of the most that either gambler ever had, for each of `means`.

    The most ever, since a mean that was once ruled out stays so; each gambler alone exceeds 2 / ALPHA with a chance of
    at most ALPHA / 2.
    """
    up, down, best = np.zeros_like(means), np.zeros_like(means), np.zeros_like(means)
    total, squares, count = 0.5, 0.25, 1  # the predictable estimates begin in the middle
    for place, value in enumerate(values, 1):
        bet = np.sqrt(2 * np.log(2 / ALPHA) * count / (squares * place * np.log(place + 1)))
        with np.errstate(divide="ignore"):
            up += np.log1p(np.minimum(bet, TRUNCATED / means) * (value - means))
            down += np.log1p(-np.minimum(bet, TRUNCATED / (1 - means)) * (value - means))
        best = np.maximum(best, np.maximum(up, down))
        yield best
        total, count = total + value, count + 1
        squares += (value - total / count) ** 2
