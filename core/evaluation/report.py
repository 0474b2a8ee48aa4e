"""A run's rows, scored and summed up: accuracies, voice, citations, tickets, effect split, causes, hit@k. Pure.

Knows questions, rows and statistics; knows no model and no screen.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final

import numpy as np

from core import ask, checks
from core.arms import Arm
from core.evaluation import graders, hits, metrics, power, scoring, sequential, statistics
from core.evaluation.causes import cause
from core.evaluation.questions import ABSTAIN, TICKET, TONE, Question
from core.evaluation.scoring import Voice
from core.evidence import bills
from core.project import Project
from core.text import one_line

Row = Mapping[str, Any]
NOT_FACTS: Final = (ABSTAIN, TONE, TICKET)
ALL_FACTS: Final = "all facts"


def report(
    questions: Sequence[Question],
    rows: Iterable[Row],
    arms: Sequence[Arm],
    project: Project,
    snapshot: str | None = None,
) -> dict[str, Any]:
    """Everything that can be said of a run, complete or so far. `snapshot`: the day on which answers must be right."""
    labels = {_ticket_class(q) for q in questions if q.cls == TICKET}
    voice = Voice.of(project)
    by_name = {arm.name: arm for arm in arms}
    bases = {model.id: model.base for model in project.models}
    scores = [
        scored(questions[row["number"]], by_name[row["arm"]], row, snapshot, labels, voice)
        | {"checks": _checks(project, questions[row["number"]], row), "cost": _cost(project, by_name[row["arm"]], row)}
        for row in rows
        if row["arm"] in by_name
    ]
    closed = {(s["number"], s["model"]): s["right"] for s in scores if s["context"] == "closed"}
    for score in scores:
        base = bases.get(score["model"])
        score["cause"] = cause(
            score,
            covered=bool(questions[score["number"]].documents),
            tuned=base is not None,
            base_right=closed.get((score["number"], base), False),
        )
    classes = list(dict.fromkeys(question.cls for question in questions))
    groups: dict[str, tuple[str, ...]] = {cls: (cls,) for cls in classes}
    facts = tuple(cls for cls in classes if cls not in NOT_FACTS)
    if len(facts) > 1:
        groups[ALL_FACTS] = facts
    asked = [arm for arm in arms if any(score["arm"] == arm.name for score in scores)]
    arms_made = {arm.name: _arm([s for s in scores if s["arm"] == arm.name], classes) for arm in asked}
    pairs, fours = _pairs(asked, bases), _fours(asked, bases)
    answered = [score for score in scores if not score["problem"]]
    return {
        "questions": len(questions),
        "unreviewed": sum(not question.reviewed for question in questions),
        "snapshot": snapshot,
        "arms": arms_made,
        "titles": {arm.name: project.title_of(arm) for arm in asked},
        "pairs": [
            {"class": name, **made}
            for name, of in groups.items()
            for first, second in pairs
            if (made := _pair(answered, of, first, second))
        ],
        "effects": {
            name: {"model": model} | split
            for model, four in fours.items()
            for name, of in groups.items()
            if (split := _effects(answered, of, four))
        },
        "rows": scores,
    }


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
    question: Question, arm: Arm, row: Row, snapshot: str | None, labels: Iterable[str], voice: Voice | None = None
) -> dict[str, Any]:
    """One reply's row with its scores.

    `right`: by the rule of its class. `stale`: it states another snapshot's value instead. `hit`: a retrieved passage
    holds the answer (for several documents: each was retrieved; where a section is marked: a passage of it was); None
    when nothing was to be retrieved. `reviewed`: a person has seen the question.
    """
    reply, passages = str(row["reply"]), list(row["passages"])
    accepted = question.expected(snapshot)
    others = [value for day, value in question.values.items() if value not in accepted]
    texts = [str(passage["text"]) for passage in passages]
    fact = question.cls not in NOT_FACTS and bool(question.answer)
    abstained, heard = scoring.abstains(reply), None if voice is None else voice.heard(reply)
    made: dict[str, Any] = {
        "number": row["number"],
        "question": question.question,
        "cls": question.cls,
        "group": question.group,
        "reviewed": question.reviewed,
        "arm": arm.name,
        "model": arm.model,
        "context": arm.context,
        "expected": accepted[0],
        "reply": reply,
        "problem": row["problem"],
        "right": False,
        "voice": heard,
        "abstained": abstained,
        "stale": fact and scoring.right(reply, others, question.question),
        "near": fact and scoring.near(reply, accepted),
        "hit": _hit(question, arm, row, accepted) if fact else None,
        "cites": scoring.cites_existing(reply, len(texts)) if texts else None,
        "cites_right": scoring.cites_right(reply, texts, accepted) if texts and fact else None,
        "documents": [passage["document"] for passage in passages],
        "timing": row.get("timing", {}),
        "tokens": row.get("tokens", {}),
    }
    if question.cls == TICKET:
        ticket = scoring.ticket(reply, question.answer, labels)
        made |= {"right": ticket.all_right, "ticket_valid": ticket.valid, "ticket_class": ticket.class_right}
        made["near"] = not ticket.valid and f'"{_ticket_class(question)}"' in reply
    elif question.graders:
        total = (row.get("timing") or {}).get("total")
        found = graders.graded(question.graders, reply, accepted, total)
        made |= {"right": found.met, "share": found.share, "why": found.why}
    elif question.cls == TONE:
        made["right"] = bool(heard)
    elif not fact:
        made["right"] = abstained
    else:
        made["right"] = scoring.right(reply, accepted, question.question)
        made["right_training_day"] = scoring.right(reply, question.expected("training-day"), question.question)
        made["right_today"] = scoring.right(reply, question.expected("today"), question.question)
    if row["problem"]:
        made |= {"right": False}
    return made


def _checks(project: Project, question: Question, row: Row) -> dict[str, bool]:
    """The project's own checks of one reply; none where there is no reply."""
    if row["problem"]:
        return {}
    total = (row.get("timing") or {}).get("total")
    return checks.outcomes(project.checks, str(row["reply"]), cls=question.cls, total_ms=total)


