"""The few lines of style for which Streamlit's theme has no setting; main.py puts them on every page."""

from typing import Final

import streamlit as st


def by_scheme(setting: str) -> str:
    """A colour of the theme as CSS. It follows the browser at once, not at the script's next run."""
    return f"light-dark({st.get_option(f'theme.light.{setting}')}, {st.get_option(f'theme.dark.{setting}')})"


# White on the dark scheme's light blue is 2.3 to 1: there Streamlit's filled parts are written on in dark. What pops up
# stands outside the part whose scheme Streamlit sets. A table that scrolls cannot be scrolled by keyboard. A pill
# that is chosen and in focus, or under the mouse, would be 3.9 to 1.
STYLE: Final = f"""<style>
button[data-testid^="stBaseButton-primary"]:not(:disabled), [data-testid="stMultiSelect"] [data-tag] {{
  color: light-dark(#FFFFFF, {st.get_option("theme.dark.backgroundColor")}); }}
button[data-testid^="stBaseButton-primary"] kbd, [data-testid="stCaptionContainer"] code {{
  color: inherit; opacity: 1; }}
[data-testid="stPopoverBody"] {{ color-scheme: light dark; }}
@media (max-width: 640px) {{
  :is([data-testid="stTable"], [data-testid="stMarkdown"]) table {{ table-layout: fixed; width: 100%; }}
  :is([data-testid="stTable"], [data-testid="stMarkdown"]) table :is(th, td, p) {{
    white-space: normal !important; overflow-wrap: anywhere !important; }}
  [data-testid="stMarkdown"] table :is(th, td) {{ padding: 0.25rem; }}
}}
button[data-variant="pills"][data-selected="true"] p {{
  color: light-dark(#005A8C, {st.get_option("theme.dark.primaryColor")}); }}
</style>"""


def draw() -> None:
    """Put the style on the page; it takes no room."""
    st.html(STYLE)
