"""Phrases to look for in words: a small language for the lexicon, matched on stems. Knows no question of the advisor.

A phrase is a row of words; each stands for every word of its stem. `a|b` is either word, `_` any one word, `~` up to
three words, `#` a number, `x?` may be missing, `"x` exactly this spelling. Words without meaning of their own
(articles, pronouns, adverbs in -ly) may stand in between.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from core.advisor.words import Word, Words, stem

GAP = 3
NEGATIONS = {"no", "not", "never", "without", "nobody", "none", "nothing", "neither", "nor", "cannot", "hardly"}
LEAVING = {
    stem(word) for word in ("drop", "leave", "break", "lose", "out", "deviate", "depart", "slip", "vary", "only")
}
REACH = 3  # words with meaning that a negation reaches over


@dataclass(frozen=True)
class Part:
    """One place in a phrase."""

    stems: frozenset[str] = frozenset()
    exact: frozenset[str] = frozenset()
    kind: str = "word"  # word, any, gap, number
    optional: bool = False

    def fits(self, word: Word) -> bool:
        """Whether a word may stand here."""
        if self.kind == "number":
            return word.text[0].isdigit()
        return self.kind == "any" or word.stem in self.stems or word.text in self.exact


@dataclass(frozen=True)
class Span:
    """Words from `first` to `last`, both included."""

    first: int
    last: int


@cache
def compiled(phrase: str) -> tuple[Part, ...]:
    """A phrase of the lexicon as its parts."""
    return tuple(_part(token) for token in phrase.split())


def find(phrase: str, words: Words) -> Iterator[Span]:
    """Every place at which a phrase stands, within one clause."""
    parts = compiled(phrase)
    first = parts[0]
    keys = first.stems | first.exact
    places = (
        {at for key in keys for at in words.places.get(key, ())} if keys and not first.optional else range(len(words))
    )
    for start in sorted(places):
        last = _match(parts, words, start, start)
        if last is not None:
            yield Span(start, last)


def find_any(phrases: Iterable[str], words: Words) -> Iterator[Span]:
    """Every place of any of the phrases."""
    for phrase in phrases:
        yield from find(phrase, words)


def negated(span: Span, words: Sequence[Word]) -> bool:
    """Whether a negation stands shortly before the span, in its clause ("do not need a certain tone")."""
    left = REACH
    for place in range(span.first - 1, -1, -1):
        word = words[place]
        if word.part != words[span.first].part or left == 0 or word.text in ("but", "only"):
            return False
        if word.text in NEGATIONS:
            return words[place + 1].stem not in LEAVING  # "may never leave our tone" wants the tone
        left -= not word.light
    return False


def _part(token: str) -> Part:
    optional = token.endswith("?") and len(token) > 1
    token = token.removesuffix("?") if optional else token
    kind = {"_": "any", "~": "gap", "#": "number"}.get(token, "word")
    if kind != "word":
        return Part(kind=kind, optional=optional)
    words = token.split("|")
    exact = frozenset(word[1:] for word in words if word.startswith('"'))
    return Part(frozenset(stem(word) for word in words if not word.startswith('"')), exact, optional=optional)


def _match(parts: tuple[Part, ...], words: Words, at: int, start: int, skipped: int = 0) -> int | None:
    """The place of the last word when `parts` fit from place `at` on, else None. Light words skipped: at most GAP."""
    if not parts:
        return at - 1
    part, rest = parts[0], parts[1:]
    if part.kind == "gap":
        for skip in range(GAP + 1):
            if (last := _match(rest, words, at + skip, start)) is not None:
                return last
        return None
    if at < len(words) and words[at].clause == words[start].clause:
        if part.fits(words[at]) and (last := _match(rest, words, at + 1, start)) is not None:
            return last
        light = at > start and skipped < GAP and words[at].light
        if light and (last := _match(parts, words, at + 1, start, skipped + 1)) is not None:
            return last
    return _match(rest, words, at, start) if part.optional else None
