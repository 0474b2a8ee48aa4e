"""What a scenario consists of: reads inputs.toml and presets.toml, checks values, names what is wrong.

Knows the form of every input and none of the formulas.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Literal

from core import numbers, tomlfile
from core.errors import Problem
from core.evidence import figures
from core.text import one_line

HERE = Path(__file__).resolve().parent
Range = tuple[float, float]
Value = Range | str
SMALLEST = 1e-9  # of what is not 0: quotients of ever smaller amounts leave the numbers a computer has


@dataclass(frozen=True)
class Input:
    """One line of inputs.toml. `default` is (low, high), or the text of a choice."""

    name: str
    label: str
    kind: str
    group: str
    source: str
    help: str
    default: Value
    unit: str = ""
    min: float = -math.inf
    max: float = math.inf
    shape: str = "uniform"
    options: tuple[str, ...] = ()
    pattern: str = ""
    whole: bool = False

    @property
    def is_word(self) -> bool:
        return self.kind in ("choice", "text")

    def describe(self) -> dict[str, Any]:
        """The entry of `--list`."""
        entry: dict[str, Any] = {"name": self.name, "unit": self.unit, "source": self.source, "help": self.help}
        if isinstance(self.default, str):
            entry |= {"default": self.default, "low": None, "high": None, "options": list(self.options)}
        else:
            low, high = self.default
            entry |= {"default": low if low == high else [low, high], "low": low, "high": high}
            entry |= {"min": self.min, "max": self.max, "shape": self.shape}
        return {**entry, "kind": self.kind, "group": self.group, "label": self.label}


@dataclass(frozen=True)
class Group:
    """Inputs that belong together on the page."""

    id: str
    title: str
    about: str
    inputs: tuple[Input, ...]


@dataclass(frozen=True)
class Preset:
    """A use case of the documents to start from. The quantities are ours: no document gives any."""

    id: str
    title: str
    about: str
    source: str
    inputs: dict[str, Any]


@dataclass(frozen=True)
class Scenario:
    """A checked value for every input, and where a value comes from when it replaced the default's source.

    `ranges` holds (low, high) for numbers, `words` the choices and texts, `origins` notes such as "measured here".
    """

    ranges: Mapping[str, Range]
    words: Mapping[str, str]
    origins: Mapping[str, str] = field(default_factory=dict)
    preset: str = ""

    def number(self, name: str) -> float:
        """The value of a single-valued input (kind `number`)."""
        return self.ranges[name][0]

    def value(self, name: str) -> Value:
        """(low, high), or the text of a choice."""
        return self.words[name] if name in self.words else self.ranges[name]

    def replace(self, changes: Mapping[str, Any], origins: Mapping[str, str] | None = None) -> "Scenario":
        """A scenario with some inputs changed. Raises Problem naming the input that is wrong.

        A changed input loses its origin unless `origins` gives a new one.
        """
        values = {name: read(name, value) for name, value in changes.items()}
        kept = {name: text for name, text in self.origins.items() if name not in values}
        ranges = {**self.ranges, **{name: value for name, value in values.items() if not isinstance(value, str)}}
        words = {**self.words, **{name: value for name, value in values.items() if isinstance(value, str)}}
        return Scenario(ranges, words, {**kept, **(origins or {})}, self.preset)

    def section(self) -> dict[str, Any]:
        """The scenario's `calculator` section: only what differs from the defaults, as JSON values."""
        changed = {name: plain_value(self.value(name)) for name in every() if self.value(name) != every()[name].default}
        if any(name in changed for name in DAYS):
            changed["launch_from"] = self.words["launch_from"]  # so that it is not taken for an older scenario
        preset = "" if self.preset == defaults().preset else self.preset
        parts: dict[str, Any] = {"preset": preset, "inputs": changed, "origins": dict(self.origins)}
        return {name: part for name, part in parts.items() if part}


