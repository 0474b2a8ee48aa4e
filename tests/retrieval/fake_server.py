"""A vector server in memory, behind the interface of core.retrieval.chroma.ChromaVectors: up, down, tampered with."""

import itertools
from collections.abc import Sequence

import numpy as np

from core.retrieval.values import Bools, Ints, Missing, Place, ServerProblem, Vector, VectorRow


class FakeServer:
    """All collections; `class_` stands for ChromaVectors."""

    url = "http://vectors.invalid:1"

    def __init__(self) -> None:
        self.up = True
        self.collections: dict[str, dict[int, VectorRow]] = {}
        self.versions: dict[str, str] = {}
        self.class_ = _class(self)

    def start(self) -> None:
        self.up = True

    def stop(self) -> None:
        self.up = False

    def remove(self, name: str, count: int) -> None:
        for number in list(itertools.islice(self.collections[name], count)):
            del self.collections[name][number]

    def drop(self, name: str) -> None:
        del self.collections[name]

    def remake(self, name: str) -> None:
        self.versions[name] = ""


def _class(server: FakeServer) -> type:
    class FakeVectors:
        def __init__(self, place: Place, name: str, *, make: bool = False) -> None:
            assert place.url == server.url
            self.name = name
            if make and server.up:
                server.collections[name], server.versions[name] = {}, ""

        def _rows(self) -> dict[int, VectorRow]:
            if not server.up:
                raise ServerProblem(f"The vector server at {server.url} cannot be reached.")
            if self.name not in server.collections:
                raise Missing(f"The vector server at {server.url} has no collection {self.name} any more.")
            return server.collections[self.name]

        def put(self, rows: Sequence[VectorRow]) -> None:
            kept = self._rows()
            for row in rows:
                kept.setdefault(row.id, row)

        def delete(self, ids: Sequence[int]) -> None:
            for number in ids:
                self._rows().pop(number, None)

        def get(self, ids: Sequence[int]) -> dict[int, Vector]:
            kept = self._rows()
            return {number: kept[number].vector for number in ids if number in kept}

        def search(self, query: Vector, count: int, visible: Bools) -> tuple[Ints, Vector]:
            rows = [row for row in self._rows().values() if row.version < len(visible) and visible[row.version]]
            cosines = np.array([float(np.vecdot(row.vector, query)) for row in rows], np.float32)
            best = np.argsort(-cosines, kind="stable")[:count]
            return np.array([rows[at].id for at in best], np.int64), cosines[best]

        def count(self) -> int:
            return len(self._rows())

        def version(self) -> str:
            self._rows()
            return server.versions[self.name]

        def mark(self, version: str) -> None:
            self._rows()
            server.versions[self.name] = version

        def drop(self) -> None:
            self._rows()
            del server.collections[self.name]

    return FakeVectors
