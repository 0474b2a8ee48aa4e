"""The optional judge over an evaluation, set apart from every figure by rules; and what repeats and trainings tell."""

import streamlit as st

from core import evaluate, judge
from core.errors import Problem
from core.evaluation import tables
from core.evaluation.judging import Judged
from core.evaluation.records import Report
from core.evaluation.repeats import sentences
from core.project import Project
from core.runtime import Runtime
from core.text import plain
from pages.draw import address
from pages.draw.apart import apart
from pages.draw.evaluation_causes import draw_checked_causes
from pages.draw.evaluation_marks import draw_marks
from pages.draw.evaluation_votes import draw_votes
from pages.draw.number_field import number_field


def draw_judge(here: Runtime, project: Project, found: Report) -> None:
    """Start a judge; what judges said."""
    st.caption(
        "A model as judge: off unless you start one. Its figures stand here alone. Two answers are judged in both "
        "orders; what holds in one order only is a tie, and what is no verdict counts as none. An answer can talk a "
        "judge over: trust it as far as it agrees with people."
    )
    titles = {model.id: model.title for model in project.models}
    arms = list(found.arms)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        model = st.selectbox("Judge", titles, format_func=titles.__getitem__, key="judge", width=240)
        chosen = st.multiselect(
            "Arms", arms, arms[:2], format_func=found.titles.__getitem__, max_selections=2, key="judge_arms",
            help="Two are compared, one is graded alone.",
        )  # fmt: skip
        limit = number_field("Questions, at most", 1, judge.MOST, 50, key="judge_limit", whole=True, width=160)
    try:
        if st.button("Let it judge", key="judge_start", disabled=not chosen):
            judge.start(here, found.id, model, chosen, int(limit))
    except Problem as problem:
        st.error(plain(problem.message))
    watched = any(job.active for job in judge.jobs(here, found.id))
    apart(3.0 if watched else None)(_draw_jobs)(here, found, watched)


def _draw_jobs(here: Runtime, found: Report, watched: bool) -> None:
    jobs = judge.jobs(here, found.id)
    if watched and not any(job.active for job in jobs):
        address.rerun()  # the last has ended: nothing is left to look at every few seconds
    for job in jobs:
        names = " and ".join(found.titles.get(arm, arm) for arm in job.parameters["arms"])
        st.markdown(f"**{plain(str(job.parameters['model']))}** on {plain(names)}")
        if job.active:
            st.progress(job.progress, text=plain(job.message or "Starting"))
            if st.button("Stop", key=f"judge-stop-{job.id}"):
                here.jobs.cancel(job.id)
        elif job.state != "done":
            st.warning(plain(f"{job.state}: {job.message}" if job.message else job.state))
        _draw_one(judge.result(here, job.id), found)


def _draw_one(said: Judged, found: Report) -> None:
    st.markdown("\n".join(f"- {plain(line)}" for line in said.sentences(found.titles)))


def draw_repeats(here: Runtime, found: Report) -> None:
    """Variance between runs and between questions, and between training runs, where there is any to tell."""
    several, tuned = evaluate.varied(here, found)
    st.markdown("\n".join(f"- {plain(line)}" for line in sentences(several, tuned, found.titles)))
    if several:
        st.dataframe(tables.repeated(found, several), hide_index=True, key="components")
        st.caption(
            "Flip: questions that the arm gets right at one asking and wrong at another. Error: of the accuracy, in "
            "points; the part that more askings cannot take away is that between questions."
        )
    if tuned:
        st.dataframe(tables.trained(found, tuned), hide_index=True, key="trainings")
        st.caption("Spread: standard deviation between training runs, what the questions alone would give taken off.")
    if not several and not tuned:
        st.caption(
            "Nothing was repeated: give an arm repeats and a temperature in Set up. Several fine-tunes of one base as "
            "arms show how much the training itself varies."
        )


def draw_by_hand(here: Runtime, project: Project, found: Report) -> None:
    """Blind votes, marks, causes and the judge, one at a time."""
    ways = {
        "Blind votes": draw_votes,
        "Right or wrong": draw_marks,
        "Causes": draw_checked_causes,
        "A judge": draw_judge,
    }
    way = st.segmented_control(
        "By hand", list(ways), default="Blind votes", key="by_hand", label_visibility="collapsed"
    )
    if way:
        ways[way](here, project, found)
