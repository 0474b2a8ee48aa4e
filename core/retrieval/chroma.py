"""A collection of a Chroma server as a VectorStore, through LlamaIndex's own integration. Knows no SQLite and no text.

The collection holds numbers, versions and vectors; the documents' texts are not sent. Its space is the inner product:
for vectors of length 1 the cosine, and the only one in which Chroma gives every vector back as it was put.

Chroma's client waits for ever: every call runs in a thread of its own and is left behind at its deadline. What the
server sends is untrusted. Its key comes from the environment; its telemetry is off.
"""

import importlib
import logging
import math
import threading
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any, Final, TypeVar

import numpy as np

from core import addresses, installed
from core.errors import Problem
from core.retrieval.values import Bools, Ints, Missing, Place, ServerProblem, Vector, VectorRow
from core.text import one_line

T = TypeVar("T")
INSTALL: Final = "python -m pip install -r core/requirements-chroma.txt"
NEEDED: Final = {  # module -> its package
    "chromadb": "chromadb",
    "llama_index.vector_stores.chroma": "llama-index-vector-stores-chroma",
}
DEADLINE_S: Final = 10.0  # of a question's call
PATIENCE_S: Final = 120.0  # of a call that puts, gets or deletes a batch
CONNECT_S: Final = 5.0
OPEN_S: Final = 30.0  # of the first call, which makes the client and asks for the collection
SILENCE_S: Final = 30.0  # after which the client gives a connection up, so that no thread stays behind for ever
BATCH: Final = 1000  # below what a server takes at once
MOST_NAMED: Final = 256  # versions named in a search; with more, what is found is sorted out here
_CONFIGURATION: Final = {"hnsw": {"space": "ip", "ef_search": 200}}
_VERSION: Final = "retrieve_or_retrain"  # the collection's metadata that `mark` writes


def check_installed() -> None:
    """Import what is needed. Raises Problem naming what to install."""
    lacking = [package for module, package in NEEDED.items() if not installed.there(module, package)]
    if lacking:
        raise Problem(f"Vectors at a Chroma server need {' and '.join(lacking)}, not installed here: {INSTALL}")
    try:
        for module in NEEDED:
            importlib.import_module(module)
    except Exception as error:  # whatever a broken installation raises
        said = one_line(f"{type(error).__name__}: {error}", 160)
        raise Problem(f"The packages for a Chroma server are installed in part only ({said}): {INSTALL}") from error


