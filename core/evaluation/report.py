"""A run's rows, scored and summed up: accuracies, voice, citations, tickets, effect split, causes, hit@k. Pure.

Knows questions, rows and statistics; knows no model and no screen.
"""

import json
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from statistics import fmean
from typing import Any, Final

import numpy as np
from msgspec.structs import asdict, replace

from core import ask, checks
from core.arms import Arm
from core.evaluation import graders, hits, metrics, power, scoring, sequential, statistics
from core.evaluation.causes import cause
from core.evaluation.metrics import Meaning
from core.evaluation.questions import ABSTAIN, TICKET, TONE, Question
from core.evaluation.records import ArmResult, ClassResult, Cost, Metrics, Pair, Report, Row, Settled, Split
from core.evaluation.run import Reply, Seen
from core.evaluation.scoring import Voice
from core.evaluation.statistics import Accuracy
from core.evidence import bills
from core.project import Project
from core.records import Timing
from core.text import one_line

NOT_FACTS: Final = (ABSTAIN, TONE, TICKET)
ALL_FACTS: Final = "all facts"
ALSO: Final = (
    "voice",
    "abstained",
    "stale",
    "hit",
    "cites",
    "cites_right",
    "ticket_valid",
    "ticket_class",
    "right_training_day",
    "right_today",
)  # what else is counted by class
MEDIANS: Final = ("ttft_total", "total", "embed", "search")


def report(
    questions: Sequence[Question],
    replies: Iterable[Reply],
    arms: Sequence[Arm],
    project: Project,
    snapshot: str | None = None,
    apart: Collection[str] = (),
    meaning: Meaning = metrics.no_meaning,
) -> Report:
    """Everything that can be said of a run, complete or so far. `snapshot`: the day on which answers must be right.

    `apart`: arms that are held against no other here. `meaning`: for graders that compare by it.
    """
    replies = list(replies)
    rows = _explained(questions, _rows(questions, replies, arms, project, snapshot, meaning), project)
    classes = list(dict.fromkeys(question.cls for question in questions))
    groups: dict[str, tuple[str, ...]] = {cls: (cls,) for cls in classes}
    facts = tuple(cls for cls in classes if cls not in NOT_FACTS)
    if len(facts) > 1:
        groups[ALL_FACTS] = facts
    of_arm: dict[str, list[Row]] = {}
    for row in rows:
        of_arm.setdefault(row.arm, []).append(row)
    asked = [arm for arm in arms if arm.name in of_arm]
    identities = {reply.arm: reply.identity for reply in replies if reply.identity}
    bases = project.bases
    beside = [arm for arm in asked if arm.name not in apart]
    answered, fours = [row for row in rows if not row.problem], _fours(beside, bases)
    return Report(
        questions=len(questions),
        unreviewed=sum(not question.reviewed for question in questions),
        snapshot=snapshot,
        arms={arm.name: replace(_arm(of_arm[arm.name], classes), identity=identities.get(arm.name)) for arm in asked},
        titles={arm.name: project.title_of(arm) for arm in asked},
        pairs=tuple(
            made
            for name, of in groups.items()
            for first, second in _pairs(beside, bases)
            if (made := _pair(answered, name, of, first, second))
        ),
        effects={
            name if len(fours) == 1 else f"{name}, {model}": split
            for model, four in fours.items()
            for name, of in groups.items()
            if (split := _effects(answered, of, model, four))
        },
        rows=tuple(rows),
    )


def _rows(
    questions: Sequence[Question],
    replies: Iterable[Reply],
    arms: Sequence[Arm],
    project: Project,
    snapshot: str | None,
    meaning: Meaning,
) -> list[Row]:
    """The replies of these arms, scored, with the project's checks and their cost."""
    labels = {_ticket_class(q) for q in questions if q.cls == TICKET}
    voice, by_name = Voice.of(project), {arm.name: arm for arm in arms}
    places = {name: place for place, name in enumerate(by_name)}
    made = []
    for reply in sorted(replies, key=lambda one: (one.number, places.get(one.arm, 0), one.repeat)):  # came at once
        if arm := by_name.get(reply.arm):
            question = questions[reply.number]
            row = scored(question, arm, reply, snapshot, labels, voice, meaning)
            made.append(replace(row, checks=_checks(project, question, reply), cost=_cost(project, arm, reply)))
    return _in_company(made)


