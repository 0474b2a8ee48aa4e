"""Pure scoring: answers in, advice out. No weights of its own (rules.toml has them), no words of guidance, no screen.

    retrieval   = knowledge
    fine-tuning = behaviour + max(0, no_lookup)
    hybrid      = knowledge + behaviour + both          (both is negative: two systems)
    prompt      = 0                                     (what the others must beat)

The highest score among the approaches that no hard constraint excludes wins; a tie goes to the simpler approach.
Confidence is the share of draws in which the verdict stays when open questions are answered at random and every weight
varies: how often it would still be said once everything is known (tests/advisor/test_confidence.py holds it to that).
"""

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from core.advisor import rules
from core.advisor.rules import APPROACHES, Constraint

UNDECIDED = "undecided"  # too few answers
NOTHING = "none"  # the hard constraints leave no approach
VERDICTS = (*APPROACHES, UNDECIDED, NOTHING)
SPREADS = (0.1, 0.25, 0.5, 0.75, 1.0)
DRAWS, WEIGHTS_VARY, SEED = 2000, 0.25, 0
LOW, HIGH = 0.5, 0.8  # confidence below and from which it is called low and high
MOST = 20  # flips listed

# Rows: approaches; columns: knowledge, behaviour, no_lookup. What each need counts for.
COUNTS = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 1], [1, 1, 0]], dtype=float)
Points = NDArray[np.float64]


@dataclass(frozen=True)
class Step:
    """One line of the trace: what an answer does to each approach, in points, and who says so."""

    question: str
    answer: str
    effect: dict[str, float]
    source: str


@dataclass(frozen=True)
class Flip:
    """The fewest changed answers that give another verdict. `change`: question -> (now, then).

    `drops`: the hard constraints of now that would no longer hold, so a requirement that is given up.
    """

    change: dict[str, tuple[str, str]]
    verdict: str
    drops: tuple[Constraint, ...] = ()


@dataclass(frozen=True)
class Advice:
    """The whole recommendation for one set of answers."""

    answers: dict[str, str]
    verdict: str
    confidence: float  # 0 to 1: share of draws of what is open in which the verdict stays
    margin: float  # points between the first and the second approach that remain; 0 when fewer than two do
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
    def decided(self) -> bool:
        """Whether an approach is recommended."""
        return self.verdict in APPROACHES

    @property
    def confidence_word(self) -> str:
        """'low', 'medium' or 'high'."""
        return "low" if self.confidence < LOW else "medium" if self.confidence < HIGH else "high"


def advise(answers: Mapping[str, str]) -> Advice:
    """The recommendation for checked answers (question id -> option id; see rules.read_answers)."""
    known = rules.load()
    needs, scores, holding, ranked = _weighed(answers)
    said, why = _verdict(answers, ranked)
    several = said in APPROACHES and len(ranked) > 1
    return Advice(
        answers=dict(answers),
        verdict=said,
        confidence=_confidence(answers, said),
        margin=scores[ranked[0]] - scores[ranked[1]] if several else 0.0,
        runner_up=ranked[1] if several else "",
        scores=scores,
        excluded=tuple(name for name in APPROACHES if name not in ranked),
        constraints=holding,
        start=dict(zip(APPROACHES, _scores(np.array(known.start.points), known.start.both).tolist(), strict=True)),
        floor=max(0.0, -float(needs[2])),
        trace=tuple(_step(name, answers[name]) for name in known.questions if name in answers),
        unknown=tuple(name for name in known.questions if name not in answers),
        why_undecided=why,
    )


def verdict(answers: Mapping[str, str]) -> str:
    """The verdict alone: as advise(), without trace and confidence."""
    return _verdict(answers, _weighed(answers)[3])[0]


def points(answers: Mapping[str, str]) -> dict[str, float]:
    """The score of each approach, whether or not a hard constraint excludes it."""
    return _weighed(answers)[1]


