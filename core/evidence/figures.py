"""The figures that the app shows, each with its source: the five documents, published tables, our own measurements.

Reads figures.toml and, where it exists, models/cards/measured.json. Knows nothing of what a figure is used for.
"""

import json
import re
import tomllib
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any

from core import paths
from core.errors import Problem

HERE = Path(__file__).resolve().parent
EVIDENCE = {
    "author's experience": "a document's author says so; how it was measured is not stated",
    "published": "measured and published, with a method",
    "measured here": "measured with this repository's own models",
    "ours": "derived or assumed by this project",
}


@dataclass(frozen=True)
class Source:
    """Where figures come from. What is unknown reads 'not stated'."""

    id: str
    kind: str
    title: str
    author: str
    date: str
    site: str
    file: str | None = None

    def words(self) -> str:
        """The citation on one line."""
        return f"{self.id}: {self.title}; {self.author}; {self.date}; {self.site}"


@dataclass(frozen=True)
class Figure:
    """One claim or measurement: a value, a range, or a rating in words; with unit, source, place, date, evidence."""

    id: str
    label: str
    quantity: str
    source: str
    place: str
    evidence: str
    date: str
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
    return {name: Source(id=name, **entry) for name, entry in _raw()["sources"].items()}


@cache
def load() -> dict[str, Figure]:
    """All figures by id, in the order of the file; measured ones last. Raises Problem on a damaged file."""
    raw = _raw()
    figures = [figure for group in raw["group"] for figure in _group(group)]
    figures += [figure for table in raw["table"] for figure in _table(table)]
    figures += measured()
    found: dict[str, Figure] = {}
    for figure in figures:
        if figure.id in found:
            raise Problem(f"figures.toml: {figure.id} is there twice.")
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
def _raw() -> dict[str, Any]:
    return tomllib.loads((HERE / "figures.toml").read_text(encoding="utf-8"))


def _group(group: dict[str, Any]) -> list[Figure]:
    shared = {key: group[key] for key in ("source", "place", "evidence")}
    return [_figure({**shared, **entry}) for entry in group["figures"]]


def _table(table: dict[str, Any]) -> list[Figure]:
    shared = {key: table[key] for key in ("source", "place", "evidence", "quantity", "unit")}
    return [
        _figure(
            {
                **shared,
                "id": f"{table['id']}.{_slug(row[0])}.{_slug(column)}",
                "label": f"{row[0]}, {column}",
                "value": value,
            }
        )
        for row in table["rows"]
        for column, value in zip(table["columns"], row[1:], strict=True)
    ]


def _figure(entry: dict[str, Any]) -> Figure:
    known = {field.name for field in fields(Figure)}
    if unknown := set(entry) - known:
        raise Problem(f"figures.toml: {entry.get('id')} has unknown keys {sorted(unknown)}.")
    if entry["evidence"] not in EVIDENCE:
        raise Problem(f"figures.toml: {entry['id']} has unknown evidence '{entry['evidence']}'.")
    return Figure(**{"date": sources()[entry["source"]].date, **entry})


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9.]+", "-", text.lower()).strip("-")


def _number(value: float) -> str:
    if value and abs(value) < 0.001:
        return f"{value:.10f}".rstrip("0")
    return f"{value:,.4f}".rstrip("0").rstrip(".") if value % 1 else f"{value:,.0f}"
