"""An answer's citations checked against the passages it was given. Pure functions; know no model and no index.

A citation is a number in square brackets. It is "missing" when there is no such passage, "unsupported" when the
sentence before it names a number or a capitalised word that the passage does not hold, else "supported". This finds
invented figures and names; it does not prove that a sentence follows from its passage.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from core.retrieval.words import STOP_WORDS

_CITATION = re.compile(r"\[(\d{1,3}(?:\s*,\s*\d{1,3})*)\]")
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?!\[)")
_FACT = re.compile(r"\d+(?:[.,:]\d+)*|\b[A-Z][\w’'-]+")
_WORD = re.compile(r"\d+(?:[.,:]\d+)*|[\w’'-]+")


@dataclass(frozen=True)
class Citation:
    """One citation. `verdict`: "supported", "unsupported", "missing"; `absent`: what the passage does not hold."""

    number: int
    sentence: str
    verdict: str
    absent: tuple[str, ...] = ()


def check(answer: str, passages: Sequence[str]) -> list[Citation]:
    """Every citation in `answer`, in order. `passages`: the texts, numbered from 1."""
    found = []
    for sentence in _SENTENCE_END.split(answer):
        for group in _CITATION.findall(sentence):
            for number in (int(part) for part in group.split(",")):
                found.append(_checked(number, sentence, passages))
    return found


def facts(sentence: str) -> list[str]:
    """What a sentence claims that can be looked up: its numbers and its names (its first word is no name)."""
    bare = _CITATION.sub(" ", sentence).strip()
    first = _WORD.match(bare)
    return [
        match.group()
        for match in _FACT.finditer(bare)
        if (match.start() > 0 or match.group()[0].isdigit() or first is None)
        and match.group().lower().replace("’", "'").split("'")[0] not in STOP_WORDS
    ]


def _checked(number: int, sentence: str, passages: Sequence[str]) -> Citation:
    shown = _CITATION.sub("", sentence).strip()
    if not 1 <= number <= len(passages):
        return Citation(number, shown, "missing")
    held = {word.lower() for word in _WORD.findall(passages[number - 1])}
    absent = tuple(fact for fact in facts(sentence) if fact.lower() not in held)
    return Citation(number, shown, "unsupported" if absent else "supported", absent)
