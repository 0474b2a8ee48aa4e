"""Pre-fills answers from a description by the plain rules of phrases.toml. Nothing leaves the machine.

Learns nothing and knows words, not meaning: it shows each word that gave an answer away, so that a person can
overrule it.
"""

import re
import tomllib
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from core.advisor import rules

FILE = Path(__file__).with_name("phrases.toml")
MAX_TEXT = 20_000  # characters read; a description is shorter
NEGATION = re.compile(
    r"\b(no|not|without|never|nor|neither|isn't|aren't|don't|doesn't|needn't)( (a|an|any|the|need|real))*\s*$"
)
SCALES = {"": 1.0, "k": 1e3, "thousand": 1e3, "m": 1e6, "million": 1e6, "hundred": 100.0, "bn": 1e9, "billion": 1e9}
WORDS = {"one": 1.0, "two": 2.0, "three": 3.0, "four": 4.0, "five": 5.0, "six": 6.0, "seven": 7.0, "eight": 8.0}
WORDS |= {
    "nine": 9.0,
    "ten": 10.0,
    "twelve": 12.0,
    "fifteen": 15.0,
    "twenty": 20.0,
    "thirty": 30.0,
    "dozens of": 24.0,
    "hundreds of": 300.0,
    "thousands of": 3e3,
}
WORDS |= {"tens of thousands of": 3e4, "hundreds of thousands of": 3e5, "millions of": 3e6}
PERIODS = {"second": 2.6e6, "minute": 43_800, "hour": 730, "day": 30.4, "week": 4.3, "month": 1, "year": 1 / 12}
DIGITS = r"\d{1,12}(?:[,.]\d{3})*(?:\.\d{1,2})?(?!\d)"
SPELLED = "|".join(sorted(WORDS, key=len, reverse=True))
NUMBER = rf"(?P<number>{DIGITS}|{SPELLED})\s?(?P<scale>{'|'.join(filter(None, SCALES))})?"


@dataclass(frozen=True)
class Found:
    """One word or number in the text that speaks for one option."""

    question: str
    option: str
    words: str


def read(text: str) -> tuple[dict[str, str], list[Found]]:
    """Answers that the text gives away (question -> option), and every word that spoke for them.

    The option most often spoken for wins; between equals the more demanding one, which comes later in the rules.
    """
    flat = " ".join(text[:MAX_TEXT].lower().replace("’", "'").split())
    spoken: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for question, option, words in _words(flat, "phrases"):
        spoken[question][option].append(words)
    for question, option, words in _counts(flat):
        spoken[question] = defaultdict(list, {option: [words]})  # a number says more than a word
    strong = set(spoken)
    for question, option, words in _words(flat, "weak"):
        if question not in strong:
            spoken[question][option].append(words)
    answers: dict[str, str] = {}
    for asked in rules.load().questions.values():
        options = [option.id for option in asked.options]
        if found := spoken.get(asked.id):
            answers[asked.id] = max(found, key=lambda option: (len(set(found[option])), options.index(option)))
    kept = [
        Found(question, option, words)
        for question, option in answers.items()
        for words in dict.fromkeys(spoken[question][option])
    ]
    return answers, kept


def _words(flat: str, section: str) -> Iterator[tuple[str, str, str]]:
    """Every phrase of a section that stands in the text and is not negated."""
    for question, option, pattern in _patterns(section):
        for match in pattern.finditer(flat):
            if not NEGATION.search(flat[: match.start()][-24:]) or match[0].startswith(("no ", "not ", "without ")):
                yield question, option, match[0]


def _counts(flat: str) -> list[tuple[str, str, str]]:
    found = []
    for entry, pattern in _count_patterns():
        best: tuple[float, str] | None = None
        for match in pattern.finditer(flat):
            if "unless" in entry and re.search(entry["unless"], match[0]):
                continue
            number = match["number"]
            value = WORDS.get(number) or float(re.sub(r"[,.](?=\d{3}(?!\d))", "", number))
            value *= SCALES[match["scale"] or ""]
            if entry.get("per"):
                value *= PERIODS[match["period"]]
            if best is None or value > best[0]:
                best = value, match[0]
        if best:
            option = [option for start, option in entry["steps"] if best[0] >= start][-1]
            found.append((entry["question"], option, best[1]))
    return found


@cache
def _patterns(section: str) -> list[tuple[str, str, re.Pattern[str]]]:
    return [
        (question, option, re.compile(rf"(?<![\w-])(?:{phrase})(?![\w])"))
        for question, options in _raw()[section].items()
        for option, phrases in options.items()
        for phrase in phrases
    ]


@cache
def _count_patterns() -> list[tuple[dict[str, Any], re.Pattern[str]]]:
    made = []
    for entry in _raw()["count"]:
        period = rf" (?:\w+ )?(?:a|an|per|each|every|/) ?(?P<period>{'|'.join(PERIODS)})" if entry.get("per") else ""
        made.append((entry, re.compile(rf"(?<![\w.]){NUMBER}\+? (?:[\w-]+ ){{0,2}}?(?:{entry['words']})\b{period}")))
    return made


@cache
def _raw() -> dict[str, Any]:
    return tomllib.loads(FILE.read_text(encoding="utf-8"))