def _in_company(rows: Sequence[Row]) -> list[Row]:
    """The rows, those of replies made beside others without their times and with the cost of one made alone, where
    their arm has any such: in company each takes longer, and the machine less for each."""
    alone: dict[str, list[float]] = {}
    for row in rows:
        if not row.problem and not row.timing.contended and row.timing.total is not None:
            alone.setdefault(row.arm, []).append(row.cost or 0.0)
    return [
        replace(row, timing=Timing(contended=True), cost=fmean(alone[row.arm]))
        if row.timing.contended and row.arm in alone
        else row
        for row in rows
    ]


def _explained(questions: Sequence[Question], rows: Sequence[Row], project: Project) -> list[Row]:
    """The rows with the causes of the wrong ones."""
    bases = project.bases
    closed = {(row.number, row.model): row.right for row in rows if row.context == "closed"}
    made = []
    for row in rows:
        base = bases.get(row.model)
        found = cause(
            row,
            covered=bool(questions[row.number].documents),
            tuned=base is not None,
            base_right=closed.get((row.number, base or ""), False),
        )
        made.append(replace(row, cause=found.name, cause_why=found.why) if found else row)
    return made


def _pairs(arms: Sequence[Arm], bases: Mapping[str, str | None]) -> list[tuple[str, str]]:
    """What is worth comparing: one model under two contexts, and a fine-tune with its base under the same context."""
    found = []
    steps = (("closed", "pinned"), ("closed", "retrieval"), ("retrieval", "perfect"))
    for one in arms:
        for two in arms:
            same_model = one.model == two.model and (one.context, two.context) in steps
            tuned = bases.get(two.model) == one.model and one.context == two.context
            if same_model or tuned:
                found.append((one.name, two.name))
    return found


def _fours(arms: Sequence[Arm], bases: Mapping[str, str | None]) -> dict[str, tuple[str, ...]]:
    """Fine-tuned model -> base, base with retrieval, itself, itself with retrieval; where all four were run."""
    names = {(arm.model, arm.context): arm.name for arm in reversed(arms)}
    found = {}
    for model, base in bases.items():
        four = [(base, "closed"), (base, "retrieval"), (model, "closed"), (model, "retrieval")]
        if base is not None and all(one in names for one in four):
            found[model] = tuple(names[one] for one in four)  # type: ignore[index]  # base is a text here
    return found


def scored(
    question: Question,
    arm: Arm,
    reply: Reply,
    snapshot: str | None,
    labels: Iterable[str],
    voice: Voice | None = None,
    meaning: Meaning = metrics.no_meaning,
) -> Row:
    """One reply's row with its scores; without the project's checks, its cost and the cause of its being wrong."""
    text, accepted = reply.reply, question.expected(snapshot)
    others = [value for day, value in question.values.items() if value not in accepted]
    fact = question.cls not in NOT_FACTS and bool(question.answer)
    texts = [passage.text for passage in reply.passages]
    looked = question.cls not in NOT_FACTS and bool(fact or question.documents or question.graders)
    sought = hits.sought(question, accepted)
    holding = _holding(question, reply.passages, sought) if looked else ()
    row = Row(
        number=reply.number,
        repeat=reply.repeat,
        question=question.question,
        cls=question.cls,
        group=question.group,
        arm=arm.name,
        model=arm.model,
        context=arm.context,
        expected=accepted[0],
        reply=text,
        problem=reply.problem,
        right=False,
        reviewed=question.reviewed,
        voice=None if voice is None else voice.heard(text),
        abstained=scoring.abstains(text),
        stale=fact and scoring.right(text, others, question.question),
        near=fact and scoring.near(text, accepted),
        hit=_hit(question, arm, reply.passages, sought) if looked else None,
        holding=holding,
        cites=scoring.cites_existing(text, len(texts)) if texts else None,
        cites_right=scoring.cites_right(text, texts, accepted) if texts and fact else None,
        documents=tuple(passage.document for passage in reply.passages),
        timing=reply.timing,
        tokens=reply.tokens,
        finish=reply.finish,
        file_sha256=reply.model,
    )
    return row if reply.problem else _graded(row, question, accepted, labels, meaning)


