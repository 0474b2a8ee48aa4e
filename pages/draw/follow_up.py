"""A follow-up question: each pane goes on with its own conversation. Texts are untrusted: plain only."""

from collections.abc import Callable

import streamlit as st

from core import ask
from core.records import ArmRecord, RunRecord
from core.text import plain


def draw_follow_up(record: RunRecord, go_on: Callable[[str], None]) -> None:
    """The field for the next question of the conversation; nothing while closed."""
    with st.expander("Follow-up question", key=f"follow-{record.project}", on_change="rerun") as box:
        if not box.open:
            return
        st.caption(
            f"Each pane reads its own answers so far, at most {ask.MOST_TURNS} turns and only those that fit. "
            "Passages are found by the follow-up alone: name in it what it is about."
        )
        with st.form(f"follow-{record.id}", border=False):
            text = st.text_input("Your follow-up", max_chars=2000)
            if st.form_submit_button("Ask the follow-up", type="primary") and text.strip():
                go_on(text)
                st.rerun()


def draw_history(arm: ArmRecord) -> None:
    """The earlier turns that an answer's prompt held, and how many did not fit."""
    if not arm.history and not arm.history_dropped:
        return
    dropped = f", {arm.history_dropped} oldest left out to fit" if arm.history_dropped else ""
    with st.expander(f"Earlier turns read: {len(arm.history)}{dropped}"):
        for turn in arm.history:
            st.markdown(f"**{plain(turn.question)}**")
            st.text(turn.answer)
