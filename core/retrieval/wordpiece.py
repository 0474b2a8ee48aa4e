"""Counts a text in the embedder's own tokens (BERT WordPiece over its vocab.txt). Knows no embedder and no splitter.

The splitter asks for a count per sentence, so this must be local and quick; it makes no ids, only pieces.
Source: Devlin et al. 2018, uncased BERT: lower case, accents stripped, cut at punctuation, longest match first.
"""

import re
import unicodedata
from pathlib import Path

from core.errors import Problem

_WORD = re.compile(r"[^\W_]+|[^\w\s]|_")
_CJK = re.compile("([\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff])")
_DROPPED = ("Mn", "Cf", "Cc", "Co", "Cs")  # accents and what is not seen
_REMEMBERED = 50_000  # distinct words whose pieces are kept
UNKNOWN = "[UNK]"


class WordPiece:
    """A tokenizer over `vocab`; without one, an estimate that rather counts too many (`exact` says which)."""

    def __init__(self, vocab: Path | None) -> None:
        self.exact = vocab is not None
        self._pieces: frozenset[str] = frozenset()
        self._known: dict[str, list[str]] = {}
        if vocab is not None:
            try:
                self._pieces = frozenset(vocab.read_text(encoding="utf-8").splitlines())
            except (OSError, UnicodeDecodeError) as error:
                raise Problem(f"The embedder's vocabulary {vocab} cannot be read ({error}). Fetch it again.") from error

    def tokens(self, text: str) -> list[str]:
        """The pieces of `text`, without the embedder's two special tokens."""
        flat = unicodedata.normalize("NFD", text.lower())
        if not flat.isascii():
            flat = "".join(letter for letter in flat if unicodedata.category(letter) not in _DROPPED)
            flat = _CJK.sub(r" \1 ", flat)
        found: list[str] = []
        for word in _WORD.findall(flat):
            pieces = self._known.get(word)
            if pieces is None:
                pieces = self._split(word) if self.exact else [word[at : at + 4] for at in range(0, len(word), 4)]
                if len(self._known) < _REMEMBERED:
                    self._known[word] = pieces
            found += pieces
        return found

    def count(self, text: str) -> int:
        """How many tokens `text` has."""
        return len(self.tokens(text))

    def _split(self, word: str) -> list[str]:
        """Longest match first; a word with an unknown part is one [UNK] (but a long one counts by its length)."""
        pieces, at = [], 0
        while at < len(word):
            for end in range(min(len(word), at + 32), at, -1):
                piece = ("##" if at else "") + word[at:end]
                if piece in self._pieces:
                    pieces.append(piece)
                    at = end
                    break
            else:
                return [UNKNOWN] * max(1, len(word) // 4)
        return pieces