def _graded(row: Row, question: Question, accepted: tuple[str, ...], labels: Iterable[str], meaning: Meaning) -> Row:
    """The row with right or wrong, by the rule of its class or its question's graders."""
    text = row.reply
    if question.cls == TICKET:
        ticket = scoring.ticket(text, question.answer, labels)
        near = not ticket.valid and f'"{_ticket_class(question)}"' in text
        return replace(
            row,
            right=ticket.all_right,
            ticket_valid=ticket.valid,
            ticket_class=ticket.class_right,
            near=near,
            grader="ticket",
        )
    if rules := [one for one in question.graders if one.kind != "judge"]:  # a judge's figures stand apart
        found = graders.graded(rules, text, accepted, row.timing.total, meaning)
        names = ", ".join(("not " if one.negated else "") + one.kind for one in rules)
        return replace(row, right=found.met, share=found.share, why=found.why, grader=names)
    if question.cls == TONE:
        return replace(row, right=bool(row.voice), grader="voice")
    if not question.answer or question.cls == ABSTAIN:
        return replace(row, right=row.abstained, grader="declines")
    days = [accepted, question.expected("training-day"), question.expected("today")]
    states = {answers: scoring.right(text, answers, question.question) for answers in dict.fromkeys(days)}
    return replace(
        row,
        right=states[accepted],
        right_training_day=states[days[1]],
        right_today=states[days[2]],
        grader="states the answer",
    )


def _checks(project: Project, question: Question, reply: Reply) -> dict[str, bool]:
    """The project's own checks of one reply; none where there is no reply."""
    if reply.problem:
        return {}
    return checks.outcomes(project.checks, reply.reply, cls=question.cls, total_ms=reply.timing.total)


def _cost(project: Project, arm: Arm, reply: Reply) -> float | None:
    """Dollars for one reply: of machine time, at the project's hourly price; at an endpoint, of its tokens, at the
    price that the project names for it."""
    if any(model.endpoint for model in project.models if model.id == arm.model):
        offer, tokens = ask.priced(project, arm.model), reply.tokens
        if offer is None:
            return None
        return bills.cost(offer, tokens.prompt, tokens.prompt_reused, tokens.output)
    total = reply.timing.total
    return None if total is None else ask.cost(total, project.dollars_per_hour)


def measured(
    report: Report,
    questions: Sequence[Question],
    replies: Iterable[Reply],
    meaning: Meaning = metrics.no_meaning,
) -> Metrics:
    """Every metric of metrics.py by arm and class: mean, standard error and number of replies it applies to.

    Apart from `report`, since likeness to an answer takes a millisecond or two a reply. `meaning`: how near a reply
    comes to accepted answers by an embedder.
    """
    passages = {(reply.number, reply.arm, reply.repeat): reply.passages for reply in replies}
    values: dict[tuple[str, str, str], list[tuple[float, str]]] = {}
    for row in report.rows:
        if row.problem:
            continue
        case = _case(questions[row.number], row, passages[row.number, row.arm, row.repeat], report.snapshot, meaning)
        for name, value in metrics.measured(case).items():
            values.setdefault((row.arm, row.cls, name), []).append((value, row.group))
    made: Metrics = {}
    for (arm, cls, name), found in values.items():
        mean = statistics.mean([value for value, _ in found], [group for _, group in found])
        made.setdefault(arm, {}).setdefault(cls, {})[name] = mean
    return made


def _case(question: Question, row: Row, passages: Sequence[Seen], day: str | None, meaning: Meaning) -> metrics.Case:
    accepted = tuple(answer for answer in question.expected(day) if answer)
    texts = tuple(passage.text for passage in passages)
    found = None
    if row.context == "retrieval" and (accepted or question.documents):
        held = _holding(question, passages, accepted)
        found = tuple(number in held for number in range(1, len(passages) + 1))
    near = meaning(row.reply, accepted)
    return metrics.Case(question.question, row.reply, accepted, texts, found, row.timing, row.tokens, row.cost, near)


def _holding(question: Question, passages: Sequence[Seen], accepted: Sequence[str]) -> tuple[int, ...]:
    """The numbers of the passages, from 1, that hold the answer."""
    return tuple(n for n, passage in enumerate(passages, 1) if hits.stands_here(question, passage, accepted))


def _ticket_class(question: Question) -> str:
    return str(json.loads(question.answer)["class"])


def _hit(question: Question, arm: Arm, passages: Sequence[Seen], accepted: Sequence[str]) -> bool | None:
    if arm.context in ("closed", "pinned"):
        return None
    return arm.context == "perfect" or hits.hit(question, passages, accepted)


def _arm(rows: Sequence[Row], classes: Sequence[str]) -> ArmResult:
    failed = [row for row in rows if row.problem]
    answered = [row for row in rows if not row.problem]  # no reply says nothing about a model's knowledge
    spoken = [row for row in answered if row.cls != TICKET and row.voice is not None]
    right, spent = sum(row.right for row in answered), sum(row.cost or 0.0 for row in answered)
    return ArmResult(
        classes={cls: _class(of) for cls in classes if (of := [row for row in answered if row.cls == cls])},
        failed=len(failed),
        problems=tuple(sorted({one_line(row.problem or "", 300) for row in failed})),
        voice=_share(spoken, [row.voice for row in spoken]) if spoken else None,
        checks={
            name: _share(answered, [row.checks.get(name) for row in answered])
            for name in dict.fromkeys(name for row in answered for name in row.checks)
        },
        causes=dict(Counter(row.cause for row in answered if row.cause).most_common()),
        timing={name: _median(getattr(row.timing, name) for row in answered) for name in MEDIANS},
        tokens={name: _median(getattr(row.tokens, name) for row in answered) for name in ("prompt", "output")},
        cost=Cost(spent, spent / right if right else None),
    )


