"""One click from a run's measured times and cost to the calculator. Draws what core/hand_over.py says."""

import streamlit as st

from core import hand_over
from core.hand_over import HandOver
from core.project import Project
from core.records import RunRecord
from core.text import plain
from pages.draw import calculator_state as state

NOT_COUNTED = "Nothing here counts: answers given together, by an endpoint without a price or right after loading say "
NOT_COUNTED += "nothing of the machine. Run 'One at a time'."


def draw_hand_over(record: RunRecord, project: Project, rate: float) -> None:
    """What this run alone measured and cost, and the button that puts it into the calculator."""
    found = hand_over.of(record, project, rate)
    left, right = st.columns([1, 2], vertical_alignment="center")
    if left.button("Use in the calculator", disabled=found.empty, icon=":material/calculate:", key="hand-over"):
        state.current()  # the scenario as it was left, or the project's
        _take(found)
        st.switch_page("calculator.py")
    right.caption(NOT_COUNTED if found.empty else plain(hand_over.words(found)))


def _take(found: HandOver) -> None:
    state.change(hand_over.apply(state.present(), found))
