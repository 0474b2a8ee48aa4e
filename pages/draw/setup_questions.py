"""Set-up, step four: question sets by hand, by file, and by proposal; what nobody has reviewed stays marked."""

from collections.abc import Callable
from dataclasses import replace

import streamlit as st

from core.errors import Problem
from core.evaluation import questions
from core.evaluation.questions import Question
from core.project import Project, bundled, tables
from core.runtime import Runtime
from core.text import plain
from pages.draw.editing import Rows, table
from pages.draw.setup_proposals import draw_proposals

CONFIG = {
    "question": st.column_config.TextColumn(width="large", required=True),
    "answer": st.column_config.TextColumn(help="Empty: the right reply is that the documents do not say."),
    "variants": st.column_config.TextColumn(help="Other right answers, separated by |."),
    "documents": st.column_config.TextColumn(help="Where the answer stands: setup.md, or setup.md#custom-directory."),
    "class": st.column_config.TextColumn(help="Reports show each class by itself; empty: own."),
    "reviewed": st.column_config.CheckboxColumn(help="Tick to accept. Untick, and every result says so.", default=True),
}
NEW = "(a new set)"


def draw_questions(here: Runtime, project: Project) -> None:
    """The sets, one of them as a table; upload and proposals for a project of one's own."""
    names = here.questions.names(project)
    fixed = set(bundled.question_files(project)) if project.bundled else set()
    if not names:
        st.info("No questions yet: nothing can be evaluated. Type some below, upload a file, or have some proposed.")
    choices = names if project.bundled else [*names, NEW]
    wanted = st.session_state.pop("open_set", None)
    name = st.selectbox("Question set", choices, choices.index(wanted) if wanted in choices else 0, key=f"set-{wanted}")
    asked = here.questions.read(project, name) if name in names else ()
    if unreviewed := sum(not one.reviewed for one in asked):
        st.warning(f"{unreviewed} of {len(asked)} questions are proposals that nobody has reviewed.")
    rows = table(
        f"questions-{name}",
        tables.question_rows(asked),
        tables.QUESTION_COLUMNS,
        CONFIG,
        fixed=name in fixed,
        height=360,
    )
    if not project.bundled:
        _keep(here, project, name, asked, rows)
        _upload(here, project)
        draw_proposals(here, project, names)


def _keep(here: Runtime, project: Project, name: str, asked: tuple[Question, ...], rows: Rows) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        title = st.text_input("Name of the set", "questions", key="new_set") if name == NEW else name
        if st.button("Save the questions", type="primary", key="save_questions"):
            _save(here, project, title, lambda: tables.asked(rows, asked))
        if any(not one.reviewed for one in asked):
            if st.button("Accept all", key="accept_all"):
                _save(here, project, title, lambda: tuple(replace(one, reviewed=True) for one in asked))
            if st.button("Reject the unreviewed", key="reject_rest"):
                _save(here, project, title, lambda: tuple(one for one in asked if one.reviewed))
        if name != NEW and st.button("Delete this set", key="delete_set"):
            here.questions.delete(project, name)
            st.rerun()


def _upload(here: Runtime, project: Project) -> None:
    with st.form("upload_questions", clear_on_submit=True):
        file = st.file_uploader("Or a file (CSV or JSONL)", ["csv", "jsonl"], key="setup_questions", max_upload_size=8)
        st.caption("Columns: question, answer, variants, documents, class. Lists are separated by |.")
        if st.form_submit_button("Add this file as a set") and file is not None:
            _save(here, project, file.name.rsplit(".", 1)[0], lambda: questions.parse(file.getvalue(), file.name))


def _save(here: Runtime, project: Project, name: str, made: Callable[[], tuple[Question, ...]]) -> None:
    try:
        here.questions.save(project, name, made())
    except Problem as problem:
        st.error(plain(problem.message))
        return
    st.session_state["open_set"] = name.strip()
    st.toast("Saved.")
    st.rerun()
