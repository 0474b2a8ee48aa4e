"""A deterministic embedder for tests: a bag of hashed words. Knows no meaning, only common words."""

import hashlib
import re

import numpy as np

from core.retrieval.values import Vector


class HashEmbedder:
    """Each word adds a fixed pseudo-random direction; `calls` counts the texts embedded."""

    def __init__(self, dimensions: int = 384, identity: str = "fake-1") -> None:
        self.dimensions = dimensions
        self.identity = identity
        self.calls: list[str] = []
        self._directions: dict[str, Vector] = {}

    def embed(self, text: str) -> Vector:
        self.calls.append(text)
        total = np.zeros(self.dimensions, np.float32)
        for word in re.findall(r"\w+", text.lower()):
            if word not in self._directions:
                seed = int.from_bytes(hashlib.sha256(word.encode()).digest()[:8], "big")
                self._directions[word] = np.random.default_rng(seed).standard_normal(self.dimensions).astype(np.float32)
            total += self._directions[word]
        length = float(np.linalg.norm(total))
        return total / length if length else np.eye(1, self.dimensions, dtype=np.float32)[0]

    def embed_passages(self, texts: list[str]) -> list[Vector]:
        return [self.embed(text) for text in texts]
