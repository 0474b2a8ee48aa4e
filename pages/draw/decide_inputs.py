"""The second step of a decision: about ten inputs in one column, each with its effect at once."""

import streamlit as st

from core import brief, decide, glossary
from core.calculator import inputs, report
from core.calculator.inputs import Scenario
from core.evidence import price_lists
from core.text import plain
from pages.draw import calculator_form as form
from pages.draw import calculator_prices
from pages.draw import calculator_state as state

OWN = "as set under Everything"


def draw(scenario: Scenario) -> None:
    """The inputs, then what is required, then everything else behind a fold."""
    for one in decide.fields():
        if one.scale == "pace":
            _pace(scenario, one)
        elif one.input in scenario.ranges:
            _slider(scenario, one)
    _needs()
    catalogue = price_lists.catalogue()
    with st.container(border=True):
        calculator_prices.pick(scenario, catalogue, "base")
        calculator_prices.pick(scenario, catalogue, "tuned")
    with st.expander(f"Everything: all {len(inputs.every())} inputs"):
        form.draw_inputs()
    none = st.session_state.get(state.UNDO) in (None, state.present())
    st.button("Undo the last brief, model or file", on_click=state.undo, key="decide_undo", disabled=none)
    with st.expander("What the words mean"):
        st.markdown("\n".join(f"- **{word}**: {text}" for word, text in glossary.terms().items()))


def _slider(scenario: Scenario, one: decide.Field) -> None:
    """A range on a slider of round numbers; of an input with one value, one handle."""
    value = scenario.ranges[one.input]
    single = inputs.every()[one.input].kind != "range"
    shown = value[0] if single else value
    key = _key(f"decide_{one.input}", shown)
    st.select_slider(
        one.label,
        one.grid(value),
        value=shown,
        format_func=one.words,
        key=key,
        on_change=_moved,
        args=(one.input, key),
        help=_told(scenario, one),
    )


def _pace(scenario: Scenario, one: decide.Field) -> None:
    now = brief.pace_of(scenario) or OWN
    options = [*reversed(brief.paces()), *([OWN] if now == OWN else [])]
    key = _key("decide_pace", now)
    st.select_slider(one.label, options, value=now, key=key, on_change=_paced, args=(key,), help=_told(scenario, one))


def _needs() -> None:
    """What is required: the advisor's questions that rule approaches out, as pills."""
    answers = state.answers()
    labels = [one.label for one in decide.needs() if answers.get(one.question) == one.option]
    state.show("decide_needs", labels)
    st.pills(
        "It must",
        [one.label for one in decide.needs()],
        selection_mode="multi",
        key="decide_needs",
        on_change=_required,
        help="A requirement rules out what cannot meet it, however cheap. They are answers to the advisor's questions.",
    )


def _key(name: str, value: object) -> str:
    """The widget's key, a new one when the scenario was changed elsewhere: a slider takes a range only when made."""
    made = st.session_state.setdefault("decide_made", {})
    key = f"{name}_{made.get(name, 0)}"
    if key in st.session_state and st.session_state[key] != value:
        made[name] = made.get(name, 0) + 1
    return f"{name}_{made.get(name, 0)}"


def _told(scenario: Scenario, one: decide.Field) -> str:
    own = inputs.every()[one.input].help
    return f"{one.help} {own} Source: {plain(report.origin(scenario, one.input))}"


def _moved(name: str, key: str) -> None:
    value = st.session_state[key]
    _set({name: list(value) if isinstance(value, tuple) else value})


def _paced(key: str) -> None:
    if sets := brief.paces().get(st.session_state[key]):
        _set(sets)


def _set(values: dict) -> None:
    """New values for inputs; an answer that an old value gave follows, and with it what the answer rules out."""
    before = state.answers()
    told = {name: option for name, option in brief.answers_of(values).items() if name in before}
    scenario, _ = decide.put(state.present(), before | told, before=before)
    state.set_to(scenario.replace(values))
    state.keep("advisor", {**state.section("advisor"), "answers": before | told})


def _required() -> None:
    """Take over ticked and unticked requirements, with what they imply for the calculator."""
    before, chosen = state.answers(), st.session_state["decide_needs"]
    answers = dict(before)
    for one in decide.needs():
        if one.label in chosen:
            answers[one.question] = one.option
        elif answers.get(one.question) == one.option:
            del answers[one.question]
    state.set_to(decide.put(state.present(), answers, before=before)[0])
    state.keep("advisor", {**state.section("advisor"), "answers": answers})
