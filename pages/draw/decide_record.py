"""The third step: who decides, and the record as a file to print, sign and send."""

from dataclasses import replace
from datetime import date

import streamlit as st

from core import calibration, decide, record, record_files
from core import scenario as envelope
from core.calculator import inputs, kept
from core.calculator.inputs import Scenario
from core.text import plain
from pages.draw import calculator_state as state
from pages.draw import project

FIELDS = (
    ("title", "Decision", "Telecom assistant"),
    ("owner", "Owner", "who carries it out"),
    ("signer", "Signed off by", "leave empty to sign on paper"),
)


def draw(scenario: Scenario, answers: dict[str, str], link: str) -> None:
    """Names, then the files."""
    st.header("Sign off", anchor=False)
    said = state.section("decision")
    with st.form("decide_form", border=False):
        for place, (name, label, hint) in zip(st.columns(3), FIELDS, strict=True):
            state.show(f"decide_{name}", said.get(name, ""))
            place.text_input(label, key=f"decide_{name}", placeholder=hint, max_chars=decide.TEXTS[name])
        st.form_submit_button("Sign off", type="primary", on_click=_signed, key="decide_sign_off")
    if said.get("signer"):
        st.success(f"Signed off by {plain(said['signer'])}. Take the record along:", icon=":material/check_circle:")
    with st.expander("Set a second scenario beside it"):
        _keep(scenario)
    names = ["nothing", *(one["name"] for one in st.session_state[state.SHELF])]
    other = None
    if len(names) > 1:
        chosen = st.selectbox(
            "Set beside it", names, key="decide_other", help="A scenario kept in the calculator, under Side by side."
        )
        kept = next((one for one in st.session_state[state.SHELF] if one["name"] == chosen), None)
        other = (chosen, inputs.check(kept)[0]) if kept else None
    made = record.Decision(
        title=said.get("title") or "Decision record",
        owner=said.get("owner", ""),
        signer=said.get("signer", ""),
        made=date.today(),
        brief=said.get("brief", ""),
        answers=answers,
        other=other,
        link=link,
    )
    chosen = project.current()

    def whole() -> record.Decision:  # only now: evaluations are scored when a record is made, not at every move
        known = calibration.measured(project.view(), chosen)
        return replace(made, measured=known.own, evaluations=known.headlines)

    saved = envelope.dumps(state.whole())
    with st.container(horizontal=True):
        for label, name, make, kind in (
            ("Decision record (HTML)", "decision.html", lambda: record_files.html(scenario, whole()), "primary"),
            (
                "Decision record (Markdown)",
                "decision.md",
                lambda: record_files.markdown(scenario, whole()),
                "secondary",
            ),
            ("Scenario (JSON)", "scenario.json", lambda: saved, "secondary"),
        ):
            st.download_button(label, make, name, on_click="ignore", key=f"decide_{name}", type=kind)
    st.caption(
        "One page for who signs, the appendix behind it; it prints to A4 and reads on a telephone. "
        "This page's address holds the whole decision."
    )


def _keep(scenario: Scenario) -> None:
    """Keep the present scenario under a name, to be set beside a later one."""
    st.caption("Keep the present inputs under a name, change what differs, then choose the kept ones here.")
    name = st.text_input("Name", key="decide_keep_name", max_chars=40)
    if st.button("Keep the present inputs", key="decide_keep"):
        st.session_state[state.SHELF] = kept.keep(st.session_state[state.SHELF], name, scenario)
        st.rerun()


def _signed() -> None:
    names = {name: st.session_state[f"decide_{name}"].strip() for name, *_ in FIELDS}
    state.keep("decision", {**state.section("decision"), **names})
