"""Which retrieval settings to try over which questions: the sweep's form."""

import streamlit as st

from core import evaluate, sweep
from core.evaluation import questions
from core.evaluation.sweeps import Grid
from core.project import Project
from core.retrieval.values import BUNDLED, MODES, SPLITTERS
from core.runtime import Runtime
from pages.draw.evaluation_form import pick_questions
from pages.draw.number_field import number_field

KS, SIZES = tuple(range(1, 21)), (32, 48, 64, 96, 128, 160, 200, 240, 320, 400, 480)
TENTHS = tuple(tenth / 10 for tenth in range(11))


def draw_form(here: Runtime, project: Project) -> str | None:
    """The form; gives the id of the sweep that its button started."""
    asked = pick_questions(here, project)
    arms = [arm for arm in project.every_arm() if arm.retrieves] or [sweep.arm_of(project)]
    with st.container(horizontal=True):
        titles = {arm.name: project.title_of(arm) for arm in arms}
        arm = st.selectbox("Beside the setting of", titles, format_func=titles.__getitem__, key="sweep_arm", width=280)
        days = {None: "as they are now, with your edits"} | {name: name.replace("-", " ") for name in project.snapshots}
        day = st.selectbox("Documents of", days, format_func=days.__getitem__, key="sweep_day", width=280)
        limit = number_field(
            "Questions a class, at most", 1, questions.MOST_QUESTIONS, 100, key="sweep_limit", whole=True, width=200
        )
    default = Grid()
    left, right = st.columns(2)
    with left:
        k = st.multiselect("Passages (top-k)", KS, default.k, key="sweep_k")
        size = st.multiselect("Chunk size, tokens", SIZES, default.chunk_size, key="sweep_size")
        splitter = st.multiselect("Splitter", SPLITTERS, default.splitter, key="sweep_splitter")
    with right:
        mode = st.multiselect("Mode", MODES, default.mode, key="sweep_mode")
        weight = st.multiselect("Share of the vectors in hybrid", TENTHS, default.weight, key="sweep_weight")
        threshold = st.multiselect("Threshold, least cosine", TENTHS, default.threshold, key="sweep_threshold")
        own = here.knowledge(project).embedding
        embedder = st.multiselect(
            "Embedder", ["", *([BUNDLED] if own.file or own.url else [])], [""], key="sweep_embedder",
            format_func=lambda one: one if one else f"the project's own: {own.title}", accept_new_options=True,
            help="Type the id of a GGUF on Model files, or its path. Everything is embedded anew for each.",
        )  # fmt: skip
    grid = Grid(*(tuple(values) for values in (k, mode, weight, threshold, splitter, size, embedder)))
    chosen, few = grid.settings(), evaluate.limited(asked, int(limit), 0)
    ways = len({(one.split, one.embedder) for one in chosen})
    st.caption(f"{len(chosen)} settings over {len(few)} questions; {ways} ways of splitting, each embedded once.")
    if st.button("Sweep", type="primary", key="sweep_start", disabled=not few):
        return sweep.start(here, project, few, grid, project.arm(arm), day).id
    return None
