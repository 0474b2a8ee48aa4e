"""A number as people type and paste it: "12k", "12.000", "1,000", "1 000", "1.5M", "$0,40". One reader for all fields.

A comma before three digits separates thousands, before one or two decimals. A point before three digits can mean
either ("12.000"): then what lies nearer to a value that is expected there counts, and thousands where nothing is
expected. Knows no field and no limit.
"""

import math
import re
from typing import Final

SIZES: Final = {
    "": 1.0, "k": 1e3, "thousand": 1e3, "m": 1e6, "mn": 1e6, "mio": 1e6, "million": 1e6,
    "g": 1e9, "b": 1e9, "bn": 1e9, "billion": 1e9,
}  # fmt: skip
_WRITTEN: Final = re.compile(
    r"([+-]?)\s*[$€£]?\s*(\d[\d.,' \u00a0\u2009\u202f’]*?)\s*([a-z]*)\s*[%$€£]?", re.IGNORECASE | re.ASCII
)
_SPACES: Final = re.compile(r"(?<=\d)[ \u00a0\u2009\u202f'’](?=\d{3}(?!\d))")
_THOUSANDS: Final = re.compile(r"\d{1,3}(?:(?P<mark>[.,])\d{3})(?:(?P=mark)\d{3})*")
_POWER: Final = re.compile(r"[+-]?\d+(?:\.\d+)?e[+-]?\d{1,2}", re.IGNORECASE)


def read(text: str, near: float | None = None) -> float | None:
    """The number a text says, None where it says none. `near`: about how large it is expected to be."""
    text = text.strip()
    if _POWER.fullmatch(text):
        return float(text)
    found = _WRITTEN.fullmatch(text)
    if found is None or found[3].lower() not in SIZES:
        return None
    size = SIZES[found[3].lower()] * (-1 if found[1] == "-" else 1)
    values = [value * size for value in digits(found[2])]
    if not values or not all(map(math.isfinite, values)):
        return None
    return values[0] if near is None or not near else min(values, key=lambda value: _apart(value, near))


def shown(value: float) -> str:
    """A number as it is read again: '12,000', '0.4'."""
    return f"{value:,.10g}" if 1e-4 <= abs(value) < 1e15 or not value else f"{value:.10g}"


def digits(text: str) -> list[float]:
    """What digits with points, commas and spaces can mean, the likeliest first; nothing where they are no number."""
    plain = _SPACES.sub("", text)
    if re.search(r"[^\d.,]", plain):
        return []
    whole = _THOUSANDS.fullmatch(plain)
    if whole and plain[0] != "0":
        thousands = float(re.sub(r"[.,]", "", plain))
        return [thousands, float(plain)] if re.fullmatch(r"\d+\.\d+", plain) else [thousands]
    if re.fullmatch(r"\d+(?:\.\d*)?", plain):
        return [float(plain)]
    if re.fullmatch(r"\d+,\d{1,2}|0,\d+", plain):
        return [float(plain.replace(",", "."))]
    whole_part, mark, rest = plain.rpartition("." if plain.rfind(".") > plain.rfind(",") else ",")
    other = {".": ",", ",": "."}[mark]
    if (grouped := _THOUSANDS.fullmatch(whole_part)) and grouped["mark"] == other and rest.isdigit():
        return [float(re.sub(r"[.,]", "", whole_part) + "." + rest)]
    return []


def _apart(value: float, near: float) -> float:
    """How many times larger or smaller one is than the other, as a logarithm."""
    return abs(math.log(abs(value) / abs(near))) if value and near else math.inf
