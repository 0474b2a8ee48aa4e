"""The user's own price lists: read from llm-prices' public JSON or a CSV, kept in the state folder, the old ones too.

A list is untrusted text: bounded, checked, never run. Knows the catalogue (prices.py), no page and no calculator.
"""

import csv
import io
import json
import math
import os
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from core import paths
from core.errors import Problem
from core.evidence import prices
from core.evidence.prices import Offer
from core.text import one_line
from core.tomlfile import build

MAX_BYTES = 5_000_000
MAX_OFFERS = 5_000
TIMEOUT_S = 20
COLUMNS = "id, input, output (and cached, kind, price, vendor, name, date, source, retires, tuning, note)"


@dataclass(frozen=True)
class Difference:
    """One offer that a new list adds or changes; `before` is empty when it was not known."""

    id: str
    before: str
    after: str


@dataclass(frozen=True)
class Changes:
    """What a new list does to the catalogue. `older`: ids whose known price is of a later date and stays."""

    changed: tuple[Difference, ...]
    same: int
    older: tuple[str, ...]


def fetch(place: str) -> bytes:
    """The bytes of a file or an https address, at most MAX_BYTES. Raises Problem."""
    if "://" in place:
        return _download(place)
    try:
        with Path(place).expanduser().open("rb") as stream:
            return _bounded(stream.read(MAX_BYTES + 1), place)
    except OSError as error:
        raise Problem(f"{one_line(place, 200)} cannot be read ({error.strerror}).") from error


def read(data: bytes, origin: str, today: date) -> tuple[list[Offer], list[str]]:
    """The offers in llm-prices' JSON or a CSV, and a note on every line that cannot be used.

    `origin` becomes the source of rows that name none, `today` the date of undated CSV rows. Raises Problem when
    nothing can be used.
    """
    try:
        text = _bounded(data, origin).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Problem(f"{one_line(origin, 200)} is not text in UTF-8.") from error
    rows = _json_rows(text, origin, today) if text.lstrip()[:1] in ("{", "[") else _csv_rows(text, origin, today)
    found: dict[str, Offer] = {}
    notes = []
    for at, row in enumerate(rows, 1):
        try:
            one = _offer(row)
            twice = words(found.setdefault(one.id, one)) != words(one)
            if twice and not row.get("from_date"):  # of a history the latest start counts
                notes.append(f"entry {at}: {one.id} stands there twice; {words(found[one.id])} is taken.")
        except Problem as problem:
            notes.append(f"entry {at}: {problem.message}")
    if not found:
        raise Problem(f"{one_line(origin, 200)} holds no price that can be used. {notes[0] if notes else ''}".strip())
    return list(found.values()), notes


def changes(known: Mapping[str, Offer], offers: Sequence[Offer]) -> Changes:
    """What `offers` would change in the catalogue `known`."""
    changed, same, older = [], 0, []
    for one in offers:
        before = known.get(one.id)
        if before is not None and prices.day(one.date) < prices.day(before.date):
            older.append(one.id)
        elif before is not None and words(before) == words(prices.over(before, one)):
            same += 1
        else:
            changed.append(Difference(one.id, words(before) if before else "", words(one)))
    return Changes(tuple(changed), same, tuple(older))


def words(one: Offer) -> str:
    """An offer's prices as a person reads them."""
    if one.kind == "model":
        cached = f", cached {one.cached:g}" if one.cached is not None else ""
        return f"{one.input:g} in, {one.output:g} out{cached}"
    low, high = one.price or (0.0, 0.0)
    return f"{low:g}" if low == high else f"{low:g} to {high:g}"


def keep(offers: Sequence[Offer], origin: str, today: date) -> Path:
    """Write a list beside the earlier ones; gives its file. Raises Problem."""
    folder = _folder()
    number = max((int(file.stem) for file in _files(folder)), default=0) + 1
    kept = {
        "origin": one_line(origin, 300),
        "read": today.isoformat(),
        "offers": [_without_empty(one) for one in offers],
    }
    file, draft = folder / f"{number:04d}.json", folder / f".{number:04d}.{os.getpid()}"
    try:
        draft.write_text(json.dumps(kept, ensure_ascii=False, indent=0), encoding="utf-8")
        draft.replace(file)
    except OSError as error:
        raise Problem(f"The price list cannot be kept in {folder} ({error.strerror}).") from error
    return file


def kept() -> list[list[Offer]]:
    """All lists kept so far, the oldest first. Raises Problem on one that was damaged."""
    return [list(_read_kept(file, file.stat().st_mtime_ns)) for file in _files(_folder())]


def catalogue() -> dict[str, Offer]:
    """What is known today: the shipped offers and every list kept over them."""
    return prices.catalogue(kept())


