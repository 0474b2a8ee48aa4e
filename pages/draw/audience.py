"""The audience takes part: predictions before the question, a blind vote after it, then the reveal with the tally."""

import time
from dataclasses import replace

import streamlit as st

from core import ask, audience, living
from core.errors import Problem
from core.project import Project
from core.records import RunRecord
from core.runtime import Runtime
from core.text import one_line, plain
from pages.draw import present

PREDICTS, BLIND = "Predicts", "Votes blind"
TICK_S = 0.1


def before(project: Project, settings: ask.Settings) -> ask.Settings:
    """What the audience does with the next question; gives the settings with it."""
    ways = st.pills("The audience", (PREDICTS, BLIND), selection_mode="multi", key="audience")
    key = f"audience_hands-{project.id}"
    hands: dict[str, int] = st.session_state.setdefault(key, {})
    if PREDICTS in ways:
        st.markdown("Which answers will be right? Every press is one hand.")
        with st.container(horizontal=True):
            for arm in settings.arms:
                label = f"{plain(project.title_of(arm))} · {hands.get(arm.name, 0)}"
                st.button(label, key=f"hand {arm.name}", on_click=_raise, args=(hands, arm.name))
            if hands:
                st.button("Clear", key="hands_clear", type="tertiary", on_click=hands.clear)
    predicted = tuple((arm.name, hands[arm.name]) for arm in settings.arms if hands.get(arm.name))
    blind = audience.draw_seed() if BLIND in ways and len(settings.arms) > 1 else None
    return replace(settings, predicted=predicted if PREDICTS in ways else (), blind=blind)


def asked(project: Project) -> None:
    """A question was put: the next one is predicted anew."""
    st.session_state.pop(f"audience_hands-{project.id}", None)


def hidden(record: RunRecord) -> bool:
    """Whether this session must not yet see whose answers these are."""
    return record.settings.blind is not None and not st.session_state.get(f"revealed-{record.id}")


def draw_blind(here: Runtime, project: Project, run_id: str) -> None:
    """The answers unnamed, all at once so that no time tells, then the vote and the reveal."""
    record = here.runs.record(run_id, project.id)
    st.header(plain(one_line(record.question, 400)), anchor=False)
    waiting = st.empty()
    while not record.finished and (live := here.runs.live(run_id)) is not None:
        live.touch()
        record = here.runs.record(run_id, project.id)
        waiting.caption(f":material/hourglass_top: {sum(arm.ended for arm in record.arms)} of {len(record.arms)}")
        time.sleep(TICK_S)
    waiting.empty()
    shown, letters = audience.order(record), audience.LETTERS
    with st.container(key="panes"):
        for place, letter, arm in zip(present.places(letters[: len(shown)]), letters, shown, strict=False):
            with place:
                st.markdown(f"**{letter}**")
                st.text(arm.answer or "(no answer)")
                st.button(f"{letter} is best", key=f"best {letter}", on_click=_vote, args=(here, record, arm.arm))
    cast = here.votes.votes(project.id, record.id)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button("None is good", key="best none", on_click=_vote, args=(here, record, None))
        if cast:
            st.button("Take the last back", key="vote_back", on_click=here.votes.delete, args=(project.id, cast[-1].id))
        st.button("Reveal", type="primary", shortcut="V", key="reveal", on_click=_reveal, args=(record.id,))
        st.caption(f"Votes: {len(cast)}")


def draw_tally(here: Runtime, project: Project, record: RunRecord) -> None:
    """After the reveal: who was who, what was predicted, what was voted, what it is worth."""
    cast = here.votes.votes(project.id, record.id)
    if record.settings.blind is None and not record.settings.predicted and not cast:
        return
    worth = {arm.arm: mark for arm, mark in zip(record.arms, living.worth(here, project, record), strict=True)}
    found = audience.tally(record, cast, worth)
    rows = [
        {
            **({"Pane": one.letter} if one.letter else {}),
            "Model": plain(one.title),
            **({"Predicted right": str(one.hands)} if record.settings.predicted else {}),
            **({"Found best": str(one.votes)} if cast else {}),
            "Is": one.mark or "not checked",
        }
        for one in found
    ]
    st.table(rows, hide_index=True)
    none = sum(not one.best for one in cast)
    lines = [audience.said(found), f"{none} found none good." if none else ""]
    st.markdown(" ".join(line for line in lines if line))


def _raise(hands: dict[str, int], arm: str) -> None:
    hands[arm] = min(hands.get(arm, 0) + 1, audience.MOST_HANDS)


def _vote(here: Runtime, record: RunRecord, arm: str | None) -> None:
    try:
        here.votes.save(record.project, audience.vote(record, arm))
    except Problem as problem:
        st.toast(plain(problem.message))


def _reveal(run_id: str) -> None:
    st.session_state[f"revealed-{run_id}"] = True
