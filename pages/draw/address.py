"""What one sends to somebody: the whole address of what the page shows, with a button to copy it; whose and of when."""

from urllib.parse import urlencode

import streamlit as st

from core import history
from core.project import Project
from core.runtime import Runtime
from core.text import one_line, plain
from pages.draw import present


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
