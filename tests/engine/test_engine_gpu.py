"""The engine on a GPU, real or Mesa's software device: llama.cpp built for it, and RR_TEST_GPU=1 (see the README)."""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from core.engine import Engine, ModelSpec, Request, Sampling
from core.engine.worker import CHUNK
from core.errors import Problem

pytestmark = [pytest.mark.gpu, pytest.mark.real]
LAYERS = 31  # of the small base, its output counted
WAIT_S = 300  # a software device is slow


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    made = Engine(tmp_path_factory.mktemp("logs"))
    yield made
    made.close()


@pytest.fixture
def base(weights: dict[str, Path]) -> ModelSpec:
    return ModelSpec("base", weights["base"])


def _request(spec: ModelSpec, text: str, tokens: int = 12) -> Request:
    chat = ({"role": "system", "content": "You are helpful."}, {"role": "user", "content": text})
    return Request(spec, (chat,), Sampling(max_tokens=tokens), contended=True)


def _until(condition: Callable[[], bool]) -> None:
    event, end = threading.Event(), time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        event.wait(0.002)


def test_a_gpu_is_listed_with_its_memory(engine: Engine) -> None:
    found = [device for device in engine.devices() if device["kind"] == "gpu"]
    assert found and all(one["name"] and one["description"] and 0 < one["free"] <= one["total"] for one in found)
    assert not any(device["kind"] == "none" for device in engine.devices())


def test_automatically_all_layers_go_to_the_gpu_and_it_computes_sense(engine: Engine, base: ModelSpec) -> None:
    found = engine.load(base)
    assert (found["device"], found["gpu_layers"]) == ("gpu", LAYERS)
    assert "Paris" in engine.submit(_request(base, "What is the capital of France?")).wait(WAIT_S).text


@pytest.mark.parametrize(("wish", "layers"), [({"gpu_layers": 3}, 3), ({"device": "cpu"}, 0)])
def test_layers_as_asked_for(engine: Engine, base: ModelSpec, wish: dict, layers: int) -> None:
    found = engine.load(replace(base, **wish))
    assert found["gpu_layers"] == layers and found["device"] == ("gpu" if layers else "cpu")


def test_two_answers_of_one_model_at_once_are_each_their_own(engine: Engine, base: ModelSpec) -> None:
    """The trial at loading has put two sequences into one batch; whether answers are batched is its finding."""
    assert engine.load(base)["batching"] in (True, False)
    asked = {"Paris": "What is the capital of France?", "Berlin": "What is the capital of Germany?"}
    under_way = {word: engine.submit(_request(base, text)) for word, text in asked.items()}
    for word, generation in under_way.items():
        assert word in generation.wait(WAIT_S).text


def test_a_cancelled_prompt_ends_within_one_chunk_and_the_next_answer_is_right(engine: Engine, base: ModelSpec) -> None:
    engine.load(base)
    generation = engine.submit(_request(base, "water " * 1700))
    _until(lambda: generation.prefill_total > 0)
    read = generation.prefill_done
    generation.cancel()
    assert generation.wait(WAIT_S).finish == "cancelled"
    assert generation.prefill_done <= read + CHUNK < generation.prefill_total
    assert "Paris" in engine.submit(_request(base, "What is the capital of France?")).wait(WAIT_S).text


def test_an_embedder_s_vector_is_the_processor_s(engine: Engine, weights: dict[str, Path]) -> None:
    spec = ModelSpec("embedder", weights["embedder"])
    there = engine.embed(spec, "How do I brew coffee?")
    here = engine.embed(replace(spec, device="cpu"), "How do I brew coffee?")
    assert float(there @ here) > 0.999


def test_without_room_on_the_gpu_fewer_layers_are_tried_and_the_answer_says_so(
    tmp_path: Path, base: ModelSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    """llama.cpp's own switch: the device gives no buffer larger than that, so that keys and values find no room."""
    monkeypatch.setenv("GGML_VK_FORCE_MAX_ALLOCATION_SIZE", str(2**20))
    monkeypatch.setenv("GGML_VK_FORCE_MAX_BUFFER_SIZE", str(2**20))
    made = Engine(tmp_path)
    try:
        found = made.load(base)
        assert found["gpu_layers"] < LAYERS and "had no room" in found["note"]
        assert "Paris" in made.submit(_request(base, "What is the capital of France?")).wait(WAIT_S).text
        with pytest.raises(Problem, match="cannot be used"):
            made.load(replace(base, gpu_layers=LAYERS))
    finally:
        made.close()
