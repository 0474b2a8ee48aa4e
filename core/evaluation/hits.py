"""Which passages hold a question's answer. Knows questions and passages; knows no arm and no reply."""

from collections.abc import Sequence
from typing import Final, Protocol

from core.evaluation import scoring
from core.evaluation.questions import Question, marked, stands_in

COMPARED: Final = ("exact", "contains", "number", "facts", "similarity")  # graders whose values may stand in a text


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
    """Whether one passage holds the answer: a marked section by its mark, else by its words. Where words cannot tell (a
    yes or no, or no answer to look for) it must be about the question. A passage given by hand has no document."""
    marks = [mark for mark in question.documents if marked(mark)[1]]
    if marks:
        return any(_lies_in(passage, mark) for mark in marks)
    known = not question.documents or passage.document in ("", *question.documents)
    sought = [answer for answer in accepted if answer and not scoring.yes_or_no(answer)]
    return known and (
        scoring.holds(passage.text, sought) if sought else scoring.touches(passage.text, question.question)
    )


def sought(question: Question, accepted: Sequence[str]) -> tuple[str, ...]:
    """What to look for in passages: the accepted answers, else what the question's graders compare with."""
    found = [answer for answer in accepted if answer]
    compared = [value for one in question.graders if one.kind in COMPARED for value in (*one.values, one.value)]
    return tuple(found or [value for value in compared if value])


def by_place(question: Question) -> bool:
    """Whether its documents alone say if passages hold its answer: several, or a marked section."""
    return len(question.documents) > 1 or any(marked(mark)[1] for mark in question.documents)


def hit(question: Question, passages: Sequence[Passage], accepted: Sequence[str]) -> bool:
    """Whether passages hold the answer: for several documents, or a marked section, one of each; else its words, of
    several facts each one's."""
    if by_place(question):
        return all(any(_lies_in(passage, mark) for passage in passages) for mark in question.documents)
    if facts := [fact for one in question.graders if one.kind == "facts" and not one.negated for fact in one.values]:
        return all(any(stands_here(question, passage, (fact,)) for passage in passages) for fact in facts)
    return any(stands_here(question, passage, accepted) for passage in passages)


def anywhere(question: Question, passage: Passage, accepted: Sequence[str]) -> bool:
    """Whether a passage gives the answer at all, also where a question names other documents for it."""
    if by_place(question) and any(_lies_in(passage, mark) for mark in question.documents):
        return True
    return scoring.holds(passage.text, accepted)


def _lies_in(passage: Passage, place: str) -> bool:
    return stands_in(place, passage.document, passage.title, passage.heading)
