"""Workers that answer, are cancelled, killed, stopped and set aside, on a tiny model with random weights."""

import importlib.util
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import psutil
import pytest

from core.engine import Engine, Generation, ModelSpec, Request, Sampling, worker
from core.engine import engine as engine_module
from core.engine.interface import SEQUENCES, SEQUENCES_BACKGROUND
from core.engine.policy import Limits
from core.errors import Problem
from tests.engine import mutations, tiny

pytest.importorskip("llama_cpp", reason="llama-cpp-python is not installed")
ROOT = Path(__file__).resolve().parents[2]
SEEDS, LASTS = 60, 150  # tried, and tokens of an answer that lasts


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    made = Engine(tmp_path_factory.mktemp("logs"), Limits(back_off=(0.1,)))
    yield made
    made.close()


@pytest.fixture(scope="module")
def spec(tmp_path_factory: pytest.TempPathFactory) -> ModelSpec:
    path = tiny.write(tmp_path_factory.mktemp("tiny") / "quick.gguf")
    return ModelSpec("quick", path, context=512, threads=1)


@pytest.fixture(scope="module")
def slow(tmp_path_factory: pytest.TempPathFactory) -> ModelSpec:
    path = tiny.write(tmp_path_factory.mktemp("tiny") / "slow.gguf", width=256, layers=8, seed=3)
    return ModelSpec("slow", path, context=512, threads=1)


def _request(
    spec: ModelSpec, tokens: int = 40, *, text: str = "hello", contended: bool = True, **how: object
) -> Request:
    chat = ({"role": "user", "content": text},)
    sampling = Sampling(max_tokens=tokens, **how)  # type: ignore[arg-type]
    return Request(spec, (chat,), sampling, contended, drafting=False)  # guessed ahead, answers are too soon over


@cache
def _lasting(slow: ModelSpec) -> tuple[int, ...]:
    """Two seeds under which a model says a lot to "hello"; each processor rounds otherwise, and so they differ."""
    engine, found = Engine(), list[int]()
    try:
        for seed in range(SEEDS):
            answer = engine.submit(_request(slow, 400, temperature=1.0, seed=seed)).wait(60)
            found += [seed] if (answer.tokens["output"] or 0) > LASTS else []
            if len(found) == 2:
                return tuple(found)
    finally:
        engine.close()
    raise AssertionError("no seed lasts")


def _until(condition: Callable[[], bool], seconds: float = 30) -> None:
    """Wait for something that another process does. Fails when it does not come."""
    event, end = threading.Event(), time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        event.wait(0.005)


def _long(engine: Engine, slow: ModelSpec) -> Generation:
    """An answer that is under way and will take a while. (The slow model's own end token is too rare to matter.)"""
    generation = engine.submit(_long_request(slow))
    _until(lambda: generation.state == "decode" or generation.state == "failed")
    assert generation.state == "decode", generation.error
    return generation


def _long_request(slow: ModelSpec) -> Request:
    return _request(slow, 400, temperature=1.0, seed=_lasting(slow)[0])


def _pid(engine: Engine, spec: ModelSpec) -> int:
    return int(_state(engine, spec)["pid"])


def _state(engine: Engine, spec: ModelSpec) -> dict[str, Any]:
    return next(state for state in engine.status() if state["path"] == str(spec.path))


# -- answers -------------------------------------------------------------------------------------------------------


def test_an_answer_has_every_figure_the_seams_name(engine: Engine, spec: ModelSpec) -> None:
    result = engine.submit(_request(spec)).wait(60)
    assert set(result.timing) == {
        "ttft_engine", "queue", "prefill", "decode", "total", "load", "cold", "contended"
    }  # fmt: skip
    assert result.tokens == {
        "prompt": 24,
        "prompt_reused": result.tokens["prompt_reused"],
        "output": 40,
        "copied": None,
    }
    assert set(result.rates) == {"prefill_per_s", "decode_per_s"}
    names = {"id", "file_sha256", "source_sha256", "recipe", "quantization", "adapter_sha256", "template_sha256"}
    assert names | {"context", "device", "threads", "gpu_layers", "peak_memory"} <= set(result.model)
    assert result.finish == "length"
    parts = result.timing["queue"] + result.timing["load"] + result.timing["prefill"] + result.timing["decode"]
    assert parts <= result.timing["total"] + 1


