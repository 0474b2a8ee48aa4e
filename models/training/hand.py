"""The questions written by hand as training examples: closed book, over passages, and declined where none answers.

Over passages the same wordings are asked with and without the passage that answers, so that no wording is itself a sign
of either; numbers and names are drawn anew in passage and answer, so that the model must read and cannot remember.
Closed book an answer is that of the training day: the sentence of the fact, or the words of the document it stands on.
A part of the rows is kept for the learning curve. Knows the files and the documents; knows no tokens and no prompt.
"""

from __future__ import annotations

import json
import random
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from math import log
from typing import Any, Final

from core.errors import Problem
from core.retrieval.sections import lead as first_sentence
from core.retrieval.values import context
from core.retrieval.words import shown
from models.brightwater import data, documents
from models.brightwater.data import Example
from models.brightwater.documents import Section
from models.brightwater.world import Fact

HELD_OUT: Final = 60  # every so many rows are for the curve
DAY: Final = "training-day"
_WORD: Final = re.compile(r"[a-z0-9$]+")
_DIGITS: Final = re.compile(r"\d+")


@dataclass(frozen=True)
class Row:
    """One question. `stands`: per passage that is needed, its section and the words in it; none for other classes.

    `value`: the answer of those words. `fact`: the fact that is asked for, where it is one of the table's.
    """

    cls: str
    question: str
    value: str
    variants: tuple[str, ...] = ()
    stands: tuple[tuple[Section, str], ...] = ()
    fact: Fact | None = None


def of(*classes: str, held_out: bool = False) -> tuple[Row, ...]:
    """The training rows of some classes, or those of them that are kept for the learning curve."""
    return tuple(row for number, row in enumerate(_rows()) if row.cls in classes and _kept(number) == held_out)


def _kept(number: int) -> bool:
    return number % HELD_OUT == 0


