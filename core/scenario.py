"""One scenario as JSON and as a link: the form that calculator, advisor and playground share.

A scenario is `{"version": 3, "calculator": {...}, "advisor": {...}, "playground": {...}}`. Every section holds only
what differs from its owner's defaults, so the link (`?s=...`) stays short; absent means default. This module knows the
envelope (version, sections, size) and nothing of what a section means: its owner checks it.
"""

import base64
import binascii
import json
import zlib
from collections.abc import Mapping
from typing import Any

from core.errors import Problem
from core.text import one_line

VERSION = 3  # raise it whenever a default changes: an old link then says that it is old
CHANGES = {  # version -> what an older scenario did not mean
    2: "time to launch follows from hours and people",
    3: "the prices to start from are a model's that can be tuned today; the former one's fine-tunes are shut down",
}
SECTIONS = ("calculator", "advisor", "playground", "decision")
PARAMETER = "s"

MAX_LINK = 16_000  # characters; browsers and proxies cut links not far above
MAX_BYTES = 256_000  # of JSON after decompression; a real scenario has under 5,000
MAX_DEPTH = 12
MAX_NUMBER = 1e300


def encode(scenario: Mapping[str, Any]) -> str:
    """The link's text for `scenario`: canonical JSON without empty sections, deflated, base64url without padding.

    Raises Problem when the scenario is too big for a link (save it as a file instead) or holds what JSON cannot.
    """
    text = dumps(scenario, indent=None)
    link = base64.urlsafe_b64encode(zlib.compress(text.encode(), 9)).decode().rstrip("=")
    if len(link) > MAX_LINK:
        raise Problem(f"The scenario is too big for a link ({len(link):,} characters). Save it as a file instead.")
    return link


def decode(text: str) -> tuple[dict[str, Any], list[str]]:
    """The scenario in a link, and notes on what could not be kept; never raises, never grows past MAX_BYTES."""
    if not text:
        return empty(), []
    if len(text) > MAX_LINK:
        return empty(), [f"link: longer than {MAX_LINK:,} characters, so it was not read; the defaults are shown."]
    try:
        packed = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        unpacker = zlib.decompressobj()
        raw = unpacker.decompress(packed, MAX_BYTES + 1)
    except (binascii.Error, ValueError, zlib.error):
        return empty(), ["link: damaged or incomplete, so it was not read; the defaults are shown."]
    if len(raw) > MAX_BYTES:
        return empty(), [f"link: unpacks to more than {MAX_BYTES:,} bytes, so it was not read; the defaults are shown."]
    if not unpacker.eof:
        return empty(), ["link: incomplete, so it was not read; the defaults are shown."]
    return loads(raw, "link")


def dumps(scenario: Mapping[str, Any], indent: int | None = 1) -> str:
    """`scenario` as JSON with sorted keys, its version stated, empty sections left out. Raises Problem."""
    kept = {name: scenario[name] for name in SECTIONS if scenario.get(name)}
    separators = (",", ":") if indent is None else None
    try:
        return json.dumps(
            {"version": VERSION, **kept}, sort_keys=True, allow_nan=False, indent=indent, separators=separators
        )
    except (TypeError, ValueError) as error:
        raise Problem(f"The scenario cannot be written as JSON: {error}.") from error


def loads(data: bytes | str, origin: str = "scenario", *, as_stated: bool = False) -> tuple[dict[str, Any], list[str]]:
    """The scenario in `data` (a saved file, or an unpacked link) and notes on what was left out; never raises.

    `origin` names the source in the notes. `as_stated`: a whole number for version stays, for one that is handed on and
    must go on saying that its defaults are older. What is no section is dropped; what a section holds is its owner's
    to check.
    """
    if len(data) > MAX_BYTES:
        return empty(), [f"{origin}: more than {MAX_BYTES:,} bytes, so it was not read; the defaults are shown."]
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        return empty(), [f"{origin}: not a scenario in JSON, so it was not read; the defaults are shown."]
    if not isinstance(value, dict):
        return empty(), [f"{origin}: a scenario is a JSON object, this is not one; the defaults are shown."]
    notes: list[str] = []
    version = value.pop("version", None)
    if version != VERSION or isinstance(version, bool):
        made = one_line(str(version), 20) if isinstance(version, int | float | str) else "not stated"
        notes.append(
            f"version: the {origin} is of version {made}, this app is of version {VERSION}; "
            f"what both know is kept, and a default may have changed since{_since(version)}."
        )
    kept = empty()
    if as_stated and isinstance(version, int) and not isinstance(version, bool):
        kept["version"] = version
    for name, section in value.items():
        if name not in SECTIONS:
            notes.append(f"{one_line(str(name), 40)}: no such section (known: {', '.join(SECTIONS)}); left out.")
        elif not isinstance(section, dict):
            notes.append(f"{name}: a section must be a JSON object; left out.")
        else:
            kept[name] = _cleaned(section, name, notes)
    return kept, notes


def empty() -> dict[str, Any]:
    """The scenario in which everything is at its default."""
    return {"version": VERSION}


def _since(version: Any) -> str:
    """What changed since an older version: ': in version 3 …'; '' for one that is not known."""
    if isinstance(version, bool) or version not in range(1, VERSION):
        return ""
    return ": " + "; ".join(f"in version {at} {text}" for at, text in CHANGES.items() if at > version)


_DROP = object()


def _cleaned(value: Any, path: str, notes: list[str], depth: int = MAX_DEPTH) -> Any:
    """`value` without numbers no one can use and without what lies too deep; each thing left out gets its note."""
    if isinstance(value, int | float) and not abs(value) <= MAX_NUMBER:  # NaN too; math.isfinite ends at long integers
        notes.append(f"{one_line(path, 80)}: not a usable number; left out.")
        return _DROP
    if isinstance(value, str):
        return _text(value)
    if not isinstance(value, dict | list):
        return value
    if depth == 0:
        notes.append(f"{one_line(path, 80)}: nested more than {MAX_DEPTH} deep; left out.")
        return _DROP
    if isinstance(value, list):
        items = [_cleaned(item, f"{path}[{at}]", notes, depth - 1) for at, item in enumerate(value)]
        return _DROP if any(item is _DROP for item in items) else items
    pairs = {_text(name): _cleaned(item, f"{path}.{name}", notes, depth - 1) for name, item in value.items()}
    return {name: item for name, item in pairs.items() if item is not _DROP}


def _text(text: str) -> str:
    """`text` without halves of surrogate pairs: JSON can hold them, no page and no file can."""
    return text.encode("utf-8", "replace").decode("utf-8")
