"""Reads a TOML file of this repository into frozen dataclasses; a misspelt, unknown or missing key is a Problem.

The shape of a file is a dataclass, its type hints are the rules: str, int, float, bool, tuple[X, ...], dict[str, X],
X | None, Literal, Any, and dataclasses inside. Knows no file's meaning: what goes beyond form is the reader's to check.
"""

import difflib
import tomllib
import types
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from core.errors import Problem
from core.text import one_line

T = TypeVar("T")
WORDS = {str: "a text", bool: "true or false", int: "a whole number", float: "a number"}


def read(path: Path, shape: type[T]) -> T:
    """The file as one `shape`. Raises Problem naming file, place and key when it cannot be read or does not fit."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise Problem(f"{path.name} cannot be read ({error.strerror}); restore it from the repository.") from error
    except ValueError as error:
        raise Problem(f"{path.name} is not TOML: {error}.") from error
    return build(loads(text, path.name), shape, path.name)


def loads(text: str, where: str) -> dict[str, Any]:
    """TOML as plain values; `where` begins the message. Raises Problem."""
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise Problem(f"{where} is not TOML: {one_line(str(error), 200)}.") from error


def build(raw: Mapping[str, Any], shape: type[T], where: str) -> T:
    """A table as one `shape`; `where` begins every message. Raises Problem."""
    made: T = _table(raw, shape, where)
    return made


def _table(raw: Mapping[str, Any], shape: Any, where: str) -> Any:
    known = {field.name: field for field in fields(shape) if field.init}
    for key in raw:
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1)
            hint = f" Did you mean '{near[0]}'?" if near else f" Known: {', '.join(known)}."
            raise Problem(f"{where}: unknown key '{one_line(key, 40)}'.{hint}")
    for name, field in known.items():
        if name not in raw and field.default is MISSING and field.default_factory is MISSING:
            raise Problem(f"{where}: the key '{name}' is missing.")
    hints = _hints(shape)
    return shape(**{name: _value(value, hints[name], f"{where}, {name}") for name, value in raw.items()})


def _value(value: Any, hint: Any, where: str) -> Any:
    """`value` as `hint` wants it: lists become tuples, whole numbers floats, tables dataclasses."""
    if hint is Any:
        return value
    origin, inside = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):  # only X | None: TOML has no null, so None is just the default
        return _value(value, next(one for one in inside if one is not type(None)), where)
    if origin is tuple:
        return tuple(_value(one, each, f"{where}[{at}]") for at, (one, each) in enumerate(_pairs(value, inside, where)))
    if origin is dict or (is_dataclass(hint) and isinstance(hint, type)):
        if not isinstance(value, dict):
            raise Problem(f"{where}: must be a table, not {one_line(repr(value), 40)}.")
        if origin is dict:
            return {key: _value(one, inside[1], f"{where}.{key}") for key, one in value.items()}
        return _table(value, hint, f"{where} '{value['id']}'" if "id" in value else where)
    if origin is Literal:
        if value not in inside:
            raise Problem(f"{where}: must be one of {', '.join(map(str, inside))}, not {one_line(repr(value), 40)}.")
        return value
    number = hint is float and isinstance(value, int) and not isinstance(value, bool)
    if type(value) is not hint and not number:
        raise Problem(f"{where}: must be {WORDS[hint]}, not {one_line(repr(value), 40)}.")
    return float(value) if number else value


def _pairs(value: Any, inside: tuple[Any, ...], where: str) -> list[tuple[Any, Any]]:
    """Each item of a list beside its type: tuple[X, ...] has any number, tuple[X, Y] exactly two."""
    if not isinstance(value, list):
        raise Problem(f"{where}: must be a list, not {one_line(repr(value), 40)}.")
    if inside[1:] == (...,):
        return [(item, inside[0]) for item in value]
    if len(value) != len(inside):
        raise Problem(f"{where}: must have {len(inside)} items, not {len(value)}.")
    return list(zip(value, inside, strict=True))


@cache
def _hints(shape: Any) -> dict[str, Any]:
    return get_type_hints(shape)
