"""The embedder behind the knowledge base: the engine's embedding worker. Knows no documents."""

from typing import TYPE_CHECKING

from core.retrieval.values import Vector

if TYPE_CHECKING:
    from core.engine import Engine, ModelSpec

MINILM_DIMENSIONS = 384


class EngineEmbedder:
    """Embeds through the engine, one text a call: a list was measured slower."""

    dimensions = MINILM_DIMENSIONS

    def __init__(self, engine: "Engine", spec: "ModelSpec") -> None:
        self._engine = engine
        self._spec = spec

    @property
    def identity(self) -> str:
        """The weights' hash; where the manifest gives none, the file's name and size."""
        return self._spec.sha256 or f"{self._spec.path.name}:{self._spec.path.stat().st_size}"

    def embed(self, text: str) -> Vector:
        """float32, shape (384,), length 1. Raises Problem when the worker cannot be had."""
        return self._engine.embed(self._spec, text)