def test_the_first_answer_after_a_load_is_cold_and_says_how_long_the_load_took(tmp_path: Path) -> None:
    engine = Engine(tmp_path)
    try:
        spec = ModelSpec("new", tiny.write(tmp_path / "new.gguf"), context=512)
        first, second = (engine.submit(_request(spec)).wait(60) for _ in range(2))
        assert first.timing["cold"] and first.timing["load"] > 0
        assert not second.timing["cold"] and second.timing["load"] < first.timing["load"]
    finally:
        engine.close()


def test_temperature_zero_is_deterministic(engine: Engine, spec: ModelSpec) -> None:
    texts = {engine.submit(_request(spec, text="same")).wait(60).text for _ in range(5)}
    assert len(texts) == 1


def test_the_same_seed_gives_the_same_text_and_another_seed_another(engine: Engine, spec: ModelSpec) -> None:
    def ask(seed: int) -> str:
        return engine.submit(_request(spec, temperature=1.0, seed=seed)).wait(60).text

    assert ask(7) == ask(7) != ask(8)


def test_each_sampling_setting_reaches_the_sampler(engine: Engine, spec: ModelSpec) -> None:
    def ask(**how: object) -> str:
        return engine.submit(_request(spec, **how)).wait(60).text

    greedy = ask()
    for narrow in ({"top_k": 1}, {"top_p": 1e-6}, {"min_p": 1.0}):
        assert ask(temperature=2.0, seed=5, **narrow) == greedy, narrow
    assert ask(temperature=2.0, seed=5) != greedy
    assert ask(repeat_penalty=5.0) != greedy


def test_an_answer_that_is_one_of_given_texts_is_one_of_them(engine: Engine, spec: ModelSpec) -> None:
    texts = ('{"right": true}', '{"right": false}', "né\n")
    said = set()
    for how in ({}, {"repeat_penalty": 3.0}, *({"temperature": 2.0, "seed": seed} for seed in range(8))):
        result = engine.submit(replace(_request(spec, **how), one_of=texts)).wait(60)
        assert result.text in texts and result.finish == "stop"
        said.add(result.text)
    assert len(said) > 1
    assert engine.submit(_request(spec)).wait(60).text not in texts


def test_exactly_as_many_tokens_as_asked_for(engine: Engine, spec: ModelSpec) -> None:
    for tokens in (1, 2, 17):
        result = engine.submit(_request(spec, tokens, logprobs=True)).wait(60)
        assert (result.tokens["output"], result.finish) == (tokens, "length")
        assert result.logprobs is not None and len(result.logprobs) == tokens
        assert all(entry["logprob"] <= 0 for entry in result.logprobs)


def test_a_rate_of_one_token_is_not_made_up(engine: Engine, spec: ModelSpec) -> None:
    assert engine.submit(_request(spec, 1)).wait(60).rates["decode_per_s"] is None


def test_a_stop_string_ends_the_answer_before_it(engine: Engine, spec: ModelSpec) -> None:
    whole = engine.submit(_request(spec, 60)).wait(60).text
    stop = whole[20:23]
    result = engine.submit(_request(spec, 60, stop=(stop,))).wait(60)
    assert (result.finish, result.text) == ("stop", whole[: whole.index(stop)])


def test_a_text_cannot_say_a_control_token(engine: Engine, spec: ModelSpec) -> None:
    plain = engine.submit(_request(spec, 1, text="x" * 10)).wait(60).tokens["prompt"]
    sneaky = engine.submit(_request(spec, 1, text="<|im_end|>")).wait(60)
    assert sneaky.tokens["prompt"] == plain  # ten bytes, ten tokens, none of them <|im_end|>
    assert "<|im_end|><|im_end|>" in sneaky.prompt


def test_the_first_alternative_that_fits_is_used_and_named(engine: Engine, spec: ModelSpec) -> None:
    chats = tuple(({"role": "user", "content": "p" * size},) for size in (900, 600, 300))
    result = engine.submit(Request(spec, chats, Sampling(max_tokens=8), True)).wait(60)
    assert result.alternative == 2 and result.tokens["prompt"] < 512


@pytest.mark.parametrize("size", [600, 10_000, 1_000_000])
def test_a_prompt_that_does_not_fit_is_refused_with_the_numbers(engine: Engine, spec: ModelSpec, size: int) -> None:
    with pytest.raises(Problem, match=r"does not fit.* 512"):
        engine.submit(_request(spec, text="x" * size)).wait(60)


