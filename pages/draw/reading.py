"""A description read beside its text, word by word; what was read counts only once it is confirmed."""

from collections.abc import Callable

import streamlit as st

from core.advisor import handover, reader, rules
from core.advisor.tables import label
from core.text import plain

NUMBERS = "advisor-numbers"  # what was stated and confirmed: name -> handover.Number
READING, TEXT = "advisor-reading", "advisor-text"
MARKS = {
    reader.READ: ":green-background[{}]",
    reader.OVERRULED: ":gray-background[{}]",
    reader.UNREAD: ":orange-background[{}]",
    reader.LIGHT: "{}",
}


def describe(confirm: Callable[[dict[str, str]], None]) -> None:
    """The description, what was read of it, and the button that makes that count (`confirm` takes the answers)."""
    with st.expander("Describe your use case in your own words"):
        st.text_area(
            "Description",
            key=TEXT,
            max_chars=reader.MAX_TEXT,
            placeholder="A support bot for our shop: prices change daily, answers should sound like us ...",
            help="Read on this machine by plain rules (core/advisor/lexicon.toml) and by how often each word stands in "
            "descriptions whose answer is known (core/advisor/learned.toml). Nothing is sent anywhere.",
        )
        if st.button("Read it", key="advisor-read"):
            st.session_state[READING] = reader.read(st.session_state[TEXT])
        if found := st.session_state.get(READING):
            _show(found, confirm)
    stated = st.session_state.get(NUMBERS, {})
    if stated:
        told = "; ".join(
            f"{plain(': '.join(handover.goes_to(name, number)))} (“{plain(number.words)}”)"
            for name, number in stated.items()
        )
        st.caption(f"Numbers that go to the calculator as stated: {told}")


def forget() -> None:
    """Start anew: no description, nothing read, no number."""
    for name in (READING, TEXT):
        st.session_state.pop(name, None)
    st.session_state[NUMBERS] = {}


def _show(found: reader.Reading, confirm: Callable[[dict[str, str]], None]) -> None:
    if not found.answers and not found.facts:
        st.caption("No rule found anything in it. Please answer the questions yourself.")
        return
    st.caption(
        "Green was read, orange was not understood, grey was overruled by plainer words or by the text as a whole."
    )
    st.markdown("".join(MARKS[piece.kind].format(_shown(piece.text)) for piece in found.pieces))
    st.markdown("**Is this meant?** Untick what is not; nothing counts before you confirm it.")
    with st.form("advisor-confirm", border=False):
        answers = {name: option for name, option in found.answers.items() if _tick_answer(found, name, option)}
        numbers = {name: one for name, one in handover.numbers_of(found.facts).items() if _tick_number(name, one)}
        st.form_submit_button(
            "Use what is ticked", type="primary", key="advisor-use", on_click=_use, args=(found, confirm)
        )
    if st.session_state.pop("advisor-used", False):
        st.success(f"{len(answers)} answers and {len(numbers)} numbers taken on.")


def _use(found: reader.Reading, confirm: Callable[[dict[str, str]], None]) -> None:
    """Take on what is ticked, before the page is drawn anew."""
    ticked = {name: option for name, option in found.answers.items() if st.session_state[f"advisor-take-{name}"]}
    numbers = handover.numbers_of(found.facts)
    kept = {name: one for name, one in numbers.items() if st.session_state[f"advisor-take-number-{name}"]}
    st.session_state[NUMBERS] = {**st.session_state.get(NUMBERS, {}), **kept}
    st.session_state["advisor-used"] = True
    confirm(ticked)


def _tick_answer(found: reader.Reading, name: str, option: str) -> bool:
    marks = [each for each in found.found if each.question == name and each.used]
    said = ", ".join(f"“{plain(each)}”" for each in dict.fromkeys(each.words for each in marks))
    if any(each.learned for each in marks):
        said = f"the text as a whole, above all {said}"
    ask = rules.load().questions[name].ask
    return st.checkbox(f"{ask} **{label(name, option)}**, from {said}", value=True, key=f"advisor-take-{name}")


def _tick_number(name: str, number: handover.Number) -> bool:
    into, value = handover.goes_to(name, number)
    return st.checkbox(
        f"{into}: **{plain(value)}**, from “{plain(number.words)}”",
        value=True,
        key=f"advisor-take-number-{name}",
    )


def _shown(text: str) -> str:
    """A stretch of the description, its line breaks kept, harmless in Markdown."""
    return "  \n".join(plain(line) for line in text.split("\n"))
