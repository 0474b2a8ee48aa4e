"""A second hop: the passage of another document that a first one leads to. Pure functions over passages found.

"What is the bench fee for my Tidal Press?": its sheet says "repair class C", the fee stands under "repair class C" of
another document, and neither holds the answer alone. So the best pair is looked for: a passage of a document found
first, and one found by the question without that document's name, that share words the question does not have, rare
ones above all. Knows no storage, no embedding and no model.
"""

import itertools
import math
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from core.retrieval.values import Passage
from core.retrieval.words import STOP_WORDS

SUBJECTS = 3  # documents found first that may be the one that leads on
POOL = 24  # passages looked at on either side
STARTS = 64  # passages of a document that may lead on: of a longer one those nearest to what was found
OWN = 0.3  # what a passage's own score counts beside its document's
LINKS = 2  # rarest shared words counted
HEADING = 2.0  # a shared word counts so much more in the heading of the passage it leads to
_WORD = re.compile(r"[^\W_]+")

Find = Callable[[str], Sequence[Passage]]


@dataclass(frozen=True)
class Bridge:
    """Two passages of different documents and the words that lead from one to the other, rarest first."""

    start: Passage
    end: Passage
    words: tuple[str, ...]
    score: float


def best(question: str, first: Sequence[Passage], find: Find, of: Find) -> Bridge | None:
    """The best bridge for `question`, or None where no passage leads on.

    `first`: what the question found, best first. `find`: what another text finds; `of`: all passages of a document.
    """
    asked = grams(question)
    bridges: list[Bridge] = []
    for subject in _documents(first)[:SUBJECTS]:
        named = grams(subject.title)
        rest = " ".join(word for word in question.split() if not grams(word) & named)
        second = [passage for passage in find(rest or question) if passage.document != subject.document]
        rare = _rarity([*first, *second])
        own = {passage.start: passage.score for passage in first if passage.document == subject.document}
        near = sorted(of(subject.document), key=lambda passage: abs(passage.start - subject.start))
        for start in near[:STARTS]:
            leads = (grams(start.text) | named) - asked
            begun = subject.score + OWN * own.get(start.start, 0.0)
            bridges += [
                Bridge(start, end, words, begun + end.score + link)
                for end in second
                if end.heading != start.heading  # the same section of a like document leads nowhere
                for words, link in [_link(leads, end, rare)]
                if words
            ]
    return max(bridges, key=lambda bridge: bridge.score, default=None)


def _documents(found: Sequence[Passage]) -> list[Passage]:
    """The best passage of each document, best first."""
    return list({passage.document: passage for passage in reversed(found)}.values())[::-1]


def _link(leads: frozenset[str], end: Passage, rare: Callable[[str], float]) -> tuple[tuple[str, ...], float]:
    """The rarest of the words `leads` that `end` holds too, and what they count."""
    heads = grams(end.heading)
    weights = {word: rare(word) * (HEADING if word in heads else 1.0) for word in leads & (heads | grams(end.text))}
    words = sorted(weights, key=lambda word: (-weights[word], word))[:LINKS]
    return tuple(words), sum(weights[word] for word in words) / LINKS


def _rarity(pool: Sequence[Passage]) -> Callable[[str], float]:
    """How few of the pool's passages hold a word: 1 for one of them, 0 for all, a little more for none."""
    passages = {(passage.document, passage.start): passage for passage in pool}.values()
    counts = Counter(word for passage in passages for word in grams(f"{passage.heading}\n{passage.text}"))
    most = math.log(len(passages) + 1)
    return lambda word: math.log((len(passages) + 1) / (counts[word] + 0.5)) / most


@lru_cache(maxsize=4096)
def grams(text: str) -> frozenset[str]:
    """Words and neighbouring pairs of words worth comparing, lower case, plural as singular."""
    words = [_kept(word) for word in _WORD.findall(text)]
    pairs = (f"{a} {b}" for a, b in itertools.pairwise(words) if a and b)
    return frozenset(word for word in words if len(word) > 1) | frozenset(pairs)


def _kept(word: str) -> str:
    """A word as it is compared; empty for a stop word. "A" alone may be a name: class A."""
    low = word.lower()
    if low in STOP_WORDS and word != "A":
        return ""
    return low[:-1] if len(low) > 3 and low.endswith("s") and not low.endswith("ss") else low
