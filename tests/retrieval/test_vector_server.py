"""Vectors handed to a server and taken back: the same answers, and nothing lost while it is down, cut or changed.

Each test runs over a server in memory, and over a real Chroma server where that extra is installed.
"""

import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from core.errors import Problem
from core.project import whole
from core.retrieval import KnowledgeBase, chroma, handover, leftovers, transfer
from core.retrieval.schema import MIGRATIONS
from core.retrieval.values import Missing, Place, Retrieved, ServerProblem, VectorRow
from core.retrieval.vectors import Vectors
from core.runtime import Runtime
from core.store import Store
from tests.retrieval.chroma_run import Chroma, running
from tests.retrieval.fake import HashEmbedder
from tests.retrieval.fake_server import FakeServer

QUESTIONS = ("parcels to Norway", "how long is the pump covered?", "return grinders", "red teapot 7", "money back")


class RealServer(Chroma):
    """The real server, with what a stranger may do to it."""

    def _client(self) -> object:
        import chromadb

        return chromadb.HttpClient("127.0.0.1", self.port)

    def remove(self, name: str, count: int) -> None:
        found = self._client().get_collection(name, embedding_function=None)
        found.delete(ids=found.get(limit=count)["ids"])

    def drop(self, name: str) -> None:
        self._client().delete_collection(name)

    def remake(self, name: str) -> None:
        found = self._client().get_collection(name, embedding_function=None)
        kept = found.get(include=["embeddings", "metadatas"])
        self.drop(name)
        made = self._client().create_collection(name, embedding_function=None, configuration={"hnsw": {"space": "ip"}})
        made.add(ids=kept["ids"], embeddings=kept["embeddings"], metadatas=kept["metadatas"])


@pytest.fixture(scope="module")
def real_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealServer]:
    with running(tmp_path_factory.mktemp("chroma-own")) as made:
        own = RealServer(made.folder, made.port, made.process)
        yield own
        own.stop()  # it may have been started anew


@pytest.fixture(params=["memory", pytest.param("chroma", marks=pytest.mark.chroma)])
def server(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeServer | RealServer]:
    monkeypatch.setattr(handover, "LOOK_S", 0.0)
    if request.param == "chroma":
        made = request.getfixturevalue("real_server")
        yield made
        if made.process is None:
            made.start()
        return
    fake = FakeServer()
    monkeypatch.setattr(chroma, "ChromaVectors", fake.class_)
    yield fake


@pytest.fixture
def many(store: Store, embedder: HashEmbedder) -> KnowledgeBase:
    """Thirty small documents, their vectors here."""
    made = KnowledgeBase(store, embedder)
    for number in range(30):
        made.add(f"teapots/{number}.md", f"# Teapot {number}\n\nThe {('red', 'blue')[number % 2]} teapot {number}.\n")
    made.add("shipping.md", "# Shipping\n\nParcels to Norway cost $19 and take 6 days.\n")
    return made


def found(base: KnowledgeBase, mode: str = "dense") -> list[Retrieved]:
    return [base.query(question, 5, mode) for question in QUESTIONS]


def passages(answers: list[Retrieved]) -> list[tuple]:
    return [answer.passages for answer in answers]


def ranked(answers: list[Retrieved]) -> list[list[tuple[int, float]]]:
    return [[(one.chunk, round(one.score, 5)) for one in answer.passages] for answer in answers]


def test_there_the_answers_are_the_same_and_back_again_identical(many: KnowledgeBase, store: Store, server) -> None:
    rows = [tuple(row) for row in store.read("SELECT chunk, version, vector FROM embeddings ORDER BY chunk")]
    before, fused = found(many), found(many, "hybrid")
    there = many.move(Place(server.url))
    assert (there.there, there.waiting, there.place) == (31, 0, Place(server.url))
    assert store.read("SELECT sum(length(vector)) FROM embeddings")[0][0] == 0
    assert ranked(found(many)) == ranked(before) and ranked(found(many, "hybrid")) == ranked(fused)
    assert {answer.mode for answer in found(many)} == {"dense"} and {one.note for one in found(many)} == {None}
    back = many.move(None)
    assert (back.place, back.here) == (None, 31)
    assert passages(found(many)) == passages(before) and passages(found(many, "hybrid")) == passages(fused)
    assert [tuple(row) for row in store.read("SELECT chunk, version, vector FROM embeddings ORDER BY chunk")] == rows


