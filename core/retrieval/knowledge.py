"""The knowledge base: documents come in and are kept with their versions; questions find passages. Knows no screen.

Every change is one transaction: it is whole or absent, also after kill -9, and the next question sees it, in this
process and in any other that has the same file open.
"""

import json
import sqlite3
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path

from core.errors import Problem
from core.retrieval import bridges, listing, sources, versions
from core.retrieval.alone import one_at_a_time
from core.retrieval.filters import Filters, where
from core.retrieval.handover import Whereabouts
from core.retrieval.index import Index, content_hash, touch
from core.retrieval.indexing import Indexer, Text, incoming
from core.retrieval.rankings import Rankings
from core.retrieval.sources import Listing
from core.retrieval.syncing import Planned, Syncer
from core.retrieval.tools import Discover, Tools
from core.retrieval.values import (
    CURRENT,
    DELETED,
    MODES,
    TODAY,
    Cancelled,
    Change,
    Chunk,
    Document,
    Embedder,
    Embedding,
    Passage,
    Place,
    Progress,
    Retrieved,
    ServerProblem,
    Settings,
    Sync,
    Vector,
    Version,
)
from core.store import Store
from core.text import one_line

MOST_PASSAGES = 100
LONGEST_QUESTION = 8_000  # characters; the embedder reads only the first 512 tokens


def _silent(_done: float, _text: str) -> None:
    """Progress nobody looks at."""


def _never() -> bool:
    return False


