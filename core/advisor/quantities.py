"""Numbers in a description with what they count, and how often things happen. Knows no question of the advisor."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from core.advisor.words import Word, after, stem

DIGITS = re.compile(r"(\d[\d.,]*)([a-z]*)$")
SUFFIX = {"": 1.0, "k": 1e3, "m": 1e6, "bn": 1e9, "mn": 1e6}
SCALES = {"hundred": 100.0, "thousand": 1e3, "million": 1e6, "billion": 1e9, "dozen": 12.0}
VAGUE = {
    "dozens": 24.0,
    "hundreds": 300.0,
    "thousands": 3e3,
    "millions": 3e6,
    "several": 4.0,
    "few": 3.0,
    "couple": 2.0,
}
VAGUE |= {"handful": 5.0, "tens": 30.0, "many": 30.0}
SMALL = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen"
)
NUMBERS = {word: float(value) for value, word in enumerate(SMALL.split())}
NUMBERS |= {"eighteen": 18.0, "nineteen": 19.0, "twenty": 20.0, "thirty": 30.0, "forty": 40.0, "fifty": 50.0}
NUMBERS |= {"sixty": 60.0, "seventy": 70.0, "eighty": 80.0, "ninety": 90.0, "single": 1.0, "half": 0.5}
MONTHLY = {
    "second": 2.6e6,
    "minute": 43_800.0,
    "hour": 730.0,
    "day": 30.4,
    "night": 30.4,
    "morning": 30.4,
    "evening": 30.4,
}
MONTHLY |= {
    "week": 4.35,
    "weekend": 4.35,
    "fortnight": 2.2,
    "month": 1.0,
    "quarter": 1 / 3,
    "season": 1 / 6,
    "year": 1 / 12,
}
NAMED = "january february march april june july august september october november december"  # "may" is a verb too
MONTHLY |= dict.fromkeys(NAMED.split(), 1 / 12)
ADVERBS = {"hourly": 730.0, "daily": 30.4, "nightly": 30.4, "overnight": 30.4, "weekly": 4.35, "fortnightly": 2.2}
ADVERBS |= {"monthly": 1.0, "quarterly": 1 / 3, "yearly": 1 / 12, "annually": 1 / 12, "annual": 1 / 12}
STOPS = {"in", "for", "on", "to", "with", "at", "by", "from", "and", "or", "that", "which", "who", "must", "is", "are"}
ASKED = "ask asks asking send sends sending make makes making write writes writing with"
ASK = frozenset(ASKED.split())
LARGEST = 1e15
LOOK = 5  # words after a number among which its unit is sought


@dataclass(frozen=True)
class Quantity:
    """A number (or a range) of something. `per_month`: times a month when a period follows, else 0.

    `kind`: the unit's class, or 'thing' for a noun that no class has. `exact`: written as a number, not as "hundreds".
    """

    low: float
    high: float
    kind: str
    noun: str
    per_month: float
    exact: bool
    first: int
    last: int


@dataclass(frozen=True)
class Rate:
    """How often something happens, in times a month; words from `first` to `last`."""

    per_month: float
    first: int
    last: int


def quantities(words: Sequence[Word], units: Mapping[str, frozenset[str]]) -> list[Quantity]:
    """Every number with its unit. `units`: stems by class, the first class that has a noun wins."""
    found: list[Quantity] = []
    at = 0
    while at < len(words):
        made = _quantity(words, at, units)
        if made:
            found.append(made)
            at = made.last
        at += 1
    return found


def per_head(each: Quantity, words: Sequence[Word], people: frozenset[str]) -> bool:
    """Whether a rate is that of one person, not of all: "each asking 15 a day", "15 questions a day per lawyer".

    `people`: stems of nouns for people.
    """
    for at in range(max(0, each.first - 7), each.first):
        follows = words[at + 1]
        asked = at + 1 == each.first or follows.text == "of" or follows.text in ASK or follows.stem in people
        if words[at].text == "each" and asked and words[at].sentence == words[each.first].sentence:
            return True
    span = [*words[each.first : each.last + 1]] + [word for _, word in after(words, each.last, 3)]
    pairs = list(zip(span, [*span[1:], None], strict=True))
    return any(
        (word.text in ("each", "apiece") and (behind is None or behind.stem not in MONTHLY))
        or (word.text in ("per", "a", "every") and behind is not None and behind.stem in people | {"head"})
        for word, behind in pairs
    )


def rates(words: Sequence[Word]) -> Iterator[Rate]:
    """Every "every other week", "twice a day", "monthly", "from week to week", "a few times a year"."""
    for at, word in enumerate(words):
        if word.text in ADVERBS:
            yield Rate(ADVERBS[word.text], at, at)
        elif word.text in ("every", "each"):
            yield from _every(words, at)
        elif word.text in ("once", "twice", "times", "time"):
            yield from _times(words, at)
        elif word.text == "from":
            nearby = [each for _, each in after(words, at, 3)]
            if len(nearby) == 3 and nearby[0].stem == nearby[2].stem in MONTHLY and nearby[1].text == "to":
                yield Rate(MONTHLY[nearby[0].stem], at, at + 3)
        elif word.text == "by" and (period := _period(words, at + 1, articles=True)):
            yield Rate(period[0], at, period[1])


def number(words: Sequence[Word], at: int) -> tuple[float, int, bool] | None:
    """The number that begins at a place: value, place of its last word, whether it is exact. None when none does."""
    first = words[at].text
    if match := DIGITS.match(first):
        digits = _digits(match[1])
        if match[2] not in SUFFIX or digits is None:
            return None
        value, exact = digits * SUFFIX[match[2]], True
    elif first in NUMBERS:
        value, exact = NUMBERS[first], first not in ("half", "single")
    elif first in VAGUE or (first in SCALES and at and words[at - 1].text in ("a", "the")):
        value, exact = VAGUE.get(first) or SCALES[first], False
    else:
        return None
    last = at
    for place, word in after(words, at, 5):
        if word.text in SCALES:
            value *= SCALES[word.text]
        elif word.text in VAGUE and VAGUE[word.text] >= 300:
            value *= {"hundreds": 100.0, "thousands": 1e3, "millions": 1e6}.get(word.text, 1.0)
        elif not (word.text in ("of", "a") and place == last + 1 and (not exact or first == "a")):
            break
        last = place
    while words[last].text in ("of", "a") and last > at:
        last -= 1
    return (value, last, exact) if value <= LARGEST else None


def _quantity(words: Sequence[Word], at: int, units: Mapping[str, frozenset[str]]) -> Quantity | None:
    got = number(words, at)
    if got is None:
        return None
    low, last, exact = got
    high = low
    second = last + 2 if last + 1 < len(words) and words[last + 1].text in ("to", "or") else last + 1
    joined = second == last + 2 or (last < len(words) and words[last].glued == "-")
    if joined and second < len(words) and (more := number(words, second)):
        high, last = max(low, more[0]), more[1]
    kind, noun, end = _unit(words, at, last, units)
    if noun == "times":
        return None  # "several times a day" is a rate
    per, end = _per(words, end)
    return Quantity(low, high, kind, noun, per, exact, at, end)


def _unit(words: Sequence[Word], at: int, last: int, units: Mapping[str, frozenset[str]]) -> tuple[str, str, int]:
    """(class, noun, place): the nearest noun of a known class, else the first word with a meaning."""
    if at and words[at - 1].text in "$€£":
        return "money", words[at - 1].text, last
    thing: tuple[str, str, int] = ("", "", last)
    for place, word in after(words, last, LOOK):
        if (word.text in STOPS and place > last + 1) or word.text[0].isdigit():
            break
        for kind, stems in units.items():
            if word.stem in stems and not (kind == "time" and thing[0]):
                return kind, word.text, place
        if not thing[0] and not word.light and word.text not in STOPS:
            thing = ("thing", word.text, place)
    return thing


def _per(words: Sequence[Word], at: int) -> tuple[float, int]:
    """Times a month when "a day", "per month", "weekly" follows place `at`, and the place of its last word."""
    for place, word in after(words, at, 2):
        if word.text in ADVERBS:
            return ADVERBS[word.text], place
        if word.text in ("a", "an", "per", "each", "every") and (period := _period(words, place + 1)):
            return period
        if not (word.light or word.text == "in"):
            break
    if words[at].glued and (period := _period(words, at + 1)):
        return period
    return 0.0, at


def _every(words: Sequence[Word], at: int) -> Iterator[Rate]:
    """every week, every few minutes, each single day, every year or two, every other month"""
    share, place = 1.0, at + 1
    while place < len(words) and words[place].clause == words[at].clause and place <= at + 4:
        word = words[place]
        if word.stem in MONTHLY:
            yield Rate(MONTHLY[word.stem] * share, at, place)
            return
        if word.text == "other":
            share /= 2
        elif got := number(words, place):
            share, place = share / max(1.0, got[0]), got[1]
        elif word.text not in ("single", "of", "a"):
            return
        place += 1


def _times(words: Sequence[Word], at: int) -> Iterator[Rate]:
    """once a year, twice a week, several times a day, a couple of times per month"""
    count, first = {"once": 1.0, "twice": 2.0}.get(words[at].text, 0.0), at
    for back in range(at - 1, max(-1, at - 4), -1):
        if not count and (got := number(words, back)):
            count, first = got[0], back
    period = (
        _period(words, at + 2) if at + 1 < len(words) and words[at + 1].text in ("a", "per", "each", "every") else None
    )
    if count and period:
        yield Rate(count * period[0], first, period[1])


def _period(words: Sequence[Word], at: int, *, articles: bool = False) -> tuple[float, int] | None:
    """(times a month, place) when the word at a place is a period."""
    if articles and at < len(words) and words[at].text == "the":
        at += 1
    if at < len(words) and words[at].stem in MONTHLY:
        return MONTHLY[words[at].stem], at
    return None


def _digits(text: str) -> float | None:
    """'12,000' and '12.000' are twelve thousand, '1.8' and '0.40' decimals; None for what is no number ('1.2.3')."""
    if re.fullmatch(r"[1-9]\d{0,2}([,.]\d{3})+", text):
        return float(re.sub(r"[,.]", "", text))
    try:
        return float(text.replace(",", ""))
    except ValueError:
        return None


MONTHLY = {stem(word): value for word, value in MONTHLY.items()}
