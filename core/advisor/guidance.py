"""What follows from an advice: order of work, what to measure, practices and mistakes that apply. Weighs nothing."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from core import tomlfile
from core.advisor import rules
from core.advisor.score import Advice, verdict
from core.evidence import claims, handbook

FILE = Path(__file__).with_name("guidance.toml")
CONFIDENCE = (
    "how often the recommendation stays when the open questions are answered as such cases usually are and every "
    "weight varies by a quarter"
)


@dataclass(frozen=True)
class Work:
    """One step, and who advises it."""

    text: str
    source: str


@dataclass(frozen=True)
class Guidance:
    """The shape of guidance.toml: by verdict the order of work and what to measure; by question how to answer it."""

    order: dict[str, tuple[Work, ...]]
    measure: dict[str, tuple[str, ...]]
    unknown: dict[str, str]


@dataclass(frozen=True)
class Dispute:
    """A kind of case on which documents differ: each side's cases, what the advisor says to each, what decides."""

    subject: str
    sides: tuple[tuple[claims.Case, str], ...]  # case, the advisor's verdict on it
    decides: tuple[str, ...]  # questions on which the sides' answers differ


def order(advice: Advice) -> tuple[Work, ...]:
    """The order of work for a verdict."""
    return _file().order[advice.verdict]


def measure(advice: Advice) -> tuple[str, ...]:
    """What to measure next for a verdict."""
    return _file().measure[advice.verdict]


def find_out(question: str) -> str:
    """How to answer an open question."""
    return _file().unknown[question]


def applying(advice: Advice) -> tuple[handbook.Practice, ...]:
    """The documents' practices and mistakes that apply to this advice."""
    return tuple(each for each in handbook.practices() if each.applies(advice.verdict, advice.answers))


def dispute(subject: str) -> Dispute:
    """Both sides of a disputed kind of case, with the advisor's verdict on each and the facts that decide."""
    cases = [each for each in claims.cases() if each.subject == subject and each.verdict != claims.NOT_READABLE]
    given = {name: {each.all_answers.get(name) for each in cases} for case in cases for name in case.all_answers}
    return Dispute(
        subject,
        tuple((case, verdict(case.all_answers)) for case in cases),
        tuple(name for name, options in given.items() if len(options) > 1),
    )


def method() -> str:
    """How a recommendation is computed and what that cannot do, in two paragraphs of Markdown."""
    start = rules.load().start
    return (
        "Three sums decide, in points. *Knowledge* is the need for facts at answer time and counts for retrieval and "
        "hybrid. *Behaviour* is the need to change the model and counts for fine-tuning and hybrid. *The gain from not "
        "looking up* counts for fine-tuning alone and never below zero. Prompt only is zero: the others must beat it. "
        f"Before any answer knowledge stands at {start.knowledge:+g} and behaviour at {start.behaviour:+g}; hybrid "
        f"pays {start.both:+g} for being two systems. Hard constraints exclude whatever the points say; where they "
        "leave nothing, that is the verdict, with what must give. The highest score left wins, a tie goes to the "
        "simpler approach, and too few answers about needs give *undecided*.\n\n"
        "**Limits.** The documents give directions, not weights: every number is ours, set so that their undisputed "
        "cases come out right, and can be changed in `core/advisor/rules.toml`. Answers add up: what holds only in "
        f"combination is covered by the hard constraints alone. Confidence says {CONFIDENCE}. On our own cases, "
        "answered in part, that share stayed where it is above a half, and more than that below. Five articles are the "
        "evidence, and none says how it measured. Prompt only and hybrid rest on our own judgement more than on theirs."
    )


@cache
def _file() -> Guidance:
    return tomlfile.read(FILE, Guidance)
