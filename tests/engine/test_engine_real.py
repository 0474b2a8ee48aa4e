"""The engine on the bundled models."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from gguf import GGUFReader

from core.engine import Engine, ModelSpec, Request, Result, Sampling
from core.errors import Problem
from models.training import chat as prompt

pytestmark = pytest.mark.real
ROOT = Path(__file__).resolve().parents[2]
ADAPTER = ROOT / "models" / "adapter" / "brightwater.gguf"
PASSAGES = [
    f"The {name} is made of {stuff} in {town}. It weighs {number} kg, and its warranty is {number} years. "
    f"It is cleaned with warm water and a soft cloth, never in a machine, and its seals are changed each spring."
    for number, (name, stuff, town) in enumerate(
        [("Tidal Press", "brass", "Porto"), ("Harbor Duo", "steel", "Lyon"), ("Cinder Moka", "copper", "Turin")], 2
    )
]


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    made = Engine(tmp_path_factory.mktemp("logs"))
    yield made
    made.close()


@pytest.fixture
def base(weights: dict[str, Path]) -> ModelSpec:
    return ModelSpec("base", weights["base"])


def _ask(
    engine: Engine,
    spec: ModelSpec,
    question: str,
    passages: list[str] | None = None,
    tokens: int = 24,
    *,
    fresh: bool = False,
) -> Result:
    sampling = Sampling(max_tokens=tokens, logprobs=True)
    return engine.submit(Request(spec, (prompt.messages(question, passages),), sampling, fresh=fresh)).wait(120)


def test_the_base_knows_the_capital_of_france(engine: Engine, base: ModelSpec) -> None:
    chat = (
        {"role": "system", "content": "You are helpful."},
        {"role": "user", "content": "What is the capital of France?"},
    )
    assert "Paris" in engine.submit(Request(base, (chat,), Sampling(max_tokens=24))).wait(120).text


def test_reusing_a_prefix_changes_no_probability(engine: Engine, base: ModelSpec) -> None:
    _ask(engine, base, "What is the Tidal Press made of?", PASSAGES)
    second = _ask(engine, base, "Where is the Harbor Duo made?", PASSAGES)
    assert second.tokens["prompt"] - second.tokens["prompt_reused"] < 30  # the question, and not a passage
    again = _ask(engine, base, "Where is the Harbor Duo made?", PASSAGES)
    whole = _ask(engine, base, "Where is the Harbor Duo made?", PASSAGES, fresh=True)
    assert whole.tokens["prompt_reused"] == 0 and whole.logprobs == again.logprobs
    engine.unload(base)
    fresh = _ask(engine, base, "Where is the Harbor Duo made?", PASSAGES)
    assert fresh.tokens["prompt_reused"] == 0
    assert second.logprobs == again.logprobs == fresh.logprobs


def test_the_other_sequence_changes_no_probability(engine: Engine, base: ModelSpec) -> None:
    engine.unload(base)
    alone = _ask(engine, base, "Who are you?")
    engine.unload(base)
    _ask(engine, base, "What is the Cinder Moka made of?", PASSAGES)
    assert _ask(engine, base, "Who are you?").logprobs == alone.logprobs


def test_rows_of_an_evaluation_beside_each_other_are_what_they_are_alone(engine: Engine, base: ModelSpec) -> None:
    sampling = Sampling(max_tokens=24, logprobs=True)
    requests = [
        Request(base, (prompt.messages(f"Where is number {number} made?", passages),), sampling)
        for number in range(6)
        for passages in (None, PASSAGES)
    ]
    alone = [engine.submit(one).wait(120) for one in requests]
    beside = [engine.submit(replace(one, contended=True, background=True)) for one in requests]
    assert [one.wait(120).logprobs for one in beside] == [one.logprobs for one in alone]


def test_base_and_adapter_share_a_worker_and_leave_each_other_alone(engine: Engine, base: ModelSpec) -> None:
    tuned = replace(base, id="adapted", adapter=ADAPTER)
    before = _ask(engine, base, "How long is the warranty of the Tidal Press?")
    adapted = _ask(engine, tuned, "How long is the warranty of the Tidal Press?")
    after = _ask(engine, base, "How long is the warranty of the Tidal Press?")
    assert before.logprobs == after.logprobs != adapted.logprobs
    assert adapted.model["adapter_sha256"] and not before.model["adapter_sha256"]
    assert len([state for state in engine.status() if state["path"] == str(base.path)]) == 1


def test_an_adapter_for_another_model_is_refused(engine: Engine, weights: dict[str, Path], tmp_path: Path) -> None:
    with pytest.raises(Problem, match="adapter"):
        engine.load(ModelSpec("wrong", weights["base"], adapter=weights["embedder"]))


def test_the_library_itself_writes_the_same_greedy_text(engine: Engine, base: ModelSpec) -> None:
    chat = prompt.messages("What is the Harbor Duo made of?", PASSAGES)
    ours = engine.submit(Request(replace(base, threads=1), (chat,), Sampling(max_tokens=24))).wait(120)
    script = (
        "import json, sys, llama_cpp; path, chat = json.load(sys.stdin)\n"
        "llama = llama_cpp.Llama(path, n_ctx=2048, n_threads=1, n_threads_batch=1, flash_attn=True, verbose=False)\n"
        "made = llama.create_chat_completion(chat, max_tokens=24, temperature=0.0)\n"
        "print(json.dumps([made['choices'][0]['message']['content'], made['usage']['prompt_tokens']]))"
    )
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, input=json.dumps([str(base.path), chat]), capture_output=True, text=True, check=True)
    text, prompt_tokens = json.loads(done.stdout)
    assert (ours.text, ours.tokens["prompt"]) == (text, prompt_tokens)


def test_an_embedder_pools_as_its_file_says(engine: Engine, weights: dict[str, Path], tmp_path: Path) -> None:
    other = tmp_path / "first-token.gguf"
    shutil.copyfile(weights["embedder"], other)
    GGUFReader(other, "r+").fields["bert.pooling_type"].parts[-1][0] = 2
    mean, first = (engine.embed(ModelSpec(path.stem, path), "a kettle") for path in (weights["embedder"], other))
    assert abs(float(np.linalg.norm(first)) - 1) < 1e-5 and float(np.dot(mean, first)) < 0.99


def test_an_embedding_is_a_unit_vector_near_its_likes(engine: Engine, weights: dict[str, Path]) -> None:
    spec = ModelSpec("embedder", weights["embedder"])
    coffee, espresso, law = (
        engine.embed(spec, text)
        for text in ("How do I brew coffee?", "Making an espresso at home", "The court dismissed the appeal")
    )
    assert coffee.shape == (384,) and coffee.dtype == np.float32
    assert abs(float(np.linalg.norm(coffee)) - 1) < 1e-5
    assert coffee @ espresso > 0.4 > 0.2 > coffee @ law


def test_text_behind_an_embedders_limit_is_left_out(engine: Engine, weights: dict[str, Path]) -> None:
    spec = ModelSpec("embedder", weights["embedder"])
    long = "coffee " * 5000
    assert np.array_equal(engine.embed(spec, long), engine.embed(spec, long + "law " * 100))
    with pytest.raises(Problem, match="cannot answer"):
        engine.submit(Request(spec, (({"role": "user", "content": "hello"},),))).wait(60)


def test_the_default_pair_says_where_it_comes_from(engine: Engine, weights: dict[str, Path]) -> None:
    found = [engine.load(ModelSpec(role, weights[role])) for role in ("base", "fine-tuned")]
    assert len({model["source_sha256"] for model in found}) == 1
    assert found[0]["quantization"] == found[1]["quantization"]
    assert found[0]["template_sha256"] == found[1]["template_sha256"]
    assert found[0]["threads"] == found[1]["threads"]
    assert found[0]["adapter_sha256"] is None and found[1]["adapter_sha256"]
