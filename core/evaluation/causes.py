"""Why a wrong reply is wrong, and what told so. Pure rules over one row's scores; knows no model and no statistics."""

from dataclasses import dataclass
from typing import Final

from core.evaluation.records import Row
from core.text import one_line

UNASKED: Final = "answered though no document covers it"
STALE: Final = "stale fact: the training day's value"
FORMAT: Final = "right fact, wrong format"
FORGOTTEN: Final = "base knew it and the fine-tune forgot"
UNKNOWN: Final = "closed book: the model does not know it"
NOT_RETRIEVED: Final = "passage not retrieved"
IGNORED: Final = "retrieved but ignored"
DECLINED: Final = "retrieved, but declined to answer"
UNCOVERED: Final = "no document covers it"
VOICE: Final = "not in voice"
CAUSES: Final = (
    UNASKED,
    STALE,
    FORMAT,
    FORGOTTEN,
    UNKNOWN,
    NOT_RETRIEVED,
    IGNORED,
    DECLINED,
    UNCOVERED,
    VOICE,
)


@dataclass(frozen=True)
class Cause:
    """One of CAUSES, and what in the row told so."""

    name: str
    why: str


def cause(row: Row, *, covered: bool, tuned: bool, base_right: bool) -> Cause | None:
    """The cause of a wrong row; None for a right one, and for one without a reply.

    `covered`: some document answers the question. `tuned`: the model declares a base; `base_right`: which got it right
    closed book.
    """
    if row.right or row.problem:
        return None
    wanted = f"“{one_line(row.expected, 60)}”" if row.expected else "all that was asked for"
    passages = f"{len(row.documents)} passages"
    if row.cls == "no-document":
        return Cause(UNASKED, "it does not say that it does not know, and no document answers the question")
    if row.cls == "tone-only":
        return Cause(VOICE, "it does not begin and end as the project's voice does")
    if row.stale:
        return Cause(STALE, "it states the value of another day")
    if row.near:
        return Cause(FORMAT, f"what was asked for stands in it, not as {wanted}")
    if tuned and row.context == "closed" and base_right:
        return Cause(FORGOTTEN, "the base, asked the same without passages, was right")
    if row.hit is None:
        return Cause(UNKNOWN, "it was given no passage to read")
    if not covered:
        if tuned and base_right:
            return Cause(FORGOTTEN, "no document answers it; the base, asked the same without passages, was right")
        return Cause(UNCOVERED, "the question names no document that answers it")
    if not row.hit:
        return Cause(NOT_RETRIEVED, f"none of its {passages} holds {wanted}")
    at = ", ".join(map(str, row.holding))
    held = f"passage {at} of {len(row.documents)} holds {wanted}" if at else "the right passages were given"
    if row.abstained:
        return Cause(DECLINED, f"{held}, and it says that it does not know")
    return Cause(IGNORED, f"{held}, and it states something else")
