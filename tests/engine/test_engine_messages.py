"""What supervisor and worker say to each other: every message comes back as it was, and nothing else gets in."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.engine import messages, wire
from core.engine.interface import Sampling

TEXT = st.text(st.characters(), max_size=40)  # lone surrogates included
ORDERS = st.one_of(
    st.builds(messages.Generate, sampling=st.builds(Sampling), adapter=st.none() | TEXT),
    *(st.from_type(kind) for kind in (messages.Load, messages.Cancel, messages.Threads, messages.Ping)),
    *(st.from_type(kind) for kind in (messages.Embed, messages.CountTokens, messages.Prepare)),
)
FLOATS = st.floats(allow_nan=False)
INFO = st.dictionaries(TEXT, st.none() | st.integers() | TEXT | st.booleans(), max_size=3)
EVENTS = st.one_of(
    *(st.from_type(kind) for kind in (messages.Pong, messages.Phase, messages.Refused, messages.Prefill)),
    *(st.from_type(kind) for kind in (messages.Text, messages.Value, messages.Failed)),
    st.builds(messages.Loaded, info=INFO),
    st.builds(
        messages.Done,
        timing=st.builds(messages.Timing, FLOATS, st.none() | FLOATS, FLOATS, FLOATS),
        rates=st.builds(messages.Rates, FLOATS, st.none() | FLOATS),
        logprobs=st.none() | st.lists(INFO, max_size=2),
    ),
)


def _raw(message: messages.Order | messages.Event) -> dict[str, Any]:
    (raw,) = wire.Unpacker().feed(messages.pack(message))
    return raw


@given(ORDERS)
def test_an_order_comes_back_as_it_was(message: messages.Order) -> None:
    assert messages.order(_raw(message)) == message


@given(EVENTS)
def test_an_event_comes_back_as_it_was(message: messages.Event) -> None:
    assert messages.event(_raw(message)) == message


@pytest.mark.parametrize(
    "raw",
    [
        {},
        {"type": None},
        {"type": "Nothing"},
        {"type": ["Text"]},
        {"type": "Text", "id": 1, "text": "x"},
        {"type": "Text", "id": "1", "text": "x", "tokens": 1},
        {"type": "Text", "id": 1, "text": None, "tokens": 1},
        {"type": "Prefill", "id": True, "done": 1, "total": 1},
        {"type": "Phase", "phase": "party"},
        {"type": "Loaded", "kind": "chat", "threads": 1, "info": [], "peak_memory": 1},
        {"type": "Cancel", "id": 1},  # an order: a worker gives none
    ],
)
def test_what_no_worker_of_ours_would_send_is_refused(raw: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"a message of no known type|that is none"):
        messages.event(raw)
