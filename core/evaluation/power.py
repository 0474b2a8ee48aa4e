"""How many questions? What a set can detect, and how many would do. Knows numbers; knows no question and no arm.

The rule is the one that a report decides by: the paired difference's 95 % interval (`statistics.adjusted`) leaves out
zero. `discordance`: the share of questions that only one of the two arms gets right, expected or seen.
"""

import math
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.evaluation.statistics import PSEUDO, Z

POWER: Final = 0.8
EXACT_UP_TO: Final = 300  # questions; every outcome is added up, above that the normal approximation serves
MOST: Final = 100_000
KEPT: Final = 1_024  # answers; a page asks for the same few at every redraw
EXPECTED_DISCORDANCE: Final = 0.3  # ours, before anything is seen: between a weak and a strong arm


def power(n: int, effect: float, discordance: float) -> float:
    """The chance that `n` independent questions decide a true paired difference of `effect` (0 to 1)."""
    discordance = min(1.0, max(discordance, effect))
    wins = (discordance + effect) / 2
    losses = discordance - wins
    return _exact(n, wins, losses) if n <= EXACT_UP_TO else _normal(n, effect, discordance)


@lru_cache(maxsize=KEPT)
def detectable(n: int, discordance: float = EXPECTED_DISCORDANCE, wanted: float = POWER) -> float | None:
    """The smallest true difference that `n` independent questions decide with power `wanted`; None: not even 1."""
    if n < 2 or power(n, 1.0, 1.0) < wanted:
        return None
    low, high = 0.0, 1.0
    while high - low > 1e-4:
        middle = (low + high) / 2
        low, high = (low, middle) if power(n, middle, discordance) >= wanted else (middle, high)
    return high


@lru_cache(maxsize=KEPT)
def needed(effect: float, discordance: float = EXPECTED_DISCORDANCE, wanted: float = POWER) -> int | None:
    """How many independent questions decide a true difference of `effect` with power `wanted`; None: over MOST."""
    if effect <= 0 or power(MOST, effect, discordance) < wanted:
        return None
    low, high = 1, MOST
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if power(middle, effect, discordance) >= wanted else (middle, high)
    return high


def _exact(n: int, wins: float, losses: float) -> float:
    """Adds up the chances of all outcomes (questions won, questions lost) that decide."""
    won, lost = np.meshgrid(np.arange(n + 1), np.arange(n + 1), indexing="ij")
    possible = won + lost <= n
    won, lost = won[possible], lost[possible]
    factorials = np.array([math.lgamma(k + 1) for k in range(n + 1)])
    even = n - won - lost
    chance = factorials[n] - factorials[won] - factorials[lost] - factorials[even]
    for count, share in ((won, wins), (lost, losses), (even, 1 - wins - losses)):
        with np.errstate(divide="ignore", invalid="ignore"):
            chance += np.where(count > 0, count * np.log(max(share, 0.0)), 0.0)
    return float(np.exp(chance[_decides(won.astype(np.float64), lost.astype(np.float64), n)]).sum())


def _decides(won: NDArray[np.float64], lost: NDArray[np.float64], n: int) -> NDArray[np.bool_]:
    """Whether the adjusted interval of single questions leaves out zero, on the side of a gain."""
    total = n + 2 * PSEUDO
    middle = (won - lost) / total
    spread = won * (1 - middle) ** 2 + lost * (1 + middle) ** 2 + (n - won - lost) * middle**2
    spread += PSEUDO * ((1 - middle) ** 2 + (1 + middle) ** 2)
    half = Z * np.sqrt(total / (total - 1) * spread) / total
    decided: NDArray[np.bool_] = middle > half
    return decided


def _normal(n: int, effect: float, discordance: float) -> float:
    spread = math.sqrt(max(discordance - effect**2, 1e-12))
    return 0.5 * math.erfc(-(effect * math.sqrt(n) / spread - Z) / math.sqrt(2))
