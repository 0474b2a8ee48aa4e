"""Reads rules.toml: questions with their options and weights, and hard constraints. Knows nothing of scoring."""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from core import tomlfile
from core.approaches import APPROACHES as APPROACHES  # ties go to the simpler, which stands first
from core.errors import Problem
from core.text import one_line

FILE = Path(__file__).with_name("rules.toml")
NEEDS = ("knowledge", "behaviour", "no_lookup")
UNKNOWN = "unknown"
MEANS = "What you have"
UNKNOWN_WORDS = {"unknown", "dont-know", "don-t-know", "don't-know", "not-known", "unsure", "?", "", "null", "n/a"}
DIRECTIONS = ("away from retrieval", "away from fine-tuning", "towards retrieval")


@dataclass(frozen=True)
class Option:
    """One possible answer and its points per need (see rules.toml)."""

    id: str
    label: str
    share: float  # in % of cases, used where the question is open
    source: str
    knowledge: float = 0.0
    behaviour: float = 0.0
    no_lookup: float = 0.0
    aliases: tuple[str, ...] = ()

    @property
    def points(self) -> tuple[float, float, float]:
        """Points in the order of NEEDS."""
        return self.knowledge, self.behaviour, self.no_lookup


@dataclass(frozen=True)
class Question:
    """One question. Its options are ordered; `never` says where a later one may not move the verdict."""

    id: str
    group: str
    ask: str
    help: str
    criteria: tuple[str, ...]
    never: str
    options: tuple[Option, ...]
    aliases: tuple[str, ...] = ()

    @property
    def means(self) -> bool:
        """Whether it asks what one has, not what one needs."""
        return self.group == MEANS

    def option(self, option_id: str) -> Option:
        """The option of that id. Raises Problem when there is none."""
        for option in self.options:
            if option.id == option_id:
                return option
        raise Problem(_no_such("option", option_id, [each.id for each in self.options], f"question {self.id}"))


@dataclass(frozen=True)
class Constraint:
    """When every question in `when` is answered by one of the options named there, `excludes` are out."""

    id: str
    when: dict[str, tuple[str, ...]]
    excludes: tuple[str, ...]
    because: str
    source: str

    def holds(self, answers: Mapping[str, str]) -> bool:
        """Whether the answers trigger it."""
        return all(answers.get(question) in options for question, options in self.when.items())


@dataclass(frozen=True)
class Start:
    """Points before any answer, and how many must move before anything is said (see rules.toml)."""

    knowledge: float
    behaviour: float
    both: float
    enough: float

    @property
    def points(self) -> tuple[float, float, float]:
        """Points in the order of NEEDS."""
        return self.knowledge, self.behaviour, 0.0


@dataclass(frozen=True)
class Rules:
    """Everything that decides; the shape of rules.toml."""

    start: Start
    question: tuple[Question, ...]
    constraint: tuple[Constraint, ...] = ()

    @cached_property
    def questions(self) -> dict[str, Question]:
        """The questions by id."""
        return {each.id: each for each in self.question}


@cache
def load() -> Rules:
    """The rules as shipped. Raises Problem on a slip in the file."""
    return _checked(tomlfile.read(FILE, Rules))


def parse(raw: Mapping[str, Any]) -> Rules:
    """Rules from parsed TOML. Raises Problem when a constraint or direction names what does not exist."""
    return _checked(tomlfile.build(raw, Rules, FILE.name))


def _checked(made: Rules) -> Rules:
    for question in made.question:
        if question.never not in DIRECTIONS:
            raise Problem(f"rules.toml: question {question.id} has an unknown `never`: {question.never}.")
        if sum(option.share for option in question.options) != 100:
            raise Problem(f"rules.toml: the shares of question {question.id} do not add up to 100.")
    for constraint in made.constraint:
        for name, options in constraint.when.items():
            if name not in made.questions:
                raise Problem(f"rules.toml: constraint {constraint.id} names no question: {name}.")
            for option in options:
                made.questions[name].option(option)
        if unknown := set(constraint.excludes) - set(APPROACHES):
            raise Problem(f"rules.toml: constraint {constraint.id} excludes no approach: {', '.join(unknown)}.")
    return made


def read_answers(given: Mapping[str, Any]) -> dict[str, str]:
    """Answers with ids and aliases resolved and "don't know" left out. Raises Problem on what is not known.

    Questions and options may be named by id or alias, in any case, with spaces or underscores for hyphens.
    """
    answers: dict[str, str] = {}
    for name, value in given.items():
        question = find_question(str(name))
        if option := _find_option(question, str(value)):
            if answers.get(question.id, option) != option:
                raise Problem(f"Question {question.id} was answered twice: {answers[question.id]} and {option}.")
            answers[question.id] = option
    return answers


def keep_valid(given: Mapping[str, Any]) -> tuple[dict[str, str], list[str]]:
    """The answers that can be used and a note on each that cannot: for links and files from elsewhere."""
    answers: dict[str, str] = {}
    notes: list[str] = []
    for name, value in given.items():
        try:
            answers |= read_answers({name: value})
        except Problem as problem:
            notes.append(problem.message)
    return answers, notes


def find_question(name: str) -> Question:
    """The question of that id or alias. Raises Problem when there is none."""
    wanted = _slug(name)
    for question in load().questions.values():
        if wanted == question.id or wanted in question.aliases:
            return question
    raise Problem(_no_such("question", name, list(load().questions), "the advisor"))


def _find_option(question: Question, value: str) -> str:
    wanted = _slug(value)
    if wanted in UNKNOWN_WORDS:
        return ""
    for option in question.options:
        if wanted == option.id or wanted == _slug(option.label):
            return option.id
    for option in question.options:
        if wanted in option.aliases:
            return option.id
    raise Problem(_no_such("option", value, [option.id for option in question.options], f"question {question.id}"))


def _slug(text: str) -> str:
    return "-".join(text.strip().lower().replace("_", " ").replace("-", " ").split())


def _no_such(what: str, name: str, known: list[str], where: str) -> str:
    near = difflib.get_close_matches(_slug(name), known, n=1)
    hint = f" Did you mean {near[0]}?" if near else ""
    return f"There is no {what} '{one_line(name, 40)}' in {where}.{hint} Known: {', '.join(known)}, or {UNKNOWN}."
