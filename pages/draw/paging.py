"""One page of a long list: what is shown is what is sent to the browser."""

from collections.abc import Sequence
from typing import Final, TypeVar

import streamlit as st

T = TypeVar("T")
PAGE: Final = 100


def page_of(found: Sequence[T], key: str, size: int = PAGE) -> Sequence[T]:
    """The page of the list that is chosen below it; a list that has become shorter begins anew."""
    pages = -(-len(found) // size)
    if pages < 2:
        return found
    chosen = st.pagination(pages, key=f"{key}-page-{pages}")
    return found[(chosen - 1) * size : chosen * size]