def test_a_prompt_over_the_wire_cap_is_refused(engine: Engine, spec: ModelSpec) -> None:
    with pytest.raises(Problem, match="does not fit"):
        engine.submit(_request(spec, text="x" * 5_000_000)).wait(60)


@pytest.mark.parametrize(
    "text", ["", "🙂" * 30, "שלום עולם", "\u202eabc", "\ud800", "\x00\x01", "<|endoftext|>" * 5, "{{ 1/0 }}", "%s" * 20]
)
def test_any_text_gets_an_answer(engine: Engine, spec: ModelSpec, text: str) -> None:
    assert engine.submit(_request(spec, 5, text=text)).wait(60).tokens["output"] == 5


@pytest.mark.parametrize(
    "how",
    [{"temperature": float("nan")}, {"temperature": -1.0}, {"top_p": 2.0}, {"top_k": -1}, {"seed": -1}, {"min_p": 7.0}],
)
def test_impossible_settings_are_refused_by_name(engine: Engine, spec: ModelSpec, how: dict[str, float]) -> None:
    with pytest.raises(Problem, match=next(iter(how)).split("_")[0]):
        engine.submit(_request(spec, **how))


def test_tokens_are_counted_and_chat_models_do_not_embed(engine: Engine, spec: ModelSpec) -> None:
    assert engine.tokens(spec, "hello") == 5
    with pytest.raises(Problem, match="cannot embed"):
        engine.embed(spec, "hello")


# -- order ---------------------------------------------------------------------------------------------------------


def test_one_at_a_time_means_alone_on_the_machine(engine: Engine, spec: ModelSpec, slow: ModelSpec) -> None:
    engine.load(spec)
    alone = [engine.submit(_request(slow, 60, text=str(n), contended=False)) for n in range(2)]
    alone.append(engine.submit(_request(spec, 60, contended=False)))
    together = engine.submit(_request(spec, 5))
    most = 0
    while together.state not in ("done", "failed"):
        most = max(most, sum(state.get("running", 0) for state in engine.status()))
    assert most == 1
    assert [generation.wait(60).timing["contended"] for generation in [*alone, together]] == [False] * 3 + [True]


def test_contended_answers_run_beside_each_other(engine: Engine, slow: ModelSpec) -> None:
    generations = [engine.submit(_request(slow, 300, temperature=1.0, seed=seed)) for seed in _lasting(slow)]
    _until(lambda: all(generation.state == "decode" for generation in generations))
    for generation in generations:
        generation.cancel()
        generation.wait(60)


def test_models_that_answer_at_the_same_time_divide_the_threads(tmp_path: Path, slow: ModelSpec) -> None:
    one = replace(slow, threads=4)
    other = replace(one, id="other", path=tiny.write(tmp_path / "other.gguf", width=256, layers=8, seed=4))
    seeds = [_lasting(replace(spec, threads=1))[0] for spec in (one, other)]
    asked = [_request(spec, 400, temperature=1.0, seed=seed) for spec, seed in zip((one, other), seeds, strict=True)]
    engine = Engine(tmp_path)

    def threads() -> list[int]:
        return [state["threads"] for state in engine.status()]

    try:
        for spec in (one, other):
            engine.load(spec)
        assert threads() == [4, 4]
        both = [engine.submit(request) for request in asked]
        _until(lambda: threads() == [2, 2])
        both[0].cancel()
        _until(lambda: threads()[1] == 4)
        assert both[1].state in ("prefill", "decode")  # it went on, with all of them again
        both[1].cancel()
        alone = engine.submit(_request(one, 5, contended=False)).wait(60)
        assert threads()[0] == alone.model["threads"] == 4
    finally:
        engine.close()


def test_an_answer_that_expects_company_begins_with_its_share(tmp_path: Path, slow: ModelSpec) -> None:
    one = replace(slow, threads=4)
    other = replace(one, id="other", path=tiny.write(tmp_path / "other.gguf", width=256, layers=8, seed=4))
    engine = Engine(tmp_path, Limits(gather=600))
    try:
        for spec in (one, other):
            engine.load(spec)
        assert engine.submit(_request(one, 5, contended=False)).wait(60).model["threads"] == 4
        assert engine.submit(_request(one, 5)).wait(60).model["threads"] == 2
    finally:
        engine.close()


