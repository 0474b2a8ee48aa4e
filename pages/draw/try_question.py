"""The 'Try and tune' view: a test question, with every setting's effect on what it finds."""

from dataclasses import replace

import streamlit as st

from core import arms
from core.arms import Search
from core.project import Project
from core.retrieval import KnowledgeBase, Passage, Retrieved, Settings, filters, selection, trial
from core.retrieval.locate import around, matches
from core.retrieval.values import LEAST_CHUNK, MODES, MOST_CHUNK, SPLITTERS
from core.runtime import Runtime
from core.text import one_line, plain
from pages.draw.passages import draw_marked

MODE_HELP = "hybrid: meaning and words. dense: meaning only (vectors). sparse: words only (BM25)."


def draw_try(here: Runtime, knowledge: KnowledgeBase, project: Project) -> Settings | None:
    """Question, settings and passages. Gives settings when they are to be kept and all documents indexed by them."""
    now = knowledge.settings
    question = st.text_input(
        "Test question",
        next((one.question for one in project.suggestions), ""),
        key=f"test_question-{project.id}",
        max_chars=2000,
    )
    left, right = st.columns([1, 2], gap="large")
    with left:
        top_k = st.slider("Passages (top-k)", 1, 20, 5, key="try_k")
        mode = st.radio("Mode", MODES, horizontal=True, key="try_mode", help=MODE_HELP)
        weight = st.slider(
            "Share of the vectors", 0.0, 1.0, now.weight, 0.05, key="try_weight", help="The rest is BM25's."
        )
        threshold = st.slider(
            "Threshold",
            0.0,
            1.0,
            now.threshold,
            0.05,
            key="try_threshold",
            help="Least cosine similarity of a passage.",
        )
        folder = st.text_input("Only in folder", key="try_folder", max_chars=200, placeholder="products")
        metadata = filters.pairs(
            selection.lines(
                st.text_input(
                    "Only with metadata",
                    key="try_metadata",
                    max_chars=300,
                    placeholder="type=md, domain=legal",
                    help="A document's front matter, and the type of its file.",
                )
            )
        )
        search = Search(top_k, mode, weight, threshold, folder.strip(), metadata)
        _hand_over(here, project, search)
        splitter = st.radio("Splitter", SPLITTERS, SPLITTERS.index(now.splitter), horizontal=True, key="try_splitter")
        size = st.slider("Chunk size, tokens", LEAST_CHUNK, MOST_CHUNK, now.chunk_size, 4, key="try_size")
        overlap = st.slider("Overlap, tokens", 0, size // 2, min(now.overlap, size // 2), 4, key=f"try_overlap {size}")
        chosen = Settings(splitter, size, overlap, weight, threshold)
        keep = st.button(
            "Keep these settings", disabled=chosen == now, help="Other splitting indexes all documents again."
        )
    with right:
        if question.strip():
            resplit = replace(chosen, weight=now.weight, threshold=now.threshold) != now
            found = knowledge.query(question, top_k, mode, weight=weight, threshold=threshold, filters=search.filters)
            if resplit:
                st.caption(f"As indexed now ({now.splitter}, {now.chunk_size} tokens):")
            draw_found(knowledge, question, found)
            if resplit:
                st.caption(f"Tried on the {trial.DOCUMENTS} best documents with the settings at the left:")
                draw_found(
                    knowledge,
                    question,
                    _tried(knowledge, project.id, knowledge.generation, question, chosen, top_k, mode),
                )
    return chosen if keep else None


def _hand_over(here: Runtime, project: Project, search: Search) -> None:
    """The button that makes these settings those of the project's arms with retrieval."""
    retrieving = [arm for arm in project.arms if arm.retrieves]
    changed = arms.with_search(project.arms, search)
    reason = "Arms that retrieve then search like this, in playground and evaluation."
    if project.bundled:
        reason = "This project is bundled: duplicate it, and its arms can be changed."
    elif not retrieving:
        reason = "No arm of this project retrieves."
    same = changed == project.arms
    off = project.bundled or not retrieving or same
    if st.button(
        "Use for the arms with retrieval",
        disabled=off,
        help=reason,
        width="stretch",
    ):
        here.projects.change(project.id, arms=changed)
        st.toast(f"{len(retrieving)} arms now search like this.")
        st.rerun()
    if retrieving and same:
        st.caption(f"The {len(retrieving)} arms with retrieval search like this.")


def draw_found(knowledge: KnowledgeBase, question: str, found: Retrieved) -> None:
    """The passages, numbered and scored, each to be opened at its place in the document."""
    st.caption(
        f"{len(found.passages)} passages · {found.mode} · embed {found.embed_ms:.0f} ms "
        f"+ search {found.search_ms:.1f} ms. "
        "Score: 0 to 1, higher is better; relative to this question's best, in dense mode the cosine."
    )
    if found.note:
        st.info(plain(found.note))
    for number, passage in enumerate(found.passages, 1):
        with st.container(border=True):
            st.markdown(f"**[{number}]** {plain(passage.document)} · score **{passage.score:.2f}**{_parts(passage)}")
            draw_marked(matches(passage.text, question))
            with st.expander("Open in the document"):
                _in_document(knowledge, passage)


@st.cache_data(max_entries=20, show_spinner="Splitting and embedding the sample …")
def _tried(
    _knowledge: KnowledgeBase, project: str, generation: int, question: str, settings: Settings, top_k: int, mode: str
) -> Retrieved:
    """Remembered until the documents change (`generation`)."""
    return trial.ask(_knowledge, question, settings, top_k, mode)


def _parts(passage: Passage) -> str:
    cosine = "" if passage.similarity is None else f" · cosine {passage.similarity:.2f}"
    return cosine + ("" if passage.bm25 is None else f" · BM25 {passage.bm25:.1f}")


def _in_document(knowledge: KnowledgeBase, passage: Passage) -> None:
    st.caption(plain(one_line(f"{passage.title} > {passage.heading}".rstrip(" >"), 200)))
    draw_marked(around(knowledge.text(passage.document), passage.start, passage.end))
