"""The audience takes part: what it predicted before a run, its blind votes after, and both beside what came of it.

Predictions stand in the run's record as hands an arm; votes are those of core/votes.py, one voter a hand. Unnamed panes
are A, B, ... in an order drawn from a seed that stands in the record too. Knows no screen.
"""

import random
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from core import votes
from core.arms import Arm
from core.errors import Problem
from core.marks import WORDS, Mark
from core.records import ArmRecord, RunRecord
from core.text import one_line
from core.votes import Place, Vote

LETTERS: Final = "ABCDEFGH"
MOST_HANDS: Final = 10_000


@dataclass(frozen=True)
class Tally:
    """One pane after the reveal. `letter`: as it was unnamed, "" where it had its name. `hands`: predicted it right.

    `votes`: found it best. `mark`: what the answer is worth, in a word; `right`: None where that cannot be told.
    """

    letter: str
    arm: str
    title: str
    hands: int
    votes: int
    mark: str
    right: bool | None


def draw_seed() -> int:
    """A new seed for an order nobody can foresee."""
    return random.SystemRandom().randrange(2**31)


def order(record: RunRecord) -> list[ArmRecord]:
    """The panes in the order in which they are shown unnamed; as they are in a run with names."""
    if record.settings.blind is None:
        return list(record.arms)
    by_name = {arm.arm: arm for arm in record.arms}
    return [by_name[name] for name in votes.shuffled(list(by_name), record.settings.blind)]


def vote(record: RunRecord, best: str | None) -> Vote:
    """One more hand for an arm; None: for none of them. Raises Problem."""
    shown = [arm.arm for arm in order(record)]
    place, seed = Place("run", record.id), record.settings.blind or 0
    voter = f"hand {uuid.uuid4().hex[:8]}"
    return votes.vote(place, record.question, shown, [best] if best else [], voter=voter, seed=seed)


def tally(record: RunRecord, cast: Sequence[Vote], marks: Mapping[str, Mark | None]) -> list[Tally]:
    """Every pane with its predictions, votes and mark, in the order in which it was shown."""
    blind = record.settings.blind is not None
    made = []
    for letter, arm in zip(LETTERS, order(record), strict=False):
        mark = marks.get(arm.arm)
        made.append(
            Tally(
                letter if blind else "",
                arm.arm,
                arm.title,
                record.settings.predicted.get(arm.arm, 0),
                sum(arm.arm in one.best for one in cast),
                WORDS[mark.kind] if mark else "",
                mark.good if mark else None,
            )
        )
    return made


def said(found: Sequence[Tally]) -> str:
    """How well the audience foresaw it, in a sentence; "" without predictions or where nothing could be checked."""
    hands = sum(one.hands for one in found if one.right is not None)
    if not hands:
        return ""
    came_true = sum(one.hands for one in found if one.right)
    return f"{came_true} of {hands} predictions came true."


def hands_of(texts: Iterable[str], arms: Sequence[Arm]) -> tuple[tuple[str, int], ...]:
    """Predictions written ARM=HANDS. Raises Problem."""
    names, found = [arm.name for arm in arms], {}
    for text in texts:
        name, _, count = text.rpartition("=")
        if name not in names or not count.isascii() or not count.isdigit() or int(count) > MOST_HANDS:
            raise Problem(
                f"A prediction is written ARM=HANDS, the arm one of {', '.join(names)}: {one_line(text, 60)}."
            )
        found[name] = int(count)
    return tuple(found.items())
