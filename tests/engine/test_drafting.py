"""Guessing ahead: what is guessed, and that no answer changes by it."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.engine import Engine, ModelSpec, Request, Sampling
from core.engine.draft import MOST, Draft, Lookup
from models.training import chat as prompt
from tests.engine import tiny

TOKENS = st.lists(st.integers(0, 4), max_size=60)
PASSAGE = "The Tidal Press costs $389. It weighs 1.2 kg, is made of brushed steel, and has a warranty of three years."


def test_what_followed_the_same_three_tokens_is_guessed() -> None:
    assert Lookup([1, 2, 3, 4, 5, 6]).guess([9, 1, 2, 3], 2) == [4, 5]


def test_three_tokens_count_before_two_and_the_latest_place_before_the_first() -> None:
    assert Lookup([1, 2, 3, 4, 0, 2, 3, 5]).guess([1, 2, 3], 1) == [4]
    assert Lookup([2, 3, 4, 2, 3, 5]).guess([9, 2, 3], 1) == [5]


def test_the_end_itself_is_no_guess() -> None:
    assert Lookup([1, 2, 3]).guess([1, 2, 3], 5) == []


@given(TOKENS, TOKENS, st.integers(0, 9))
def test_a_guess_stood_after_the_last_two_tokens_of_what_was_read(read: list[int], said: list[int], room: int) -> None:
    draft = Draft(read)
    for token in said:
        draft.learn(token, False)
    guess = draft.guess(room)
    assert len(guess) <= min(room, MOST)
    if guess:
        text, ending = read + said, (read + said)[-2:]
        assert any(text[i : i + 2 + len(guess)] == ending + guess for i in range(len(text)))


def test_an_earlier_answer_is_guessed_from_where_the_prompt_has_nothing() -> None:
    draft = Draft([7, 8, 1], [[1, 2, 3]])
    assert draft.guess(5) == []
    draft.learn(2, False)
    assert draft.guess(5) == [3]


def test_wrong_guesses_reach_less_far_and_right_ones_further() -> None:
    draft = Draft([*range(20), 0, 1])
    assert len(draft.guess(99)) == MOST
    draft.checked(MOST, 0)
    shorter = len(draft.guess(99))
    assert shorter < MOST
    draft.checked(shorter, shorter)
    assert len(draft.guess(99)) > shorter


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    made = Engine(tmp_path_factory.mktemp("state"))
    yield made
    made.close()


def both(engine: Engine, request: Request) -> tuple[dict[str, int | None], list[tuple[int, str]]]:
    """One answer guessed ahead and not: it is the same to the token. Gives its counts and its tokens."""
    ahead, plain = (engine.submit(replace(request, drafting=on)).wait(120) for on in (True, False))
    assert (
        ahead.text == plain.text and ahead.finish == plain.finish and ahead.tokens["output"] == plain.tokens["output"]
    )
    assert plain.tokens["copied"] is None
    tokens = [[(one["token"], f"{one['logprob']:.2f}") for one in made.logprobs or []] for made in (ahead, plain)]
    assert tokens[0] == tokens[1]
    return ahead.tokens, tokens[0]


def test_an_answer_that_repeats_itself_is_the_same_and_mostly_copied(engine: Engine, tmp_path: Path) -> None:
    spec = ModelSpec("tiny", tiny.write(tmp_path / "tiny.gguf"), context=512)
    for length in (1, 2, 3, 8, 9, 60):
        chat = ({"role": "user", "content": "one two one two one two one two"},)
        both(engine, Request(spec, (chat,), Sampling(max_tokens=length, logprobs=True)))


def test_sampled_answers_are_not_guessed(engine: Engine, tmp_path: Path) -> None:
    spec = ModelSpec("other", tiny.write(tmp_path / "other.gguf"), context=512)
    chat = ({"role": "user", "content": "one two one two"},)
    for sampling in (Sampling(temperature=1.0, max_tokens=9), Sampling(repeat_penalty=1.1, max_tokens=9)):
        assert engine.submit(Request(spec, (chat,), sampling, drafting=True)).wait(60).tokens["copied"] is None


def test_unasked_answers_are_guessed_where_the_trial_found_that_it_pays(engine: Engine, tmp_path: Path) -> None:
    spec = ModelSpec("third", tiny.write(tmp_path / "third.gguf"), context=512)
    chat = ({"role": "user", "content": "one two one two one two"},)
    result = engine.submit(Request(spec, (chat,), Sampling(max_tokens=20))).wait(60)
    assert (result.tokens["copied"] is not None) == result.model["guessing"]


@pytest.mark.real
def test_a_real_model_that_reads_out_of_a_passage_copies_and_says_the_same(
    engine: Engine, weights: dict[str, Path]
) -> None:
    copied = 0
    for role in ("base", "fine-tuned"):
        for question in ("What is the Tidal Press made of?", "How much is the Tidal Press?", "Say all you know of it."):
            chat = prompt.messages(question, [PASSAGE])
            sampling = Sampling(max_tokens=40, logprobs=True)
            counts, _ = both(engine, Request(ModelSpec(role, weights[role]), (chat,), sampling))
            copied += counts["copied"] or 0
    assert copied > 10
