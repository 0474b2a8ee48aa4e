"""Set-up, step one: how many documents there are, a small uploader, and the way to their own page."""

from pathlib import Path

import streamlit as st

from core.jobs import JobContext
from core.project import Project
from core.retrieval.uploads import add_file
from core.runtime import Runtime
from core.text import plain
from pages.draw import address
from pages.draw.apart import apart
from pages.draw.setup_vectors import draw_vectors

KIND = "upload"
PAGES = Path(__file__).resolve().parents[1]


def draw_documents(here: Runtime, project: Project) -> None:
    """Counts, upload, link."""
    knowledge = here.knowledge(project)
    found = knowledge.documents()
    chunks, embedded = knowledge.counts()
    with st.container(horizontal=True):
        st.metric("Documents", len(found))
        st.metric("Passages", chunks)
        st.metric("With a vector", embedded, help="The others are found by their words alone (BM25).")
    if not found:
        st.info("No documents yet: arms with retrieval will find nothing. Closed-book arms work without.")
    st.page_link(
        PAGES / "documents.py",
        label="All about documents: folders, edits, versions, settings",
        icon=":material/library_books:",
    )
    if project.bundled:
        return
    with st.form("upload", clear_on_submit=True):
        files = st.file_uploader("Add documents", accept_multiple_files=True, key="setup_files")
        if st.form_submit_button("Add these files", type="primary") and files:
            given = [(file.name, file.getvalue()) for file in files]
            about = {"project": project.id}
            job = here.jobs.start(KIND, lambda job: _add(here.machine, project, given, job), parameters=about)
            st.session_state[f"{KIND}-{project.id}"] = job.id
    if job_id := st.session_state.get(f"{KIND}-{project.id}"):
        _progress(here, job_id)
    draw_vectors(here, project, knowledge)


def _add(here: Runtime, project: Project, given: list[tuple[str, bytes]], job: JobContext) -> None:
    knowledge = here.knowledge(project)
    for number, (name, data) in enumerate(given):
        if job.cancelled:
            return
        job.progress(number / len(given), f"{number} of {len(given)} files: {name}")
        job.append(add_file(knowledge, name, data))


@apart(every=0.5)
def _progress(here: Runtime, job_id: str) -> None:
    job = here.jobs.get(job_id)
    shown = st.session_state.setdefault("setup_upload_shown", set())
    if job.active:
        st.progress(job.progress, text=plain(job.message or "Reading"))
        return
    rows = here.jobs.rows(job_id)
    failed = [row for row in rows if not row["added"]]
    st.caption(f"{len(rows) - len(failed)} added, {len(failed)} not added.")
    for row in failed:
        st.warning(plain(f"{row['file']}: {row['result']}"))
    if job.state != "done":
        st.warning(plain(job.message or job.state))
    if job_id not in shown:
        shown.add(job_id)
        address.rerun()
