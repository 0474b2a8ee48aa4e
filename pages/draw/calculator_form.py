"""The calculator's form: one group of inputs at a time or those that a search finds, drawn from inputs.toml.

Widgets show the scenario of calculator_state.py and their callbacks change it, so inputs that are not on the screen
keep their values.
"""

import streamlit as st

from core import numbers
from core.calculator import inputs, report
from core.errors import Problem
from core.text import one_line, plain
from pages.draw import calculator_state as state


def draw_preset() -> None:
    """The preset picker and what the preset is about."""
    presets = inputs.presets()
    chosen = state.present().preset
    state.show("calculator_preset", chosen)
    st.caption("Start from a use case that the documents name. The quantities are ours: no document gives any.")
    st.selectbox(
        "Start from a use case",
        list(presets),
        format_func=lambda name: presets[name].title,
        key="calculator_preset",
        on_change=lambda: state.change(inputs.from_preset(st.session_state["calculator_preset"])),
        label_visibility="collapsed",
    )
    st.caption(plain(f"{presets[chosen].about} [{presets[chosen].source}]"))
    fresh = inputs.from_preset(chosen)
    same = (
        st.session_state[state.STATE] == fresh
    )  # always drawn: what comes and goes moves the fields below while one types
    with st.container(horizontal=True):
        st.button("Back to the use case as it was", on_click=state.change, args=(fresh,), key="reset", disabled=same)
        none = st.session_state.get(state.UNDO) in (None, state.present())
        about = "Brings back the inputs as they were before the last use case, price list, calibration or file."
        st.button("Undo", on_click=state.undo, key="undo", disabled=none, help=about)


def draw_notes() -> None:
    """What could not be used, one line each."""
    notes, place = st.session_state[state.NOTES], st.empty()
    if notes:
        more = [f"And {len(notes) - 6} more."] if len(notes) > 6 else []
        place.warning(
            "  \n".join(plain(one_line(note, 300)) for note in [*notes[:6], *more]), icon=":material/warning:"
        )


def draw_inputs() -> None:
    """The inputs that the search finds, else those of the chosen group, each with unit, help and source."""
    groups = {group.id: group for group in inputs.groups()}
    wanted = st.text_input(
        f"Search all {len(inputs.every())} inputs", key="calculator_search", placeholder="price, label, latency ..."
    )
    name = st.selectbox("Inputs", list(groups), format_func=lambda key: groups[key].title, key="calculator_group")
    found = search(wanted) if wanted.strip() else list(groups[name].inputs)
    st.caption(groups[name].about if not wanted.strip() else f"{len(found)} found for “{plain(one_line(wanted, 60))}”")
    for one in found:
        draw_input(one)


def search(wanted: str) -> list[inputs.Input]:
    """The inputs whose name, label, unit, group or help holds every word; those with a word in the label first."""
    words = wanted.lower().split()
    titles = {group.id: group.title for group in inputs.groups()}
    texts = {
        one.name: " ".join((one.label, one.name, one.unit, titles[one.group], one.help)).lower()
        for one in inputs.every().values()
    }
    found = [one for one in inputs.every().values() if all(word in texts[one.name] for word in words)]
    return sorted(found, key=lambda one: not any(word in one.label.lower() for word in words))


def draw_input(one: inputs.Input) -> None:
    """One input: a field, or one an end of a range, and beside it what became of what was typed."""
    scenario = state.present()
    value = scenario.value(one.name)
    label = f"{one.label} ({one.unit})" if one.unit else one.label
    told = f"{one.help} Source: {plain(report.origin(scenario, one.name))}"
    key = f"calculator_{one.name}"
    if one.kind == "choice":
        state.show(key, value)
        st.selectbox(label, one.options, key=key, help=told, on_change=_take, args=(one.name, [key]))
    elif one.kind == "text":
        state.show(key, value)
        st.text_input(label, key=key, help=told, max_chars=3, on_change=_take, args=(one.name, [key]))
    else:
        ends = ["low", "high"] if one.kind == "range" else ["value"]
        keys = [f"{key}_{end}" for end in ends]
        row = st.container(horizontal=True, vertical_alignment="bottom")
        for at, end in enumerate(keys):
            state.show(end, numbers.shown(scenario.ranges[one.name][at]))
            row.text_input(
                label if at == 0 else f"to ({one.label})",
                max_chars=40,
                key=end,
                help=told if at == 0 else None,
                on_change=_take,
                args=(one.name, keys, at),
            )
    beside, said = st.empty(), st.session_state.get(state.BESIDE, {}).get(one.name)
    if said:
        beside.caption(f":orange[{plain(said)}]")


def _take(name: str, keys: list[str], edited: int = 0) -> None:
    """Read an input's widgets into the scenario. An end typed past the other takes the other along, and says so; a
    value that cannot be used is named beside its field and the old one kept."""
    typed, said = [st.session_state[key] for key in keys], ""
    try:
        values: list = typed if inputs.every()[name].is_word else [inputs.number(name, text) for text in typed]
        if len(values) > 1 and values[0] > values[1]:
            values = [values[edited]] * 2
            said = (
                f"{'“to” was lower' if edited == 0 else 'the low end was higher'}, so both are {values[0]:,.10g} now."
            )
        st.session_state[state.STATE] = st.session_state[state.STATE].replace(
            {name: values if len(values) > 1 else values[0]}
        )
        st.session_state[state.NOTES] = []
    except Problem as problem:
        said = f"{problem.message} The old value is kept."
    st.session_state[state.BESIDE] = {name: said} if said else {}
