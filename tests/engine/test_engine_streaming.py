"""Text from token bytes, the wire, and prefix reuse: pure parts, tried at random."""

import json
import random
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.engine import wire
from core.engine.prefix import GROUP, TILE, common_prefix, plan, reusable
from core.engine.streaming import TextStream
from core.engine.vitals import Stopwatch


def _pieces(data: bytes, random_: random.Random) -> list[bytes]:
    cuts = sorted(random_.sample(range(len(data) + 1), min(len(data) + 1, random_.randint(0, 12))))
    return [data[a:b] for a, b in zip([0, *cuts], [*cuts, len(data)], strict=True)]


@given(st.binary(max_size=60), st.randoms(use_true_random=False))
def test_any_split_of_any_bytes_gives_the_same_text(data: bytes, random_: random.Random) -> None:
    stream = TextStream()
    text = "".join(stream.feed(piece) for piece in _pieces(data, random_)) + stream.finish()
    assert text == data.decode("utf-8", "replace")


@given(st.text("ab<|ü🙂", max_size=40), st.lists(st.text("ab<|ü🙂", min_size=1, max_size=4), max_size=3), st.randoms())
def test_the_text_ends_before_the_first_stop_string_however_it_is_split(
    text: str, stops: list[str], random_: random.Random
) -> None:
    stream = TextStream(stops)
    shown = "".join(stream.feed(piece) for piece in _pieces(text.encode(), random_)) + stream.finish()
    # The stream stops where a stop string is first complete; of those complete there, at the earliest beginning.
    ends = [text.find(stop) + len(stop) for stop in stops if stop in text]
    assert stream.stopped == bool(ends)
    assert not any(stop in shown for stop in stops)
    assert text.startswith(shown)
    if not ends:
        assert shown == text
    else:
        assert len(shown) <= min(ends)


def test_half_a_character_is_held_back_until_it_is_whole() -> None:
    stream = TextStream()
    assert [stream.feed(bytes([byte])) for byte in "é🙂".encode()] == ["", "é", "", "", "", "🙂"]


def test_an_invalid_byte_does_not_silence_what_follows() -> None:
    stream = TextStream()
    assert stream.feed(b"a\xffb") == "a\ufffdb"
    assert stream.feed(b"c") == "c"


def test_messages_survive_any_split() -> None:
    messages = [{"op": "x", "text": "ü" * size, "n": size} for size in (0, 1, 100, 70_000)]
    data = b"".join(wire.pack(message) for message in messages)
    unpacker, found = wire.Unpacker(), []
    for begin in range(0, len(data), 4099):
        found += unpacker.feed(data[begin : begin + 4099])
    assert found == messages


def test_a_message_over_the_cap_is_refused_on_both_sides() -> None:
    with pytest.raises(wire.TooLarge):
        wire.pack({"text": "x" * wire.MAX_BYTES})
    with pytest.raises(wire.TooLarge):
        wire.Unpacker().feed((wire.MAX_BYTES + 1).to_bytes(4, "big"))


@pytest.mark.parametrize("body", [b"nonsense", b"[1]", b'"text"', b"\xff\xfe"])
def test_what_is_no_json_object_is_refused(body: bytes) -> None:
    with pytest.raises(ValueError):
        wire.Unpacker().feed(len(body).to_bytes(4, "big") + body)


def test_lone_surrogates_cross_the_wire() -> None:
    assert wire.Unpacker().feed(wire.pack({"text": "\ud800"})) == [{"text": "\ud800"}]
    assert json.loads(wire.pack({"text": "\ud800"})[4:]) == {"text": "\ud800"}


def _kernels(ends: list[int], begins: int = 0) -> list[tuple[bool, bool]]:
    """Token by token from `begins`, whether it is evaluated by the tiled kernel, and in a whole group."""
    parts = pairwise([begins, *(end for end in ends if end > begins)])
    return [(b - a >= TILE, token < a + (b - a) // GROUP * GROUP) for a, b in parts for token in range(a, b)]


lengths = st.integers(1, 1500)


@given(lengths, lengths, st.floats(0, 1), st.floats(0, 1), st.floats(0, 1), st.sampled_from([128, 512]))
def test_reuse_never_changes_which_kernel_a_token_takes(
    cached: int, total: int, split_before: float, split: float, shared: float, chunk: int
) -> None:
    before = plan(cached, int(cached * split_before), chunk)
    ends = plan(total, int(total * split), chunk)
    assert before[-1] == cached and ends[-1] == total and ends == sorted(set(ends))
    kept = reusable(int(min(cached, total) * shared), before, ends)
    assert 0 <= kept < total and kept <= int(min(cached, total) * shared)
    fresh = _kernels(ends)
    assert _kernels(before)[:kept] == fresh[:kept]
    assert _kernels(ends, kept) == fresh[kept:]


def test_a_second_question_over_the_same_passages_costs_its_own_tokens_only() -> None:
    first, second = plan(180, 155, 512), plan(190, 155, 512)
    assert reusable(160, first, second) == 159
    assert reusable(155, first, second) == 155


def test_a_prompt_asked_again_costs_a_few_tokens() -> None:
    ends = plan(180, 155, 512)
    assert reusable(180, ends, ends) == 175


def test_what_does_not_fill_a_group_is_evaluated_anew() -> None:
    assert reusable(155, plan(155, 0, 512), plan(300, 0, 512)) == 152
    assert reusable(300, plan(300, 0, 512), plan(300, 155, 512)) == 88


def test_without_a_question_border_a_tile_is_evaluated_anew() -> None:
    assert reusable(420, plan(450, 0, 512), plan(440, 0, 512)) == 440 - TILE
    assert reusable(360, plan(450, 0, 512), plan(440, 0, 512)) == 360
    assert reusable(30, plan(450, 0, 512), plan(40, 0, 512)) == 0  # another kernel


def test_common_prefix_is_the_longest() -> None:
    assert common_prefix([1, 2, 3], [1, 2, 4]) == 2
    assert common_prefix([1, 2], [1, 2, 3]) == 2
    assert common_prefix([], [1]) == 0


def test_a_process_that_waits_its_turn_has_longer_than_one_that_burns_the_processor() -> None:
    hung, starved, unknown = Stopwatch(), Stopwatch(), Stopwatch()
    for watch in (hung, starved):
        assert watch.since(event=10.0, now=10.0, spent=3.0) == 0
    assert hung.since(event=10.0, now=18.0, spent=11.0) == 8
    assert hung.since(event=10.0, now=18.0, spent=19.0) == 8  # two threads burn twice as much
    assert starved.since(event=10.0, now=18.0, spent=3.5) == 2
    assert starved.starved and not hung.starved
    assert unknown.since(event=10.0, now=18.0, spent=None) == 8
    assert hung.since(event=18.0, now=18.0, spent=11.0) == 0  # something happened: it counts from there


def test_a_message_nested_without_end_is_refused() -> None:
    body = b"[" * 100_000
    with pytest.raises(ValueError, match="nested"):
        wire.Unpacker().feed(len(body).to_bytes(4, "big") + body)