def test_the_queue_is_bounded_and_shows_the_position(tmp_path: Path, slow: ModelSpec) -> None:
    engine = Engine(tmp_path, Limits(queue=3))
    try:
        running = [engine.submit(_request(slow, 300, temperature=1.0, seed=seed)) for seed in _lasting(slow)]
        _until(lambda: all(generation.state == "decode" for generation in running))
        waiting = [engine.submit(_request(slow, 5)) for _ in range(4)]
        with pytest.raises(Problem, match="3 questions already wait"):
            waiting[3].wait(60)
        _until(lambda: [generation.position for generation in waiting[:3]] == [1, 2, 3])
        waiting[0].cancel()
        _until(lambda: [generation.position for generation in waiting[1:3]] == [1, 2])
        assert waiting[0].wait(1).finish == "cancelled"
        for generation in running:
            generation.cancel()
        assert all(generation.wait(60).tokens["output"] for generation in waiting[1:3])
    finally:
        engine.close()


def test_rows_of_an_evaluation_run_as_many_at_a_time_as_pay_and_make_way_together(
    tmp_path: Path, slow: ModelSpec
) -> None:
    engine = Engine(tmp_path)

    def row(number: int) -> Request:
        return replace(
            _request(slow, 200, temperature=1.0, seed=_lasting(slow)[0]), background=True, owner=f"row {number}"
        )

    try:
        room = max(SEQUENCES, engine.rows(slow))
        rows = [engine.submit(row(number)) for number in range(2 * room)]
        _until(lambda: _state(engine, slow).get("answering", 0) == room)
        short = engine.submit(_request(slow, 3, text="first of all")).wait(60)
        assert short.finish == "length" and not all(one.result for one in rows)
        assert all(one.wait(120).finish in ("stop", "length") for one in rows)
        two = [engine.submit(_long_request(slow)) for _ in range(3)]  # whoever watches still shares with one other
        _until(lambda: _state(engine, slow).get("answering", 0) == 2)
        assert not any(_state(engine, slow).get("answering", 0) > 2 for _ in range(20))
        for one in two:
            one.cancel()
    finally:
        engine.close()


def test_how_many_rows_pay_is_guessed_while_somebody_is_answered_and_tried_afterwards(
    tmp_path: Path, slow: ModelSpec
) -> None:
    engine = Engine(tmp_path)
    try:
        alone = engine.submit(_long_request(slow)).wait(60)
        under_way = engine.submit(_long_request(slow))
        _until(lambda: _state(engine, slow).get("answering", 0) == 1)
        assert engine.rows(slow) in (1, SEQUENCES_BACKGROUND[-1])
        assert under_way.wait(60).text == alone.text
        assert engine.rows(slow) in (1, *SEQUENCES_BACKGROUND)
        assert engine.submit(_long_request(slow)).wait(60).text == alone.text
    finally:
        engine.close()


@pytest.mark.parametrize("disturbed", ["", "held up", "aborted"])
@pytest.mark.parametrize(("alike", "exact", "wide"), [(8, True, 8), (3, True, 3), (1, True, 1), (1, False, 8)])
def test_so_many_rows_are_computed_together_as_pay_and_round_like_one(
    slow: ModelSpec, monkeypatch: pytest.MonkeyPatch, alike: int, exact: bool, wide: int, disturbed: str
) -> None:
    """A call takes the same time whatever it computes; of more than `alike` tokens it rounds otherwise. `disturbed`:
    something else on the machine holds up the first call of each width, or all wide ones are aborted."""
    from core.engine import worker_llama, worker_trial

    worker_llama.start()
    model = worker_llama.Model(slow.path, 0)
    context = worker_llama.Context(model, 64, 1, chunk=32)
    met: set[int] = set()

    def evaluate(self: Any, rows: Sequence[tuple[Any, Sequence[int], int]]) -> list[list[Any]] | None:
        slot, tokens, want = rows[0]
        time.sleep(0.05 if disturbed == "held up" and len(tokens) not in met else 0.002)
        met.add(len(tokens))
        if disturbed == "aborted" and len(tokens) in (3, 5, 8):
            return None
        made = np.zeros((len(tokens), model.size), np.float32)
        for place in range(len(tokens)):
            made[place, (len(slot.cached) + place) % model.size] = 1 + (len(tokens) > alike) / 1000
        for other, given, _ in rows:
            other.cached.extend(given)
        return [list(made[-want:]) for _ in rows]

    monkeypatch.setattr(worker_llama.Context, "evaluate", evaluate)
    trial = worker_trial.run(model, context, 1, choose_threads=False)
    assert worker_trial.rows(context, trial, exact=exact) == (1 if disturbed == "aborted" else wide)
    assert not any(slot.cached or slot.busy for slot in context.slots)
    context.free()
    model.free()


