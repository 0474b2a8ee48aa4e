"""The curtain: a change made for a story does not outlive the tab that made it. Draws a line where one was left."""

import streamlit as st
from streamlit.runtime import exists, get_instance
from streamlit.runtime.scriptrunner import get_script_run_ctx

from core import story
from core.errors import Problem
from core.project import Project
from core.text import one_line, plain
from pages.draw.project import view

ASKED = "curtain-asked"  # the projects for which this session knows whether something stands


def session() -> str:
    """This browser tab, as Streamlit knows it; "" where there is none."""
    context = get_script_run_ctx()
    return context.session_id if context else ""


def take_back_left(*, on_story: bool) -> None:
    """Take back what sessions that are gone, or this one on its way to another page, have left changed: anybody's, and
    said where this person sees the project."""
    here, me = view(), session()

    def gone(other: str) -> bool:
        return not on_story if other == me else exists() and not get_instance().is_active_session(other)

    for project_id in here.curtain.left(gone):
        seen, whole = here.projects.holding(project_id) is not None, here.machine
        try:
            project = whole.projects.get(project_id)
            if (paths := story.restore(project, whole.knowledge(project))) and seen:
                said = f"A story was left in a scene, so its change was taken back: {', '.join(paths)}"
                st.toast(plain(one_line(said, 300)), icon=":material/restore:")
        except Problem as problem:  # the project is gone, or its documents cannot be read: its pages say so
            if seen:
                st.toast(plain(problem.message))


def offer(project: Project) -> None:
    """On pages that show answers: a change that a story left before the app was started again, and the way back."""
    asked = st.session_state.setdefault(ASKED, set())
    if project.id in asked or not any(scene.document for scene in project.story):
        return
    here = view()
    if project.id in here.curtain.playing():
        return
    paths = story.standing(project, here.knowledge(project))
    if not paths:
        asked.add(project.id)
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.warning(plain(f"Still as a scene of the story changed it: {', '.join(paths)}."))
        st.button("Restore", key="curtain-restore", icon=":material/restore:", on_click=_restore, args=(project,))
        st.button("Leave it so", key="curtain-leave", on_click=asked.add, args=(project.id,))


def _restore(project: Project) -> None:
    story.restore(project, view().knowledge(project))
