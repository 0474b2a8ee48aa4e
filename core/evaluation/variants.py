"""What an arm of an evaluation reads instead of the project's own passages: near misses, or documents split otherwise.

The wrong-corpus dial asks each question with a share of its passages swapped for near misses: what the retriever
itself ranks next, without the answer. So a model that leans on its passages is told apart from one that knows.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import floor
from typing import TYPE_CHECKING, Any, Final

from core.arms import Arm
from core.errors import Problem
from core.evaluation import hits
from core.evaluation.questions import Question
from core.retrieval.values import Settings

if TYPE_CHECKING:
    from core.ask import Retrieves
    from core.retrieval import Passage, Retrieved

SHARES: Final = (0.0, 0.25, 0.5, 0.75, 1.0)
LOOKED_AT: Final = 40  # passages below the first among which near misses are looked for, at least


@dataclass(frozen=True)
class Variant:
    """What is different for the arm of that name. `wrong`: the share of its passages that is swapped for near misses;
    `of`: the arm it is a variant of; `split`: how its documents are split, `embedder`: and by what embedded ("": as the
    project's)."""

    arm: str
    of: str = ""
    wrong: float = 0.0
    split: Settings | None = None
    embedder: str = ""


def dialled(arms: Sequence[Arm], shares: Sequence[float]) -> tuple[tuple[Arm, ...], tuple[Variant, ...]]:
    """Each arm that retrieves once a share, its own name kept at 0; the others as they are. Raises Problem."""
    for share in shares:
        if not 0 <= share <= 1:
            raise Problem(f"A share of wrong passages lies between 0 and 1, not {share}.")
    if not any(arm.retrieves for arm in arms):
        raise Problem("The wrong-corpus dial needs an arm that retrieves.")
    made: list[Arm] = []
    variants: list[Variant] = []
    for arm in arms:
        made.append(arm)
        if not arm.retrieves:
            continue
        variants.append(Variant(arm.name, arm.name))
        for share in sorted({share for share in shares if share > 0}):
            made.append(replace(arm, label=f"{arm.name}, {share:.0%} wrong"))
            variants.append(Variant(made[-1].name, arm.name, share))
    return tuple(made), tuple(variants)


@dataclass(frozen=True)
class Undated:
    """A knowledge base that holds one day's documents alone, for arms that name the day."""

    knowledge: "Retrieves"

    def query(self, text: str, top_k: int, mode: str, **rest: Any) -> "Retrieved":
        """What it finds, on whatever day."""
        return self.knowledge.query(text, top_k, mode, **(rest | {"snapshot": None}))


@dataclass(frozen=True)
class NearMisses:
    """A knowledge base as one question's arm sees it: a share of what it finds swapped for near misses.

    Which places are swapped is drawn by question and seed, and a larger share swaps those of a smaller one too. The
    count is rounded by chance, so that over many questions the share is met even where top-k is small.
    """

    knowledge: "Retrieves"
    question: Question
    accepted: tuple[str, ...]
    share: float
    seed: int = 0

    def query(self, text: str, top_k: int, mode: str, **rest: Any) -> "Retrieved":
        """What is found, with near misses at some places; fewer passages where there are not enough of them."""
        found = self.knowledge.query(text, top_k, mode, **rest)
        swapped = self._places(len(found.passages))
        if not swapped:
            return found
        wider = self.knowledge.query(text, min(100, top_k + LOOKED_AT), mode, **(rest | {"threshold": 0.0, "hops": 1}))
        kept = {(passage.document, passage.start, passage.chunk) for passage in found.passages}
        misses = iter(
            passage
            for passage in wider.passages
            if (passage.document, passage.start, passage.chunk) not in kept and not self._holds(passage)
        )
        made: list[Passage] = []
        for place, passage in enumerate(found.passages):
            if place not in swapped:
                made.append(passage)
            elif (miss := next(misses, None)) is not None:
                made.append(replace(miss, linked=passage.linked))  # it takes the place of one of a second hop
        return replace(found, passages=tuple(made))

    def _places(self, count: int) -> set[int]:
        draw = random.Random(f"{self.seed} {self.question.question}")
        order = draw.sample(range(count), count)
        return set(order[: min(count, floor(self.share * count + draw.random()))])

    def _holds(self, passage: "Passage") -> bool:
        """Whether a passage would give the answer after all: it stands in it, whichever document it is of."""
        return hits.anywhere(self.question, passage, self.accepted)
