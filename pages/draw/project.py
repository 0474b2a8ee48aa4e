"""Who looks, and which project this session is about: chosen in the sidebar, named in the address, kept.

What other pages keep in the session about a project (scenario, answers) is put aside when the project changes.
"""

import json
import uuid
from typing import Any

import streamlit as st

from core import runtime
from core import scenario as envelope
from core.errors import Problem
from core.opening import project_of
from core.project import Project
from core.project.owners import NOBODY, Person, person
from core.records import FIRST_PROJECT
from core.text import one_line, plain
from core.view import View

PARAMETER, KEPT, WIDGET = "project", "project", "project_choice"
ASIDE = "project_aside"  # project -> what its pages kept in the session
NOTED = "person"  # whom this session has put down as seen
OF_A_PROJECT = ("calculator", "advisor", "decide")  # how the keys of such things begin
CARRIED = ("calculator", "calculator_shelf", "calculator_rest", "advisor-kept")  # the rest is made anew from these


def who() -> Person:
    """Who is signed in; nobody where nobody is asked. Raises Problem on somebody who has yet to sign in."""
    signed_in = st.user.get("is_logged_in")
    if signed_in:
        return person(st.user)
    if signed_in is False or runtime.asks():
        raise Problem("Sign in first.")
    return NOBODY


def view() -> View:
    """All that there is, as whoever is signed in may see it: the only way of a page to it."""
    looking = who()
    if looking.id and st.session_state.get(NOTED) != looking:
        runtime.get().people.note(looking)
        st.session_state[NOTED] = looking
    return View(runtime.get(), looking, st.session_state.setdefault("owner", uuid.uuid4().hex))


def current() -> Project:
    """The session's project: the one that the address names, or that what it names belongs to, or the one of before.

    A project that is gone gives the first one, and says so.
    """
    projects = view().projects
    try:
        project = projects.get(_wanted())
    except Problem as problem:
        st.warning(plain(problem.message))
        project = projects.get(FIRST_PROJECT)
    _become(project.id)
    return project


def heading() -> str:
    """The sidebar's first line: whose pages these are."""
    projects = view().projects
    try:
        project = projects.get(_wanted())
    except Problem:  # current() says it
        project = projects.get(FIRST_PROJECT)
    return f"Project: {plain(one_line(project.title, 60))}"  # Streamlit reads it as Markdown


def show(project_id: str) -> None:
    """Make another project the session's; what the address says about the old one goes."""
    _become(project_id)
    st.session_state.pop(WIDGET, None)
    st.query_params.from_dict({PARAMETER: project_id})


def query(**more: str) -> dict[str, str]:
    """What the address of a link to another page holds, so that it opens in this session's project."""
    project_id = st.session_state.get(KEPT, FIRST_PROJECT)
    return ({} if project_id == FIRST_PROJECT else {PARAMETER: project_id}) | more


def draw_choice() -> None:
    """Which project it is, below the pages: another one is chosen here."""
    project = current()
    titles = {each.id: one_line(each.title, 60) for each in view().projects.all()}
    shown = list(titles.values())  # the browser sends back what it shows: of two alike it would open the wrong one
    labels = {each: title if shown.count(title) == 1 else f"{title} ({each})" for each, title in titles.items()}
    with st.sidebar:
        chosen = st.selectbox(
            "Project",
            list(labels),
            list(labels).index(project.id),
            format_func=labels.__getitem__,
            key=f"{WIDGET}-{project.id}",
        )
    if chosen != project.id:
        show(chosen)
        st.rerun()
    if project.id != FIRST_PROJECT:
        st.query_params[PARAMETER] = project.id


def draw_keep(scenario: dict[str, Any], key: str) -> None:
    """A button that keeps the scenario (calculator, answers) with the project, where one may change it."""
    project = current()
    if not project.bundled and st.button(f"Keep with {plain(one_line(project.title, 40))}", key=key):
        view().projects.change(project.id, scenario=json.loads(envelope.dumps(scenario)))
        st.toast("Kept. The project opens with it from now on.")


def _wanted() -> str:
    here, query = view(), st.query_params
    kept: str = st.session_state.get(KEPT, FIRST_PROJECT)
    return query.get(PARAMETER) or project_of(here, query) or kept


def _become(project_id: str) -> None:
    """The session turns to another project: what it kept about the old one is put aside, of the new one taken up."""
    state, before = st.session_state, st.session_state.get(KEPT)
    if before not in (None, project_id):
        aside = state.setdefault(ASIDE, {})
        aside[before] = {name: state[name] for name in CARRIED if name in state}
        for name in [str(name) for name in state if str(name).startswith(OF_A_PROJECT)]:
            del state[name]
        state.update(aside.pop(project_id, {}))
    state[KEPT] = project_id
