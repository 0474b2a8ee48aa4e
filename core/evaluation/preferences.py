"""Strengths of arms from blind votes: Bradley and Terry (1952), with 95 % intervals. Knows votes; knows no arm's model.

The chance that arm a is preferred to arm b is 1 / (1 + exp(s_b - s_a)). A tie counts half each way (Elo's rule); "both
bad" is no comparison and stands apart. Fitted as a logistic regression on the paired design by Newton's method; errors
are the sandwich clustered by question, since several people on one question are not independent. To every pair of arms
come half a question won and half a question lost, as in `statistics.difference`: so strengths are finite and few votes
give wide intervals. Coverage: tests/campaigns/coverage.py
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final

import numpy as np

from core.evaluation.statistics import FEWEST_GROUPS, PSEUDO, Array, Z, accuracy
from core.votes import Vote

NOT_DECIDED: Final = ""
STEPS: Final = 100


@dataclass(frozen=True)
class Share:
    """So many of `n`, with its 95 % interval; `share` None where n is 0."""

    n: int
    count: int
    share: float | None = None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Strength:
    """An arm's log-odds against the average of the arms it was compared with; `votes`: in which it was shown.

    `acceptable`: the share of its marked answers that would do.
    """

    arm: str
    strength: float
    low: float
    high: float
    votes: int
    acceptable: Share


@dataclass(frozen=True)
class Duel:
    """Two arms: the chance that a voter prefers `first`, 95 %. `better`: the arm that is, "" where not decided.

    `votes`: between these two alone, on `questions`; with none, the chance follows from their votes with others.
    """

    first: str
    second: str
    chance: float
    low: float
    high: float
    better: str
    votes: int
    first_better: int
    second_better: int
    ties: int
    questions: int


@dataclass(frozen=True)
class Preferences:
    """What the votes say. `strengths`: strongest first. Arms never compared, even through others, have no duel."""

    votes: int
    both_bad: Share
    strengths: tuple[Strength, ...]
    duels: tuple[Duel, ...]

    @property
    def sentences(self) -> list[str]:
        """Each duel in words."""
        return [_said(duel) for duel in self.duels]


@dataclass(frozen=True)
class _Comparison:
    """One arm against another on one question; `won`: 1, 0.5 or 0 for `first`."""

    question: str
    first: str
    second: str
    won: float


def preferences(votes: Sequence[Vote]) -> Preferences:
    """Strengths and duels of all arms that were voted on."""
    found = [one for vote in votes for one in _comparisons(vote)]
    strengths: list[Strength] = []
    duels: list[Duel] = []
    for arms in _connected(found):
        place, covariance = _fit(found, arms)
        shift = np.eye(len(arms)) - 1 / len(arms)
        errors = np.sqrt(np.diag(shift @ covariance @ shift.T))
        for at, arm in enumerate(arms):
            middle, half = float((shift @ place)[at]), Z * float(errors[at])
            shown = sum(arm in vote.shown for vote in votes)
            strengths.append(Strength(arm, middle, middle - half, middle + half, shown, _acceptable(votes, arm)))
        duels += [_duel(found, arms, a, b, place, covariance) for a, b in combinations(range(len(arms)), 2)]
    bad = share([not vote.best for vote in votes], [vote.question for vote in votes])
    return Preferences(len(votes), bad, tuple(sorted(strengths, key=lambda one: -one.strength)), tuple(duels))


def share(marks: Sequence[bool], groups: Sequence[str]) -> Share:
    """A share of True with its interval, clustered by group (Wilson at the effective sample size)."""
    if not marks:
        return Share(0, 0)
    found = accuracy(marks, groups)
    return Share(found.n, found.right, found.accuracy, found.low, found.high)


def _comparisons(vote: Vote) -> Iterable[_Comparison]:
    """Every pair of which one is best, or both: two that are not best are not compared."""
    for first, second in combinations(vote.shown, 2):
        if first in vote.best or second in vote.best:
            won = 0.5 * (1 + (first in vote.best) - (second in vote.best))
            yield _Comparison(vote.question, first, second, won)


def _connected(found: Sequence[_Comparison]) -> list[list[str]]:
    """The arms in groups that comparisons connect, each in order of names."""
    groups: list[set[str]] = []
    for one in found:
        touched = [group for group in groups if one.first in group or one.second in group]
        groups = [group for group in groups if group not in touched] + [{one.first, one.second}.union(*touched)]
    return sorted(sorted(group) for group in groups)


def _fit(found: Sequence[_Comparison], arms: Sequence[str]) -> tuple[Array, Array]:
    """Log-odds of each arm, the first one's being 0, and their covariance."""
    number = {arm: at for at, arm in enumerate(arms)}
    real = [one for one in found if one.first in number]
    rows = [(number[one.first], number[one.second], one.won, 1.0, one.question) for one in real]
    pairs = sorted({tuple(sorted((a, b))) for a, b, *_ in rows})
    groups = float(len({row[4] for row in rows}))
    for a, b in pairs:
        asked = [row[4] for row in rows if {row[0], row[1]} == {a, b}]
        added = PSEUDO * len(asked) / len(set(asked))
        rows += [(a, b, result, added, f"\0{a} {b} {result}") for result in (1.0, 0.0)]
        groups += 2 * PSEUDO
    design = np.zeros((len(rows), len(arms)))
    for at, (a, b, *_) in enumerate(rows):
        design[at, a], design[at, b] = 1.0, -1.0
    design = design[:, 1:]
    won, weight = np.array([row[2] for row in rows]), np.array([row[3] for row in rows])
    place = np.zeros(len(arms) - 1)
    for _ in range(STEPS):
        chance = 1 / (1 + np.exp(-design @ place))
        bend = design.T @ (design * (weight * chance * (1 - chance))[:, None])
        step = np.linalg.solve(bend, design.T @ (weight * (won - chance)))
        place += np.clip(step, -2, 2)  # far from the top Newton's step may overshoot
        if np.abs(step).max() < 1e-10:
            break
    residual = design * (weight * (won - chance))[:, None]
    of = np.unique([row[4] for row in rows], return_inverse=True)[1]
    sums = np.zeros((of.max() + 1, len(arms) - 1))
    np.add.at(sums, of, residual)
    pseudo = np.zeros(len(sums), bool)
    pseudo[of[len(real) :]] = True
    sums[pseudo] /= math.sqrt(PSEUDO)  # half a question each
    inverse = np.linalg.inv(bend)
    spread = groups / (groups - 1) * inverse @ (sums.T @ sums) @ inverse
    whole = np.zeros((len(arms), len(arms)))
    whole[1:, 1:] = spread
    return np.concatenate([[0.0], place]), whole


