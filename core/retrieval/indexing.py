"""Getting documents into the index: split, embed what is new, store everything at once. Knows no questions.

Splitting and embedding happen before the transaction, so the writer is never held up. A document is stored whole or
not at all, and has all of its vectors or none yet: until they follow (`catch_up`) it is found by its words.
"""

import json
import sqlite3
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from core.retrieval import listing, sections, versions
from core.retrieval.index import Index, add_vector, remove_chunks, touch
from core.retrieval.tools import Tools
from core.retrieval.values import (
    CURRENT,
    DELETED,
    Cancelled,
    Change,
    Embedder,
    Progress,
    ServerProblem,
    Settings,
    Vector,
)
from core.store import Store

SETTLED_EVERY = 1000  # passages embedded between two times of handing them to a server


@dataclass(frozen=True)
class Text:
    """One text on its way in. `snapshot`: None is the current view."""

    path: str
    text: str
    title: str
    metadata: Mapping[str, str]
    origin: str
    snapshot: str | None = None

    @property
    def hash(self) -> str:
        """Names the version this text is."""
        return versions.text_hash(self.text, self.title, self.metadata)


def incoming(
    path: str, text: str, origin: str, metadata: Mapping[str, str] | None = None, snapshot: str | None = None
) -> Text:
    """`text` cleaned, with its title and the metadata of its front matter. Raises Problem when it is no document."""
    text = versions.clean_text(text, path)
    given = {**sections.front_matter(text, path)[0], **(metadata or {})}
    return Text(path, text, sections.title(text, path), given, origin, snapshot)


