"""Proposals in the set-up: ask a model for question-answer pairs of the documents, and watch it write."""

import streamlit as st

from core import propose
from core.errors import Problem
from core.jobs import Job
from core.project import Project
from core.runtime import Runtime
from core.text import plain
from pages.draw import address
from pages.draw.apart import apart
from pages.draw.number_field import number_field


def draw_proposals(here: Runtime, project: Project, names: list[str]) -> None:
    """The form, and the latest job."""
    st.header("Propose from the documents", anchor=False)
    st.caption(
        "A model writes a question for each short answer that stands in a document; rules refuse what names no "
        "subject, holds its answer, is there already, or is known without the documents. You accept, edit or reject."
    )
    if not project.models:
        st.info("Proposals need a model: add one in the step before.")
        return
    titles = {model.id: model.title for model in project.models}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        model = st.selectbox("Model", titles, format_func=titles.__getitem__, key="propose_model")
        wanted = number_field("How many", 1, propose.MOST, 50, key="propose_wanted", whole=True, width=140)
        if st.button("Propose", key="propose"):
            try:
                propose.start(here, project, model, int(wanted))
            except Problem as problem:
                st.error(plain(problem.message))
    if latest := propose.jobs(here, project)[:1]:
        _progress(here, project, latest[0].id)


@apart(every=1.0)
def _progress(here: Runtime, project: Project, job_id: str) -> None:
    job = here.jobs.get(job_id)
    seen = st.session_state.setdefault("proposals_seen", {job_id} if not job.active else set())
    if job.active:
        st.progress(job.progress, text=plain(job.message or "Reading the documents"))
        if st.button("Stop and keep what is there", key="propose_stop"):
            here.jobs.cancel(job_id)
        return
    if job_id not in seen and not address.drawing():
        seen.add(job_id)
        st.session_state["open_set"] = propose.SET
        address.rerun()
    _result(here, job)


def _result(here: Runtime, job: Job) -> None:
    rows = here.jobs.rows(job.id)
    made = [row for row in rows if not row["refused"]]
    if job.state not in ("done", "cancelled"):
        st.warning(plain(job.message or job.state))
    st.caption(
        f"Last time: {len(made)} proposed into '{plain(job.parameters['set'])}', {len(rows) - len(made)} refused."
    )
    if refused := [row for row in rows if row["refused"]]:
        with st.expander("What was refused, and why"):
            columns = ("question", "answer", "refused", "document")
            st.dataframe(refused, hide_index=True, column_order=columns, height=240)
