"""A document changed beside the answers: what is right from then on, which answers changed, how it is taken back.

Nothing is remembered here: a change is known by the kept versions of the document and by the runs before and after, so
that any page, process or restart sees the same. Knows no screen and no model.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from core import marks
from core.errors import Problem
from core.evaluation import scoring
from core.evaluation.questions import Question, marked
from core.marks import Mark
from core.records import ArmRecord, RunRecord
from core.retrieval.values import TODAY, Change
from core.text import one_line

if TYPE_CHECKING:
    from core.project import Project
    from core.retrieval import KnowledgeBase
    from core.runtime import Runtime

EDITED: Final = "edited"  # the origin that KnowledgeBase.update gives a text
STORY: Final = "story"  # the origin of core/story.py's changes, which it takes back itself
BEFORE: Final = "day-before-the-change"  # a day of Question.values, as in core/story.py
MOST_DOCUMENTS: Final = 4  # of a question; one on more of them (counting) has no single value that an edit replaces
LONGEST_TEXT: Final = 200_000  # characters in which a replaced value is looked for


@dataclass(frozen=True)
class Changed:
    """One arm, asked the same before and now. `same`: None where one of the two has no answer to compare.

    `passages`: whether it read other passages; `settings`: whether it was asked in another way.
    """

    arm: str
    title: str
    same: bool | None
    before: str
    now: str
    passages: bool
    settings: bool


def compare(before: RunRecord | None, now: RunRecord) -> dict[str, Changed]:
    """Arm -> what became of its answer, for the arms that both runs asked."""
    if before is None or before.settings.follows != now.settings.follows:
        return {}
    old = {arm.arm: (arm, chosen) for arm, chosen in zip(before.arms, before.settings.arms, strict=True)}
    found = {}
    for arm, chosen in zip(now.arms, now.settings.arms, strict=True):
        if arm.arm in old:
            was, how = old[arm.arm]
            same = was.answer == arm.answer if _answered(was) and _answered(arm) else None
            read = [[one.text for one in each.passages] for each in (was, arm)]
            found[arm.arm] = Changed(
                arm.arm, arm.title, same, was.answer, arm.answer, read[0] != read[1], how != chosen
            )
    return found


def told(changed: Mapping[str, Changed]) -> str:
    """Which panes changed their answer, in one line; "" where nothing can be compared."""
    known = [one for one in changed.values() if one.same is not None]
    if not known:
        return ""
    other = [one.title for one in known if not one.same]
    if not other:
        return f"None of {len(known)} panes changed its answer since this question was last asked."
    return f"{len(other)} of {len(known)} panes changed their answer: {', '.join(other)}."


def _answered(arm: ArmRecord) -> bool:
    return arm.problem is None and arm.finish in ("stop", "length")


# -- documents ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Saved:
    """What saving a document did. `passages`: how many it has now, `fresh` of them with another text than before."""

    path: str
    passages: int
    fresh: int
    total_ms: float

    @property
    def told(self) -> str:
        """In words."""
        return (
            f"{self.fresh} of {self.passages} passages changed, found by the next question after {self.total_ms:.0f} ms"
        )


def save(knowledge: "KnowledgeBase", path: str, text: str) -> Saved:
    """Put another text in the place of a document's; findable when this returns. Raises Problem."""
    return _saved(knowledge, path, lambda: knowledge.update(path, text))


def undo(knowledge: "KnowledgeBase", path: str) -> Saved | None:
    """Take the last edit by hand back; None where there is none."""
    version = undo_to(knowledge, path)
    return None if version is None else _saved(knowledge, path, lambda: knowledge.restore(path, version))


def _saved(knowledge: "KnowledgeBase", path: str, change: Callable[[], Change]) -> Saved:
    before = {chunk.text for chunk in knowledge.chunks(path)}
    done = change()
    now = [chunk.text for chunk in knowledge.chunks(path)]
    return Saved(path, len(now), sum(text not in before for text in now), done.total_ms)


def read_best(record: RunRecord) -> list[str]:
    """The documents that a run's arms read, best passage first."""
    read = [passage for arm in record.arms for passage in arm.passages if passage.document]
    return list(dict.fromkeys(one.document for one in sorted(read, key=lambda one: -one.score)))


def undo_to(knowledge: "KnowledgeBase", path: str) -> int | None:
    """The version that a document had before it was last edited by hand; None where its text is no such edit."""
    found = knowledge.named(path)
    if not found or found[0].origin != EDITED:
        return None
    now = found[0].version
    for version in knowledge.versions(path):  # the newest first
        dated = bool(version.views) and TODAY not in version.views
        if version.id < now and version.origin != STORY and not dated:
            return version.id
    return None


# -- what is right now -------------------------------------------------------------------------------------------------


