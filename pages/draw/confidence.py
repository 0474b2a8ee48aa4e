"""Drawing how sure a model was of its tokens: by colour, and by signs and figures for who sees no colour."""

import streamlit as st

from core import confidence
from core.confidence import STEPS, Stretch
from core.records import ArmRecord
from core.text import one_line, plain

MARKS = (":red-background[‹‹{}›› {}]", ":orange-background[‹{}› {}]", ":blue-background[{}]", "{}")


def draw_confidence(arm: ArmRecord) -> None:
    """The answer with its unsure tokens marked, a legend, and what the figure is not."""
    found = confidence.summary(arm.confidence)
    if found is None:
        return
    with st.expander(f"Token confidence · perplexity {found.perplexity:.2f}"):
        low, middle, high = (f"{step:.0%}" for step in STEPS)
        st.caption(
            f":red-background[‹‹under {low}››] :orange-background[‹under {middle}›] :blue-background[under {high}] "
            f"else unmarked. Lowest: {plain(one_line(found.lowest_text, 30))} at {found.lowest:.0%}. "
            "How likely the model found each token; sure is not the same as right."
        )
        st.markdown("".join(map(_marked, confidence.stretches(arm.confidence))))


def _marked(one: Stretch) -> str:
    text = plain(one.text.replace("\n", " "))
    if not text.strip():
        return text
    lead, tail = text[: len(text) - len(text.lstrip())], text[len(text.rstrip()) :]
    share = f"{one.lowest:.0%}"
    return lead + MARKS[one.step].format(text.strip(), share) + tail
