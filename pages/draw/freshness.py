"""The freshness demo: change a fact, ask again, see which answers changed. Knows no model."""

import streamlit as st

from core import ask
from core.retrieval.values import CURRENT, DELETED
from core.runtime import Runtime
from core.text import plain
from core.theme import ARM_NAMES
from pages.draw.documents import report

QUESTION = "How much does the Tidal Press cost?"
DOCUMENT = "products/tidal-press.md"
LONGEST_S = 180.0


def draw_freshness(here: Runtime) -> None:
    """Ask, change the document, ask again: retrieval follows at once, the fine-tune keeps its training day."""
    st.markdown(
        "**1** Ask the four arms. **2** Change the fact, or delete the document. **3** Ask again and compare. "
        "**4** Restore with one click."
    )
    question = st.text_input("Question", QUESTION, key="fresh_question", max_chars=2000)
    paths = [document.path for view in (CURRENT, DELETED) for document in here.knowledge.documents(view)]
    if not paths:
        st.info("No documents yet.")
        return
    path = st.selectbox("Document", paths, paths.index(DOCUMENT) if DOCUMENT in paths else 0, key="fresh_document")
    _change(here, path)
    if st.button("Ask the four arms", type="primary", key="fresh_ask"):
        with st.spinner("Four answers …"):
            record = here.runs.start(question, ask.Settings(), watched=False).wait(LONGEST_S).record()
        kept = [run for run in st.session_state.get("fresh_runs", []) if run["question"] == record["question"]]
        st.session_state["fresh_runs"] = [*kept[-1:], record]
    _compare(st.session_state.get("fresh_runs", []))


def _change(here: Runtime, path: str) -> None:
    """The document with its buttons; each says how long it took until retrieval found the new text."""
    knowledge = here.knowledge
    deleted = path in {document.path for document in knowledge.documents(DELETED)}
    if deleted:
        st.warning("This document is deleted: retrieval has forgotten it.")
    else:
        text = knowledge.text(path)
        edited = st.text_area("Its text now: change a fact", text, height=260, key=f"fresh {path} {hash(text)}")
    save, delete, restore = st.columns(3)
    change = None
    if save.button("Save and index", disabled=deleted, width="stretch", key="fresh_save"):
        change = knowledge.update(path, edited)
    if delete.button("Delete it", disabled=deleted, width="stretch", key="fresh_delete"):
        change = knowledge.delete(path)
    if restore.button("Restore", width="stretch", key="fresh_restore"):
        change = knowledge.restore(path)
    if change is not None:
        report(change)
        st.session_state["fresh_change"] = change
        st.rerun()
    if (last := st.session_state.get("fresh_change")) is not None:
        st.metric(f"Last change: {last.kind}", f"{last.total_ms:.0f} ms", help="Until the next question finds it.")


def _compare(runs: list[dict]) -> None:
    if not runs:
        return
    before, after = runs[0], runs[-1]
    st.caption("Answers before and after" if len(runs) > 1 else "Answers now. Change the document and ask again.")
    for old, new in zip(before["arms"], after["arms"], strict=True):
        changed = old["answer"] != new["answer"]
        verdict = "" if len(runs) < 2 else " · **changed**" if changed else " · the same"
        with st.container(border=True):
            st.markdown(f"**{ARM_NAMES[new['arm']]}**{verdict}")
            if changed:
                st.caption("before")
                st.text(old["problem"] or old["answer"])
                st.caption("after")
            st.text(new["problem"] or new["answer"])
            if new["passages"]:
                st.caption("read: " + plain(", ".join(dict.fromkeys(p["document"] for p in new["passages"]))))
