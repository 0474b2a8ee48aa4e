"""The documents that retrieval reads: list, edit, add, try a question, and see how fresh an answer is."""

import streamlit as st

from core import runtime
from core.errors import Problem
from core.jobs import Work
from core.retrieval.parsing import MOST_FILES, SUFFIXES
from core.retrieval.uploads import add_files
from core.retrieval.values import CURRENT, DELETED
from core.text import plain
from pages.draw import documents as draw
from pages.draw.freshness import draw_freshness
from pages.draw.project import current
from pages.draw.setup import draw_setup
from pages.draw.try_question import draw_try

here, project = runtime.get(), current()
knowledge = here.knowledge(project)
VIEWS = (
    {"now, with your edits": CURRENT}
    | {name.replace("-", " "): name for name in project.snapshots}
    | {"deleted": DELETED}
)
EMPTY = "No documents yet: add some under 'Add'."


def documents_tab() -> None:
    """The list, and the chosen document below it."""
    left, right = st.columns([3, 1])
    search = left.text_input("Search in paths and titles", key="search", max_chars=200)
    view = VIEWS[right.selectbox("As of", VIEWS, key="view")]
    found = knowledge.documents(view, search)
    if not found:
        empty = EMPTY + " They are being read: see above." * preparing
        st.info("Nothing here." if search or view != CURRENT else empty)
        return
    chosen = draw.choose(found, st.query_params.get("document"))
    if chosen is None:
        st.caption("Choose a line to read, edit, delete or restore a document and to see its passages.")
    elif view == DELETED:
        draw.draw_deleted(knowledge, chosen)
    else:
        draw.draw_document(knowledge, chosen, None if view == CURRENT else view)


def add_tab() -> None:
    """Upload or paste; the work runs as a job, so it survives a reload and can be cancelled."""
    if project.bundled:
        st.info("This project is bundled: its documents can be edited, none can be added. Make a project of your own.")
        return
    st.caption(
        f"At most {MOST_FILES} files of 10 MB at once. Each is parsed in a process of its own with limited memory and "
        "time; one that cannot be read changes nothing."
    )
    with st.form("upload", clear_on_submit=True):
        files = st.file_uploader("Files", [suffix[1:] for suffix in SUFFIXES], accept_multiple_files=True)
        if st.form_submit_button("Add these files", type="primary") and files:
            start_job("upload", add_files(knowledge, [(file.name, file.getvalue()) for file in files]))
    with st.form("paste", clear_on_submit=True):
        name = st.text_input("Or paste a text under this name", "notes/new.md", max_chars=200)
        text = st.text_area("Text (Markdown headings become sections)", height=140, max_chars=200_000)
        if st.form_submit_button("Add this text"):
            draw.report(knowledge.add(name, text))
    if job := st.query_params.get("job"):
        draw.follow_job(here.jobs, job)


def settings_tab() -> None:
    """Splitting and search settings; a question shows their effect before anything is indexed again."""
    chosen = draw_try(knowledge, project)
    if chosen is not None:
        knowledge.configure(chosen)
        start_job("index", lambda job: knowledge.catch_up(job.progress, lambda: job.cancelled))
    if job := st.query_params.get("job"):
        draw.follow_job(here.jobs, job)


def start_job(kind: str, work: Work) -> None:
    """Run `work` in the background and put its id into the address."""
    st.query_params["job"] = here.jobs.start(kind, work).id
    st.rerun()


st.title("Documents")
st.caption("What retrieval reads. Change a document and the next question sees it; the fine-tune does not.")
try:
    preparing = draw_setup(here, project)
    draw.draw_counts(knowledge)
    tabs = {
        "Documents": documents_tab,
        "Add": add_tab,
        "Try and tune": settings_tab,
        "Freshness demo": lambda: draw_freshness(here, project),
    }
    wanted = st.query_params.get("tab", "Documents")
    tab = st.segmented_control("View", tabs, default=wanted if wanted in tabs else "Documents", key="tab_choice")
    tabs[tab or "Documents"]()
except Problem as problem:
    st.error(plain(problem.message))
