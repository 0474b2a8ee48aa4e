"""The set-up's first lines: a bundled project is read-only, so duplicate it or begin a new one."""

import streamlit as st

from core.project import Project, whole
from core.runtime import Runtime
from core.text import one_line, plain
from pages.draw.project import show


def draw_start(here: Runtime, project: Project) -> None:
    """Nothing for a project of one's own; for a bundled one the two ways to a project that can be changed."""
    if not project.bundled:
        return
    with st.container(border=True):
        st.markdown(f"**{plain(one_line(project.title, 80))}** is bundled: all is shown, nothing can be changed here.")
        left, right = st.columns([3, 2])
        title = left.text_input(
            "A project of your own",
            placeholder="Title of a project of your own",
            key="new_title",
            max_chars=80,
            label_visibility="collapsed",  # so high as what holds its place until the browser has fetched it
        )
        with right.container(horizontal=True):
            if st.button("New project", type="primary", key="new_project", disabled=not title.strip()):
                _open(here.projects.create(title))
            if st.button("Duplicate to change", key="duplicate"):
                _open(whole.duplicate(here, project))


def _open(made: Project) -> None:
    show(made.id)
    st.rerun()
