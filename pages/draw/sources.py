"""Sources under an answer: passages numbered and scored, each opening at its place, and the citations checked."""

from collections.abc import Sequence
from urllib.parse import quote, urlencode

import streamlit as st

from core import marks
from core.records import PassageRecord
from core.retrieval.citations import Citation, check
from core.retrieval.locate import pieces
from core.text import one_line, plain
from pages.draw.passages import draw_marked
from pages.draw.project import query

SIGNS = {"supported": ":green-badge[✓ in the passage]", "missing": ":red-badge[✗ no such passage]"}


def draw_sources(answer: str, passages: Sequence[PassageRecord], right: Sequence[str] = ()) -> None:
    """The passages an answer was given, what is `right` marked in them, and whether what it cites is there."""
    for citation in check(answer, [passage.text for passage in passages]):
        st.markdown(f"cites **[{citation.number}]** {_verdict(citation)}")
    for number, passage in enumerate(passages, 1):
        place = f" · [open at its place]({address(passage)})" if passage.document and passage.start is not None else ""
        score = "" if passage.pinned and not passage.score else f" · score {passage.score:.2f}"
        pinned = " :blue-badge[:material/keep: pinned]" if passage.pinned else ""
        edited = " :orange-badge[:material/edit: edited for this question]" if passage.as_found else ""
        of = plain(passage.document) or "given by hand"
        hop = f" · second hop: {plain(one_line(passage.linked, 80))}" if passage.linked else ""
        st.markdown(f"**[{number}]** {of}{score}{place}{hop}{pinned}{edited}")
        if found := marks.places(passage.text, right):
            draw_marked(pieces(passage.text, found), "green")
        else:
            st.text(passage.text)
        if passage.as_found:
            st.caption("The document says:")
            st.text(passage.as_found)


def address(passage: PassageRecord) -> str:
    """The documents page, opened where the passage stands. Quoted, so that no path can become anything but a value."""
    return "documents?" + urlencode(
        query(document=passage.document, at=f"{passage.start}-{passage.end}"), quote_via=quote, safe=""
    )


def _verdict(citation: Citation) -> str:
    if citation.verdict == "unsupported":
        return f":orange-badge[✗ not in the passage: {plain(one_line(', '.join(citation.absent), 60))}]"
    return SIGNS[citation.verdict]
