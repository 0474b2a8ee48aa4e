"""What counts as a right answer to one question, when its set says so: graders. Pure; know no arm and no statistics.

A question without a grader is right when the reply states its answer (`scoring.right`). With graders, each gives a
share from 0 to 1, and the question is right when every one reaches its threshold.

Kinds: exact, contains, regex, json-schema, number, facts (each of a list counts), similarity (by a metric of
`metrics.py`, in meaning too where an embedder is at hand), judge (set apart: never mixed into these figures).
`negated`: must not. `max_ms`: in time, too.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, get_args

from core import checks
from core.errors import Problem
from core.evaluation import metrics, scoring
from core.evaluation.metrics import Meaning
from core.evaluation.quantities import Quantity, tokens
from core.text import one_line

Kind = Literal["exact", "contains", "regex", "json-schema", "number", "facts", "similarity", "judge"]
KINDS: Final = get_args(Kind)
MOST_FACTS: Final = 50
MOST_GRADERS: Final = 10


@dataclass(frozen=True)
class Grader:
    """One rule. `value`: what is compared; empty takes the question's own answers. `values`: of facts, each one.

    `metric`: of similarity. `threshold`: the share from which the rule is met. `tolerance`: of number, relative.
    """

    kind: Kind
    value: str = ""
    values: tuple[str, ...] = ()
    negated: bool = False
    max_ms: float | None = None
    metric: str = "token_f1"
    threshold: float = 1.0
    tolerance: float = 0.0


@dataclass(frozen=True)
class Grade:
    """How well a reply meets a rule: `share` 0 to 1, `met` against the threshold, and why in words."""

    share: float
    met: bool
    why: str = ""


def graded(
    graders: Sequence[Grader],
    reply: str,
    accepted: tuple[str, ...],
    total_ms: float | None = None,
    meaning: Meaning = metrics.no_meaning,
) -> Grade:
    """All graders of a question together, one at least and no judge: the mean share, met when every one is."""
    grades = [grade(one, reply, accepted, total_ms, meaning) for one in graders]
    why = "; ".join(one.why for one in grades if one.why)
    return Grade(sum(one.share for one in grades) / len(grades), all(one.met for one in grades), why)


def grade(
    grader: Grader,
    reply: str,
    accepted: tuple[str, ...],
    total_ms: float | None = None,
    meaning: Meaning = metrics.no_meaning,
) -> Grade:
    """The grade of one reply that took `total_ms`. Nothing is met that cannot be decided, `negated` or not."""
    wanted = (grader.value,) if grader.value else accepted
    if grader.max_ms is not None and (total_ms is None or total_ms > grader.max_ms):
        took = "its time is not known" if total_ms is None else f"it took {total_ms:.0f} ms"
        return Grade(0.0, False, f"{took}, at most {grader.max_ms:.0f} ms")
    if grader.kind == "similarity":
        like = metrics.likeness(grader.metric, reply, wanted, meaning) if wanted and reply.strip() else 0.0
        if like is None:
            return Grade(0.0, False, "no embedder is at hand to compare by")
        share = like
    elif grader.kind == "facts":
        stated = [fact for fact in grader.values if scoring.mentions(reply, fact)]
        share = len(stated) / len(grader.values)
    else:
        try:
            share = float(RULES[grader.kind](grader, reply, wanted))
        except TimeoutError:
            return Grade(0.0, False, "the pattern could not be decided in time")
    met = share >= grader.threshold
    if grader.negated:
        return Grade(1.0 - share, not met, "" if not met else f"it must not: {grader.kind}")
    return Grade(share, met, "" if met else _why(grader, reply, share))


def _why(grader: Grader, reply: str, share: float) -> str:
    if grader.kind == "facts":
        lacking = [fact for fact in grader.values if not scoring.mentions(reply, fact)]
        return f"{share:.0%} of the facts; not stated: {one_line(', '.join(lacking), 200)}"
    return f"{grader.kind}: {share:.2f}, wanted at least {grader.threshold:.2f}"


def _exact(_: Grader, reply: str, wanted: tuple[str, ...]) -> bool:
    said = " ".join(reply.split()).casefold().strip(" .")
    return any(said == " ".join(one.split()).casefold().strip(" .") for one in wanted)


def _number(grader: Grader, reply: str, wanted: tuple[str, ...]) -> bool:
    """The first number of the wanted unit is the wanted one, within the tolerance."""
    for one in wanted:
        target = next((token for token in tokens(one) if isinstance(token, Quantity)), None)
        if target is None:
            continue
        same = [q for q in tokens(reply) if isinstance(q, Quantity) and (q.unit == target.unit or not target.unit)]
        if same and abs(same[0].value - target.value) <= grader.tolerance * abs(target.value) + 1e-9:
            return True
    return False


RULES: Final[Mapping[str, Callable[[Grader, str, tuple[str, ...]], bool]]] = {
    "exact": _exact,
    "contains": lambda _, reply, wanted: any(scoring.holds(reply, (one,)) for one in wanted),
    "regex": lambda _, reply, wanted: any(checks.matches(reply, one) for one in wanted),
    "json-schema": lambda _, reply, wanted: any(checks.conforms(reply, one) for one in wanted),
    "number": _number,
}


def similar(metric: str, threshold: float) -> Grader:
    """The rule that a reply is so like an accepted answer. Raises Problem on a metric that does not compare."""
    if metric not in metrics.LIKENESS:
        raise Problem(f"Free text is scored by one of {', '.join(metrics.LIKENESS)}, not '{one_line(metric, 40)}'.")
    return Grader("similarity", metric=metric, threshold=threshold)


def parse(raw: Any, place: str) -> tuple[Grader, ...]:
    """The graders of a question's field: one kind's name, one object, or a list of them. Raises Problem."""
    items = raw if isinstance(raw, list) else [raw]
    if len(items) > MOST_GRADERS:
        raise Problem(f"{place}: {len(items)} graders are too many; at most {MOST_GRADERS} are taken.")
    return tuple(_one({"kind": item} if isinstance(item, str) else item, place) for item in items if item)


def _one(raw: Any, place: str) -> Grader:
    from core import tomlfile

    if not isinstance(raw, dict):
        raise Problem(f"{place}: a grader is the name of a kind or an object. Kinds: {', '.join(KINDS)}.")
    named = {"negated" if name == "not" else name: value for name, value in raw.items() if value is not None}
    made = tomlfile.build(named, Grader, f"{place}, grader")
    if made.kind == "facts" and not 0 < len(made.values) <= MOST_FACTS:
        raise Problem(f"{place}: a grader of kind facts needs 1 to {MOST_FACTS} 'values'.")
    if made.kind == "similarity" and made.metric not in metrics.LIKENESS:
        raise Problem(f"{place}: a grader's metric is one of {', '.join(metrics.LIKENESS)}.")
    if made.kind in ("regex", "json-schema") and made.value:
        _usable(made, place)
    if not 0 <= made.threshold <= 1 or made.tolerance < 0:
        raise Problem(f"{place}: a grader's threshold lies between 0 and 1, its tolerance is not negative.")
    return made


def _usable(grader: Grader, place: str) -> None:
    from core.project.values import Check

    kind: Any = grader.kind
    try:
        checks.usable(Check("grader", kind, grader.value))
    except Problem as problem:
        raise Problem(f"{place}: {problem.message}") from problem
