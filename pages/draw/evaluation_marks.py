"""Answers marked right or wrong by hand, and how far the rules and each metric agree with the marks."""

import streamlit as st

from core import hand
from core.errors import Problem
from core.evaluation import metrics
from core.evaluation.calibrating import RULES, Candidate, key_of
from core.evaluation.records import Report, Row
from core.project import FreeText, Project
from core.runtime import Runtime
from core.text import plain
from pages.draw.apart import apart
from pages.draw.evaluation_votes import voter
from pages.draw.number_field import number_field

KEYS = ((True, "Right", "1"), (False, "Wrong", "2"))


@apart()
def draw_marks(here: Runtime, project: Project, found: Report) -> None:
    """Thirty answers to be marked one by one; below, the agreement, and the project's own choice for free text."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        metric = st.selectbox(
            "Spread over the values of", metrics.IN_WORDS, 2, format_func=lambda one: metrics.METRICS[one].title,
            key="mark_metric", width=240,
        )  # fmt: skip
        count = number_field("Answers to mark", 5, 500, 30, key="mark_count", whole=True, width=160)
        who = voter()
    chosen = hand.to_mark(found, metric, int(count))
    marks = here.votes.marks(project.id, found.id)
    done = {(mark.place.number, mark.arm, mark.place.repeat) for mark in marks if mark.voter == who.strip()}
    todo = [row for row in chosen if key_of(row) not in done]
    if todo:
        _ask(here, found, todo[0], who, len(todo))
    else:
        st.caption("All of these are marked.")
    if marks:
        _agreements(here, project, hand.agreements(here, found))


def _ask(here: Runtime, found: Report, row: Row, who: str, left: int) -> None:
    st.markdown(f"**{plain(row.question)}**")
    with st.container(border=True):
        st.markdown(plain(row.reply) or "—")
    st.caption(f"Expected: {plain(row.expected)}")
    with st.container(horizontal=True):
        for right, label, key in KEYS:
            st.button(
                label,
                shortcut=key,
                key=f"mark-{label}",
                on_click=hand.mark,
                args=(here, found, row, right, who.strip()),
            )
    st.caption(f"{left} left. Keys 1 and 2. Which arm it was and what the rules said is hidden.")


def _agreements(here: Runtime, project: Project, found: list[Candidate]) -> None:
    rows = [
        {
            "by": one.title,
            "right from": one.threshold,
            "threshold": "fitted on these marks" if one.fitted else "the project's" if one.threshold else "",
            "agreement with the marks": one.agreement.sentence,
        }
        for one in found
    ]
    st.dataframe(rows, hide_index=True, placeholder="—", key="agreements")
    st.caption(
        "A threshold fitted on these marks agrees with them better than it will with others: mark more, and check."
    )
    able = {one.metric: one.threshold for one in found if one.metric != RULES and one.threshold}
    now = project.free_text
    if now:
        st.caption(
            f"Free text (answers of more than {now.words} words) is right here from "
            f"{metrics.METRICS[now.metric].title} {now.threshold:.2f} on."
        )
    if not able or project.bundled:
        return
    with st.popover("Score free text by a metric", key="free_text"):
        metric = st.selectbox("Metric", able, format_func=lambda one: metrics.METRICS[one].title, key="free_metric")
        least = number_field("Right from", 0.01, 1.0, max(0.01, able[metric]), key=f"free_from-{metric}")
        words = number_field(
            "Answers of more words than", 0, 1000, now.words if now else FreeText.words, key="free_words", whole=True
        )
        try:
            if st.button("Keep for this project", key="free_keep"):
                here.projects.change(project.id, free_text=FreeText(metric, least, int(words)))
                st.rerun()
            if now and st.button("Score by the rules again", key="free_off"):
                here.projects.change(project.id, free_text=None)
                st.rerun()
        except Problem as problem:
            st.error(plain(problem.message))
