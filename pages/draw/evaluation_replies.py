"""The replies of an evaluation, one page at a time: found, filtered, and opened with all that is kept of one."""

import streamlit as st

from core import evaluate
from core.evaluation import tables
from core.evaluation.records import Report
from core.evaluation.versus import versus
from core.project import Project
from core.runtime import Runtime
from core.text import one_line
from pages.draw.evaluation_causes import draw_cause
from pages.draw.evaluation_whole import draw_whole
from pages.draw.paging import page_of

FIRST = ("question", "arm", "reply", "expected", "right", "cause", "class", "hit", "cites_right", "voice", "checks")
WIDTHS = {"question": st.column_config.Column(width=160), "reply": st.column_config.Column(width="large")}
KINDS = ("worse", "better", "same")


def draw_replies(here: Runtime, found: Report) -> None:
    """The replies by arm, verdict and words; one that is picked opens with all that is kept of it."""
    causes = dict.fromkeys(cause for arm in found.arms.values() for cause in arm.causes)
    with st.container(horizontal=True):
        text = st.text_input("Search", key="reply_text", placeholder="words of a question or a reply", width=280)
        arm = st.selectbox(
            "Arm", [None, *found.arms], format_func=lambda one: found.titles[one] if one else "all", key="reply_arm"
        )
        verdict = st.selectbox(
            "Verdict", [None, "right", "wrong", *causes], format_func=lambda one: one or "all", key="reply_verdict"
        )
    chosen = tables.found_in(found, text, arm, verdict)
    shown = page_of(chosen, "replies")
    picked = st.dataframe(
        tables.replies(found, shown),
        hide_index=True,
        column_order=FIRST if not any(row.repeat for row in shown) else (*FIRST[:2], "repeat", *FIRST[2:]),
        column_config=WIDTHS,
        key=f"replies {text} {arm} {verdict} {shown[0].number if shown else ''}",  # what was picked goes with its list
        placeholder="—",
        on_select="rerun",
        selection_mode="single-row",
    )
    at = [row for row in picked["selection"]["rows"] if row < len(shown)]
    if not at:
        st.caption(f"{len(chosen)} replies. Pick one to see its prompt, passages, model and why it counts as it does.")
        return
    row = shown[at[0]]
    draw_whole(evaluate.whole(here, found.id, row.number, row.arm, row.repeat))
    draw_cause(here, found, row, at="-reply")


def draw_versus(here: Runtime, project: Project, found: Report) -> None:
    """This run beside an earlier one."""
    others = {job: name for job, name in evaluate.names(here, project).items() if job != found.id}
    other = st.selectbox("Compare with", others, index=None, format_func=lambda one: one_line(others[one], 80))
    if other is None:
        st.caption("What got better, worse or stayed, question by question, against another run of this project.")
        return
    both = versus(evaluate.result(here, other), found)
    st.dataframe(tables.changes(both), hide_index=True, key="changes")
    kind = st.segmented_control("Show", KINDS, default="worse", key="versus_kind")
    chosen = [case for case in both.cases if case.kind == kind]
    shown = page_of(chosen, f"versus-{kind}")
    picked = st.dataframe(
        [vars(case) for case in shown],
        hide_index=True,
        column_order=("question", "arm", "before", "after", "expected", "cls"),
        column_config=WIDTHS | {"cls": "class"},
        key=f"versus_cases {other} {kind} {shown[0].question if shown else ''}",
        on_select="rerun",
        selection_mode="single-row",
    )
    at = [place for place in picked["selection"]["rows"] if place < len(shown)]
    if at:
        draw_whole(evaluate.whole(here, found.id, shown[at[0]].number, shown[at[0]].arm))
    else:
        st.caption("Pick a case to see this run's answer with its passages, and to ask it in the playground.")
    st.caption(f"{both.only_before} answers are in the other run alone, {both.only_after} in this one alone.")
