"""Is the cause of a wrong answer the right one? Agreed to or not by a person, one answer at a time."""

import random

import streamlit as st

from core import hand
from core.evaluation.causes import CAUSES
from core.evaluation.records import Report, Row
from core.project import Project
from core.runtime import Runtime
from core.text import plain
from pages.draw.apart import apart
from pages.draw.evaluation_votes import voter


@apart()
def draw_checked_causes(here: Runtime, project: Project, found: Report) -> None:
    """Wrong answers one by one, each with the rules' cause, to agree or not; below, the agreement so far."""
    wrong = [row for row in found.rows if row.cause]
    if not wrong:
        st.caption("No answer is wrong by the rules.")
        return
    random.Random(found.id).shuffle(wrong)
    said = here.votes.causes(project.id, found.id)
    who = st.session_state.get("voter", "").strip()
    done = {(say.place, say.arm) for say in said if say.voter == who}
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
    others = [cause for cause in CAUSES if cause != row.cause]
    with st.container(horizontal=True, vertical_alignment="bottom", key=f"{key}-row"):
        st.button("I agree", key=f"{key}-agree", on_click=_keep, args=(here, found, row, row.cause))
        with st.popover("I disagree", key=f"{key}-pop"):
            chosen = st.radio("Why it is wrong", others, key=key)
            st.button("Keep this cause", key=f"{key}-keep", on_click=_keep, args=(here, found, row, chosen))
        voter()


def _keep(here: Runtime, found: Report, row: Row, cause: str) -> None:
    hand.disagree(here, found, row, cause, st.session_state.get("voter", "").strip())
    st.toast("Kept.")
