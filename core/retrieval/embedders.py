"""Embedders behind the knowledge base: the worker, an endpoint, one that remembers. Know no documents, no store."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from core.errors import Problem
from core.retrieval.values import Embedder, Embedding, Vector
from core.text import one_line

if TYPE_CHECKING:
    from core.endpoint import Endpoints
    from core.engine import Engine, ModelSpec

MINILM_DIMENSIONS = 384
# Embedding shares the processor with the models that answer. On two busy cores one thread embedded 19 passages a second
# and two threads 3: each waits, spinning, for the other, which does not get its turn.
THREADS = 1
BATCH = 32  # texts in one request to an endpoint
MOST_DIMENSIONS = 16_384


class EngineEmbedder:
    """Embeds through the engine, one text a call: a list was measured slower. `spec`: the model, when it is asked."""

    def __init__(
        self, engine: "Engine", spec: "ModelSpec | Callable[[], ModelSpec]", choice: Embedding | None = None
    ) -> None:
        self._engine = engine
        self._given = spec
        self._choice = choice or Embedding()

    @property
    def _spec(self) -> "ModelSpec":
        spec = self._given() if callable(self._given) else self._given
        return replace(spec, threads=spec.threads or THREADS)

    @property
    def dimensions(self) -> int:
        """How many numbers a vector has."""
        return self._choice.dimensions or MINILM_DIMENSIONS

    @property
    def identity(self) -> str:
        """The weights' hash; where the manifest gives none, the file's name, size and day. With prefixes, if any."""
        try:
            spec = self._spec
        except Problem:  # the file is gone: what it was when it was chosen
            return self._choice.identity
        seen = spec.path.stat()
        named = spec.sha256 or f"{spec.path.name}:{seen.st_size}" + (
            f":{seen.st_mtime_ns}" if self._choice.file else ""
        )
        return named + _prefixes(self._choice)

    def embed(self, text: str) -> Vector:
        """See Embedder. Raises Problem when the worker cannot be had."""
        return self._engine.embed(self._spec, self._choice.before_question + text)

    def embed_passages(self, texts: Sequence[str]) -> list[Vector]:
        """See Embedder."""
        spec = self._spec
        return [self._engine.embed(spec, self._choice.before_passage + text) for text in texts]


class FarEmbedder:
    """Embeds at an OpenAI-compatible endpoint, in batches. Whatever it sends is checked: a vector for every text, of
    the right length, of numbers. `choice.dimensions` 0: any length is taken, to learn it."""

    def __init__(self, endpoints: "Callable[[], Endpoints]", choice: Embedding) -> None:
        self._endpoints = endpoints
        self._choice = choice

    @property
    def dimensions(self) -> int:
        """How many numbers a vector has."""
        return self._choice.dimensions

    @property
    def identity(self) -> str:
        """Address, name and dimensions, with the prefixes, if any: an endpoint tells no hash of its weights."""
        return f"{self._choice.url} {self._choice.name} {self._choice.dimensions}{_prefixes(self._choice)}"

    def embed(self, text: str) -> Vector:
        """See Embedder. Raises Problem, in one line, when the endpoint sends no usable vector in time."""
        return self._asked([self._choice.before_question + text])[0]

    def embed_passages(self, texts: Sequence[str]) -> list[Vector]:
        """See Embedder."""
        whole = [self._choice.before_passage + text for text in texts]
        return [vector for at in range(0, len(whole), BATCH) for vector in self._asked(whole[at : at + BATCH])]

    def _asked(self, texts: list[str]) -> list[Vector]:
        from core.endpoint import EndpointSpec

        if not all(text.strip() for text in texts):
            raise Problem("An empty text has no embedding.")
        chosen = self._choice
        spec = EndpointSpec(
            "embedder", Path(), url=chosen.url, name=chosen.name, key_variable=chosen.key_variable or None
        )
        found = self._endpoints().embed(spec, [text.encode("utf-8", "replace").decode() for text in texts])
        return [self._checked(one) for one in self._in_order(found, len(texts))]

    def _in_order(self, found: Any, wanted: int) -> list[Any]:
        """The rows of a reply in the order of the texts. Nothing of it has been checked by the client."""
        rows = found if isinstance(found, list) else []
        if len(rows) != wanted:
            raise self._refused(f"sent {len(rows)} embeddings for {wanted} texts")
        numbers = [getattr(row, "index", None) for row in rows]
        if sorted(number for number in numbers if isinstance(number, int)) != list(range(wanted)):
            raise self._refused("does not say which embedding belongs to which text")
        return sorted(rows, key=lambda row: row.index)

    def _checked(self, row: Any) -> Vector:
        given = getattr(row, "embedding", None)
        if not isinstance(given, list) or not all(type(value) in (int, float) for value in given):
            raise self._refused("sent an embedding that is no list of numbers")
        wanted = self._choice.dimensions or len(given)
        if len(given) != wanted or not 1 <= len(given) <= MOST_DIMENSIONS:
            raise self._refused(
                f"sent an embedding of {len(given):,} numbers, and {wanted:,} are wanted: another model?"
            )
        vector = np.asarray(given, np.float64)
        length = float(np.linalg.norm(vector))
        if not np.isfinite(length) or length == 0:
            raise self._refused("sent an embedding without direction (NaN, infinite, or zero)")
        return np.asarray(vector / length, np.float32)

    def _refused(self, what: str) -> Problem:
        return Problem(f"The embedder {one_line(self._choice.title, 120)} {what}.")


def _prefixes(choice: Embedding) -> str:
    given = (choice.before_question, choice.before_passage)
    return f" {given!r}" if any(given) else ""


class Remembering:
    """An embedder that asks another one once for each text, and not for passages that `known` gives; `made` counts."""

    def __init__(self, embedder: Embedder, known: Callable[[str], Vector | None] = lambda _text: None) -> None:
        self._embedder, self._known = embedder, known
        self._questions: dict[bytes, Vector] = {}
        self._passages: dict[bytes, Vector] = {}
        self.dimensions, self.identity, self.made = embedder.dimensions, embedder.identity, 0

    def embed(self, text: str) -> Vector:
        """See Embedder."""
        named = _digest(text)
        if named not in self._questions:
            self._questions[named] = self._embedder.embed(text)
            self.made += 1
        return self._questions[named]

    def embed_passages(self, texts: Sequence[str]) -> list[Vector]:
        """See Embedder."""
        wanted = {_digest(text): text for text in texts}
        for named, text in wanted.items():
            if named not in self._passages and (vector := self._known(text)) is not None:
                self._passages[named] = vector
        missing = {named: text for named, text in wanted.items() if named not in self._passages}
        if missing:
            made = self._embedder.embed_passages(list(missing.values()))
            self._passages |= zip(missing, made, strict=True)
            self.made += len(missing)
        return [self._passages[_digest(text)] for text in texts]


def _digest(text: str) -> bytes:
    return hashlib.blake2b(text.encode(), digest_size=16).digest()