def test_changes_reach_the_server_and_gone_vectors_leave_it(many: KnowledgeBase, server, embedder) -> None:
    many.move(Place(server.url))
    many.update("shipping.md", "# Shipping\n\nParcels to Norway cost $23 and take 6 days.\n")
    assert "$23" in many.query("parcels to Norway", 1, "dense").passages[0].text
    assert (many.where.there, many.where.waiting) == (32, 0)  # the old version is kept, and restored without embedding
    embedder.calls.clear()
    many.restore("shipping.md", many.versions("shipping.md")[-1].id)
    assert embedder.calls == [] and "$19" in many.query("parcels to Norway", 1, "dense").passages[0].text
    many.add("copy.md", many.text("shipping.md"))
    assert embedder.calls[1:] == [], "a text that is known keeps its vector, also when that lies at the server"
    many.forget("shipping.md")
    many.forget("copy.md")
    assert many._index.handover.server().count() == many.where.there == 30


def test_a_server_that_is_down_is_one_line_and_nothing_is_lost(many: KnowledgeBase, server) -> None:
    many.move(Place(server.url))
    server.stop()
    answer = many.query("parcels to Norway", 1, "dense")
    assert (answer.mode, answer.passages[0].document) == ("sparse", "shipping.md")
    assert "words alone" in answer.note and "cannot be reached" in answer.note and "\n" not in answer.note
    many.add("tea.md", "# Tea\n\nMatcha comes from Uji.")
    assert many.where.waiting == 1
    with pytest.raises(ServerProblem, match="cannot be reached"):
        many.move(None)
    server.start()
    answer = many.query("matcha from Uji", 1, "dense")
    assert (answer.passages[0].document, answer.note, many.where.waiting) == ("tea.md", None, 1)
    many.catch_up()
    assert (many.where.there, many.where.waiting) == (32, 0)
    assert many.query("matcha from Uji", 1, "dense").passages[0].document == "tea.md"


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (lambda server, name: server.remove(name, 2), "holds 29 vectors, and 31 were put there"),
        (lambda server, name: server.drop(name), "no collection"),
        (lambda server, name: server.remake(name), "changed by somebody else"),
    ],
    ids=["fewer", "gone", "another"],
)
def test_a_collection_changed_behind_our_back_is_noticed_and_can_be_given_up(
    many: KnowledgeBase, server, harm, words: str
) -> None:
    before = found(many)
    harm(server, many.move(Place(server.url)).collection)
    answer = many.query("parcels to Norway", 1)
    assert answer.mode == "sparse" and words in answer.note
    many.add("tea.md", "# Tea\n\nMatcha comes from Uji.")
    assert many.where.waiting == 1, "nothing is written to what is not ours"
    assert many.give_up_server() == 31
    many.catch_up()
    many.forget("tea.md")
    assert many.where.place is None and passages(found(many)) == passages(before)


def test_a_move_that_is_cut_short_goes_on(many: KnowledgeBase, server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handover, "BATCH", 10)
    before = found(many)
    seen: list[float] = []
    cut = many.move(Place(server.url), lambda done, _text: seen.append(done), lambda: len(seen) >= 1)
    assert (cut.there, cut.waiting) == (10, 21)
    assert ranked(found(many)) == ranked(before), "what lies here and what lies there are searched together"
    assert many.move(Place(server.url)).there == 31
    seen.clear()
    cut = many.move(None, lambda done, _text: seen.append(done), lambda: len(seen) >= 2)
    assert (cut.there, cut.waiting) == (11, 20) and ranked(found(many)) == ranked(before)
    assert many.move(None).place is None and passages(found(many)) == passages(before)


def test_another_embedder_with_other_dimensions_gets_a_collection_of_its_own(
    many: KnowledgeBase, store: Store, server
) -> None:
    first = many.move(Place(server.url)).collection
    other = KnowledgeBase(store, HashEmbedder(64, "fake-2"))
    assert "another model" in other.query("parcels to Norway").note
    other.catch_up()
    assert (other.where.there, other.where.waiting) == (31, 0) and other.where.collection != first
    assert other.query("parcels to Norway", 1, "dense").passages[0].document == "shipping.md"


