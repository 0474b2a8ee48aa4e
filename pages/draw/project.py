"""Which project this session is about: chosen in the sidebar, named in the address, kept while pages change."""

import streamlit as st

from core import runtime
from core.errors import Problem
from core.project import Project
from core.records import FIRST_PROJECT
from core.text import one_line, plain

PARAMETER, KEPT, WIDGET = "project", "project", "project_choice"


def current() -> Project:
    """The session's project. A project that is gone gives the first one, and says so."""
    projects = runtime.get().projects
    wanted = st.query_params.get(PARAMETER) or st.session_state.get(KEPT, FIRST_PROJECT)
    try:
        project = projects.get(wanted)
    except Problem as problem:
        st.warning(plain(problem.message))
        project = projects.get(FIRST_PROJECT)
    st.session_state[KEPT] = project.id
    return project


def show(project_id: str) -> None:
    """Make another project the session's; what the address says about the old one goes."""
    st.session_state[KEPT] = project_id
    st.session_state.pop(WIDGET, None)
    st.query_params.from_dict({PARAMETER: project_id})


def draw_choice() -> None:
    """The sidebar's first line: the project, and where to change it."""
    project = current()
    titles = {each.id: each.title for each in runtime.get().projects.all()}
    with st.sidebar:
        chosen = st.selectbox(
            "Project",
            list(titles),
            list(titles).index(project.id),
            format_func=lambda each: one_line(titles[each], 60),
            key=f"{WIDGET}-{project.id}",
        )
    if chosen != project.id:
        show(chosen)
        st.rerun()
    if project.id != FIRST_PROJECT:
        st.query_params[PARAMETER] = project.id
