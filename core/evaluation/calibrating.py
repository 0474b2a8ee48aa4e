"""Which metric agrees with people: answers drawn to be marked by hand, and each metric's agreement with the marks.

The draw is stratified by a metric's value: answers in order of it, every so-manieth from a random start, so that every
height is drawn in its share. Knows rows and metrics; knows no screen.
"""

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from core.evaluation import metrics
from core.evaluation.agreement import Agreement, agreement
from core.evaluation.metrics import Meaning
from core.evaluation.records import Row
from core.votes import Mark

DRAWN: Final = 30
RULES: Final = "rules"  # the verdict by the rules, beside the metrics
FEWEST: Final = 10  # marks below which no threshold is looked for
Key = tuple[int, str, int]  # question, arm, repeat


@dataclass(frozen=True)
class Candidate:
    """A metric as judge of right and wrong: right from `threshold` on (None: the rules' own verdict).

    `fitted`: the threshold was looked for on these very marks, so its agreement is better than it will be on others.
    """

    metric: str
    title: str
    threshold: float | None
    fitted: bool
    agreement: Agreement


def key_of(row: Row) -> Key:
    """Which answer a row is."""
    return row.number, row.arm, row.repeat


def drawn(rows: Sequence[Row], metric: str = "token_f1", count: int = DRAWN, seed: int = 0) -> list[Row]:
    """`count` answers to be marked, in random order; answers that failed or have nothing to compare with are left out.
    `metric`: one of IN_WORDS."""
    able = [row for row in rows if not row.problem and row.expected]
    rng = random.Random(seed)
    order = sorted(able, key=lambda row: (_value(row, metric), rng.random()))
    if len(order) > count:
        start = rng.random()
        order = [order[int((at + start) * len(order) / count)] for at in range(count)]
    rng.shuffle(order)
    return order


def candidates(
    rows: Sequence[Row],
    marks: Iterable[Mark],
    chosen: Mapping[str, float] | None = None,
    meaning: Meaning = metrics.no_meaning,
) -> list[Candidate]:
    """The rules and every likeness metric against the marks: at a `chosen` threshold, else at the one that fits best.
    Likeness in meaning is among them where an embedder is at hand (`meaning`).

    An answer that several people marked counts as often.
    """
    by_key = {key_of(row): row for row in rows}
    marked = [(by_key[at], mark.right) for mark in marks if (at := _key(mark)) in by_key]
    people = [right for _, right in marked]
    rules = agreement(people, [row.right for row, _ in marked])
    found = [Candidate(RULES, "Rules", None, False, rules)]
    for name in metrics.LIKENESS:
        if name not in metrics.IN_WORDS and not any(meaning(row.reply, (row.expected,)) for row, _ in marked):
            continue  # no embedder
        values = [_value(row, name, meaning) for row, _ in marked]
        title = metrics.METRICS[name].title
        if (threshold := (chosen or {}).get(name)) is not None:
            found.append(Candidate(name, title, threshold, False, _at(people, values, threshold)))
        elif len(marked) >= FEWEST:
            best = max(sorted(set(values)), key=lambda least: _at(people, values, least).alike)
            found.append(Candidate(name, title, best, True, _at(people, values, best)))
    return found


def _at(people: Sequence[bool], values: Sequence[float], threshold: float) -> Agreement:
    return agreement(people, [value >= threshold for value in values])


def _key(mark: Mark) -> Key:
    return mark.place.number, mark.arm, mark.place.repeat


def _value(row: Row, name: str, meaning: Meaning = metrics.no_meaning) -> float:
    return metrics.likeness(name, row.reply, (row.expected,), meaning) or 0.0
