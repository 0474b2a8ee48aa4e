"""The embedder behind the knowledge base: the engine's embedding worker. Knows no documents."""

from dataclasses import replace
from typing import TYPE_CHECKING

from core.retrieval.values import Vector

if TYPE_CHECKING:
    from core.engine import Engine, ModelSpec

MINILM_DIMENSIONS = 384
# Embedding shares the processor with the models that answer. On two busy cores one thread embedded 19 passages a second
# and two threads 3: each waits, spinning, for the other, which does not get its turn.
THREADS = 1


class EngineEmbedder:
    """Embeds through the engine, one text a call: a list was measured slower."""

    dimensions = MINILM_DIMENSIONS

    def __init__(self, engine: "Engine", spec: "ModelSpec") -> None:
        self._engine = engine
        self._spec = replace(spec, threads=spec.threads or THREADS)

    @property
    def identity(self) -> str:
        """The weights' hash; where the manifest gives none, the file's name and size."""
        return self._spec.sha256 or f"{self._spec.path.name}:{self._spec.path.stat().st_size}"

    def embed(self, text: str) -> Vector:
        """float32, shape (384,), length 1. Raises Problem when the worker cannot be had."""
        return self._engine.embed(self._spec, text)
