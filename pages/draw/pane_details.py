"""What stands under an answer: its state, figures, passages, exact prompt and model. Untrusted text stays text."""

from collections.abc import Sequence

import streamlit as st

from core import ask, glossary, records, repeats
from core.evidence import bills
from core.evidence.prices import Offer
from core.records import ArmRecord
from core.text import one_line, plain
from pages.draw import confidence, follow_up
from pages.draw.sources import draw_sources

FLAGS = {
    "cold": "Cold: the first answer after the model was loaded; later ones are faster.",
    "contended": "Contended: the arms ran together and shared the processor.",
}
STATES = {
    "waiting": "waits for its turn",
    "retrieving": "searching the documents …",
    "loading": "loading the model (once) …",
    "prefill": "reading the prompt …",
    "decode": "writing …",
    "cancelled": "stopped",
}


def ms(value: float | None) -> str:
    """Milliseconds for people: 87 ms, 1.24 s, a dash where there is none."""
    if value is None:
        return "—"
    return f"{value:.0f} ms" if value < 1000 else f"{value / 1000:.2f} s"


def status(arm: ArmRecord) -> str:
    """One line on where an arm is, in words."""
    state = arm.state
    if state == "queued":
        position = arm.queue_position
        return f"in the queue, {position} ahead" if position else "in the queue"
    if state == "prefill" and arm.prefill.total:
        return f"reading the prompt: {arm.prefill.done} of {arm.prefill.total} tokens"
    if state == "done":
        return "cut off at the length limit" if arm.finish == "length" else "done"
    return STATES.get(state, state)


def draw_details(arm: ArmRecord, right: Sequence[str] = ()) -> None:
    rate = arm.rates.decode_per_s
    endpoint = arm.model is not None and arm.model.kind == "endpoint"
    with st.container(horizontal=True):
        st.metric(
            "TTFT",
            ms(arm.timing.ttft_total),
            help=glossary.told("TTFT"),
        )
        st.metric(
            "Tokens/s",
            "—" if rate is None else f"{rate:.0f}",
            help=glossary.told("Tokens/s"),
        )
    if repeated := repeats.of(arm):
        st.markdown(_repeated(repeated))
    follow_up.draw_history(arm)
    if arm.confidence:
        confidence.draw_confidence(arm)
    if arm.retrieval is not None:
        _passages(arm, arm.retrieval, right)
    elif arm.passages:
        with st.expander(f"{len(arm.passages)} right passages, given"):
            draw_sources(arm.answer, arm.passages, right)
    with st.expander("Messages sent (its template is the server's)" if endpoint else "Exact prompt"):
        st.code(arm.prompt, language=None, wrap_lines=True)
    with st.expander("Model"):
        st.code(
            "\n".join(
                f"{name}: {value}" for name, value in records.plain(arm.model or records.ModelIdentity()).items()
            ),
            language=None,
            wrap_lines=True,
        )


def _repeated(found: repeats.Repeated) -> str:
    """Median and spread of several answers, and whether they differ."""
    parts = [f"**{found.n} repeats**" + (f", {found.failed} more failed" if found.failed else "")]
    if found.ttft:
        parts.append(f"TTFT {ms(found.ttft.median)} ({ms(found.ttft.low)} to {ms(found.ttft.high)})")
    if found.decode:
        parts.append(f"{found.decode.median:.0f} tokens/s ({found.decode.low:.0f} to {found.decode.high:.0f})")
    parts.append("always the same answer" if found.different == 1 else f"{found.different} different answers")
    told = ":material/repeat: " + " · ".join(parts) + ". Median (least to most), each prompt read as a whole."
    if found.cold:
        times = ", ".join(map(ms, found.cold))
        told += f" Apart from these times: **{len(found.cold)} cold** right after loading, TTFT {times}."
    return told


def small_figures(arm: ArmRecord, dollars_per_hour: float, sold: Offer | None = None) -> str:
    """One line of what else was measured. `sold`: the price of a model at an endpoint. Every word is ours, a number, or
    made plain, so Markdown is safe here."""
    timing, tokens = arm.timing, arm.tokens
    cost = f"\\${ask.cost(timing.total or 0.0, dollars_per_hour):.6f} at \\${dollars_per_hour:.2f}/h"
    if arm.model is not None and arm.model.kind == "endpoint":
        asked = None if sold is None else bills.cost(sold, tokens.prompt, tokens.prompt_reused, tokens.output)
        cost = "cost: what the endpoint asks"
        if sold is not None and asked is not None:
            cost = f"\\${asked:.6f} by the token ({plain(one_line(sold.id, 60))}, {plain(sold.source)}, {sold.date})"
    parts = [
        status(arm),
        f"total {ms(timing.total)}",
        f"prefill {ms(timing.prefill)}",
        f"queue {ms(timing.queue)}",
        f"{_count(tokens.prompt)} prompt tokens ({_count(tokens.prompt_reused)} reused)",
        f"{_count(tokens.output)} output tokens" + (f" ({tokens.copied} copied)" if tokens.copied else ""),
        cost,
        f"on {plain(str(arm.model.device if arm.model else '?'))}",
    ]
    if timing.cold:
        parts.append(f"load {ms(timing.load)}")
    flags = [f"**{flag}**" for flag in FLAGS if getattr(timing, flag)]
    return " · ".join(parts + flags)


def _count(tokens: int | None) -> str:
    return "—" if tokens is None else str(tokens)


def _passages(arm: ArmRecord, found: records.RetrievalRecord, right: Sequence[str]) -> None:
    timing = arm.timing
    spent = ms(timing.retrieval)
    dropped = f", {arm.passages_dropped} dropped to fit" if arm.passages_dropped else ""
    by_hand = {
        "pinned": sum(one.pinned for one in arm.passages),
        "edited": sum(bool(one.as_found) for one in arm.passages),
        "left out": arm.passages_left_out,
    }
    dropped += "".join(f", {count} {word}" for word, count in by_hand.items() if count)
    with st.expander(f"{len(arm.passages)} passages · {found.mode} · {spent}{dropped}"):
        st.caption(
            f"embed {ms(timing.embed)} + search {ms(timing.search)}. "
            "Score: 0 to 1, higher is better, relative to this question's candidates."
        )
        if found.note:
            st.info(plain(found.note))
        draw_sources(arm.answer, arm.passages, right)
