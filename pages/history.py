"""Every run and evaluation of the project: searched, tagged, compared, run again, deleted with a way back, exported."""

import streamlit as st

from core import history
from core.errors import Problem
from core.history import Entry
from core.text import one_line, plain
from pages.draw import history as draw
from pages.draw.project import current, view

PAGE = 50

here, project = view(), current()
st.title("History")
st.caption("Every run of the playground and every evaluation of this project, kept until you delete it.")


def chosen(found: list[Entry], place: str) -> list[Entry]:
    """One page of the list; gives the marked ones."""
    pages, page = -(-len(found) // PAGE), 1
    if pages > 1:
        page = st.pagination(pages, key=f"history_page {place}")
    shown = found[(page - 1) * PAGE : page * PAGE]
    rows = [
        {
            "what": one_line(one.name or one.title, 120),
            "tags": " ".join(f"#{tag}" for tag in one.tags),
            "kind": one.kind,
            "made (UTC)": one.made[:16].replace("T", " "),
            "how": one.state,
        }
        for one in shown
    ]
    event = st.dataframe(
        rows,
        hide_index=True,
        on_select="rerun",
        selection_mode="multi-row",
        column_config={"what": st.column_config.Column(width="large")},
        key=f"history {place} {page} {len(found)} {found[0].id}",  # what was marked goes when the list changes
        alt="Runs and evaluations",
    )
    return [shown[row] for row in event.selection.rows if row < len(shown)]


def listed() -> None:
    """The list with its filters, and what can be done with the marked ones."""
    left, middle, right = st.columns([3, 1, 1])
    text = left.text_input("Search", key="history_text", placeholder="words of a question, an answer or a name")
    kind = middle.selectbox("Kind", ("", *history.KINDS), format_func=lambda one: one or "all", key="history_kind")
    known = sorted({tag for one in history.entries(here, project) for tag in one.tags})
    tag = right.selectbox("Tag", ("", *known), format_func=lambda one: one or "all", key="history_tag")
    found = history.entries(here, project, text.strip(), kind, tag)
    if not found:
        st.info("Nothing yet: ask on the playground, or evaluate." if not (text or kind or tag) else "Nothing found.")
        return
    marked = chosen(found, f"{text}{kind}{tag}")
    if not marked:
        st.caption(f"{len(found)} found. Mark one to open, tag or repeat it; two to compare; any to delete or export.")
        return
    if len(marked) == 1:
        draw.draw_one(here, project, marked[0])
    elif len(marked) == 2 and marked[0].kind == marked[1].kind:
        older, newer = sorted(marked, key=lambda one: one.made)
        draw.draw_both(here, older, newer)
    draw.draw_several(here, project, marked)


def gone() -> None:
    """What was deleted within a day, and the way back."""
    deleted = history.entries(here, project, deleted=True)
    if deleted:
        with st.expander(f"Deleted: {len(deleted)}, kept for a day"):
            back = chosen(deleted, "deleted")
            if st.button("Bring back", disabled=not back, key="history_back", help="Mark them first."):
                history.delete(here, project, back, back=True)
                st.rerun()


try:
    history.purge(here)
    draw.draw_undo(here, project)
    listed()
    gone()
except Problem as problem:
    st.error(plain(problem.message))
