"""The first page: the answer in one sentence and one chart, a start for each of three users; tables behind it."""

from pathlib import Path

import streamlit as st

from core import glossary, overview
from core.charts.overview import range_chart
from core.errors import Problem
from core.text import plain
from pages.draw import present
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


def draw_tables() -> None:
    """What stands behind the answer."""
    with st.expander("The trade-off at a glance"):
        st.dataframe(overview.glance(), width="stretch")
        st.caption(
            "What five documents state, as they state it: authors' experience, without method or metric. None gives a "
            "figure for hybrid or prompt only; the calculator derives those and labels them ours."
        )
        present.chart(
            range_chart(overview.ranges("Latency"), "Latency [D2]"),
            key="latency",
            alt="Latency ranges of both approaches",
        )
    with st.expander("All four, computed"):
        st.dataframe(overview.derived(), width="stretch")
        st.caption("Ours: the calculator's default scenario, derived from the figures above. Change any of it there.")
    measured = overview.measured() if current().bundled else ()  # measured on the demo, which a project is not
    if measured:
        with st.expander("Measured with the bundled models: what a larger base changes"):
            for one in measured:
                st.markdown(f"**The {one.pair} pair**")
                rows = one.table.T.rename_axis("Questions").reset_index()
                st.table(rows, hide_index=True)  # cells wrap: nothing is cut off
                st.caption(plain(one.caption))
            st.caption(CLASSES)
        with st.expander("The same, as the documents and a paper state it"):
            for one in measured:
                st.markdown(f"**The {one.pair} pair**")
                st.table(one.beside, hide_index=True)
            st.caption("Their questions and methods differ from ours, so agreement is no proof of either.")
    with st.expander("What the words mean"):
        st.markdown("\n".join(f"- **{word}**: {text}" for word, text in glossary.terms().items()))
    with st.expander("Sources"):
        for line in overview.citations():
            st.markdown(f"- {plain(line)}")


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
        draw_tables()
except Problem as problem:
    st.error(plain(problem.message))
