"""Drawing passages: as indexed, with what overlaps, and text with marked stretches. Texts are untrusted: plain only."""

import streamlit as st

from core.retrieval.locate import Piece, overlaps, pieces
from core.retrieval.values import Chunk
from core.text import plain


def draw_chunks(chunks: list[Chunk]) -> None:
    """The passages as indexed, with token counts; what repeats the one before is marked."""
    for number, (chunk, repeated) in enumerate(zip(chunks, overlaps(chunks), strict=True), 1):
        where = f" · {plain(chunk.heading)}" if chunk.heading else ""
        again = f" · first {repeated} characters repeat the one before" if repeated else ""
        st.caption(f"**{number}**{where} · {chunk.tokens} tokens · characters {chunk.start}–{chunk.end}{again}")
        with st.container(border=True):
            draw_marked(pieces(chunk.body, [(0, repeated)] if repeated else []))


def draw_marked(found: list[Piece], color: str = "orange") -> None:
    """Text with marked stretches, as text: nothing in it becomes Markdown, a link or an image."""
    lines = [""]
    for piece in found:
        for at, part in enumerate(piece.text.split("\n")):
            if at:
                lines.append("")
            shown = plain(part if lines[-1] else part.lstrip())
            if shown.strip():
                lines[-1] += f":{color}-background[{shown}]" if piece.marked else shown
    st.markdown("  \n".join(line or "\u00a0" for line in lines))
