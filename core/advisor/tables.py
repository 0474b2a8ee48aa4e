"""Tables of an advice as rows: the trace, and the documents' cases. Names columns for people; decides nothing."""

from collections.abc import Mapping, Sequence
from typing import Any

from core.advisor import rules, score
from core.advisor.score import Advice
from core.evidence import claims
from core.theme import APPROACH_NAMES

VERDICT_NAMES = {**APPROACH_NAMES, score.UNDECIDED: "Undecided", score.NOTHING: "Nothing fits"}


def label(question: str, option: str) -> str:
    """An answer as people read it."""
    return "don't know" if option == rules.UNKNOWN else rules.load().questions[question].option(option).label


def trace(advice: Advice) -> list[dict[str, Any]]:
    """Points per approach: the start, each answer, the floor if it acts, and the sum, which is the score."""
    rows = [_row("Start", "before any answer", advice.start, "ours")]
    for step in advice.trace:
        ask = rules.load().questions[step.question].ask
        rows.append(_row(ask, label(step.question, step.answer), step.effect, step.source))
    if advice.floor:
        given = {**dict.fromkeys(rules.APPROACHES, 0.0), "fine-tuning": advice.floor}
        rows.append(_row("Floor", "the gain from not looking up never counts below zero", given, "ours"))
    return [*rows, _row("Sum", "", advice.scores, "")]


def ways(found: Sequence[score.Flip]) -> list[str]:
    """One line of Markdown a flip."""
    questions, lines = rules.load().questions, []
    for flip in found:
        changes = " and ".join(
            f"*{questions[name].ask}* from {label(name, now).lower()} to **{label(name, then).lower()}**"
            for name, (now, then) in flip.change.items()
        )
        lines.append(f"{changes}: **{VERDICT_NAMES[flip.verdict]}**")
    return lines


def cases() -> list[dict[str, str]]:
    """Every case that the documents name, with their verdict and the advisor's."""
    return [_case(case) for case in claims.cases()]


def agreement() -> str:
    """How many of the documents' undisputed cases come out as they say: with stated answers, and with assumed ones."""
    counted = [case for case in claims.cases() if case.counts]
    words = []
    for told, of in (
        ("whose answers the document states", [case for case in counted if not case.assumed]),
        ("for which we had to assume an answer", [case for case in counted if case.assumed]),
    ):
        right = sum(score.verdict(case.all_answers) == case.verdict for case in of)
        words.append(f"{right} of the {len(of)} {told}")
    return f"The advisor agrees with the document in {' and in '.join(words)}."


def _row(question: str, answer: str, points: Mapping[str, float], source: str) -> dict[str, Any]:
    named = {APPROACH_NAMES[name]: value for name, value in points.items()}
    return {"Question": question, "Answer": answer, **named, "Direction from": source}


def _case(case: claims.Case) -> dict[str, str]:
    advised = "not counted"
    if case.verdict != claims.NOT_READABLE:
        verdict = score.verdict(case.all_answers)
        advised = f"{verdict} ({'agrees' if verdict == case.verdict else 'differs'})"
    note = "disputed between documents" if case.subject in claims.disputed_subjects() else ""
    assumed = ", ".join(f"{name} = {option}" for name, option in case.assumed.items())
    return {
        "Case": case.title,
        "Document says": case.verdict,
        "Advisor": advised,
        "Source": f"{case.document}, {case.place}",
        "Assumed by us": f"{assumed}: {case.why}" if assumed else "",
        "Note": case.readable or note,
    }
