"""The figures that the app shows, each with its source: the five documents, published tables, our own measurements.

Reads figures.toml and, where it exists, models/cards/measured.json. Knows nothing of what a figure is used for.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal

from core import paths, tomlfile
from core.errors import Problem

FILE: Final = Path(__file__).resolve().with_name("figures.toml")
Evidence = Literal["author's experience", "published", "measured here", "ours"]
EVIDENCE: Final[dict[Evidence, str]] = {
    "author's experience": "a document's author says so; how it was measured is not stated",
    "published": "measured and published, with a method",
    "measured here": "measured with this repository's own models",
    "ours": "derived or assumed by this project",
}


@dataclass(frozen=True, kw_only=True)
class _Publication:
    kind: str
    title: str
    author: str
    date: str
    site: str
    file: str | None = None


@dataclass(frozen=True, kw_only=True)
class Source(_Publication):
    """Where figures come from. What is unknown reads 'not stated'."""

    id: str

    def words(self) -> str:
        """The citation on one line."""
        return f"{self.id}: {self.title}; {self.author}; {self.date}; {self.site}"


@dataclass(frozen=True, kw_only=True)
class _Entry:
    id: str
    label: str
    quantity: str
    unit: str = ""
    approach: str = ""
    value: float | None = None
    low: float | None = None
    high: float | None = None
    open_high: bool = False
    approximate: bool = False
    text: str | None = None
    standard_error: float | None = None
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Figure(_Entry):
    """One claim or measurement: a value, a range, or a rating in words; with unit, source, place, date, evidence."""

    source: str
    place: str
    evidence: Evidence
    date: str

    @property
    def range(self) -> tuple[float, float]:
        """(low, high); a single value is a range of one point. Raises Problem for a rating in words."""
        if self.value is not None:
            return self.value, self.value
        if self.low is None or self.high is None:
            raise Problem(f"{self.id} is a rating in words ('{self.text}'), not a number.")
        return self.low, self.high

    def words(self) -> str:
        """The figure as its source states it: '100-10,000+ USD', '~0.001-0.01 USD per query', 'days to weeks'."""
        if self.text is not None:
            return self.text
        low, high = self.range
        number = _number(low) if low == high else f"{_number(low)} to {_number(high)}"
        unit = "" if self.unit in ("", "1") else " %" if self.unit == "%" else f" {self.unit}"
        error = "" if self.standard_error is None else f" ± {_number(self.standard_error)} (s.e.)"
        return f"{'~' if self.approximate else ''}{number}{'+' if self.open_high else ''}{unit}{error}"


@dataclass(frozen=True)
class _Group:
    """Figures of one place."""

    source: str
    place: str
    evidence: Evidence
    figures: tuple[_Entry, ...]


@dataclass(frozen=True)
class _Table:
    """A published table: each row a name and one value a column."""

    id: str
    source: str
    place: str
    evidence: Evidence
    quantity: str
    unit: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]

    def entries(self) -> Iterator[_Entry]:
        for name, *values in self.rows:
            if not isinstance(name, str) or len(values) != len(self.columns) or {*map(type, values)} - {int, float}:
                raise Problem(f"{FILE.name}, table '{self.id}': a row is a name and {len(self.columns)} numbers.")
            for column, value in zip(self.columns, values, strict=True):
                place = f"{self.id}.{_slug(name)}.{_slug(column)}"
                label = f"{name}, {column}"
                yield _Entry(id=place, label=label, quantity=self.quantity, unit=self.unit, value=value)


@dataclass(frozen=True)
class _File:
    sources: dict[str, _Publication]
    group: tuple[_Group, ...]
    table: tuple[_Table, ...]


PLACEHOLDER = re.compile(r"\{([A-Za-z0-9.-]+)(?:\|(number|low|high|percent))?\}")


def fill(text: str) -> str:
    """`text` with each figure in its place, so that no text repeats a number: `{D2.training-cost}` reads as its source
    states it, `{id|number}` without unit, `{id|low}` and `{id|high}` one end, `{id|percent}` a share in percent.

    Raises Problem for a figure that does not exist, or that is a rating in words where a number is asked for.
    """
    return PLACEHOLDER.sub(lambda found: _written(get(found[1]), found[2]), text)


def _written(figure: Figure, form: str | None) -> str:
    if form is None:
        return figure.words()
    low, high = figure.range
    if form in ("low", "high"):
        return _number(low if form == "low" else high)
    if form == "percent":
        return f"{low:.0%}".replace("%", " %")
    return _number(low) if low == high else f"{_number(low)} to {_number(high)}"


@cache
def sources() -> dict[str, Source]:
    """All sources by id."""
    return {name: Source(id=name, **asdict(told)) for name, told in _file().sources.items()}


@cache
def load() -> dict[str, Figure]:
    """All figures by id, in the order of the file; measured ones last. Raises Problem on a damaged file."""
    file = _file()
    figures = [_figure(group, entry) for group in file.group for entry in group.figures]
    figures += [_figure(table, entry) for table in file.table for entry in table.entries()]
    figures += measured()
    found: dict[str, Figure] = {}
    for figure in figures:
        if figure.id in found:
            raise Problem(f"{FILE.name}: {figure.id} is there twice.")
        found[figure.id] = figure
    return found


def get(figure_id: str) -> Figure:
    """One figure. Raises Problem when there is none of that id."""
    try:
        return load()[figure_id]
    except KeyError:
        raise Problem(f"There is no figure '{figure_id}' in core/evidence/figures.toml.") from None


def measured(path: Path | None = None) -> list[Figure]:
    """Our own accuracies from models/cards/measured.json, or none when the file is missing.

    The file: `{"origin", "date", "command", "results": [{"arm", "class", "accuracy", "standard_error", "n"}]}` (shares
    of 1). Raises Problem when it is there and cannot be read.
    """
    file = path or paths.ROOT / "models" / "cards" / "measured.json"
    if not file.exists():
        return []
    try:
        raw = json.loads(file.read_text(encoding="utf-8"))
        return [
            Figure(
                id=f"here.accuracy.{row['arm']}.{_slug(row['class'])}",
                label=f"{row['arm']}, {row['class']} (n = {row['n']})",
                quantity="accuracy",
                source="HERE",
                place=raw["origin"],
                evidence="measured here",
                date=raw["date"],
                unit="1",
                value=float(row["accuracy"]),
                standard_error=row["standard_error"],
            )
            for row in raw["results"]
        ]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Problem(f"{file.name} is not in the form that core/evidence/figures.py reads: {error!r}.") from error


@cache
def _file() -> _File:
    return tomlfile.read(FILE, _File)


def _figure(of: _Group | _Table, entry: _Entry) -> Figure:
    if of.source not in sources():
        raise Problem(f"{FILE.name}: {entry.id} names the source '{of.source}', which is not among the sources.")
    if [entry.value, entry.low, entry.text].count(None) != 2 or (entry.low is None) != (entry.high is None):
        raise Problem(f"{FILE.name}: {entry.id} needs a value, or low and high, or a text.")
    date = sources()[of.source].date
    return Figure(source=of.source, place=of.place, evidence=of.evidence, date=date, **asdict(entry))


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9.]+", "-", text.lower()).strip("-")


def _number(value: float) -> str:
    if value and abs(value) < 0.001:
        return f"{value:.10f}".rstrip("0")
    return f"{value:,.4f}".rstrip("0").rstrip(".") if value % 1 else f"{value:,.0f}"
