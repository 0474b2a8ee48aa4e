"""A field for a number, typed or pasted as people write it: "12k", "1,000", "1.5M". Read by core/numbers.py."""

from typing import Any

import streamlit as st

from core import numbers
from core.text import one_line, plain


def number_field(
    label: str, low: float, high: float, value: float, *, key: str, whole: bool = False, **look: Any
) -> float:
    """The number as it is read; what cannot be read is named below, and the one before stays.

    `value`: what it begins with, and begins with anew once that is another. `look`: help, width, disabled, as
    st.text_input takes them.
    """
    if st.session_state.get(f"{key}-usual") != value:
        st.session_state.pop(key, None)
        st.session_state.update({f"{key}-read": value, f"{key}-usual": value, f"{key}-said": ""})
    if key not in st.session_state:
        st.session_state[key] = numbers.shown(st.session_state[f"{key}-read"])
    st.text_input(label, key=key, max_chars=40, on_change=_take, args=(key, low, high, whole), **look)
    if said := st.session_state.get(f"{key}-said"):
        st.caption(f":orange[{plain(said)}]")
    return of(key, value)


def of(key: str, value: float) -> float:
    """What a field of that key holds, `value` where none was drawn yet."""
    read: float = st.session_state.get(f"{key}-read", value)
    return read


def _take(key: str, low: float, high: float, whole: bool) -> None:
    """Keep what was typed, shown as it was read."""
    typed, before = str(st.session_state[key]), st.session_state[f"{key}-read"]
    found, said = numbers.read(typed, before), ""
    if found is None:
        said = f"'{one_line(typed, 30)}' is not a number."
    elif not low <= found <= high:
        said = f"{numbers.shown(found)} is outside {numbers.shown(low)} to {numbers.shown(high)}."
    elif whole and found != int(found):
        said = f"{numbers.shown(found)} is not a whole number."
    else:
        before = found
    st.session_state[f"{key}-read"] = before
    st.session_state[key] = numbers.shown(before)
    st.session_state[f"{key}-said"] = f"{said} {numbers.shown(before)} is kept." if said else ""
