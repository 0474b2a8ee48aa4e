"""Reads a brief in a manager's words: numbers, how often facts change, what the advisor's rules find, what is left.

By plain rules (brief.toml and the advisor's phrases); nothing leaves the machine. It knows words, not meaning: what it
read counts only once a person has confirmed it. Knows the names of the calculator's inputs, no formula and no page.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from core import tomlfile
from core.advisor import prefill, rules
from core.calculator import inputs
from core.errors import Problem
from core.text import one_line

FILE = Path(__file__).with_name("brief.toml")
MAX_TEXT = prefill.MAX_TEXT
SCALES = {"k": 1e3, "thousand": 1e3, "m": 1e6, "million": 1e6, "bn": 1e9, "billion": 1e9, "": 1.0}
UNITS = {  # in days
    "millisecond": 1 / 86_400_000,
    "ms": 1 / 86_400_000,
    "second": 1 / 86_400,
    "sec": 1 / 86_400,
    "minute": 1 / 1440,
    "hour": 1 / 24,
    "day": 1.0,
    "week": 7.0,
    "month": 365 / 12,
    "quarter": 365 / 4,
    "year": 365.0,
}
_DIGITS = r"\d{1,3}(?:[,' ]\d{3})+(?!\d)(?:\.\d+)?|\d{1,6},\d{1,2}(?!\d)|\d{1,12}(?:\.\d+)?"
_SPELLED = "|".join(sorted(prefill.WORDS, key=len, reverse=True))
_ONE = rf"(?:{_DIGITS}|{_SPELLED})(?:\s?(?:k|m|bn|thousand|million|billion)\b)?"
_NUMBER = rf"(?:between )?(?:{_ONE})(?:(?:\s?(?:-|–|to|and)\s?)(?:{_ONE}))?"
_ABOUT = re.compile(
    r"\b(about|around|roughly|some|approximately|approx\.?|circa|ca\.?|nearly|almost)\s*(?:USD |\$|€)?$"
)
_EACH = re.compile(r"(?i)\beach(?: \w+){0,3} $")
_NOT = re.compile(r"\b(no|not|never|without|rather than|instead of|don't|doesn't|isn't|aren't)\s+(?:\w+\s+)?$")
_CLAUSE = re.compile(r"[^.;,:!?\n()]+(?:[.,]\d[^.;,:!?\n()]*)*")


@dataclass(frozen=True)
class Read:
    """One thing read in the text: `sets` are values for the calculator's inputs, `words` what gave it away."""

    what: str
    sets: dict[str, Any]
    words: str
    start: int  # place in the text, in characters
    end: int

    @property
    def shown(self) -> str:
        """The value as a person reads it."""
        first = next(iter(self.sets))
        if first == "churn":
            days = _pair(self.sets["freshness_target"])[1]
            share = _words("churn", _pair(self.sets["churn"]))
            return f"{share} of the facts that change, a change to be right within {inputs.short(days)} days"
        shown = list(self.sets) if first.startswith("price_") else [first]
        return " and ".join(_words(name, _pair(self.sets[name])) for name in shown)


@dataclass(frozen=True)
class Brief:
    """What a text says: numbers, the advisor's answers with the words behind them, and clauses that said nothing."""

    numbers: tuple[Read, ...]
    answers: dict[str, str]
    found: tuple[prefill.Found, ...]
    left: tuple[str, ...]


@dataclass(frozen=True)
class _Rule:
    what: str
    input: str
    pattern: str
    second: str = ""
    times: float = 1.0
    per: str = ""


@dataclass(frozen=True)
class _From:
    at: float
    option: str


@dataclass(frozen=True)
class _Step:
    question: str
    input: str
    options: tuple[_From, ...]


@dataclass(frozen=True)
class _Pace:
    word: str
    answer: str
    pattern: str
    sets: dict[str, Any]


