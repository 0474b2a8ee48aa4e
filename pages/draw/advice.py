"""Draws an advice, one function a view. Decides nothing: verdict and words come from core.advisor."""

from pathlib import Path
from urllib.parse import urlencode

import streamlit as st

from core import scenario
from core.advisor import guidance, rules, score, tables
from core.advisor.score import Advice
from core.advisor.tables import label
from core.charts import advisor as charts
from core.evidence import claims
from pages.draw import project

PAGES = Path(__file__).resolve().parent.parent
NAMES = charts.NAMES
QUESTIONS = rules.load().questions


def headline(advice: Advice) -> None:
    """The verdict with its reasons, how sure it is, the hard constraints and the points."""
    said, points = st.container(border=True).columns([3, 2], gap="large")
    with said:
        st.header(f"Recommendation: {NAMES[advice.verdict]}", anchor=False)
        if advice.verdict == score.NOTHING:
            st.error(advice.why_undecided)
            st.markdown("\n".join(f"- {each}" for each in tables.ways(score.what_must_give(advice))))
        elif advice.verdict == score.UNDECIDED:
            st.markdown(f"{advice.why_undecided} Start with a prompt and fifty real questions; see the order of work.")
        else:
            runner = f", {advice.margin:.2f} points ahead of {NAMES[advice.runner_up].lower()}" * bool(advice.runner_up)
            st.markdown(
                f"Confidence **{advice.confidence_word}** ({advice.confidence:.0%}){runner}", help=guidance.CONFIDENCE
            )
        if advice.unknown:
            st.caption(f"{len(advice.unknown)} of {len(QUESTIONS)} questions are open.")
        reasons(advice)
    with points:
        st.plotly_chart(charts.scores(advice), key="advisor-scores", alt="Points of the four approaches")
        for each in advice.constraints:
            out = ", ".join(NAMES[name].lower() for name in each.excludes)
            st.warning(f"Hard constraint, rules out {out}: {each.because} ({each.source})")


def reasons(advice: Advice) -> None:
    """The strongest answers for and against the verdict."""
    verdict = advice.verdict if advice.decided else ""
    steps = [step for step in advice.trace if verdict and abs(step.effect[verdict]) > 0]
    for step in sorted(steps, key=lambda each: -abs(each.effect[verdict]))[:5]:
        sign = "speaks for it" if step.effect[verdict] > 0 else "speaks against it"
        st.markdown(
            f"- {QUESTIONS[step.question].ask} **{label(step.question, step.answer)}** {sign} "
            f"({step.effect[verdict]:+.2f}; {step.source})"
        )
    if verdict == "prompt":
        st.markdown(
            "- Prompt only is the zero of the scale: nothing that was answered lifts another approach above it."
        )


def onward(link: str) -> None:
    """One link for calculator and playground, and the link to share."""
    query = project.query(**{scenario.PARAMETER: link})
    with st.container(horizontal=True):
        for name, text, icon in (
            ("decide", "Decide and sign", ":material/check_circle:"),
            ("calculator", "Take the answers to the calculator", ":material/calculate:"),
            ("playground", "See it happen in the playground", ":material/science:"),
        ):
            st.page_link(PAGES / f"{name}.py", label=text, icon=icon, query_params=query)
    with st.popover("Share"):
        st.caption("This page's address already holds all answers. The same ending works on calculator and playground.")
        st.code(f"?{urlencode(query)}", language=None, wrap_lines=True)
        project.draw_keep(scenario.decode(link)[0], "advisor-keep-with")


def order(advice: Advice) -> None:
    """Order of work."""
    st.markdown("\n".join(f"{n}. {work.text} ({work.source})" for n, work in enumerate(guidance.order(advice), 1)))


def trace(advice: Advice) -> None:
    """Each answer's effect on each approach, with who gives the direction; the column sums are the scores."""
    points = {NAMES[name]: st.column_config.NumberColumn(format="%+.2f") for name in rules.APPROACHES}
    words = {name: st.column_config.TextColumn(width="medium") for name in ("Question", "Answer")}
    st.dataframe(tables.trace(advice), hide_index=True, column_config=points | words, alt="Trace of the recommendation")


def flips(advice: Advice) -> None:
    """The fewest changed answers that change the verdict, and what only opens when a requirement gives."""
    found, given_up = score.flips(advice), score.what_must_give(advice)
    if not found:
        st.info("No change of one or two answers gives another recommendation and keeps every requirement.")
    st.markdown("\n".join(f"- {each}" for each in tables.ways(found)))
    if given_up:
        st.markdown("**Only if a requirement gives**\n" + "\n".join(f"- {each}" for each in tables.ways(given_up)))


def sensitivity(advice: Advice) -> None:
    """How often the verdict holds when the weights vary, and which single answer carries it."""
    shares = {spread: score.sensitivity(advice.answers, spread) for spread in score.SPREADS}
    holds = shares[0.5][advice.verdict]
    st.markdown(
        f"With every weight varied by itself by up to half, the recommendation holds in **{holds:.0%}** of draws."
    )
    st.plotly_chart(charts.sensitivity(shares), key="advisor-sensitivity", alt="Share of draws by verdict and spread")
    carried = {name: then for name, then in score.without_each(advice.answers).items() if then != advice.verdict}
    for name, then in carried.items():
        st.markdown(f"- Without the answer to *{QUESTIONS[name].ask}* it would be **{NAMES[then]}**.")
    if advice.answers and not carried:
        st.markdown("- No single answer carries it alone.")


def checklist(advice: Advice) -> None:
    """The documents' practices and mistakes that apply here."""
    applying = guidance.applying(advice)
    for kind, title in (("mistake", "Mistakes to avoid"), ("practice", "Good practice")):
        st.markdown(f"**{title}**")
        for number, each in enumerate(each for each in applying if each.kind == kind):
            st.checkbox(f"{each.text} ({each.source})", key=f"advisor-{kind}-{number}-{each.source}")


def measure(advice: Advice) -> None:
    """What to measure next, and how to answer what is open."""
    st.markdown("\n".join(f"- {each}" for each in guidance.measure(advice)))
    flipping = {name for flip in score.flips(advice) for name in flip.change}
    for name in sorted(advice.unknown, key=lambda each: each not in flipping):
        worth = " (could flip the recommendation)" if name in flipping else ""
        st.markdown(f"- Open: *{QUESTIONS[name].ask}* {guidance.find_out(name)}{worth}")


def cases(advice: Advice) -> None:
    """Every case that the documents name, with their verdict and the advisor's."""
    st.markdown(tables.agreement())
    st.dataframe(tables.cases(), hide_index=True, alt="The documents' cases")
    for subject in claims.disputed_subjects():
        dispute = guidance.dispute(subject)
        facts = " ".join(f"*{QUESTIONS[name].ask}*" for name in dispute.decides)
        st.markdown(f"**{subject.capitalize()}** is disputed. What decides: {facts}")
        for verdict in dict.fromkeys(case.verdict for case, _ in dispute.sides):
            who = "; ".join(f"{case.title} ({case.document})" for case, _ in dispute.sides if case.verdict == verdict)
            st.markdown(f"- {NAMES[verdict]}: {who}")


def method(advice: Advice) -> None:
    """How it is computed and what it cannot do."""
    st.markdown(guidance.method())
