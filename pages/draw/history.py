"""What can be done with runs and evaluations marked on the History page. Untrusted text stays text."""

import json

import streamlit as st

from core import evaluate, history
from core.evaluation import tables
from core.evaluation.versus import versus
from core.history import Entry
from core.project import Project
from core.records import ArmRecord
from core.runtime import Runtime
from core.text import one_line, plain
from pages.draw import differences
from pages.draw import project as addresses
from pages.draw.pane_details import ms

PAGES = {"run": ("playground.py", "run"), "evaluation": ("evaluation.py", "evaluation")}
UNDO = "history_undo"


def draw_one(here: Runtime, project: Project, entry: Entry) -> None:
    """Name and tags, the way to its page, what differs now, and asking again."""
    page, parameter = PAGES[entry.kind]
    with st.container(border=True):
        st.header(plain(one_line(entry.name or entry.title, 120)), anchor=False)
        with st.form(f"history_label {entry.id}", border=False):
            left, right = st.columns(2)
            name = left.text_input("Name", entry.name, max_chars=history.LONGEST_NAME)
            tags = right.text_input("Tags", " ".join(entry.tags), placeholder="separated by spaces")
            if st.form_submit_button("Keep name and tags"):
                history.label(here, project, entry, name, tags.split())
                st.rerun()
        if lines := history.differs(here, project, entry):
            st.markdown("**What differs now**\n" + "\n".join(f"- {plain(line)}" for line in lines))
        else:
            st.caption(":material/check: Models, instruction, documents and settings are as they were.")
        with st.container(horizontal=True):
            st.page_link(page, label="Open", icon=":material/open_in_new:",
                         query_params=addresses.query(**{parameter: entry.id}))  # fmt: skip
            if st.button("Run again", key="history_again", help="As it was, on today's models and documents."):
                started = history.again(here, project, entry, st.session_state.get("owner", ""))
                st.switch_page(page, query_params=addresses.query(**{parameter: started}))


def draw_both(here: Runtime, older: Entry, newer: Entry) -> None:
    """Two of a kind side by side: answers word by word, or what got better and worse."""
    with st.container(border=True):
        st.header("Compared", anchor=False)
        st.caption(
            plain(f"{older.made[:16]} and {newer.made[:16]} UTC: only in the first is red, in the second green.")
        )
        if older.kind == "evaluation":
            found = versus(evaluate.result(here, older.id), evaluate.result(here, newer.id))
            st.dataframe(tables.changes(found), hide_index=True, key="history_changes")
            return
        one, two = here.stored_runs.get(older.id), here.stored_runs.get(newer.id)
        if one.question != two.question:
            st.warning("The questions differ: " + plain(one_line(f"{one.question} / {two.question}", 300)))
        for both in history.compare(one, two):
            said = "the same" if both.same else "changed"
            st.markdown(f"**{plain(both.arm)}** · {said} · {ms(both.before_ms)} → {ms(both.after_ms)}")
            differences.draw_diff(ArmRecord("", "", answer=both.before), ArmRecord("", "", answer=both.after))


def draw_several(here: Runtime, project: Project, marked: list[Entry]) -> None:
    """Delete and export."""
    count = f"{len(marked)} marked" if len(marked) > 1 else "it"
    with st.container(horizontal=True):
        if st.button(f"Delete {count}", icon=":material/delete:", key="history_delete"):
            history.delete(here, project, marked)
            st.session_state[f"{UNDO}-{project.id}"] = marked
            st.rerun()
        st.download_button(
            f"Export {count} (JSON)",
            lambda: json.dumps([history.document(here, one) for one in marked], ensure_ascii=False),
            "history.json",
            key="history_export",
            on_click="ignore",
        )


def draw_undo(here: Runtime, project: Project) -> None:
    """Right after a deletion: one click takes it back."""
    if marked := st.session_state.get(f"{UNDO}-{project.id}"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"Deleted {len(marked)}.")
            if st.button("Undo", key="history_undo_button", icon=":material/undo:"):
                history.delete(here, project, marked, back=True)
                del st.session_state[f"{UNDO}-{project.id}"]
                st.rerun()
