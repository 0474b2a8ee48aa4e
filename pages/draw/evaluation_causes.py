"""Is the cause of a wrong answer the right one? Agreed to or not by a person, one answer at a time."""

import random

import streamlit as st

from core import hand
from core.evaluation.causes import CAUSES
from core.evaluation.records import Report, Row
from core.project import Project
from core.runtime import Runtime
from core.text import plain


@st.fragment
def draw_checked_causes(here: Runtime, project: Project, found: Report) -> None:
    """Wrong answers one by one, each with the rules' cause, to agree or not; below, the agreement so far."""
    wrong = [row for row in found.rows if row.cause]
    if not wrong:
        st.caption("No answer is wrong by the rules.")
        return
    random.Random(found.id).shuffle(wrong)
    said = here.votes.causes(project.id, found.id)
    done = {(say.place, say.arm) for say in said}
    todo = [row for row in wrong if (hand.place_of(found, row), row.arm) not in done]
    if todo:
        row = todo[0]
        st.markdown(f"**{plain(row.question)}**")
        with st.container(border=True):
            st.markdown(plain(row.reply) or "—")
        st.caption(
            plain(f"Expected: {row.expected}. {found.titles.get(row.arm, row.arm)}: {row.cause}; {row.cause_why}.")
        )
        draw_cause(here, found, row)
    st.caption(f"{len(todo)} of {len(wrong)} wrong answers are left to check.")
    if said:
        st.markdown(f"Rules against people: {plain(hand.cause_agreement(found.rows, said).sentence)}.")


def draw_cause(here: Runtime, found: Report, row: Row, at: str = "") -> None:
    """Under a wrong row: is its cause the right one? Agreeing is kept as well, so that the agreement is fair.

    `at`: tells two places of one page apart.
    """
    if not row.cause:
        return
    key = f"cause{at}-{row.number}-{row.repeat}-{row.arm}"
    with st.popover("Is this the cause?", key=f"{key}-pop"):
        chosen = st.selectbox("Why it is wrong", CAUSES, CAUSES.index(row.cause), key=key)
        who = st.text_input("Your label", max_chars=60, key=f"{key}-who", placeholder="none")
        label = "I agree" if chosen == row.cause else "I disagree: keep this one"
        if st.button(label, key=f"{key}-keep", on_click=hand.disagree, args=(here, found, row, chosen, who.strip())):
            st.toast("Kept.")