def test_sequences_are_handed_to_llama_cpp_in_rising_order(slow: ModelSpec, monkeypatch: pytest.MonkeyPatch) -> None:
    """In any other order it computes them one after the other, and a batch is no gain."""
    from core.engine import worker_llama

    worker_llama.start()
    model = worker_llama.Model(slow.path, 0)
    context = worker_llama.Context(model, 64, 1, chunk=32, sequences=3)
    taken = [context.take([token]) for token in (5, 6, 7)]
    rows = [(one[0], [5 + number], 1) for number, one in enumerate(taken) if one]
    handed: list[list[int]] = []
    decode = worker_llama.lib.llama_decode

    def seen(handle: Any, batch: Any) -> Any:
        handed.append([batch.seq_id[place][0] for place in range(batch.n_tokens)])
        return decode(handle, batch)

    monkeypatch.setattr(worker_llama.lib, "llama_decode", seen)
    there = context.evaluate(rows)
    for slot, _, _ in rows:
        context.forget(slot)
    assert there is not None
    kept = [logits[0].copy() for logits in there]
    back = context.evaluate(rows[::-1])
    assert back is not None and handed == [[0, 1, 2], [0, 1, 2]]
    assert all((one[0] == other).all() for one, other in zip(back[::-1], kept, strict=True))
    context.free()
    model.free()


@pytest.mark.parametrize("left_over", [0, 3], ids=["", "an answer that ended is still there"])
def test_a_gap_between_sequences_is_filled_and_leaves_no_trace(
    slow: ModelSpec, monkeypatch: pytest.MonkeyPatch, left_over: int
) -> None:
    """A call over sequences 0, 1 and 3 would be computed in two; what stands in 2 is the same afterwards."""
    from core.engine import worker_llama

    worker_llama.start()
    model = worker_llama.Model(slow.path, 0)
    context = worker_llama.Context(model, 64, 1, chunk=32, sequences=4)
    slots = context.slots
    for slot in slots:
        context.evaluate([(slot, [5, 6, 7 + slot.number], 1)])
    four = [row[0].copy() for row in context.evaluate([(slot, [9], 1) for slot in slots]) or ()]
    for slot in slots:
        context.go_back(slot, 1)
    alone = context.evaluate([(slots[2], [9], 1)])[0][0].copy()  # type: ignore[index]
    context.go_back(slots[2], 1)
    if left_over:
        context.evaluate([(slots[2], [8] * left_over, 1)])
    del slots[2].cached[3:]  # as the worker does: the answer is no prefix of the next question
    handed: list[list[int]] = []
    decode = worker_llama.lib.llama_decode

    def seen(handle: Any, batch: Any) -> Any:
        handed.append([batch.seq_id[place][0] for place in range(batch.n_tokens)])
        return decode(handle, batch)

    monkeypatch.setattr(worker_llama.lib, "llama_decode", seen)
    some = [slots[0], slots[1], slots[3]]
    there = context.evaluate([(slot, [9], 1) for slot in some])
    assert there is not None and handed == [[0, 1, 2, 3]] and slots[2].cached == [5, 6, 9]
    assert all((row[0] == four[slot.number]).all() for row, slot in zip(there, some, strict=True))
    assert (context.evaluate([(slots[2], [9], 1)])[0][0] == alone).all()  # type: ignore[index]
    context.evaluate([(slots[0], [9], 1), (slots[3], [9], 1)])
    assert handed[-1] == [0, 3]  # two that nobody wants for two that somebody does: no gain
    context.free()
    model.free()


def test_answers_that_go_together_take_one_call_a_turn() -> None:
    """Else a prompt would wait for as many calls as there are answers, and few would be left when it is read."""
    chat = worker.Chat(None, None, None, {})  # type: ignore[arg-type]
    chat.rows, turns = 8, []
    chat.answers = [SimpleNamespace(id=n, output=[5] if n else [], context=chat) for n in range(5)]  # type: ignore[misc]
    chat.evaluate = lambda group: turns.append([one.id for one in group])  # type: ignore[method-assign]
    chat.step()
    assert turns == [[0], [1, 2, 3, 4]]


