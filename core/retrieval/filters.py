"""Filters by folder and metadata, turned into SQL conditions. Knows no search."""

import re
from collections.abc import Iterable, Mapping

from core.errors import Problem
from core.retrieval.index import Where

Scalar = str | int | float
Filters = Mapping[str, Scalar]

_KEY = re.compile(r"[A-Za-z_][\w-]{0,40}")
_OPERATORS = {"==": "=", "!=": "<>", ">": ">", ">=": ">=", "<": "<", "<=": "<="}


def pairs(texts: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """Each "name=value" as (name, value). Raises Problem on one that is not written so."""
    found = []
    for text in texts:
        name, sign, value = (part.strip() for part in text.partition("="))
        if not sign or not _KEY.fullmatch(name):
            raise Problem(f"A metadata filter is written NAME=VALUE, not '{text.strip()[:60]}'.")
        found.append((name, value))
    return tuple(found)


def where(filters: Filters | None) -> Where:
    """Every pair must hold. "folder": the document lies in it or below; any other key: its metadata is equal."""
    return every([condition(key, "==", value) for key, value in (filters or {}).items()])


def condition(key: str, operator: str, value: Scalar | list[Scalar] | None) -> Where:
    """One comparison: ==, !=, >, >=, <, <=, in, nin. Raises Problem on what cannot be compared."""
    if not _KEY.fullmatch(key):
        raise Problem(f"'{key[:60]}' cannot be a metadata name: letters, digits, - and _ only.")
    if key == "folder" and isinstance(value, str) and operator in ("==", "!="):
        prefix = value.strip("/") + "/"
        inside = Where("substr(d.path, 1, ?) = ?", (len(prefix), prefix))
        return inside if operator == "==" else Where(f"NOT ({inside.sql})", inside.params)
    column = "d.path" if key == "document" else f"json_extract(v.metadata, '$.\"{key}\"')"
    if operator in _OPERATORS and isinstance(value, str | int | float):
        return Where(f"{column} {_OPERATORS[operator]} ?", (value,))
    if operator in ("in", "nin") and isinstance(value, list) and len(value) <= 500:
        marks = ", ".join("?" * len(value))
        return Where(f"{column} {'NOT ' * (operator == 'nin')}IN ({marks})", tuple(value))
    raise Problem(f"The filter {key} {operator} is not supported. Filters: {', '.join(_OPERATORS)}, in, nin.")


def every(parts: list[Where]) -> Where:
    """All of `parts`; none given means everything."""
    return _joined(parts, " AND ", "1")


def either(parts: list[Where]) -> Where:
    """At least one of `parts`."""
    return _joined(parts, " OR ", "0")


def _joined(parts: list[Where], sign: str, empty: str) -> Where:
    if not parts:
        return Where(empty)
    return Where(sign.join(f"({part.sql})" for part in parts), tuple(value for part in parts for value in part.params))
