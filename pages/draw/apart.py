"""A part of a page that runs again apart from it: by its own widgets, or by a timer."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

import streamlit as st

P = ParamSpec("P")


def apart(every: float | None = None) -> Callable[[Callable[P, None]], Callable[P, None]]:
    """Streamlit's fragment, run again each so many seconds if given, and in a container of its own.

    When such a part begins anew before the words of the whole page have left a busy server, Streamlit (1.67) leaves the
    part out of them: on the page all that follows moves up by one place, and the part is then written over the first of
    it (`tests/browser/test_timer.py`). In a container of its own there is nothing else to be written over.
    """

    def wrap(draw: Callable[P, None]) -> Callable[P, None]:
        part = st.fragment(draw, run_every=every)

        @wraps(draw)
        def placed(*given: P.args, **named: P.kwargs) -> None:
            with st.container():
                part(*given, **named)

        return placed

    return wrap