def flips(advice: Advice) -> list[Flip]:
    """Changes that give another verdict and break nothing that is required now.

    For each question the nearest such answer; if there is none at all, pairs of answers. Nearest: fewest options away;
    an unanswered question counts as answered for the first time. No flip leads to an approach that a hard constraint
    excludes, and none works by giving up a requirement: those are what_must_give(). At most MOST.
    """
    kept = [flip for flip in _changes(advice, 1) if not flip.drops and flip.verdict not in advice.excluded]
    if not kept and advice.decided:
        kept = [flip for flip in _changes(advice, 2) if not flip.drops and flip.verdict not in advice.excluded]
    return _nearest(kept)[:MOST]


def what_must_give(advice: Advice) -> list[Flip]:
    """The smallest changes that give up a requirement and so open another verdict; the way out when nothing fits."""
    dropped = [flip for flip in _changes(advice, 1) if flip.drops]
    if not dropped and advice.verdict == NOTHING:
        dropped = [flip for flip in _changes(advice, 2) if flip.drops]
    return _nearest(dropped)[:MOST]


def sensitivity(
    answers: Mapping[str, str], spread: float = 0.5, draws: int = DRAWS, seed: int = SEED
) -> dict[str, float]:
    """Share of draws in which each verdict wins when every weight is varied by itself, evenly within +-`spread`.

    Every point of every answer and of [start] is multiplied by its own number from [1 - spread, 1 + spread]. The hard
    constraints and the "not enough to tell" rule stay as they are. Same seed, same result.
    """
    now = verdict(answers)
    if now not in APPROACHES:
        return {**dict.fromkeys(VERDICTS, 0.0), now: 1.0}
    return _shares(answers, spread, draws, seed, open_too=False)


def without_each(answers: Mapping[str, str]) -> dict[str, str]:
    """The verdict when one answer at a time is taken back: question -> verdict."""
    return {name: verdict({k: v for k, v in answers.items() if k != name}) for name in answers}


def _confidence(answers: Mapping[str, str], now: str) -> float:
    if now == UNDECIDED:
        return 0.0
    if now == NOTHING:
        return 1.0  # further answers add constraints and take none away
    return round(_shares(answers, WEIGHTS_VARY, DRAWS, SEED, open_too=True)[now], 3)


def _shares(answers: Mapping[str, str], spread: float, draws: int, seed: int, *, open_too: bool) -> dict[str, float]:
    """Share of draws in which each verdict wins, weights varied; `open_too`: open questions answered at random."""
    known = rules.load()
    random = np.random.default_rng(seed)
    chosen = _chosen(answers, random, draws, open_too=open_too)
    points = np.take_along_axis(_table()[None], chosen[..., None, None], axis=2)[:, :, 0, :]  # draws, questions, needs
    weights = np.concatenate([np.broadcast_to(known.start.points, (draws, 1, 3)), points], axis=1)
    needs = (weights * random.uniform(1 - spread, 1 + spread, weights.shape)).sum(axis=1)
    scores = _scores(needs, known.start.both * random.uniform(1 - spread, 1 + spread, draws))
    for constraint in known.constraint:
        out = np.array([name in constraint.excludes for name in APPROACHES])
        scores[_holds(constraint, chosen)[:, None] & out] = -np.inf
    winners = np.where(np.isneginf(scores).all(axis=1), len(APPROACHES), scores.argmax(axis=1))
    counted = np.bincount(winners, minlength=len(APPROACHES) + 1) / draws
    return {
        **dict(zip(APPROACHES, counted[:-1].tolist(), strict=True)),
        UNDECIDED: 0.0,
        NOTHING: float(counted[-1]),
    }


def _chosen(answers: Mapping[str, str], random: np.random.Generator, draws: int, *, open_too: bool) -> NDArray[np.intp]:
    """Number of the option by draw and question; the number after the last option stands for no answer."""
    known = rules.load()
    none = _table().shape[1] - 1
    columns = []
    for question in known.question:
        ids = [option.id for option in question.options]
        if question.id in answers:
            columns.append(np.full(draws, ids.index(answers[question.id])))
        elif open_too:
            columns.append(random.choice(len(ids), draws, p=[option.share / 100 for option in question.options]))
        else:
            columns.append(np.full(draws, none))
    return np.stack(columns, axis=1)


