"""Retrieval settings side by side over a question set, without a model: hit@k, MRR, tokens. Pure; searches nothing.

The cheapest setting within the error of the best follows the one-standard-error rule (Breiman et al., "Classification
and Regression Trees", 1984); ours: the error is that of the paired difference, since all settings see the same
questions, and cheap means few tokens of passages in the prompt.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any, Final, Literal

import msgspec

from core.arms import Arm, Search
from core.errors import Problem
from core.evaluation import statistics
from core.evaluation.questions import ABSTAIN, TICKET, TONE, Question
from core.evaluation.statistics import Accuracy, Difference
from core.retrieval.values import MODES, Settings
from core.text import one_line

MOST: Final = 400  # settings of one sweep
ROUNDED: Final = 1e-9  # one question lost is exactly one standard error
AXES: Final = ("k", "mode", "weight", "threshold", "splitter", "chunk_size", "embedder")
Measure = Literal["hit", "mrr"]


@dataclass(frozen=True)
class Setting:
    """One way to retrieve: `k`, `mode`, `weight`, `threshold` as in arms.Search, the rest as in retrieval.Settings.

    `embedder`: "" the base's own, "bundled", or a GGUF by its id or path (read without words before a text).
    """

    k: int = 3
    mode: str = "hybrid"
    weight: float = Settings.weight
    threshold: float = 0.0
    splitter: str = "headings"
    chunk_size: int = Settings.chunk_size
    overlap: int = Settings.overlap
    embedder: str = ""

    @classmethod
    def of(cls, search: Search, base: Settings) -> "Setting":
        """What an arm searches with in a base of those settings."""
        weight = base.weight if search.weight is None else search.weight
        threshold = base.threshold if search.threshold is None else search.threshold
        return cls(search.top_k, search.mode, weight, threshold, base.splitter, base.chunk_size, base.overlap).plain()

    def plain(self) -> "Setting":
        """The same without what its mode does not use, so that two that search alike are equal."""
        if self.mode == "sparse":
            return replace(self, weight=0.0, embedder="")
        return self if self.mode == "hybrid" else replace(self, weight=1.0)

    @property
    def split(self) -> Settings:
        """How documents are split for it. Raises Problem on what cannot be used."""
        return Settings(self.splitter, self.chunk_size, self.overlap)

    def into(self, arm: Arm) -> Arm:
        """The arm, searching like this."""
        own = {"weight": self.weight} if self.mode == "hybrid" else {}
        search = replace(arm.search, top_k=self.k, mode=self.mode, threshold=self.threshold, **own)  # type: ignore[arg-type]
        return replace(arm, search=search)

    @property
    def title(self) -> str:
        """In words: "top 3, hybrid 0.70, headings of 160 tokens"."""
        mode = f"hybrid {self.weight:.2f}" if self.mode == "hybrid" else self.mode
        cut = f", at least {self.threshold:.2f}" if self.threshold else ""
        by = f", embedded by {one_line(self.embedder, 60)}" if self.embedder else ""
        return f"top {self.k}, {mode}{cut}, {self.splitter} of {self.chunk_size} tokens{by}"


@dataclass(frozen=True)
class Grid:
    """The values to try of each; every combination is a setting."""

    k: tuple[int, ...] = (1, 2, 3, 5, 8)
    mode: tuple[str, ...] = ("hybrid",)
    weight: tuple[float, ...] = (0.5, 0.7)
    threshold: tuple[float, ...] = (0.0,)
    splitter: tuple[str, ...] = ("headings", "sentences")
    chunk_size: tuple[int, ...] = (96, 160)
    embedder: tuple[str, ...] = ("",)

    def settings(self, overlap: int = Settings.overlap) -> tuple[Setting, ...]:
        """Each distinct combination. Raises Problem on a value that cannot be used, or on too many."""
        values = [getattr(self, axis) for axis in AXES]
        for axis, given in zip(AXES, values, strict=True):
            if not given:
                raise Problem(f"The sweep needs at least one value of {axis.replace('_', ' ')}.")
        many = 1
        for given in values:
            many *= len(set(given))
        if many > MOST:
            raise Problem(f"These are {many:,} settings; at most {MOST} are tried in one sweep. Take fewer values.")
        found: dict[Setting, None] = {}
        for combination in product(*values):
            one = replace(Setting(**dict(zip(AXES, combination, strict=True))), overlap=0)
            found[_checked(replace(one, overlap=min(overlap, max(0, one.chunk_size // 2))).plain())] = None
        return tuple(found)


@dataclass(frozen=True)
class Outcome:
    """What one setting found, one entry a question: was the answer among the passages, the rank of the first that
    holds it (0: none), and the tokens of all passages."""

    setting: Setting
    hits: tuple[bool, ...]
    ranks: tuple[int, ...]
    tokens: tuple[int, ...]


@dataclass(frozen=True)
class Scored:
    """A setting's figures. `mrr`: with its 95 % interval; `tokens`: mean passages' tokens a question; `gain`: of the
    measure over the present setting, paired; `within`: not worse than the best by more than one standard error."""

    setting: Setting
    hit: Accuracy
    mrr: tuple[float, float, float]  # low, mean, high
    tokens: float
    gain: Difference | None
    within: bool

    def value(self, measure: Measure) -> float:
        """The measure's mean."""
        return self.hit.accuracy if measure == "hit" else self.mrr[1]


