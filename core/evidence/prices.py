"""Example prices to start from, each with source and date (prices.toml). Never live; knows no calculator."""

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Price:
    """One example offer: which inputs it sets (a value or [low, high]), from which source, of which date."""

    name: str
    source: str
    date: str
    sets: dict[str, Any]


@cache
def _raw() -> dict[str, Any]:
    return tomllib.loads((Path(__file__).resolve().parent / "prices.toml").read_text(encoding="utf-8"))


def note() -> str:
    """What to know before using any of them."""
    return str(_raw()["note"])


def load() -> list[Price]:
    """All offers, in the order of the file."""
    return [Price(**entry) for entry in _raw()["price"]]


def rows() -> list[dict[str, Any]]:
    """One row an offer and input: for a table that can be edited."""
    table = []
    for price in load():
        for name, value in price.sets.items():
            low, high = value if isinstance(value, list) else (value, value)
            row = {"Offer": price.name, "Input": name, "Low": float(low), "High": float(high)}
            table.append({"Use": False, **row, "Source": price.source, "Date": price.date})
    return table
