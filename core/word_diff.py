"""Word-by-word difference of two texts. Knows nothing of how it is drawn."""

import difflib
from enum import Enum


class Piece(Enum):
    """Where a stretch of words stands."""

    SAME = "same"
    FIRST = "only in the first"
    SECOND = "only in the second"


def word_diff(first: str, second: str) -> list[tuple[Piece, str]]:
    """The stretches of both texts in reading order; joined by kind they give back each text's words."""
    one, two = first.split(), second.split()
    pieces: list[tuple[Piece, str]] = []
    for tag, a, b, c, d in difflib.SequenceMatcher(None, one, two, autojunk=False).get_opcodes():
        if tag == "equal":
            pieces.append((Piece.SAME, " ".join(one[a:b])))
            continue
        if b > a:
            pieces.append((Piece.FIRST, " ".join(one[a:b])))
        if d > c:
            pieces.append((Piece.SECOND, " ".join(two[c:d])))
    return pieces
