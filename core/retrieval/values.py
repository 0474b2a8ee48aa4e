"""What goes into and comes out of the knowledge base. Plain data; knows no storage and no search."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from core.errors import Problem
from core.retrieval import words

Vector = NDArray[np.float32]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Progress = Callable[[float, str], None]  # (share done 0..1, what is being done)
Cancelled = Callable[[], bool]

MODES = ("hybrid", "dense", "sparse")
SPLITTERS = ("headings", "sentences")
LEAST_CHUNK: Final = 16  # tokens; a quarter of it must hold any one letter
MOST_CHUNK: Final = 480
CURRENT = "current"  # the view in which a person's own edits happen
DELETED = "deleted"  # the view that remembers which version a deleted document had
TODAY, TRAINING_DAY = "today", "training-day"  # the demo company's two snapshots


BUNDLED: Final = "bundled"  # what the bundled embedder is called where a base has another one


@dataclass(frozen=True)
class Embedding:
    """What makes a base's vectors; neither `file` nor `url`: the bundled embedder.

    `file`: a GGUF, by its id in the catalogue or its path. `url`, `name`: an OpenAI-compatible endpoint and what it
    knows the model by; `key_variable`: the environment variable with its key. `before_question`, `before_passage`:
    what the model wants to read before either ("query: "). `dimensions`, `identity`: as seen when it was chosen.
    """

    file: str = ""
    url: str = ""
    name: str = ""
    key_variable: str = ""
    before_question: str = ""
    before_passage: str = ""
    dimensions: int = 0
    identity: str = ""

    @property
    def title(self) -> str:
        """What a person reads."""
        if self.url:
            return f"{self.name} at {self.url}"
        return self.file or "the bundled embedder"


class Embedder(Protocol):
    """Turns texts into vectors of `dimensions` floats of length 1. `identity` names weights, dimensions and prefixes:
    vectors of two identities are never compared."""

    @property
    def dimensions(self) -> int: ...
    @property
    def identity(self) -> str: ...
    def embed(self, text: str) -> Vector:
        """A question's: float32, shape (dimensions,), L2-normalised. Raises Problem when it is not to be had."""
        ...

    def embed_passages(self, texts: Sequence[str]) -> list[Vector]:
        """Passages', one each, in order. Raises Problem when not all are to be had."""
        ...


@dataclass(frozen=True)
class Place:
    """A vector server. `key_variable`: the environment variable that holds its key; empty: it wants none."""

    url: str
    key_variable: str = ""


@dataclass(frozen=True)
class VectorRow:
    """A vector with its number in `embeddings`, which is never given twice, and the version its chunk belongs to."""

    id: int
    version: int
    vector: Vector


class ServerProblem(Problem):
    """A vector server that cannot be used now: words alone are searched, and the answer says so."""


class Missing(ServerProblem):
    """The server answers, and has no such collection."""


class VectorStore(Protocol):
    """Where vectors of one base lie, by number: in its own SQLite file, or at a server. Its calls end in time.

    `version` is what `mark` said last; another one means that the store was changed by somebody else. Raises Problem.
    """

    def put(self, rows: Sequence[VectorRow]) -> None: ...
    def delete(self, ids: Sequence[int]) -> None: ...
    def get(self, ids: Sequence[int]) -> dict[int, Vector]: ...
    def search(self, query: Vector, count: int, visible: Bools) -> tuple[Ints, Vector]:
        """Numbers and cosines of the `count` vectors nearest to `query`, best first, of versions marked in `visible`.

        Shapes (n,), (n,), n <= count. `query`: (dimensions,), length 1. `visible`: indexed by version.
        """
        ...

    def count(self) -> int: ...
    def version(self) -> str: ...
    def mark(self, version: str) -> None: ...
    def drop(self) -> None:
        """Give up everything."""
        ...


@dataclass(frozen=True)
class Passage:
    """One passage found. `text` is what a model reads: the document's own words from `start` to `end`.

    Where those do not name their subject, a line with the heading path stands before them.
    """

    document: str  # path in the folder
    title: str
    heading: str  # path below the title: "Returns > Time limits"; may be empty
    text: str
    score: float  # 0..1, higher is better; relative to the best passage of this query, except in dense mode (cosine)
    start: int  # characters in the document
    end: int
    chunk: int
    similarity: float | None = None  # cosine to the question, -1..1; None when words alone were searched
    bm25: float | None = None  # unbounded, higher is better; None when no word of the question is in the passage
    linked: str = ""  # of a second hop: the words that led here, "class c, repair class"


@dataclass(frozen=True)
class Retrieved:
    """The passages for one question, best first, with what it took to find them. `note`: what a person should know."""

    passages: tuple[Passage, ...]
    mode: str  # the mode that was really used
    embed_ms: float
    search_ms: float
    note: str | None


