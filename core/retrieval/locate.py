"""Where to look in a text: the words of a question in a passage, a passage in its document. Pure functions."""

import re
from dataclasses import dataclass

from core.retrieval import words
from core.retrieval.values import Chunk

_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True)
class Piece:
    """A stretch of text, marked or not."""

    text: str
    marked: bool


def matches(text: str, question: str) -> list[Piece]:
    """`text` with the words of `question` marked (stop words not; endings may differ: "return" marks "returns")."""
    wanted = {part for term in words.terms(question) for part in term.split() if part not in words.STOP_WORDS}
    spans = [match.span() for match in _WORD.finditer(text) if _alike(match.group().lower(), wanted)]
    return pieces(text, spans)


def pieces(text: str, spans: list[tuple[int, int]]) -> list[Piece]:
    """`text` cut so that each of `spans` (in order, not overlapping) is a marked piece. The pieces join to `text`."""
    found, at = [], 0
    for start, end in spans:
        found += [Piece(text[at:start], False), Piece(text[start:end], True)]
        at = end
    return [piece for piece in [*found, Piece(text[at:], False)] if piece.text]


def around(text: str, start: int, end: int, context: int = 1500) -> list[Piece]:
    """`text` from start to end marked, with `context` characters on both sides; "…" where more was cut off."""
    low, high = max(0, start - context), min(len(text), end + context)
    shown = pieces(text[low:high], [(start - low, end - low)])
    return [Piece("…\n", False)] * (low > 0) + shown + [Piece("\n…", False)] * (high < len(text))


def overlaps(chunks: list[Chunk]) -> list[int]:
    """For each chunk, how many of its first characters the chunk before it already held."""
    ends = [0, *(chunk.end for chunk in chunks)]
    return [max(0, min(end, chunk.end) - chunk.start) for end, chunk in zip(ends, chunks, strict=False)]


def _alike(word: str, wanted: set[str]) -> bool:
    """The same word, or one with another ending of up to two letters."""
    return word in wanted or any(
        min(len(word), len(other)) > 3
        and abs(len(word) - len(other)) <= 2
        and (word.startswith(other) or other.startswith(word))
        for other in wanted
    )