def test_a_second_process_sees_the_move_and_both_find_all(many: KnowledgeBase, store: Store, server, embedder) -> None:
    other_store = Store(store.path, MIGRATIONS)
    try:
        other = KnowledgeBase(other_store, embedder)
        before = ranked(found(other))
        many.move(Place(server.url))
        assert ranked(found(other)) == before
        other.update("shipping.md", "# Shipping\n\nParcels to Norway cost $23 and take 6 days.\n")
        assert "$23" in many.query("parcels to Norway", 1, "dense").passages[0].text
        many.move(None)
        assert "$23" in other.query("parcels to Norway", 1, "dense").passages[0].text
    finally:
        other_store.close()


def test_a_copy_of_the_base_does_not_share_the_collection(many: KnowledgeBase, server, tmp_path: Path) -> None:
    many.move(Place(server.url))
    transfer.copy(many._store.path, tmp_path / "copy.sqlite3")
    store = Store(tmp_path / "copy.sqlite3", MIGRATIONS)
    try:
        copy = KnowledgeBase(store, HashEmbedder())
        assert copy.where.place is None and copy.counts() == (31, 0)
        copy.catch_up()
        assert ranked(found(copy)) == ranked(found(many))
    finally:
        store.close()


@pytest.mark.parametrize("url", ["chroma.example", "file:///etc/passwd", "http://a:b@c", "http://a/?b"])
def test_an_address_that_is_none_changes_nothing(many: KnowledgeBase, url: str) -> None:
    with pytest.raises(Problem):
        many.move(Place(url))
    with pytest.raises(Problem, match="no key's variable"):
        many.move(Place("http://127.0.0.1:9", "HOME"))
    assert many.where.place is None and many.query("parcels to Norway", 1, "dense").note is None


def test_without_the_packages_one_line_says_what_to_install(
    many: KnowledgeBase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chroma.installed, "there", lambda _module, _package: False)
    with pytest.raises(Problem, match=r"pip install -r core/requirements-chroma\.txt"):
        many.move(Place("http://127.0.0.1:9"))


def _rows(count: int, dimensions: int = 16) -> list[VectorRow]:
    drawn = np.random.default_rng(1).standard_normal((count, dimensions)).astype(np.float32)
    drawn /= np.linalg.norm(drawn, axis=1, keepdims=True)
    return [VectorRow(at + 1, at % 7 + 1, vector) for at, vector in enumerate(drawn)]


