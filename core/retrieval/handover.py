"""Vectors that lie at a server: handed over after a change, looked after, taken back. Knows no text and no ranking.

Every vector is first stored in the base's own file, in the transaction of its chunk. What lies here is searched here;
`settle` hands it over and leaves an empty one as receipt. So a server that is down, or a process killed at any point,
loses nothing: what was not handed over waits, and handing over twice is once. The file knows how many vectors the
server must hold and which change was the last; a collection that says otherwise is not searched.
"""

import sqlite3
import threading
import time
import uuid
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from functools import partial

import numpy as np

from core import addresses
from core.errors import Problem
from core.retrieval import chroma
from core.retrieval.alone import one_at_a_time
from core.retrieval.values import Cancelled, Place, Progress, ServerProblem, VectorRow, VectorStore
from core.retrieval.vectors import Vectors
from core.store import Store

BATCH = 500  # vectors handed over in one go
LOOK_S = 5.0  # the server's count and version are compared with the books this often, at most
EXAMPLE = "http://127.0.0.1:8000"


@dataclass(frozen=True)
class Whereabouts:
    """Where a base's vectors lie now. `place` None: all here. `waiting`: here, to be handed over."""

    place: Place | None
    collection: str
    there: int
    waiting: int
    here: int


@dataclass(frozen=True)
class _Books:
    there: int
    waiting: int
    gone: int
    version: str
    next_version: str


