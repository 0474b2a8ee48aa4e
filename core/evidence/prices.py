"""The price catalogue: what a token, an hour or a reranked query costs, where and when that was read, when it retires.

Shipped examples (prices.toml) and over them the user's own lists (price_lists.py): for each offer the later date wins.
Never live. Knows the calculator's inputs by name only.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date as Day
from functools import cache
from pathlib import Path
from typing import Any, Final

from core import numbers, tomlfile
from core.errors import Problem
from core.text import one_line

FILE = Path(__file__).with_name("prices.toml")
KINDS: Mapping[str, tuple[str, ...]] = {  # kind -> the calculator's inputs that its price sets
    "model": ("price_in", "price_out"),
    "embedding": ("embedding_price",),
    "training": ("training_price",),
    "rerank": ("rerank_price",),
    "hour": ("gpu_hour_price", "dedicated_hour_price"),
    "machine": ("machine_price",),
}
TUNINGS = ("", "hosted", "weights")
MAX_PRICE = 100_000_000.0  # USD


@dataclass(frozen=True)
class Offer:
    """One thing one can buy. Money in USD: per million tokens for `model`, `embedding` and `training`, per 1,000
    queries for `rerank`, per hour for `hour`. `tuning`: how it can be fine-tuned; `retires`: on which day it ends."""

    id: str
    kind: str
    source: str
    date: str  # ISO day or month
    name: str = ""
    vendor: str = ""
    input: float | None = None
    output: float | None = None
    cached: float | None = None
    price: tuple[float, float] | None = None
    more: dict[str, Any] = field(default_factory=dict)
    retires: str = ""
    tuning: str = ""
    note: str = ""

    @property
    def title(self) -> str:
        """What a person reads."""
        return self.name or self.id

    @property
    def open_weights(self) -> bool:
        """Whether one may run (and tune) it oneself."""
        return self.tuning == "weights"

    @property
    def sets(self) -> dict[str, Any]:
        """The calculator's inputs that this offer sets: a value, or (low, high)."""
        found: dict[str, Any] = {}
        if self.kind == "model":
            found = {"price_in": self.input, "price_out": self.output, "cache_discount": self.cache_discount}
        elif self.price is not None:
            low, high = self.price
            found = {name: low if low == high else [low, high] for name in KINDS[self.kind]}
        return {**found, **self.more}

    @property
    def cache_discount(self) -> float:
        """By how many percent cached input is cheaper; 0 where no price for it is listed."""
        if self.cached is None or not self.input:
            return 0.0
        return round(max(0.0, 100 * (1 - self.cached / self.input)), 2)

    def age(self, today: Day) -> int:
        """Days since the price was read; a month counts from its first day."""
        return (today - day(self.date)).days

    def retired(self, today: Day) -> bool:
        """Whether it is sold no more on `today`."""
        return bool(self.retires) and day(self.retires) <= today

    def origin(self) -> str:
        """Where a price comes from, as the scenario keeps it: '…: id, source, date'."""
        ends = f", retires {self.retires}" if self.retires else ""
        return f"price list: {self.id}, {self.source}, {self.date}{ends}"


@dataclass(frozen=True)
class _File:
    note: str
    old_days: int
    tuning_note: str
    sources: dict[str, str]
    offer: tuple[Offer, ...]


def day(text: str) -> Day:
    """'2026-08-05' or '2026-08' (its first day) as a date. Raises Problem."""
    try:
        return Day.fromisoformat(text if len(text) > 7 else f"{text}-01")
    except ValueError as error:
        raise Problem(f"'{text[:40]}' is not a date: write 2026-08-05.") from error


def note() -> str:
    """What to know before using any of them."""
    return _file().note


def tuning_note() -> str:
    """Why few models are offered for tuning, with source."""
    return _file().tuning_note


def old_days() -> int:
    """Days after which a price is called old."""
    return _file().old_days


@cache
def shipped() -> dict[str, Offer]:
    """The examples of prices.toml by id. Raises Problem on a slip in the file."""
    file = _file()
    return {one.id: checked(replace(one, source=file.sources.get(one.source, one.source))) for one in file.offer}