@pytest.mark.chroma
def test_a_strict_filter_and_many_versions_find_what_a_full_scan_finds(
    real_server: RealServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = chroma.ChromaVectors(Place(real_server.url), chroma.new_name("Ä base!"), make=True)
    rows = _rows(400)
    kept.put(rows)
    for versions in ([3], [1, 2, 3, 4, 5, 6, 7], [], [1, 6]):
        visible = np.zeros(9, np.bool_)
        visible[versions] = True
        wanted = sorted((float(r.vector @ rows[4].vector), r.id) for r in rows if visible[r.version])[::-1][:10]
        for most_named in (256, 0):  # named in the search, or sorted out here
            monkeypatch.setattr(chroma, "MOST_NAMED", most_named)
            ids, cosines = kept.search(rows[4].vector, 10, visible)
            assert ids.tolist() == [number for _, number in wanted]
            np.testing.assert_allclose(cosines, [cosine for cosine, _ in wanted], atol=1e-5)
    back = kept.get([row.id for row in rows])
    assert all(np.array_equal(back[row.id], row.vector) for row in rows), "every bit comes back"
    kept.drop()


@pytest.mark.chroma
def test_a_mute_server_a_wrong_one_and_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chroma, "CONNECT_S", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as mute, pytest.raises(ServerProblem, match="did not answer in time"):
        chroma.ChromaVectors(Place(f"http://127.0.0.1:{mute.getsockname()[1]}"), "abc").count()
    seen: list[str | None] = []

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None: ...
        def do_GET(self) -> None:
            seen.append(self.headers.get("Authorization"))
            self.send_response(401 if seen[-1] else 200)
            self.send_header("Content-Length", "5")
            self.end_headers()
            self.wfile.write(b"hello")

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        threading.Thread(target=http.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{http.server_port}"
        with pytest.raises(ServerProblem, match=r"gave no usable answer.*is it a Chroma server"):
            chroma.ChromaVectors(Place(url), "abc").count()
        with pytest.raises(Problem, match="MY_API_KEY holds no key"):
            chroma.ChromaVectors(Place(url, "MY_API_KEY"), "abc").count()
        monkeypatch.setenv("MY_API_KEY", "a-key-that-nobody-may-read")
        with pytest.raises(ServerProblem, match="wants another key") as refused:
            chroma.ChromaVectors(Place(url, "MY_API_KEY"), "abc").count()
        http.shutdown()
    assert seen[-1] == "Bearer a-key-that-nobody-may-read" and "nobody-may-read" not in refused.value.message


def test_the_file_itself_passes_the_same_seam(many: KnowledgeBase, store: Store) -> None:
    kept = Vectors(store)
    kept.refresh()
    everything = np.ones(99, np.bool_)
    ids, cosines = kept.search(many.embedder.embed("parcels to Norway"), 3, everything)
    taken = kept.get(ids.tolist())
    kept.delete(ids.tolist())
    assert kept.count() == 28 and kept.get(ids.tolist()) == {} and kept.version() != ""
    kept.refresh()
    assert not set(kept.search(many.embedder.embed("parcels to Norway"), 9, everything)[0]) & set(ids)
    kept.put([VectorRow(number, 0, vector) for number, vector in taken.items()])
    kept.refresh()
    again, same = kept.search(many.embedder.embed("parcels to Norway"), 3, everything)
    assert again.tolist() == ids.tolist() and same.tolist() == cosines.tolist()


def erased(store: Store, tmp_path: Path) -> Store:
    """The app's store after the base's project was erased: what it left is noted, its file is gone."""
    app = Store(tmp_path / "app.sqlite3", leftovers.MIGRATIONS)
    app.write(lambda db: leftovers.note(db, store.path))
    return app


def test_an_erased_project_s_collection_goes_when_the_server_is_there(
    many: KnowledgeBase, store: Store, server: FakeServer | RealServer, tmp_path: Path
) -> None:
    many.move(Place(server.url))
    name = many.where.collection
    app = erased(store, tmp_path)
    server.stop()
    said = leftovers.clear(app)
    assert len(said) == 1 and "cannot be reached" in said[0] and leftovers.waiting(app) == [f"{name} at {server.url}"]
    server.start()
    assert leftovers.clear(app) == [] and leftovers.waiting(app) == []
    with pytest.raises(Missing):
        chroma.ChromaVectors(Place(server.url), name).count()
    app.write(lambda db: leftovers.note(db, store.path))  # a killed process noted it again
    assert leftovers.clear(app) == [] and leftovers.waiting(app) == []
    app.close()


def test_a_collection_that_somebody_else_has_changed_stays(
    many: KnowledgeBase, store: Store, server: FakeServer | RealServer, tmp_path: Path
) -> None:
    many.move(Place(server.url))
    name = many.where.collection
    app = erased(store, tmp_path)
    chroma.ChromaVectors(Place(server.url), name).mark("another copy of this state")
    assert leftovers.clear(app) == [] and leftovers.waiting(app) == []
    assert chroma.ChromaVectors(Place(server.url), name).count() > 0
    app.close()


def test_the_app_deletes_at_its_start_what_an_erased_project_left(
    server: FakeServer | RealServer, embedder: HashEmbedder
) -> None:
    before = Runtime(resume=True)
    project = before.projects.create("Going")
    base = KnowledgeBase(before.base_store(project), embedder)
    base.add("a.md", "# A\n\nText.\n")
    base.move(Place(server.url))
    name = base.where.collection
    whole.delete(before, project)
    before.store.write(lambda db: db.execute("UPDATE projects SET deleted = '2000-01-01'"))
    before.close()
    for up in (False, True):
        server.start() if up else server.stop()
        after = Runtime(resume=True)
        assert project.id not in [one.id for one in (*after.projects.all(), *after.projects.deleted())]
        (job,) = after.jobs.list(leftovers.KIND)[:1]
        assert bool(after.jobs.wait(job.id, 60).result) is not up
        after.close()
    with pytest.raises(Missing):
        chroma.ChromaVectors(Place(server.url), name).count()
