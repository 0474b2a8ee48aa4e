"""The calculator's views, drawn one at a time: each takes the scenario, asks core, draws."""

from collections.abc import Callable
from datetime import date, timedelta

import pandas as pd
import streamlit as st

from core import paths, runtime
from core import scenario as envelope
from core.calculator import calibrate, cares, compare, flips, inputs, record, report
from core.calculator.approaches import accuracy_over_time
from core.calculator.model import Outcome, evaluate_cached
from core.calculator.verdict import NAMES, headline, rounded
from core.charts import calculator as charts
from core.commands import as_json
from core.evidence import figures, prices
from core.text import plain
from pages.draw import calculator_form as form


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
    st.subheader("Cheapest approach over two inputs", anchor=False)
    labels = {name: inputs.every()[name].label for name in flips.movable()}
    left, right = st.columns(2)
    x = left.selectbox("Across", list(labels), format_func=labels.get, key="map_x")
    up = list(labels).index("labelled_rows")
    y = right.selectbox("Up", list(labels), format_func=labels.get, index=up, key="map_y")
    if st.button("Draw the map", key="map"):
        _chart(charts.cheapest_map(flips.cheapest_map(scenario, x, y), scenario), "map_chart", "Cheapest approach")
    _cares("drivers")


def latency(scenario: inputs.Scenario, outcome: Outcome) -> None:
    """Latency by part with percentiles and target."""
    _chart(charts.latency(scenario, outcome), "latency", "Latency by part")
    here = {one.name: one for one in _measured_here()}
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
    rows = [{key: row.get(key, "") for key in columns} for row in record.summary(scenario, outcome)]
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
    st.dataframe(pd.DataFrame(record.summary(scenario, outcome)).fillna(""), hide_index=True)


def side_by_side(scenario: inputs.Scenario, outcome: Outcome) -> None:
    """Up to four scenarios."""
    shelf = st.session_state[form.SHELF]
    with st.form("keep", border=False):
        name = st.text_input("Keep the present scenario as", max_chars=40)
        if st.form_submit_button("Keep"):
            st.session_state[form.SHELF] = compare.keep(shelf, name, scenario)
            st.rerun()
    shown = {"present": scenario} | {one["name"]: inputs.check(one)[0] for one in shelf}
    st.dataframe(pd.DataFrame(compare.side_by_side(shown)).set_index(""))
    for at, one in enumerate(shelf):
        with st.container(horizontal=True):
            if st.button(f"Open {plain(one['name'])}", key=f"open{at}"):
                form.change(inputs.check(one)[0])
                st.rerun()
            if st.button(f"Remove {plain(one['name'])}", key=f"remove{at}"):
                st.session_state[form.SHELF] = [kept for kept in shelf if kept is not one]
                st.rerun()


def share(scenario: inputs.Scenario, outcome: Outcome) -> None:
    """Link, save, load, export, decision record."""
    link = form.write_link()
    st.caption("This page's address holds the whole scenario: copy it to share. The command gives the same result:")
    command = f"python -m core calculate --json --link {link}" if link else "python -m core calculate --json"
    st.code(command, language=None, wrap_lines=True)
    with st.container(horizontal=True):
        files: tuple[tuple[str, str, Callable[[], str]], ...] = (
            ("Scenario (JSON)", "scenario.json", lambda: envelope.dumps(form.whole())),
            ("Results (JSON)", "results.json", lambda: as_json(report.report(scenario))),
            ("Cost by month (CSV)", "cost-by-month.csv", lambda: report.as_csv(scenario)),
            ("Decision record (HTML)", "decision-record.html", lambda: record.decision_record(scenario, link=link)),
        )
        for label, name, make in files:
            st.download_button(label, make, name, on_click="ignore", key=name)
    sent = st.file_uploader("Open a saved scenario", type="json", key="load")
    if sent is not None and st.session_state.get("loaded") != sent.file_id:
        st.session_state["loaded"] = sent.file_id
        form.open_envelope(*envelope.loads(sent.getvalue(), "file"))
        st.rerun()
    with st.expander("All inputs and where they come from"):
        st.dataframe(pd.DataFrame(record.inputs_table(scenario)), hide_index=True)


def measured(scenario: inputs.Scenario, outcome: Outcome) -> None:
    """Replace ranges by what was measured on this machine, and see what that does to the verdict."""
    found = _measured_here()
    if not found:
        st.info("Nothing measured yet. Ask a question in the playground, one at a time, and come back.")
        return
    rows = [
        {
            "Input": inputs.every()[one.name].label,
            "Now": inputs.words(one.name, scenario.value(one.name)),
            "Measured": inputs.words(one.name, one.value),
            "Origin": one.origin,
            "For a larger model": one.scales,
        }
        for one in found
    ]
    st.dataframe(pd.DataFrame(rows), hide_index=True)
    after = calibrate.apply(scenario, found)
    st.markdown(f"**Now:** {plain(headline(scenario, outcome))}")
    st.markdown(f"**With the measured values:** {plain(headline(after, evaluate_cached(after)))}")
    st.button("Use the measured values", on_click=form.change, args=(after,), type="primary")


def offers(scenario: inputs.Scenario, outcome: Outcome) -> None:
    """Example prices, editable; the ticked rows become the scenario's, with source and date attached."""
    st.caption(plain(prices.note()))
    fixed = ("Offer", "Input", "Source", "Date")
    table = st.data_editor(pd.DataFrame(prices.rows()), hide_index=True, disabled=fixed, key="prices")
    chosen = table[table["Use"]].to_dict("records")
    if st.button("Use the ticked prices", disabled=not chosen, type="primary"):
        changes = {row["Input"]: [row["Low"], row["High"]] for row in chosen}
        origins = {row["Input"]: f"example price: {row['Offer']}, {row['Source']}, {row['Date']}" for row in chosen}
        form.change(scenario.replace({name: _one(value) for name, value in changes.items()}, origins))
        st.rerun()


def _one(value: list[float]) -> float | list[float]:
    return value[0] if value[0] == value[1] else value


VIEWS: dict[str, Callable[[inputs.Scenario, Outcome], None]] = {
    "Cost": cost,
    "What drives it": drivers,
    "Latency": latency,
    "Accuracy": accuracy,
    "Time": time,
    "Trade-off": trade_off,
    "Prices": offers,
    "Compare": side_by_side,
    "Calibrate": measured,
    "Save and share": share,
}


def _measured_here() -> list[calibrate.Change]:
    """What playground and evaluation have measured on this machine so far."""
    cards = paths.ROOT / "models" / "cards" / "measured.json"
    return calibrate.changes(calibrate.collect(calibrate.stored_runs(runtime.get().store), cards))


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