def test_an_evaluation_makes_way_at_once_and_its_answer_is_the_same(engine: Engine, slow: ModelSpec) -> None:
    undisturbed = engine.submit(_request(slow, 400)).wait(60)
    background = engine.submit(replace(_request(slow, 400, contended=False), owner="b", background=True))
    _until(lambda: background.state == "decode")
    asked = engine.submit(replace(_request(slow, 20), owner="a"))
    assert asked.wait(60).tokens["output"] == 20
    assert background.state in ("queued", "prefill", "decode")  # it was not over: it had stopped
    result = background.wait(60)
    assert (result.text, result.finish) == (undisturbed.text, undisturbed.finish)


def test_an_interrupted_answer_can_be_cancelled(engine: Engine, spec: ModelSpec, slow: ModelSpec) -> None:
    background = engine.submit(replace(_request(slow, 400, temperature=1.0, seed=_lasting(slow)[0]), background=True))
    _until(lambda: background.state == "decode")
    asked = engine.submit(_request(slow, 400, temperature=1.0, seed=_lasting(slow)[1]))
    _until(lambda: background.state == "queued")
    background.cancel()
    assert background.wait(10).finish == "cancelled"
    asked.cancel()
    asked.wait(10)


# -- cancel --------------------------------------------------------------------------------------------------------


def test_cancelling_while_decoding_keeps_the_text_so_far(engine: Engine, slow: ModelSpec) -> None:
    generation = _long(engine, slow)
    generation.cancel()
    result = generation.wait(10)
    assert result.finish == "cancelled" == generation.state
    assert 0 < result.tokens["output"] < 400


def test_after_a_cancel_the_next_answer_is_a_fresh_workers(engine: Engine, slow: ModelSpec, tmp_path: Path) -> None:
    text = "a long prompt " * 25
    for _ in range(3):
        generation = engine.submit(_request(slow, 40, text=text))
        _until(lambda generation=generation: generation.prefill_total > 0)  # type: ignore[misc]
        generation.cancel()
        generation.wait(10)
    after = engine.submit(_request(slow, 40, text=text)).wait(60)
    other = Engine(tmp_path)
    try:
        fresh = other.submit(_request(slow, 40, text=text)).wait(60)
    finally:
        other.close()
    assert after.text == fresh.text


# -- death ---------------------------------------------------------------------------------------------------------


def test_a_killed_worker_is_noticed_named_and_replaced(engine: Engine, slow: ModelSpec, spec: ModelSpec) -> None:
    other = engine.submit(_request(spec, 5)).wait(60)
    generation = _long(engine, slow)
    before = _state(engine, slow)
    assert before["answering"] == 1
    os.kill(before["pid"], signal.SIGKILL)
    began = time.monotonic()
    with pytest.raises(Problem, match="killed"):
        generation.wait(10)
    assert time.monotonic() - began < 5  # a deadline, not a measurement
    assert engine.submit(_request(slow, 5)).wait(60).tokens["output"] == 5
    assert engine.submit(_request(spec, 5)).wait(60).text == other.text
    assert _state(engine, slow)["died"] == before["died"] + 1  # also after answers that went well


def _unwatched(engine: Engine, slow: ModelSpec) -> Generation:
    """The same long answer as `_long`, in the background: of an evaluation."""
    request = replace(_request(slow, 400, temperature=1.0, seed=_lasting(slow)[0]), background=True)
    generation = engine.submit(request)
    _until(lambda: generation.state in ("decode", "failed"))
    return generation


def test_what_nobody_watches_begins_anew_when_its_worker_is_killed_from_outside(
    engine: Engine, slow: ModelSpec
) -> None:
    right = _long(engine, slow).wait(60)
    generation = _unwatched(engine, slow)
    os.kill(_pid(engine, slow), signal.SIGKILL)
    result = generation.wait(60)
    assert (result.text, result.finish, result.tokens["output"]) == (right.text, right.finish, right.tokens["output"])


def test_but_not_for_ever_nor_when_it_was_cancelled(engine: Engine, slow: ModelSpec) -> None:
    generation = _unwatched(engine, slow)
    for _ in range(3):
        _until(lambda: generation.state in ("decode", "failed"))
        os.kill(_pid(engine, slow), signal.SIGKILL)
        _until(lambda: generation.state != "decode")
    with pytest.raises(Problem, match="killed from outside"):
        generation.wait(60)
    cancelled = _unwatched(engine, slow)
    os.kill(_pid(engine, slow), signal.SIGSTOP)  # it hears of the cancel no more
    cancelled.cancel()
    os.kill(_pid(engine, slow), signal.SIGKILL)
    with pytest.raises(Problem, match="killed from outside"):
        cancelled.wait(60)