def _cost(project: Project, arm: Arm, row: Row) -> float | None:
    """Dollars for one reply: of machine time, at the project's hourly price; at an endpoint, of its tokens, at the
    price that the project names for it."""
    if any(model.endpoint for model in project.models if model.id == arm.model):
        offer, tokens = ask.priced(project, arm.model), row.get("tokens") or {}
        if offer is None:
            return None
        return bills.cost(offer, tokens.get("prompt"), tokens.get("prompt_reused"), tokens.get("output"))
    total = (row.get("timing") or {}).get("total")
    return None if total is None else ask.cost(total, project.dollars_per_hour)


def measured(report: Mapping[str, Any], questions: Sequence[Question], rows: Iterable[Row]) -> dict[str, Any]:
    """Every metric of metrics.py by arm and class: mean, standard error and number of replies it applies to.

    Apart from `report`, since likeness to an answer takes a millisecond or two a reply.
    """
    passages = {(row["number"], row["arm"]): row["passages"] for row in rows}
    values: dict[tuple[str, str, str], list[tuple[float, str]]] = {}
    for score in report["rows"]:
        if score["problem"]:
            continue
        question = questions[score["number"]]
        case = _case(question, score, passages[score["number"], score["arm"]], report["snapshot"])
        for name, value in metrics.measured(case).items():
            values.setdefault((score["arm"], score["cls"], name), []).append((value, score["group"]))
    made: dict[str, Any] = {}
    for (arm, cls, name), found in values.items():
        mean = statistics.mean([value for value, _ in found], [group for _, group in found])
        made.setdefault(arm, {}).setdefault(cls, {})[name] = asdict(mean)
    return made


def _case(question: Question, score: Mapping[str, Any], passages: Sequence[Row], day: str | None) -> metrics.Case:
    accepted = tuple(answer for answer in question.expected(day) if answer)
    texts = tuple(str(passage["text"]) for passage in passages)
    found = None
    if score["context"] == "retrieval" and (accepted or question.documents):
        found = tuple(hits.stands_here(question, passage, accepted) for passage in passages)
    return metrics.Case(
        question.question, score["reply"], accepted, texts, found, score["timing"], score["tokens"], score["cost"]
    )


def _ticket_class(question: Question) -> str:
    return str(json.loads(question.answer)["class"])


def _hit(question: Question, arm: Arm, row: Row, accepted: Sequence[str]) -> bool | None:
    if arm.context in ("closed", "pinned"):
        return None
    return arm.context == "perfect" or hits.hit(question, row["passages"], accepted)


def _arm(scores: list[dict[str, Any]], classes: Sequence[str]) -> dict[str, Any]:
    made: dict[str, Any] = {"classes": {}, "failed": sum(bool(score["problem"]) for score in scores)}
    made["problems"] = sorted({one_line(score["problem"], 300) for score in scores if score["problem"]})
    scores = [score for score in scores if not score["problem"]]  # no reply says nothing about a model's knowledge
    for cls in classes:
        of = [score for score in scores if score["cls"] == cls]
        if of:
            made["classes"][cls] = _class(of)
    spoken = [score for score in scores if score["cls"] != TICKET and score["voice"] is not None]
    if spoken:
        made["voice"] = _share(spoken, "voice")
    made["checks"] = {
        name: _share([score | {"passed": score["checks"].get(name)} for score in scores], "passed")
        for name in dict.fromkeys(name for score in scores for name in score["checks"])
    }
    made["causes"] = dict(Counter(score["cause"] for score in scores if score["cause"]).most_common())
    made["timing"] = {
        name: _median(score["timing"].get(name) for score in scores)
        for name in ("ttft_total", "total", "embed", "search")
    }
    made["tokens"] = {name: _median(score["tokens"].get(name) for score in scores) for name in ("prompt", "output")}
    right, spent = sum(score["right"] for score in scores), sum(score["cost"] or 0.0 for score in scores)
    made["cost"] = {"total": spent, "per_right": spent / right if right else None}
    return made


