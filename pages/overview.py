"""The first page: the answer in one sentence and one chart, a start for each of three users; tables behind it."""

from pathlib import Path

import streamlit as st

from core import glossary, overview
from core.charts.overview import measured_chart, range_chart
from core.errors import Problem
from core.text import plain
from pages.draw import present
from pages.draw.apart import apart
from pages.draw.project import current, query

HERE = Path(__file__).resolve().parent
CLASSES = (
    "Static: facts that have not changed since the training day; changed: facts that have. No-document: nothing in the "
    "documents answers it, and admitting that is right. Hit@3: one of the three passages holds the answer."
)
STARTS = (  # who, and where to begin
    ("You have to decide", (("decide", "Decide in three minutes", ":material/check_circle:"),)),
    (
        "You want to see it",
        (
            ("story", "Watch the story", ":material/theater_comedy:"),
            ("playground", "Ask the models yourself", ":material/science:"),
        ),
    ),
    ("You have documents of your own", (("setup", "Set up your own project", ":material/construction:"),)),
)


def draw_glance() -> None:
    st.dataframe(overview.glance(), width="stretch")
    st.caption(
        "What five documents state, as they state it: authors' experience, without method or metric. None gives a "
        "figure for hybrid or prompt only; the calculator derives those and labels them ours."
    )
    present.chart(
        range_chart(overview.ranges("Latency"), "Latency [D2]"), key="latency", alt="Latency ranges of both approaches"
    )


def draw_derived() -> None:
    st.dataframe(overview.derived(), width="stretch")
    st.caption("Ours: the calculator's default scenario, derived from the figures above. Change any of it there.")


def draw_measured() -> None:
    found = overview.measured()
    present.chart(measured_chart(found), key="measured", alt="Measured accuracies of both pairs by arm and class")
    st.table(overview.side_by_side(found), hide_index=True)  # cells wrap: nothing is cut off
    st.caption(CLASSES)
    for one in found:
        st.caption(f"**The {one.pair} pair.** {plain(one.caption)}")


def draw_beside() -> None:
    found = overview.measured()
    st.table(overview.stated_elsewhere(found), hide_index=True)
    st.caption(
        "Each pair's run with its 95 % interval. The sources' questions and methods differ from ours: agreement is no "
        "proof of either."
    )
    st.markdown("\n".join(f"- {plain(line)}" for line in overview.sources_elsewhere(found)))


def draw_words() -> None:
    st.markdown("\n".join(f"- **{word}**: {text}" for word, text in glossary.terms().items()))


def draw_sources() -> None:
    for line in overview.citations():
        st.markdown(f"- {plain(line)}")


BEHIND = {  # label -> what stands behind the answer
    "The trade-off at a glance": draw_glance,
    "All four, computed": draw_derived,
    "Measured with the bundled models: what a larger base changes": draw_measured,
    "The same, as the documents and papers state it": draw_beside,
    "What the words mean": draw_words,
    "Sources": draw_sources,
}
OF_THE_DEMO = (draw_measured, draw_beside)  # which a project is not


@apart()
def behind(label: str) -> None:
    """What stands behind the answer is drawn when it is opened: closed tables and charts would slow the first view."""
    with st.expander(label, key=f"behind-{label}", on_change="rerun") as box:
        if box.open:
            BEHIND[label]()


st.title("Retrieve or Retrain")
st.markdown(
    "**Look up** what changes (retrieval), **train** how it is said (fine-tuning), do both where both matter, and "
    "neither where a prompt will do."
)
with present.off_stage("starts"):
    for column, (who, links) in zip(st.columns(len(STARTS)), STARTS, strict=True):
        with column.container(border=True, height="stretch"):
            st.caption(who)
            for name, label, icon in links:
                st.page_link(HERE / f"{name}.py", label=f"**{label}**", icon=icon, query_params=query())

try:
    present.chart(
        range_chart(overview.ranges("Accuracy, changing data", "Accuracy, static data"), "Accuracy [D2]"),
        key="accuracy",
        alt="Accuracy ranges of both approaches on changing and on static data",
    )
    st.caption("What one of five documents states: its author's experience, without method or metric.")
    with present.off_stage("tables"):
        for label, draw in BEHIND.items():
            if current().bundled or draw not in OF_THE_DEMO:
                behind(label)
except Problem as problem:
    st.error(plain(problem.message))