def _holds(constraint: Constraint, chosen: NDArray[np.intp]) -> NDArray[np.bool_]:
    """In which draws a constraint holds."""
    holds = np.ones(len(chosen), dtype=bool)
    for column, question in enumerate(rules.load().question):
        if options := constraint.when.get(question.id):
            holds &= np.isin(chosen[:, column], [at for at, each in enumerate(question.options) if each.id in options])
    return holds


@cache
def _table() -> Points:
    """Points by question, option and need; what is beyond a question's last option is zero."""
    known = rules.load()
    table = np.zeros((len(known.question), 1 + max(len(each.options) for each in known.question), 3))
    for row, question in enumerate(known.question):
        for column, option in enumerate(question.options):
            table[row, column] = option.points
    return table


def _weighed(answers: Mapping[str, str]) -> tuple[Points, dict[str, float], tuple[Constraint, ...], list[str]]:
    """Needs, scores, the constraints that hold, and the approaches that they leave, best first."""
    known = rules.load()
    needs = np.array([known.start.points, *(_points(*pair) for pair in answers.items())]).sum(axis=0)
    scores = dict(zip(APPROACHES, _scores(needs, known.start.both).round(6).tolist(), strict=True))
    holding = tuple(constraint for constraint in known.constraint if constraint.holds(answers))
    out = {name for constraint in holding for name in constraint.excludes}
    return (
        needs,
        scores,
        holding,
        sorted((name for name in APPROACHES if name not in out), key=lambda name: -scores[name]),
    )


def _points(question: str, option: str) -> tuple[float, float, float]:
    return rules.load().questions[question].option(option).points


def _scores(needs: Points, both: float | Points) -> Points:
    """Scores of the four approaches in the last axis, from needs (..., 3)."""
    floor = np.array([-np.inf, -np.inf, 0.0])
    scores: Points = np.maximum(needs, floor) @ COUNTS.T
    scores[..., APPROACHES.index("hybrid")] += both
    return scores


def _verdict(answers: Mapping[str, str], ranked: list[str]) -> tuple[str, str]:
    """The verdict, and why there is none."""
    if not ranked:
        return NOTHING, "No approach can do all that is required: one requirement must give."
    known = rules.load()
    needs = [pair for pair in answers.items() if not known.questions[pair[0]].means]
    if sum(max(map(abs, _points(*pair))) for pair in needs) < known.start.enough:
        return UNDECIDED, "Not enough to tell."
    return ranked[0], ""


def _step(question: str, option: str) -> Step:
    effect = COUNTS @ np.array(_points(question, option))
    source = rules.load().questions[question].option(option).source
    return Step(question, option, dict(zip(APPROACHES, effect.tolist(), strict=True)), source)


def _changes(advice: Advice, number: int) -> Iterable[Flip]:
    """Every change of exactly `number` answers that gives another, decided verdict."""
    questions = rules.load().questions
    for names in itertools.combinations(questions, number):
        for options in itertools.product(*([option.id for option in questions[name].options] for name in names)):
            change = {
                name: (advice.answers.get(name, rules.UNKNOWN), then) for name, then in zip(names, options, strict=True)
            }
            if any(now == then for now, then in change.values()):
                continue
            answers = {**advice.answers, **dict(zip(names, options, strict=True))}
            then = verdict(answers)
            if then in APPROACHES and then != advice.verdict:
                yield Flip(change, then, tuple(each for each in advice.constraints if not each.holds(answers)))


def _nearest(found: Iterable[Flip]) -> list[Flip]:
    """Of the changes to the same questions only the smallest."""
    best: dict[tuple[str, ...], Flip] = {}
    for flip in found:
        names = tuple(flip.change)
        if names not in best or _distance(flip) < _distance(best[names]):
            best[names] = flip
    return list(best.values())


def _distance(flip: Flip) -> int:
    return sum(_steps(name, now, then) for name, (now, then) in flip.change.items())


def _steps(name: str, now: str, then: str) -> int:
    ids = [option.id for option in rules.load().questions[name].options]
    return 1 if now == rules.UNKNOWN else abs(ids.index(now) - ids.index(then))