@dataclass(frozen=True)
class Sweep:
    """All settings, best first. `cheapest`: of those within the error of the best, the one with the fewest tokens.
    `present`: what the arm searches with now; None while it has not been tried."""

    measure: Measure
    questions: int
    facts: int
    scored: tuple[Scored, ...]
    best: Scored
    cheapest: Scored
    present: Scored | None

    @property
    def sentence(self) -> str:
        """What it comes to."""
        name = "hit@k" if self.measure == "hit" else "MRR"
        one = self.cheapest
        said = (
            f"The cheapest setting within the error of the best is {one.setting.title}: {name} "
            f"{one.value(self.measure):.0%} with {one.tokens:.0f} tokens of passages a question."
        )
        if self.present is None:
            return said
        if one.setting == self.present.setting:
            return said + " It is the present one."
        gain = one.gain
        points = (
            "" if gain is None else f" ({100 * gain.difference:+.0f} points, {100 * gain.low:+.0f} to "
            f"{100 * gain.high:+.0f})"
        )  # fmt: skip
        present = f"{self.present.value(self.measure):.0%} with {self.present.tokens:.0f} tokens"
        return f"{said} The present one has {present}{points}."


def rows(found: Sweep) -> list[dict[str, Any]]:
    """One row a setting, best first, for a table; shares in percent."""
    return [
        {
            "setting": one.setting.title,
            "hit@k": 100 * one.hit.accuracy,
            "95 %": f"{one.hit.low:.0%} to {one.hit.high:.0%}",
            "MRR": one.mrr[1],
            "MRR 95 %": f"{one.mrr[0]:.2f} to {one.mrr[2]:.2f}",
            "tokens": one.tokens,
            "points over now": None if one.gain is None else 100 * one.gain.difference,
            "gain 95 %": None if one.gain is None else f"{100 * one.gain.low:+.0f} to {100 * one.gain.high:+.0f}",
            "within the error": one.within,
        }
        for one in found.scored
    ]


def asked(questions: Sequence[Question]) -> tuple[Question, ...]:
    """The questions for which retrieval can be right or wrong. Raises Problem when there is none."""
    found = tuple(one for one in questions if one.cls not in (ABSTAIN, TONE, TICKET) and one.answer)
    if not found:
        raise Problem("None of these questions has an answer to look for: a sweep needs questions with answers.")
    return found


def row(outcome: Outcome) -> dict[str, Any]:
    """An outcome as a job keeps it."""
    made: dict[str, Any] = msgspec.to_builtins(outcome)
    return made | {"hits": [int(hit) for hit in outcome.hits]}


def outcome(kept: Mapping[str, Any]) -> Outcome:
    """The outcome of such a row."""
    hits = [bool(hit) for hit in kept["hits"]]
    return msgspec.convert({**kept, "hits": hits}, Outcome)


def summed(
    outcomes: Sequence[Outcome], questions: Sequence[Question], present: Setting, measure: Measure = "hit"
) -> Sweep:
    """The settings ranked. `questions`: those the outcomes are about. Raises Problem when nothing has been tried."""
    if not outcomes:
        raise Problem("Nothing has been tried yet.")
    groups = [question.group for question in questions]
    values = {each.setting: _values(each, measure) for each in outcomes}
    best = max(outcomes, key=lambda each: (_mean(values[each.setting]), -_mean(each.tokens)))
    made = [_scored(each, values, best.setting, present, groups) for each in outcomes]
    made.sort(key=lambda each: (-each.value(measure), each.tokens))
    first = next(each for each in made if each.setting == best.setting)
    cheapest = min((each for each in made if each.within), key=lambda each: (each.tokens, -each.value(measure)))
    now = next((each for each in made if each.setting == present), None)
    return Sweep(measure, len(questions), len(set(groups)), tuple(made), first, cheapest, now)


def differing(one: Outcome, other: Outcome) -> list[int]:
    """The questions (by place) for which only one of two settings finds the answer."""
    return [place for place, (a, b) in enumerate(zip(one.hits, other.hits, strict=True)) if a != b]


def _scored(
    each: Outcome,
    values: Mapping[Setting, Sequence[float]],
    best: Setting,
    present: Setting,
    groups: Sequence[str],
) -> Scored:
    own = values[each.setting]
    behind = statistics.mean([a - b for a, b in zip(own, values[best], strict=True)], groups)
    gain = None
    if present in values:
        gain = statistics.difference([a - b for a, b in zip(own, values[present], strict=True)], groups)
    reciprocal = [1 / rank if rank else 0.0 for rank in each.ranks]
    around = statistics.difference([2 * value - 1 for value in reciprocal], groups)  # bounded by -1 and 1
    mrr = ((around.low + 1) / 2, (around.difference + 1) / 2, (around.high + 1) / 2)
    within = behind.mean + behind.standard_error >= -ROUNDED
    return Scored(each.setting, statistics.accuracy(each.hits, groups), mrr, _mean(each.tokens), gain, within)


def _values(each: Outcome, measure: Measure) -> list[float]:
    if measure == "hit":
        return [float(hit) for hit in each.hits]
    return [1 / rank if rank else 0.0 for rank in each.ranks]


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _checked(one: Setting) -> Setting:
    if not 1 <= one.k <= 20:
        raise Problem(f"top-k must lie between 1 and 20, not {one.k}.")
    if one.mode not in MODES:
        raise Problem(f"Unknown mode '{one_line(one.mode, 40)}'. Modes: {', '.join(MODES)}.")
    replace(one.split, weight=one.weight, threshold=one.threshold)  # raises Problem
    return one