def expected(question: Question | None, knowledge: "KnowledgeBase", snapshot: str | None = None) -> Question | None:
    """What is right now that documents may say something else than when the question was written.

    Where its documents held the answer and an edit put one other value in its place, that value is right and the old
    one is stale. Where the answer has only gone, it is stale and nobody knows what is right (`answer` is empty). Dated
    views of the documents are never edited.
    """
    if question is None or snapshot is not None or not question.answer:
        return question
    paths = list(dict.fromkeys(marked(place)[0] for place in question.documents))
    accepted = question.expected(None)
    if not 0 < len(paths) <= MOST_DOCUMENTS:
        return question
    now = {path: _text(knowledge, path) for path in paths}
    if any(scoring.holds(text, accepted) for text in now.values()):
        return question
    for path, text in now.items():
        versions = knowledge.versions(path) if text or _known(knowledge, path) else []
        held = [before for one in versions if scoring.holds(before := knowledge.text(path, one.id), accepted)]
        if held:  # some may be dated views, which differ in more than what was edited
            new = next((new for before in held for old in accepted if (new := replaced(before, text, old))), "")
            days = {day: value for day, value in question.values.items() if day != TODAY}
            days |= {BEFORE: accepted[0]} | ({TODAY: new} if new else {})
            return replace(question, answer=new, variants=(), values=days)
    return question


def rights(here: "Runtime", project: "Project", record: RunRecord) -> list[tuple[Question | None, tuple[str, ...]]]:
    """For each arm of a run, what is right now where the project knows it, and what counts as that."""
    sets = [here.questions.read(project, name) for name in here.questions.names(project)]
    known = marks.known(project, sets).get(marks.key(record.question))
    made = []
    for asked in record.settings.arms:
        right = expected(known, here.knowledge(project), asked.search.snapshot) if known else None
        made.append((right, marks.accepted(right, asked.search.snapshot)))
    return made


def worth(here: "Runtime", project: "Project", record: RunRecord) -> list[Mark | None]:
    """What each answer of a run is worth now."""
    return [
        marks.mark(arm, record.question, right, asked.search.snapshot)
        for arm, asked, (right, _) in zip(record.arms, record.settings.arms, rights(here, project, record), strict=True)
    ]


def replaced(before: str, now: str, old: str) -> str:
    """The one value that stands in `now` wherever `old` stood in `before`, all else being the same; "" if none does."""
    if not old or old not in before or max(len(before), len(now)) > LONGEST_TEXT:
        return ""
    first, *rest = (re.escape(part) for part in before.split(old))
    pattern = first + "([^\n]{1,200}?)" + rest[0] + "".join(r"\1" + part for part in rest[1:])
    found = re.fullmatch(pattern, now)
    return found[1].strip() if found and found[1] != old else ""


def _text(knowledge: "KnowledgeBase", path: str) -> str:
    return knowledge.text(path) if knowledge.named(path) else ""


def _known(knowledge: "KnowledgeBase", path: str) -> bool:
    try:
        return bool(knowledge.versions(path))
    except Problem:
        return False


# -- the whole of it, without a screen ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Outcome:
    """One arm before and after the change, with what either answer is worth."""

    arm: str
    title: str
    changed: bool | None
    before: str
    after: str
    mark_before: Mark | None
    mark_after: Mark | None


@dataclass(frozen=True)
class Tried:
    """A question asked, a document changed, the question asked again. `restored`: the document is as it was."""

    document: str
    old: str
    new: str
    saved: Saved
    before: RunRecord
    after: RunRecord
    arms: tuple[Outcome, ...]
    restored: bool
    line: str


def attempt(
    knowledge: "KnowledgeBase",
    known: Mapping[str, Question],
    ask: Callable[[], RunRecord],
    path: str,
    old: str,
    new: str,
) -> Tried:
    """Ask, put `new` for every `old` in the document, ask again; the document is restored whatever happens.

    `known`: as marks.known gives it. Raises Problem, before anything is asked, on words that the document does not
    hold.
    """
    if not knowledge.named(path):
        raise Problem(f"There is no document '{one_line(path, 120)}'. See: python -m core index list.")
    text, version = knowledge.text(path), knowledge.named(path)[0].version
    if not old or old not in text:
        raise Problem(f"The document '{one_line(path, 120)}' does not say '{one_line(old, 80)}'.")
    before = ask()
    right = known.get(marks.key(before.question))
    right_before = expected(right, knowledge)
    restored = False
    try:
        saved = save(knowledge, path, text.replace(old, new))
        after = ask()
        right_after = expected(right, knowledge)
    finally:
        knowledge.restore(path, version)
        restored = knowledge.text(path) == text
    changed = compare(before, after)
    outcomes = tuple(
        Outcome(
            one.arm,
            one.title,
            None if changed[one.arm].same is None else not changed[one.arm].same,
            was.problem or was.answer,
            one.problem or one.answer,
            marks.mark(was, before.question, right_before),
            marks.mark(one, after.question, right_after),
        )
        for was, one in zip(before.arms, after.arms, strict=True)
    )
    return Tried(path, old, new, saved, before, after, outcomes, restored, told(changed))
