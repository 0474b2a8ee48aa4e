"""Pure scoring: answers in, advice out. No weights of its own (rules.toml has them), no words of guidance, no screen.

    retrieval   = knowledge
    fine-tuning = behaviour + max(0, no_lookup)
    hybrid      = knowledge + behaviour + both          (both is negative: two systems)
    prompt      = 0                                     (what the others must beat)

The highest score among the approaches that no hard constraint excludes wins; a tie goes to the simpler approach.
"""

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.advisor import rules
from core.advisor.rules import APPROACHES, Constraint

UNDECIDED = "undecided"
VERDICTS = (*APPROACHES, UNDECIDED)
HALF_SURE = 1.5  # points of margin at which confidence is one half (ours)
SPREADS = (0.1, 0.25, 0.5, 0.75, 1.0)

# Rows: approaches; columns: knowledge, behaviour, no_lookup. What each need counts for.
COUNTS = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 1], [1, 1, 0]], dtype=float)


@dataclass(frozen=True)
class Step:
    """One line of the trace: what an answer does to each approach, in points, and who says so."""

    question: str
    answer: str
    effect: dict[str, float]
    source: str


@dataclass(frozen=True)
class Flip:
    """The fewest changed answers that give another verdict. `change`: question -> (now, then)."""

    change: dict[str, tuple[str, str]]
    verdict: str


@dataclass(frozen=True)
class Advice:
    """The whole recommendation for one set of answers."""

    answers: dict[str, str]
    verdict: str
    confidence: float  # 0 to 1, from the margin
    margin: float  # points between the first and the second approach that remain
    runner_up: str
    scores: dict[str, float]
    excluded: tuple[str, ...]
    constraints: tuple[Constraint, ...]
    start: dict[str, float]  # points before any answer
    floor: float  # points given back to fine-tuning because no_lookup never counts below zero
    trace: tuple[Step, ...]
    unknown: tuple[str, ...]
    why_undecided: str = ""

    @property
    def confidence_word(self) -> str:
        """'low', 'medium' or 'high'."""
        return "low" if self.confidence < 0.35 else "medium" if self.confidence < 0.65 else "high"


def advise(answers: Mapping[str, str]) -> Advice:
    """The recommendation for checked answers (question id -> option id; see rules.read_answers)."""
    known = rules.load()
    needs = np.array([known.start, *(_points(*pair) for pair in answers.items())]).sum(axis=0)
    scores = dict(zip(APPROACHES, _scores(needs, known.both).round(6).tolist(), strict=True))
    holding = tuple(constraint for constraint in known.constraints if constraint.holds(answers))
    excluded = tuple(name for name in APPROACHES if any(name in constraint.excludes for constraint in holding))
    ranked = sorted((name for name in APPROACHES if name not in excluded), key=lambda name: -scores[name])
    margin = scores[ranked[0]] - scores[ranked[1]] if len(ranked) > 1 else math.inf
    why = _why_undecided(answers, ranked)
    return Advice(
        answers=dict(answers),
        verdict=UNDECIDED if why else ranked[0],
        confidence=0.0 if why else 1.0 if margin == math.inf else round(1 - 0.5 ** (margin / HALF_SURE), 3),
        margin=0.0 if why else margin,
        runner_up=ranked[1] if len(ranked) > 1 and not why else "",
        scores=scores,
        excluded=excluded,
        constraints=holding,
        start=dict(zip(APPROACHES, _scores(np.array(known.start), known.both).tolist(), strict=True)),
        floor=max(0.0, -float(needs[2])),
        trace=tuple(_step(name, answers[name]) for name in known.questions if name in answers),
        unknown=tuple(name for name in known.questions if name not in answers),
        why_undecided=why,
    )


def flips(advice: Advice) -> list[Flip]:
    """For each question, the nearest other answer that changes the verdict; if there is none at all, pairs of answers.

    Nearest: fewest options away; an unanswered question counts as answered for the first time. At most 20.
    """
    questions = rules.load().questions
    single = [flip for name in questions if (flip := _nearest(advice, (name,)))]
    if single or advice.verdict == UNDECIDED:
        return single[:20]
    pairs = (_nearest(advice, pair) for pair in itertools.combinations(questions, 2))
    return [flip for flip in pairs if flip][:20]


