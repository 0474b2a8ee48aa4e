"""Decision in three minutes: the inputs a manager has (decide.toml); a brief or the advisor's answers put into them.

Knows the names of the calculator's inputs and the advisor's questions; computes nothing.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from core import brief, tomlfile
from core.advisor import handover
from core.calculator import inputs
from core.calculator.inputs import Scenario
from core.text import one_line

FILE = Path(__file__).with_name("decide.toml")
STEPS = (1.0, 1.5, 2.0, 3.0, 5.0, 7.0)
MAX_TEXT = 4_000  # characters of the brief that are kept in a link
TEXTS = {"title": 120, "owner": 80, "signer": 80, "brief": MAX_TEXT}


@dataclass(frozen=True)
class Also:
    """A second reading of a value: value / per in `unit`."""

    per: float
    unit: str


@dataclass(frozen=True)
class Field:
    """One of the few inputs shown, with the ends of its slider."""

    input: str
    label: str
    scale: str
    help: str
    low: float = 0.0
    high: float = 0.0
    step: float = 1.0
    no_limit: str = ""
    unit: str = ""
    also: Also | None = None

    def grid(self, value: inputs.Range = (0.0, 0.0)) -> list[float]:
        """The slider's stops, `value`'s ends among them; no two of them read alike."""
        found = [0.0] if self.no_limit else []
        if self.scale == "log":
            powers = [10.0**power for power in range(-3, 13)]
            found += [power * step for power in powers for step in STEPS if self.low <= power * step <= self.high]
        else:
            found += [self.low + at * self.step for at in range(round((self.high - self.low) / self.step) + 1)]
        return sorted({self.words(stop): stop for stop in [*found, *value]}.values())

    def words(self, value: float) -> str:
        """A stop as a person reads it: '700,000 (1,100 pages)'."""
        if self.no_limit and value == 0:
            return self.no_limit
        if self.also is None:
            return f"{inputs.short(value)} {self.unit}".strip()
        other = f"{inputs.short(float(f'{value / self.also.per:.2g}'))} {self.also.unit}"
        return other if self.also.unit == "s" else f"{inputs.short(value)} ({other})"


@dataclass(frozen=True)
class Need:
    """A requirement: the answer to one of the advisor's questions."""

    label: str
    question: str
    option: str


@dataclass(frozen=True)
class _File:
    field: tuple[Field, ...]
    need: tuple[Need, ...]


def fields() -> tuple[Field, ...]:
    """The inputs shown, in their order."""
    return tuple(one for one in _file().field if one.input in inputs.every())


def needs() -> tuple[Need, ...]:
    """The requirements that can be ticked."""
    return _file().need


def put(
    scenario: Scenario,
    answers: Mapping[str, str],
    numbers: Iterable[brief.Read] = (),
    before: Mapping[str, str] | None = None,
) -> tuple[Scenario, list[str]]:
    """The scenario with what answers imply and, over them, what the brief's numbers say; notes on what was refused.

    `before`: the answers that the scenario rests on so far. What only they implied goes back to its default, and what
    both imply is left as it is, since someone may have changed it.
    """
    was, now = (handover.calculator(given or {}) for given in (before, answers))
    implied, had = now.get("inputs", {}), was.get("inputs", {})
    default = inputs.defaults()
    gone = {name: inputs.plain_value(default.value(name)) for name in had if name not in implied}
    fresh = {name: value for name, value in implied.items() if had.get(name) != value}
    origins = {name: text for name, text in now.get("origins", {}).items() if name in fresh}
    return brief.apply(scenario.replace(gone).replace(fresh, origins), numbers)


def kept(section: Any) -> tuple[dict[str, str], list[str]]:
    """The `decision` section of an envelope as bounded texts, and a note on what could not be used; never raises."""
    if not isinstance(section, Mapping):
        return {}, ["decision: not a JSON object; left out."]
    found, notes = {}, []
    for name, value in section.items():
        if name in TEXTS and isinstance(value, str):
            text = value[: TEXTS[name]]
            found[name] = text if name == "brief" else one_line(text, TEXTS[name])
        else:
            notes.append(f"decision.{one_line(str(name), 40)}: cannot be used; left out.")
    return found, notes


@cache
def _file() -> _File:
    return tomlfile.read(FILE, _File)
