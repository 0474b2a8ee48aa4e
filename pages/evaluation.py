"""A question set through several arms, in the background: accuracies with intervals, effect split, causes."""

import json

import pandas as pd
import streamlit as st

from core import evaluate, runtime
from core.charts import evaluation as charts
from core.errors import Problem
from core.evaluation import questions, tables
from core.evaluation.questions import Question
from core.evaluation.run import Options, applies
from core.text import one_line, plain
from pages.draw.project import current
from pages.draw.setup import draw_setup

PARAMETER = "evaluation"
SHARES = {
    name: st.column_config.NumberColumn(format="%.1f %%", help=told)
    for name, told in {
        "accuracy": "Answers that the rules count as right.",
        "standard error": "Of the accuracy; it shrinks with more questions.",
        "voice": "Replies in the project's voice, right or wrong.",
        "hit": "Questions for which the passages held the answer.",
        "stale": "Answers that were right on the training day and no longer are.",
        "ticket valid": "Replies that are a ticket as it was asked for.",
        "ticket class": "Tickets put into the right class.",
    }.items()
}
FIRST = ("question", "arm", "reply", "expected", "right", "cause", "class", "hit", "cites_right", "voice", "checks")
WIDTHS = {"question": st.column_config.Column(width=160), "reply": st.column_config.Column(width="large")}

here, project = runtime.get(), current()
SNAPSHOTS = {name: name.replace("-", " ") for name in project.snapshots} | {None: "as they are now, with your edits"}
st.title("Evaluation")
st.caption("Put a whole question set to the arms. Rules outside any model score each reply; every share has its error.")
draw_setup(here, project)


def chosen_questions() -> tuple[Question, ...]:
    """The questions of the form: the project's sets, or a file."""
    own = st.file_uploader("Your own questions (CSV or JSONL)", ["csv", "jsonl"], key="own", max_upload_size=8)
    st.caption("Columns: question, answer, variants, documents, class. Lists are separated by |.")
    if own is not None:
        return questions.parse(own.getvalue(), own.name)
    names = here.questions.names(project)
    if not names:
        return ()
    default = [name for name in names if name in ("static", "changed")] or names[:1]
    picked = st.pills("The project's questions", names, selection_mode="multi", default=default)
    return tuple(question for name in picked for question in here.questions.read(project, name))


def form() -> None:
    """What to ask whom, and the button."""
    asked = chosen_questions()
    known = {arm.name: arm for arm in project.every_arm()}
    shown = [arm.name for arm in project.arms]
    chosen = st.multiselect(
        "Arms", known, shown, format_func=lambda name: project.title_of(known[name]), key=f"arms-{project.id}"
    )
    arms = tuple(known[name] for name in chosen)
    with st.container(horizontal=True):
        snapshot = st.selectbox("Documents of", SNAPSHOTS, format_func=SNAPSHOTS.__getitem__, key="snapshot", width=280)
        limit = st.number_input("Questions a class, at most", 1, questions.MOST_QUESTIONS, 10, key="limit", width=200)
        seed = st.number_input("Seed", 0, 2**31 - 1, 0, key="seed", width=140)
    few = evaluate.limited(asked, int(limit), int(seed))
    replies = sum(applies(arm, question) for arm in arms for question in few)
    st.caption(f"{len(few)} questions, {replies} replies; on a CPU about half a second to three seconds each.")
    if st.button("Evaluate", type="primary", key="evaluate", disabled=not replies):
        st.query_params[PARAMETER] = evaluate.start(here, project, few, Options(arms, snapshot)).id


def results(job_id: str) -> None:
    """The job's state and what its rows say so far."""
    job = here.jobs.get(job_id)
    if evaluate.project_of(job) != project.id:
        raise Problem("This evaluation belongs to another project: choose that project first.")
    if job.active:
        progress(job_id)
    elif job.state != "done":
        st.warning(plain(f"{job.state}: {job.message}" if job.message else job.state))
        if st.button("Go on", key="again"):
            st.query_params[PARAMETER] = evaluate.again(here, job_id).id
            st.rerun()
    found = scored(job_id, len(here.jobs.rows(job_id)))
    if not found["rows"]:
        return
    for problem in dict.fromkeys(text for arm in found["arms"].values() for text in arm["problems"]):
        st.warning(plain(f"Some replies failed and count neither way: {problem}"))
    if found["unreviewed"]:
        st.warning(f"{found['unreviewed']} of {found['questions']} questions are proposals that nobody has reviewed.")
    accuracy, effects, causes, replies, files = st.tabs(["Accuracy", "Effects", "Causes", "Replies", "Export"])
    with accuracy:
        st.plotly_chart(charts.accuracy_chart(found), key="accuracy", alt="Accuracy by class and arm with intervals")
        shown = pd.DataFrame(tables.accuracies(found)).dropna(axis="columns", how="all")
        st.dataframe(shown, hide_index=True, column_config=SHARES, placeholder="—", key="accuracies")
    with effects:
        if found["effects"]:
            st.plotly_chart(charts.effects_chart(found), key="effects", alt="Gain of fine-tuning, retrieval and both")
            st.caption("Grey: too few questions to tell, or no difference. The three parts add up to the total.")
            st.dataframe(tables.effects(found), hide_index=True, key="effect_rows")
        else:
            st.caption("The split needs a model, its fine-tune, and both with retrieval, on the same questions.")
    with causes:
        st.plotly_chart(charts.causes_chart(found), key="causes", alt="Wrong answers by arm and cause")
    with replies:
        rows = tables.replies(found)
        cause = st.selectbox(
            "Cause", ["all", *dict.fromkeys(row["cause"] for row in rows if row["cause"])], key="cause"
        )
        chosen = [row for row in rows if cause in ("all", row["cause"])]
        st.dataframe(chosen, hide_index=True, column_order=FIRST, column_config=WIDTHS, key="replies")
    with files, st.container(horizontal=True):
        st.download_button(
            "JSON", json.dumps(found, ensure_ascii=False), f"evaluation-{job_id}.json", on_click="ignore"
        )
        st.download_button("CSV", tables.as_csv(found), f"evaluation-{job_id}.csv", on_click="ignore")


@st.fragment(run_every=2.0)
def progress(job_id: str) -> None:
    """The running job; when it ends, or every tenth tick, the page shows the rows so far."""
    job = here.jobs.get(job_id)
    st.progress(job.progress, text=plain(job.message or "Starting"))
    if st.button("Stop", key="stop"):
        here.jobs.cancel(job_id)
    if st.button("Show what is there", key="show") or not job.active:
        st.rerun()


@st.cache_data(show_spinner="Scoring", max_entries=8)
def scored(job_id: str, rows: int) -> dict:
    """The report; `rows` makes it anew when more replies have come."""
    return evaluate.result(here, job_id)


try:
    with st.expander("What to ask", expanded=PARAMETER not in st.query_params):
        form()
    past = {job.id: job for job in evaluate.jobs(here, project)}
    if wanted := st.query_params.get(PARAMETER):
        results(wanted)
    if past:
        name = st.selectbox(
            "Earlier evaluations",
            past,
            index=None,
            format_func=lambda key: one_line(f"{key}: {past[key].state}, {past[key].message}", 80),
        )
        if name and st.button("Open", key="open"):
            st.query_params[PARAMETER] = name
            st.rerun()
except Problem as problem:
    st.error(plain(problem.message))
