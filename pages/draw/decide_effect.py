"""The effect of the inputs: recommendation, three numbers, the four approaches' costs, what would flip it, warnings."""

from datetime import date

import streamlit as st

from core import record
from core.approaches import NAMES
from core.calculator.inputs import Scenario
from core.calculator.model import Outcome
from core.calculator.verdict import headline, verdict
from core.charts import bars
from core.text import plain
from pages.draw import look, project

# A rule that comes late moves nothing: the line's edge is a shadow, the inputs' column is longer than a screen anyhow.
STYLE = """<style>
div:has(> .st-key-decide_short) { position: sticky; top: 4rem; z-index: 50 }
.st-key-decide_short { position: sticky; top: 4rem; z-index: 50;
  background: BACKGROUND; box-shadow: 0 0 0 .4rem BACKGROUND, 0 calc(.4rem + 1px) 0 rgba(128,140,152,.35) }
.st-key-offstage-inputs { min-height: 100vh }
.st-key-decide_needs [data-testid=stButtonGroup] > div { flex-wrap: wrap }
</style>"""


def short(scenario: Scenario, outcome: Outcome) -> None:
    """The answer in one line that stays on the screen while one moves the inputs."""
    st.html(STYLE.replace("BACKGROUND", look.by_scheme("backgroundColor")))
    name = record.recommended(outcome)
    line = "**Nothing fits into the context.**"
    if name is not None:
        sure = "" if all(outcome.results[name].meets.values()) else " :orange[misses a target]"
        cost, latency, right = record.numbers(scenario, outcome, name)
        over = cost["What"].removeprefix("Cost, ").replace("first year", "the first year")
        line = f"**{NAMES[name].capitalize()}**{sure} · {plain(cost['Value'])} in {plain(over)} · {latency['Value']} · "
        line += f"{plain(right['Value'])} right"
    shown = st.session_state.get("decide_shown", line)
    if shown != line:
        st.session_state["decide_before"] = shown
    st.session_state["decide_shown"] = line
    with st.container(key="decide_short"):
        before = st.session_state.get("decide_before")
        st.markdown(line + (f"  \n:small[:gray[before: {before.replace('**', '')}]]" if before else ""))


def draw(scenario: Scenario, outcome: Outcome, answers: dict[str, str]) -> None:
    """Everything that follows from the inputs."""
    with st.container(border=True, key="decide_verdict"):
        st.markdown(f"## {plain(headline(scenario, outcome))}")
        st.html(bars.numbers(record.numbers(scenario, outcome, record.recommended(outcome))))
        _, what, _ = record.cost_of(next(iter(outcome.results.values())), scenario) if outcome.results else ("", "", 0)
        st.markdown(f"**{what}** :gray[5 to 95 of 100 draws, the mark in the middle]")
        st.html(record.bars(scenario, outcome))
    said = verdict(scenario, outcome)
    with st.container(border=True):
        _list("What would flip it", said.flips[:3])
        _list("Risks", record.risks(scenario, outcome, date.today())[:5])
        _list("Measure next", record.measure_next(scenario, outcome, answers)[:3])
        for page in dict.fromkeys(one.measured_by for one in outcome.worth[:3] if one.measured_by):
            st.page_link(f"{page}.py", label=f"Measure it here: {page}", icon=":material/straighten:")
        with st.expander("Why"):
            st.markdown("\n".join(f"- {plain(line)}" for line in said.lines))
        st.page_link(
            "calculator.py",
            label="All charts and views in the calculator",
            icon=":material/calculate:",
            query_params=project.query(),
        )


def _list(title: str, lines: tuple[str, ...] | list[str]) -> None:
    if lines:
        st.markdown(f"**{title}**\n" + "\n".join(f"- {plain(line)}" for line in lines))
