"""A project set up in six steps, each useful by itself and changed at any time."""

import streamlit as st

from core.errors import Problem
from core.project import Project
from core.runtime import Runtime
from core.text import plain
from pages.draw.project import current, view
from pages.draw.setup_arms import draw_arms
from pages.draw.setup_checks import draw_checks
from pages.draw.setup_documents import draw_documents
from pages.draw.setup_instruction import draw_instruction
from pages.draw.setup_models import draw_models
from pages.draw.setup_questions import draw_questions
from pages.draw.setup_start import draw_start
from pages.draw.setup_story import draw_story

PARAMETER = "step"


def draw_models_and_arms(here: Runtime, project: Project) -> None:
    """Both halves of the step."""
    draw_models(here, project)
    st.header("Arms", anchor=False)
    draw_arms(here, project)


STEPS = {
    "Documents": (draw_documents, "What retrieval reads. Without any, closed-book arms work already."),
    "Instruction": (draw_instruction, "What every arm is told before the question; beside it the exact prompt."),
    "Models and arms": (
        draw_models_and_arms,
        "Who answers, and with which context: playground and evaluation use these.",
    ),
    "Questions": (draw_questions, "What the arms are measured on: typed, uploaded, or proposed from your documents."),
    "Checks": (draw_checks, "Rules of your own for every reply: wording, format, length, time. None by default."),
    "Story": (draw_story, "Scenes for an audience: questions, a document changed on stage, what each arm should do."),
}


def choose() -> str:
    """The step to show, named in the address."""
    wanted = st.query_params.get(PARAMETER, "")
    first = wanted if wanted in STEPS else "Documents"
    step = st.segmented_control("Step", STEPS, default=first, key="step", label_visibility="collapsed") or first
    st.query_params[PARAMETER] = step
    return step


st.title("Set up")
try:
    here, project = view(), current()
    draw_start(here, project)
    step = choose()
    draw, about = STEPS[step]
    st.caption(about)
    draw(here, project)
except Problem as problem:
    st.error(plain(problem.message))