@dataclass(frozen=True)
class _File:
    about: float
    rule: tuple[_Rule, ...]
    step: tuple[_Step, ...]
    pace: tuple[_Pace, ...]


def read(text: str) -> Brief:
    """What `text` says. Never raises; of a quantity named twice the first counts."""
    text = re.sub(r"[^\S\n]+", " ", text[:MAX_TEXT].replace("’", "'").replace("\u00a0", " "))
    taken: list[tuple[int, int]] = []
    numbers: dict[str, Read] = {}
    for rule, pattern in _rules():
        for match in pattern.finditer(text):
            if any(match.start() < end and start < match.end() for start, end in taken):
                continue
            if found := _quantity(rule, match, text):
                taken.append((found.start, found.end))
                numbers.setdefault(rule.input, found)
    if pace := _pace(text):
        numbers["churn"] = pace
        taken.append((pace.start, pace.end))
    ordered = tuple(sorted(numbers.values(), key=lambda one: one.start))
    answers, words = prefill.read(text)
    told = answered(ordered)
    left = _left(text, taken, [one.words for one in words])
    return Brief(ordered, answers | told, tuple(one for one in words if one.question not in told), tuple(left))


def answered(numbers: Iterable[Read]) -> dict[str, str]:
    """The advisor's answers that numbers give: a number says more than a word."""
    return answers_of({name: value for one in numbers for name, value in one.sets.items()})


def answers_of(sets: Mapping[str, Any]) -> dict[str, str]:
    """The same from values by input."""
    found = {}
    for step in _file().step:
        if step.input in sets:
            value = _pair(sets[step.input])[1]
            found[step.question] = next(one.option for one in reversed(step.options) if value >= one.at)
    pace = next((one.answer for one in _file().pace if all(sets.get(k) == v for k, v in one.sets.items())), "")
    return found | ({"data-changes": pace} if pace else {})


def paces() -> dict[str, dict[str, Any]]:
    """How often facts change, in words, slowest last: what each sets."""
    return {one.word: one.sets for one in _file().pace}


def pace_of(scenario: inputs.Scenario) -> str:
    """The pace whose values the scenario has, else ''."""
    for word, sets in paces().items():
        if all(scenario.value(name) == inputs.read(name, value) for name, value in sets.items()):
            return word
    return ""


def apply(scenario: inputs.Scenario, numbers: Iterable[Read]) -> tuple[inputs.Scenario, list[str]]:
    """The scenario with what was read, its words as origin, and a note on each that the calculator refuses."""
    notes = []
    for one in numbers:
        try:
            known = {name: value for name, value in one.sets.items() if name in inputs.every()}
            origins = {name: f"your brief: “{one_line(one.words, 80)}”" for name in known}
            scenario = scenario.replace(known, origins)
        except Problem as problem:
            notes.append(f"{one.what}: {problem.message}")
    return scenario, notes


def questions(answers: Mapping[str, str]) -> dict[str, str]:
    """Question -> answer, both as the advisor words them."""
    known = rules.load().questions
    return {known[name].ask: known[name].option(option).label for name, option in answers.items() if name in known}


def _quantity(rule: _Rule, match: re.Match[str], text: str) -> Read | None:
    """The value in a match, in the input's unit; None where there is none."""
    groups = {name: value for name, value in match.groupdict().items() if value is not None}
    numbers = [_value(value) for name, value in groups.items() if name.startswith("n")]
    unit = next((value for name, value in groups.items() if name[0] in "up"), "")
    if not numbers or (rule.input == "queries" and (not unit or _EACH.search(text[: match.start()]))):
        return None  # "15 questions a day each" is not what all of them ask together
    factor = rule.times
    if rule.per and unit:
        days = UNITS[unit.lower().rstrip("s") if unit.lower() != "ms" else "ms"]
        factor *= UNITS[rule.per] / days if any(name[0] == "p" for name in groups) else days / UNITS[rule.per]
    if rule.second:
        if len(numbers) < 2:
            return None
        sets = {rule.input: _plain(numbers[0]), rule.second: _plain(numbers[1])}
    else:
        low, high = (end * factor for end in numbers[0])
        one = inputs.every().get(rule.input)
        if low == high and _ABOUT.search(text[: match.start() + _lead(match)]):
            low, high = low * (1 - _file().about / 100), high * (1 + _file().about / 100)
        sets = {rule.input: _plain((low, high) if one is None or one.kind == "range" else (high, high))}
    return Read(rule.what, sets, match[0].strip(), match.start(), match.end())


