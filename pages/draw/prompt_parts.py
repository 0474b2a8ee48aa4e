"""Of what the prompts' tokens are, counted when asked for. Every word here is ours or a number."""

import pandas as pd
import streamlit as st

from core.project import Project
from core.records import RunRecord
from core.runtime import Runtime
from core.text import one_line

PARTS = ("instruction", "history", "passages", "question")


def draw_prompt_parts(here: Runtime, project: Project, record: RunRecord) -> None:
    """A button that has them counted, then a table of them."""
    key = f"prompt-parts-{record.id}"
    if st.button("Count the prompts by part", key="prompt-parts", help="Instruction, history, passages, question."):
        with st.spinner("Counting …"):
            st.session_state[key] = here.with_prompt_parts(project, record)
    counted: RunRecord | None = st.session_state.get(key)
    if counted is None:
        return
    rows = [
        {"pane": one_line(arm.title, 60)}
        | {part: getattr(arm.parts, part) for part in PARTS}
        | {"prompt tokens": arm.tokens.prompt}
        for arm in counted.arms
        if arm.parts is not None
    ]
    if not rows:
        st.caption("Nothing could be counted: an endpoint does not tell its tokens.")
        return
    st.dataframe(pd.DataFrame(rows), hide_index=True)
    st.caption("Each part as the model's tokenizer splits it alone; the chat form's signs count as the instruction.")