@dataclass(frozen=True)
class _Entry:
    """An input as its line in inputs.toml says it: low and high, or a value, or neither (its source's figure)."""

    name: str
    label: str
    kind: Literal["range", "number", "choice", "text"]
    source: str
    help: str
    unit: str = ""
    low: float | None = None
    high: float | None = None
    value: Any = None
    scale: float = 1.0
    min: float = -math.inf
    max: float = math.inf
    shape: Literal["uniform", "log"] = "uniform"
    options: tuple[str, ...] = ()
    pattern: str = ""
    whole: bool = False


@dataclass(frozen=True)
class _Group:
    id: str
    title: str
    about: str
    inputs: tuple[_Entry, ...]


@dataclass(frozen=True)
class _Inputs:
    group: tuple[_Group, ...]


@dataclass(frozen=True)
class _Presets:
    preset: tuple[Preset, ...]


@cache
def groups() -> tuple[Group, ...]:
    """All groups with their inputs, in the order of the file."""
    file = tomlfile.read(HERE / "inputs.toml", _Inputs)
    return tuple(
        Group(one.id, one.title, one.about, tuple(_input(entry, one.id) for entry in one.inputs)) for one in file.group
    )


@cache
def every() -> dict[str, Input]:
    """All inputs by name."""
    return {one.name: one for group in groups() for one in group.inputs}


@cache
def presets() -> dict[str, Preset]:
    """All presets by id; the first one is the defaults."""
    return {one.id: one for one in tomlfile.read(HERE / "presets.toml", _Presets).preset}


@cache
def defaults() -> Scenario:
    """The scenario in which every input is at its default."""
    numbers = {name: one.default for name, one in every().items() if not isinstance(one.default, str)}
    words = {name: one.default for name, one in every().items() if isinstance(one.default, str)}
    return Scenario(numbers, words, preset=next(iter(presets())))


def from_preset(preset_id: str) -> Scenario:
    """The scenario of a preset. Raises Problem when there is none of that id."""
    if preset_id not in presets():
        raise Problem(f"There is no preset '{one_line(preset_id, 40)}'. Presets: {', '.join(presets())}")
    start = defaults()
    return Scenario(start.ranges, start.words, preset=preset_id).replace(presets()[preset_id].inputs)


def read(name: str, value: Any) -> Value:
    """`value` (a number, [low, high], "low..high", a choice) checked for input `name`; raises Problem naming it."""
    one = every().get(name)
    if one is None:
        raise Problem(f"{one_line(str(name), 60)}: no such input. `calculate --list` gives them all.")
    if one.is_word:
        return _word(one, value)
    low, high = (_number(one, part) for part in _ends(one, value))
    if low > high:
        raise Problem(f"{name}: the low end {low:g} is above the high end {high:g}. Write low..high.")
    if one.kind == "number" and low != high:
        raise Problem(f"{name}: takes one value, not a range.")
    return low, high


def number(name: str, value: Any) -> float:
    """One end of an input as a person types it ("12k", "1,000"), within its limits. Raises Problem naming it."""
    return _number(every()[name], value)


def check(section: Mapping[str, Any]) -> tuple[Scenario, list[str]]:
    """The scenario in a `calculator` section, and one note for every field that could not be used; never raises.

    What is wrong falls back to its default and the rest is kept.
    """
    notes: list[str] = []
    scenario = defaults()
    preset = section.get("preset", scenario.preset)
    if not isinstance(preset, str) or preset not in presets():
        notes.append(f"preset: '{one_line(str(preset), 40)}' is unknown; its other values are kept.")
        preset = scenario.preset
    scenario = Scenario(scenario.ranges, scenario.words, preset=preset)
    for name, value in _migrated(_mapping(section, "inputs", notes), notes).items():
        try:
            scenario = scenario.replace({name: value})
        except Problem as problem:
            notes.append(f"{problem.message} Its default is used.")
    origins = {
        name: one_line(text, 200)
        for name, text in _mapping(section, "origins", notes).items()
        if name in every() and isinstance(text, str)
    }
    return Scenario(scenario.ranges, scenario.words, origins, preset), notes


DAYS = ("prompt_setup_days", "retrieval_setup_days", "tuning_setup_days")


