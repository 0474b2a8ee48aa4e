"""Numbers in a description with what they count, and how often things happen. Knows no question of the advisor."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from core import numbers
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
DAYS = 365 / 12  # of a month
MONTHLY = {"second": DAYS * 86_400, "minute": DAYS * 1440, "hour": DAYS * 24, "week": DAYS / 7, "weekend": DAYS / 7}
MONTHLY |= dict.fromkeys(("day", "night", "morning", "evening"), DAYS)
MONTHLY |= {"fortnight": DAYS / 14, "month": 1.0, "quarter": 1 / 3, "season": 1 / 6, "year": 1 / 12}
NAMED = "january february march april june july august september october november december"  # "may" is a verb too
MONTHLY |= dict.fromkeys(NAMED.split(), 1 / 12)
ADVERBS = {"hourly": MONTHLY["hour"], "weekly": MONTHLY["week"], "fortnightly": MONTHLY["fortnight"], "monthly": 1.0}
ADVERBS |= dict.fromkeys(("daily", "nightly", "overnight"), DAYS) | {"quarterly": 1 / 3}
ADVERBS |= dict.fromkeys(("yearly", "annually", "annual"), 1 / 12)
ABOUT = {"about", "around", "roughly", "some", "approximately", "approx", "circa", "ca", "nearly", "almost"}
ARRIVING = {"in", "come", "coming", "arrive", "arriving", "asked", "handled", "received", "answered"}
STOPS = {"in", "for", "on", "to", "with", "at", "by", "from", "and", "or", "that", "which", "who", "must", "is", "are"}
ASKED = "ask asks asking send sends sending make makes making write writes writing with"
ASK = frozenset(ASKED.split())
JOINING = {
    "of",
    "with",
    "averaging",
    "having",
    "about",
    "around",
    "roughly",
    "some",
    "each",
    "on",
    "average",
    "an",
    "a",
}
LONGEST_PAGES, LONGEST_WORDS = 1000, 20_000  # of one document; more is the length of all of them (ours)
LARGEST = 1e15
LOOK = 5  # words after a number among which its unit is sought


@dataclass(frozen=True)
class Quantity:
    """A number (or a range) of something. `per_month`: times a month when a period follows, else 0.

    `kind`: the unit's class, or 'thing' for a noun that no class has. `exact`: written as a number, not as "hundreds".
    `about`: one number, said to be a rough one.
    """

    low: float
    high: float
    kind: str
    noun: str
    per_month: float
    exact: bool
    first: int
    last: int
    about: bool = False


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


def number(words: Sequence[Word], at: int) -> tuple[float, int, bool, float] | None:
    """The number that begins at a place: value, place of its last word, whether it is exact, and its scale.

    None when none begins there. The scale of "20 thousand" is 1,000.
    """
    first, scale = words[at].text, 1.0
    if match := DIGITS.match(first):
        digits = _digits(match[1])
        if match[2] not in SUFFIX or digits is None:
            return None
        value, exact, scale = digits * SUFFIX[match[2]], True, SUFFIX[match[2]]
    elif first in NUMBERS:
        value, exact = NUMBERS[first], first not in ("half", "single")
    elif first in VAGUE or (first in SCALES and at and words[at - 1].text in ("a", "the")):
        value, exact = VAGUE.get(first) or SCALES[first], False
    else:
        return None
    last = at
    for place, word in after(words, at, 5):
        if word.text in SCALES:
            value, scale = value * SCALES[word.text], scale * SCALES[word.text]
        elif word.text in VAGUE and VAGUE[word.text] >= 300:
            value *= {"hundreds": 100.0, "thousands": 1e3, "millions": 1e6}.get(word.text, 1.0)
        elif not (word.text in ("of", "a") and place == last + 1 and (not exact or first == "a")):
            break
        last = place
    while words[last].text in ("of", "a") and last > at:
        last -= 1
    return (value, last, exact, scale) if value <= LARGEST else None


def _quantity(words: Sequence[Word], at: int, units: Mapping[str, frozenset[str]]) -> Quantity | None:
    got = number(words, at)
    if got is None:
        return None
    low, last, exact, scale = got
    high, before = low, words[at - 1].text if at else ""
    between = {"to", "or", "and"} if before == "between" else {"to", "or"}
    second = last + 2 if last + 1 < len(words) and words[last + 1].text in between else last + 1
    joined = second == last + 2 or (last < len(words) and words[last].glued == "-")
    if joined and second < len(words) and (more := number(words, second)):
        high, last = max(low, more[0]), more[1]
        low *= more[3] if scale == 1 and low * more[3] <= high else 1.0  # "10 to 20 thousand"
    kind, noun, end = _bare_rate(words, at, last, units) or _unit(words, at, last, units)
    if noun == "times":
        return None  # "several times a day" is a rate
    per, end = _per(words, end, last)
    if at > 1 and (before in "$€£" or stem(before) in units.get("money", ())):
        before = words[at - 2].text
    return Quantity(low, high, kind, noun, per, exact, at, end, low == high and before in ABOUT)


def _unit(words: Sequence[Word], at: int, last: int, units: Mapping[str, frozenset[str]]) -> tuple[str, str, int]:
    """(class, noun, place): the nearest noun of a known class, else the first word with a meaning."""
    if at and (words[at - 1].text in "$€£" or words[at - 1].stem in units.get("money", ())):
        return "money", words[at - 1].text, last
    thing: tuple[str, str, int] = ("", "", last)
    for place, word in after(words, last, LOOK):
        if (word.text in STOPS and place > last + 1) or word.text[0].isdigit():
            break
        if word.text in ADVERBS:
            continue  # "12,000 monthly questions"
        for kind, stems in units.items():
            if word.stem in stems and not (kind == "time" and thing[0]):
                return kind, word.text, place
        if not thing[0] and not word.light and word.text not in STOPS:
            thing = ("thing", word.text, place)
    return thing


def _bare_rate(
    words: Sequence[Word], at: int, last: int, units: Mapping[str, frozenset[str]]
) -> tuple[str, str, int] | None:
    """The noun before a number with nothing but a period behind it: "questions: 12,000/month"."""
    if not words[last].glued or not _period(words, last + 1):
        return None
    for word in reversed(words[max(0, at - 2) : at]):
        for kind in ("request", "document", "example"):
            if word.stem in units.get(kind, ()) and word.sentence == words[at].sentence:
                return kind, word.text, last
    return None


def pieces(at: int, numbers: Sequence[Quantity], words: Sequence[Word], text: Sequence[str]) -> float:
    """How many documents a quantity of text is the length of: 45 for the pages in "45 policies of 10 pages each".

    `text`: the classes that are text. 1 when it stands for itself, as in "900 articles of 700k tokens in all".
    """
    each, before = numbers[at], numbers[at - 1] if at else None
    if before is None or each.kind not in text or before.kind not in ("document", "thing") or before.per_month:
        return 1.0
    between = {word.text for word in words[before.last + 1 : each.first]}
    behind = {word.text for _, word in after(words, each.last, 3)}
    joined = words[before.last].part == words[each.first].part and bool(between & {"of", "with", "averaging", "having"})
    small = each.high <= (LONGEST_PAGES if each.kind == "page" else LONGEST_WORDS)
    whole = behind & {"all", "total", "altogether", "together", "overall", "combined"}
    return before.low if joined and between <= JOINING and small and not whole and before.low >= 1 else 1.0


def _per(words: Sequence[Word], at: int, number: int) -> tuple[float, int]:
    """Times a month when "a day", "per month", "weekly" follows place `at`, and the place of its last word; or "daily"
    between the number, whose last word is at place `number`, and what it counts."""
    for word in words[number + 1 : at]:
        if word.text in ADVERBS:
            return ADVERBS[word.text], at
    for place, word in after(words, at, 4):
        if word.text in ADVERBS:
            return ADVERBS[word.text], place
        if word.text in ("a", "an", "per", "each", "every") and (period := _period(words, place + 1)):
            return period
        if not (word.light or word.text in ARRIVING):
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
    """'12,000', '12.000' and '12 000' are twelve thousand, '1.8' and '0,40' decimals; None for no number ('1.2.3')."""
    return next(iter(numbers.digits(text)), None)


MONTHLY = {stem(word): value for word, value in MONTHLY.items()}
