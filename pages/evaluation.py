"""A question set through several arms, in the background: accuracies with intervals, what is decided, causes."""

import streamlit as st

from core import evaluate
from core.errors import Problem
from core.text import one_line, plain
from pages.draw import address, present
from pages.draw.apart import apart
from pages.draw.evaluation_form import draw_form
from pages.draw.evaluation_sweep import draw_sections
from pages.draw.evaluation_views import draw_views
from pages.draw.project import current, view
from pages.draw.setup import draw_setup

PARAMETER = "evaluation"

here, project = view(), current()
with present.off_stage("head"):
    st.title("Evaluation")
    st.caption(
        "Put a whole question set to the arms. Rules outside any model score each reply; every share has its error."
    )
    shown = PARAMETER not in st.query_params  # beside results the form waits until somebody opens it
    if shown:  # results need no model: they do not wait until it is known that all are there
        draw_setup(here, project)
if draw_sections(here, project):
    st.stop()


def results(job_id: str) -> None:
    """The job's state and what its rows say so far."""
    job = here.jobs.get(job_id)
    if evaluate.project_of(job) != project.id:
        raise Problem("This evaluation belongs to another project: choose that project first.")
    st.header(plain(one_line(evaluate.name_of(job), 120)), anchor=False)
    if job.active:
        progress(job_id)
    elif job.state != "done":
        st.warning(plain(f"{job.state}: {job.message}" if job.message else job.state))
        if st.button("Go on", key="again"):
            st.query_params[PARAMETER] = evaluate.again(here, job_id).id
            st.rerun()
    found = evaluate.result(here, job_id)
    if not found.rows:
        return
    for problem in dict.fromkeys(text for arm in found.arms.values() for text in arm.problems):
        st.warning(plain(f"Some replies failed and count neither way: {problem}"))
    if found.unreviewed:
        st.warning(f"{found.unreviewed} of {found.questions} questions are proposals that nobody has reviewed.")
    draw_views(here, project, job_id)


@apart(every=2.0)
def progress(job_id: str) -> None:
    """The running job; when it ends, or when asked, the page shows the rows so far."""
    job = here.jobs.get(job_id)
    st.progress(job.progress, text=plain(job.message or "Starting"))
    if st.button("Stop", key="stop"):
        here.jobs.cancel(job_id)
    if st.button("Show what is there", key="show") or not job.active:
        address.rerun()


try:
    with present.off_stage("form"), st.expander("What to ask", shown, key=f"form-{shown}", on_change="rerun") as form:
        if form.open:
            if not shown:
                draw_setup(here, project)
            if started := draw_form(here, project):
                st.query_params[PARAMETER] = started
                st.rerun()
    past = evaluate.names(here, project)
    if wanted := st.query_params.get(PARAMETER):
        results(wanted)
    if past:
        with present.off_stage("earlier"):
            name = st.selectbox(
                "Earlier evaluations", past, index=None, format_func=lambda one: one_line(past[one], 80)
            )
            if name and st.button("Open", key="open"):
                st.query_params[PARAMETER] = name
                st.rerun()
except Problem as problem:
    st.error(plain(problem.message))
