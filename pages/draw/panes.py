"""Drawing one arm's pane and what compares panes. Reads a run's record; knows no engine and changes nothing.

Answers, passages and prompts are untrusted: they are shown as plain text, never as Markdown.
"""

from collections.abc import Sequence

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core import ask, checks, records
from core.project import Check
from core.records import ArmRecord
from core.text import one_line, plain
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

STYLE = """<style>
@media (min-width: 641px) and (max-width: 1300px) {
  .st-key-panes [data-testid="stHorizontalBlock"]:not(.st-key-panes [data-testid="stColumn"] *) { flex-wrap: wrap; }
  .st-key-panes [data-testid="stColumn"]:not(.st-key-panes [data-testid="stColumn"] *) {
    flex: 1 1 calc(50% - 1rem); min-width: calc(50% - 1rem); }
}
.st-key-panes [data-testid="stText"] { white-space: pre-wrap; overflow-wrap: anywhere; font-family: inherit; }
.st-key-panes [data-testid="stMetricValue"] { font-size: 1.4rem; }
</style>"""
BIG = """<style>
.st-key-panes [data-testid="stText"] { font-size: 1.6rem; line-height: 1.45; }
.st-key-panes [data-testid="stMetricValue"] { font-size: 2rem; }
</style>"""


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
        return "stopped at the token limit" if arm.finish == "length" else "done"
    return STATES.get(state, state)


class Pane:
    """One arm's place on the page: answer, status line, details. Only what changed is sent to the browser."""

    def __init__(self, column: DeltaGenerator, title: str, rules: Sequence[Check] = ()) -> None:
        column.markdown(f"**{plain(title)}**")
        self._answer, self._status, self._details = column.empty(), column.empty(), column.container()
        self._rules = rules
        self._shown: tuple[object, ...] | None = None

    def draw(self, arm: ArmRecord, *, ended: bool, dollars_per_hour: float) -> None:
        """Show the arm as it is now; an ended arm gets its figures, passages, prompt and model, once."""
        now = (ended, arm.answer, status(arm))
        if now == self._shown:
            return
        self._shown = now
        if not ended:
            self._answer.text(arm.answer or " ")
            self._status.caption(f":material/hourglass_top: {status(arm)}")
        elif arm.problem:
            self._answer.warning(plain(arm.problem))
            self._status.empty()
        else:
            self._answer.text(arm.answer or "(the model wrote nothing)")
            flags = " ".join(text for flag, text in FLAGS.items() if getattr(arm.timing, flag))
            self._status.caption(_small_figures(arm, dollars_per_hour), help=flags or None)
            with self._details:
                if passed := checks.outcomes(self._rules, arm.answer, total_ms=arm.timing.total):
                    st.markdown(" ".join(_badge(name, met) for name, met in passed.items()))
                _details(arm)


def _badge(name: str, met: bool) -> str:
    sign, color = ("✓", "green") if met else ("✗", "red")
    return f":{color}-badge[{sign} {plain(one_line(name, 40))}]"


def _details(arm: ArmRecord) -> None:
    rate = arm.rates.decode_per_s
    with st.container(horizontal=True):
        st.metric(
            "TTFT",
            ms(arm.timing.ttft_total),
            help="Time to first token, from the click: retrieval + queue + prefill.",
        )
        st.metric(
            "Tokens/s",
            "—" if rate is None else f"{rate:.0f}",
            help="Tokens after the first / time after the first; none for one token or under 50 ms.",
        )
    if arm.retrieval is not None:
        _passages(arm, arm.retrieval)
    with st.expander("Exact prompt"):
        st.code(arm.prompt, language=None, wrap_lines=True)
    with st.expander("Model"):
        st.code(
            "\n".join(f"{name}: {value}" for name, value in records.plain(arm.model).items()),
            language=None,
            wrap_lines=True,
        )


def _small_figures(arm: ArmRecord, dollars_per_hour: float) -> str:
    """One line of what else was measured. Every word is ours or a number, so Markdown is safe here."""
    timing, tokens = arm.timing, arm.tokens
    parts = [
        status(arm),
        f"total {ms(timing.total)}",
        f"prefill {ms(timing.prefill)}",
        f"queue {ms(timing.queue)}",
        f"{tokens.prompt or 0} prompt tokens ({tokens.prompt_reused or 0} reused)",
        f"{tokens.output or 0} output tokens",
        f"\\${ask.cost(timing.total or 0.0, dollars_per_hour):.6f} at \\${dollars_per_hour:.2f}/h",
        f"on {plain(str(arm.model.device if arm.model else '?'))}",
    ]
    if timing.cold:
        parts.append(f"load {ms(timing.load)}")
    flags = [f"**{flag}**" for flag in FLAGS if getattr(timing, flag)]
    return " · ".join(parts + flags)


def _passages(arm: ArmRecord, found: records.RetrievalRecord) -> None:
    timing = arm.timing
    spent = ms(timing.retrieval)
    dropped = f", {arm.passages_dropped} dropped to fit" if arm.passages_dropped else ""
    with st.expander(f"{len(arm.passages)} passages · {found.mode} · {spent}{dropped}"):
        st.caption(
            f"embed {ms(timing.embed)} + search {ms(timing.search)}. "
            "Score: 0 to 1, higher is better, relative to this question's candidates."
        )
        if found.note:
            st.info(plain(found.note))
        draw_sources(arm.answer, arm.passages)
