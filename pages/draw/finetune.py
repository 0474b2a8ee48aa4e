"""The fine-tune page's two halves: the form with a rendered sample, and the fine-tunes there are, watched live."""

from collections.abc import Callable
from pathlib import Path

import streamlit as st

from core import finetune, finetune_rows
from core.errors import Problem
from core.finetune import Training
from core.finetune_rows import Row
from core.project import Project
from core.runtime import Runtime
from core.text import plain
from pages.draw import address
from pages.draw.apart import apart
from pages.draw.number_field import number_field

PAGES = Path(__file__).resolve().parents[1]
UPLOAD = "Rows of my own (JSONL)"
SHARES = {"5 %": 0.05, "10 %": 0.1, "20 %": 0.2, "30 %": 0.3}


def draw_form(here: Runtime, project: Project) -> None:
    """Base, rows, what is set aside, one sample as it is trained, and the button."""
    st.header("A new fine-tune", anchor=False)
    good, bad = finetune.bases(project)
    for title, why in bad.items():
        st.caption(plain(why if title in why else f"{title}: {why}"))
    if not good:
        st.info("No model of this project can be trained: add a base first.")
        st.page_link(PAGES / "setup.py", label="Add a model", icon=":material/construction:")
        return
    left, right = st.columns(2)
    base = left.selectbox("Base", good, format_func=good.__getitem__, key="finetune_base")
    names = here.questions.names(project)
    source = right.selectbox("Rows from", [*names, UPLOAD], key="finetune_source")
    try:
        rows, name = _rows(here, project, source)
        if not rows:
            return
        share, passes = _options()
        trained, aside = finetune_rows.split(rows, share)
        st.markdown(f"**{len(trained):,} rows to train on, {len(aside):,} set aside** to see what was learned.")
        _sample(project, trained[0])
        title = st.text_input("Name of the new model", f"{good[base]}, fine-tuned", max_chars=80, key="finetune_title")
        cannot = finetune.lacking() is not None
        if st.button("Start", type="primary", key="finetune_start", disabled=cannot):
            finetune.start(here, project, base, rows, name, held=share, passes=passes, title=title)
            st.rerun()
        st.caption("How long it takes is said after the first step. It can be stopped and gone on with.")
    except Problem as problem:
        st.error(plain(problem.message))


def _rows(here: Runtime, project: Project, source: str) -> tuple[tuple[Row, ...], str]:
    if source != UPLOAD:
        asked = here.questions.read(project, source)
        unseen = sum(not question.reviewed for question in asked)
        if unseen:
            st.warning(f"{unseen} of these questions nobody has reviewed: the model would learn them as they are.")
        return finetune_rows.of_questions(asked), source
    st.caption(
        'One object a line: {"prompt": "...", "completion": "..."}, and "passages": ["..."] where it reads some.'
    )
    sent = st.file_uploader("Rows", ["jsonl"], key="finetune_rows", max_upload_size=8)
    return (finetune_rows.parse(sent.getvalue(), sent.name), Path(sent.name).stem) if sent else ((), "")


def _options() -> tuple[float, int]:
    left, right = st.columns(2)
    share = left.segmented_control("Set aside", SHARES, default="10 %", key="finetune_held") or "10 %"
    with right:
        passes = number_field("Passes over the rows", 1, finetune.MOST_PASSES, 16, key="finetune_passes", whole=True)
    return SHARES[share], int(passes)


def _sample(project: Project, row: Row) -> None:
    with st.expander("One row as it is trained", expanded=True):
        chat = finetune_rows.chat(project, row)
        st.code("\n\n".join(f"{turn['role']}:\n{turn['content']}" for turn in chat), language=None, wrap_lines=True)
        st.caption("Only the last reply is learned; the rest is what it answers to.")


def draw_trainings(here: Runtime, project: Project) -> None:
    """Each fine-tune of the project in a box of its own, the latest first."""
    for found in finetune.trainings(here, project):
        with st.container(border=True):
            _training(here, project, found.plan.id, found.job.active)


@apart(every=2.0)
def _training(here: Runtime, project: Project, training_id: str, was_active: bool) -> None:
    try:
        found = finetune.training(here, project, training_id)
    except Problem:  # discarded, here or in another window
        st.caption("Discarded.")
        return
    if was_active and not found.job.active:
        address.rerun()
    plan = found.plan
    st.markdown(f"**{plain(plan.title)}**")
    st.caption(plain(f"{plan.rows} rows of {plan.source}, {plan.held} set aside, {plan.passes} passes"))
    _state(here, found)
    _curve(here, found)
    _buttons(here, project, found)


def _state(here: Runtime, found: Training) -> None:
    job = found.job
    if job.active and not job.stale:
        st.progress(job.progress, text=plain(job.message or "Waiting"))
    elif job.state == "done":
        arms = ", ".join(job.result["arms"]) or "no arm: eight are the most"
        st.success(plain(f"It is a model of the project now. Arms: {arms}."))
        with st.container(horizontal=True):
            st.page_link(PAGES / "playground.py", label="Ask it", icon=":material/science:")
            st.page_link(PAGES / "evaluation.py", label="Measure it", icon=":material/analytics:")
        if name := job.result["held_out_set"]:
            st.caption(plain(f"The questions set aside are the question set '{name}'."))
    elif job.state in ("cancelled", "interrupted") or job.stale:
        st.info("Stopped. It goes on from its last checkpoint, from the beginning when there is none yet.")
    else:
        st.error(plain(job.message or "It was interrupted."))


def _curve(here: Runtime, found: Training) -> None:
    rows = finetune.progress(here, found)
    steps = [row for row in rows if "step" in row]
    if len(steps) > 1:
        st.line_chart(steps, x="step", y="loss", height=180)
    if held := [row for row in rows if "held_out_exact" in row]:
        exact, loss = held[-1]["held_out_exact"], held[-1]["held_out_loss"]
        st.caption(f"Of the rows set aside {exact:.0%} are answered word for word; loss there {loss:.2f}.")


def _buttons(here: Runtime, project: Project, found: Training) -> None:
    name = found.plan.id
    with st.container(horizontal=True):
        if not found.resumable and found.job.state != "done" and st.button("Stop", key=f"stop-{name}"):
            finetune.stop(here, project, name)
        if found.resumable and st.button("Go on", key=f"resume-{name}", disabled=finetune.lacking() is not None):
            _try(lambda: finetune.resume(here, project, name))
        if found.job.state != "done" and st.button("Cancel, leave nothing", key=f"discard-{name}"):
            _try(lambda: finetune.discard(here, project, name))


def _try(change: Callable[[], object]) -> None:
    try:
        change()
    except Problem as problem:
        st.error(plain(problem.message))
        return
    st.rerun()
