"""One question, several answers side by side: the project's models, each without and with retrieval."""

import time
import uuid
from dataclasses import replace
from functools import partial

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core import living, scenario
from core.ask import going_on, priced
from core.charts.playground import latency_chart
from core.errors import Problem
from core.opening import opening
from core.records import RunRecord
from core.text import one_line, plain
from pages.draw import (
    audience,
    curtain,
    desk,
    differences,
    earlier,
    follow_up,
    hand_over,
    panes,
    picking,
    present,
    prompt_parts,
    settings,
)
from pages.draw.project import current, view
from pages.draw.setup import draw_setup

TICK_S, SLOW_TICK_S, LONG_ANSWER = 0.1, 0.2, 2000  # each update re-sends the text, so long answers tick slower

here, project = view(), current()
st.html(panes.STYLE)
with present.off_stage("head"):
    st.title("Playground")
    st.caption("One question to the models of this project, each without and with its documents.")
    draw_setup(here, project)
    curtain.offer(project)


def follow(run_id: str, rate: float) -> RunRecord:
    """Draw the panes of a run until it has ended. A reload or a click elsewhere re-attaches to the same run."""
    record = here.runs.record(run_id, project.id)
    st.header(one_line(plain(record.question), 400), anchor=False)
    summary = st.empty()
    rights = living.rights(here, project, record)
    with st.container(key="panes"):
        columns = present.places([arm.title for arm in record.arms])
        places = [
            panes.Pane(column, arm.title, project.checks, figures=not present.on(), right=right)
            for column, arm, (_, right) in zip(columns, record.arms, rights, strict=True)
        ]
    panes.draw_first(record.arms)
    while True:
        live = here.runs.live(run_id)
        if live is not None:
            live.touch()
        record = here.runs.record(run_id, project.id)
        for pane, arm in zip(places, record.arms, strict=True):
            ended = record.finished or arm.ended
            pane.draw(arm, ended=ended, dollars_per_hour=rate, sold=priced(project, arm.model_id))
        if record.finished or live is None:
            draw_marks(places, summary, record)
            panes.draw_first(record.arms, [one.mark for one in places])
            return record
        long = max(len(arm.answer) for arm in record.arms) > LONG_ANSWER
        time.sleep(SLOW_TICK_S if long else TICK_S)


def draw_marks(places: list[panes.Pane], summary: DeltaGenerator, record: RunRecord) -> None:
    """Say of each answer whether it is right, stale, invented or declined, and whether it was another last time."""
    changed = living.compare(here.runs.before(record), record)
    desk.draw_summary(summary, changed)
    for pane, arm, mark in zip(places, record.arms, living.worth(here, project, record), strict=True):
        pane.draw_mark(mark)
        desk.draw_changed(pane.changed, changed.get(arm.arm))


def ask(text: str, follows: RunRecord | None = None) -> None:
    """Put a question to the chosen panes, alone or going on with a run; the page's address names the new run."""
    owner = st.session_state.setdefault("owner", uuid.uuid4().hex)  # this session
    asking = replace(with_audience, choices=picking.chosen(project, text))
    asking = going_on(asking, follows) if follows else asking
    st.query_params["run"] = here.ask(project, text, asking, owner=owner).id


def after(record: RunRecord) -> None:
    """What one does with a finished run: read the times, compare two answers, take it along."""
    if warning := differences.mismatch(record.arms):
        st.warning(warning)
    answered = {arm.title: arm for arm in record.arms if arm.finish}
    times, compare, share = st.tabs(["Where the time went", "Compare two answers", "Export"])
    with times:
        st.plotly_chart(latency_chart(record.arms), key="latency", alt="Time per arm by part")
        if record.settings.way == "together":
            st.caption("The arms ran together and shared the processor. Run 'One at a time' for figures that count.")
        hand_over.draw_hand_over(record, project, rate)
        prompt_parts.draw_prompt_parts(here, project, record)
    with compare:
        if len(answered) < 2:
            st.caption("Two answers are needed.")
        else:
            left, right = st.columns(2)
            one = left.selectbox("First", answered, key="diff_one")
            two = right.selectbox("Second", answered, index=len(answered) - 1, key="diff_two")
            differences.draw_diff(answered[one], answered[two])
    with share:
        earlier.draw_files(here, project, record)


link, notes = scenario.decode(st.query_params.get(scenario.PARAMETER, ""))
for note in notes:
    st.warning(plain(note))
opened = opening(link.get("playground", {}), project)
chosen_settings, rate = settings.from_sidebar(here, project, opened)
suggested = {one.label: one for one in project.suggestions}
key = f"picked-{project.id}"
picked = suggested.get(st.pills("Suggested questions", suggested, key=key, wrap=False)) if suggested else None
start = picked or opened
question = st.text_area("Question", start.question, key=f"question-{project.id}-{start.question}", height=80)
if start.shows:
    present.off_stage("shows").caption(start.shows)
with_audience = audience.before(project, chosen_settings)
with st.container(horizontal=True, vertical_alignment="center"):
    asked = st.button("Ask", type="primary", key="ask")
    if st.button("Stop all", key="stop", shortcut="Esc") and (live := here.runs.live(st.query_params.get("run", ""))):
        live.stop()
    edits = desk.switch()
    past = {row["id"]: row for row in here.runs.history(project.id)}

try:
    if asked:
        ask(question)
        audience.asked(project)
    run_id = st.query_params.get("run", "")
    shown = here.runs.record(run_id, project.id) if run_id else None
    if shown and audience.hidden(shown):
        audience.draw_blind(here, project, run_id)
    elif shown:
        with desk.beside(here, project, shown, partial(ask, shown.question)) if edits else st.container():
            finished = follow(run_id, rate)
        if finished.finished:
            audience.draw_tally(here, project, finished)
            with present.off_stage("after"):
                picking.draw_picking(project, finished, partial(ask, finished.question))
                follow_up.draw_follow_up(finished, partial(ask, follows=finished))
                after(finished)
except Problem as problem:
    st.error(plain(problem.message))
earlier.draw_earlier(past)
