"""The documents that retrieval reads: list, edit, add, try a question, and see how fresh an answer is."""

import streamlit as st

from core.errors import Problem
from core.retrieval.values import CURRENT, DELETED
from core.text import plain
from pages.draw import document_list
from pages.draw import documents as draw
from pages.draw.freshness import draw_freshness
from pages.draw.project import current, view
from pages.draw.setup import draw_setup
from pages.draw.try_question import draw_try
from pages.draw.uploads import draw_add

here, project = view(), current()
knowledge = here.knowledge(project)
VIEWS = (
    {"now, with your edits": CURRENT}
    | {name.replace("-", " "): name for name in project.snapshots}
    | {"deleted": DELETED}
)
SEARCH = "Search in paths and titles"
EMPTY = "No documents yet: add some under 'Add'."


def _as_of(name: str) -> str:
    return name if VIEWS[name] == DELETED else f"as of {name}"


def documents_tab() -> None:
    """The list, a page at a time, and what is marked in it below."""
    left, right = st.columns([3, 1])
    search = left.text_input(SEARCH, key="search", max_chars=200, placeholder=SEARCH, label_visibility="collapsed")
    view = VIEWS[right.selectbox("As of", VIEWS, key="view", format_func=_as_of, label_visibility="collapsed")]
    total = knowledge.count(view, search)
    if not total:
        empty = EMPTY + " They are being read: see above." * preparing
        st.info("Nothing here." if search or view != CURRENT else empty)
        return
    marked = document_list.choose(knowledge, view, search, total)
    if len(marked) > 1:
        document_list.draw_several(knowledge, [document.path for document in marked], view)
    elif not marked:
        st.caption("Mark a line to read, edit or delete a document and see its passages; mark several to delete them.")
    elif view == DELETED:
        draw.draw_deleted(knowledge, marked[0])
    else:
        draw.draw_document(knowledge, marked[0], None if view == CURRENT else view)


def add_tab() -> None:
    """Upload or paste."""
    if project.bundled:
        st.info("This project is bundled: its documents can be edited, none can be added. Make a project of your own.")
        return
    if job := st.query_params.get("job"):
        draw.follow_job(here.jobs, job)
    draw_add(here, project, knowledge)


def settings_tab() -> None:
    """Splitting and search settings; a question shows their effect before anything is indexed again."""
    chosen = draw_try(here, knowledge, project)
    if chosen is not None:
        knowledge.configure(chosen)
        st.query_params["job"] = here.jobs.start(
            "index",
            lambda job: knowledge.catch_up(job.progress, lambda: job.cancelled),
            parameters={"project": project.id},
        ).id
        st.rerun()
    if job := st.query_params.get("job"):
        draw.follow_job(here.jobs, job)


st.title("Documents")
st.caption("What retrieval reads. Change a document and the next question sees it; the fine-tune does not.")
try:
    preparing = draw_setup(here, project)
    document_list.draw_counts(knowledge)
    tabs = {
        "Documents": documents_tab,
        "Add": add_tab,
        "Try and tune": settings_tab,
        "Freshness demo": lambda: draw_freshness(here, project),
    }
    wanted = st.query_params.get("tab", "Documents")
    first = wanted if wanted in tabs else "Documents"
    tab = st.segmented_control("View", tabs, default=first, key="tab_choice", label_visibility="collapsed", wrap=False)
    tabs[tab or "Documents"]()
except Problem as problem:
    st.error(plain(problem.message))
