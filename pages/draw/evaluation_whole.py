"""One reply of an evaluation with all that is kept of it, and the documents' figures beside a run."""

from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from core import scenario
from core.evaluate import Whole
from core.evaluation import beside
from core.evaluation.beside import Beside
from core.text import one_line, plain
from pages.draw.project import query

PAGES = Path(__file__).resolve().parent.parent


def draw_whole(whole: Whole) -> None:
    """The reply, why it counts as it does, its passages, its prompt, its model and settings, and the way back to it."""
    row = whole.row
    with st.container(border=True):
        st.header(plain(one_line(row.question, 200)), anchor=False)
        verdict = "right" if row.right else row.cause or "wrong"
        expected = f" Expected: {plain(one_line(row.expected, 200))}" if row.expected else ""
        st.markdown(f"**{plain(whole.title)}**: {plain(verdict)}.{expected}")
        if row.problem:
            st.warning(plain(row.problem))
        st.code(row.reply or "(empty)", language=None, wrap_lines=True)
        cause = f"cause: {row.cause_why}" if row.cause else ""
        why = [f"Graded by: {row.grader}" if row.grader else "", row.why, cause]
        st.caption(plain("; ".join(filter(None, why))))
        for number, passage in enumerate(whole.reply.passages, 1):
            held = " · holds the answer" if number in row.holding else ""
            with st.expander(plain(one_line(f"[{number}] {passage.document} {passage.heading or ''}{held}", 160))):
                st.code(passage.text, language=None, wrap_lines=True)
        if whole.reply.prompt:
            with st.expander("The exact prompt"):
                st.code(whole.reply.prompt, language=None, wrap_lines=True)
        st.caption(plain(_settings(whole)))
        if whole.differs:
            st.caption(plain(f"The playground may answer otherwise: {'; '.join(whole.differs)}."))
        link = query(**{scenario.PARAMETER: whole.link})
        st.page_link(PAGES / "playground.py", label="Ask this in the playground", query_params=link)


def _settings(whole: Whole) -> str:
    arm, sampling = whole.arm, whole.arm.sampling
    hop = ", second hop" if arm.search.hops == 2 else ""
    search = f"Top-k {arm.search.top_k}, {arm.search.mode}{hop}. " if arm.retrieves else ""
    ended = f"Ended by {whole.row.finish or 'an error'}. Model {arm.model}, file {whole.row.file_sha256 or 'not known'}"
    drawn = f"Temperature {sampling.temperature:g}, seed {sampling.seed}, {sampling.max_tokens} tokens at most"
    return f"{ended}. {search}{drawn}."


def draw_beside(found: Sequence[Beside]) -> None:
    """Whether the run's intervals meet what the documents and publications state."""
    if not found:
        st.caption("No figure of the documents is about arms like these: base or fine-tuned, closed book or retrieval.")
        return
    narrow = {"What": st.column_config.Column(width=170)}  # so that a phone shows what the source states beside it
    st.dataframe(beside.table(found), hide_index=True, column_config=narrow, key="beside")
    st.caption(
        "The run: whether its 95 % interval meets what the source states. Their questions, models and methods differ, "
        "so agreement proves neither."
    )
