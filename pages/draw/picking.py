"""Passages for the next asking: pinned, left out, edited, or written by hand. Texts are untrusted: plain only.

What is chosen is kept in the session for one question of one project; it touches no document and no other question.
"""

import hashlib
from collections.abc import Callable

import streamlit as st

from core import marks, passages
from core.errors import Problem
from core.project import Project
from core.records import PassageChoice, RunRecord, Use
from core.text import one_line, plain

USES: dict[Use, str] = {"found": "as found", "pinned": "pin", "out": "leave out"}
WORDS: dict[Use, str] = {"found": "edited", "pinned": "pinned", "out": "left out"}


def chosen(project: Project, question: str) -> tuple[PassageChoice, ...]:
    """What the session has decided about the passages of a question."""
    kept: tuple[PassageChoice, ...] = st.session_state.get(_key(project, question), ())
    return kept


def draw_picking(project: Project, record: RunRecord, again: Callable[[], None]) -> None:
    """The passages that a finished run read, each to be used otherwise at the next asking; nothing while closed."""
    key = _key(project, record.question)
    if record.settings.choices:
        st.session_state.setdefault(key, record.settings.choices)  # a run opened again
    kept = chosen(project, record.question)
    note = st.empty()
    if kept:
        note.caption(f":material/keep: The next asking of this question: {told(kept)}.")
    with st.expander("Passages for the next asking", key=f"picking-{project.id}", on_change="rerun") as box:
        if not box.open:  # its label stays the same: another one would close it
            return
        st.caption(
            "For this question only; documents stay as they are. Pinned passages come first, whatever is found, and "
            "keep their words when their document changes."
        )
        listed = _listed(record, kept)
        made = [one for number, found in enumerate(listed, 1) if (one := _draw_one(number, found, key))]
        if own := _own_text(project, record.question):
            made.append(own)
        try:
            passages.check(made)
        except Problem as problem:
            st.error(plain(problem.message))
            return
        st.session_state[key] = tuple(made)
        if st.button("Ask again with these", type="primary", key="picking-ask"):
            again()
            st.rerun()
        if made:
            note.caption(f":material/keep: The next asking of this question: {told(tuple(made))}.")
        else:
            note.empty()


def told(choices: tuple[PassageChoice, ...]) -> str:
    """How many passages are pinned, left out and edited."""
    counts = {word: sum(one.use == use for one in choices) for use, word in WORDS.items()}
    counts["edited"] = sum(bool(one.edited) for one in choices)
    return ", ".join(f"{count} {word}" for word, count in counts.items() if count)


def _listed(record: RunRecord, kept: tuple[PassageChoice, ...]) -> list[PassageChoice]:
    """What has been decided, then all that the run read and nothing was decided about."""
    listed = {(one.document, one.text): one for one in kept if one.document}
    for arm in record.arms:
        for one in arm.passages if arm.context == "retrieval" else ():
            text = one.as_found or one.text
            if one.document and not any(each.document == one.document and each.text.endswith(text) for each in kept):
                choice = PassageChoice(one.document, text, "found", "", one.title, one.heading, one.start, one.end)
                listed.setdefault((one.document, text), choice)
    return list(listed.values())


def _draw_one(number: int, one: PassageChoice, key: str) -> PassageChoice | None:
    """One passage with its controls; None where nothing is decided about it."""
    name = hashlib.sha256(f"{key}\n{one.document}\n{one.text}".encode()).hexdigest()[:12]
    with st.container(border=True):
        where = f" · {plain(one_line(one.heading, 80))}" if one.heading else ""
        st.caption(f"**{number}** · {plain(one.document)}{where}")
        with st.container(horizontal=True, vertical_alignment="center"):
            use: Use = st.segmented_control(
                f"Use of passage {number}",
                list(USES),
                default=one.use,
                format_func=USES.__getitem__,
                key=f"use-{name}",
                label_visibility="collapsed",
                required=True,
            )
            with st.popover("Edit", icon=":material/edit:"):
                text = st.text_area(
                    f"Passage {number}, for this question only",
                    one.edited or one.text,
                    height=220,
                    max_chars=passages.LONGEST,
                    key=f"words-{name}",
                )
        edited = text if text.strip() and text != one.text else ""
        st.text(edited or one.text)
        if edited:
            st.caption(":material/edit: edited for this question; the document says otherwise")
    changed = PassageChoice(one.document, one.text, use or "found", edited, one.title, one.heading, one.start, one.end)
    return changed if edited or changed.use != "found" else None


def _own_text(project: Project, question: str) -> PassageChoice | None:
    kept = next((one.text for one in chosen(project, question) if not one.document), "")
    text = st.text_area(
        "A passage of your own, pinned",
        kept,
        height=80,
        max_chars=passages.LONGEST,
        key=f"own-{_key(project, question)}",
    )
    return PassageChoice("", text.strip(), "pinned") if text.strip() else None


def _key(project: Project, question: str) -> str:
    return f"choices-{project.id}-{marks.key(question)}"
