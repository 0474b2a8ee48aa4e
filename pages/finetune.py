"""Fine-tune a model of the project on its questions or on rows of one's own: choose, look, start, watch, try."""

import streamlit as st

from core import finetune
from core.errors import Problem
from core.text import plain
from pages.draw.finetune import draw_form, draw_trainings
from pages.draw.project import current, view
from pages.draw.setup_start import draw_start

st.title("Fine-tune")
st.caption(
    "A LoRA adapter trained on this machine, in a process of its own, on the reply you want to each prompt under this "
    "project's instruction. What comes of it is a model of the project, with its base beside it."
)
try:
    here, project = view(), current()
    draw_start(here, project)
    if problem := finetune.lacking():
        st.info(plain(problem.removesuffix(f": {finetune.INSTALL}")) + ". Install it all, then start the app again:")
        st.code(finetune.INSTALL, language=None, wrap_lines=True)
    if not project.bundled:
        draw_trainings(here, project)
        draw_form(here, project)
except Problem as problem:
    st.error(plain(problem.message))