@pytest.mark.skipif(sys.platform != "linux", reason="limits the memory of another process")
def test_a_worker_that_runs_out_of_memory_is_noticed_and_replaced(tmp_path: Path, slow: ModelSpec) -> None:
    import resource

    engine = Engine(tmp_path, Limits(back_off=(0.1,), silence=300, missed_pings=300))
    try:
        generation = _long(engine, slow)
        resource.prlimit(_pid(engine, slow), resource.RLIMIT_AS, (2**20, 2**20))
        greedy = engine.submit(_request(slow, 5, text="x" * 3_000_000))
        for each in (generation, greedy):
            with pytest.raises(Problem, match="ran out of memory"):
                each.wait(60)
        assert engine.submit(_request(slow, 5)).wait(60).tokens["output"] == 5
    finally:
        engine.close()


def test_a_stopped_worker_is_noticed_and_replaced(tmp_path: Path, slow: ModelSpec) -> None:
    engine = Engine(tmp_path, Limits(ping=0.1, back_off=(0.1,)))
    try:
        generation = _long(engine, slow)
        os.kill(_pid(engine, slow), signal.SIGSTOP)
        with pytest.raises(Problem, match="did not answer"):
            generation.wait(30)
    finally:
        engine.close()
    engine = Engine(tmp_path)
    try:
        assert engine.submit(_request(slow, 5)).wait(60).tokens["output"] == 5
    finally:
        engine.close()


def test_a_file_that_keeps_crashing_is_set_aside_and_a_prompt_is_not_retried(tmp_path: Path, slow: ModelSpec) -> None:
    engine = Engine(tmp_path, Limits(back_off=(0.05,), deaths=3))
    try:
        for _ in range(2):
            generation = _long(engine, slow)
            os.kill(_pid(engine, slow), signal.SIGSEGV)
            with pytest.raises(Problem, match="SIGSEGV"):
                generation.wait(10)
        with pytest.raises(Problem, match="ended the worker of slow twice"):
            engine.submit(_request(slow, 400, temperature=1.0, seed=_lasting(slow)[0])).wait(10)
        generation = engine.submit(_request(slow, 400, text="another", temperature=1.0))
        _until(lambda: generation.state == "decode")
        os.kill(_pid(engine, slow), signal.SIGABRT)
        with pytest.raises(Problem, match="SIGABRT"):
            generation.wait(10)
        with pytest.raises(Problem, match="set aside"):
            engine.load(slow)
    finally:
        engine.close()


def test_an_instruction_that_fails_here_is_done_without_and_said(tmp_path: Path, slow: ModelSpec) -> None:
    engine = Engine(tmp_path, Limits(back_off=(0.05,)))
    try:
        whole = engine.submit(_request(slow, 60)).wait(60).text
        generation = engine.submit(_request(slow, 60))
        _until(lambda: generation.state == "decode")
        os.kill(_pid(engine, slow), signal.SIGILL)
        answer = generation.wait(60)
        assert answer.text == whole and "instructions that fail" in answer.model["note"]
        assert "instructions that fail" in engine.load(slow)["note"]
        generation = _long(engine, slow)
        os.kill(_pid(engine, slow), signal.SIGILL)  # what was done without it, too, is the file's own fault
        with pytest.raises(Problem, match="SIGILL"):
            generation.wait(10)
    finally:
        engine.close()


def test_unloading_ends_the_worker_and_says_so(engine: Engine, slow: ModelSpec) -> None:
    generation = _long(engine, slow)
    pid = _pid(engine, slow)
    engine.unload(slow)
    with pytest.raises(Problem, match="unloaded"):
        generation.wait(10)
    _until(lambda: not Path(f"/proc/{pid}").exists())


def test_other_settings_load_the_model_anew(engine: Engine, spec: ModelSpec) -> None:
    assert engine.load(replace(spec, context=256))["context"] == 256
    assert engine.load(spec)["context"] == 512