def _duel(found: Sequence[_Comparison], arms: Sequence[str], a: int, b: int, place: Array, covariance: Array) -> Duel:
    first, second = arms[a], arms[b]
    won = [
        one.won if one.first == first else 1 - one.won for one in found if {one.first, one.second} == {first, second}
    ]
    asked = {one.question for one in found if {one.first, one.second} == {first, second}}
    gap = float(place[a] - place[b])
    half = Z * math.sqrt(float(covariance[a, a] + covariance[b, b] - 2 * covariance[a, b]))
    low, high = _chance(gap - half), _chance(gap + half)
    known = {one.question for one in found if {one.first, one.second} <= set(arms)}
    decided = len(known) >= FEWEST_GROUPS
    better = first if decided and low > 0.5 else second if decided and high < 0.5 else NOT_DECIDED
    counts = (len(won), won.count(1.0), won.count(0.0), won.count(0.5), len(asked))
    return Duel(first, second, _chance(gap), low, high, better, *counts)


def _chance(gap: float) -> float:
    return 1 / (1 + math.exp(-gap))


def _acceptable(votes: Sequence[Vote], arm: str) -> Share:
    marked = [vote for vote in votes if arm in vote.acceptable]
    return share([vote.acceptable[arm] for vote in marked], [vote.question for vote in marked])


def _said(duel: Duel) -> str:
    votes = f"{duel.votes} vote{'' if duel.votes == 1 else 's'} on {duel.questions} questions"
    span = f"95 %: {duel.low:.0%} to {duel.high:.0%}"
    outcome = f"decided: {duel.better} is preferred" if duel.better else "not decided"
    return f"{duel.first} over {duel.second}: {duel.chance:.0%} ({span}), {votes}, {duel.ties} ties: {outcome}."
