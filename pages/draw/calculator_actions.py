"""What one does with a scenario: compare, calibrate, price, save and share. Each view asks core and draws."""

from collections.abc import Callable

import pandas as pd
import streamlit as st

from core import calibration, record, record_files
from core import scenario as envelope
from core.calculator import calibrate, inputs, kept, report, tables
from core.calculator.model import Outcome, evaluate_cached
from core.calculator.verdict import headline
from core.export import one_document
from core.text import plain
from pages.draw import calculator_state as state
from pages.draw import project
from pages.draw.address import draw_address


def side_by_side(scenario: inputs.Scenario, outcome: Outcome) -> None:
    """Up to four scenarios."""
    shelf = st.session_state[state.SHELF]
    with st.form("keep", border=False):
        name = st.text_input("Keep the present scenario as", max_chars=40)
        if st.form_submit_button("Keep"):
            st.session_state[state.SHELF] = kept.keep(shelf, name, scenario)
            st.rerun()
    shown = {"present": scenario} | {one["name"]: inputs.check(one)[0] for one in shelf}
    st.dataframe(pd.DataFrame(kept.side_by_side(shown)).rename(columns={"": "What"}), hide_index=True)
    for at, one in enumerate(shelf):
        with st.container(horizontal=True):
            if st.button(f"Open {plain(one['name'])}", key=f"open{at}"):
                state.change(inputs.check(one)[0])
                st.rerun()
            if st.button(f"Remove {plain(one['name'])}", key=f"remove{at}"):
                st.session_state[state.SHELF] = [kept for kept in shelf if kept is not one]
                st.rerun()


def share(scenario: inputs.Scenario, outcome: Outcome) -> None:
    """Link, save, load, export, decision record."""
    link = state.write_link()
    st.caption("This page's address holds the whole scenario:")
    draw_address()
    st.caption("The command gives the same result:")
    command = f"python -m core calculate --json --link {link}" if link else "python -m core calculate --json"
    st.code(command, language=None, wrap_lines=True)
    made = record.Decision(answers=state.answers(), link=link)
    saved = envelope.dumps(state.whole())  # now: a download is made outside the session
    with st.container(horizontal=True):
        files: tuple[tuple[str, str, Callable[[], str]], ...] = (
            ("Scenario (JSON)", "scenario.json", lambda: saved),
            ("Results (JSON)", "results.json", lambda: one_document(report.report(scenario))),
            ("Cost by month (CSV)", "cost-by-month.csv", lambda: report.as_csv(scenario)),
            ("Decision record (HTML)", "decision-record.html", lambda: record_files.html(scenario, made)),
        )
        for label, name, make in files:
            st.download_button(label, make, name, on_click="ignore", key=name)
    project.draw_keep(state.whole(), "calculator_keep_with")
    sent = st.file_uploader("Open a saved scenario", type="json", key="load")
    if sent is not None and st.session_state.get("loaded") != sent.file_id:
        st.session_state["loaded"] = sent.file_id
        state.open_envelope(*envelope.loads(sent.getvalue(), "file"))
        st.rerun()
    with st.expander("All inputs and where they come from"):
        st.dataframe(pd.DataFrame(tables.inputs_table(scenario)), hide_index=True)


def measured(scenario: inputs.Scenario, outcome: Outcome) -> None:
    """Replace ranges by what this project measured, and see what that does to the verdict.

    The demo's card belongs to the bundled demo: it is shown there, labelled, and only taken when asked for.
    """
    chosen = project.current()
    found = calibration.measured(project.view(), chosen)
    st.caption(f"Measured in the project {plain(chosen.title)}: its evaluations and its playground answers.")
    if not found.own and not found.demo:
        st.info(
            "Nothing is measured in this project yet. Evaluate its questions, or ask one in the playground, and come "
            "back."
        )
        return
    rows = [
        {
            "Input": inputs.every()[one.name].label,
            "Now": inputs.words(one.name, scenario.value(one.name)),
            "Measured": inputs.words(one.name, one.value),
            "Of": "the demo's models and questions" if one.demo else "this project",
            "Origin": one.origin,
            "For a larger model": one.scales,
        }
        for one in (*found.own, *found.demo)
    ]
    st.dataframe(pd.DataFrame(rows), hide_index=True)
    demo = found.demo and st.checkbox(
        "Also take the demo's accuracies and training times",
        key="with_demo",
        help="Measured with the bundled 135M models on a fictional company's questions: they show how calibration "
        "works and say nothing of your model. Evaluate your own questions before you decide.",
    )
    after = calibrate.apply(scenario, (*found.own, *(found.demo if demo else ())))
    st.markdown(f"**Now:** {plain(headline(scenario, outcome))}")
    st.markdown(f"**With the measured values:** {plain(headline(after, evaluate_cached(after)))}")
    st.button("Use the measured values", on_click=state.change, args=(after,), type="primary")