def sensitivity(answers: Mapping[str, str], spread: float = 0.5, draws: int = 2000, seed: int = 0) -> dict[str, float]:
    """Share of draws in which each verdict wins when every weight is varied by itself, evenly within +-`spread`.

    Every point of every answer and of [start] is multiplied by its own number from [1 - spread, 1 + spread]. The hard
    constraints and the "not enough to tell" rule stay as they are. Same seed, same result.
    """
    known = rules.load()
    advice = advise(answers)
    shares = dict.fromkeys(VERDICTS, 0.0)
    if advice.verdict == UNDECIDED:
        return {**shares, UNDECIDED: 1.0}
    random = np.random.default_rng(seed)
    weights = np.array([known.start, *(_points(name, option) for name, option in answers.items())])
    factors = random.uniform(1 - spread, 1 + spread, (draws, *weights.shape))
    both = known.both * random.uniform(1 - spread, 1 + spread, draws)
    scores = _scores((weights * factors).sum(axis=1), both)
    scores[:, [APPROACHES.index(name) for name in advice.excluded]] = -np.inf
    winners = np.bincount(scores.argmax(axis=1), minlength=len(APPROACHES)) / draws
    return {**shares, **dict(zip(APPROACHES, winners.tolist(), strict=True))}


def without_each(answers: Mapping[str, str]) -> dict[str, str]:
    """The verdict when one answer at a time is taken back: question -> verdict."""
    return {name: advise({k: v for k, v in answers.items() if k != name}).verdict for name in answers}


def _points(question: str, option: str) -> tuple[float, float, float]:
    return rules.load().questions[question].option(option).points


def _scores(needs: NDArray[np.float64], both: float | NDArray[np.float64]) -> NDArray[np.float64]:
    """Scores of the four approaches in the last axis, from needs (..., 3)."""
    floor = np.array([-np.inf, -np.inf, 0.0])
    scores: NDArray[np.float64] = np.maximum(needs, floor) @ COUNTS.T
    scores[..., APPROACHES.index("hybrid")] += both
    return scores


def _why_undecided(answers: Mapping[str, str], ranked: Sequence[str]) -> str:
    if not ranked:
        return "The hard constraints leave no approach: relax one of them."
    known = rules.load()
    needs = [pair for pair in answers.items() if not known.questions[pair[0]].means]
    if sum(max(map(abs, _points(*pair))) for pair in needs) < known.enough:
        return "Not enough to tell."
    return ""


def _step(question: str, option: str) -> Step:
    effect = COUNTS @ np.array(_points(question, option))
    source = rules.load().questions[question].option(option).source
    return Step(question, option, dict(zip(APPROACHES, effect.tolist(), strict=True)), source)


def _nearest(advice: Advice, names: tuple[str, ...]) -> Flip | None:
    """The smallest change of exactly these answers that gives another, decided verdict."""
    questions = rules.load().questions
    changes = []
    for options in itertools.product(*([option.id for option in questions[name].options] for name in names)):
        if any(advice.answers.get(name) == option for name, option in zip(names, options, strict=True)):
            continue
        then = {**advice.answers, **dict(zip(names, options, strict=True))}
        verdict = advise(then).verdict
        if verdict not in (advice.verdict, UNDECIDED):
            steps = sum(_steps(name, advice.answers.get(name), then[name]) for name in names)
            changes.append(
                (steps, {name: (advice.answers.get(name, rules.UNKNOWN), then[name]) for name in names}, verdict)
            )
    if not changes:
        return None
    _, change, verdict = min(changes, key=lambda each: each[0])
    return Flip(change, verdict)


def _steps(name: str, now: str | None, then: str) -> int:
    ids = [option.id for option in rules.load().questions[name].options]
    return 1 if now is None else abs(ids.index(now) - ids.index(then))
