"""Which passages hold a question's answer. Knows questions and passages; knows no arm and no reply."""

from collections.abc import Sequence
from typing import Protocol

from core.evaluation import scoring
from core.evaluation.questions import Question, marked, stands_in


class Passage(Protocol):
    """What is looked at of a passage, retrieved now or kept with a reply. `heading`: None where it is not known."""

    @property
    def document(self) -> str: ...
    @property
    def text(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def heading(self) -> str | None: ...


def stands_here(question: Question, passage: Passage, accepted: Sequence[str]) -> bool:
    """Whether one passage holds the answer: a marked section by its mark, else by its words. A passage given by hand
    has no document."""
    marks = [mark for mark in question.documents if marked(mark)[1]]
    if marks:
        return any(_lies_in(passage, mark) for mark in marks)
    known = not question.documents or passage.document in ("", *question.documents)
    return known and scoring.holds(passage.text, accepted)


def hit(question: Question, passages: Sequence[Passage], accepted: Sequence[str]) -> bool:
    """Whether passages hold the answer: for several documents, or a marked section, one of each; else its words."""
    if len(question.documents) > 1 or any(marked(mark)[1] for mark in question.documents):
        return all(any(_lies_in(passage, mark) for passage in passages) for mark in question.documents)
    return any(stands_here(question, passage, accepted) for passage in passages)


def _lies_in(passage: Passage, place: str) -> bool:
    return stands_in(place, passage.document, passage.title, passage.heading)
