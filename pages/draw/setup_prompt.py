"""The exact prompt that a sample question makes, and its tokens; by estimate until the model is loaded."""

import streamlit as st

from core.arms import Arm
from core.endpoint import EndpointSpec
from core.engine import ModelSpec
from core.errors import Problem
from core.project import Project
from core.project.instruction import Message
from core.runtime import Runtime, spec
from core.text import plain

CHARACTERS_A_TOKEN = 4  # of English text, roughly: what is shown by it is called an estimate
SAMPLE = "What is this about?"


def draw_prompt(here: Runtime, project: Project, name: str | None) -> None:
    """Question, arm, prompt. `name`: the arm whose texts are being edited."""
    titles = {arm.name: project.title_of(arm) for arm in project.arms} or {
        "closed": "closed book",
        "with": "with passages",
    }
    first = list(titles).index(name) if name in titles else len(titles) - 1
    chosen = st.selectbox("The prompt of", titles, first, format_func=titles.__getitem__, key=f"prompt_of-{name}")
    sample = next((one.question for one in project.suggestions), SAMPLE)
    question = st.text_input("Sample question", sample, key=f"sample-{project.id}", max_chars=2_000)
    arm = project.arm(chosen) if project.arms else Arm(context="closed" if chosen == "closed" else "retrieval")
    chat = _chat(here, project, arm, question.strip() or SAMPLE)
    try:
        model = spec(project, arm.model) if project.models else None
        if isinstance(model, EndpointSpec):
            st.caption("The model is at an endpoint, which puts these messages into a template of its own.")
        elif model is not None and _loaded(here, model):
            made = here.engine.prompt(model, chat)
            st.caption(f"**{made.tokens} tokens**, exactly as the model reads it.")
            if made.note:
                st.info(plain(made.note))
            st.code(made.text, language=None, wrap_lines=True)
            return
    except Problem as problem:
        st.warning(plain(problem.message))
        model = None
    _estimate(here, chat, model)


def _loaded(here: Runtime, model: ModelSpec) -> bool:
    if here.engine.loaded(model):
        return True
    if st.button("Load the model for the exact prompt", key="load_for_prompt"):
        with st.spinner("Loading the model …"):
            here.engine.load(model)
        return True
    return False


def _chat(here: Runtime, project: Project, arm: Arm, question: str) -> tuple[Message, ...]:
    passages: list[str] = []
    if arm.has_passages:
        found = here.knowledge(project).query(question, arm.search.top_k, "sparse").passages
        passages = [passage.text for passage in found] or ["(the passages that are found will stand here)"]
        st.caption("Passages of a search by words; a run searches as the arm says.")
    pinned = (arm.pinned or project.pinned) if arm.context == "pinned" else None
    return project.instruction.messages(question, passages, arm=arm, pinned=pinned)


def _estimate(here: Runtime, chat: tuple[Message, ...], model: ModelSpec | None) -> None:
    size = sum(len(message["content"]) for message in chat)
    why = (
        "its tokenizer is not here"
        if isinstance(model, EndpointSpec)
        else "the model is not loaded"
        if model
        else "no model can be loaded for it yet"
    )
    st.caption(f"About {size // CHARACTERS_A_TOKEN + 4 * len(chat)} tokens, an estimate: {why}. The chat as messages:")
    for message in chat:
        st.caption(message["role"])
        st.code(message["content"], language=None, wrap_lines=True)
