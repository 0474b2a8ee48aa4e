"""Decision in three minutes: a brief, its numbers confirmed, ten inputs with their effect at once, a record to sign."""

import streamlit as st

from core.calculator.model import evaluate_cached
from core.errors import Problem
from core.text import plain
from pages.draw import calculator_form as form
from pages.draw import calculator_state as state
from pages.draw import decide_brief, decide_effect, decide_inputs, decide_record, present

with present.off_stage("head"):
    st.title("Decide in three minutes")
    st.caption("Paste a brief, confirm what was read, see what each input does, take a record away to sign.")
scenario = state.current()
answers = state.answers()
arrived = bool(answers or state.section("decision").get("brief"))
with (
    present.off_stage("brief"),
    st.expander(
        "1 · Your brief", expanded=st.session_state.get("decide_open", not arrived), icon=":material/edit_note:"
    ),
):
    decide_brief.draw()
told = st.empty()  # told or not, what stands below keeps its place: moved up, the last verdict stayed below the new one
if answers and not state.section("decision").get("brief"):
    said = f"{len(answers)} answers and what they mean for the inputs. Nothing is asked again."
    told.caption(f"Taken over from the advisor: {said}")
elif not arrived:
    told.caption("Nothing is confirmed yet: what stands below is an example, the documents' own figures.")
form.draw_notes()
try:
    outcome = evaluate_cached(scenario)
    decide_effect.short(scenario, outcome)
    left, right = st.columns([2, 3], gap="large")
    with left, present.off_stage("inputs"):
        st.header("2 · Your case", anchor=False)
        place = st.container()
    with right:
        decide_effect.draw(scenario, outcome, answers)
    with place:
        decide_inputs.draw(scenario)
    link = state.write_link()
    with present.off_stage("sign"), st.container(border=True, key="decide_sign"):
        decide_record.draw(scenario, answers, link)
except Problem as problem:
    st.error(plain(problem.message))
