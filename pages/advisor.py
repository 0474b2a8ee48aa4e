"""From a few answers to a recommendation, with every reason, what would flip it, and where to go next."""

import streamlit as st

from core import scenario
from core.advisor import handover, prefill, rules, score
from core.errors import Problem
from core.text import plain
from pages.draw import advice as draw

LOADED, KEPT = "advisor-loaded", "advisor-kept"
QUESTIONS = rules.load().questions
UNKNOWN = rules.UNKNOWN


def key(question: str) -> str:
    """The session key of a question's widget."""
    return f"advisor-{question}"


def set_answers(answers: dict[str, str]) -> None:
    """Put answers into the widgets, before they are drawn."""
    for name in QUESTIONS:
        st.session_state[key(name)] = answers.get(name, UNKNOWN)


def arrive() -> None:
    """Take the answers of a link that is new to this session, or those left here when the page was last open."""
    link = st.query_params.get(scenario.PARAMETER, "")
    if link and link != st.session_state.get(LOADED):
        whole, notes = scenario.decode(link)
        section = whole.get("advisor", {})
        answers, more = handover.answers_in(section)
        st.session_state[LOADED], st.session_state[KEPT] = link, whole
        set_answers(answers)
        for note in notes + more:
            st.warning(plain(note))
    elif key(next(iter(QUESTIONS))) not in st.session_state:
        whole = st.session_state.get(KEPT, scenario.empty())
        set_answers(handover.answers_in(whole.get("advisor", {}))[0])


def describe() -> None:
    """Free text that pre-fills answers by plain rules."""
    with st.expander("Describe your use case in your own words"):
        text = st.text_area(
            "Description",
            key="advisor-text",
            max_chars=prefill.MAX_TEXT,
            placeholder="A support bot for our shop: prices change daily, answers should sound like us ...",
            help="Read by plain rules on this machine (core/advisor/phrases.toml). Nothing is sent anywhere.",
        )
        if st.button("Fill in the answers", key="advisor-fill"):
            answers, found = prefill.read(text)
            set_answers(answers)
            st.session_state["advisor-found"] = found
        for each in st.session_state.get("advisor-found", ()):
            st.caption(f"{each.question}: **{each.option}**, from “{plain(each.words)}”")
        if "advisor-found" in st.session_state and not st.session_state["advisor-found"]:
            st.caption("No rule found anything in it. Please answer the questions yourself.")


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
head = st.container()
describe()
answers = ask()
if st.button("Start again", key="advisor-clear", on_click=lambda: set_answers({})):
    st.session_state.pop("advisor-found", None)

advice = score.advise(answers)
whole = handover.whole(answers, advice.verdict, st.session_state.get(KEPT))
try:
    link = scenario.encode(whole)
except Problem as problem:  # a link from elsewhere may have brought more than fits back into one
    st.error(plain(problem.message))
    whole = handover.whole(answers, advice.verdict)
    link = scenario.encode(whole)
st.session_state[LOADED], st.session_state[KEPT] = link, whole
if answers or scenario.PARAMETER in st.query_params:
    st.query_params[scenario.PARAMETER] = link

with head:
    draw.headline(advice)
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
