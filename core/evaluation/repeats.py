"""What repeating tells: how much answers vary from run to run and from question to question, and between trainings.

One arm, each question asked R times: one-way random effects, y_qr = mean + question_q + run_qr. The ANOVA estimator
(Searle, Casella and McCulloch, Variance Components, 1992, section 3.6): between runs MS_within, between questions
(MS_between - MS_within) / n0, n0 = (N - sum n_q^2 / N) / (Q - 1), not below zero. Several fine-tunes of one base under
one context, on the same questions: y_qt = mean + question_q + training_t + rest, where the variance between trainings
is (MS_training - MS_rest) / Q. Knows rows; knows no engine.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from core.evaluation.records import Row
from core.evaluation.statistics import accuracy


@dataclass(frozen=True)
class Components:
    """Of an arm's right or wrong: variances `between_questions` and `between_runs` (a run: one asking).

    `flips`: questions whose askings are not all right or all wrong, of `questions` asked more than once; 95 % interval.
    `error`: standard error of the accuracy over these questions by both variances; `error_endless`: what would be left
    of it if each question were asked without end.
    """

    arm: str
    questions: int
    repeats: float
    accuracy: float
    between_questions: float
    between_runs: float
    flips: int
    flip_share: float
    flip_low: float
    flip_high: float
    error: float
    error_endless: float

    @property
    def sentence(self) -> str:
        """In words."""
        total = self.between_questions + self.between_runs
        if not total:
            return f"{self.arm}: every answer alike, right or wrong, over {self.questions} questions."
        return (
            f"{self.arm}: {self.flips} of {self.questions} questions flip ({self.flip_share:.0%}; 95 %: "
            f"{self.flip_low:.0%} to {self.flip_high:.0%}); of the variance {self.between_runs / total:.0%} lies "
            f"between runs and {self.between_questions / total:.0%} between questions."
        )


@dataclass(frozen=True)
class Trainings:
    """Fine-tunes of one base under one context: each arm's accuracy, and their spread between training runs.

    `spread`: standard deviation of the trainings themselves, what the questions alone would give taken off; 0 where
    that explains it all.
    """

    base: str
    context: str
    questions: int
    accuracies: dict[str, float]
    spread: float

    @property
    def sentence(self) -> str:
        """In words."""
        shares = self.accuracies.values()
        where = f" with {self.context}" if self.context != "closed" else ""
        return (
            f"{len(self.accuracies)} fine-tunes of {self.base}{where}: {min(shares):.0%} to {max(shares):.0%} right "
            f"over {self.questions} questions; spread between training runs: {100 * self.spread:.1f} points."
        )


def sentences(several: Sequence[Components], tuned: Sequence[Trainings], titles: Mapping[str, str]) -> list[str]:
    """Both in words. `titles`: the arms' names for people."""
    named = [replace(one, arm=titles.get(one.arm, one.arm)) for one in several]
    return [*(one.sentence for one in named), *(one.sentence for one in tuned)]


def one_way(values: Sequence[Sequence[float]]) -> tuple[float, float]:
    """Variances between groups and within them, by the ANOVA estimator. Two groups and one repeat at least."""
    sizes = np.array([len(group) for group in values], float)
    total, groups = float(sizes.sum()), len(values)
    if groups < 2 or total <= groups:
        return 0.0, 0.0
    means = np.array([np.mean(group) for group in values])
    grand = float(sizes @ means) / total
    within = sum(float(((np.asarray(g) - m) ** 2).sum()) for g, m in zip(values, means, strict=True)) / (total - groups)
    between = float(sizes @ (means - grand) ** 2) / (groups - 1)
    size = (total - float((sizes**2).sum()) / total) / (groups - 1)
    return max(0.0, (between - within) / size), within


def components(rows: Sequence[Row]) -> list[Components]:
    """The arms that were asked some question more than once."""
    found = []
    for arm in dict.fromkeys(row.arm for row in rows):
        asked: dict[int, list[float]] = {}
        for row in rows:
            if row.arm == arm and not row.problem:
                asked.setdefault(row.number, []).append(float(row.right))
        several = [values for values in asked.values() if len(values) > 1]
        if len(several) > 1:
            found.append(_components(arm, several))
    return found


def _components(arm: str, values: Sequence[Sequence[float]]) -> Components:
    questions, runs = one_way(values)
    flipped = [min(group) < max(group) for group in values]
    flips = accuracy(flipped, [str(at) for at in range(len(values))])
    repeats = sum(map(len, values)) / len(values)
    n = len(values)
    return Components(
        arm, n, repeats, float(np.mean([np.mean(group) for group in values])), questions, runs,
        flips.right, flips.accuracy, flips.low, flips.high,
        math.sqrt((questions + runs / repeats) / n), math.sqrt(questions / n),
    )  # fmt: skip


def trainings(rows: Sequence[Row], bases: Mapping[str, str | None]) -> list[Trainings]:
    """Groups of arms whose models were tuned from one base, under one context, on the questions they share.

    `bases`: model -> its base, None where it has none.
    """
    groups: dict[tuple[str, str], dict[str, dict[int, list[float]]]] = {}
    for row in rows:
        base = bases.get(row.model)
        if base and not row.problem:
            arms = groups.setdefault((base, row.context), {})
            arms.setdefault(row.arm, {}).setdefault(row.number, []).append(float(row.right))
    models = {row.arm: row.model for row in rows}
    found = []
    for (base, context), arms in groups.items():
        common = sorted(set.intersection(*(set(asked) for asked in arms.values())))
        if len({models[arm] for arm in arms}) < 2 or len(common) < 2:
            continue
        table = np.array([[np.mean(asked[number]) for number in common] for asked in arms.values()])
        shares = {arm: float(share) for arm, share in zip(arms, table.mean(1), strict=True)}
        found.append(Trainings(base, context, len(common), shares, spread(table)))
    return found


def spread(table: "np.ndarray[tuple[int, int], np.dtype[np.float64]]") -> float:
    """Standard deviation between rows (trainings), over columns (questions) that all share; two of each at least."""
    trainings_, questions = table.shape
    rows, columns = table.mean(1, keepdims=True), table.mean(0, keepdims=True)
    rest = float(((table - rows - columns + table.mean()) ** 2).sum()) / ((trainings_ - 1) * (questions - 1))
    between = questions * float(((rows - table.mean()) ** 2).sum()) / (trainings_ - 1)
    return math.sqrt(max(0.0, (between - rest) / questions))
