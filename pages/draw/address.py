"""A page's address: what one sends to somebody, with a button to copy it, whose and of when; and kept over timers."""

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlencode

import streamlit as st

from core import history
from core.project import Project
from core.runtime import Runtime
from core.text import one_line, plain
from pages.draw import present

LEFT = "address left"


@contextmanager
def kept() -> Iterator[None]:
    """Around the run of a whole page: what it leaves in its address is remembered for the timers that outlast it."""
    st.session_state[LEFT] = None
    try:
        yield
    finally:
        st.session_state[LEFT] = st.query_params.to_dict()


def drawing() -> bool:
    """Whether a whole page is being drawn just now, and not one of its timers alone."""
    return st.session_state.get(LEFT, {}) is None


def rerun() -> None:
    """Run the whole page again from a timer, at the address that the page left.

    A timer's tick brings the address that the browser knew when it sent it. One sent before the browser heard of a new
    run would take that run off the page again. While the page itself is drawn nothing happens: what it draws is new,
    and beginning anew would lose the click that it was drawn for.
    """
    if drawing():
        return
    left = st.session_state.get(LEFT)
    if left is not None and st.query_params.to_dict() != left:  # what is set goes to the browser, changed or not
        st.query_params.from_dict(left)
    st.rerun()


def draw_address() -> None:
    """This page's whole address; Streamlit's code has the button that copies it."""
    parameters = {name: value for name, value in st.query_params.items() if name != present.PARAMETER}
    st.code(f"{st.context.url or ''}{'?' if parameters else ''}{urlencode(parameters)}", language=None, wrap_lines=True)


def draw_kept(here: Runtime, project: Project, entry_id: str, made: str) -> None:
    """A run's or evaluation's name if it has one, its project, whose that is, when it was made (UTC), the address."""
    name = history.name_of(here, project, entry_id)
    owner = here.people.get(project.owner).title if project.owner else ""
    parts = [name, project.title, owner, f"{made[:16].replace('T', ' ')} UTC" if made else ""]
    st.caption(plain(" · ".join(one_line(part, 100) for part in parts if part)))
    draw_address()
    if not name:
        st.caption("History gives it a name. Whoever reaches this server opens it by this address.")
