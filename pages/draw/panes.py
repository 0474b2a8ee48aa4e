"""Drawing one arm's pane and what compares panes. Reads a run's record; knows no engine and changes nothing.

Answers, passages and prompts are untrusted: they are shown as plain text, never as Markdown.
"""

from collections.abc import Sequence

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core import checks
from core.evidence.prices import Offer
from core.marks import WORDS, Mark, places
from core.project import Check
from core.records import ArmRecord
from core.retrieval.locate import pieces
from core.text import one_line, plain
from pages.draw.pane_details import FLAGS, draw_details, ms, small_figures, status
from pages.draw.passages import draw_marked

STYLE = """<style>
@media (min-width: 641px) and (max-width: 1300px) {
  .st-key-panes [data-testid="stHorizontalBlock"]:not(.st-key-panes [data-testid="stColumn"] *) { flex-wrap: wrap; }
  .st-key-panes [data-testid="stColumn"]:not(.st-key-panes [data-testid="stColumn"] *) {
    flex: 1 1 calc(50% - 1rem); min-width: calc(50% - 1rem); }
}
@media (max-width: 640px) {
  .st-key-panes [data-testid="stHorizontalBlock"]:not(.st-key-panes [data-testid="stColumn"] *) {
    flex-wrap: nowrap; overflow-x: auto; scroll-snap-type: x mandatory; overscroll-behavior-x: contain; }
  .st-key-panes [data-testid="stColumn"]:not(.st-key-panes [data-testid="stColumn"] *) {
    flex: 0 0 88%; min-width: 88%; scroll-snap-align: start; }
  .st-key-panes [data-testid="stColumn"]:not(:has([data-testid="stElementContainer"])) { display: none; }
}
.st-key-panes [data-testid="stText"] { white-space: pre-wrap; overflow-wrap: anywhere; font-family: inherit; }
.st-key-panes [data-testid="stMetricValue"] { font-size: 1.4rem; }
.st-key-panes h3 { padding: 0; }
</style>"""
BIG = """<style>
.st-key-panes [data-testid="stText"], .st-key-panes [class*="st-key-said-"] p { font-size: 1.6rem; line-height: 1.45; }
.st-key-panes [data-testid="stMetricValue"] { font-size: 2rem; }
</style>"""


def best(arms: Sequence[ArmRecord], worth: Sequence[Mark | None] = ()) -> int:
    """The place of the pane to look at first: the last one judged right; before that, and where none is, the last that
    read the documents (of the demo's the hybrid)."""
    right = [at for at, one in enumerate(worth) if one is not None and one.good]
    informed = [at for at, arm in enumerate(arms) if arm.context != "closed"]
    return (right or informed or [0])[-1]


def draw_first(arms: Sequence[ArmRecord], worth: Sequence[Mark | None] = ()) -> None:
    """On a telephone, where panes are cards to be swept through, the best comes first."""
    card = '.st-key-panes [data-testid="stColumn"]:not(.st-key-panes [data-testid="stColumn"] *)'
    first = best(arms, worth)
    order = "".join(f"{card}:nth-child({at + 1}) {{ order: {-(at == first)}; }}" for at in range(len(arms)))
    st.html(f"<style>@media (max-width: 640px) {{ {order} }}</style>")


class Pane:
    """One arm's place on the page: answer, status line, details. Only what changed is sent to the browser."""

    def __init__(
        self,
        column: DeltaGenerator,
        title: str,
        rules: Sequence[Check] = (),
        *,
        figures: bool = True,
        right: Sequence[str] = (),
    ) -> None:
        if figures:
            column.markdown(f"**{plain(title)}**")
        else:  # a heading's link can be reached by keyboard, and so the row of cards that a telephone scrolls
            column.subheader(plain(title))
        self._mark, self._answer = column.empty(), column.empty()
        self.changed = column.empty()
        self._status, self._details = column.empty(), column.container()
        self._rules, self._figures, self._right = rules, figures, right
        self.mark: Mark | None = None
        self._arm = self._said = ""
        self._shown: tuple[object, ...] | None = None

    def draw_mark(self, mark: Mark | None) -> None:
        """Show what the answer is worth, above it, and in it the words that decided."""
        self.mark = mark
        if mark is None:
            return
        color = {True: "green", False: "red", None: "grey"}[mark.good]
        self._mark.markdown(f":{color}-badge[{WORDS[mark.kind]}] {plain(mark.why)}")
        if found := places(self._said, mark.words):
            with self._answer.container(key=f"said-{self._arm}"):
                draw_marked(pieces(self._said, found), color)

    def draw(self, arm: ArmRecord, *, ended: bool, dollars_per_hour: float, sold: Offer | None = None) -> None:
        """Show the arm as it is now; an ended arm gets its figures, passages, prompt and model, once.

        Without `figures` (on a stage) it gets its time and the project's checks alone.
        """
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
            self._arm, self._said = arm.arm, arm.answer
            passed = checks.outcomes(self._rules, arm.answer, total_ms=arm.timing.total)
            badges = " ".join(_badge(name, met) for name, met in passed.items())
            if not self._figures:
                self._status.markdown(f"{badges} :gray[{status(arm)} · {ms(arm.timing.total)}]".strip())
                return
            flags = " ".join(text for flag, text in FLAGS.items() if getattr(arm.timing, flag))
            self._status.caption(small_figures(arm, dollars_per_hour, sold), help=flags or None)
            with self._details:
                if badges:
                    st.markdown(badges)
                draw_details(arm, self._right)


def _badge(name: str, met: bool) -> str:
    sign, color = ("✓", "green") if met else ("✗", "red")
    return f":{color}-badge[{sign} {plain(one_line(name, 40))}]"
