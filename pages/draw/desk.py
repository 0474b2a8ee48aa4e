"""A document beside the panes: edited in place, indexed, the same question asked again. Texts are untrusted."""

from collections.abc import Callable

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core import living
from core.living import Changed
from core.project import Project
from core.records import RunRecord
from core.retrieval import KnowledgeBase
from core.retrieval.values import CURRENT
from core.runtime import Runtime
from core.text import one_line, plain
from core.word_diff import Piece, word_diff

SWITCH, LAST, MOST_LISTED = "desk", "desk-change", 200
BRIEF = 400  # characters of both answers up to which their difference is shown at once
STYLE = """<style>
@media (min-width: 641px) {
  .st-key-desk-panes .st-key-panes [data-testid="stHorizontalBlock"]:not(.st-key-panes [data-testid="stColumn"] *) {
    flex-wrap: wrap; }
  .st-key-desk-panes .st-key-panes [data-testid="stColumn"]:not(.st-key-panes [data-testid="stColumn"] *) {
    flex: 1 1 calc(50% - 1rem); min-width: min(16rem, 100%); }
}
</style>"""
SIGNS = {Piece.SAME: "{}", Piece.FIRST: ":red-background[− {}]", Piece.SECOND: ":green-background[+ {}]"}


def switch() -> bool:
    """Whether a document is wanted beside the panes."""
    return st.toggle("Edit a document", key=SWITCH, help="A document beside the panes: change it, save, ask again.")


def beside(here: Runtime, project: Project, record: RunRecord, again: Callable[[], None]) -> DeltaGenerator:
    """The document at the right, and the place at its left where the panes go. `again` asks the question anew."""
    st.html(STYLE)
    left, right = st.columns([3, 2], gap="medium")
    with right, st.container(border=True, key="desk-document"):
        _draw_document(here.knowledge(project), project, record, again)
    return left.container(key="desk-panes")


def _draw_document(knowledge: KnowledgeBase, project: Project, record: RunRecord, again: Callable[[], None]) -> None:
    path = _choose(knowledge, project, record)
    if path is None:
        st.info("No documents yet.")
        return
    if any(arm.search.snapshot for arm in record.settings.arms if arm.retrieves):
        st.caption("These panes read the documents of a past day: they do not see what is changed here.")
    with st.form(f"desk-{project.id}", border=False):
        text = st.text_area("Its text", knowledge.text(path), height=340, max_chars=2_000_000)
        ask_again = st.form_submit_button("Save and ask again", type="primary", width="stretch")
        save = st.form_submit_button("Save", width="stretch")
    none = living.undo_to(knowledge, path) is None
    undo = st.button("Undo the last edit", disabled=none, width="stretch", key="desk-undo")
    saved = None
    if save or ask_again:
        saved = living.save(knowledge, path, text)
    elif undo:
        saved = living.undo(knowledge, path)
    if saved is not None:
        st.session_state[LAST] = (project.id, saved)
        if ask_again:
            again()
        st.rerun()
    of, last = st.session_state.get(LAST, ("", None))
    if of == project.id and last is not None and last.path == path:
        st.markdown(f":material/bolt: {plain(last.told)}")


def _choose(knowledge: KnowledgeBase, project: Project, record: RunRecord) -> str | None:
    """The document: first those that the run read, its best passage's by default."""
    read = [path for path in living.read_best(record) if knowledge.named(path)]
    if not read:  # closed book, or still on its way: what the words find
        read = [found.document for found in knowledge.query(record.question, 1, "sparse").passages]
    others = [document.path for document in knowledge.documents(CURRENT, "", 0, MOST_LISTED)]
    paths = list(dict.fromkeys([*read, *others]))
    key = f"desk-path-{project.id}-{record.question}"
    kept = st.session_state.get(key)
    if kept is not None and kept not in paths:
        paths = [kept, *paths] if knowledge.named(kept) else paths
    return st.selectbox("Document", paths, key=key, format_func=lambda path: one_line(path, 120)) if paths else None


def draw_changed(place: DeltaGenerator, changed: Changed | None) -> None:
    """Say in a pane whether its answer is another than when this question was last asked, and how."""
    if changed is None or changed.same is None:
        return
    with place.container():
        if changed.same:
            st.caption(":material/equal: the same answer as before")
            return
        why = " · read other passages" if changed.passages else " · the same passages"
        why += " · other settings" if changed.settings else ""
        pieces = word_diff(changed.before, changed.now)
        brief = len(changed.before) + len(changed.now) < BRIEF
        with st.expander(f"Changed since last asked{why}", icon=":material/change_circle:", expanded=brief):
            st.markdown(" ".join(SIGNS[kind].format(plain(text)) for kind, text in pieces) or "Both are empty.")


def draw_summary(place: DeltaGenerator, changed: dict[str, Changed]) -> None:
    """One line above the panes: which of them changed."""
    if line := living.told(changed):
        place.markdown(f":material/compare_arrows: {plain(line)}")
