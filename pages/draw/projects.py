"""Drawing projects: how far one is, one's card with what can be done with it, those that can still be brought back."""

import io
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import streamlit as st

from core.project import Project, whole
from core.project.owners import Holding
from core.project.projects import UNDO
from core.project.values import LONGEST_TITLE
from core.project.zipped import ENDING
from core.runtime import Runtime
from core.text import one_line, plain
from core.view import View
from pages.draw import project as session

PAGES = Path(__file__).resolve().parent.parent
NOTES = "projects_notes"  # what an import had to say, shown once it is open


def draw_state(here: Runtime, project: Project) -> None:
    """What the project has, what it lacks, and what already works."""
    found = whole.state_of(here, project)
    if found.lacks:
        st.markdown(f"Still lacks: **{', '.join(part.name for part in found.lacks)}**")
    for part in found.parts:
        sign = ":green[:material/check:]" if part.there else ":gray[:material/radio_button_unchecked:]"
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"{sign} **{part.name.capitalize()}** {plain(part.says)}")
            if part in found.lacks:
                st.page_link(PAGES / f"{part.page}.py", label="Add", query_params=session.query())
    st.caption("Works now: " + " ".join(found.works))
    if not project.bundled:
        st.page_link(PAGES / "setup.py", label="Set up", icon=":material/construction:", query_params=session.query())


def draw_card(here: View, project: Project, *, open_now: bool) -> None:
    """One project and what can be done with it."""
    with st.container(border=True):
        st.header(plain(one_line(project.title, 80)), anchor=False)
        said = (
            "bundled, read-only: duplicate it to change it" if project.bundled else f"changed {_day(project.changed)}"
        )
        st.caption(f"{plain(project.id)} · {said}{_whose(here, project)}{' · open' if open_now else ''}")
        if project.about:
            st.markdown(plain(one_line(project.about, 300)))
        with st.container(horizontal=True):
            if st.button("Open", key=f"open-{project.id}", disabled=open_now, type="primary"):
                session.show(project.id)
                st.rerun()
            if st.button("Duplicate", key=f"duplicate-{project.id}"):
                with st.spinner("Copying"):
                    made = whole.duplicate(here, project)
                session.show(made.id)
                st.rerun()
            st.download_button(
                "Export",
                lambda: exported(here, project),
                f"{project.id}{ENDING}",
                "application/zip",
                on_click="ignore",
                key=f"export-{project.id}",
                help="One file with documents, questions and results; no weights, but their hashes.",
            )
            if not project.bundled:
                _rename(here, project)
            if not project.bundled and Holding(project.owner).settled_by(here.person):
                _delete(here, project)
            if project.owner and project.owner == here.person.id:
                _share(here, project)


def exported(here: Runtime, project: Project) -> bytes:
    """The project's file."""
    out = io.BytesIO()
    whole.export(here, project, out)
    return out.getvalue()


def _whose(here: View, project: Project) -> str:
    """Whose the project is, in words; nothing where nobody signs in."""
    if project.bundled or not (here.person.id or project.owner):
        return ""
    if not project.owner:
        return " · everyone's"
    whose = "yours" if project.owner == here.person.id else f"of {plain(here.people.get(project.owner).title)}"
    return f" · {whose}, {'shared with everyone' if project.shared else 'private'}"


def _share(here: View, project: Project) -> None:
    now = Holding(project.owner, project.shared)
    with st.popover("Share"):
        st.markdown("Everyone who signs in here sees it." if now.shared else "You alone see it.")
        if st.button("Make it private" if now.shared else "Share with everyone", key=f"share-{project.id}"):
            here.projects.settle(project.id, now, replace(now, shared=not now.shared))
            st.rerun()
        with st.form(f"hand-over-{project.id}", border=False):
            st.caption("Hand it over: it is then theirs, and you see it while they share it.")
            to = st.text_input("Their e-mail address", max_chars=200, key=f"to-{project.id}")
            if st.form_submit_button("Hand over") and to.strip():
                heir = here.people.find(to)
                here.projects.settle(project.id, now, replace(now, owner=heir.id))
                st.session_state[NOTES] = [f"'{project.title}' now belongs to {heir.title}."]
                st.rerun()


def _rename(here: Runtime, project: Project) -> None:
    with st.popover("Rename"), st.form(f"rename-{project.id}", border=False):
        title = st.text_input("Title", project.title, max_chars=LONGEST_TITLE, key=f"title-{project.id}")
        if st.form_submit_button("Save"):
            here.projects.change(project.id, title=title)
            st.rerun()


def _delete(here: Runtime, project: Project) -> None:
    with st.popover("Delete"):
        st.markdown(
            f"Delete **{plain(one_line(project.title, 80))}** with its documents, questions, runs and evaluations? "
            "For a day it can be brought back below; then it is gone for good."
        )
        if st.button("Yes, delete it", key=f"delete-{project.id}"):
            was_open = session.current().id == project.id
            whole.delete(here, project)
            if was_open:
                session.show(here.projects.all()[0].id)
            st.rerun()


def draw_deleted(here: Runtime) -> None:
    """What was deleted within a day, one click from coming back."""
    gone = here.projects.deleted()
    if not gone:
        return
    st.header("Deleted", anchor=False)
    for project in gone:
        left, right = st.columns([5, 1], vertical_alignment="center")
        left.markdown(f"{plain(one_line(project.title, 80))} · {plain(project.id)}")
        if right.button("Bring back", key=f"restore-{project.id}"):
            here.projects.restore(project.id)
            session.show(project.id)
            st.rerun()
    st.caption(f"Kept for {UNDO.total_seconds() / 3600:.0f} hours after the deletion, then erased at the next start.")


def draw_import(here: Runtime) -> None:
    """A project out of a file."""
    sent = st.file_uploader(f"A project file ({ENDING})", "zip", key="project_file")
    if sent is not None and st.button("Import", key="project_import", type="primary"):
        with st.spinner("Checking and importing"):
            project, notes = whole.take_in(here, sent)
        session.show(project.id)
        st.session_state[NOTES] = [f"Imported as {project.title}.", *notes]
        st.rerun()


def _day(stamp: str) -> str:
    return f"{datetime.fromisoformat(stamp):%Y-%m-%d %H:%M} UTC" if stamp else "never"