def _class(scores: list[dict[str, Any]]) -> dict[str, Any]:
    made = _share(scores, "right")
    extra = ("voice", "abstained", "stale", "hit", "cites", "cites_right", "ticket_valid", "ticket_class")
    for name in (*extra, "right_training_day", "right_today"):
        if any(score.get(name) is not None for score in scores):
            made[name] = _share(scores, name)
    return made


def _share(scores: Iterable[Mapping[str, Any]], name: str) -> dict[str, Any]:
    of = [score for score in scores if score.get(name) is not None]
    return asdict(statistics.accuracy([bool(score[name]) for score in of], [score["group"] for score in of]))


def _aligned(
    scores: Iterable[dict[str, Any]], of: Sequence[str], arms: Sequence[str]
) -> tuple[list[list[bool]], list[str]] | None:
    """The questions of some classes that all of `arms` were asked: right or not per arm, and the groups."""
    by_arm = {arm: {s["number"]: s for s in scores if s["arm"] == arm and s["cls"] in of} for arm in arms}
    common = sorted(set.intersection(*(set(found) for found in by_arm.values())))
    if not common:
        return None
    groups = [by_arm[arms[0]][number]["group"] for number in common]
    return [[bool(by_arm[arm][number]["right"]) for number in common] for arm in arms], groups


def _pair(scores: list[dict[str, Any]], of: Sequence[str], first: str, second: str) -> dict[str, Any] | None:
    found = _aligned(scores, of, (first, second))
    if found is None:
        return None
    (a, b), groups = found
    return {"from": first, "to": second, **settled(a, b, groups)}


def settled(first: Sequence[bool], second: Sequence[bool], groups: Sequence[str]) -> dict[str, Any]:
    """What second gains over first on the same questions: interval, whether it is decided, and how many would do.

    `detectable`: the smallest difference so many independent facts decide, at the discordance seen; `needed`: how many
    decide the difference seen; `watched`: the interval that holds at every look, so that a run may be stopped by it.
    """
    differences = [float(b) - float(a) for a, b in zip(first, second, strict=True)]
    gap = statistics.difference(differences, groups)
    facts = _by_fact(differences, groups)
    seen = sum(a != b for a, b in zip(first, second, strict=True)) / len(differences)
    watched, needed = sequential.watched(facts), power.needed(abs(gap.difference), seen)
    return {
        **asdict(gap),
        "p": statistics.mcnemar(first, second),
        "facts": len(facts),
        "discordance": seen,
        "decided": watched.decided or (gap.verdict if gap.verdict in ("gain", "loss") else ""),
        "detectable": power.detectable(len(facts), seen or power.EXPECTED_DISCORDANCE),
        "needed": needed and max(needed, statistics.FEWEST_GROUPS),
        "watched": asdict(watched) | {"decided": watched.decided},
    }


def rights(
    questions: Sequence[Question], arms: Sequence[Arm], project: Project, snapshot: str | None
) -> Callable[[Row], bool]:
    """What scores the rows of a run one at a time: is the reply right?"""
    by_name = {arm.name: arm for arm in arms}
    labels = {_ticket_class(q) for q in questions if q.cls == TICKET}
    voice = Voice.of(project)

    def right(row: Row) -> bool:
        return bool(scored(questions[row["number"]], by_name[row["arm"]], row, snapshot, labels, voice)["right"])

    return right


def _by_fact(differences: Sequence[float], groups: Sequence[str]) -> list[float]:
    """One mean a group, in the order in which the groups first came."""
    found: dict[str, list[float]] = {}
    for value, group in zip(differences, groups, strict=True):
        found.setdefault(group, []).append(value)
    return [sum(values) / len(values) for values in found.values()]


def _effects(scores: list[dict[str, Any]], of: Sequence[str], four: Sequence[str]) -> dict[str, Any] | None:
    found = _aligned(scores, of, four)
    if found is None:
        return None
    (base, retrieval, tuned, both), groups = found
    return statistics.effects(base, retrieval, tuned, both, groups)


def _median(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.median(known)) if known else None
