"""Reads a brief in a manager's words: numbers, how often facts change, the advisor's answers, and what is left over.

core/advisor/reader.py reads; here its numbers become inputs of the calculator, each with the words behind it, and how
often facts change becomes a pace (brief.toml). What was read counts only once a person has confirmed it. Knows the
names of the calculator's inputs, no formula and no page.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from core import tomlfile
from core.advisor import handover, reader, rules
from core.calculator import inputs
from core.errors import Problem
from core.text import one_line

FILE = Path(__file__).with_name("brief.toml")
MAX_TEXT = reader.MAX_TEXT
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
    found: tuple[reader.Found, ...]
    left: tuple[str, ...]


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
    sets: dict[str, Any]
    from_rate: float = 0.0


@dataclass(frozen=True)
class _File:
    step: tuple[_Step, ...]
    pace: tuple[_Pace, ...]


def read(text: str) -> Brief:
    """What `text` says. Never raises; of a quantity named twice the first counts."""
    reading = reader.read(text)
    words = [found for found in reading.found if found.used]
    numbers = tuple(sorted([*_numbers(text, reading.facts), *_pace(reading, words)], key=lambda one: one.start))
    told = answered(numbers)
    left = _left(text, [(one.start, one.end) for one in numbers] + [(one.start, one.end) for one in words])
    return Brief(numbers, reading.answers | told, tuple(one for one in words if one.question not in told), tuple(left))


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


def _numbers(text: str, facts: Iterable[reader.Fact]) -> list[Read]:
    """The numbers as inputs; two that stand in the same words, such as a pair of prices, are one."""
    usable, places = handover.numbers_of(facts), {fact.name: (fact.start, fact.end) for fact in facts}
    found: dict[tuple[int, int], Read] = {}
    for name, number in usable.items():
        into, value = handover.input_of(name, number)
        start, end = places[name]
        before = found.get((start, end))
        sets = {**(before.sets if before else {}), into: value}
        what = inputs.every()[next(iter(sets))].label if len(sets) == 1 else "Price of input and output tokens"
        found[start, end] = Read(what, sets, text[start:end], start, end)
    return list(found.values())


def _pace(reading: reader.Reading, words: Iterable[reader.Found]) -> list[Read]:
    """How often facts change, by the rate that was read, else by the advisor's answer."""
    said = next((found for found in words if found.question == "data-changes"), None)
    if said is None:
        return []
    rate = next((fact.low for fact in reading.facts if fact.name == "changes"), 0.0)
    known = [one for one in _file().pace if one.answer == said.option]
    pace = next((one for one in known if rate >= one.from_rate), known[-1])
    return [Read(f"Facts change {pace.word}", dict(pace.sets), said.words, said.start, said.end)]


def _pair(value: Any) -> tuple[float, float]:
    return (value[0], value[1]) if isinstance(value, list) else (value, value)


def _words(name: str, value: tuple[float, float]) -> str:
    return inputs.words(name, value) if name in inputs.every() else inputs.short(value[1])


def _left(text: str, taken: Iterable[tuple[int, int]]) -> list[str]:
    """The clauses in which nothing was read: of them a person should know that they did not count."""
    places = list(taken)
    clauses = [
        (match[0].strip(), any(match.start() < end and start < match.end() for start, end in places))
        for match in _CLAUSE.finditer(text[:MAX_TEXT])
    ]
    return [clause for clause, touched in clauses if len(clause.split()) > 1 and not touched]


@cache
def _file() -> _File:
    return tomlfile.read(FILE, _File)
