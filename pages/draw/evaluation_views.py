"""The views of an evaluation: accuracy, what is decided, effects, causes, metrics, another run, replies, files.

Only the one that is open is worked out and sent to the browser, and turning to another redraws nothing else.
"""

from collections.abc import Callable

import pandas as pd
import streamlit as st

from core import evaluate, glossary, records
from core.charts import evaluation as charts
from core.charts.dial import dial_chart as draw_dials
from core.errors import Problem
from core.evaluation import tables
from core.evaluation.metrics import METRICS
from core.evaluation.records import Metrics, Report
from core.project import Project
from core.runtime import Runtime
from core.text import grid, plain
from pages.draw import present
from pages.draw.address import draw_kept
from pages.draw.apart import apart
from pages.draw.evaluation_judge import draw_by_hand, draw_repeats
from pages.draw.evaluation_replies import draw_replies, draw_versus
from pages.draw.evaluation_whole import draw_beside

SHARES = {
    name: st.column_config.NumberColumn(format="%.1f %%", help=told)
    for name, told in {
        "accuracy": glossary.told("Accuracy"),
        "standard error": glossary.told("Standard error"),
        "voice": "Replies in the project's voice, right or wrong.",
        "hit": glossary.told("Hit rate"),
        "declined": "Replies that say they do not know.",
        "stale": glossary.told("Stale"),
        "ticket valid": "Replies that are a ticket as it was asked for.",
        "ticket class": "Tickets put into the right class.",
    }.items()
}


@apart()
def draw_views(here: Runtime, project: Project, job_id: str) -> None:
    """All of them, one open. The report is kept by the process: to take it anew costs nothing."""
    found = evaluate.result(here, job_id)
    views: dict[str, Callable[[], None]] = {
        "Accuracy": lambda: draw_accuracy(found),
        "Decided?": lambda: draw_decided(found),
        "Effects": lambda: draw_effects(found),
        "Causes": lambda: draw_causes(found),
        "Metrics": lambda: draw_metrics(here, found),
        "Judged": lambda: draw_by_hand(here, project, found),
        "Repeats": lambda: draw_repeats(here, found),
        "Another run": lambda: draw_versus(here, project, found),
        "Beside the documents": lambda: draw_sources(here, found),
        "Replies": lambda: draw_replies(here, found),
        "Export": lambda: draw_files(here, project, found),
    }
    if found.dial:
        views = {"Wrong passages": lambda: draw_dial(found)} | views
    try:
        for tab, draw in zip(
            st.tabs(list(views), key="evaluation_view", on_change="rerun"), views.values(), strict=True
        ):
            if tab.open:
                with tab:
                    draw()
    except Problem as problem:
        st.error(plain(problem.message))


def draw_accuracy(found: Report) -> None:
    """Accuracy by arm and class, all that was scored, and what a right answer costs. The first table is text: a
    browser has it before the code that draws charts and other tables."""
    st.markdown(grid(tables.shares(found)))
    present.chart(charts.accuracy_chart(found), key="accuracy", alt="Accuracy by class and arm with intervals")
    rows = pd.DataFrame(tables.accuracies(found)).dropna(axis="columns", how="all")
    st.dataframe(rows, hide_index=True, column_config=SHARES, placeholder="—", key="accuracies")
    if costs := tables.costs(found):
        st.caption("Machine time at the project's hourly price.")
        st.dataframe(costs, hide_index=True, placeholder="—", key="costs")


def draw_decided(found: Report) -> None:
    """Which differences are decided, and how many questions would decide the others."""
    st.markdown("\n".join(f"- {plain(line)}" for line in tables.decisions(found)))
    st.dataframe(tables.pairs(found), hide_index=True, placeholder="—", key="pairs")
    st.caption(
        "Decided: the 95 % interval of the paired difference leaves out zero. At every look: an interval that holds "
        "however often one looks. Decides: the smallest true difference these questions decide in 4 of 5 runs."
    )


def draw_effects(found: Report) -> None:
    """What fine-tuning, retrieval and both together gain."""
    if not found.effects:
        st.caption("The split needs a model, its fine-tune, and both with retrieval, on the same questions.")
        return
    present.chart(charts.effects_chart(found), key="effects", alt="Gain of fine-tuning, retrieval and both")
    st.caption("Grey: too few questions to tell, or no difference. The three parts add up to the total.")
    st.dataframe(tables.effects(found), hide_index=True, key="effect_rows")


def draw_dial(found: Report) -> None:
    """What wrong passages do to the arms."""
    present.chart(draw_dials(found), key="dial", alt="Right and declined by wrong passages")
    st.dataframe(tables.dialled(found), hide_index=True, column_config=SHARES, placeholder="—", key="dial_rows")
    st.caption(
        "A near miss is what the retriever ranks next and does not hold the answer. An arm that falls as they come "
        "leans on its passages; one that declines notices them."
    )


def draw_causes(found: Report) -> None:
    """Why wrong answers are wrong."""
    present.chart(charts.causes_chart(found), key="causes", alt="Wrong answers by arm and cause")


def draw_metrics(here: Runtime, found: Report) -> None:
    """Every metric by arm and class, worked out when asked for."""
    if not st.toggle("Work out every metric", key="metrics", help="A millisecond or two a reply."):
        return
    measured = _measured(here, found.id, len(found.rows))
    st.dataframe(tables.metrics(measured), hide_index=True, placeholder="—", key="metric_rows")
    st.caption(" · ".join(f"**{one.title}**: {one.about}" for one in METRICS.values()))


@st.cache_data(show_spinner="Measuring", max_entries=8)
def _measured(_here: Runtime, job_id: str, rows: int) -> Metrics:
    """`rows` makes it anew when more replies have come."""
    return evaluate.measured(_here, job_id)


def draw_sources(here: Runtime, found: Report) -> None:
    """The documents' and published figures beside this run."""
    draw_beside(evaluate.beside(here, found))


def draw_files(here: Runtime, project: Project, found: Report) -> None:
    """The evaluation's address, and it as files."""
    draw_kept(here, project, found.id, found.made)
    with st.container(horizontal=True):
        files = (
            ("JSON", lambda: records.dumps(found), "json"),
            ("CSV", lambda: tables.as_csv(found), "csv"),
            ("Parquet", lambda: tables.as_parquet(found), "parquet"),
            ("HTML report", lambda: evaluate.html(here, found), "html"),
        )
        for name, write, ending in files:
            st.download_button(name, write, f"evaluation-{found.id}.{ending}", key=f"file-{ending}", on_click="ignore")
