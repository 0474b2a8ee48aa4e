"""The first page: the trade-off at a glance, what was measured with the bundled models, and where to go next."""

from pathlib import Path

import streamlit as st

from core import overview
from core.charts.overview import range_chart
from core.errors import Problem
from core.text import plain
from pages.draw.project import current, query

HERE = Path(__file__).resolve().parent
CLASSES = (
    "Static: facts that have not changed since the training day; changed: facts that have. No-document: nothing in the "
    "documents answers it, and admitting that is right. Hit@3: one of the three passages holds the answer."
)

st.title("Retrieve or Retrain")
st.markdown(
    "Should your product **look facts up** (retrieval), **learn a behaviour** (fine-tuning), do both, or neither? "
    "Estimate it, try it on real models, and take the reasons with you."
)
with st.container(horizontal=True):
    for name, label, icon in (
        ("decide", "Decide in three minutes", ":material/check_circle:"),
        ("advisor", "Answer a few questions", ":material/lightbulb:"),
        ("calculator", "Estimate cost and latency", ":material/calculate:"),
        ("playground", "Watch four answers", ":material/science:"),
        ("compare", "See what the sources say", ":material/balance:"),
    ):
        if (HERE / f"{name}.py").exists():
            st.page_link(HERE / f"{name}.py", label=label, icon=icon, query_params=query())

try:
    st.header("The trade-off at a glance", anchor=False)
    st.dataframe(overview.glance(), width="stretch")
    st.caption(
        "What five documents state, as they state it: authors' experience, without method or metric. None gives a "
        "figure for hybrid or prompt only; the calculator derives those and labels them ours."
    )
    left, right = st.columns(2)
    left.plotly_chart(
        range_chart(overview.ranges("Latency"), "Latency [D2]"), key="latency", alt="Latency ranges of both approaches"
    )
    right.plotly_chart(
        range_chart(overview.ranges("Accuracy, changing data", "Accuracy, static data"), "Accuracy [D2]"),
        key="accuracy",
        alt="Accuracy ranges of both approaches on changing and on static data",
    )
    st.header("All four, computed", anchor=False)
    st.dataframe(overview.derived(), width="stretch")
    st.caption("Ours: the calculator's default scenario, derived from the figures above. Change any of it there.")
    with st.expander("Sources"):
        for line in overview.citations():
            st.markdown(f"- {plain(line)}")

    measured = overview.measured() if current().bundled else None  # measured on the demo, which a project is not
    if measured is not None:
        st.header("Measured with the bundled models", anchor=False)
        st.table(measured.table.T)  # cells wrap: nothing is cut off
        st.caption(CLASSES)
        st.caption(plain(measured.caption))
except Problem as problem:
    st.error(plain(problem.message))
