"""How far two raters agree beyond chance: Cohen's kappa with its interval, and the plain share with Wilson's.

The large-sample error of kappa is that of Fleiss, Cohen and Everitt (1969, Psychological Bulletin 72, 323-327). No
library for it: scikit-learn's gives no interval, statsmodels' needs SciPy. Where all agree, or one rater says the same
throughout, the error is zero by its formula or kappa has no value: then there is no interval, and the share must do.
"""

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from core.evaluation.statistics import Z, wilson

WORDS: Final = ((0.8, "almost perfect"), (0.6, "substantial"), (0.4, "moderate"), (0.2, "fair"), (0.0, "slight"))
NOT_YET: Final = "not yet compared with human marks"


@dataclass(frozen=True)
class Agreement:
    """Of `n` things rated by both, the share rated alike and kappa, each with its 95 % interval where it has one."""

    n: int
    alike: int
    share: float | None = None
    low: float | None = None
    high: float | None = None
    kappa: float | None = None
    kappa_low: float | None = None
    kappa_high: float | None = None

    @property
    def sentence(self) -> str:
        """In words, with the scale of Landis and Koch (1977)."""
        if not self.n or self.share is None:
            return NOT_YET
        said = f"{self.alike} of {self.n} alike ({self.share:.0%}; 95 %: {self.low:.0%} to {self.high:.0%})"
        if self.kappa is None:
            return f"{said}; kappa says nothing here: one side says the same of all"
        word = next((word for least, word in WORDS if self.kappa >= least), "worse than chance")
        span = "" if self.kappa_low is None else f" (95 %: {self.kappa_low:.2f} to {self.kappa_high:.2f})"
        return f"{said}; kappa {self.kappa:.2f}{span}, {word}"


def agreement(first: Sequence[Hashable], second: Sequence[Hashable]) -> Agreement:
    """Two raters' labels of the same things, in the same order."""
    n = len(first)
    if not n:
        return Agreement(0, 0)
    labels = {label: at for at, label in enumerate(dict.fromkeys([*first, *second]))}
    table = np.zeros((len(labels), len(labels)))
    for a, b in zip(first, second, strict=True):
        table[labels[a], labels[b]] += 1
    p = table / n
    rows, columns, seen = p.sum(1), p.sum(0), float(np.trace(p))
    low, high = wilson(seen, n)
    alike = round(seen * n)
    chance = float(rows @ columns)
    if chance >= 1 or min(len(set(first)), len(set(second))) < 2 <= len(labels):
        return Agreement(n, alike, seen, low, high)
    kappa = (seen - chance) / (1 - chance)
    diagonal = float((np.diag(p) * (1 - (rows + columns) * (1 - kappa)) ** 2).sum())
    off = p * (columns[:, None] + rows[None, :]) ** 2
    rest = (1 - kappa) ** 2 * float(off.sum() - np.trace(off))
    variance = (diagonal + rest - (kappa - chance * (1 - kappa)) ** 2) / (n * (1 - chance) ** 2)
    if variance <= 1e-12:
        return Agreement(n, alike, seen, low, high, kappa)
    half = Z * math.sqrt(variance)
    return Agreement(n, alike, seen, low, high, kappa, max(-1.0, kappa - half), min(1.0, kappa + half))
