"""The projects of this machine: what the open one lacks, and make, open, duplicate, rename, delete, export, import."""

import streamlit as st

from core.errors import Problem
from core.project.values import LONGEST_TITLE
from core.text import one_line, plain
from pages.draw import project as session
from pages.draw import projects as draw

here = session.view()
st.title("Projects")
st.caption("A project is one thing you study: its documents, instruction, models, questions, checks and results.")


def new_tab() -> None:
    """A new, empty project."""
    with st.form("new_project", border=False):
        title = st.text_input("Title", max_chars=LONGEST_TITLE, placeholder="Handbook assistant", key="new_title")
        if st.form_submit_button("Create", type="primary"):
            session.show(here.projects.create(title).id)
            st.rerun()


for place, note in enumerate(st.session_state.pop(draw.NOTES, ())):
    (st.warning if place else st.success)(plain(note))
try:
    open_now = session.current()
    with st.container(border=True):
        st.header(f"Open now: {plain(one_line(open_now.title, 80))}", anchor=False)
        draw.draw_state(here, open_now)
    make, take = st.tabs(["New project", "Import"])
    with make:
        new_tab()
    with take:
        draw.draw_import(here)
    for project in here.projects.all():
        draw.draw_card(here, project, open_now=project.id == open_now.id)
    draw.draw_deleted(here)
except Problem as problem:
    st.error(plain(problem.message))