def _unseen(_change: Change) -> None:
    """A change nobody looks at."""


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
        self._tools = Tools(self._index, embedder, vocab, discover)
        self._indexer = Indexer(store, self._index, self._tools)
        self._syncer = Syncer(store, self._indexer)

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
        hops: int = 1,
    ) -> Retrieved:
        """The best `top_k` passages for `text`, best first.

        `weight`, `threshold`: as in Settings, whose values hold when None. `snapshot`: None (current), or a name.
        `hops`: with 2 the passages of a second hop (bridges.py) follow, at most two more, where they are not there yet.
        Raises Problem on bad input. Without an embedder the words alone are searched, and `note` says so.
        """
        question, view = self._checked(text, top_k, mode, snapshot, hops)
        kept = self.settings
        chosen = replace(
            kept,
            weight=kept.weight if weight is None else weight,
            threshold=kept.threshold if threshold is None else threshold,
        )
        began = time.perf_counter()
        vector, note = self._question_vector(question) if mode != "sparse" else (None, None)
        embedded = time.perf_counter()
        used = "sparse" if vector is None else mode
        search = partial(
            self._tools.pipeline.retrieve, embedder=self._tools.embedder, view=view, metadata=filters,
            weight=chosen.weight,
        )  # fmt: skip
        hop = _Hop(self._store, self._question_vector, search, view, chosen.threshold)

        def searched(vector: Vector | None, used: str) -> tuple[list[Passage], list[Passage]]:
            found = search(question, vector, used, top_k)
            return found, hop.linked(question, vector, used) if hops == 2 else []

        try:
            found, linked = searched(vector, used)
        except ServerProblem as problem:
            note, used = f"Searched by words alone (BM25). {problem.message}", "sparse"
            found, linked = searched(None, used)
        passages = _strong(found, chosen.threshold)
        note = self._note(note, view, len(found), len(found) - len(passages), chosen.threshold)
        there = {(passage.document, passage.start) for passage in passages}
        passages += [passage for passage in linked if (passage.document, passage.start) not in there]
        embed = embedded - began + hop.embedding
        return Retrieved(tuple(passages), used, embed * 1000, (time.perf_counter() - began - embed) * 1000, note)

    def _checked(self, text: str, top_k: int, mode: str, snapshot: str | None, hops: int) -> tuple[str, str]:
        question = text.strip()[:LONGEST_QUESTION].encode("utf-8", "replace").decode().replace("\x00", " ")
        if not question:
            raise Problem("The question is empty.")
        if mode not in MODES:
            raise Problem(f"Unknown mode '{one_line(mode, 40)}'. Modes: {', '.join(MODES)}.")
        if not 1 <= top_k <= MOST_PASSAGES:
            raise Problem(f"top-k must lie between 1 and {MOST_PASSAGES}, not {top_k}.")
        if hops not in (1, 2):
            raise Problem(f"hops must be 1 or 2, not {hops}.")
        view = CURRENT if snapshot is None else snapshot
        if view != CURRENT and view not in self.snapshots():
            known = ", ".join([CURRENT, *self.snapshots()])
            raise Problem(f"There is no snapshot '{one_line(view, 40)}'. There are: {known}.")
        return question, view

    def _question_vector(self, question: str) -> tuple[Vector | None, str | None]:
        """The question's vector, or None; and what a person should know about it."""
        embedder = self._tools.embedder
        if embedder is None:
            return None, "No embedder yet (its file is not fetched): searched by words alone (BM25)."
        chunks, embedded = self.counts()
        if not embedded:
            return None, "The documents are not embedded yet: searched by words alone (BM25)." if chunks else None
        if self._indexer.embedded_by() != embedder.identity:
            return (
                None,
                "The documents were embedded by another model: searched by words alone (BM25). Index them again.",
            )
        try:
            vector = embedder.embed(question)
        except Problem as problem:
            return None, f"The embedder failed: searched by words alone (BM25). {problem.message}"
        if embedded == chunks:
            return vector, None
        return vector, f"{chunks - embedded} of {chunks} passages are not embedded yet: they are found by words alone."

    def _note(self, note: str | None, view: str, found: int, dropped: int, threshold: float) -> str | None:
        if not found and not self._store.read("SELECT 1 FROM views WHERE name = ? LIMIT 1", (view,)):
            return "The knowledge base is empty: add documents first."
        if dropped:
            return f"{dropped} of {found} passages lie below the threshold {threshold:g} and were left out."
        return note

    # -- looking ---------------------------------------------------------------------------------------------------

    def documents(self, view: str = CURRENT, search: str = "", first: int = 0, most: int = -1) -> list[Document]:
        """What `view` holds (DELETED: what was taken out of the current one), by path; `search`: in path or title.

        `first`, `most`: a page of them, from 0; -1: all.
        """
        return listing.documents(self._store, view, search, first, most)

    def standing(self, view: str = CURRENT) -> dict[str, int]:
        """Path -> version of every document of `view`: what an answer may depend on."""
        return listing.standing(self._store, view)

    def named(self, path: str, view: str = CURRENT) -> list[Document]:
        """The document of that path, if `view` holds it."""
        return [document for document in self.documents(view, path) if document.path == path]

    def count(self, view: str = CURRENT, search: str = "") -> int:
        """How many documents that are."""
        return listing.count(self._store, view, search)

    def versions(self, path: str) -> list[Version]:
        """Every kept text of a document, newest first."""
        return listing.versions(self._store, path)

    def text(self, path: str, version: int | None = None, snapshot: str | None = None) -> str:
        """A document's text: of one version, or as `snapshot` (None: current) has it."""
        return str(listing.version(self._store, path, version, snapshot)["text"])

    def chunks(self, path: str, version: int | None = None, snapshot: str | None = None) -> list[Chunk]:
        """A document's pieces as indexed, in order."""
        return listing.chunks(self._store, listing.version(self._store, path, version, snapshot)["id"])

    def preview(self, path: str, text: str, settings: Settings) -> list[Chunk]:
        """How `text` would be split with other settings. Changes nothing."""
        return self._tools.pipeline.preview(path, versions.clean_text(text, path), settings)

    def snapshots(self) -> list[str]:
        """The dated snapshots there are."""
        return listing.snapshots(self._store)

    def counts(self) -> tuple[int, int]:
        """(chunks, chunks with a vector) over all kept versions."""
        return listing.counts(self._store)

    # -- changing --------------------------------------------------------------------------------------------------

    def add(self, path: str, text: str, *, origin: str = "added", metadata: Mapping[str, str] | None = None) -> Change:
        """Add a document, or replace it when its path is already there; findable when this returns."""
        return self._indexer.put(incoming(versions.clean_path(path), text, origin, metadata))

    def update(self, path: str, text: str, *, origin: str = "edited") -> Change:
        """Replace a document's text; the old version is kept. Raises Problem when there is no such document."""
        was = listing.version(self._store, path, None, None)
        kept = {name: value for name, value in json.loads(was["metadata"]).items() if name == "type"}
        return self._indexer.put(incoming(path, text, origin, kept))

    def delete(self, path: str) -> Change:
        """Take a document out of the current view: retrieval forgets it at once; its versions stay for `restore`."""
        return self.delete_all([path])[0]

    def delete_all(self, paths: Sequence[str]) -> list[Change]:
        """Delete several documents, all of them or, when one is not there, none. Raises Problem."""
        began = time.perf_counter()

        def change(connection: sqlite3.Connection) -> None:
            for path in dict.fromkeys(paths):
                if not versions.delete(connection, path):
                    raise Problem(f"There is no document '{one_line(path, 80)}'.")

        self._store.write(change)
        spent = (time.perf_counter() - began) * 1000
        return [Change(path, "deleted", 0, 0, spent) for path in dict.fromkeys(paths)]

    def forget(self, path: str) -> Change:
        """Erase a document for good, with all its versions, from every snapshot."""
        began = time.perf_counter()
        self.versions(path)

        def change(connection: sqlite3.Connection) -> None:
            connection.execute("DELETE FROM views WHERE document = (SELECT id FROM documents WHERE path = ?)", (path,))
            connection.execute("DELETE FROM documents WHERE path = ?", (path,))
            touch(connection, removals=1)

        self._store.write(change)
        self._indexer.settle()
        return Change(path, "forgotten", 0, 0, (time.perf_counter() - began) * 1000)

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
        row = listing.version(self._store, path, version, None)
        old = Text(path, row["text"], row["title"], json.loads(row["metadata"]), row["origin"])
        return replace(self._indexer.put(old), kind="restored")

    def plan(
        self,
        listing: Listing,
        snapshot: str | None = None,
        *,
        into: str = "",
        origin: str = "folder",
        progress: Progress = _silent,
        cancelled: Cancelled = _never,
    ) -> Planned:
        """What bringing a view (None: the current one), or its folder `into`, in step with a source would do.

        Reads every file, changes nothing.
        """
        return self._syncer.plan(listing, snapshot, into, origin, progress, cancelled)

    def carry_out(
        self,
        planned: Planned,
        *,
        prune: bool = False,
        embed: bool = True,
        progress: Progress = _silent,
        cancelled: Cancelled = _never,
        changed: Callable[[Change], None] = _unseen,
    ) -> Sync:
        """Do what was planned: only what changed is split and embedded, what is missing removed only with `prune`.

        First every document is stored and found by its words, then vectors follow, one transaction a document.
        Cancelled or killed on the way, a new plan goes on where it stopped. Raises Problem.
        """
        return self._syncer.carry_out(planned, prune, embed, progress, cancelled, changed)

    def alone(self, waiting: Cancelled | None = None) -> AbstractContextManager[None]:
        """Around plan and carry_out: no other build of this base meanwhile, in whichever process.

        `waiting`: wait for the other one until that says stop. Raises Problem when there is another one.
        """
        return one_at_a_time(self._store.path, waiting)

    def sync_folder(
        self,
        folder: Path,
        snapshot: str | None = None,
        progress: Progress = _silent,
        cancelled: Cancelled = _never,
        *,
        prune: bool = False,
        embed: bool = True,
        waiting: Cancelled | None = None,
    ) -> Sync:
        """Plan and carry out at once for the files below `folder`."""
        with self.alone(waiting):
            planned = self.plan(
                sources.folder(folder), snapshot, progress=lambda done, text: progress(done / 10, text),
                cancelled=cancelled,
            )  # fmt: skip
            return self.carry_out(
                planned, prune=prune, embed=embed, progress=lambda done, text: progress(0.1 + 0.9 * done, text),
                cancelled=cancelled,
            )  # fmt: skip

    def ensure_folders(
        self, folders: Mapping[str, Path], progress: Progress = _silent, cancelled: Cancelled = _never
    ) -> None:
        """Bundled documents, one folder a snapshot, and all else there is, indexed. Quick when nothing is to do."""
        for snapshot, folder in folders.items():  # words of all first, so that everything is found at once
            self.sync_folder(folder, snapshot, _silent, cancelled, prune=True, embed=False, waiting=cancelled)
        self.catch_up(progress, cancelled)
        self.warm()

    def catch_up(self, progress: Progress = _silent, cancelled: Cancelled = _never) -> int:
        """Split again what was split with other settings, embed what has no vector; gives how many were embedded."""
        return self._indexer.catch_up(progress, cancelled)

    @property
    def settings(self) -> Settings:
        """How documents are split and searched."""
        return self._indexer.settings()

    def configure(self, settings: Settings) -> None:
        """Keep other settings. A new way of splitting reaches the documents with the next `catch_up`."""
        text = json.dumps(asdict(settings))
        self._store.write(lambda connection: connection.execute("UPDATE index_state SET settings = ?", (text,)))

    @property
    def embedding(self) -> Embedding:
        """What makes this base's vectors, as chosen."""
        return self._tools.choice

    def plan_embedding(self, choice: Embedding) -> tuple[Embedding, int]:
        """`choice` as it was seen to work, and how many passages would be embedded again. Changes nothing.

        Raises Problem when it embeds nothing.
        """
        known = self._tools.tried(choice)
        same = self._indexer.embedded_by() == known.identity
        chunks, embedded = self.counts()
        return known, chunks - embedded if same else chunks

    def embedder_of(self, choice: Embedding) -> Embedder:
        """The embedder of another choice, tried with one text; this base keeps its own. Raises Problem."""
        return self._tools.embedder_of(choice)

    def choose_embedding(self, known: Embedding) -> None:
        """Embed with what `plan_embedding` gave from now on. Until `catch_up` has made them anew, vectors of another
        embedder are not searched: words alone are."""
        text = json.dumps(asdict(known) if known.file or known.url or _prefixed(known) else {})
        self._store.write(lambda connection: connection.execute("UPDATE index_state SET embedding = ?", (text,)))

    @property
    def where(self) -> Whereabouts:
        """Where the vectors lie."""
        return self._index.handover.where()

    def move(self, place: Place | None, progress: Progress = _silent, cancelled: Cancelled = _never) -> Whereabouts:
        """Bring the vectors to a server, or (None) back here, without embedding anything; gives where they are then.

        The words stay here. Raises Problem when the server does not answer or does not hold what was put there.
        """
        self._index.handover.move(place, progress, cancelled)
        return self.where

    def give_up_server(self) -> int:
        """Forget the server with what it holds; gives how many passages have no vector now: `catch_up` makes them."""
        return self._index.handover.give_up()

    @property
    def generation(self) -> int:
        """A number that grows with every change of what can be found, by whichever process."""
        return int(self._store.read("SELECT generation FROM index_state")[0][0])

    @property
    def embedder(self) -> Embedder | None:
        """The embedder, taken up once it is to be had."""
        return self._tools.embedder

    def like(self, store: Store, embedder: Embedder | None = None) -> "KnowledgeBase":
        """An empty knowledge base over another store, with the same embedder (or that one) and vocabulary."""
        other = KnowledgeBase(store)
        other._tools.take_from(self._tools, embedder)
        return other

    def vector_of(self, text: str) -> Vector | None:
        """The vector of a passage's text, where the base holds it by the embedder of now."""
        embedder, named = self._tools.embedder, content_hash(text)
        if embedder is None or self._indexer.embedded_by() != embedder.identity:
            return None
        return self._indexer.known_vectors([named]).get(named)

    def metadata(self, path: str, snapshot: str | None = None) -> dict[str, str]:
        """What filters may ask of a document: its front matter and the type of its file."""
        found: dict[str, str] = json.loads(listing.version(self._store, path, None, snapshot)["metadata"])
        return found

    def rankings(self, filters: Filters | None = None) -> Rankings:
        """The current view, to be searched once a question and ranked in many ways."""
        return Rankings(self._index, self._tools.tokenizer, where(filters))

    def warm(self) -> None:
        """Do now what the first question would otherwise wait for: LlamaIndex's import, vectors into memory."""
        _ = self._tools.pipeline
        self._index.vectors.refresh()
        with suppress(Problem):  # a question will say it
            self._index.handover.searched()