def _migrated(given: Mapping[str, Any], notes: list[str]) -> Mapping[str, Any]:
    """Values of an older scenario as this version means them: it gave days to launch, which now have to be chosen."""
    if "launch_from" in given or not any(name in given for name in DAYS):
        return given
    notes.append("version: launch_from is set to 'document', since the scenario gives days to launch of its own.")
    return {**given, "launch_from": "document"}


def plain_value(value: Value) -> Any:
    """A value as JSON: a number, [low, high] or a text."""
    if isinstance(value, str):
        return value
    return value[0] if value[0] == value[1] else list(value)


def words(name: str, value: Value) -> str:
    """A value as a person reads it: '20,000 to 60,000 queries/month'."""
    if isinstance(value, str):
        return value
    low, high = value
    unit = every()[name].unit
    number = short(low) if low == high else f"{short(low)} to {short(high)}"
    return f"{number} {unit}".strip()


def short(value: float) -> str:
    """A number with at most four significant digits and thousands separators; an exponent when very large or small."""
    if value == 0 or not math.isfinite(value):
        return "0" if value == 0 else "unlimited"
    if not 1e-6 <= abs(value) < 1e15:
        return f"{value:.3g}"
    digits = max(0, 3 - math.floor(math.log10(abs(value))))
    text = f"{value:,.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _input(entry: _Entry, group: str) -> Input:
    said = {name: value for name, value in vars(entry).items() if name not in ("low", "high", "value", "scale")}
    said |= {"help": figures.fill(entry.help), "source": figures.fill(entry.source)}
    return Input(**said, group=group, default=_default(entry))


def _default(entry: _Entry) -> Value:
    if entry.low is not None and entry.high is not None:
        return entry.low, entry.high
    if entry.value is not None:
        return entry.value if isinstance(entry.value, str) else (float(entry.value), float(entry.value))
    low, high = figures.get(entry.source).range
    return low * entry.scale, high * entry.scale


def _mapping(section: Mapping[str, Any], name: str, notes: list[str]) -> Mapping[str, Any]:
    part = section.get(name, {})
    if isinstance(part, Mapping):
        return part
    notes.append(f"{name}: not a JSON object; left out.")
    return {}


def _word(one: Input, value: Any) -> str:
    text = value.strip() if isinstance(value, str) else ""
    if one.kind == "choice" and text not in one.options:
        raise Problem(f"{one.name}: must be one of {', '.join(one.options)}.")
    if one.kind == "text" and not re.fullmatch(one.pattern, text):
        raise Problem(f"{one.name}: must be three letters such as {one.default}.")
    return text.upper() if one.kind == "text" else text


def _ends(one: Input, value: Any) -> tuple[Any, Any]:
    if isinstance(value, str):
        for between in ("..", " to "):
            low, found, high = value.partition(between)
            if found:
                return low, high
    if isinstance(value, list | tuple):
        if len(value) != 2:
            raise Problem(f"{one.name}: a range has two ends, [low, high].")
        return value[0], value[1]
    return value, value


def _plain_digits(one: Input, value: Any) -> Any:
    """A text as people write numbers, read beside the input's default; anything else as it is."""
    if not isinstance(value, str):
        return value
    near = None if isinstance(one.default, str) else math.sqrt(abs(one.default[0] * one.default[1]))
    return numbers.read(value, near or None)


def _number(one: Input, value: Any) -> float:
    """One end of a range as a finite number within the input's limits."""
    shown = one_line(str(value), 40) or "nothing"
    try:
        number = math.nan if isinstance(value, bool) else float(_plain_digits(one, value))
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not math.isfinite(number):
        raise Problem(f"{one.name}: '{shown}' is not a number.")
    if not one.min <= number <= one.max:
        raise Problem(f"{one.name}: {shown} is outside {one.min:,g} to {one.max:,g} {one.unit}".rstrip() + ".")
    if 0 < abs(number) < SMALLEST:
        raise Problem(f"{one.name}: {shown} is nearer to 0 than {SMALLEST:g}, the smallest amount that is counted.")
    if one.whole and number != int(number):
        raise Problem(f"{one.name}: must be a whole number, not {shown}.")
    return number + 0.0  # no negative zero
