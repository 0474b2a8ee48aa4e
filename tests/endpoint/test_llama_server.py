"""Against a real llama_cpp.server with two models: what panes show, and what only a real server does.

Left out where tests/requirements-servers.txt is not installed.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from core import endpoint, runtime
from core.endpoint import Endpoints
from core.engine import Request, Sampling
from core.errors import Problem
from core.project import Model
from core.retrieval.embedders import FarEmbedder
from core.retrieval.values import Embedding
from core.weights import catalog
from tests.endpoint import panes
from tests.endpoint.faulty import Proxy, between
from tests.endpoint.llama_server import Served, running

pytestmark = pytest.mark.llama_server
CHAT = ({"role": "user", "content": "What does it cost?"},)
DEADLINE_S = 120.0


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, weights: dict[str, Path]) -> Iterator[Served]:
    with running(tmp_path_factory.mktemp("server"), weights["embedder"]) as made:
        yield made


@pytest.fixture(scope="module")
def proxy(server: Served) -> Iterator[Proxy]:
    with between(server.url) as made:
        yield made


@pytest.fixture(scope="module")
def endpoints() -> Iterator[Endpoints]:
    made = Endpoints()
    yield made
    made.close()


def test_an_answer_streams_with_its_first_word_tokens_and_stop(endpoints: Endpoints, server: Served) -> None:
    spec = endpoint.spec(Model("base", "Base", "base", endpoint=server.url))
    whole = endpoints.submit(Request(spec, (CHAT,), Sampling(max_tokens=24))).wait(DEADLINE_S)
    assert whole.text and whole.finish in ("stop", "length")
    assert 0 < whole.timing["ttft_engine"] <= whole.timing["total"]
    assert "how many tokens" in whole.model["note"] or 0 < whole.tokens["output"] <= 24
    assert whole.model["device"] == "at the endpoint"
    middle = whole.text[2:4]
    stopped = endpoints.submit(Request(spec, (CHAT,), Sampling(max_tokens=24, stop=(middle,)))).wait(DEADLINE_S)
    assert stopped.text == whole.text[: whole.text.index(middle)] and stopped.finish == "stop"


def test_a_model_it_does_not_have_is_told_and_not_answered_by_another(endpoints: Endpoints, server: Served) -> None:
    spec = endpoint.spec(Model("x", "X", "somebody-elses", endpoint=server.url))
    with pytest.raises(Problem, match="does not know the model 'somebody-elses': it lists base, tuned"):
        endpoints.submit(Request(spec, (CHAT,))).wait(DEADLINE_S)


def test_two_panes_at_once_give_each_models_own_answer(endpoints: Endpoints, server: Served, proxy: Proxy) -> None:
    for question, faults in (
        ("What does it cost?", {}),
        ("How long?", {"base": "cut"}),
        ("Why?", {"tuned": "closed once"}),
    ):
        shown = panes.project(proxy.url, ("base", "tuned"))
        own = {model: server.answer(shown, model, question) for model in ("base", "tuned")}
        assert own["base"] != own["tuned"]
        wrong, _ = panes.play(proxy, endpoints, shown, question, faults, DEADLINE_S, own.__getitem__)
        assert wrong == []


def test_its_embeddings_are_those_of_our_own_worker(endpoints: Endpoints, server: Served, real_state: Path) -> None:
    texts = [f"Parcels to place {number} cost ${number}." for number in range(40)]
    there = FarEmbedder(lambda: endpoints, Embedding(url=server.url, name="embedder")).embed_passages(texts)
    try:
        here = [runtime.get().engine.embed(catalog.spec("embedder"), text) for text in texts]
    finally:
        runtime.close()
    assert len(there) == 40 and there[0].shape == (384,)
    assert min(float(np.vecdot(one, other)) for one, other in zip(there, here, strict=True)) > 0.999
