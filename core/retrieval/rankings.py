"""One view of a base under many settings: a question is searched once, then only ranked. Knows no splitting.

A ranking is the one that KnowledgeBase.query would give: both rank with `index.ranked`.
"""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from core.retrieval import words
from core.retrieval.index import POOL, Found, Hit, Index, Where, ranked
from core.retrieval.values import CURRENT, Vector, context
from core.retrieval.wordpiece import WordPiece

ALIKE = POOL // 4  # up to so many passages the candidates are the same, so one ranking holds all the shorter ones


@dataclass(frozen=True)
class Placed:
    """A passage as a model reads it. `tokens`: the embedder's, of `text`."""

    document: str
    title: str
    heading: str
    text: str
    tokens: int


class Rankings:
    """Rankings over the current view of one index."""

    def __init__(self, index: Index, tokenizer: WordPiece, where: Where) -> None:
        self._index, self._tokenizer, self._where = index, tokenizer, where

    def found(self, question: str, vector: Vector | None, count: int) -> Found:
        """What serves for every ranking of `count` passages or, up to ALIKE, fewer; without a vector by words alone."""
        mode = "sparse" if vector is None else "hybrid"
        return self._index.found(question, vector, mode, max(count, ALIKE), view=CURRENT, where=self._where)

    def chunks(self, hits: Sequence[Hit], count: int, threshold: float) -> list[int]:
        """The chunks of the best `count` passages that reach the threshold, best first."""
        return [hit.chunk for hit in hits[:count] if not threshold or _strength(hit) >= threshold]

    def ranked(self, found: Found, mode: str, count: int, weight: float) -> list[Hit]:
        """The best passages, at least `count` where there are so many; the first `count` are what a query gives."""
        return ranked(found, mode, max(count, ALIKE), weight)

    @cached_property
    def passages(self) -> dict[int, Placed]:
        """Every passage by its chunk."""
        rows = self._index.store.read(
            "SELECT c.id, c.title, c.heading, c.lead, c.body, d.path FROM chunks c JOIN versions v ON v.id = c.version "
            "JOIN documents d ON d.id = v.document"
        )
        return {int(row["id"]): self._placed(row) for row in rows}

    def _placed(self, row: sqlite3.Row) -> Placed:
        title, heading = row["title"], row["heading"]
        text = words.shown(row["body"], title, context(title, heading), row["lead"])
        return Placed(row["path"], title, heading, text, self._tokenizer.count(text))


def _strength(hit: Hit) -> float:
    """What the threshold is held against, as in KnowledgeBase.query."""
    return hit.score if hit.similarity is None else hit.similarity
