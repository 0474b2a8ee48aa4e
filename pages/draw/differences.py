"""Drawing what compares panes: the difference of two answers, and whether the models can be compared at all."""

from collections.abc import Sequence

import streamlit as st

from core.records import ArmRecord
from core.text import plain
from core.word_diff import Piece, word_diff


def draw_diff(one: ArmRecord, two: ArmRecord) -> None:
    """Two answers word by word: only in the first is red, only in the second green."""
    marks = {Piece.SAME: "{}", Piece.FIRST: ":red-background[− {}]", Piece.SECOND: ":green-background[+ {}]"}
    pieces = word_diff(one.answer, two.answer)
    st.markdown(" ".join(marks[kind].format(plain(text)) for kind, text in pieces) or "Both are empty.")


def mismatch(arms: Sequence[ArmRecord]) -> str | None:
    """A warning when the models compared differ in more than their fine-tuning."""
    models = [arm.model for arm in arms if arm.model]
    for field, name in (("quantization", "quantization"), ("template_sha256", "chat template")):
        if len({getattr(model, field) for model in models}) > 1:
            return f"The panes' models differ in {name}: part of what you see is that difference, not the fine-tuning."
    return None