class ChromaVectors:
    """The collection `name` at `place`; with `make` it is made when it is not there. Safe to call from any thread.

    Every method raises ServerProblem when the server does not answer, answers nonsense, or has no such collection.
    """

    def __init__(self, place: Place, name: str, *, make: bool = False, deadline_s: float = DEADLINE_S) -> None:
        check_installed()  # imports them here, so that no call's deadline holds it
        self.place, self.name = place, name
        self._deadline_s = deadline_s
        self._make = make
        self._lock = threading.Lock()
        self._client: Any = None
        self._store: Any = None

    def put(self, rows: Sequence[VectorRow]) -> None:
        """Numbers that are there already are left as they are: a number's vector never changes."""
        from llama_index.core.schema import TextNode

        for at in range(0, len(rows), BATCH):
            nodes = [
                TextNode(id_=str(row.id), text="", embedding=row.vector.tolist(), metadata={"version": row.version})
                for row in rows[at : at + BATCH]
            ]
            self._call(lambda nodes=nodes: self._open().add(nodes), PATIENCE_S)  # type: ignore[misc]

    def delete(self, ids: Sequence[int]) -> None:
        """Numbers that are not there are no error."""
        for at in range(0, len(ids), BATCH):
            names = [str(one) for one in ids[at : at + BATCH]]
            self._call(lambda names=names: self._open().delete_nodes(names), PATIENCE_S)  # type: ignore[misc]

    def get(self, ids: Sequence[int]) -> dict[int, Vector]:
        """The vectors of these numbers, as far as they are there."""
        found: dict[int, Vector] = {}
        for at in range(0, len(ids), BATCH):
            names = [str(one) for one in ids[at : at + BATCH]]
            made = self._call(
                lambda names=names: self._open().client.get(ids=names, include=["embeddings"]),  # type: ignore[misc]
                self._deadline_s if len(ids) < BATCH else PATIENCE_S,
            )
            found |= self._checked(made)
        return found

    def search(self, query: Vector, count: int, visible: Bools) -> tuple[Ints, Vector]:
        """See VectorStore.search. Approximate (HNSW). Where more than MOST_NAMED versions are visible, and not all,
        nearest ones are asked for in growing numbers until `count` of them are visible."""
        named = np.flatnonzero(visible)
        if not len(named):
            return np.zeros(0, np.int64), np.zeros(0, np.float32)
        where = {"version": {"$in": named.tolist()}} if len(named) <= MOST_NAMED else None
        wanted = count if where else 2 * count
        while True:
            nodes, similarities = self._nearest(query, wanted, where)
            ids, cosines = [], []
            for node, similarity in zip(nodes, similarities, strict=True):
                version = node.metadata.get("version")
                if isinstance(version, int) and 0 <= version < len(visible) and visible[version]:
                    ids.append(int(node.node_id))
                    cosines.append(1 + math.log(similarity))  # the integration gives exp(-distance), 1 - cosine
            if len(ids) >= count or len(nodes) < wanted or where:
                return np.array(ids[:count], np.int64), np.array(cosines[:count], np.float32)
            wanted *= 4

    def count(self) -> int:
        """How many vectors there are."""
        return int(self._call(lambda: self._open().client.count()))

    def version(self) -> str:
        """What `mark` wrote last; asks for the collection anew."""

        def look() -> str:
            old = self._open().client
            now = self._client.get_collection(self.name, embedding_function=None)
            if now.id != old.id:  # made anew by somebody else: not the one that was written to
                return f"another collection {now.id}"
            return str((now.metadata or {}).get(_VERSION, ""))

        return self._call(look)

    def mark(self, version: str) -> None:
        """Write down which change was the last."""
        self._call(lambda: self._open().client.modify(metadata={_VERSION: version}))

    def drop(self) -> None:
        """Delete the collection."""
        self._call(lambda: (self._open(), self._client.delete_collection(self.name)), PATIENCE_S)
        self._store = None

    # -- inside ----------------------------------------------------------------------------------------------------

    def _nearest(self, query: Vector, count: int, where: Any) -> tuple[list[Any], list[float]]:
        from llama_index.core.vector_stores.types import VectorStoreQuery

        asked = VectorStoreQuery(query_embedding=query.tolist(), similarity_top_k=count)
        found = self._call(lambda: self._open().query(asked, **({"where": where} if where else {})))
        nodes, similarities = list(found.nodes or ()), list(found.similarities or ())
        if len(nodes) != len(similarities) or not all(
            isinstance(one, float) and 0 < one < math.inf for one in similarities
        ):
            raise ServerProblem(f"The vector server at {self.place.url} sent similarities that are none.")
        if not all(node.node_id.isdecimal() for node in nodes):
            raise ServerProblem(
                f"The collection {self.name} at {self.place.url} holds what this base did not put there."
            )
        return nodes, similarities

    def _checked(self, made: Any) -> dict[int, Vector]:
        vectors = np.asarray(made["embeddings"], np.float32)
        ids = made["ids"]
        if not len(ids):
            return {}
        lengths = np.linalg.norm(vectors, axis=1) if vectors.ndim == 2 else np.zeros(0)
        if len(ids) != len(lengths) or not np.all(np.abs(lengths - 1) < 1e-3):  # also false for NaN
            raise ServerProblem(f"The vector server at {self.place.url} sent vectors that are none of length 1.")
        return {int(name): vector for name, vector in zip(ids, vectors, strict=True)}

    def _open(self) -> Any:
        """The integration's store over the collection; in a call's thread."""
        with self._lock:
            if self._store is None:
                from llama_index.vector_stores.chroma import ChromaVectorStore

                self._client = _client(self.place)
                given: dict[str, Any] = {"embedding_function": None}
                if self._make:
                    given |= {"metadata": {_VERSION: ""}, "configuration": _CONFIGURATION}
                found = (self._client.create_collection if self._make else self._client.get_collection)(
                    self.name, **given
                )
                self._make = False
                self._store = ChromaVectorStore(chroma_collection=found)
            return self._store

    def _call(self, what: Callable[[], T], seconds: float = 0.0) -> T:
        seconds = seconds or self._deadline_s
        if self._store is None:
            seconds = max(seconds, OPEN_S)
        made: Future[T] = Future()

        def work() -> None:
            try:
                made.set_result(what())
            except BaseException as error:
                made.set_exception(error)

        threading.Thread(target=work, name="vector-server", daemon=True).start()
        try:
            return made.result(seconds)
        except TimeoutError:
            raise ServerProblem(f"The vector server at {self.place.url} did not answer within {seconds:g} s.") from None
        except Problem:
            raise
        except Exception as error:  # whatever the client or the server does is one line
            raise _kind(error)(_why(error, self.place.url, self.name)) from error


def new_name(base: str) -> str:
    """A name for a collection of a base, used by no other."""
    letters = "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in base.lower())[:40]
    return f"base-{letters.strip('-') or 'x'}-{uuid.uuid4().hex[:12]}"


def _client(place: Place) -> Any:
    import chromadb
    import httpx
    from chromadb.config import Settings

    logging.getLogger("chromadb").setLevel(logging.ERROR)  # it warns of numbers that are there already
    key = addresses.key(place.key_variable, place.url)
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    # The client's first calls have no limit of time: a server that does not answer is found out before them.
    httpx.get(f"{place.url.rstrip('/')}/api/v2/heartbeat", headers=headers, timeout=CONNECT_S).raise_for_status()
    settings = Settings(anonymized_telemetry=False, _env_file=None)  # no .env file says where vectors go
    made: Any = chromadb.HttpClient(place.url, headers=headers, settings=settings)
    made._server._session.timeout = httpx.Timeout(SILENCE_S)
    return made


def _kind(error: Exception) -> type[ServerProblem]:
    from chromadb import errors

    return Missing if isinstance(error, errors.NotFoundError) else ServerProblem


def _why(error: BaseException, url: str, name: str) -> str:
    import httpx
    from chromadb import errors

    causes = [error]
    while causes[-1].__cause__ or causes[-1].__context__:
        causes.append(causes[-1].__cause__ or causes[-1].__context__)  # type: ignore[arg-type]
    where = f"The vector server at {url}"
    if any(isinstance(one, ConnectionRefusedError | httpx.ConnectError) for one in causes):
        return f"{where} cannot be reached: no server listens there. Start it, or check address and port."
    if any(isinstance(one, httpx.TimeoutException) for one in causes):
        return f"{where} did not answer in time."
    if isinstance(error, errors.NotFoundError):
        return f"{where} has no collection {name} any more: it was deleted, or the server started with another folder."
    if "401" in str(error) or "403" in str(error) or isinstance(error, errors.AuthorizationError):
        return f"{where} wants another key: name the environment variable that holds it."
    said = one_line(str(error), 160)
    return f"{where} gave no usable answer ({type(error).__name__}: {said}): is it a Chroma server?"