def _prefixed(choice: Embedding) -> bool:
    return bool(choice.before_question or choice.before_passage)


@dataclass
class _Hop:
    """The second hop of one query. `embedding`: seconds spent on its questions' vectors."""

    store: Store
    vector_of: Callable[[str], tuple[Vector | None, str | None]]
    search: Callable[[str, Vector | None, str, int], list[Passage]]
    view: str
    threshold: float
    embedding: float = 0.0

    def linked(self, question: str, vector: Vector | None, mode: str) -> list[Passage]:
        """The two passages of the best bridge, or none. `mode`: the one the question itself was searched in."""
        first = _strong(self.search(question, vector, mode, bridges.POOL), self.threshold)
        bridge = bridges.best(question, first, lambda text: self._find(text, mode), lambda path: self._of(path, first))
        if bridge is None:
            return []
        return [replace(passage, linked=", ".join(bridge.words)) for passage in (bridge.start, bridge.end)]

    def _find(self, text: str, mode: str) -> list[Passage]:
        began = time.perf_counter()
        vector = self.vector_of(text)[0] if mode != "sparse" else None
        self.embedding += time.perf_counter() - began
        used = "sparse" if vector is None else mode
        return _strong(self.search(text, vector, used, bridges.POOL), self.threshold)

    def _of(self, path: str, first: list[Passage]) -> list[Passage]:
        """All passages of a document, those found first with their scores."""
        found = {(passage.document, passage.start): passage for passage in first}
        try:
            return [found.get((path, each.start), each) for each in listing.passages(self.store, path, self.view)]
        except Problem:  # deleted since it was found: it leads nowhere
            return []


def _strong(passages: list[Passage], threshold: float) -> list[Passage]:
    return [passage for passage in passages if not threshold or _strength(passage) >= threshold]


def _strength(passage: Passage) -> float:
    """What the threshold is held against: the cosine, or in sparse mode the score."""
    return passage.score if passage.similarity is None else passage.similarity
