"""The list of documents, a page at a time, and what is done with several at once. Texts are untrusted: plain only."""

import pandas as pd
import streamlit as st

from core.retrieval import Document, KnowledgeBase
from core.retrieval.values import CURRENT, DELETED
from core.text import one_line, plain

PAGE = 100  # documents listed at once


def draw_counts(knowledge: KnowledgeBase) -> None:
    """How much there is, and whether vectors are there yet."""
    chunks, embedded = knowledge.counts()
    documents = knowledge.count()
    text = f"{documents:,} document{'s' * (documents != 1)} now, "
    text += f"{chunks:,} passage{'s' * (chunks != 1)} over all versions"
    if embedded < chunks:
        text += f", {embedded} of them with a vector: the others are found by their words alone (BM25)"
    st.caption(text + ".")


def choose(knowledge: KnowledgeBase, view: str, search: str, total: int) -> list[Document]:
    """One page of the list; gives the marked documents (or the one named in the address)."""
    pages, page = -(-total // PAGE), 1
    if pages > 1:
        page = st.pagination(pages, key=f"page {view} {search}")
    found = knowledge.documents(view, search, (page - 1) * PAGE, PAGE)
    rows = pd.DataFrame(
        [
            {
                "document": one_line(document.path, 200),
                "title": one_line(document.title, 120),
                "state": document.state,
                "versions": document.versions,
                "passages": document.chunks,
                "tokens": document.tokens,
                "changed (UTC)": document.changed[:16].replace("T", " "),
            }
            for document in found
        ]
    )
    event = st.dataframe(
        rows,
        hide_index=True,
        height=min(38 + 35 * len(rows), 320),
        on_select="rerun",
        selection_mode="multi-row",
        key=f"list {view} {search} {page} {total}",  # what was marked goes when the list changes
    )
    if pages > 1:
        st.caption(f"{(page - 1) * PAGE + 1:,} to {(page - 1) * PAGE + len(found):,} of {total:,}")
    if event.selection.rows:
        return [found[row] for row in event.selection.rows if row < len(found)]
    wanted = st.query_params.get("document")
    return knowledge.named(wanted, view) if wanted else []


def draw_several(knowledge: KnowledgeBase, paths: list[str], view: str) -> None:
    """Several marked documents: deleted after one confirmation, or restored."""
    count = len(paths)
    if view == DELETED:
        if st.button(f"Restore {count} documents", type="primary"):
            for path in paths:
                knowledge.restore(path)
            st.toast(f"{count} documents are back.")
            st.rerun()
    elif view != CURRENT:
        st.caption(f"{count} documents marked. Those of a dated view cannot be deleted.")
    else:
        with st.popover(f"Delete {count} documents"):
            st.markdown("  \n".join(plain(one_line(path, 80)) for path in paths[:8]) + "  \n…" * (count > 8))
            st.caption("Retrieval forgets them at once. They stay under 'deleted', from where they can be restored.")
            if st.button(f"Yes, delete {count}", type="primary"):
                knowledge.delete_all(paths)
                st.toast(f"{count} documents deleted.")
                st.rerun()


def rows_table(rows: list[tuple[str, str]]) -> None:
    """Files and what becomes of them."""
    if rows:
        table = pd.DataFrame([(one_line(file, 200), one_line(what)) for file, what in rows], columns=["file", "result"])
        st.dataframe(table, hide_index=True, height=min(38 + 35 * len(rows), 320))
