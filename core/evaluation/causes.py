"""Why a wrong reply is wrong. Pure rules over one row's scores; knows no model and no statistics."""

from collections.abc import Mapping
from typing import Any, Final

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


def cause(row: Mapping[str, Any], *, covered: bool, tuned: bool, base_right: bool) -> str | None:
    """The cause of a wrong row; None for a right one, and for one without a reply.

    `row`: context, cls, right, problem, hit (None: none retrieved), abstained, stale, near
    `covered`: some document answers the question. `tuned`: the model declares a base; `base_right`: which got it right
    closed book.
    """
    if row["right"] or row["problem"]:
        return None
    if row["cls"] == "no-document":
        return UNASKED
    if row["cls"] == "tone-only":
        return VOICE
    if row["stale"]:
        return STALE
    if row["near"]:
        return FORMAT
    if tuned and row["context"] == "closed" and base_right:
        return FORGOTTEN
    if row["hit"] is None:
        return UNKNOWN
    if not covered:
        return FORGOTTEN if tuned and base_right else UNCOVERED
    if not row["hit"]:
        return NOT_RETRIEVED
    return DECLINED if row["abstained"] else IGNORED