def catalogue(lists: Iterable[Iterable[Offer]] = ()) -> dict[str, Offer]:
    """The shipped offers with the user's lists over them, oldest list first: for each id the later date wins.

    What a list does not say (retirement, tuning, further inputs) is kept from what was known before.
    """
    found = dict(shipped())
    for offers in lists:
        for one in offers:
            known = found.get(one.id)
            if known is None:
                found[one.id] = one
            elif day(one.date) >= day(known.date) and known.kind == one.kind:
                found[one.id] = over(known, one)
    return found


def over(known: Offer, newer: Offer) -> Offer:
    """`newer` with what it leaves out taken from `known`."""
    said = {
        name: getattr(newer, name) or getattr(known, name) for name in ("name", "vendor", "retires", "tuning", "note")
    }
    return replace(newer, **said, more={**known.more, **newer.more})


def old(offers: Iterable[Offer], today: Day) -> str:
    """One line when prices in use are older than they should be, else ''."""
    ages = {one.title: one.age(today) for one in offers if one.age(today) > old_days()}
    if not ages:
        return ""
    most = max(ages, key=lambda title: ages[title])
    several = f" and {len(ages) - 1} more" if len(ages) > 1 else ""
    return (
        f"The price of {most}{several} was read {ages[most]} days ago (over {old_days()} is old). Check the source, or "
        "take a newer list: python -m core prices --from FILE_OR_URL."
    )


def rows(offers: Iterable[Offer], today: Day) -> list[dict[str, Any]]:
    """One row an offer and input that it sets: for a table that can be edited."""
    table = []
    for one in offers:
        flags = [f"retires {one.retires}"] * bool(one.retires) + ["old"] * (one.age(today) > old_days())
        for name, value in one.sets.items():
            low, high = value if isinstance(value, list) else (value, value)
            row = {"Use": False, "Offer": one.title, "Input": name, "Low": float(low), "High": float(high)}
            table.append(
                row | {"Note": ", ".join(flags), "Source": one.source, "Date": one.date, "Origin": one.origin()}
            )
    return table


ENDS: Final = ("Low", "High")


def shown(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row for a table's editor, its ends as text: a cell for numbers would refuse "1,000" and "1k"."""
    return {**row, **{end: numbers.shown(row[end]) for end in ENDS}}


def typed(row: Mapping[str, Any], cells: Mapping[str, Any]) -> dict[str, Any]:
    """The row with its ends as somebody typed them. Raises Problem on what is no number."""
    found = {end: numbers.read(str(cells[end]), row[end]) for end in ENDS}
    for end in ENDS:
        if found[end] is None:
            raise Problem(f"{row['Offer']}: '{one_line(str(cells[end]), 30)}' is not a number.")
    return {**row, **found}


def checked(one: Offer) -> Offer:
    """`one`, when it can be used. Raises Problem naming what is wrong."""
    numbers = [number for number in (one.input, one.output, one.cached, *(one.price or ())) if number is not None]
    if not all(0 <= number <= MAX_PRICE for number in numbers):
        raise Problem(f"{one.title}: a price must lie between 0 and {MAX_PRICE:,.0f} USD.")
    if one.kind not in KINDS:
        raise Problem(f"{one.title}: unknown kind '{one.kind}'. Kinds: {', '.join(KINDS)}.")
    if one.tuning not in TUNINGS:
        raise Problem(f"{one.title}: tuning must be 'hosted', 'weights' or empty, not '{one.tuning}'.")
    if one.kind == "model" and (one.input is None or one.output is None):
        raise Problem(f"{one.title}: a model needs an input and an output price.")
    if one.kind != "model" and (one.price is None or one.price[0] > one.price[1]):
        raise Problem(f"{one.title}: needs a price, low and high.")
    for text in (one.date, one.retires or one.date):
        day(text)
    return one


@cache
def _file() -> _File:
    return tomlfile.read(FILE, _File)
