"""What one does with a scenario: compare, calibrate, price, save and share. Each view asks core and draws."""

from collections.abc import Callable

import pandas as pd
import streamlit as st

from core import paths, record, runtime
from core import scenario as envelope
from core.calculator import calibrate, compare, inputs, report, tables
from core.calculator.model import Outcome, evaluate_cached
from core.calculator.verdict import headline
from core.evidence import prices
from core.export import one_document
from core.text import plain
from pages.draw import calculator_form as form


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
            ("Results (JSON)", "results.json", lambda: one_document(report.report(scenario))),
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
        st.dataframe(pd.DataFrame(tables.inputs_table(scenario)), hide_index=True)


def measured(scenario: inputs.Scenario, outcome: Outcome) -> None:
    """Replace ranges by what was measured on this machine, and see what that does to the verdict."""
    found = measured_here()
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
    known = inputs.every()
    rows = [{**row, "Sets": f"{known[row['Input']].label} ({known[row['Input']].unit})"} for row in prices.rows()]
    table = st.data_editor(
        pd.DataFrame(rows),
        hide_index=True,
        disabled=("Offer", "Sets", "Source", "Date"),
        column_order=("Use", "Offer", "Sets", "Low", "High", "Source", "Date"),
        key="prices",
    )
    chosen = table[table["Use"]].to_dict("records")
    if st.button("Use the ticked prices", disabled=not chosen, type="primary"):
        changes = {row["Input"]: [row["Low"], row["High"]] for row in chosen}
        origins = {row["Input"]: f"example price: {row['Offer']}, {row['Source']}, {row['Date']}" for row in chosen}
        form.change(scenario.replace({name: _one(value) for name, value in changes.items()}, origins))
        st.rerun()


def _one(value: list[float]) -> float | list[float]:
    return value[0] if value[0] == value[1] else value


def measured_here() -> list[calibrate.Change]:
    """What playground and evaluation have measured on this machine so far."""
    cards = paths.ROOT / "models" / "cards" / "measured.json"
    return calibrate.changes(calibrate.collect(calibrate.stored_runs(runtime.get().store), cards))