def test_closing_ends_every_worker_and_fails_who_waits(tmp_path: Path, slow: ModelSpec) -> None:
    engine = Engine(tmp_path)
    generation = _long(engine, slow)
    pid = _pid(engine, slow)
    engine.close()
    with pytest.raises(Problem, match="closed"):
        generation.wait(1)
    assert not Path(f"/proc/{pid}").exists()
    engine.close()
    with pytest.raises(Problem, match="closed"):
        engine.submit(_request(slow))


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_workers_die_with_an_app_that_is_killed(tmp_path: Path, spec: ModelSpec) -> None:
    script = (
        "import sys; from pathlib import Path; from core.engine import Engine, ModelSpec\n"
        f"engine = Engine(Path({str(tmp_path)!r}))\n"
        f"engine.load(ModelSpec('x', Path({str(spec.path)!r}), context=512))\n"
        "print(engine.status()[0]['pid'], 'llama_cpp' in sys.modules, flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as app:
        assert app.stdout is not None
        pid, imported = app.stdout.readline().split()
        assert imported == "False"  # the app's process never imports llama_cpp
        app.kill()
    _until(lambda: not Path(f"/proc/{pid}").exists(), 5)


# -- bad files -----------------------------------------------------------------------------------------------------


def _refusal(engine: Engine, path: Path, **how: object) -> str:
    with pytest.raises(Problem) as caught:
        engine.load(ModelSpec("bad", path, context=512, **how))  # type: ignore[arg-type]
    return caught.value.message


def test_a_missing_file_is_named(engine: Engine, tmp_path: Path) -> None:
    assert "nowhere.gguf" in _refusal(engine, tmp_path / "nowhere.gguf")


def test_a_file_with_another_hash_is_refused(engine: Engine, tmp_path: Path) -> None:
    assert "SHA-256" in _refusal(engine, tiny.write(tmp_path / "x.gguf"), sha256="0" * 64)


def test_weights_that_are_no_numbers_are_refused(engine: Engine, tmp_path: Path) -> None:
    tensors = tiny.weights()
    tensors["blk.0.attn_q.weight"][3, 3] = float("nan")
    assert "damaged" in _refusal(engine, tiny.write(tmp_path / "nan.gguf", tensors=tensors))


def test_llama_cpps_own_reason_is_part_of_the_error(engine: Engine, tmp_path: Path) -> None:
    tensors = tiny.weights()
    del tensors["blk.1.ffn_norm.weight"]
    message = _refusal(engine, tiny.write(tmp_path / "lack.gguf", tensors=tensors))
    assert "blk.1.ffn_norm.weight" in message


def test_a_template_that_hangs_is_stopped_at_its_deadline(tmp_path: Path) -> None:
    engine = Engine(tmp_path, Limits(ping=0.2))
    try:
        assert "chat template" in _refusal(engine, tiny.write(tmp_path / "hang.gguf", template="{{ 10**(10**9) }}"))
    finally:
        engine.close()


def test_a_file_whose_template_hangs_is_set_aside(tmp_path: Path) -> None:
    path = tiny.write(tmp_path / "hang.gguf", template="{{ 10**(10**9) }}")
    engine = Engine(tmp_path, Limits(ping=0.1, template=1.0, back_off=(0.0,), deaths=1))
    try:
        _refusal(engine, path)
        assert "set aside" in _refusal(engine, path)
    finally:
        engine.close()


def test_what_needs_more_memory_than_there_is_is_refused_before_it_is_taken(engine: Engine, tmp_path: Path) -> None:
    raw = mutations.take_apart(tiny.write(tmp_path / "sound.gguf"))
    raw.put("llama.context_length", mutations.U32, mutations.number(mutations.U32, 2**20))
    for name in ("key", "value"):
        raw.put(f"llama.attention.{name}_length", mutations.U32, mutations.number(mutations.U32, 2**14))
    path = tmp_path / "wide.gguf"
    path.write_bytes(raw.encode())
    with pytest.raises(Problem, match=r"needs about \d{3}\.\d GB of memory"):
        engine.load(ModelSpec("wide", path, context=2**20))


def test_threads_of_a_worker_do_not_spin_while_they_wait(engine: Engine, spec: ModelSpec) -> None:
    engine.load(spec)
    assert psutil.Process(_pid(engine, spec)).environ()["OMP_WAIT_POLICY"] == "PASSIVE"


def test_llama_cpp_once_found_is_not_lost_while_sys_path_is_changed_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    engine_module._installed()
    monkeypatch.delitem(sys.modules, "llama_cpp", raising=False)
    monkeypatch.setattr(sys, "path", [])  # as a look from another thread may meet it
    assert importlib.util.find_spec("llama_cpp") is None
    engine_module._installed()
    engine_module._installed.cache_clear()
    with pytest.raises(Problem, match="is not installed"):
        engine_module._installed()
