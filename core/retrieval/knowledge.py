"""The knowledge base: documents come in, are split, embedded and kept; questions find passages. Knows no screen.

A change is one transaction: it is whole or absent, also after kill -9. Splitting and embedding happen before it, so the
writer is never held up. A document whose vectors are still to come is already found by its words.
"""

import json
import sqlite3
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from core.errors import Problem
from core.paths import ROOT
from core.retrieval import files, sections, versions
from core.retrieval.embedders import EngineEmbedder
from core.retrieval.filters import Filters
from core.retrieval.index import Index, add_vector, remove_chunks, touch
from core.retrieval.values import (
    CURRENT,
    MODES,
    TODAY,
    TRAINING_DAY,
    Cancelled,
    Change,
    Chunk,
    Document,
    Embedder,
    Progress,
    Retrieved,
    Settings,
    Sync,
    Vector,
    Version,
)
from core.retrieval.wordpiece import WordPiece
from core.store import Store
from core.text import one_line

if TYPE_CHECKING:
    from core.engine import Engine
    from core.retrieval.llama import Pipeline

DELETED = "deleted"  # the view that remembers which version a deleted document had
MOST_PASSAGES = 100
LONGEST_QUESTION = 8_000  # characters; the embedder reads only the first 512 tokens
DEMO = ROOT / "models" / "brightwater"

Discover = Callable[[], tuple[Embedder, Path | None] | None]


def open_knowledge(store: Store, engine: "Engine") -> "KnowledgeBase":
    """The app's knowledge base; it takes up the embedder as soon as its file has been fetched."""

    def discover() -> tuple[Embedder, Path | None] | None:
        from models import catalog

        try:
            return EngineEmbedder(engine, catalog.spec("embedder")), catalog.vocab()
        except Problem:  # not fetched yet: words alone are searched, and every answer says so
            return None

    return KnowledgeBase(store, discover=discover)


