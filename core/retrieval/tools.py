"""Embedder, tokenizer and pipeline of one knowledge base, made when first needed. Knows no documents."""

import json
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import Problem
from core.retrieval.index import Index
from core.retrieval.values import Embedder, Embedding
from core.retrieval.wordpiece import WordPiece

if TYPE_CHECKING:
    from core.retrieval.llama import Pipeline

# The embedder of a choice and the vocabulary that passages are counted in, once they are to be had.
Discover = Callable[[Embedding], tuple[Embedder, Path | None] | None]


class Tools:
    """What turns text into indexed chunks. `embedder` None: not to be had (yet), words only."""

    def __init__(self, index: Index, embedder: Embedder | None, vocab: Path | None, discover: Discover | None) -> None:
        self._index = index
        self._embedder = embedder
        self._tokenizer = WordPiece(vocab)
        self._discover = discover
        self._discovered: Embedding | None = None
        self._pipeline: Pipeline | None = None
        self._lock = threading.RLock()

    @property
    def embedder(self) -> Embedder | None:
        """The embedder that was chosen for this base; one that has been fetched meanwhile is taken up."""
        with self._lock:
            if self._discover is not None:
                choice = self.choice
                if self._embedder is None or choice != self._discovered:
                    found = self._discover(choice)
                    self._embedder, self._discovered = (None, None) if found is None else (found[0], choice)
                    if found is not None:
                        self._tokenizer = WordPiece(found[1])
                        self._pipeline = None
            return self._embedder

    @property
    def choice(self) -> Embedding:
        """What embeds this base, by its own books."""
        return Embedding(**json.loads(self._index.store.read("SELECT embedding FROM index_state")[0][0]))

    def tried(self, choice: Embedding) -> Embedding:
        """`choice` with what one text told of it. Raises Problem when it embeds nothing."""
        found = self._discover(choice) if self._discover is not None else None
        if found is None:
            raise Problem(f"{choice.title} is not to be had here: fetch it first.")
        length = len(found[0].embed_passages(["One passage."])[0])
        known = replace(choice, dimensions=length)
        again = self._discover(known) if self._discover is not None else None
        return replace(known, identity=(again or found)[0].identity)

    def embedder_of(self, choice: Embedding) -> Embedder:
        """What `choice` embeds with. Raises Problem when it embeds nothing."""
        found = self._discover(self.tried(choice)) if self._discover is not None else None
        if found is None:
            raise Problem(f"{choice.title} is not to be had here: fetch it first.")
        return found[0]

    @property
    def tokenizer(self) -> WordPiece:
        """Counts in the embedder's tokens, or estimates while there is none."""
        with self._lock:
            _ = self.embedder  # taking up an embedder also takes up its vocabulary
            return self._tokenizer

    def take_from(self, other: "Tools", embedder: Embedder | None = None) -> None:
        """Use the embedder (or the one given) and tokenizer of another base."""
        self._embedder, self._tokenizer = embedder or other.embedder, other.tokenizer

    @property
    def pipeline(self) -> "Pipeline":
        """LlamaIndex's parts put together; the first call imports LlamaIndex (about one second)."""
        with self._lock:
            tokenizer = self.tokenizer
            if self._pipeline is None:
                from core.retrieval.llama import Pipeline

                self._pipeline = Pipeline(self._index, tokenizer)
            return self._pipeline
