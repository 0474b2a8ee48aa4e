"""Text from token bytes, the wire, and prefix reuse: pure parts, tried at random."""

import json
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.engine import wire
from core.engine.prefix import TILE, common_prefix, reusable
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


lengths = st.integers(1, 3000)


@given(lengths, lengths, st.integers(0, 3000), st.sampled_from([128, 512]))
def test_reuse_never_changes_which_kernel_a_token_takes(cached: int, total: int, common: int, chunk: int) -> None:
    common = min(common, cached, total)
    kept = reusable(common, cached, total, chunk)
    assert 0 <= kept <= min(common, total - 1)
    begin = kept // chunk * chunk
    end = min(begin + chunk, total)
    if end - begin >= TILE:
        assert end - kept >= TILE  # what is evaluated anew in this chunk takes the tiled kernel, as all of it would
    if kept > begin:  # the chunk is partly reused: both prompts must have evaluated it alike
        assert (end - begin >= TILE) == (min(begin + chunk, cached) - begin >= TILE)


def test_a_new_question_over_the_same_passages_reuses_all_but_a_tile() -> None:
    assert reusable(common=420, cached=450, total=440, chunk=512) == 440 - TILE
    assert reusable(common=360, cached=450, total=440, chunk=512) == 360


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
    assert unknown.since(event=10.0, now=18.0, spent=None) == 8
    assert hung.since(event=18.0, now=18.0, spent=11.0) == 0  # something happened: it counts from there