def history(offer: str) -> list[Offer]:
    """Every price known of one id, the oldest first."""
    lists = [list(prices.shipped().values()), *kept()]
    return sorted((one for offers in lists for one in offers if one.id == offer), key=lambda one: one.date)


def _download(address: str) -> bytes:
    if urlsplit(address).scheme != "https":
        raise Problem("A price list is only read from https:// addresses or files.")
    try:
        with urllib.request.urlopen(address, timeout=TIMEOUT_S) as answer:
            if urlsplit(answer.url).scheme != "https":
                raise Problem("The address leads away from https, so it was not read.")
            return _bounded(answer.read(MAX_BYTES + 1), address)
    except (urllib.error.URLError, OSError, ValueError) as error:
        reason = getattr(error, "reason", error)
        raise Problem(f"{one_line(address, 200)} cannot be read ({one_line(str(reason), 200)}).") from error


def _bounded(data: bytes, origin: str) -> bytes:
    if len(data) > MAX_BYTES:
        raise Problem(f"{one_line(origin, 200)} is larger than {MAX_BYTES // 1_000_000} MB: not a price list.")
    return data


def _json_rows(text: str, origin: str, today: date) -> list[dict[str, Any]]:
    """llm-prices' current-v1.json, dated by its `updated_at`, or what holds today of its historical-v1.json."""
    try:
        raw = json.loads(text)
        rows = [dict(entry) for entry in raw["prices"] if _holds(entry, today.isoformat())]
        rows.sort(key=lambda entry: str(entry.get("from_date") or ""), reverse=True)  # the latest start counts
        read_on = str(raw.get("updated_at") or today.isoformat())[:10]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise Problem(
            f"{one_line(origin, 200)} is not llm-prices' JSON: an object with 'updated_at' and a list 'prices'."
        ) from error
    for row in rows:
        row |= {"date": read_on, "cached": row.pop("input_cached", None), "source": origin}
    return rows[:MAX_OFFERS]


def _holds(entry: Mapping[str, Any], today: str) -> bool:
    """Whether a price is valid on `today`: from its `from_date` on, up to but not including its `to_date`."""
    return str(entry.get("from_date") or "") <= today < str(entry.get("to_date") or "9999")


def _csv_rows(text: str, origin: str, today: date) -> list[dict[str, Any]]:
    reader = csv.DictReader(io.StringIO(text), skipinitialspace=True)
    try:
        names = [name.strip().lower() for name in reader.fieldnames or ()]
        reader.fieldnames = names
        rows = [row for row, _ in zip(reader, range(MAX_OFFERS), strict=False)]
    except csv.Error as error:
        raise Problem(f"{one_line(origin, 200)} is not a CSV: {error}.") from error
    if "id" not in names:
        raise Problem(f"{one_line(origin, 200)} is neither llm-prices' JSON nor a CSV with columns {COLUMNS}.")
    return [
        {**row, "source": row.get("source") or origin, "date": row.get("date") or today.isoformat()} for row in rows
    ]


def _offer(row: Mapping[str, Any]) -> Offer:
    said = {name: value for name, value in row.items() if value not in (None, "")}
    texts = ("id", "kind", "vendor", "name", "date", "source", "retires", "tuning", "note")
    made: dict[str, Any] = {name: one_line(str(said[name]), 120).strip() for name in texts if name in said}
    if not made.get("id"):
        raise Problem("it has no id.")
    for name in ("input", "output", "cached"):
        if name in said:
            made[name] = _number(said[name], f"{made['id']}, {name}")
    if "price" in said:
        low, _, high = str(said["price"]).partition("..")
        made["price"] = (_number(low, made["id"]), _number(high or low, made["id"]))
    return prices.checked(Offer(**{"kind": "model", "date": "", **made}))


def _number(value: Any, where: str) -> float:
    try:
        number = math.nan if isinstance(value, bool) else float(str(value).strip().lstrip("$"))
    except (ValueError, OverflowError):
        number = math.nan
    if not math.isfinite(number):
        raise Problem(f"{where}: '{one_line(str(value), 40)}' is not a number.")
    return number


def _folder() -> Path:
    folder = paths.state_dir() / "prices"
    folder.mkdir(exist_ok=True)
    return folder


def _files(folder: Path) -> list[Path]:
    return sorted(file for file in folder.glob("*.json") if file.stem.isdigit())


def _without_empty(one: Offer) -> dict[str, Any]:
    return {name: value for name, value in asdict(one).items() if value not in (None, "", {})}


@lru_cache(maxsize=64)
def _read_kept(file: Path, changed: int) -> tuple[Offer, ...]:
    """One kept list; `changed` makes the memory forget a file that was written anew."""
    try:
        raw = json.loads(file.read_text(encoding="utf-8"))
        return tuple(prices.checked(build(one, Offer, file.name)) for one in raw["offers"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Problem(f"The price list {file} is damaged; delete it and read it in again.") from error
