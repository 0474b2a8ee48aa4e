"""The freshness demo: change a fact, ask again, see which answers changed. Knows no model."""

import streamlit as st

from core import ask
from core.project import Project
from core.records import RunRecord
from core.retrieval import KnowledgeBase
from core.retrieval.values import CURRENT, DELETED
from core.runtime import Runtime
from core.text import plain
from pages.draw.documents import report

LONGEST_S = 180.0


def draw_freshness(here: Runtime, project: Project) -> None:
    """Ask, change the document, ask again: retrieval follows at once, the fine-tune keeps its training day."""
    st.markdown(
        "**1** Ask the arms. **2** Change the fact, or delete the document. **3** Ask again and compare. "
        "**4** Restore with one click."
    )
    question = st.text_input(
        "Question", next((one.question for one in project.suggestions), ""), key="fresh_question", max_chars=2000
    )
    paths = [document.path for view in (CURRENT, DELETED) for document in here.knowledge(project).documents(view)]
    if not paths:
        st.info("No documents yet.")
        return
    path = st.selectbox("Document", paths, _likeliest(here.knowledge(project), question, paths), key="fresh_document")
    _change(here.knowledge(project), path)
    if st.button("Ask the arms", type="primary", key="fresh_ask"):
        with st.spinner("Answers …"):
            record = here.ask(project, question, ask.Settings(project.arms), watched=False).wait(LONGEST_S).record()
        kept = [run for run in st.session_state.get(f"fresh_runs-{project.id}", []) if run.question == record.question]
        st.session_state[f"fresh_runs-{project.id}"] = [*kept[-1:], record]
    _compare(st.session_state.get(f"fresh_runs-{project.id}", []))


def _likeliest(knowledge: KnowledgeBase, question: str, paths: list[str]) -> int:
    """The place of the document that answers the question best."""
    found = knowledge.query(question, 1, "sparse").passages if question.strip() else ()
    return paths.index(found[0].document) if found and found[0].document in paths else 0


def _change(knowledge: KnowledgeBase, path: str) -> None:
    """The document with its buttons; each says how long it took until retrieval found the new text."""
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


def _compare(runs: list[RunRecord]) -> None:
    if not runs:
        return
    before, after = runs[0], runs[-1]
    st.caption("Answers before and after" if len(runs) > 1 else "Answers now. Change the document and ask again.")
    for old, new in zip(before.arms, after.arms, strict=False):
        changed = old.answer != new.answer
        verdict = "" if len(runs) < 2 else " · **changed**" if changed else " · the same"
        with st.container(border=True):
            st.markdown(f"**{plain(new.title)}**{verdict}")
            if changed:
                st.caption("before")
                st.text(old.problem or old.answer)
                st.caption("after")
            st.text(new.problem or new.answer)
            if new.passages:
                st.caption("read: " + plain(", ".join(dict.fromkeys(p.document for p in new.passages))))
