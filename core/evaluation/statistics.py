"""Accuracy with its standard error, paired differences, and the effect split. Knows numbers; knows no question.

Questions that ask for the same fact in other words are not independent: errors are clustered by `groups`. Arrays are
one entry a question, in the same order for all arms.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

Array = NDArray[np.float64]

Z: Final = 1.959964  # 95 %
PSEUDO: Final = 0.5  # of a group each way: keeps small samples honest, see `difference`
FEWEST_GROUPS: Final = 20
WIDE: Final = 0.10  # an interval wider than this around nothing settles nothing
TOO_FEW: Final = "too few questions to tell"


class Accuracy(Struct, frozen=True):
    """Share right of `n` questions on `groups` facts. `low`, `high`: 95 % (Wilson, at the effective sample size)."""

    n: int
    right: int
    groups: int
    accuracy: float
    standard_error: float
    low: float
    high: float


class Difference(Struct, frozen=True):
    """A paired difference in accuracy. `low`, `high`: 95 %, clustered by group. `verdict` in words."""

    n: int
    difference: float
    low: float
    high: float
    verdict: str


class Effects(Struct, frozen=True, kw_only=True):
    """The effect split of four arms: three parts that add up to `total`, and McNemar's p of the first two."""

    fine_tune: Difference
    retrieval: Difference
    interaction: Difference
    total: Difference
    p_fine_tune: float = 1.0
    p_retrieval: float = 1.0


def stated(score: Mapping[str, Any], digits: int = 1) -> str:
    """A share with its standard error for a table: "91.0% ± 2.8%".

    `score` holds `accuracy`, `standard_error` (or None) and, from `accuracy`, `low` and `high`. Where all or none were
    right the error is zero by its formula, not in truth: then the 95 % interval stands in its place.
    """
    share, error = f"{score['accuracy']:.{digits}%}", score["standard_error"]
    if error is None:
        return share
    if error == 0 and "low" in score:
        bound = f"at least {score['low']:.0%}" if score["accuracy"] else f"at most {score['high']:.0%}"
        return f"{share} (95 %: {bound})"
    return f"{share} ± {error:.1%}"


def accuracy(right: Sequence[bool], groups: Sequence[str]) -> Accuracy:
    """Share of True with a standard error clustered by group. `right` and `groups` have the same length, not zero."""
    values = np.asarray(right, float)
    sums, sizes = _by_group(values - values.mean(), groups)
    n, clusters = len(values), len(sizes)
    share = float(values.mean())
    correction = clusters / (clusters - 1) if clusters > 1 else 1.0
    error = math.sqrt(correction * float((sums**2).sum())) / n
    effective = share * (1 - share) / error**2 if error > 0 else clusters
    low, high = wilson(share, min(max(effective, 1.0), n))
    return Accuracy(n, int(values.sum()), clusters, share, error, low, high)


class Mean(Struct, frozen=True):
    """The mean of `n` numbers with a standard error clustered by group."""

    n: int
    mean: float
    standard_error: float


def mean(values: Sequence[float], groups: Sequence[str]) -> Mean:
    """The mean with its clustered standard error. `values` and `groups` have the same length, not zero."""
    array = np.asarray(values, float)
    sums, sizes = _by_group(array - array.mean(), groups)
    correction = len(sizes) / (len(sizes) - 1) if len(sizes) > 1 else 1.0
    return Mean(len(array), float(array.mean()), math.sqrt(correction * float((sums**2).sum())) / len(array))


def wilson(share: float, n: float) -> tuple[float, float]:
    """95 % interval of a share seen in `n` independent trials; sensible at 0 and 1 too."""
    middle = (share + Z**2 / (2 * n)) / (1 + Z**2 / n)
    half = Z / (1 + Z**2 / n) * math.sqrt(share * (1 - share) / n + Z**2 / (4 * n**2))
    return max(0.0, min(share, middle - half)), min(1.0, max(share, middle + half))


def difference(values: Sequence[float], groups: Sequence[str], most: float = 1.0) -> Difference:
    """The mean of paired differences (one a question, between -most and most) with its 95 % interval and verdict.

    An adjusted Wald interval after Bonett and Price (2012): to the groups come half a group of `most` and half a group
    of -most. Ours: their whole one covered too much in clusters, and a bootstrap over groups too little (65 to 96 % at
    20 questions). tests/campaigns/coverage.py
    """
    array = np.asarray(values, float)
    sums, sizes = _by_group(array, groups)
    middle, half = adjusted(sums, sizes, most)
    low, high = max(-most, middle - half), min(most, middle + half)
    return Difference(len(array), float(array.mean()), low, high, _verdict(low, high, len(sizes)))


def adjusted(sums: Array, sizes: Array, most: float = 1.0) -> tuple[float, float]:
    """Middle and half width of the adjusted interval, from each group's sum and size."""
    added = PSEUDO * float(sizes.mean())
    total = float(sizes.sum()) + 2 * added
    middle = float(sums.sum()) / total
    spread = float(((sums - middle * sizes) ** 2).sum())
    spread += sum((sign * most * added - middle * added) ** 2 for sign in (1, -1)) / PSEUDO
    groups = len(sizes) + 2 * PSEUDO
    return middle, Z * math.sqrt(groups / (groups - 1) * spread) / total


def _verdict(low: float, high: float, groups: int) -> str:
    if groups < FEWEST_GROUPS:
        return TOO_FEW
    if low > 0:
        return "gain"
    if high < 0:
        return "loss"
    return TOO_FEW if high - low > WIDE else "no difference to speak of"


def mcnemar(first: Sequence[bool], second: Sequence[bool]) -> float:
    """Exact two-sided p of McNemar's test: are the questions that only one of two arms gets right split evenly?"""
    only_first = sum(a and not b for a, b in zip(first, second, strict=True))
    only_second = sum(b and not a for a, b in zip(first, second, strict=True))
    n = only_first + only_second
    tail = sum(math.comb(n, k) for k in range(min(only_first, only_second) + 1))
    return min(1.0, float(2 * tail / 2**n))


def effects(
    base: Sequence[bool],
    retrieval: Sequence[bool],
    tuned: Sequence[bool],
    both: Sequence[bool],
    groups: Sequence[str],
) -> Effects:
    """The effect split of the four arms: what fine-tuning gains, what retrieval gains, and what both together add.

    `fine_tune` = fine-tuned - base; `retrieval` = base+retrieval - base; `interaction` is the rest:
    (fine-tuned+retrieval - base) - both gains. The three add up to `total`.
    """
    b, r, f, fr = (np.asarray(arm, float) for arm in (base, retrieval, tuned, both))
    return Effects(
        fine_tune=difference(list(f - b), groups),
        retrieval=difference(list(r - b), groups),
        interaction=difference(list(fr - f - r + b), groups, 2.0),
        total=difference(list(fr - b), groups),
        p_fine_tune=mcnemar(base, tuned),
        p_retrieval=mcnemar(base, retrieval),
    )


def _by_group(values: Array, groups: Sequence[str]) -> tuple[Array, Array]:
    """Sum and size of each group."""
    _, index = np.unique(np.asarray(groups, dtype=object).astype(str), return_inverse=True)
    return np.bincount(index, values).astype(np.float64), np.bincount(index).astype(np.float64)