@dataclass(frozen=True)
class Settings:
    """How documents are split and searched. Sizes in the embedder's tokens, the heading path included.

    `weight`: share of the vectors in hybrid search, the rest is BM25's. `threshold`: least cosine similarity
    (in sparse mode: least share of the best BM25 score); 0 is off.
    """

    splitter: str = "headings"
    chunk_size: int = 160
    overlap: int = 24
    weight: float = 0.7
    threshold: float = 0.0

    def __post_init__(self) -> None:
        if self.splitter not in SPLITTERS:
            raise Problem(f"Unknown splitter '{self.splitter}'. Splitters: {', '.join(SPLITTERS)}.")
        if not LEAST_CHUNK <= self.chunk_size <= MOST_CHUNK:
            raise Problem(
                f"Chunk size must lie between {LEAST_CHUNK} and {MOST_CHUNK} tokens (the embedder reads 512), "
                f"not {self.chunk_size}."
            )
        if not 0 <= self.overlap <= self.chunk_size // 2:
            raise Problem(
                f"Overlap must lie between 0 and half the chunk size ({self.chunk_size // 2}), not {self.overlap}."
            )
        for name, value in (("Weight", self.weight), ("Threshold", self.threshold)):
            if not 0.0 <= value <= 1.0:  # also false for NaN
                raise Problem(f"{name} must lie between 0 and 1, not {value}.")


@dataclass(frozen=True)
class Document:
    """A document as one view (current, or a snapshot) has it. `embedded` of `chunks` have their vector."""

    path: str
    title: str
    version: int
    versions: int
    chunks: int
    embedded: int
    tokens: int
    characters: int
    origin: str
    changed: str  # UTC, ISO 8601
    state: str  # "as shipped", "edited", "added", "deleted"


@dataclass(frozen=True)
class Version:
    """One kept text of a document. `views`: where it is the valid one ("current", "today", ...)."""

    id: int
    made: str
    origin: str
    characters: int
    views: tuple[str, ...]


@dataclass(frozen=True)
class Chunk:
    """One piece of a version, as split: `body` is the document's text from `start` to `end`.

    `lead`: the document's first sentence, by which a piece further down is found, and with which it is read.
    """

    title: str
    heading: str  # path below the title, joined by " > "
    body: str
    start: int
    end: int
    tokens: int  # of `text`
    lead: str = ""

    @property
    def text(self) -> str:
        """What is embedded: where the piece stands, what its document is about, then the piece itself."""
        return "\n".join(filter(None, (context(self.title, self.heading), self.lead, self.body)))

    @property
    def shown(self) -> str:
        """What a model reads of it."""
        return words.shown(self.body, self.title, context(self.title, self.heading), self.lead)


def context(title: str, heading: str) -> str:
    """The line that says where a passage stands: "Title > Heading > Subheading"."""
    return f"{title} > {heading}" if heading else title


@dataclass(frozen=True)
class Change:
    """What one change of the base did and how long it took until it could be found."""

    path: str
    kind: str  # "added", "updated", "unchanged", "deleted", "restored", "forgotten"
    chunks: int
    embedded: int  # chunks that had to be embedded; the rest kept their vectors
    total_ms: float


@dataclass(frozen=True)
class Plan:
    """What bringing a view in step with a source would do: paths, and (file, why).

    `files` is the number of `added`, `updated`, `unchanged`, `failed` and `skipped` together. `missing`: documents the
    source does not hold, removed only when that is asked for. `failed`: files that should be documents and cannot;
    `skipped`: files that are none; `ignored`: how many files and folders the patterns left out.
    """

    files: int = 0
    added: tuple[str, ...] = ()
    updated: tuple[str, ...] = ()
    unchanged: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    failed: tuple[tuple[str, str], ...] = ()
    skipped: tuple[tuple[str, str], ...] = ()
    ignored: int = 0
    complete: bool = True  # False: cancelled on the way


@dataclass(frozen=True)
class Sync:
    """What bringing a view in step with a source did; `files`, `failed`, `skipped`, `ignored` as in Plan.

    `files` = added + updated + unchanged + failed + skipped. `deleted`: removed since the source does not hold them;
    `kept`: not held by the source either, and left alone. `embedded`: passages.
    """

    files: int = 0
    added: int = 0
    updated: int = 0
    unchanged: int = 0
    deleted: int = 0
    kept: int = 0
    embedded: int = 0
    failed: tuple[tuple[str, str], ...] = ()
    skipped: tuple[tuple[str, str], ...] = ()
    ignored: int = 0
    complete: bool = True  # False: cancelled on the way; running it again goes on where it stopped
