"""Embedding at an endpoint: the right vectors in the right order, one plain line for each lie, and nothing mixed."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from core.endpoint import Endpoints, Patience
from core.errors import Problem
from core.retrieval import KnowledgeBase
from core.retrieval.embedders import FarEmbedder
from core.retrieval.schema import MIGRATIONS
from core.retrieval.values import Embedder, Embedding
from core.store import Store
from tests.endpoint.lying import DIMENSIONS, KEY, Server, bag, serving
from tests.retrieval.fake import HashEmbedder

DOCUMENTS = {"a.md": "Parcels to Norway cost $19.", "b.md": "The pump is covered for 8 years.", "c.md": "Tea is green."}


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving() as made:
        yield made


@pytest.fixture(scope="module")
def endpoints() -> Iterator[Endpoints]:
    made = Endpoints(Patience(retries=1))
    yield made
    made.close()


def embedder(endpoints: Endpoints, server: Server, name: str, **more: object) -> FarEmbedder:
    given = {"url": server.url, "name": name, "dimensions": DIMENSIONS, **more}
    return FarEmbedder(lambda: endpoints, Embedding(**given))


@pytest.fixture
def base(tmp_path: Path, endpoints: Endpoints) -> Iterator[KnowledgeBase]:
    """Three documents, embedded by the embedder that stands for the bundled one."""
    standard = HashEmbedder()

    def discover(choice: Embedding) -> tuple[Embedder, None]:
        return (FarEmbedder(lambda: endpoints, choice) if choice.url else standard), None

    store = Store(tmp_path / "base.sqlite3", MIGRATIONS)
    made = KnowledgeBase(store, discover=discover)
    for path, text in DOCUMENTS.items():
        made.add(path, text)
    yield made
    store.close()


@pytest.mark.parametrize("name", ["good", "turned"])
def test_vectors_come_in_the_order_of_the_texts_in_batches_and_of_length_one(
    endpoints: Endpoints, server: Server, name: str
) -> None:
    texts = [f"word{n} and more" for n in range(70)]
    server.bodies.clear()
    made = embedder(endpoints, server, name, before_passage="passage: ").embed_passages(texts)
    assert [len(body["input"]) for body in server.bodies] == [32, 32, 6]
    for text, vector in zip(texts, made, strict=True):
        right = np.array(bag(f"passage: {text}"))
        np.testing.assert_allclose(vector, right / np.linalg.norm(right), rtol=1e-6)
    assert server.bodies[0]["encoding_format"] == "float" and server.keys[-1] is None


LIES = {
    "short": "sent 1 embeddings for 2 texts",
    "long": "sent 3 embeddings for 2 texts",
    "same": "does not say which embedding belongs to which text",
    "wide": "of 32 numbers, and 16 are wanted",
    "nan": "without direction",
    "zero": "without direction",
    "words": "no list of numbers",
    "nothing": "of 0 numbers",
    "page": "sent 0 embeddings for 2 texts|no streamed|no usable|could not be asked",
    "broken": r"failed \(500\)",
    "nobody": "does not know the model 'nobody'",
    "mute": "sent no word within 0.5 s",
    "drip": "sent no word within 0.5 s",
    "keyed": "wants a key",
}


@pytest.mark.parametrize("name", LIES)
def test_each_lie_is_one_plain_line_in_time(server: Server, name: str) -> None:
    hasty = Endpoints(Patience(connect_s=1, first_s=0.5 if name in ("mute", "drip") else 20, retries=1))
    try:
        with pytest.raises(Problem, match=LIES[name]) as found:
            embedder(hasty, server, name).embed_passages(["one", "two"])
    finally:
        hasty.close()
    assert "\n" not in found.value.message and KEY not in found.value.message


def test_a_limit_is_waited_for_and_a_key_comes_from_the_environment(
    endpoints: Endpoints, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.limited = 1
    assert len(embedder(endpoints, server, "limited").embed("one")) == DIMENSIONS
    monkeypatch.setenv("MY_API_KEY", KEY)
    assert len(embedder(endpoints, server, "keyed", key_variable="MY_API_KEY").embed("one")) == DIMENSIONS
    monkeypatch.delenv("MY_API_KEY")
    with pytest.raises(Problem, match="MY_API_KEY holds no key"):
        embedder(endpoints, server, "keyed", key_variable="MY_API_KEY").embed("one")


def test_a_change_is_planned_first_then_words_alone_until_all_are_embedded_anew(
    base: KnowledgeBase, server: Server
) -> None:
    known, again = base.plan_embedding(Embedding(url=server.url, name="good", before_question="query: "))
    assert (known.dimensions, again, base.counts(), base.embedding) == (DIMENSIONS, 3, (3, 3), Embedding())
    base.choose_embedding(known)
    found = base.query("parcels to Norway")
    assert (found.mode, "another model" in found.note) == ("sparse", True)
    base.catch_up()
    server.bodies.clear()
    assert base.query("parcels to Norway", 1, "dense").passages[0].document == "a.md"
    assert server.bodies[-1]["input"] == ["query: parcels to Norway"]
    assert base.plan_embedding(base.embedding)[1] == 0
    other = base.plan_embedding(Embedding(url=server.url, name="good", before_question="ask: "))
    assert other[1] == 3 and other[0].identity != known.identity, "another prefix makes other vectors"
    assert base.plan_embedding(Embedding())[1] == 3


def test_an_endpoint_that_becomes_another_model_changes_nothing(base: KnowledgeBase, server: Server) -> None:
    base.choose_embedding(base.plan_embedding(Embedding(url=server.url, name="good"))[0])
    base.catch_up()
    rows = base._store.read("SELECT vector FROM embeddings ORDER BY id")
    server.factor = 2
    try:
        with pytest.raises(Problem, match="of 32 numbers, and 16 are wanted"):
            base.add("d.md", "Entirely new words.")
        found = base.query("parcels to Norway", 1)
    finally:
        server.factor = 1
    assert found.mode == "sparse" and found.passages[0].document == "a.md" and "\n" not in found.note
    assert base._store.read("SELECT vector FROM embeddings ORDER BY id") == rows and len(base.documents()) == 3
