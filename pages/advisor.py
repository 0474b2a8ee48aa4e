"""From a few answers to a recommendation, with every reason, what would flip it, and where to go next."""

import streamlit as st

from core import scenario
from core.advisor import handover, rules, score
from core.errors import Problem
from core.text import plain
from pages.draw import advice as draw
from pages.draw import calculator_state as state
from pages.draw import present, reading

LOADED, KEPT, NUMBERS = "advisor-loaded", "advisor-kept", reading.NUMBERS
QUESTIONS = rules.load().questions
UNKNOWN = rules.UNKNOWN


def key(question: str) -> str:
    """The session key of a question's widget."""
    return f"advisor-{question}"


def set_answers(answers: dict[str, str]) -> None:
    """Put answers into the widgets, before they are drawn."""
    for name in QUESTIONS:
        st.session_state[key(name)] = answers.get(name, UNKNOWN)


def given() -> dict[str, str]:
    """The answers in the widgets."""
    chosen = {name: st.session_state.get(key(name), UNKNOWN) for name in QUESTIONS}
    return {question: option for question, option in chosen.items() if option != UNKNOWN}


def start_again() -> None:
    """Forget answers, numbers and description."""
    set_answers({})
    reading.forget()


def arrive() -> None:
    """Take the answers of a link that is new to this session, those left here, or those that the calculator keeps."""
    link = st.query_params.get(scenario.PARAMETER, "")
    if link and link != st.session_state.get(LOADED):
        whole, notes = scenario.decode(link)
        st.session_state[LOADED] = link
        take(whole, notes)
    elif key(next(iter(QUESTIONS))) not in st.session_state:
        elsewhere = state.whole() if state.STATE in st.session_state else state.of_project()[0]
        take(elsewhere if elsewhere.get("advisor") else st.session_state.get(KEPT, elsewhere), [])


def take(whole: dict, notes: list[str]) -> None:
    """Make a scenario's answers and numbers those of this page, and say what could not be used."""
    section = whole.get("advisor", {})
    answers, wrong = handover.answers_in(section)
    st.session_state[NUMBERS], unusable = handover.numbers_in(section)
    st.session_state[KEPT] = whole
    set_answers(answers)
    for note in [*notes, *wrong, *unusable]:
        st.warning(plain(note))


def ask() -> dict[str, str]:
    """The questions; what is left at "don't know" is not in the answers."""
    groups = list(dict.fromkeys(question.group for question in QUESTIONS.values()))
    chosen = {}
    for group, tab in zip(groups, st.tabs(groups), strict=True):
        here = [question for question in QUESTIONS.values() if question.group == group]
        for start in range(0, len(here), 2):  # row by row, so that a narrow screen keeps the order
            for place, question in zip(tab.columns(2, gap="large"), here[start : start + 2], strict=False):
                labels = {UNKNOWN: "Don't know", **{option.id: option.label for option in question.options}}
                chosen[question.id] = place.selectbox(
                    question.ask, list(labels), format_func=labels.__getitem__, key=key(question.id), help=question.help
                )
    return {question: option for question, option in chosen.items() if option != UNKNOWN}


st.title("Advisor")
st.caption("Fourteen questions, each may stay open. The recommendation follows every answer, and shows why.")
arrive()
advice = score.advise(given())  # what the questions below say already stands in the session
draw.headline(advice)
with present.off_stage("questions"):
    reading.describe(lambda found: set_answers({**given(), **found}))
    answers = ask()
    st.button("Start again", key="advisor-clear", on_click=start_again)

whole = handover.whole(answers, advice.verdict, st.session_state.get(KEPT), st.session_state[NUMBERS])
try:
    link = scenario.encode(whole)
except Problem as problem:  # a link from elsewhere may have brought more than fits back into one
    st.error(plain(problem.message))
    whole = handover.whole(answers, advice.verdict)
    link = scenario.encode(whole)
st.session_state[LOADED], st.session_state[KEPT] = link, whole
if answers or st.session_state[NUMBERS] or scenario.PARAMETER in st.query_params:
    st.query_params[scenario.PARAMETER] = link

draw.onward(link)
views = {
    "Order of work": draw.order,
    "Trace": draw.trace,
    "What would flip it": draw.flips,
    "Sensitivity": draw.sensitivity,
    "Risks and practices": draw.checklist,
    "Measure next": draw.measure,
    "The documents' cases": draw.cases,
    "Method and limits": draw.method,
}
view = st.pills("Show", views, default="Order of work", key="advisor-view", label_visibility="collapsed")
if view:
    views[view](advice)
