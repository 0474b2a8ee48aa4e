"""Hands the answers on: to the calculator as inputs, to the playground as a demo, all in one scenario and one link.

A number that was stated travels as it was stated; an answer's own range fills in only where none was. What the hard
constraints rule out travels too. Knows the calculator's inputs and the playground's suggested questions by name
(handover.toml); computes nothing.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from core import scenario, tomlfile
from core.advisor import rules
from core.advisor.reader import Fact
from core.calculator import inputs
from core.calculator.approaches import USES
from core.errors import Problem
from core.text import one_line

FILE = Path(__file__).with_name("handover.toml")
PINNED = "base+pinned"  # the playground's arm for "prompt only"
OURS = "advisor: "  # begins the origin of every input that comes from here
MOST_NUMBERS = 30


@dataclass(frozen=True)
class Number:
    """A number that somebody stated: low and high, and the words that said it."""

    low: float
    high: float
    words: str


@dataclass(frozen=True)
class Into:
    """Where a stated number goes: an input of the calculator, and how much of its unit one counts for."""

    input: str
    each: tuple[float, float] = (1.0, 1.0)


@dataclass(frozen=True)
class Demo:
    """A suggested question of the playground, and the answers under which it shows what decides."""

    suggestion: str
    when: dict[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Handover:
    """The shape of handover.toml."""

    calculator: dict[str, dict[str, dict[str, Any]]]
    number: dict[str, Into]
    playground: tuple[Demo, ...]


def numbers_of(facts: Iterable[Fact]) -> dict[str, Number]:
    """What a text states, as numbers to hand over: one an input, the surest; what no input takes is left out."""
    stated = {fact.name: Number(fact.low, fact.high, fact.words) for fact in facts}
    surest = {
        into.input: name
        for name, into in _file().number.items()  # in the order of the file: the surer number comes later
        if name in stated and _value(into, stated[name]) is not None
    }
    return {name: stated[name] for name in surest.values()}


def input_of(name: str, number: Number) -> tuple[str, float | list[float] | None]:
    """The input that a stated number goes to, and the value that it gets there."""
    into = _file().number[name]
    return into.input, _value(into, number)


def goes_to(name: str, number: Number) -> tuple[str, str]:
    """The label of the input that a stated number goes to, and the value that it gets there, in words."""
    into = _file().number[name]
    value = _value(into, number)
    return inputs.every()[into.input].label, inputs.words(into.input, inputs.read(into.input, value))


def calculator(answers: Mapping[str, str], numbers: Mapping[str, Number] | None = None) -> dict[str, Any]:
    """The scenario's `calculator` section: inputs that answers and stated numbers imply, each with its origin."""
    found: dict[str, Any] = {}
    origins: dict[str, str] = {}
    for question, option in answers.items():
        for name, value in _file().calculator.get(question, {}).get(option, {}).items():
            found[name] = value
            origins[name] = f"{OURS}{question} = {option}"
    for fact, into in _file().number.items():  # in the order of the file: the surer number comes later
        if number := (numbers or {}).get(fact):
            value = _value(into, number)
            if value is not None:
                found[into.input] = value
                origins[into.input] = f"{OURS}“{one_line(number.words, 80)}”"
    for name, because in excluded(answers).items():
        found[USES[name]] = "no"
        origins[USES[name]] = f"{OURS}{because}"
    return {"inputs": found, "origins": origins} if found else {}


def excluded(answers: Mapping[str, str]) -> dict[str, str]:
    """Approach -> why a hard constraint rules it out."""
    holding = [each for each in rules.load().constraint if each.holds(answers)]
    return {
        name: " ".join(dict.fromkeys(each.because for each in holding if name in each.excludes))
        for name in rules.APPROACHES
        if any(name in each.excludes for each in holding)
    }


def playground(answers: Mapping[str, str], verdict: str) -> dict[str, Any]:
    """The scenario's `playground` section: the question that shows what decides here, and a further arm if it helps."""
    label = next(
        each.suggestion
        for each in _file().playground
        if all(answers.get(question) in options for question, options in each.when.items())
    )
    section: dict[str, Any] = {"suggestion": label}
    return {**section, "extra_arms": [PINNED]} if verdict == "prompt" else section


def whole(
    answers: Mapping[str, str],
    verdict: str,
    base: Mapping[str, Any] | None = None,
    numbers: Mapping[str, Number] | None = None,
) -> dict[str, Any]:
    """The scenario to share: these answers and numbers, and what follows for calculator and playground.

    `base` is the scenario the page was opened with: calculator inputs that the answers do not touch are kept.
    """
    kept = dict(base or scenario.empty())
    earlier = _dict(kept.get("calculator"))
    mine = calculator(answers, numbers)
    for part in ("inputs", "origins"):
        before = _dict(earlier.get(part))
        ours = {name for name, text in _dict(earlier.get("origins")).items() if str(text).startswith(OURS)}
        mine[part] = {**{name: value for name, value in before.items() if name not in ours}, **mine.get(part, {})}
    rest = {name: value for name, value in earlier.items() if name not in ("inputs", "origins")}
    stated = {name: [_plain(each.low), _plain(each.high), each.words] for name, each in (numbers or {}).items()}
    told: dict[str, Any] = {"answers": dict(answers), "numbers": stated}
    return {
        **kept,
        "advisor": {name: value for name, value in told.items() if value},
        "calculator": {**rest, **{name: value for name, value in mine.items() if value}},
        "playground": {**_dict(kept.get("playground")), **playground(answers, verdict)},
    }


def answers_in(section: Mapping[str, Any]) -> tuple[dict[str, str], list[str]]:
    """The answers in a scenario's `advisor` section, and a note on each that cannot be used; never raises."""
    given = section.get("answers", {})
    if not isinstance(given, Mapping):
        return {}, ["advisor.answers: not a JSON object; left out."]
    return rules.keep_valid(given)


def numbers_in(section: Mapping[str, Any]) -> tuple[dict[str, Number], list[str]]:
    """The stated numbers in a scenario's `advisor` section, and a note on each that cannot be used; never raises."""
    given = section.get("numbers", {})
    if not isinstance(given, Mapping):
        return {}, ["advisor.numbers: not a JSON object; left out."]
    found: dict[str, Number] = {}
    notes: list[str] = []
    for name, value in list(given.items())[:MOST_NUMBERS]:
        number = _number(value)
        if name not in _file().number or number is None or _value(_file().number[name], number) is None:
            notes.append(f"advisor.numbers, {one_line(str(name), 40)}: not a number that can be used; left out.")
        else:
            found[name] = number
    return found, notes


def _number(value: Any) -> Number | None:
    match value:
        case [int() | float() as low, int() | float() as high, str() as words] if low <= high:
            return Number(float(low), float(high), one_line(words, 120))
    return None


def _value(into: Into, number: Number) -> float | list[float] | None:
    """The input's value: one number or [low, high] within its limits, or None where it cannot take it."""
    low, high = _plain(number.low * into.each[0]), _plain(number.high * into.each[1])
    one = inputs.every().get(into.input)
    value = high if low == high or (one and one.kind == "number") else [low, high]
    try:
        inputs.read(into.input, value)
    except Problem:
        return None
    return value


def _plain(value: float) -> float:
    """Whole numbers without a decimal point, so that a link reads and writes the same."""
    return int(value) if float(value).is_integer() else value


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


@cache
def _file() -> Handover:
    return tomlfile.read(FILE, Handover)