def _lead(match: re.Match[str]) -> int:
    """Characters of the match before its first number."""
    places = [match.start(name) for name, value in match.groupdict().items() if name.startswith("n") and value]
    return min(places) - match.start()


def _value(text: str) -> tuple[float, float]:
    """'12,000', '10k to 20k' or '2-3 thousand' as (low, high)."""
    parts = re.findall(rf"({_DIGITS}|{_SPELLED})\s?(k|m|bn|thousand|million|billion)?\b", text.lower())
    scale = parts[-1][1]
    found = sorted(_digits(number) * SCALES[own or scale] for number, own in parts[:2])
    return found[0], found[-1]


def _digits(text: str) -> float:
    if re.fullmatch(r"\d{1,6},\d{1,2}", text):  # a decimal comma
        return float(text.replace(",", "."))
    return prefill.WORDS.get(text) or float(re.sub(r"[,' ]", "", text))


def _plain(value: tuple[float, float]) -> Any:
    low, high = (float(f"{end:.6g}") for end in value)
    return low if low == high else [low, high]


def _pair(value: Any) -> tuple[float, float]:
    return (value[0], value[1]) if isinstance(value, list) else (value, value)


def _words(name: str, value: tuple[float, float]) -> str:
    return inputs.words(name, value) if name in inputs.every() else inputs.short(value[1])


def _pace(text: str) -> Read | None:
    for one in _file().pace:
        for match in re.finditer(rf"(?i)\b(?:{one.pattern})\b(?: \w+)?", text):
            if not _NOT.search(text[: match.start()]):
                return Read(f"Facts change {one.word}", dict(one.sets), match[0], match.start(), match.end())
    return None


def _left(text: str, taken: list[tuple[int, int]], words: list[str]) -> list[str]:
    """The clauses in which nothing was read: of them a person should know that they did not count."""
    found = []
    for match in _CLAUSE.finditer(text):
        clause = match[0].strip()
        low = clause.lower()
        touched = any(match.start() < end and start < match.end() for start, end in taken)
        if len(clause.split()) > 1 and not touched and not any(word in low for word in words):
            found.append(clause)
    return found


@cache
def _file() -> _File:
    return tomlfile.read(FILE, _File)


@cache
def _rules() -> list[tuple[_Rule, re.Pattern[str]]]:
    return [(rule, re.compile(_expanded(rule.pattern), re.IGNORECASE)) for rule in _file().rule]


def _expanded(pattern: str) -> str:
    """N, P and U in a rule's pattern as named groups, numbered since a name may stand only once."""
    counts = {"N": 0, "P": 0, "U": 0}
    period = "|".join(unit for unit in UNITS if unit not in ("ms", "sec", "millisecond"))
    parts = {
        "N": rf"(?<![\w.,])(?P<n{{}}>{_NUMBER})(?![\d])",
        "P": rf"(?:a|an|per|each|every|/)\s?(?P<p{{}}>{period})",
        "U": rf"(?P<u{{}}>{'|'.join(UNITS)})",
    }

    def one(match: re.Match[str]) -> str:
        counts[match[0]] += 1
        return parts[match[0]].replace("{}", str(counts[match[0]]))

    return re.sub(r"(?<![\\\w])[NPU](?![\w])", one, pattern)
