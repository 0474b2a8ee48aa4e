"""Embedder, tokenizer and pipeline of one knowledge base, made when first needed. Knows no documents."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from core.retrieval.index import Index
from core.retrieval.values import Embedder
from core.retrieval.wordpiece import WordPiece

if TYPE_CHECKING:
    from core.retrieval.llama import Pipeline

Discover = Callable[[], tuple[Embedder, Path | None] | None]  # embedder and its vocabulary, once they are to be had


class Tools:
    """What turns text into indexed chunks. `embedder` None: not to be had (yet), words only."""

    def __init__(self, index: Index, embedder: Embedder | None, vocab: Path | None, discover: Discover | None) -> None:
        self._index = index
        self._embedder = embedder
        self._tokenizer = WordPiece(vocab)
        self._discover = discover
        self._pipeline: Pipeline | None = None
        self._lock = threading.RLock()

    @property
    def embedder(self) -> Embedder | None:
        """The embedder; one that has been fetched meanwhile is taken up, with its vocabulary."""
        with self._lock:
            if self._embedder is None and self._discover is not None:
                found = self._discover()
                if found is not None:
                    self._embedder, vocab = found
                    self._tokenizer = WordPiece(vocab)
                    self._pipeline = None
            return self._embedder

    @property
    def tokenizer(self) -> WordPiece:
        """Counts in the embedder's tokens, or estimates while there is none."""
        with self._lock:
            _ = self.embedder  # taking up an embedder also takes up its vocabulary
            return self._tokenizer

    def take_from(self, other: "Tools") -> None:
        """Use the embedder and tokenizer of another base."""
        self._embedder, self._tokenizer = other.embedder, other.tokenizer

    @property
    def pipeline(self) -> "Pipeline":
        """LlamaIndex's parts put together; the first call imports LlamaIndex (about one second)."""
        with self._lock:
            tokenizer = self.tokenizer
            if self._pipeline is None:
                from core.retrieval.llama import Pipeline

                self._pipeline = Pipeline(self._index, tokenizer)
            return self._pipeline
