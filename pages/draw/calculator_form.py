"""The calculator's form and state: one group of inputs at a time, drawn from core/calculator/inputs.toml.

The scenario lives in `st.session_state["calculator"]`; widgets show it and their callbacks change it, so inputs that
are not on the screen keep their values. The page's address always holds the present scenario.
"""

import math

import streamlit as st

from core import scenario as envelope
from core.calculator import compare, inputs, report
from core.errors import Problem
from core.text import one_line, plain

STATE, SHELF, REST, LINK, NOTES = (
    "calculator",
    "calculator_shelf",
    "calculator_rest",
    "calculator_link",
    "calculator_notes",
)


def current() -> inputs.Scenario:
    """The present scenario: from the address on a first visit or a new link, else as it was left."""
    text = st.query_params.get(envelope.PARAMETER, "")
    if STATE not in st.session_state or (text and text != st.session_state.get(LINK)):
        found, notes = envelope.decode(text)
        open_envelope(found, notes)
    return st.session_state[STATE]


def open_envelope(found: dict, notes: list[str]) -> None:
    """Take over a decoded or loaded scenario; what could not be used is said once."""
    section = found.pop("calculator", {})
    scenario, wrong = inputs.check(section)
    shelf, unkept = compare.shelf_of(section)
    st.session_state.update({STATE: scenario, SHELF: shelf, REST: found, NOTES: [*notes, *wrong, *unkept]})


def change(scenario: inputs.Scenario) -> None:
    """Make `scenario` the present one."""
    st.session_state[STATE] = scenario
    st.session_state[NOTES] = []


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


def draw_preset() -> None:
    """The preset picker and what the preset is about."""
    presets = inputs.presets()
    chosen = st.session_state[STATE].preset
    _show("calculator_preset", chosen)
    st.selectbox(
        "Start from a use case",
        list(presets),
        format_func=lambda name: presets[name].title,
        key="calculator_preset",
        on_change=lambda: change(inputs.from_preset(st.session_state["calculator_preset"])),
        help="Use cases that the documents name. Their quantities are ours: no document gives any.",
    )
    st.caption(plain(f"{presets[chosen].about} [{presets[chosen].source}]"))
    fresh = inputs.from_preset(chosen)
    same = st.session_state[STATE] == fresh  # always drawn: what comes and goes moves the fields below while one types
    st.button("Back to the use case as it was", on_click=change, args=(fresh,), key="reset", disabled=same)


def draw_notes() -> None:
    """What could not be used, one line each."""
    notes, place = st.session_state[NOTES], st.empty()
    if notes:
        more = [f"And {len(notes) - 6} more."] if len(notes) > 6 else []
        place.warning("  \n".join(plain(one_line(note, 300)) for note in [*notes[:6], *more]), icon="⚠️")


def draw_inputs() -> None:
    """The inputs of the chosen group, each with unit, help and source."""
    groups = {group.id: group for group in inputs.groups()}
    name = st.selectbox("Inputs", list(groups), format_func=lambda key: groups[key].title, key="calculator_group")
    st.caption(groups[name].about)
    for one in groups[name].inputs:
        _draw_input(one, st.session_state[STATE])


def _draw_input(one: inputs.Input, scenario: inputs.Scenario) -> None:
    value = scenario.value(one.name)
    label = f"{one.label} ({one.unit})" if one.unit else one.label
    told = f"{one.help} Source: {plain(report.origin(scenario, one.name))}"
    key = f"calculator_{one.name}"
    if one.kind == "choice":
        _show(key, value)
        st.selectbox(label, one.options, key=key, help=told, on_change=_take, args=(one.name, [key]))
    elif one.kind == "text":
        _show(key, value)
        st.text_input(label, key=key, help=told, max_chars=3, on_change=_take, args=(one.name, [key]))
    else:
        ends = ["low", "high"] if one.kind == "range" else ["value"]
        keys = [f"{key}_{end}" for end in ends]
        row = st.container(horizontal=True, vertical_alignment="bottom")
        for at, end in enumerate(keys):
            _show(end, value[at])
            row.number_input(
                label if at == 0 else f"to ({one.label})",
                min_value=float(one.min),
                max_value=float(one.max),
                step=_step(inputs.defaults().value(one.name)),
                format="%.10g",
                key=end,
                help=told if at == 0 else None,
                on_change=_take,
                args=(one.name, keys),
            )


def _show(key: str, value: object) -> None:
    """Put `value` into a widget, unless it is there: setting it anew would overwrite what is just being typed."""
    if key not in st.session_state or st.session_state[key] != value:
        st.session_state[key] = value


def _take(name: str, keys: list[str]) -> None:
    """Read an input's widgets into the scenario; a value that cannot be used is named and the old one kept."""
    values = [st.session_state[key] for key in keys]
    try:
        change(st.session_state[STATE].replace({name: values if len(values) > 1 else values[0]}))
    except Problem as problem:
        st.session_state[NOTES] = [f"{problem.message} The old value is kept."]


def _step(value: inputs.Range) -> float:
    """A tenth of the default's size, as a power of ten. Another step makes another widget: typing is lost."""
    size = max(abs(value[0]), abs(value[1]))
    return 10.0 ** math.floor(math.log10(size / 2)) if size > 0 else 1.0
