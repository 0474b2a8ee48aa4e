"""Stakeholders' weights: what each criterion counts, how stable the choice is under other weights, where it flips.

Every criterion is put on a scale of its own from 0 (the worst of the approaches) to 1 (the best); the weighted sum
decides. Weights change no target. Knows the summaries of the approaches and nothing of draws.
"""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from core.calculator.formulas import Array

CRITERIA = ("cost", "latency", "freshness", "accuracy", "risk")
DRAWS = 10_000


@dataclass(frozen=True)
class WeightFlip:
    """At the share `at` of all weight (now `now`), the others keeping their proportions, `winner` scores highest."""

    criterion: str
    now: float
    at: float
    winner: str


@dataclass(frozen=True)
class Stability:
    """Scores by the given weights, and in which share of drawn weights each approach scores highest."""

    merits: dict[str, dict[str, float]]  # approach -> criterion -> 0 to 1
    scores: dict[str, float]
    winner: str
    shares: dict[str, float]
    flips: tuple[WeightFlip, ...]  # nearest first


def stability(values: Mapping[str, Mapping[str, float]], weights: Mapping[str, float]) -> Stability | None:
    """`values`: approach -> criterion -> value (accuracy: more is better; else less). None without any weight.

    Weights are drawn from a Dirichlet distribution with the given mean; equal ones make every mix alike likely.
    """
    whole = sum(weights[name] for name in CRITERIA)
    if not values or whole <= 0:
        return None
    share = np.array([weights[name] / whole for name in CRITERIA])
    names = list(values)
    merit = np.stack([_merit(name, np.array([values[one][name] for one in names])) for name in CRITERIA], axis=1)
    scores = merit @ share
    winner = int(scores.argmax())
    wins = np.bincount((merit @ _drawn(tuple(share)).T).argmax(axis=0), minlength=len(names)) / DRAWS
    return Stability(
        merits={one: dict(zip(CRITERIA, row.tolist(), strict=True)) for one, row in zip(names, merit, strict=True)},
        scores=dict(zip(names, scores.tolist(), strict=True)),
        winner=names[winner],
        shares=dict(zip(names, wins.tolist(), strict=True)),
        flips=tuple(_flips(names, merit, share, winner)),
    )


def _merit(criterion: str, values: Array) -> Array:
    """1 for the best, 0 for the worst; 1 for all when they are alike."""
    low, high = values.min(), values.max()
    if high <= low:
        return np.ones_like(values)
    rising = (values - low) / (high - low)
    return np.asarray(rising if criterion == "accuracy" else 1 - rising)


@lru_cache(maxsize=8)
def _drawn(share: tuple[float, ...]) -> Array:
    """(DRAWS, criteria) weights; the same for the same mean, whatever the scenario's seed."""
    alpha = np.maximum(np.array(share) * len(CRITERIA), 1e-3)
    rng = np.random.default_rng(zlib.crc32(np.round(alpha, 9).tobytes()))
    return np.asarray(rng.dirichlet(alpha, DRAWS))


def _flips(names: list[str], merit: Array, share: Array, winner: int) -> list[WeightFlip]:
    """For each criterion the nearest weight, lighter or heavier, at which another approach scores highest."""
    found = []
    for at, criterion in enumerate(CRITERIA):
        others = np.delete(share, at)
        if others.sum() <= 0:
            continue
        rest = np.delete(merit, at, axis=1) @ (others / others.sum())
        gap, slope = rest[winner] - rest, (merit[winner, at] - rest[winner]) - (merit[:, at] - rest)
        with np.errstate(divide="ignore", invalid="ignore"):
            crossing = -gap / slope
        nearest = [
            WeightFlip(criterion, float(share[at]), float(one), names[other])
            for other, one in enumerate(crossing)
            if other != winner and 0 <= one <= 1 and np.isfinite(one)
        ]
        if nearest:
            found.append(min(nearest, key=lambda flip: abs(flip.at - flip.now)))
    return sorted(found, key=lambda flip: abs(flip.at - flip.now))
