"""The calculator's views of one outcome, drawn one at a time: each takes the scenario, asks core, draws."""

from collections.abc import Callable
from datetime import date, timedelta

import pandas as pd
import streamlit as st

from core import calibration
from core.approaches import NAMES
from core.calculator import cares, flips, inputs, tables
from core.calculator.approaches import accuracy_over_time
from core.calculator.model import Outcome
from core.calculator.verdict import rounded
from core.charts import calculator as charts
from core.evidence import figures
from core.text import plain
from pages.draw import project
from pages.draw.calculator_actions import measured, share, side_by_side
from pages.draw.calculator_prices import offers


def cost(scenario: inputs.Scenario, outcome: Outcome) -> None:
    """Cumulative cost with break-even, cost a query by part."""
    _chart(charts.cumulative_cost(scenario, outcome), "cumulative", "Cumulative cost")
    _chart(charts.cost_by_part(scenario, outcome), "parts", "Cost a query by part")
    if any(one.queries for one in outcome.crossings):
        _chart(charts.break_even(outcome.crossings), "breakeven", "Break-even: where two approaches cost the same")
    _cares("cost")


def drivers(scenario: inputs.Scenario, outcome: Outcome) -> None:
    """Tornado, and on demand the map of the cheapest approach over two inputs."""
    names = list(outcome.results)
    first = st.selectbox("Cost of", names, format_func=NAMES.get, key="tornado_first")
    others = [None, *(name for name in names if name != first)]
    second = st.selectbox(
        "minus the cost of", others, format_func=lambda name: NAMES.get(name, "nothing"), key="second"
    )
    what = f"cost of {NAMES[first]}" + (f" minus {NAMES[second]}" if second else "")
    _chart(charts.tornado(scenario, *flips.tornado(scenario, first, second), what), "tornado", f"What moves the {what}")
    st.header("Recommended approach over two inputs", anchor=False)
    labels = {name: inputs.every()[name].label for name in flips.movable()}
    left, right = st.columns(2)
    x = left.selectbox("Across", list(labels), format_func=labels.get, key="map_x")
    up = list(labels).index("labelled_rows")
    y = right.selectbox("Up", list(labels), format_func=labels.get, index=up, key="map_y")
    if st.button("Draw the map", key="map"):
        _chart(
            charts.recommendation_map(flips.recommendation_map(scenario, x, y), scenario), "map_chart", "Recommended"
        )
    _cares("drivers")


def latency(scenario: inputs.Scenario, outcome: Outcome) -> None:
    """Latency by part with percentiles and target."""
    _chart(charts.latency(scenario, outcome), "latency", "Latency by part")
    here = {one.name: one for one in calibration.answers(project.view(), project.current())}
    claims = [("D2.retrieval-overhead", "retrieval_ms"), ("ours.decode-floor", "decode_ms")]
    rows = [
        {
            "What": figures.get(claim).label,
            "Claim": f"{figures.get(claim).words()} [{figures.get(claim).source}, {figures.get(claim).evidence}]",
            "Measured here": inputs.words(name, here[name].value) if name in here else "not yet",
            "For a larger model": here[name].scales if name in here else "",
        }
        for claim, name in claims
    ]
    st.dataframe(pd.DataFrame(rows), hide_index=True)
    _cares("latency")


def accuracy(scenario: inputs.Scenario, outcome: Outcome) -> None:
    """Accuracy over time; what the documents claim, what was published, what was measured here."""
    _chart(charts.accuracy_over_time(scenario, *accuracy_over_time(scenario)), "accuracy", "Accuracy over time")
    rows = [
        {
            "What": f"{one.approach}: {one.label}" if one.approach else f"{one.quantity}: {one.label}",
            "Value": one.words(),
            "Source": f"{one.source}, {one.place}",
            "Evidence": one.evidence,
            "Date": one.date,
        }
        for one in figures.load().values()
        if one.quantity.startswith("accuracy")
    ]
    st.caption("A document's claims beside published tables and what was measured here. Scales and tasks differ.")
    st.dataframe(pd.DataFrame(rows), hide_index=True, height=260)
    _cares("accuracy")


def time(scenario: inputs.Scenario, outcome: Outcome) -> None:
    """Time as a result: to launch, from a changed fact to a right answer, share of stale answers."""
    columns = ("Approach", "Launch in", "Change right after", "Stale answers", "Targets")
    rows = [{key: row.get(key, "") for key in columns} for row in tables.summary(scenario, outcome)]
    st.dataframe(pd.DataFrame(rows), hide_index=True)
    weeks = scenario.number("launch_target")
    st.caption(f"Launch within {weeks:g} weeks: by {date.today() + timedelta(weeks=weeks):%d %B %Y}.")
    best = outcome.results["fine-tuning"].retrain if "fine-tuning" in outcome.results else None
    if best:
        st.caption(
            "Best retrain interval: the one at which the retrains and the value lost to stale answers cost least "
            f"together; in the median draw {rounded(best['best_months']['p50'])} months (the study's estimate, for "
            f"rare changes: {rounded(best['estimate_months']['p50'])}). Ours."
        )
    _cares("time")


def trade_off(scenario: inputs.Scenario, outcome: Outcome) -> None:
    """Cost against latency against accuracy."""
    _chart(charts.trade_off(scenario, outcome), "tradeoff", "Cost, latency and accuracy")
    st.dataframe(pd.DataFrame(tables.summary(scenario, outcome)).fillna(""), hide_index=True)


VIEWS: dict[str, Callable[[inputs.Scenario, Outcome], None]] = {
    "Cost": cost,
    "What drives it": drivers,
    "Latency": latency,
    "Accuracy": accuracy,
    "Time": time,
    "Trade-off": trade_off,
    "Prices": offers,
    "Side by side": side_by_side,
    "Calibrate": measured,
    "Save and share": share,
}


def _chart(figure: object, key: str, title: str) -> None:
    st.markdown(f"**{title}**")
    st.plotly_chart(figure, key=f"chart_{key}", alt=charts.alt(figure), config={"displaylogo": False})


def _cares(view: str) -> None:
    """The doubts that belong to a view, each with the figures in question side by side."""
    with st.expander("Where the documents' figures need care"):
        for care in cares.of(view):
            st.markdown(f"**{plain(care.title)}** {plain(care.text)}")
            if care.figures:
                st.dataframe(pd.DataFrame(care.rows()), hide_index=True)