def _class(rows: Sequence[Row]) -> ClassResult:
    found = {name: [getattr(row, name) for row in rows] for name in ALSO}
    also = {name: _share(rows, seen) for name, seen in found.items() if any(one is not None for one in seen)}
    fields: dict[str, Any] = asdict(_share(rows, [row.right for row in rows])) | also
    return ClassResult(**fields)


def _share(rows: Sequence[Row], seen: Sequence[bool | None]) -> Accuracy:
    """The share of True among what was seen of each row, where it applies."""
    of = [(one, row.group) for row, one in zip(rows, seen, strict=True) if one is not None]
    return statistics.accuracy([one for one, _ in of], [group for _, group in of])


def _aligned(rows: Iterable[Row], of: Sequence[str], arms: Sequence[str]) -> tuple[list[list[bool]], list[str]] | None:
    """The questions of some classes that all of `arms` were asked: right or not per arm, and the groups.

    Of a question asked more than once the first answer counts here; what repeats tell stands in repeats.py.
    """
    by_arm: dict[str, dict[int, Row]] = {arm: {} for arm in arms}
    for row in rows:
        if row.arm in by_arm and row.cls in of and not row.repeat:
            by_arm[row.arm][row.number] = row
    common = sorted(set.intersection(*(set(found) for found in by_arm.values())))
    if not common:
        return None
    groups = [by_arm[arms[0]][number].group for number in common]
    return [[by_arm[arm][number].right for number in common] for arm in arms], groups


def _pair(rows: Iterable[Row], name: str, of: Sequence[str], first: str, second: str) -> Pair | None:
    found = _aligned(rows, of, (first, second))
    if found is None:
        return None
    (a, b), groups = found
    return Pair(**asdict(settled(a, b, groups)), cls=name, first=first, second=second)


def settled(first: Sequence[bool], second: Sequence[bool], groups: Sequence[str]) -> Settled:
    """What second gains over first on the same questions: interval, whether it is decided, and how many would do."""
    differences = [float(b) - float(a) for a, b in zip(first, second, strict=True)]
    gap = statistics.difference(differences, groups)
    facts = _by_fact(differences, groups)
    seen = sum(a != b for a, b in zip(first, second, strict=True)) / len(differences)
    watched, needed = sequential.watched(facts), power.needed(abs(gap.difference), seen)
    return Settled(
        **asdict(gap),
        p=statistics.mcnemar(first, second),
        facts=len(facts),
        discordance=seen,
        decided=watched.decided or (gap.verdict if gap.verdict in ("gain", "loss") else ""),
        detectable=power.detectable(len(facts), seen or power.EXPECTED_DISCORDANCE),
        needed=needed and max(needed, statistics.FEWEST_GROUPS),
        watched=watched,
    )


def rights(
    questions: Sequence[Question],
    arms: Sequence[Arm],
    project: Project,
    snapshot: str | None,
    meaning: Meaning = metrics.no_meaning,
) -> Callable[[Reply], bool]:
    """What scores the replies of a run one at a time: is the reply right?"""
    by_name = {arm.name: arm for arm in arms}
    labels = {_ticket_class(q) for q in questions if q.cls == TICKET}
    voice = Voice.of(project)

    def right(reply: Reply) -> bool:
        return scored(questions[reply.number], by_name[reply.arm], reply, snapshot, labels, voice, meaning).right

    return right


def _by_fact(differences: Sequence[float], groups: Sequence[str]) -> list[float]:
    """One mean a group, in the order in which the groups first came."""
    found: dict[str, list[float]] = {}
    for value, group in zip(differences, groups, strict=True):
        found.setdefault(group, []).append(value)
    return [sum(values) / len(values) for values in found.values()]


def _effects(rows: Iterable[Row], of: Sequence[str], model: str, four: Sequence[str]) -> Split | None:
    found = _aligned(rows, of, four)
    if found is None:
        return None
    (base, retrieval, tuned, both), groups = found
    return Split(**asdict(statistics.effects(base, retrieval, tuned, both, groups)), model=model)


def _median(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.median(known)) if known else None
