"""The calculator's state in the session, shared by its pages: scenario, kept ones, what to say, what Undo brings back.

The scenario lives in `st.session_state["calculator"]`; the page's address always holds it.
"""

import json

import streamlit as st

from core import decide
from core import scenario as envelope
from core.advisor import handover
from core.calculator import inputs, kept
from pages.draw import project

STATE, SHELF, REST, LINK, NOTES, BESIDE, UNDO = (
    "calculator",
    "calculator_shelf",
    "calculator_rest",
    "calculator_link",
    "calculator_notes",
    "calculator_beside",  # input -> what to say beside its field
    "calculator_undo",  # the scenario before the last change of many inputs at once
)


def current() -> inputs.Scenario:
    """The present scenario: from the address on a first visit or a new link, as it was left, or the project's."""
    text = st.query_params.get(envelope.PARAMETER, "")
    if text and (STATE not in st.session_state or text != st.session_state.get(LINK)):
        open_envelope(*envelope.decode(text))
    elif STATE not in st.session_state:
        open_envelope(*of_project())
    return st.session_state[STATE]


def of_project() -> tuple[dict, list[str]]:
    """The scenario that is kept with the session's project, and notes on what of it could not be used."""
    scenario = project.current().scenario
    return envelope.loads(json.dumps(scenario), "project") if scenario else (envelope.empty(), [])


def present() -> inputs.Scenario:
    """The present scenario, in a callback."""
    return st.session_state[STATE]


def open_envelope(found: dict, notes: list[str]) -> None:
    """Take over a decoded or loaded scenario; what could not be used is said once."""
    section = found.pop("calculator", {})
    scenario, wrong = inputs.check(section)
    shelf, unkept = kept.shelf_of(section)
    found["decision"], lost = decide.kept(found.get("decision", {}))
    notes = [*notes, *lost]
    before = st.session_state.get(STATE)
    st.session_state.update({STATE: scenario, SHELF: shelf, REST: found, NOTES: [*notes, *wrong, *unkept]})
    st.session_state.update({BESIDE: {}, UNDO: before})


def change(scenario: inputs.Scenario) -> None:
    """Make `scenario` the present one, in place of one that "Undo" brings back."""
    st.session_state.update({UNDO: st.session_state[STATE], STATE: scenario, NOTES: [], BESIDE: {}})


def set_to(scenario: inputs.Scenario) -> None:
    """Make `scenario` the present one after a change of a single input: "Undo" stays where it was."""
    st.session_state.update({STATE: scenario, NOTES: [], BESIDE: {}})


def section(name: str) -> dict:
    """Another page's section of the envelope; {} when there is none."""
    found = st.session_state.get(REST, {}).get(name)
    return found if isinstance(found, dict) else {}


def answers() -> dict[str, str]:
    """The advisor's answers that the envelope brought, checked."""
    return handover.answers_in(section("advisor"))[0]


def keep(name: str, value: dict) -> None:
    """Put another page's section into the envelope."""
    st.session_state[REST] = {**st.session_state[REST], name: value}


def undo() -> None:
    """Back to the scenario before the last preset, reset, price list or file; a second time: forth again."""
    change(st.session_state[UNDO])


def whole() -> dict:
    """The present scenario in its envelope, with the kept ones and with other pages' sections."""
    section = st.session_state[STATE].section()
    if st.session_state[SHELF]:
        section["others"] = st.session_state[SHELF]
    return {**st.session_state[REST], "calculator": section}


def write_link() -> str:
    """Put the present scenario into the address; gives the link's text ('' when all is at its default)."""
    parts = whole()
    text = envelope.encode(parts) if any(parts.get(name) for name in envelope.SECTIONS) else ""
    st.session_state[LINK] = text
    if text:
        st.query_params[envelope.PARAMETER] = text
    elif envelope.PARAMETER in st.query_params:
        del st.query_params[envelope.PARAMETER]
    return text


def show(key: str, value: object) -> None:
    """Put `value` into a widget, unless it is there: setting it anew would overwrite what is just being typed."""
    if key not in st.session_state or st.session_state[key] != value:
        st.session_state[key] = value
