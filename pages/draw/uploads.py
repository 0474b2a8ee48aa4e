"""Adding documents: files, a zip or a folder are looked at, and taken when the person has seen what would happen."""

import streamlit as st

from core.errors import Problem
from core.jobs import Work
from core.project import Project
from core.retrieval import KnowledgeBase, selection, sources
from core.retrieval.parsing import LARGEST_FILE, SUFFIXES, TYPES
from core.retrieval.uploads import LARGEST_UPLOAD_MB, Upload
from core.retrieval.values import Plan
from core.runtime import Runtime
from core.text import plain
from pages.draw.document_list import rows_table
from pages.draw.documents import report

PASTED = "texts pasted"
FILES, FOLDER = "Files or a zip", "A folder"


def draw_add(here: Runtime, project: Project, knowledge: KnowledgeBase) -> None:
    """Upload or paste; the work runs as a job, so it survives a reload and can be cancelled."""
    key = f"upload-{project.id}"
    upload: Upload | None = st.session_state.get(key)
    if upload is None:
        made = _form(knowledge)
        if made is not None:
            st.session_state[key] = made
            _start(here, project, "upload-plan", made.plan)
    elif _running(here):
        pass  # its progress is drawn above
    elif upload.done is not None:
        _draw_done(upload)
        if st.button("Add more"):
            _forget(key)
    elif upload.planned is not None:
        _draw_planned(here, project, key, upload)
    elif st.button("Start over"):  # cancelled, or failed while the files were read
        _forget(key)
    if upload is None:
        _paste(knowledge)


def _form(knowledge: KnowledgeBase) -> Upload | None:
    """What to send and where it goes; gives it when the person asks what would happen."""
    st.caption(
        f"{TYPES} At most {LARGEST_UPLOAD_MB} MB a file or zip, {LARGEST_FILE // 1_000_000} MB a document. Folders "
        "keep their paths. Nothing is changed before you have seen what would be."
    )
    kind = st.segmented_control("What to add", [FILES, FOLDER], default=FILES, key="add_kind")
    with st.form("upload", clear_on_submit=True):
        files = st.file_uploader(
            kind or FILES,
            [suffix[1:] for suffix in (*SUFFIXES, sources.ARCHIVE)],
            accept_multiple_files="directory" if kind == FOLDER else True,
            max_upload_size=LARGEST_UPLOAD_MB,
        )
        into = st.text_input("Into this folder of the base", max_chars=120, placeholder="top of the base")
        with st.expander("Only some of them"):
            left, right = st.columns(2)
            include = left.text_area("Only these", placeholder="*.md\ndocs/", height=90, max_chars=2000)
            exclude = right.text_area("Not these", placeholder="drafts/\n!.github/", height=90, max_chars=2000)
            st.caption("Patterns as in a .gitignore. Hidden files and common junk stay out unless taken back with !.")
        if not st.form_submit_button("See what would change", type="primary") or not files:
            return None
    chosen = selection.Selection(selection.lines(include), selection.lines(exclude))
    sent = ((file.name, file.getvalue()) for file in files)
    return Upload(knowledge, sources.uploads(sent, chosen, into.strip()), into.strip())


def _draw_planned(here: Runtime, project: Project, key: str, upload: Upload) -> None:
    """What would happen, and the buttons that do it or leave it."""
    assert upload.planned is not None
    plan = upload.planned.plan
    st.markdown(f"**{plain(_summary(plan))}**")
    rows = [(path, "would be added") for path in plan.added] + [(path, "would change") for path in plan.updated]
    rows_table([*((name, why) for name, why in (*plan.failed, *plan.skipped)), *rows])
    prune = False
    if plan.missing:
        with st.expander(f"{len(plan.missing)} documents are not in these files"):
            rows_table([(path, "stays unless you say so") for path in plan.missing])
        prune = st.checkbox(f"Remove the {len(plan.missing)} documents that are not in these files", key=f"{key}-prune")
    changes = len(plan.added) + len(plan.updated) + prune * len(plan.missing)
    left, right = st.columns(2)
    if left.button("Do it", type="primary", disabled=not changes, width="stretch"):
        _start(here, project, "upload", lambda job: upload.take(job, prune))
    if right.button("Discard", width="stretch"):
        _forget(key)


def _summary(plan: Plan) -> str:
    parts = (
        (plan.added, "would be added"),
        (plan.updated, "changed"),
        (plan.unchanged, "unchanged"),
        (plan.failed, "cannot be taken"),
        (plan.skipped, "are no documents"),
    )
    said = ", ".join(f"{len(paths)} {words}" for paths, words in parts if paths) or "nothing to do"
    ignored = f"; {plan.ignored} left out by patterns" if plan.ignored else ""
    return f"{plan.files} files: {said}{ignored}."


def _draw_done(upload: Upload) -> None:
    done = upload.done
    assert done is not None
    text = f"{done.added} added, {done.updated} changed, {done.deleted} removed, {done.unchanged} unchanged"
    if not done.complete:
        st.warning(f"Stopped on the way: {text}.")
    elif done.failed:
        st.warning(f"{text}; {len(done.failed)} could not be taken.")
    else:
        st.success(f"{text}.")


def _paste(knowledge: KnowledgeBase) -> None:
    count = st.session_state.setdefault(PASTED, 0)  # a new form once a text is taken: one refused stays to be mended
    with st.form(f"paste {count}"):
        name = st.text_input("Or paste a text under this name", "notes/new.md", max_chars=200)
        text = st.text_area("Text (Markdown headings become sections)", height=140, max_chars=200_000)
        if st.form_submit_button("Add this text"):
            report(knowledge.add(name, text))
            st.session_state[PASTED] = count + 1
            st.rerun()  # what is counted and listed above was drawn before


def _running(here: Runtime) -> bool:
    try:
        return here.jobs.get(st.query_params.get("job", "")).active
    except Problem:
        return False


def _start(here: Runtime, project: Project, kind: str, work: Work) -> None:
    """Run `work` in the background and put its id into the address."""
    st.query_params["job"] = here.jobs.start(kind, work, parameters={"project": project.id}).id
    st.rerun()


def _forget(key: str) -> None:
    st.session_state.pop(key, None)
    st.query_params.pop("job", None)
    st.rerun()
