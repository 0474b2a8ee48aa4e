"""Drawing of the documents page: the list, one document with its passages, jobs. Texts are untrusted: plain only."""

import time

import streamlit as st

from core.errors import Problem
from core.jobs import Jobs
from core.retrieval import Document, KnowledgeBase
from core.retrieval.locate import around
from core.retrieval.values import Change
from core.text import one_line, plain
from pages.draw import address
from pages.draw.apart import apart
from pages.draw.document_list import rows_table
from pages.draw.passages import draw_chunks, draw_marked


def draw_document(knowledge: KnowledgeBase, document: Document, snapshot: str | None) -> None:
    """One document: text (editable when current), versions, passages."""
    st.header(plain(one_line(document.title, 120)), anchor=False)
    st.caption(f"{plain(document.path)} · {document.state} · {document.characters:,} characters")
    text_tab, chunk_tab, version_tab = st.tabs(
        ["Text", f"Passages ({document.chunks})", f"Versions ({document.versions})"]
    )
    text = knowledge.text(document.path, document.version)
    with text_tab:
        _draw_place(text, document.path)
        if snapshot is not None:
            st.code(text, language=None, wrap_lines=True)
        else:
            _edit(knowledge, document, text)
    with chunk_tab:
        draw_chunks(knowledge.chunks(document.path, document.version))
    with version_tab:
        _versions(knowledge, document)


def draw_deleted(knowledge: KnowledgeBase, document: Document) -> None:
    """A deleted document, one click from coming back."""
    st.caption(f"{plain(document.path)} · deleted. Retrieval does not find it; the fine-tune may still know it.")
    if st.button("Restore", type="primary", key=f"undelete {document.path}"):
        report(knowledge.restore(document.path))
        st.rerun()
    st.code(knowledge.text(document.path, document.version), language=None, wrap_lines=True)


def report(change: Change) -> None:
    """What one change did and how long it took until it could be found."""
    st.toast(
        f"{plain(one_line(change.path, 100))}: {change.kind}, {change.embedded} of {change.chunks} passages embedded, "
        f"findable after {change.total_ms:.0f} ms"
    )


def _draw_place(text: str, path: str) -> None:
    """The passage an answer's source link points to ("at=start-end" in the address), marked in the text."""
    start, _, end = st.query_params.get("at", "").partition("-")
    if st.query_params.get("document") == path and start.isdecimal() and end.isdecimal():
        first, last = min(int(start), len(text)), min(int(end), len(text))
        if first < last:
            with st.container(border=True, height=300):
                draw_marked(around(text, first, last))


def _edit(knowledge: KnowledgeBase, document: Document, text: str) -> None:
    with st.form(f"edit {document.path} {document.version}", border=False):
        edited = st.text_area("Text", text, height=360, max_chars=2_000_000)
        save, restore, delete = st.columns(3)
        if save.form_submit_button("Save and index", type="primary", width="stretch"):
            report(knowledge.update(document.path, edited))
            st.rerun()
        as_shipped = document.state in ("as shipped", "added")
        if restore.form_submit_button("Back to the text as shipped", disabled=as_shipped, width="stretch"):
            report(knowledge.restore(document.path))
            st.rerun()
        if delete.form_submit_button("Delete", width="stretch"):
            report(knowledge.delete(document.path))
            st.rerun()


def _versions(knowledge: KnowledgeBase, document: Document) -> None:
    for version in knowledge.versions(document.path):
        valid = f" · valid in: {', '.join(version.views)}" if version.views else ""
        left, right = st.columns([4, 1])
        left.caption(
            f"{version.made[:16].replace('T', ' ')} UTC · {version.origin} · {version.characters:,} characters{valid}"
        )
        if version.id != document.version and right.button("Make current", key=f"version {version.id}"):
            report(knowledge.restore(document.path, version.id))
            st.rerun()
        with st.expander("Text of this version"):
            st.code(knowledge.text(document.path, version.id), language=None, wrap_lines=True)


def follow_job(jobs: Jobs, job_id: str) -> None:
    """Progress with time left and cancel, then the result of each file."""
    try:
        job = jobs.get(job_id)
    except Problem:
        return  # an old address: the job is no longer kept
    _progress(jobs, job_id) if job.active else None
    rows = jobs.rows(job_id)
    if not job.active and job.state != "done":
        st.warning(plain(f"{job.kind}: {job.state}. {job.message}"))
    elif not job.active and job.kind == "index":
        st.success("Done: all documents are indexed.")
    rows_table([(row["file"], row["result"]) for row in rows])


@apart(every=0.5)
def _progress(jobs: Jobs, job_id: str) -> None:
    job = jobs.get(job_id)
    if not job.active:
        address.rerun()
    spent = time.time() - job.created
    left = f" · about {spent / job.progress - spent:.0f} s left" if job.progress > 0.02 else ""
    st.progress(job.progress, text=plain(one_line(job.message or "Waiting", 120)) + left)
    if st.button("Cancel", key=f"cancel {job_id}"):
        jobs.cancel(job_id)
