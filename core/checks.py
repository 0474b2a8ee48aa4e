"""A project's own rules for a reply: does it pass? Small pure functions; know no model, no question set and no screen.

Patterns and schemas are other people's: each is given a short time, and one that cannot be decided in it is not passed.
"""

import json
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

import jsonschema
import regex
from referencing import Registry
from referencing.exceptions import Unresolvable

from core.errors import Problem
from core.text import one_line

if TYPE_CHECKING:
    from core.project.values import Check

SECONDS: Final = 0.2  # for one pattern or one schema on one reply
LONGEST_PATTERN: Final = 2_000
LONGEST_SCHEMA: Final = 20_000
NUMBERS: Final = ("max-words", "max-ms")
LABELS: Final = "|"  # stands between the labels of a label check
_BASE: Final = jsonschema.Draft202012Validator


def outcomes(checks: "Iterable[Check]", reply: str, *, cls: str = "", total_ms: float | None = None) -> dict[str, bool]:
    """Name -> passed, of the checks that concern a reply to a question of class `cls`.

    A time check without a time, and one for other classes, is left out. `total_ms`: from the click to the last word.
    """
    found = {}
    for check in checks:
        if (not check.classes or cls in check.classes) and (check.kind != "max-ms" or total_ms is not None):
            found[check.name] = passes(check, reply, total_ms)
    return found


def passes(check: "Check", reply: str, total_ms: float | None = None) -> bool:
    """Whether a reply does what the check asks; one that cannot be decided in time does not, negated or not."""
    if check.kind == "max-ms":
        met = total_ms is not None and total_ms <= float(check.value)
    else:
        try:
            met = RULES[check.kind](check, reply)
        except TimeoutError:
            return False
    return met is not check.negated


def voice(reply: str, opening: str, closing: str = "") -> bool:
    """Whether a reply begins and ends so, with something said in between."""
    text = reply.strip()
    inside = len(text) > len(opening) + len(closing) + 1
    return inside and text.startswith(opening) and text.endswith(closing)


def contains(reply: str, words: str) -> bool:
    """Whether a text stands in the reply, whatever its case and spacing."""
    return " ".join(words.casefold().split()) in " ".join(reply.casefold().split())


def matches(reply: str, pattern: str, seconds: float = SECONDS) -> bool:
    """Whether a regular expression is found in the reply. Raises TimeoutError when that takes too long."""
    return bool(regex.search(pattern, reply, timeout=seconds))


def labelled(reply: str, labels: str) -> bool:
    """Whether the reply is one of the labels and nothing else, whatever its case, quotes and full stop."""
    said = reply.strip().strip("\"'`*.").casefold()
    return said in {label.strip().casefold() for label in labels.split(LABELS)}


def conforms(reply: str, schema: str, seconds: float = SECONDS) -> bool:
    """Whether the reply is one JSON document of this schema. Raises TimeoutError when that takes too long."""
    try:
        made = json.loads(reply.strip())
        return bool(_validator(json.loads(schema), time.monotonic() + seconds).is_valid(made))
    except (ValueError, RecursionError, regex.error, Unresolvable):  # nothing is fetched: no reference elsewhere is met
        return False


def brief(reply: str, words: str) -> bool:
    """Whether the reply has at most so many words."""
    return len(reply.split()) <= int(words)


RULES: Final[Mapping[str, "Callable[[Check, str], bool]"]] = {
    "voice": lambda check, reply: voice(reply, check.value, check.closing),
    "contains": lambda check, reply: contains(reply, check.value),
    "regex": lambda check, reply: matches(reply, check.value),
    "json-schema": lambda check, reply: conforms(reply, check.value),
    "label": lambda check, reply: labelled(reply, check.value),
    "max-words": lambda check, reply: brief(reply, check.value),
}


def usable(check: "Check") -> None:
    """Raises Problem, naming the check, when it could never decide anything."""
    name = one_line(check.name, 60)
    if not check.name.strip():
        raise Problem("A check needs a name.")
    if check.kind in NUMBERS:
        if not re.fullmatch(r"[0-9]{1,9}", check.value.strip()):
            raise Problem(f"The check '{name}' needs a whole number.")
    elif not check.value.strip():
        raise Problem(f"The check '{name}' needs a value.")
    elif check.kind == "regex":
        _usable_pattern(check.value, name)
    elif check.kind == "json-schema":
        _usable_schema(check.value, name)


def _usable_pattern(pattern: str, name: str) -> None:
    if len(pattern) > LONGEST_PATTERN:
        raise Problem(f"The pattern of the check '{name}' is longer than {LONGEST_PATTERN:,} characters. Shorten it.")
    try:
        regex.compile(pattern)
    except (regex.error, OverflowError, RecursionError) as error:
        raise Problem(f"The check '{name}' is no regular expression: {error}.") from error


def _usable_schema(schema: str, name: str) -> None:
    if len(schema) > LONGEST_SCHEMA:
        raise Problem(f"The schema of the check '{name}' is longer than {LONGEST_SCHEMA:,} characters. Shorten it.")
    try:
        read = json.loads(schema)
        _BASE.check_schema(read)
    except (ValueError, RecursionError) as error:
        raise Problem(f"The check '{name}' holds no JSON: {one_line(str(error), 120)}.") from error
    except jsonschema.SchemaError as error:
        raise Problem(f"The check '{name}' holds no JSON Schema: {one_line(error.message, 200)}.") from error


def _validator(schema: Any, until: float) -> Any:
    """A validator that fetches nothing, matches patterns by `regex`, and gives up at `until` (monotonic seconds)."""

    def left() -> float:
        if (rest := until - time.monotonic()) <= 0:
            raise TimeoutError
        return rest

    def pattern(_: Any, wanted: str, value: Any, __: Any) -> Iterator[jsonschema.ValidationError]:
        if isinstance(value, str) and not matches(value, wanted, left()):
            yield jsonschema.ValidationError("does not match")

    def by_pattern(validator: Any, wanted: Any, value: Any, _: Any) -> Iterator[jsonschema.ValidationError]:
        for expression, inside in wanted.items() if isinstance(value, dict) else ():
            for name, item in value.items():
                if matches(name, expression, left()):
                    yield from validator.descend(item, inside, path=name)

    def timed(rule: Any) -> Any:
        def checked(*given: Any) -> Any:
            left()
            return rule(*given)

        return checked

    rules = {name: timed(rule) for name, rule in _BASE.VALIDATORS.items()}
    rules |= {"pattern": pattern, "patternProperties": by_pattern}
    return jsonschema.validators.extend(_BASE, rules)(schema, registry=Registry())
