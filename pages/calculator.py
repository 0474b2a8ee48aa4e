"""The calculator: what prompt only, retrieval, fine-tuning and hybrid cost, how fast and how right they are."""

import pandas as pd
import streamlit as st

from core.calculator import tables
from core.calculator.model import evaluate_cached
from core.calculator.verdict import headline, verdict
from core.errors import Problem
from core.text import plain
from pages.draw import calculator_form as form
from pages.draw import calculator_state as state
from pages.draw import present
from pages.draw.calculator_views import VIEWS

WITHOUT_RESULTS = ("Prices", "Side by side", "Calibrate", "Save and share")  # views that need no priced approach
WRAP = "<style>.st-key-view [role=radiogroup], .st-key-view [data-testid=stButtonGroup] > div {flex-wrap: wrap}</style>"
FIRST_COLUMNS = ("Approach", "Total cost", "Cheapest in", "Total p50 / p95 / p99", "Accuracy", "Launch in", "Targets")

st.html(WRAP)
st.title("Calculator")
scenario = state.current()
with present.off_stage("preset"):
    form.draw_preset()
    form.draw_notes()
try:
    outcome = evaluate_cached(scenario)
    with st.container(border=True, key="verdict"):
        st.markdown(f"## {plain(headline(scenario, outcome))}")  # first, so that it is new while the rest is worked out
        rows = [{key: row.get(key, "") for key in FIRST_COLUMNS} for row in tables.summary(scenario, outcome)]
        st.dataframe(pd.DataFrame(rows), hide_index=True)
        said = verdict(scenario, outcome)
        if said.flips:
            st.markdown("**What would flip it**\n" + "\n".join(f"- {plain(line)}" for line in said.flips[:3]))
        with st.expander("The whole verdict"):
            for title, lines in (
                ("Why", said.lines),
                ("Risks", said.risks),
                ("What would flip it", said.flips),
                ("What to measure first", said.first),
                ("Doubts", said.doubts),
            ):
                if lines:
                    st.markdown(f"**{title}**\n" + "\n".join(f"- {plain(line)}" for line in lines))
    view = st.pills("View", list(VIEWS), default="Cost", key="view", label_visibility="collapsed") or "Cost"
    left, right = st.columns([2, 1], gap="large")
    with left:
        if outcome.results or view in WITHOUT_RESULTS:
            VIEWS[view](scenario, outcome)
        else:
            st.info("Nothing fits into the context, so there is nothing to draw.")
    with right, present.off_stage("inputs"):
        form.draw_inputs()
    state.write_link()
except Problem as problem:
    st.error(plain(problem.message))