class KnowledgeBase:
    """Documents in `store`, embedded by `embedder` (None: words only), split by tokens of `vocab` (None: estimated)."""

    def __init__(
        self,
        store: Store,
        embedder: Embedder | None = None,
        vocab: Path | None = None,
        *,
        discover: Discover | None = None,
    ) -> None:
        self._store = store
        self._index = Index(store)
        self._embedder = embedder
        self._tokenizer = WordPiece(vocab)
        self._discover = discover
        self._made: Pipeline | None = None
        self._lock = threading.RLock()

    # -- asking ----------------------------------------------------------------------------------------------------

    def query(
        self,
        text: str,
        top_k: int = 3,
        mode: str = "hybrid",
        *,
        weight: float | None = None,
        threshold: float | None = None,
        snapshot: str | None = None,
        filters: Filters | None = None,
    ) -> Retrieved:
        """The best `top_k` passages for `text`, best first.

        `weight`, `threshold`: as in Settings, whose values hold when None. `snapshot`: None (current), or a name.
        Raises Problem on bad input. Without an embedder the words alone are searched, and `note` says so.
        """
        settings = self.settings
        chosen = replace(
            settings,
            weight=settings.weight if weight is None else weight,
            threshold=settings.threshold if threshold is None else threshold,
        )
        question, view = self._checked(text, top_k, mode, snapshot)
        began = time.perf_counter()
        vector, note = self._question_vector(question) if mode != "sparse" else (None, None)
        embedded = time.perf_counter()
        used = mode if vector is not None else "sparse"
        passages = self._pipeline().retrieve(
            question, vector, used, top_k, embedder=self._embedder, view=view, metadata=filters, weight=chosen.weight
        )
        kept = tuple(
            passage
            for passage in passages
            if (passage.score if passage.similarity is None else passage.similarity) >= chosen.threshold
        )
        if not passages and not self._store.read("SELECT 1 FROM views WHERE name = ? LIMIT 1", (view,)):
            note = "The knowledge base is empty: add documents first."
        elif len(kept) < len(passages):
            note = f"{len(passages) - len(kept)} passages below the threshold {chosen.threshold:g} were left out."
        done = time.perf_counter()
        return Retrieved(kept, used, (embedded - began) * 1000, (done - embedded) * 1000, note)

    def _checked(self, text: str, top_k: int, mode: str, snapshot: str | None) -> tuple[str, str]:
        question = text.strip()[:LONGEST_QUESTION].encode("utf-8", "replace").decode().replace("\x00", " ")
        if not question:
            raise Problem("The question is empty.")
        if mode not in MODES:
            raise Problem(f"Unknown mode '{one_line(mode, 40)}'. Modes: {', '.join(MODES)}.")
        if not 1 <= top_k <= MOST_PASSAGES:
            raise Problem(f"top-k must lie between 1 and {MOST_PASSAGES}, not {top_k}.")
        view = CURRENT if snapshot is None else snapshot
        if view != CURRENT and view not in self.snapshots():
            known = ", ".join([CURRENT, *self.snapshots()])
            raise Problem(f"There is no snapshot '{one_line(view, 40)}'. There are: {known}.")
        return question, view

    def _question_vector(self, question: str) -> tuple[Vector | None, str | None]:
        """The question's vector, or None; and what a person should know."""
        embedder = self.embedder
        if embedder is None:
            return None, "No embedder yet (its file is not fetched): searched by words alone (BM25)."
        chunks, embedded = self.counts()
        if not embedded and chunks:
            return None, "The documents are not embedded yet: searched by words alone (BM25)."
        if embedded and self._state("embedder") != embedder.identity:
            return (
                None,
                "The documents were embedded by another model; index them again. Searched by words alone (BM25).",
            )
        note = f"{chunks - embedded} of {chunks} passages are not embedded yet: those are found by words alone."
        try:
            return embedder.embed(question), note if embedded < chunks else None
        except Problem as problem:
            return None, f"The embedder failed ({problem.message}) Searched by words alone (BM25)."

    # -- documents -------------------------------------------------------------------------------------------------

    def documents(self, view: str = CURRENT, search: str = "") -> list[Document]:
        """What `view` holds ("deleted": what was taken out of the current one), by path; `search`: in path or title."""
        rows = self._store.read(
            """
            SELECT d.path, v.title, v.id AS version, v.origin, v.made, length(v.text) AS characters,
                (SELECT count(*) FROM versions o WHERE o.document = d.id) AS versions,
                (SELECT count(*) FROM chunks c WHERE c.version = v.id) AS chunks,
                (SELECT count(*) FROM chunks c JOIN embeddings e ON e.chunk = c.id WHERE c.version = v.id) AS embedded,
                (SELECT coalesce(sum(c.tokens), 0) FROM chunks c WHERE c.version = v.id) AS tokens,
                (SELECT t.version FROM views t WHERE t.name = :today AND t.document = d.id) AS shipped
            FROM views w JOIN versions v ON v.id = w.version JOIN documents d ON d.id = w.document
            WHERE w.name = :view AND (instr(lower(d.path), :search) OR instr(lower(v.title), :search))
            ORDER BY d.path
            """,
            {"view": view, "today": TODAY, "search": search.strip().lower()},
        )
        return [_document(row, view) for row in rows]

    def versions(self, path: str) -> list[Version]:
        """Every kept text of a document, newest first."""
        rows = self._store.read(
            "SELECT v.*, (SELECT group_concat(w.name, '\n') FROM views w WHERE w.version = v.id) AS views "
            "FROM versions v JOIN documents d ON d.id = v.document WHERE d.path = ? ORDER BY v.id DESC",
            (path,),
        )
        if not rows:
            raise Problem(f"There is no document '{one_line(path, 80)}'.")
        return [
            Version(row["id"], row["made"], row["origin"], len(row["text"]), tuple((row["views"] or "").split()))
            for row in rows
        ]

    def text(self, path: str, version: int | None = None, snapshot: str | None = None) -> str:
        """A document's text: of one version, or as `snapshot` (None: current) has it."""
        return str(self._version_row(path, version, snapshot)["text"])

    def chunks(self, path: str, version: int | None = None, snapshot: str | None = None) -> list[Chunk]:
        """A document's pieces as indexed, in order."""
        found = self._version_row(path, version, snapshot)["id"]
        rows = self._store.read("SELECT * FROM chunks WHERE version = ? ORDER BY start, id", (found,))
        return [_chunk(row) for row in rows]

    def preview(self, path: str, text: str, settings: Settings) -> list[Chunk]:
        """How `text` would be split with other settings. Changes nothing."""
        from core.retrieval.llama import chunk

        return [chunk(node) for node in self._pipeline().split(path, versions.clean_text(text, path), settings)]

    def snapshots(self) -> list[str]:
        """The dated snapshots there are."""
        rows = self._store.read(
            "SELECT DISTINCT name FROM views WHERE name NOT IN (?, ?) ORDER BY name DESC", (CURRENT, DELETED)
        )
        return [row[0] for row in rows]

    def counts(self) -> tuple[int, int]:
        """(chunks, chunks with a vector) over all kept versions."""
        row = self._store.read("SELECT (SELECT count(*) FROM chunks), (SELECT count(*) FROM embeddings)")[0]
        return int(row[0]), int(row[1])

    # -- changing --------------------------------------------------------------------------------------------------

    def add(self, path: str, text: str, *, origin: str = "added", metadata: Mapping[str, str] | None = None) -> Change:
        """Add a document, or replace it when its path is already there; findable when this returns."""
        return self._put(versions.clean_path(path), text, origin, metadata or {})

    def update(self, path: str, text: str, *, origin: str = "edited") -> Change:
        """Replace a document's text; the old version is kept. Raises Problem when there is no such document."""
        self._version_row(path, None, None)
        return self._put(path, text, origin, {})

    def delete(self, path: str) -> Change:
        """Take a document out of the current view: retrieval forgets it at once; its versions stay for `restore`."""
        began = time.perf_counter()
        version = self._version_row(path, None, None)

        def change(connection: sqlite3.Connection) -> None:
            versions.drop_from_view(connection, path, CURRENT)
            connection.execute(
                "INSERT OR REPLACE INTO views VALUES (?,?,?)", (DELETED, version["document"], version["id"])
            )

        self._store.write(change)
        return Change(path, "deleted", 0, 0, _ms(began))

    def forget(self, path: str) -> Change:
        """Erase a document for good, with all its versions, from every snapshot."""
        began = time.perf_counter()
        self.versions(path)

        def change(connection: sqlite3.Connection) -> None:
            connection.execute("DELETE FROM views WHERE document = (SELECT id FROM documents WHERE path = ?)", (path,))
            connection.execute("DELETE FROM documents WHERE path = ?", (path,))
            touch(connection, removals=1)

        self._store.write(change)
        return Change(path, "deleted", 0, 0, _ms(began))

    def restore(self, path: str, version: int | None = None) -> Change:
        """Make an old version the current one. None: undo a deletion, else go back to the text as shipped today."""
        if version is None:
            rows = self._store.read(
                "SELECT w.version FROM views w JOIN documents d ON d.id = w.document WHERE d.path = ? "
                "AND w.name IN (?, ?) ORDER BY w.name = ? DESC",
                (path, DELETED, TODAY, DELETED),
            )
            if not rows:
                raise Problem(f"'{one_line(path, 80)}' is neither deleted nor part of the snapshot '{TODAY}'.")
            version = int(rows[0][0])
        row = self._version_row(path, version, None)
        change = self._put(path, row["text"], row["origin"], json.loads(row["metadata"]), title=row["title"])
        return replace(change, kind="restored")

    def sync_folder(
        self,
        folder: Path,
        snapshot: str | None = None,
        progress: Progress = lambda _done, _text: None,
        cancelled: Cancelled = lambda: False,
    ) -> Sync:
        """Bring `snapshot` (None: the current view) in step with `folder`: only what changed is split and embedded.

        First every document is stored and found by its words, then vectors follow, one transaction a document.
        Cancelled or killed on the way, it goes on where it stopped when run again.
        """
        view = CURRENT if snapshot is None else snapshot
        names, skipped = files.listing(folder)
        before = self._store.read(
            "SELECT d.path, v.hash, v.split FROM views w JOIN documents d ON d.id = w.document "
            "JOIN versions v ON v.id = w.version WHERE w.name = ?",
            (view,),
        )
        known = {row["path"]: (row["hash"], row["split"]) for row in before}
        counted = {"added": 0, "updated": 0, "unchanged": 0}
        for at, name in enumerate(names):
            if cancelled():
                return Sync(**counted, deleted=0, embedded=0, skipped=tuple(skipped), complete=False)
            try:
                kind = self._sync_one(folder, name, snapshot, known.get(name))
            except Problem as problem:
                skipped.append((name, problem.message))
            else:
                counted[kind] += 1
            progress(0.2 * (at + 1) / len(names), f"{name}")
        gone = sorted(known.keys() - set(names))
        if gone:
            self._store.write(lambda connection: _drop(connection, gone, snapshot))
        embedded = self.catch_up(lambda done, text: progress(0.2 + 0.8 * done, text), cancelled)
        complete = not cancelled()
        return Sync(**counted, deleted=len(gone), embedded=embedded, skipped=tuple(skipped), complete=complete)

    def ensure_demo(self, progress: Progress = lambda _done, _text: None, cancelled: Cancelled = lambda: False) -> None:
        """The demo company's documents, training day and today, indexed and up to date. Quick when nothing is to do."""
        for share, snapshot in ((0.0, TRAINING_DAY), (0.5, TODAY)):
            self.sync_folder(
                DEMO / snapshot,
                snapshot,
                lambda done, text, share=share: progress(share + done / 2, text),  # type: ignore[misc]
                cancelled,
            )

    def catch_up(self, progress: Progress = lambda _done, _text: None, cancelled: Cancelled = lambda: False) -> int:
        """Split again what was split with other settings, embed what has no vector; gives how many were embedded."""
        self._resplit(cancelled)
        embedder = self.embedder
        if embedder is None:
            return 0
        self._claim(embedder)
        waiting = self._store.read(
            "SELECT c.version, count(*) AS chunks, d.path FROM chunks c JOIN versions v ON v.id = c.version "
            "JOIN documents d ON d.id = v.document WHERE NOT EXISTS "
            "(SELECT 1 FROM embeddings e WHERE e.chunk = c.id) GROUP BY c.version ORDER BY c.version"
        )
        total, done = sum(row["chunks"] for row in waiting), 0
        for row in waiting:
            if cancelled():
                break
            self._embed_version(row["version"], embedder)
            done += row["chunks"]
            progress(done / total, f"{row['path']}: {done} of {total} passages embedded")
        return done

    @property
    def settings(self) -> Settings:
        """How documents are split and searched."""
        return Settings(**json.loads(self._state("settings") or "{}"))

    def configure(self, settings: Settings) -> None:
        """Keep other settings. A new way of splitting reaches the documents with the next `catch_up`."""
        text = json.dumps(asdict(settings))
        self._store.write(lambda connection: connection.execute("UPDATE index_state SET settings = ?", (text,)))

    @property
    def embedder(self) -> Embedder | None:
        """The embedder, taken up once it is to be had."""
        with self._lock:
            if self._embedder is None and self._discover is not None:
                found = self._discover()
                if found is not None:
                    self._embedder, vocab = found
                    self._tokenizer = WordPiece(vocab)
                    self._made = None
            return self._embedder

    def warm(self) -> None:
        """Do now what the first question would otherwise wait for: LlamaIndex's import, vectors into memory."""
        self._pipeline()
        self._index.vectors.refresh()

    # -- inside ----------------------------------------------------------------------------------------------------

    def _pipeline(self) -> "Pipeline":
        with self._lock:
            if self._made is None:
                from core.retrieval.llama import Pipeline

                self._made = Pipeline(self._index, self._tokenizer)
            return self._made

    def _state(self, column: str) -> str | None:
        value = self._store.read(f"SELECT {column} FROM index_state")[0][0]  # a fixed name
        return None if value is None else str(value)

    def _split_key(self) -> str:
        """What a version's chunks were made with: the splitting settings and the way tokens are counted."""
        settings = self.settings
        counted = "wordpiece" if self._tokenizer.exact else "estimate"
        return f"{settings.splitter}/{settings.chunk_size}/{settings.overlap}/{counted}"

    def _version_row(self, path: str, version: int | None, snapshot: str | None) -> sqlite3.Row:
        sql, params = "v.id = ?", (version,)
        if version is None:
            sql = "v.id IN (SELECT w.version FROM views w WHERE w.name = ?)"
            params = (snapshot or CURRENT,)  # type: ignore[assignment]
        rows = self._store.read(
            f"SELECT v.* FROM versions v JOIN documents d ON d.id = v.document WHERE d.path = ? AND {sql}",
            (path, *params),
        )
        if not rows:
            raise Problem(f"There is no document '{one_line(path, 80)}'{' in that version' if version else ''}.")
        return rows[0]

    def _put(
        self,
        path: str,
        text: str,
        origin: str,
        metadata: Mapping[str, str],
        *,
        title: str | None = None,
        snapshot: str | None = None,
        embed: bool = True,
    ) -> Change:
        """Make `text` the valid version of `path`: split, embed what is new in it, store everything at once."""
        began = time.perf_counter()
        text = versions.clean_text(text, path)
        given = {**sections.front_matter(text)[0], **metadata}
        title = title or sections.title(text, path)
        embedder = self.embedder if embed else None
        key, nodes, fresh = self._split_key(), [], 0
        named = versions.text_hash(text, title, given)
        indexed = self._indexed(path, named, key, with_vectors=embedder is not None)
        if not indexed:
            nodes = self._pipeline().split(path, text, self.settings)
            if embedder is not None:
                fresh = self._embed(nodes, embedder)
        was = self._store.read("SELECT 1 FROM documents WHERE path = ?", (path,))

        def change(connection: sqlite3.Connection) -> bool:
            views = versions.views_to_write(connection, path, snapshot)
            before = versions.valid_hash(connection, path, views[0])
            version = versions.put_version(connection, path, text, title, given, origin, views).id
            if CURRENT in views:
                versions.drop_from_view(connection, path, DELETED)
            if not indexed:
                remove_chunks(connection, version)
                self._pipeline().store.add(nodes, connection=connection, version=version)
                connection.execute("UPDATE versions SET split = ? WHERE id = ?", (key, version))
            return before == named

        same = self._store.write(change)
        kind = "unchanged" if same else "updated" if was else "added"
        return Change(path, kind, len(nodes), fresh, _ms(began))

    def _sync_one(self, folder: Path, name: str, snapshot: str | None, known: tuple[str, str] | None) -> str:
        text, metadata = files.read(folder, name)
        text = versions.clean_text(text, name)
        given = {**sections.front_matter(text)[0], **metadata}
        if known and known[0] == versions.text_hash(text, sections.title(text, name), given) and known[1]:
            return "unchanged"
        self._put(name, text, "folder", metadata, snapshot=snapshot, embed=False)
        return "updated" if known else "added"

    def _indexed(self, path: str, named: str, key: str, *, with_vectors: bool) -> bool:
        """Whether that version is kept, split in this way, and (where asked) has all its vectors."""
        rows = self._store.read(
            "SELECT v.split, (SELECT count(*) FROM chunks c WHERE c.version = v.id AND NOT EXISTS "
            "(SELECT 1 FROM embeddings e WHERE e.chunk = c.id)) AS waiting "
            "FROM versions v JOIN documents d ON d.id = v.document WHERE d.path = ? AND v.hash = ?",
            (path, named),
        )
        return bool(rows) and rows[0]["split"] == key and not (with_vectors and rows[0]["waiting"])

    def _embed(self, nodes: Sequence[Any], embedder: Embedder) -> int:
        """Give `nodes` their vectors; gives how many had to be made, the rest being known already."""
        self._claim(embedder)
        return self._pipeline().embed(nodes, embedder, self._known_vectors)

    def _known_vectors(self, hashes: Sequence[bytes]) -> dict[bytes, Vector]:
        found: dict[bytes, Vector] = {}
        for at in range(0, len(hashes), 500):
            part = hashes[at : at + 500]
            rows = self._store.read(
                "SELECT c.hash, e.vector FROM chunks c JOIN embeddings e ON e.chunk = c.id "
                f"WHERE c.hash IN ({', '.join('?' * len(part))})",
                part,
            )
            found |= {row[0]: np.frombuffer(row[1], np.float32) for row in rows}
        return found

    def _claim(self, embedder: Embedder) -> None:
        """Vectors of another embedder are worth nothing: drop them before the first of this one."""
        if self._state("embedder") == embedder.identity:
            return

        def change(connection: sqlite3.Connection) -> None:
            connection.execute("DELETE FROM embeddings")
            connection.execute("UPDATE index_state SET embedder = ?", (embedder.identity,))
            touch(connection, removals=1)

        self._store.write(change)

    def _resplit(self, cancelled: Cancelled) -> None:
        """Split again what is valid somewhere and was split in another way."""
        key = self._split_key()
        rows = self._store.read(
            "SELECT DISTINCT v.id, v.text, d.path FROM views w JOIN versions v ON v.id = w.version "
            "JOIN documents d ON d.id = v.document WHERE v.split IS NOT ?",
            (key,),
        )
        for row in rows:
            if cancelled():
                return
            nodes = self._pipeline().split(row["path"], row["text"], self.settings)
            self._store.write(partial(self._replace, version=row["id"], nodes=nodes, key=key))

    def _replace(self, connection: sqlite3.Connection, version: int, nodes: Sequence[Any], key: str) -> None:
        remove_chunks(connection, version)
        self._pipeline().store.add(nodes, connection=connection, version=version)
        connection.execute("UPDATE versions SET split = ? WHERE id = ?", (key, version))

    def _embed_version(self, version: int, embedder: Embedder) -> None:
        rows = self._store.read(
            "SELECT c.* FROM chunks c WHERE c.version = ? AND NOT EXISTS "
            "(SELECT 1 FROM embeddings e WHERE e.chunk = c.id)",
            (version,),
        )
        nodes = self._pipeline().nodes(_chunk(row).text for row in rows)
        self._embed(nodes, embedder)

        def change(connection: sqlite3.Connection) -> None:
            for row, node in zip(rows, nodes, strict=True):
                add_vector(connection, row["id"], np.asarray(node.embedding, np.float32))
            touch(connection)

        self._store.write(change)


def _drop(connection: sqlite3.Connection, gone: Sequence[str], snapshot: str | None) -> None:
    """Take what a folder no longer holds out of the views that follow it."""
    for path in gone:
        for view in versions.views_to_write(connection, path, snapshot):
            versions.drop_from_view(connection, path, view)


def _document(row: sqlite3.Row, view: str) -> Document:
    if view == DELETED:
        state = "deleted"
    elif row["shipped"] is None:
        state = "added"
    else:
        state = "as shipped" if row["shipped"] == row["version"] else "edited"
    same = ("path", "title", "version", "versions", "chunks", "embedded", "tokens", "characters", "origin")
    return Document(**{name: row[name] for name in same}, changed=row["made"], state=state)


def _chunk(row: sqlite3.Row) -> Chunk:
    return Chunk(row["title"], row["heading"], row["body"], row["start"], row["stop"], row["tokens"])


def _ms(began: float) -> float:
    return (time.perf_counter() - began) * 1000
