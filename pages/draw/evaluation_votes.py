"""Votes by hand on an evaluation: blind, two answers at a time, by mouse or keyboard."""

import random

import pandas as pd
import streamlit as st

from core import hand, votes
from core.evaluation.preferences import preferences
from core.evaluation.records import Report, Row
from core.project import Project
from core.runtime import Runtime
from core.text import plain
from pages.draw.apart import apart

KEYS = (
    ("left", "Left is better", "1"),
    ("tie", "Tie", "2"),
    ("right", "Right is better", "3"),
    ("both bad", "Both bad", "4"),
)


def voter() -> str:
    """The label a person votes under."""
    told = "So that two people count as two."
    kept = st.session_state.get("voter_before", "")  # a view that is not drawn forgets its widgets
    who = st.text_input("Your label", kept, max_chars=60, key="voter", placeholder="none", width=200, help=told)
    st.session_state["voter_before"] = who
    return who


@apart()
def draw_votes(here: Runtime, project: Project, found: Report) -> None:
    """Blind pairs of answers, then what each was; below, what all votes add up to."""
    arms = list(found.arms)
    pairs = [(one, two) for at, one in enumerate(arms) for two in arms[at + 1 :]]
    if not pairs:
        st.caption("A vote needs the answers of two arms.")
        return
    titles = found.titles
    with st.container(horizontal=True, vertical_alignment="bottom"):
        pair = st.selectbox(
            "Between",
            pairs,
            format_func=lambda one: f"{titles[one[0]]} and {titles[one[1]]}",
            key="vote_pair",
            width=420,
        )
        who = voter()
    _reveal(found)
    said = here.votes.votes(project.id, found.id)
    done = {vote.place for vote in said if vote.voter == who.strip() and set(vote.shown) == set(pair)}
    todo = [case for case in _cases(found, pair) if hand.place_of(found, case[0]) not in done]
    if todo:
        _ask(here, project, found, todo[0], who, len(todo))
    else:
        st.caption("You have voted on every question that both answered.")
    _sum(found, said)


def _cases(found: Report, pair: tuple[str, str]) -> list[tuple[Row, Row]]:
    """The questions that both arms answered differently, in an order drawn by the evaluation."""
    by_arm = [
        {(row.number, row.repeat): row for row in found.rows if row.arm == arm and not row.problem} for arm in pair
    ]
    places = sorted(set(by_arm[0]) & set(by_arm[1]))
    random.Random(found.id).shuffle(places)
    both = [(by_arm[0][place], by_arm[1][place]) for place in places]
    return [(one, two) for one, two in both if one.reply.strip() != two.reply.strip()]


def _ask(here: Runtime, project: Project, found: Report, case: tuple[Row, Row], who: str, left: int) -> None:
    seed = random.Random(f"{found.id} {case[0].number} {case[0].repeat} {who}").randrange(2**31)
    shown = votes.shuffled([row.arm for row in case], seed)
    rows = {row.arm: row for row in case}
    name = f"{case[0].number}-{case[0].repeat}-{'-'.join(sorted(shown))}"
    st.markdown(f"**{plain(case[0].question)}**")
    acceptable = {}
    for side, column, arm in zip(("Left", "Right"), st.columns(2, border=True), shown, strict=True):
        with column:
            st.caption(side)
            st.markdown(plain(rows[arm].reply) or "—")
            would = st.pills(f"{side}: would it do?", ["yes", "no"], key=f"do-{side}-{name}", width="content")
            if would:
                acceptable[arm] = would == "yes"

    def keep(choice: votes.Choice) -> None:
        place = hand.place_of(found, case[0])
        vote = votes.vote(place, case[0].question, shown, choice, acceptable=acceptable, voter=who, seed=seed)
        here.votes.save(project.id, vote)
        st.session_state["voted"] = (found.id, vote)

    with st.container(horizontal=True):
        for choice, label, key in KEYS:
            st.button(label, shortcut=key, key=f"vote-{choice}", on_click=keep, args=(choice,))
    st.caption(f"{left} left. Keys 1 to 4. Names and times are hidden until you have voted.")


def _reveal(found: Report) -> None:
    """What the answers of the last vote were."""
    evaluation, vote = st.session_state.get("voted", ("", None))
    if vote is None or evaluation != found.id:
        return
    rows = {row.arm: row for row in found.rows if hand.place_of(found, row) == vote.place}
    with st.container(border=True):
        lines = [f"Your vote on “{plain(vote.question)}”: **{vote.choice}**."]
        for side, arm in zip(("Left", "Right"), vote.shown, strict=True):
            ruled = "right" if rows[arm].right else f"wrong ({rows[arm].cause})" if rows[arm].cause else "wrong"
            lines.append(f"{side} was **{plain(found.titles[arm])}**; by the rules {plain(ruled)}.")
        st.markdown(" ".join(lines))


def _sum(found: Report, said: list[votes.Vote]) -> None:
    """Strengths and pairs of all votes on this evaluation."""
    if not said:
        return
    summed = preferences(said)
    for line in summed.sentences:
        st.markdown(f"- {plain(line)}")
    rows = [
        {
            "arm": found.titles.get(one.arm, one.arm),
            "strength": round(one.strength, 2),
            "95 %": f"{one.low:.2f} to {one.high:.2f}",
            "votes": one.votes,
            "would do": None if one.acceptable.share is None else f"{one.acceptable.count} of {one.acceptable.n}",
        }
        for one in summed.strengths
    ]
    st.dataframe(pd.DataFrame(rows), hide_index=True, placeholder="—", key="strengths")
    st.caption(
        f"Bradley-Terry: log-odds against the average arm, ties half. Both bad, apart: {summed.both_bad.count} of "
        f"{summed.votes} votes."
    )
    with st.container(horizontal=True):
        st.download_button(
            "Votes as CSV", lambda: votes.as_csv(said), f"votes-{found.id}.csv", key="votes-csv", on_click="ignore"
        )
