"""One click from a run's measured times to the calculator. Reads a record; knows no formula."""

import streamlit as st

from core.calculator import calibrate, inputs
from core.calculator.calibrate import Change
from core.records import RunRecord
from core.text import plain
from pages.draw import calculator_state as state

NOT_COUNTED = "Nothing here counts: answers given together, by an endpoint or right after loading say nothing of the "
NOT_COUNTED += "machine. Run 'One at a time'."


def draw_hand_over(record: RunRecord) -> None:
    """What this run alone measured, and the button that puts it into the calculator."""
    found = calibrate.changes(calibrate.collect([record]))
    left, right = st.columns([1, 2], vertical_alignment="center")
    if left.button("Use in the calculator", disabled=not found, icon=":material/calculate:", key="hand-over"):
        state.current()  # the scenario as it was left, or the project's
        _take(found)
        st.switch_page("calculator.py")
    names = ", ".join(f"{inputs.every()[one.name].label.lower()} {inputs.words(one.name, one.value)}" for one in found)
    right.caption(plain(names) if found else NOT_COUNTED)


def _take(found: list[Change]) -> None:
    state.change(calibrate.apply(state.present(), found))
