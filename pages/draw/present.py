"""Presenter mode: what the audience should see, in type for the last row; the rest waits off stage.

One switch, kept in the session and in the address (`?present=1`). Off stage is hidden, not left out: every widget there
keeps what was typed, and every keyboard shortcut works. Knows no page.
"""

from collections.abc import Sequence
from typing import Final

import plotly.graph_objects as go
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.text import plain
from core.theme import enlarge

PARAMETER, KEPT, WIDGET = "present", "presenting", "present_layout"
LAYOUTS: Final = {"1": "Side by side", "2x2": "Two by two", "pane": "One pane"}  # as the address says it
PAGES: Final = (("overview", "Overview"), ("story", "Story"), ("playground", "Playground"), ("decide", "Decide"),
                ("calculator", "Calculator"), ("evaluation", "Evaluation"))  # fmt: skip
OFF: Final = "offstage"

# The one place for it: Streamlit has neither a type size nor hidden parts for one session alone.
STYLE: Final = f"""<style>
[class*="st-key-{OFF}"], [data-testid="stColumn"]:has(.st-key-{OFF}-inputs), [data-testid="stSidebar"],
[data-testid="stExpandSidebarButton"], [data-testid="stHeader"] {{ display: none; }}
[data-testid="stMainBlockContainer"] {{ padding-top: 1.5rem; padding-bottom: 3rem; }}
.st-key-presenter {{ position: fixed; right: 1rem; bottom: 0.75rem; width: auto; z-index: 100; }}
.st-key-panes [data-testid="stText"], .st-key-panes [class*="st-key-said-"] p {{
  font-size: 1.5rem; line-height: 1.4; }}
@media (min-width: 1000px) {{ html {{ font-size: 18px !important; }} }}
</style>"""


def on() -> bool:
    """Whether this session presents."""
    return st.session_state.get(KEPT) in LAYOUTS


def arrive() -> None:
    """Take the mode from the address, or put it there: a page change clears the address, not the session."""
    if (said := st.query_params.get(PARAMETER)) in LAYOUTS:
        st.session_state[KEPT] = said
    elif on():
        st.query_params[PARAMETER] = st.session_state[KEPT]
    if on():
        st.html(STYLE)


def draw() -> None:
    """The switch in the sidebar; while presenting one small button at the edge, with layout, pages and the way out."""
    if not on():
        with st.sidebar:
            st.button("Present", icon=":material/slideshow:", key="present_on", on_click=_set, args=("1",),
                      help="Full width, large type, nothing but what the audience should see.")  # fmt: skip
        return
    with st.container(key="presenter"), st.popover("Presenter", icon=":material/slideshow:", key="presenter_menu"):
        st.session_state[WIDGET] = st.session_state[KEPT]
        st.segmented_control("Panes", LAYOUTS, format_func=LAYOUTS.__getitem__, key=WIDGET, on_change=_laid_out)
        for name, label in PAGES:
            st.page_link(f"{name}.py", label=label)
        st.button("End presenting", key="present_off", on_click=_set, args=("",), type="primary")
        st.caption("F11: full screen · Esc: stop")


def off_stage(name: str) -> DeltaGenerator:
    """A container that the audience does not see while one presents; else one like any other.

    The column in which `inputs` stand is given up to the one beside it.
    """
    return st.container(key=f"{OFF}-{name}")


def chart(figure: go.Figure, *, key: str, alt: str) -> None:
    """A chart, readable from the last row while one presents."""
    st.plotly_chart(enlarge(figure) if on() else figure, key=key, alt=alt)


def places(titles: Sequence[str]) -> list[DeltaGenerator]:
    """A place a pane: side by side, while presenting also two by two, or one at a time behind tabs."""
    layout = st.session_state[KEPT] if on() else "1"
    if layout == "pane" and len(titles) > 1:
        return list(st.tabs([plain(title) for title in titles], key="pane_tabs"))
    if layout == "2x2" and len(titles) > 2:
        grid = st.grid(2, min_column_width=300)
        return [grid.cell() for _ in titles]
    return list(st.columns([2, 1])[:1] if len(titles) == 1 else st.columns(len(titles)))


def _set(layout: str) -> None:
    st.session_state[KEPT] = layout
    st.query_params.pop(PARAMETER, None)


def _laid_out() -> None:
    if chosen := st.session_state[WIDGET]:  # a second click on the same choice takes it away
        _set(chosen)
