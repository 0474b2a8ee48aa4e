"""The first step of a decision: paste a brief, confirm what was read in it, see what was not."""

import streamlit as st

from core import brief, decide
from core.advisor import rules
from core.calculator import inputs
from core.text import plain
from pages.draw import calculator_state as state
from pages.draw import project

READ, TEXT = "decide_read", "decide_text"
EXAMPLE = (
    "A support assistant for a telecom: 12,000 questions a month, 900 help articles of 700k tokens in all, tariffs "
    "change weekly, every answer must cite its source, 2 engineers, 40,000 USD in the first year, launch in 8 weeks."
)
UNSAID = "not so"
HIGH = 150  # px; its container holds the place until the browser has fetched the field


def draw() -> None:
    """The text and, once it was read, what it says, to be confirmed."""
    state.show(TEXT, st.session_state.get(TEXT, state.section("decision").get("brief", "")))
    st.caption("Paste your brief, or describe the case in a few sentences.")
    st.container(height=HIGH + 16, border=False).text_area(
        "Your brief",
        key=TEXT,
        label_visibility="collapsed",
        max_chars=brief.MAX_TEXT,
        height=HIGH,
        placeholder=EXAMPLE,
        help="Read by plain rules on this machine (core/advisor/reader.py). Nothing is sent anywhere, and nothing "
        "counts before you confirm it.",
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button("Read it", type="primary", on_click=_read, key="decide_read_it")
        st.page_link(
            "advisor.py",
            label="or answer the advisor's questions",
            icon=":material/lightbulb:",
            query_params=project.query(),
        )
    if READ in st.session_state:
        _confirm(st.session_state[READ])


def _read() -> None:
    found = brief.read(st.session_state[TEXT])
    st.session_state[READ] = found
    for at, _ in enumerate(found.numbers):
        st.session_state[f"decide_number{at}"] = True
    for name, option in found.answers.items():
        st.session_state[f"decide_answer_{name}"] = option


def _confirm(found: brief.Brief) -> None:
    """Every number with the words it came from, every answer as a list to correct, and what was not understood."""
    if not found.numbers and not found.answers:
        st.info("No number and no requirement was understood in it. Set the inputs below, or answer the advisor.")
    if found.numbers:
        st.markdown("**Right so?** Untick what is not; each can be changed below.")
    for at, one in enumerate(found.numbers):
        st.checkbox(f"{one.what}: **{plain(one.shown)}** :gray[— “{plain(one.words)}”]", key=f"decide_number{at}")
    told = {one.question: one.words for one in found.found}
    questions = [name for name in found.answers if name in told]
    for start in range(0, len(questions), 2):
        for place, name in zip(st.columns(2, gap="medium"), questions[start : start + 2], strict=False):
            asked = rules.load().questions[name]
            labels = {UNSAID: "Not said", **{option.id: option.label for option in asked.options}}
            place.selectbox(
                asked.ask, list(labels), format_func=labels.get, key=f"decide_answer_{name}", help=asked.help
            )
            place.caption(f"from “{plain(told[name])}”")
    if found.left:
        lines = "\n".join(f"- {plain(text)}" for text in found.left[:8])
        st.markdown(f"**Not understood, so it does not count:**\n{lines}")
    st.button("Confirm and compute", type="primary", on_click=_take, key="decide_confirm")


def _take() -> None:
    """Put what was confirmed into the scenario; the brief and the answers travel in the link."""
    found: brief.Brief = st.session_state[READ]
    numbers = [one for at, one in enumerate(found.numbers) if st.session_state.get(f"decide_number{at}")]
    answers = brief.answered(numbers)
    for one in found.found:
        option = st.session_state.get(f"decide_answer_{one.question}", UNSAID)
        answers |= {one.question: option} if option != UNSAID else {}
    again = bool(state.section("decision").get("brief"))  # a new brief replaces the last one, not the advisor's answers
    start = inputs.from_preset(state.present().preset) if again else state.present()
    answers = answers if again else state.answers() | answers
    scenario, notes = decide.put(start, answers, numbers)
    state.change(scenario)
    st.session_state[state.NOTES] = notes
    state.keep("advisor", {**state.section("advisor"), "answers": answers})
    text = st.session_state[TEXT][: decide.MAX_TEXT]
    state.keep("decision", {**state.section("decision"), "brief": text})
    st.session_state.pop(READ)
    st.session_state["decide_open"] = False
