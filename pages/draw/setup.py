"""The strip that shows models being fetched and documents being indexed, while everything else already works."""

import streamlit as st

from core.errors import Problem
from core.project import Project
from core.runtime import Runtime
from core.text import plain
from pages.draw import address
from pages.draw.apart import apart


def draw_setup(here: Runtime, project: Project) -> bool:
    """Start what is missing as a background job and show its progress; False, and nothing drawn, when all is there."""
    try:
        job = here.prepare_in_background(project)
    except Problem as problem:
        st.error(plain(problem.message))
        return False
    if job is not None:
        with st.container(border=True):
            _progress(here, project, job.id)
    return job is not None


@apart(every=1.0)
def _progress(here: Runtime, project: Project, job_id: str) -> None:
    job = here.jobs.get(job_id)
    if job.state in ("queued", "running"):
        st.progress(min(max(job.progress, 0.0), 1.0), text=plain(job.message or "Preparing models and documents …"))
        st.caption("Other panes and pages already work.")
    elif job.state != "done":
        st.error(plain(job.message or job.state))
        if st.button("Try again", key="prepare_again"):
            here.prepare_in_background(project, retry=True)
            st.rerun()
    else:
        st.toast("Models and documents are ready.", icon=":material/check:")
        address.rerun()  # the whole page: what it lists was drawn before