class Indexer:
    """Writes documents, versions, chunks and vectors of one store."""

    def __init__(self, store: Store, index: Index, tools: Tools) -> None:
        self._store = store
        self._index = index
        self._tools = tools
        self._embedding = threading.Lock()

    def settings(self) -> Settings:
        """How documents are split and searched."""
        return Settings(**json.loads(self._store.read("SELECT settings FROM index_state")[0][0]))

    def embedded_by(self) -> str | None:
        """Identity of the embedder whose vectors the index holds."""
        found: str | None = self._store.read("SELECT embedder FROM index_state")[0][0]
        return found

    def put(self, given: Text, *, embed: bool = True) -> Change:
        """Make `given` the valid version of its path; with `embed` it is findable in every way when this returns."""
        began = time.perf_counter()
        embedder = self._tools.embedder if embed else None
        key, nodes, fresh = self._key(), [], 0
        indexed = self._indexed(given, key, with_vectors=embedder is not None)
        if not indexed:
            nodes = self._tools.pipeline.split(given.path, given.text, self.settings())
            if embedder is not None:
                fresh = self._embed(nodes, embedder)

        def change(connection: sqlite3.Connection) -> str:
            views = versions.views_to_write(connection, given.path, given.snapshot)
            before = versions.valid_hash(connection, given.path, views[0])
            version = versions.put_version(
                connection, given.path, given.text, given.title, given.metadata, given.origin, views
            )
            if CURRENT in views:
                versions.drop_from_view(connection, given.path, DELETED)
            if not indexed:
                self._store_nodes(connection, version, nodes, key)
            return "added" if before is None else "unchanged" if before == given.hash else "updated"

        kind = self._store.write(change)
        if embed:
            self.settle()
        return Change(given.path, kind, len(nodes), fresh, (time.perf_counter() - began) * 1000)

    def catch_up(self, progress: Progress, cancelled: Cancelled) -> int:
        """Split again what was split with other settings, embed what has no vector; gives how many were embedded."""
        self._resplit(cancelled)
        embedder = self._tools.embedder
        if embedder is None:
            return 0
        self._claim(embedder)
        waiting = self._store.read(
            "SELECT c.version, count(*) AS chunks, d.path FROM chunks c JOIN versions v ON v.id = c.version "
            "JOIN documents d ON d.id = v.document WHERE NOT EXISTS "
            "(SELECT 1 FROM embeddings e WHERE e.chunk = c.id) GROUP BY c.version ORDER BY c.version"
        )
        total, done, embedded = sum(row["chunks"] for row in waiting), 0, 0
        self.settle()
        for row in waiting:
            if cancelled():
                break
            with self._embedding:  # two jobs at once share what is to do: each document is embedded by one of them
                embedded += self._embed_version(row["version"], embedder)
            done += row["chunks"]
            progress(done / total, f"{row['path']}: {done} of {total} passages embedded")
            if done // SETTLED_EVERY > (done - row["chunks"]) // SETTLED_EVERY:
                self.settle()
        if waiting:
            self.settle()
        return embedded

    def settle(self) -> None:
        """Hand new vectors to the base's server, where it has one. One that cannot be reached is told at the next
        question; until then they wait, and are searched, here."""
        with suppress(ServerProblem):
            self._index.handover.settle()

    # -- inside ----------------------------------------------------------------------------------------------------

    def _key(self) -> str:
        """What chunks are made with: the splitting settings, the way tokens are counted, and their document's lead."""
        settings = self.settings()
        counted = "wordpiece" if self._tools.tokenizer.exact else "estimate"
        return f"{settings.splitter}/{settings.chunk_size}/{settings.overlap}/{counted}/lead"

    def _indexed(self, given: Text, key: str, *, with_vectors: bool) -> bool:
        """Whether that version is kept, split in this way, and (where asked) has all its vectors."""
        rows = self._store.read(
            "SELECT v.split, (SELECT count(*) FROM chunks c WHERE c.version = v.id AND NOT EXISTS "
            "(SELECT 1 FROM embeddings e WHERE e.chunk = c.id)) AS waiting "
            "FROM versions v JOIN documents d ON d.id = v.document WHERE d.path = ? AND v.hash = ?",
            (given.path, given.hash),
        )
        return bool(rows) and rows[0]["split"] == key and not (with_vectors and rows[0]["waiting"])

    def _embed(self, nodes: Sequence[Any], embedder: Embedder) -> int:
        """Give `nodes` their vectors; gives how many had to be made, the others being known already."""
        self._claim(embedder)
        return self._tools.pipeline.embed(nodes, embedder, self.known_vectors)

    def known_vectors(self, hashes: Sequence[bytes]) -> dict[bytes, Vector]:
        """The vectors there are, by `content_hash` of the text."""
        found: dict[bytes, Vector] = {}
        for at in range(0, len(hashes), 500):
            part = hashes[at : at + 500]
            rows = self._store.read(
                "SELECT c.hash, e.vector, e.id FROM chunks c JOIN embeddings e ON e.chunk = c.id "
                f"WHERE c.hash IN ({', '.join('?' * len(part))})",
                part,
            )
            found |= {row[0]: np.frombuffer(row[1], np.float32) for row in rows if row[1]}
            found |= self._known_there({int(row[2]): row[0] for row in rows if row[0] not in found})
        return found

    def _known_there(self, wanted: Mapping[int, bytes]) -> dict[bytes, Vector]:
        """Hash -> vector of numbers that lie at the server; what cannot be had from there is embedded again."""
        with suppress(ServerProblem):
            server = self._index.handover.searched() if wanted else None
            if server is not None:
                return {wanted[number]: vector for number, vector in server.get(list(wanted)).items()}
        return {}

    def _claim(self, embedder: Embedder) -> None:
        """Vectors of another embedder are worth nothing: drop them before the first of this one."""
        if self.embedded_by() == embedder.identity:
            return

        def change(connection: sqlite3.Connection) -> None:
            connection.execute("DELETE FROM embeddings")
            connection.execute("UPDATE index_state SET embedder = ?", (embedder.identity,))
            touch(connection, removals=1)

        self._store.write(change)

    def _resplit(self, cancelled: Cancelled) -> None:
        """Split again what is valid somewhere and was split in another way."""
        key, settings = self._key(), self.settings()
        rows = self._store.read(
            "SELECT DISTINCT v.id, v.text, d.path FROM views w JOIN versions v ON v.id = w.version "
            "JOIN documents d ON d.id = v.document WHERE v.split IS NOT ?",
            (key,),
        )
        for row in rows:
            if cancelled():
                return
            nodes = self._tools.pipeline.split(row["path"], row["text"], settings)
            self._store.write(partial(self._store_nodes, version=row["id"], nodes=nodes, key=key))

    def _store_nodes(self, connection: sqlite3.Connection, version: int, nodes: Sequence[Any], key: str) -> None:
        remove_chunks(connection, version)
        self._tools.pipeline.store.add(nodes, connection=connection, version=version)
        connection.execute("UPDATE versions SET split = ? WHERE id = ?", (key, version))

    def _embed_version(self, version: int, embedder: Embedder) -> int:
        rows = self._store.read(
            "SELECT c.* FROM chunks c WHERE c.version = ? AND NOT EXISTS "
            "(SELECT 1 FROM embeddings e WHERE e.chunk = c.id)",
            (version,),
        )
        nodes = self._tools.pipeline.nodes(listing.chunk(row).text for row in rows)
        self._embed(nodes, embedder)

        def change(connection: sqlite3.Connection) -> None:
            for row, node in zip(rows, nodes, strict=True):
                add_vector(connection, row["id"], np.asarray(node.embedding, np.float32))
            touch(connection)

        if rows:
            self._store.write(change)
        return len(rows)
