"""What a person decides about passages before a question is asked: pinned, left out, edited. Knows no index, no screen.

A passage is known by its document and its words: once the document says something else, it is another passage. Pinned
passages come first, whatever the search finds; those left out make room for the next best; an edited one is read with
the words put in its place, while the document stays as it is.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import msgspec

from core.errors import Problem
from core.evaluation.questions import marked, slugs
from core.records import PassageChoice, PassageRecord, Use
from core.text import one_line

if TYPE_CHECKING:
    from core.retrieval import KnowledgeBase

MOST: Final = 20  # choices of one asking
LONGEST: Final = 8_000  # characters of one passage


def check(choices: Sequence[PassageChoice]) -> None:
    """Raises Problem on choices that cannot be followed."""
    if len(choices) > MOST:
        raise Problem(f"{len(choices)} passages are pinned, left out or edited; at most {MOST} can be.")
    for one in choices:
        name = f"The passage '{one_line(one.document or one.text, 60)}'"
        if not one.text.strip():
            raise Problem(f"{name} has no text.")
        if max(len(one.text), len(one.edited)) > LONGEST:
            raise Problem(f"{name} has more than {LONGEST:,} characters. Shorten it.")
        if any("\ud800" <= letter <= "\udfff" or letter == "\x00" for letter in one.text + one.edited):
            raise Problem(f"{name} holds characters that are not text (a broken copy?).")
        if not one.document and one.use != "pinned":
            raise Problem(f"{name} is of no document, so it can only be pinned.")
    if len({(one.document, one.text) for one in choices}) < len(choices):
        raise Problem("One passage is pinned, left out or edited twice.")


def more(choices: Sequence[PassageChoice]) -> int:
    """How many passages have to be found beyond top-k, so that enough are left."""
    return sum(one.use != "found" for one in choices)


def apply(
    found: Sequence[PassageRecord], choices: Sequence[PassageChoice], top_k: int
) -> tuple[tuple[PassageRecord, ...], int]:
    """What an arm reads of what was found (best first), and how many passages were left out of it.

    Passages of a second hop come after the `top_k` others.
    """
    if not choices:
        return _cut(found, top_k), 0
    pinned = pins(choices, found)
    rest, left_out = [], 0
    for passage in found:
        choice = next((one for one in choices if _same(one, passage)), None)
        if choice is not None and choice.use == "out":
            left_out += 1
        elif choice is None or choice.use != "pinned":
            rest.append(_edited(passage, choice.edited if choice else ""))
    return (*pinned, *_cut(rest, max(top_k - len(pinned), 0))), left_out


def _cut(passages: Sequence[PassageRecord], most: int) -> tuple[PassageRecord, ...]:
    ordinary = [passage for passage in passages if not passage.linked][:most]
    return (*ordinary, *(passage for passage in passages if passage.linked))


def pins(choices: Sequence[PassageChoice], found: Sequence[PassageRecord] = ()) -> tuple[PassageRecord, ...]:
    """The pinned passages, with the score of those that were found as well (0 for others)."""
    made = []
    for one in choices:
        if one.use == "pinned":
            passage = next((each for each in found if _same(one, each)), None)
            kept = passage or PassageRecord(
                one.document, one.text, 0.0, one.title, one.heading, start=one.start, end=one.end
            )
            made.append(replace(_edited(kept, one.edited), pinned=True))
    return tuple(made)


def _edited(passage: PassageRecord, text: str) -> PassageRecord:
    return replace(passage, text=text, as_found=passage.text) if text and text != passage.text else passage


def _same(one: PassageChoice, passage: PassageRecord) -> bool:
    """Whether a choice is about a passage. Either may begin with the line that says where it stands."""
    if not one.document or one.document != passage.document:
        return False
    return one.text.endswith(passage.text) or passage.text.endswith(one.text)


# -- from outside ------------------------------------------------------------------------------------------------------


def at(knowledge: "KnowledgeBase", place: str, use: Use) -> tuple[PassageChoice, ...]:
    """All passages of a document, or of one section of it (`setup.md#install`), to be pinned or left out.

    Raises Problem when there is no such place.
    """
    path, heading = marked(place)
    found = [chunk for chunk in knowledge.chunks(path) if not heading or heading in slugs(chunk.title, chunk.heading)]
    if not found:
        raise Problem(f"'{one_line(path, 120)}' has no section '{one_line(heading, 80)}'.")
    return tuple(
        PassageChoice(path, chunk.text, use, "", chunk.title, chunk.heading, chunk.start, chunk.end) for chunk in found
    )


def parse(text: str, name: str) -> tuple[PassageChoice, ...]:
    """Choices as JSON: a list of them, or a whole run whose choices are meant. Raises Problem."""
    try:
        raw: Any = msgspec.json.decode(text)
        if isinstance(raw, dict):
            raw = raw["settings"]["choices"]
        made = msgspec.convert(raw, tuple[PassageChoice, ...])
    except (msgspec.MsgspecError, KeyError, TypeError) as error:
        raise Problem(
            f"{one_line(name, 80)} holds no passages ({one_line(str(error), 120)}): a JSON list of objects with "
            "document, text, use (found, pinned or out) and edited is wanted, or a run with its settings."
        ) from error
    check(made)
    return made
