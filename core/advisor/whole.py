"""A description as a whole: which approach its words lean to, learned from descriptions whose answer is known.

Rules (lexicon.toml) know what a phrase means and miss what is said in other words. learned.toml holds, for every word,
pair of neighbours and negated word, and for every sign that the rules find, how much it speaks for each approach. Where
all of them together say another approach than the rules alone, the fewest questions are answered otherwise, from the
words that told most. Written by `python -m tests.advisor.learn`.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from core import tomlfile
from core.advisor import score
from core.advisor.patterns import NEGATIONS, REACH, Span
from core.advisor.quantities import NUMBERS, SUFFIX
from core.advisor.rules import APPROACHES
from core.advisor.words import Word, Words

FILE = Path(__file__).with_name("learned.toml")
BEHAVIOUR = ("style", "format", "specialisation")  # what a model is trained for
STRICT = {"style": "strict", "format": "strict", "specialisation": "strong"}
OF_FACTS = ("data-changes", "citations", "privacy")  # what else speaks for looking up
LOOKS_UP = {"retrieval", "hybrid"}
TRAINS = {"fine-tuning", "hybrid"}
FEWEST, TELLING = 6, 3  # known words and pairs, and those of a meaning of their own without numbers; fewer lean nowhere
TOLD = 3  # places shown as reason


@dataclass(frozen=True)
class Learned:
    """The shape of learned.toml, in nats: what each speaks for every approach; `base` is that of any text.

    `words`: then, of what is to be trained, for style, for format, for specialisation.
    """

    base: tuple[float, ...]
    signs: dict[str, tuple[float, ...]]
    words: dict[str, tuple[float, ...]]


@dataclass(frozen=True)
class Settled:
    """Answers that the whole text gives otherwise than the rules ("" for none), and the words that told most."""

    answers: dict[str, str]
    spans: tuple[Span, ...]


def features(words: Words) -> dict[str, Span]:
    """Stems, pairs of neighbours and stems shortly behind a negation, each with its first place. Numbers by length."""
    found: dict[str, Span] = {}
    keys = [_key(word) for word in words]
    for at, key in enumerate(keys):
        found.setdefault(key, Span(at, at))
        if at + 1 < len(words) and words[at + 1].clause == words[at].clause:
            found.setdefault(f"{key} {keys[at + 1]}", Span(at, at + 1))
    last = None
    for at, word in enumerate(words):
        if word.text in NEGATIONS:
            last = at
        elif last is not None and at - last <= REACH and words[last].part == word.part and not word.light:
            found.setdefault(f"not {keys[at]}", Span(last, at))
    return found


def leaning(words: Words, signs: Collection[str], counted: Collection[int] = ()) -> dict[str, float]:
    """How much a text speaks for each approach, in nats; empty for a text of too few known words.

    `counted`: places of words that belong to a number, which says nothing of what is needed.
    """
    table = load()
    known = {name: span for name, span in features(words).items() if name in table.words}
    places = [range(span.first, span.last + 1) for span in known.values()]
    telling = sum(not all(at in counted or words[at].plain for at in one) for one in places)
    if len(known) < FEWEST or telling < TELLING:
        return {}
    rows = [
        table.base,
        *map(table.words.__getitem__, known),
        *(table.signs[one] for one in signs if one in table.signs),
    ]
    return {name: sum(row[at] for row in rows) for at, name in enumerate(APPROACHES)}


def settle(
    words: Words, answers: Mapping[str, str], loose: Sequence[str], signs: Collection[str], counted: Collection[int]
) -> Settled | None:
    """What to answer otherwise so that the whole has its way; None when the rules alone already say so.

    `answers`: what the rules read, by `signs` ("question option strength"). `loose`: questions that they read from no
    plain statement; those are dropped first.
    """
    lean, now = leaning(words, signs, counted), score.verdict(answers)
    if not lean or now == score.NOTHING:
        return None
    wanted = max(APPROACHES, key=lambda name: lean[name])
    for change in _changes(words, answers, wanted, loose) if wanted != now else ():
        merged = {name: option for name, option in {**answers, **change}.items() if option}
        if change and score.verdict(merged) == wanted:
            return Settled(change, tuple(_telling(words, wanted, now)))
    return None


def _changes(words: Words, answers: Mapping[str, str], wanted: str, loose: Sequence[str]) -> Iterator[dict[str, str]]:
    """Changes of the answers towards an approach, the smallest first."""
    for behaviour in _trained(words, answers, wanted):
        for knowledge in _looked_up(answers, wanted, loose):
            yield {**knowledge, **behaviour}


def _looked_up(answers: Mapping[str, str], wanted: str, loose: Sequence[str]) -> Iterator[dict[str, str]]:
    """No change, then ever more that speak for looking up, or against it."""
    yield {}
    if wanted in LOOKS_UP:
        yield {"knowledge-size": "medium"}
        return
    change = {"knowledge-size": "none"}
    yield change
    for name in sorted((each for each in OF_FACTS if each in answers), key=lambda each: each not in loose):
        change = {**change, name: ""}
        yield change


def _trained(words: Words, answers: Mapping[str, str], wanted: str) -> Iterator[dict[str, str]]:
    """No change, then ever more that speak for training, or against it."""
    yield {}
    change: dict[str, str] = {}
    for name in _trained_for(words):
        if wanted in TRAINS and answers.get(name) != STRICT[name]:
            change = {**change, name: STRICT[name]}
            yield change
        elif wanted not in TRAINS and answers.get(name) == STRICT[name]:
            change = {**change, name: ""}
            yield change


def _trained_for(words: Words) -> list[str]:
    """Style, format and specialisation, what the words lean to first."""
    table = load()
    known = [table.words[name] for name in features(words) if name in table.words]
    sums = {name: sum(row[len(APPROACHES) + at] for row in known) for at, name in enumerate(BEHAVIOUR)}
    return sorted(BEHAVIOUR, key=lambda name: -sums[name])


def _telling(words: Words, wanted: str, now: str) -> Iterator[Span]:
    """The places that speak most for one approach against another, in reading order, none inside another."""
    table, at = load(), APPROACHES.index(wanted)
    other = APPROACHES.index(now) if now in APPROACHES else None
    gains = [
        (table.words[name][at] - (0.0 if other is None else table.words[name][other]), span)
        for name, span in features(words).items()
        if name in table.words and not all(word.plain for word in words[span.first : span.last + 1])
    ]
    taken: list[Span] = []
    for gain, span in sorted(gains, key=lambda pair: (-pair[0], pair[1].first)):
        apart = all(span.last < other.first or other.last < span.first for other in taken)
        if gain > 0 and apart and len(taken) < TOLD:
            taken.append(span)
    yield from sorted(taken, key=lambda span: span.first)


def _key(word: Word) -> str:
    """The stem; of a number its length, however it is written: "six" is as short as "6", "41k" as long as "41,000"."""
    digits = sum(letter.isdigit() for letter in word.text)
    if NUMBERS.get(word.text, 0.0) >= 2:
        return "#1"
    if not digits or not word.text[0].isdigit():
        return word.stem
    if SUFFIX.get(word.text.lstrip("0123456789.,"), 1.0) > 1:
        return "#4"
    return "#1" if digits <= 2 else "#3" if digits == 3 else "#4"


@cache
def load() -> Learned:
    """What was learned, as shipped. Raises Problem on a slip in the file."""
    return tomlfile.read(FILE, Learned)
