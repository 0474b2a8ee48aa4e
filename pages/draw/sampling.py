"""The playground's popovers: how tokens are chosen, how often each pane is asked, an instruction of a pane's own."""

from dataclasses import replace

import streamlit as st

from core import ask
from core.arms import Arm
from core.engine import Sampling
from core.project import Project
from core.project.instruction import LONGEST
from core.text import plain
from pages.draw.number_field import number_field

MOST_STOPS, LONGEST_STOP = 4, 60  # what every endpoint's wire takes as well


def sampling(usual: Sampling) -> tuple[Sampling, int]:
    """How tokens are chosen in all panes, and how often each is asked; `usual`: what to begin with."""
    with st.popover("Sampling and repeats", icon=":material/tune:", width="stretch"):
        max_tokens = int(number_field("Max tokens", 1, 4096, usual.max_tokens, key="max_tokens", whole=True))
        temperature = st.slider(
            "Temperature", 0.0, 2.0, float(usual.temperature), 0.1, key="temperature", help="0 is greedy."
        )
        seed = int(number_field("Seed", 0, 2**32 - 1, usual.seed, key="seed", whole=True))
        top_p = st.slider("Top-p", 0.0, 1.0, float(usual.top_p), 0.05, key="top_p", help="1 is off.")
        top_k = int(
            number_field("Top-k of tokens", 0, 1000, usual.top_k, key="sample_top_k", whole=True, help="0 is off.")
        )
        min_p = st.slider("Min-p", 0.0, 1.0, float(usual.min_p), 0.05, key="min_p", help="0 is off.")
        penalty = st.slider(
            "Repeat penalty", 0.0, 2.0, float(usual.repeat_penalty), 0.05, key="repeat_penalty", help="1 is off."
        )
        stops = "\n".join(usual.stop)
        typed = st.text_area("Stop strings, one a line", stops, key="stop_strings", height=80, max_chars=500)
        stop = tuple(dict.fromkeys(line[:LONGEST_STOP] for line in typed.splitlines() if line.strip()))[:MOST_STOPS]
        confidence = st.toggle(
            "Token confidence",
            usual.logprobs,
            key="confidence",
            help="The probability of each token of an answer; a little slower.",
        )
        repeats = int(
            st.number_input(
                "Repeats",
                1,
                ask.MOST_REPEATS,
                1,
                key="repeats",
                help="Each pane answers so often, the seed one higher each time and its whole prompt read anew: "
                "median and spread of its times, and whether its answers differ.",
            )
        )
    return Sampling(temperature, top_p, top_k, min_p, penalty, seed, max_tokens, stop, confidence), repeats


def with_instructions(project: Project, arms: list[Arm], about: str = "") -> list[Arm]:
    """The panes, each with the instruction that was typed for it; nothing typed keeps the project's.

    `about`: the link whose arms these are (see Opening.key), "" for the project's own.
    """
    key = f"instructions-{project.id}{about and '-'}{about}"
    typed: dict[str, str] = st.session_state.setdefault(key, {})
    with st.popover(
        "Instruction of a pane", icon=":material/edit_note:", width="stretch", key=key + "-open", on_change="rerun"
    ) as box:
        if box.open and arms:
            titles = {project.title_of(arm): arm for arm in arms}
            arm = titles[st.selectbox("Pane", titles, key=key + "-pane")]
            shown = typed.get(arm.name, _project_text(project, arm))
            text = st.text_area("Its instruction", shown, height=200, max_chars=LONGEST, key=f"{key}-{arm.name}")
            if text.strip() and text != _project_text(project, arm):
                typed[arm.name] = text
            else:
                typed.pop(arm.name, None)
            st.caption("For this session. Empty, or the project's own text: as the project has it.")
    if named := [project.title_of(arm) for arm in arms if arm.name in typed]:
        st.caption(f"With an instruction of its own: {plain(', '.join(named))}")
    return [_instructed(arm, typed[arm.name]) if arm.name in typed else arm for arm in arms]


def _project_text(project: Project, arm: Arm) -> str:
    """What an arm is told by the project, or by itself."""
    given = project.instruction
    closed = arm.system if arm.system is not None else given.system
    if not arm.has_passages:
        return closed
    own = arm.system_with_passages
    return own if own is not None else (given.system_with_passages or closed)


def _instructed(arm: Arm, text: str) -> Arm:
    return replace(arm, system_with_passages=text) if arm.has_passages else replace(arm, system=text)
