"""Text as words and quantities, for comparing answers. Knows units and number words; knows no question.

"$1,200", "1200 dollars" and "USD 1200" are one quantity, "$34" and "$340" are two. Durations, masses, sizes and clock
times are brought to one unit each: 90 minutes is 1.5 hours, 18:30 is 6.30 pm, noon 12:00. Version numbers stay whole.
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

_SMALL: Final = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
)
_TENS: Final = "twenty thirty forty fifty sixty seventy eighty ninety"
_WORDS: Final = {word: value for value, word in enumerate(_SMALL.split())} | {
    word: value * 10 for value, word in enumerate(_TENS.split(), 2)
}
_TWO_WORDS: Final = re.compile(rf"\b({'|'.join(_TENS.split())})[\s-]({'|'.join(_SMALL.split())})\b")
_ONE_WORD: Final = re.compile(rf"\b({'|'.join((*_TENS.split(), *_SMALL.split()))})\b")
_ORDINALS: Final = {
    "1st": "first", "2nd": "second", "3rd": "third", "4th": "fourth", "5th": "fifth", "6th": "sixth", "7th": "seventh",
    "8th": "eighth", "9th": "ninth", "10th": "tenth", "11th": "eleventh", "12th": "twelfth",
}  # fmt: skip
_ORDINAL: Final = re.compile(rf"\b({'|'.join(_ORDINALS)})\b")
_NUMBER: Final = r"(?:\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:[.,]\d{1,2}(?!\d)|\.\d+)?)"
# unit as written -> (unit that is compared, factor)
_UNITS: Final[dict[str, tuple[str, float]]] = {
    **dict.fromkeys(("$", "dollar", "dollars", "bucks", "usd", "us$"), ("$", 1.0)),
    **dict.fromkeys(("€", "euro", "euros", "eur"), ("€", 1.0)),
    **dict.fromkeys(("£", "gbp", "quid"), ("£", 1.0)),
    **dict.fromkeys(("%", "percent", "per cent", "pct"), ("%", 1.0)),
    **dict.fromkeys(("kg", "kgs", "kilo", "kilos", "kilogram", "kilograms"), ("kg", 1.0)),
    **dict.fromkeys(("g", "gram", "grams"), ("kg", 0.001)),
    **dict.fromkeys(("lb", "lbs", "pound", "pounds"), ("lb", 1.0)),
    **dict.fromkeys(("nanosecond", "nanoseconds", "ns"), ("minutes", 1e-9 / 60)),
    **dict.fromkeys(("microsecond", "microseconds", "μs", "us"), ("minutes", 1e-6 / 60)),
    **dict.fromkeys(("millisecond", "milliseconds", "msec", "ms"), ("minutes", 1e-3 / 60)),
    **dict.fromkeys(("second", "seconds", "sec", "secs", "s"), ("minutes", 1.0 / 60)),
    **dict.fromkeys(("minute", "minutes", "min", "mins"), ("minutes", 1.0)),
    **dict.fromkeys(("hour", "hours", "hr", "hrs", "h"), ("minutes", 60.0)),
    **dict.fromkeys(("day", "days"), ("days", 1.0)),
    **dict.fromkeys(("week", "weeks"), ("days", 7.0)),
    **dict.fromkeys(("month", "months"), ("months", 1.0)),
    **dict.fromkeys(("byte", "bytes"), ("bytes", 1.0)),
    **{f"{prefix}b": ("bytes", 1000.0**power) for power, prefix in enumerate("kmgt", 1)},
    **{f"{prefix}ib": ("bytes", 1024.0**power) for power, prefix in enumerate("kmgt", 1)},
    **dict.fromkeys(("year", "years", "yr", "yrs"), ("months", 12.0)),
}
_WRITTEN: Final = sorted((unit for unit in _UNITS if unit not in ("us$", "s")), key=len, reverse=True)
_AFTER: Final = "|".join((*map(re.escape, _WRITTEN), r"(?<!\d\d\d\d)s"))  # "the 1980s" are no seconds
# Names that hold a word of an answer without being it: model_aliases.json, max_tokens, 1920x1080, /volume1/backup.
_ENDINGS: Final = (
    "cfg com csv css dev exe gguf gz html ini io ipynb js json log md net org pdf py rst sh sql sqlite toml ts txt xml "
    "yaml yml zip"
)
_TOKEN: Final = re.compile(
    rf"""
    (?P<version>(?<![\w.])v?\d+(?:\.\d+){{2,}}(?!\w)|(?<![\w.])v\d+(?:\.\d+)+(?!\w))
    | (?P<name>(?<!\w)(?:[a-z][\w-]*_\w+(?:\.\w+)*|[\w-]+(?:\.\w+)*\.(?:{"|".join(_ENDINGS.split())})|\d+x\d+)(?!\w))
    | (?P<path>(?<!\w)(?:/[\w.-]*\w){{2,}})
    | (?P<half>(?<![\w.,])(?P<hour12>\d{{1,2}})(?:[:.h](?P<minute12>\d{{2}}))?\s*(?P<part>[ap]\.?\s?m\b\.?))
    | (?P<short>(?<![\w.,])(?P<hour>\d{{1,2}}):(?P<minute>\d{{2}})(?P<letter>[ap])(?![^\W_]))
    | (?P<clock>(?<![\w.,:])(?P<hour24>\d{{1,2}})(?::|h)(?P<minute24>\d{{2}})(?![\d:]))
    | (?P<before>(?:us\$|[$€£]|(?<!\w)(?:usd|eur|gbp))\s*(?P<amount>{_NUMBER})(?![\d]))
    | (?P<after>(?<![\w.,])(?P<number>{_NUMBER})(?:[\s-]*(?P<unit>{_AFTER})(?![^\W_]))?(?![^\W_]))
    | (?P<word>[^\W_]+(?:['’][^\W_]+)*)
    """,
    re.VERBOSE,
)
_HOW_MANY: Final = re.compile(rf"\bhow many (?:[\w-]+ ){{0,3}}?({_AFTER})\b")
# Units that a question can name alone; shorter ones are also words ("tell us", "9 s", "the second", "a pound of").
_SINGLE: Final = "dollar usd euro eur gbp percent kg kilo kilogram gram lb minute hour day week month year byte"
_NAMED: Final = frozenset(_SINGLE.split())
_CITATION: Final = re.compile(r"\[\d{1,3}\]")
KEPT: Final = 512  # texts: those of the questions at hand; a passage of 160 tokens takes some 10 kB


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number with the unit it is compared in ("" for a bare number) and the number as it was written."""

    value: float
    unit: str
    written: float


Token = str | Quantity


@lru_cache(maxsize=KEPT)
def tokens(text: str) -> tuple[Token, ...]:
    """The words (lower case, no accents, no plural s), identifiers (whole) and quantities of a text, in order.

    Citations are left out, and a name's "'s". The latest texts are kept: a reply is looked at by several rules, a
    passage by several arms.
    """
    made: list[Token] = []
    for match in _TOKEN.finditer(_plain(text)):
        if match["version"]:
            made.append(match["version"].removeprefix("v"))
        elif match["name"] or match["path"]:
            made.append(match["name"] or match["path"])
        elif match["half"]:
            hour = int(match["hour12"]) % 12 + (12 if match["part"].startswith("p") else 0)
            made.append(_clock(hour, int(match["minute12"] or 0)))
        elif match["short"]:  # 1:30p
            made.append(_clock(int(match["hour"]) % 12 + 12 * (match["letter"] == "p"), int(match["minute"])))
        elif match["clock"]:
            made.append(_clock(int(match["hour24"]), int(match["minute24"])))
        elif match["before"]:
            sign = match["before"][: match.start("amount") - match.start("before")].strip()
            made.append(_quantity(match["amount"], sign))
        elif match["after"]:
            made.append(_quantity(match["number"], match["unit"] or ""))
        else:
            made.append(_stem(match["word"].replace("’", "'").removesuffix("'s")))
    return tuple(made)


def in_unit(said: list[Quantity], question: str) -> list[Quantity]:
    """The quantities of a reply; where the only number is bare and the question names one unit, it is in that unit.

    "How many hours", "in weeks", "kilos on the scale"; "within 3 days" names a quantity, and so no unit.
    """
    unit = _asked_unit(question)
    if not unit or any(one.unit for one in said) or len({one.written for one in said}) != 1:
        return said
    return [_quantity(f"{one.written:.10g}", unit) for one in said]


def _asked_unit(question: str) -> str:
    if asked := _HOW_MANY.search(question.lower()):
        return asked[1]
    named = [word for word in tokens(question) if isinstance(word, str) and word in _NAMED]
    return named[0] if len({_UNITS[word] for word in named}) == 1 else ""


def _plain(text: str) -> str:
    """Lower case, accents dropped, citations out, number words as digits, "1st" as "first"."""
    flat = unicodedata.normalize("NFKD", _CITATION.sub(" ", text))
    if not flat.isascii():
        flat = "".join(letter for letter in flat if not unicodedata.combining(letter))
    flat = flat.lower()
    flat = re.sub(r"\b(?:(?:12 )?noon|midday|mid-day)\b", "12:00", flat)
    flat = re.sub(r"\bmidnight\b", "0:00", flat)
    flat = _TWO_WORDS.sub(lambda found: str(_WORDS[found.group(1)] + _WORDS[found.group(2)]), flat)
    flat = re.sub(r"\b(?:an?|one)\s+(hundred|thousand)\b", lambda m: "100" if m.group(1) == "hundred" else "1000", flat)
    flat = re.sub(r"\bhundred\b", "100", flat)
    flat = re.sub(r"\bone\s+(?=of\b)", " ", flat)  # "one of our shops" counts nothing
    flat = _ORDINAL.sub(lambda found: _ORDINALS[found.group()], flat)
    return _ONE_WORD.sub(lambda found: str(_WORDS[found.group(1)]), flat)


def _clock(hour: int, minute: int) -> Quantity:
    return Quantity(hour * 60.0 + minute, "clock", hour + minute / 100)


def _quantity(number: str, unit: str) -> Quantity:
    if re.fullmatch(r"\d+,\d{1,2}", number):
        number = number.replace(",", ".")  # a decimal comma
    written = float(number.replace(",", ""))
    name, factor = _UNITS.get(unit, ("", 1.0))
    return Quantity(float(f"{written * factor:.10g}"), name, written)  # so that 90 s is 1.5 minutes


def _stem(word: str) -> str:
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word