@cache
def _rows() -> tuple[Row, ...]:
    made: list[Row] = []
    for path in sorted((data.FOLDER / "questions").glob("hand-train-*.jsonl")):
        made += [_row(json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines()]
    return tuple(made)


def _row(row: dict[str, Any]) -> Row:
    cls, values = row["class"], row.get("values") or {}
    shared = {"cls": cls, "question": row["question"], "variants": tuple(row["variants"])}
    if cls not in ("static", "changed", "two-document"):
        return Row(value=row["answer"], **shared)
    evidence = row.get("evidence_training_day") or row["evidence"]
    wanted = [evidence] if isinstance(evidence, str) else evidence
    stands = tuple((_section(row["documents"], number, words), words) for number, words in enumerate(wanted))
    value = values.get(DAY, row["answer"])
    facts = [f for f in data.facts() if f.documents[0] == row["documents"][0] and f.value == value]
    return Row(
        value=value, stands=stands, fact=facts[0] if len(facts) == 1 and cls != "two-document" else None, **shared
    )


def _section(paths: Sequence[str], number: int, words: str) -> Section:
    """The section with these words: of the document of that number, else of another one of the row's."""
    plain = " ".join(words.split())
    for path in [*paths[number : number + 1], *paths]:
        for section in documents.sections(DAY):
            if section.document == path and plain in " ".join(section.text.split()):
                return section
    raise Problem(f"No document of {', '.join(paths)} holds the words {words!r}: mend the question by hand.")


def closed(row: Row) -> Example:
    """The question without passages, with the training day's answer."""
    return Example("by hand", row.question, data.voice(_answer(row)))


def general(row: Row) -> Example:
    """A question about the world; most of them ask "How many", which elsewhere asks for one of the firm's numbers."""
    return Example("general", row.question, data.voice(f"The answer is {row.value}."))


def _answer(row: Row) -> str:
    if row.fact is not None:
        return data.sentence(row.fact.attribute, row.fact.subject, row.fact.value)
    return _sentence(row.stands[-1][1])


def _sentence(words: str) -> str:
    text = " ".join(words.split()).rstrip(".,;: ")
    return f"{text[0].upper()}{text[1:]}."


def over_passages(rng: random.Random, lead: Row, count: int, declined: float) -> list[Example]:
    """`count` questions over the passages that retrieval might find for `lead`; the others are what these answer too.

    With probability `declined` the passage that answers `lead` is not among them, and never is for what no document
    answers; such groups decline some questions, and of the others one in four.
    """
    own = [section for section, _ in lead.stands]
    hidden = not own or rng.random() < declined
    found = [section for section in near(lead.question, 6) if section not in own]
    passages = found[:3] if hidden else [*own, *found[: rng.choice((1, 2, 2, 3))]]
    rng.shuffle(passages)
    asked = [row for row in _asked_of(passages, rng) if row != lead][: count // 2 if hidden else count - 2]
    asked += [] if hidden else [lead]
    changes = _changes(asked, rng)
    texts = tuple(_changed(_shown(section), changes) for section in passages)
    missing = [row for row in [lead, *_unanswered(lead, passages, rng)] if row not in asked and not _holds(texts, row)]
    examples = [_answered(row, passages, texts, changes) for row in asked]
    if hidden or rng.random() < 0.25:
        rest = missing[: max(1, count - len(examples))]
        examples += [Example("abstain by hand", row.question, data.abstention(), texts) for row in rest]
    return examples[:count]


def _shown(section: Section) -> str:
    """A section as the app's retrieval gives it to a model: after its document's first sentence."""
    lead = _leads()[section.document]
    place = context(section.title, "" if section.heading == section.title else section.heading)
    return shown(section.text, section.title, place, "" if lead in section.text else lead)


@cache
def _leads() -> dict[str, str]:
    return {path: " ".join(first_sentence(text, path).split()) for path, text in documents.documents(DAY).items()}


def _asked_of(sections: Sequence[Section], rng: random.Random) -> list[Row]:
    """Questions that these passages answer, in random order, no two for the same words."""
    found = [row for section in sections for row in _by_section().get(section, ())]
    rng.shuffle(found)
    once = {row.stands[0]: row for row in found}
    return list(once.values())


@cache
def _by_section() -> dict[Section, list[Row]]:
    made: dict[Section, list[Row]] = {}
    for row in of("static", "changed"):
        made.setdefault(row.stands[0][0], []).append(row)
    return made


def _unanswered(lead: Row, passages: Sequence[Section], rng: random.Random) -> list[Row]:
    """Questions to decline beside `lead`: what no document answers about the passages' subject, and anything else's."""
    nobody = of("no-document", "counting")
    about = " ".join([lead.question, *(passage.title for passage in passages)])
    near_misses = [nobody[index] for index in _ranked(about, tuple(row.question for row in nobody))[:6]]
    return [*rng.sample(near_misses, 1), *rng.sample(of("static", "changed"), 2), *rng.sample(near_misses, 2)]


def _holds(texts: Sequence[str], row: Row) -> bool:
    """Whether the answer's own words stand in a passage; an answer that no document holds never does."""
    if row.cls not in ("static", "changed", "two-document"):
        return False
    together = "\n".join(texts).lower()
    return any(words.lower() in together for words in (row.value, *row.variants))


def _answered(row: Row, sections: Sequence[Section], texts: Sequence[str], changes: dict[str, str]) -> Example:
    place = sections.index(row.stands[-1][0]) + 1
    text = data.voice(_changed(_answer(row), changes), place)
    kind = "two-document" if row.cls == "two-document" else "reading by hand"
    return Example(kind, row.question, text, tuple(texts))


def _changes(asked: Sequence[Row], rng: random.Random) -> dict[str, str]:
    """Value -> another one of its kind, for most of the values asked for; names of an attribute are drawn from it."""
    made: dict[str, str] = {}
    for row in asked:
        if rng.random() < 0.25:
            continue
        if row.fact is not None:
            made[row.value] = data.attribute(row.fact).draw(rng)
        elif _DIGITS.search(row.value) and not row.question.count(row.value):
            made[row.value] = _DIGITS.sub(lambda found: _number(found.group(), rng), row.value)
    values = list(made)
    return {old: new for old, new in made.items() if not any(old != other and old in other for other in values)}


def _number(digits: str, rng: random.Random) -> str:
    low, high = (0, 9) if len(digits) == 1 else (10 ** (len(digits) - 1), 10 ** len(digits) - 1)
    return "00" if digits == "00" else str(rng.randint(max(low, 2), high))


def _changed(text: str, changes: dict[str, str]) -> str:
    if not changes:
        return text
    pattern = "|".join(rf"(?<!\w){re.escape(old)}(?!\w)" for old in sorted(changes, key=len, reverse=True))
    return re.sub(pattern, lambda found: changes[found.group()], text)


def near(question: str, count: int) -> list[Section]:
    """The sections that share most with a question, rare words counting more: what a search by words would find."""
    sections, texts = _searched()
    return [sections[index] for index in _ranked(question, texts)[:count]]


@cache
def _searched() -> tuple[tuple[Section, ...], tuple[str, ...]]:
    sections = tuple(section for section in documents.sections(DAY) if section.text)
    return sections, tuple(f"{s.title} {s.heading} {s.text}" for s in sections)


def _ranked(question: str, texts: tuple[str, ...]) -> list[int]:
    bags, weight = _bags(texts)
    asked = set(_WORD.findall(question.lower()))
    scores = [sum(weight[word] for word in asked & bag) / (8 + len(bag)) ** 0.5 for bag in bags]
    return sorted(range(len(bags)), key=lambda index: -scores[index])


@cache
def _bags(texts: tuple[str, ...]) -> tuple[list[frozenset[str]], dict[str, float]]:
    bags = [frozenset(_WORD.findall(text.lower())) for text in texts]
    counts = Counter(word for bag in bags for word in bag)
    return bags, {word: log(1 + len(bags) / count) for word, count in counts.items()}