class Handover:
    """The vectors of one base and the server that holds them, if one does."""

    def __init__(self, store: Store, here: Vectors) -> None:
        self._store = store
        self._here = here
        self._known: tuple[tuple[str, ...], VectorStore] | None = None
        self._looked = 0.0
        self._lock = threading.Lock()

    def where(self) -> Whereabouts:
        """Where the vectors lie, by the base's own books; nobody is asked."""
        row, books = self._row(), self._books()
        if row is None:
            return Whereabouts(None, "", 0, 0, self._here.count())
        place = Place(row["url"], row["key_variable"])
        return Whereabouts(place, row["collection"], books.there, books.waiting, books.waiting)

    def server(self) -> VectorStore | None:
        """The server's store; None where none is named or nothing lies there. Raises Problem: its packages or key."""
        row = self._row()
        if row is None:
            return None
        chosen = (row["url"], row["key_variable"], row["collection"])
        with self._lock:
            if self._known is None or self._known[0] != chosen:
                self._known = chosen, _connect(Place(*chosen[:2]), chosen[2])
                self._looked = 0.0
            return self._known[1]

    def searched(self) -> VectorStore | None:
        """The server's store for a search, found sound not long ago; None when nothing lies there. Raises Problem."""
        if not self._store.read("SELECT 1 FROM embeddings WHERE length(vector) = 0 LIMIT 1"):
            return None
        server = self.server()
        if server is not None and time.monotonic() - self._looked > LOOK_S:
            self.check(server)
            self._looked = time.monotonic()
        return server

    def check(self, server: VectorStore) -> None:
        """Raises ServerProblem when the server does not hold what was handed over."""
        wrong = self._wrong(server)
        for _ in range(2):  # somebody may be handing over just now, and then the books have moved
            if not wrong:
                return
            wrong = self._wrong(server)
        if wrong:
            raise ServerProblem(
                f"The collection at the vector server {wrong}. To give it up and embed the passages again: "
                "python -m core index move --vectors here --anew."
            )

    def _wrong(self, server: VectorStore) -> str:
        """What the server holds that the books do not say; "" when they agree, or moved meanwhile."""
        before = self._books()
        wrong = ""
        if server.version() not in (before.version, before.next_version):
            wrong = "was changed by somebody else, or belongs to another state of this base"
        elif not before.there <= (count := server.count()) <= before.there + before.waiting + before.gone:
            wrong = f"holds {count:,} vectors, and {before.there:,} were put there"
        return wrong if before == self._books() else ""

    def settle(self) -> bool:
        """Hand over what waits, delete there what is gone; False when another process is just doing it.

        Raises ServerProblem; what was not done waits.
        """
        if self._row() is None or not self._open_business():
            return True
        try:
            with self._alone():
                self._settle(lambda _share, _text: None, lambda: False)
        except ServerProblem:
            raise
        except Problem:
            return False
        return True

    def move(self, target: Place | None, progress: Progress, cancelled: Cancelled) -> None:
        """Bring all vectors to `target` (None: here). Cut short, what lies where stays known: move again.

        Raises Problem, above all when a server does not answer or holds something else.
        """
        if target is not None:
            addresses.check(target.url, EXAMPLE)
            addresses.check_pair(target.key_variable, target.url)
        with self._alone():
            now = self.where().place
            if now is not None and now != target:
                self._take_back(progress, cancelled)
            if target is not None and not cancelled():
                if now != target:
                    self._begin(target)
                self._settle(progress, cancelled)

    def give_up(self) -> int:
        """Forget the server and what lies there; gives how many passages have no vector now."""

        def change(db: sqlite3.Connection) -> int:
            db.execute("DELETE FROM vector_place")
            lost = db.execute("DELETE FROM embeddings WHERE length(vector) = 0").rowcount
            db.execute("DELETE FROM vectors_gone")
            _touch(db)
            return lost

        with self._alone():
            return self._store.write(change)

    # -- inside ----------------------------------------------------------------------------------------------------

    def _alone(self) -> AbstractContextManager[None]:
        path = self._store.path
        return one_at_a_time(path.with_name(f"{path.name}.vectors"))

    def _row(self) -> sqlite3.Row | None:
        rows = self._store.read("SELECT * FROM vector_place")
        return rows[0] if rows else None

    def _open_business(self) -> bool:
        return bool(
            self._store.read(
                "SELECT 1 WHERE EXISTS (SELECT 1 FROM vectors_gone) OR "
                "EXISTS (SELECT 1 FROM embeddings WHERE length(vector) > 0)"
            )
        )

    def _books(self) -> _Books:
        row = self._store.read(
            "SELECT (SELECT count(*) FROM embeddings WHERE length(vector) = 0), "
            "(SELECT count(*) FROM embeddings WHERE length(vector) > 0), (SELECT count(*) FROM vectors_gone), "
            "(SELECT version FROM vector_place), (SELECT next_version FROM vector_place)"
        )[0]
        return _Books(row[0], row[1], row[2], row[3] or "", row[4] or "")

    def _begin(self, target: Place) -> None:
        """A new collection at `target`, and a row in the books that names it."""
        name = chroma.new_name(self._store.path.stem)
        made = _connect(target, name, make=True)
        made.count()

        def change(db: sqlite3.Connection) -> None:
            db.execute("DELETE FROM vectors_gone")
            db.execute(
                "INSERT OR REPLACE INTO vector_place VALUES (1, ?, ?, ?, '', '')",
                (target.url, target.key_variable, name),
            )

        self._store.write(change)

    def _settle(self, progress: Progress, cancelled: Cancelled) -> None:
        server, row, books = self.server(), self._row(), self._books()
        if server is None or row is None:
            return
        if books.gone and not books.there:  # all that was there is void: other vectors, perhaps of another length
            place = Place(row["url"], row["key_variable"])
            self._begin(place)
            chroma.ChromaVectors(place, row["collection"]).drop()
            server = self.server() or server
        else:
            self.check(server)
        self._mark(server)
        while gone := [int(one[0]) for one in self._store.read("SELECT id FROM vectors_gone LIMIT ?", (BATCH,))]:
            server.delete(gone)
            self._store.write(partial(_strike, gone=gone))
        done, total = 0, books.waiting
        while not cancelled() and (rows := self._waiting()):
            server.put(rows)
            self._here.delete([row.id for row in rows])
            done += len(rows)
            progress(min(1.0, done / max(1, total)), f"{done:,} of {total:,} vectors handed over")

    def _mark(self, server: VectorStore) -> None:
        """Tell both sides which change is the next; killed between the two, either version is right."""
        version = uuid.uuid4().hex
        self._store.write(lambda db: db.execute("UPDATE vector_place SET next_version = ?", (version,)))
        server.mark(version)
        self._store.write(lambda db: db.execute("UPDATE vector_place SET version = ?", (version,)))

    def _waiting(self) -> list[VectorRow]:
        rows = self._store.read(
            "SELECT id, version, vector FROM embeddings WHERE length(vector) > 0 ORDER BY id LIMIT ?", (BATCH,)
        )
        return [VectorRow(row[0], row[1], np.frombuffer(row[2], np.float32)) for row in rows]

    def _take_back(self, progress: Progress, cancelled: Cancelled) -> None:
        """All vectors here again, checked, then the collection deleted."""
        server, done, total = self.server(), 0, self._books().there
        if server is None:
            return
        if total:
            self.check(server)
        while rows := self._store.read(
            "SELECT id, version FROM embeddings WHERE length(vector) = 0 ORDER BY id LIMIT ?", (BATCH,)
        ):
            if cancelled():
                return
            found = server.get([row[0] for row in rows])
            if len(found) < len(rows):
                raise ServerProblem(
                    f"{len(rows) - len(found)} vectors are not at the server any more. To embed the passages again: "
                    "python -m core index move --vectors here --anew."
                )
            self._here.put([VectorRow(row[0], row[1], found[row[0]]) for row in rows])
            done += len(rows)
            progress(min(1.0, done / max(1, total)), f"{done:,} of {total:,} vectors taken back")

        def leave(db: sqlite3.Connection) -> None:
            db.execute("DELETE FROM vector_place")
            db.execute("DELETE FROM vectors_gone")
            _touch(db)

        self._store.write(leave)
        with suppress(ServerProblem):  # everything is here: an empty shell there harms nobody
            server.drop()


def _connect(place: Place, name: str, *, make: bool = False) -> VectorStore:
    return chroma.ChromaVectors(place, name, make=make)


def _strike(db: sqlite3.Connection, gone: list[int]) -> None:
    db.executemany("DELETE FROM vectors_gone WHERE id = ?", [(one,) for one in gone])


def _touch(db: sqlite3.Connection) -> None:
    db.execute("UPDATE index_state SET generation = generation + 1, removals = removals + 1")
