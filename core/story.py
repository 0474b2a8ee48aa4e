"""The guided story: a project's scenes put to its live models, each claim held against what is really answered.

A scene may change one document. The change stands only in scenes that ask for it, and a document is known to be changed
by its texts alone, so that whichever page, process or restart comes next can take it back. Knows no screen, no model.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from core import marks
from core.arms import Arm
from core.ask import Parts, Run, Settings
from core.errors import Problem
from core.evaluation.questions import Question
from core.evaluation.scoring import Voice
from core.marks import Mark
from core.project import Check, Project, Scene
from core.records import ArmRecord, RunRecord
from core.text import one_line

if TYPE_CHECKING:
    from core.retrieval import KnowledgeBase

ORIGIN: Final = "story"  # as the list of a document's versions says
VOICE, NO_VOICE = "voice", "no-voice"
CLAIMS: Final[dict[str, str]] = dict(marks.WORDS) | {VOICE: "in the house voice", NO_VOICE: "not in the house voice"}
LONGEST_ANSWER: Final = 48  # tokens: what fits a stage, and six seconds
TODAY, BEFORE = "today", "day-before-the-change"  # days of an edited value, as in Question.values


@dataclass(frozen=True)
class Edit:
    """A scene's change of a document. `total_ms`: until it could be found; None where nothing had to be changed.

    `stands`: whether the document says so now; where it cannot, `note` says why.
    """

    document: str
    old: str
    new: str
    stands: bool
    total_ms: float | None = None
    note: str = ""


@dataclass(frozen=True)
class Outcome:
    """What one arm did. `found`: the mark's kind, and whether in voice; `held`: None where nothing was claimed."""

    arm: str
    title: str
    answer: str
    claims: tuple[str, ...]
    found: tuple[str, ...]
    mark: Mark | None
    problem: str | None = None

    @property
    def held(self) -> bool | None:
        """Whether every claim came true."""
        return set(self.claims) <= set(self.found) if self.claims else None


def check(project: Project) -> None:
    """Raises Problem, naming the scene, on a story that cannot be told."""
    if not project.story:
        raise Problem(f"The project '{one_line(project.title, 60)}' has no story yet.")
    for scene in project.story:
        name = f"The scene '{one_line(scene.title, 60)}'"
        for arm, claim in scene.claims.items():
            project.arm(arm)
            if unknown := [word for word in claim.split() if word not in CLAIMS]:
                raise Problem(f"{name} claims '{one_line(unknown[0], 40)}'. Claims: {', '.join(CLAIMS)}.")
        if (scene.old or scene.new) and not scene.document:
            raise Problem(f"{name} says which words become others, and not in which document.")
        if scene.document and not (scene.old and scene.new and scene.old not in scene.new):
            raise Problem(f"{name} changes a document and must say which words (old) become which others (new).")


def notes(project: Project, knowledge: "KnowledgeBase") -> list[str]:
    """What will not go as written, a line a scene: a document that is not there, or that does not say those words."""
    found = []
    for scene in project.story:
        now = state(scene, knowledge)
        if now is not None and now.note:
            found.append(f"The scene '{one_line(scene.title, 60)}' changes {one_line(scene.document, 120)}: {now.note}")
    return found


def arms(project: Project, scene: Scene) -> tuple[Arm, ...]:
    """The arms on stage: those about which the scene claims something, in the project's order; else all."""
    named = {project.arm(name).name: project.arm(name) for name in scene.claims}
    return tuple(arm for arm in project.every_arm() if arm.name in named) or project.arms


def settings(project: Project, scene: Scene) -> Settings:
    """All arms of the scene at once, with answers short enough for a stage."""
    return Settings(tuple(_brief(arm, LONGEST_ANSWER) for arm in arms(project, scene)))


def checks(project: Project, scene: Scene) -> tuple[Check, ...]:
    """The project's checks that a scene shows: voice only where it is told of, and where nothing is claimed."""
    told = not scene.claims or any({VOICE, NO_VOICE} & set(claim.split()) for claim in scene.claims.values())
    return tuple(one for one in project.checks if told or one.kind != VOICE)


def warm(project: Project, parts: Parts) -> list[str]:
    """Load every model of the story, so that scene one answers at once; what failed is said. Keeps no run."""
    used = {arm.name: _brief(arm, 1) for scene in project.story for arm in arms(project, scene)}
    run = Run("Good morning!", Settings(tuple(used.values())), parts).start().wait()
    return [f"{arm.title}: {arm.problem}" for arm in run.record().arms if arm.problem]


def _brief(arm: Arm, most: int) -> Arm:
    return replace(arm, sampling=replace(arm.sampling, max_tokens=min(arm.sampling.max_tokens, most)))


# -- documents ---------------------------------------------------------------------------------------------------------


def enter(project: Project, scene: Scene, knowledge: "KnowledgeBase") -> Edit | None:
    """Bring the documents into the state of a scene: other scenes' changes taken back, its own made."""
    now = state(scene, knowledge)
    restore(project, knowledge, keep=scene.document if now is not None and now.stands else "")
    if not scene.document:
        return None
    now = state(scene, knowledge)
    if now is None or now.stands or now.note:
        return now
    text = knowledge.text(scene.document).replace(scene.old, scene.new)
    change = knowledge.update(scene.document, text, origin=ORIGIN)
    return replace(now, stands=True, total_ms=change.total_ms)


def state(scene: Scene, knowledge: "KnowledgeBase") -> Edit | None:
    """Whether a scene's change stands now; None for a scene without one. Changes nothing."""
    if not scene.document:
        return None
    edit = Edit(scene.document, scene.old, scene.new, stands=False)
    if not knowledge.named(scene.document):
        return replace(edit, note="This document is not there any more, so nothing was changed.")
    text = knowledge.text(scene.document)
    if scene.old in text:
        return edit
    if scene.new in text:
        return replace(edit, stands=True)
    return replace(edit, note=f"The document does not say {one_line(scene.old, 60)} any more, so nothing was changed.")


def standing(project: Project, knowledge: "KnowledgeBase") -> dict[str, int]:
    """The documents that a scene has changed and nobody has taken back -> the version each had before."""
    found: dict[str, int] = {}
    for path, old, new in dict.fromkeys((one.document, one.old, one.new) for one in project.story if one.document):
        if path in found or not knowledge.named(path):
            continue
        text = knowledge.text(path)
        if new not in text or old in text:
            continue
        for version in knowledge.versions(path):  # the newest first
            before = knowledge.text(path, version.id)
            if before != text and before.replace(old, new) == text:
                found[path] = version.id
                break
    return found


def restore(project: Project, knowledge: "KnowledgeBase", keep: str = "") -> list[str]:
    """Take every change of a story back, but for the document `keep`; gives the paths."""
    paths = {path: version for path, version in standing(project, knowledge).items() if path != keep}
    for path, version in paths.items():
        knowledge.restore(path, version)
    return list(paths)


# -- claims ------------------------------------------------------------------------------------------------------------


def expected(scene: Scene, known: Mapping[str, Question], edit: Edit | None) -> Question | None:
    """What is right in a scene: its own answer while its change stands, else what the project knows."""
    found = known.get(marks.key(scene.question))
    if not scene.answer or (edit is not None and not edit.stands):
        return found
    days = {day: value for day, value in found.values.items() if day != TODAY} if found else {}
    if found and found.answer:
        days[BEFORE] = found.answer
    return Question(scene.question, scene.answer, found.cls if found else "own", values=days | {TODAY: scene.answer})


def outcomes(project: Project, scene: Scene, record: RunRecord, right: Question | None) -> list[Outcome]:
    """What each arm of a finished run did, beside what the scene claims of it."""
    voice = Voice.of(project)
    wanted = {project.arm(name).name: tuple(claim.split()) for name, claim in scene.claims.items()}
    made = []
    for arm, chosen in zip(record.arms, record.settings.arms, strict=True):
        mark = marks.mark(arm, record.question, right, chosen.search.snapshot)
        made.append(
            Outcome(
                arm.arm, arm.title, arm.answer, wanted.get(arm.arm, ()), _found(arm, mark, voice), mark, arm.problem
            )
        )
    return made


def _found(arm: ArmRecord, mark: Mark | None, voice: Voice | None) -> tuple[str, ...]:
    kinds = (mark.kind,) if mark is not None else ()
    if voice is None or arm.problem or not arm.answer.strip():
        return kinds
    return (*kinds, VOICE if voice.heard(arm.answer) else NO_VOICE)


def told(found: list[Outcome]) -> tuple[bool | None, str]:
    """Whether the scene came true (None: it claims nothing), and one plain line that says so."""
    claimed = [one for one in found if one.claims]
    if not claimed:
        return None, ""
    if all(one.held for one in claimed):
        return True, "As told: " + "; ".join(f"{one.title} ({_words(one.claims)})" for one in claimed) + "."
    missed = [one for one in claimed if not one.held]
    lines = [f"{one.title} was to be {_words(one.claims)} and {_really(one)}" for one in missed]
    return False, "Different this time: " + "; ".join(lines) + "."


def _words(kinds: tuple[str, ...]) -> str:
    return " and ".join(CLAIMS[kind] for kind in kinds)


def _really(one: Outcome) -> str:
    if one.problem or not one.found:
        return "did not answer"
    return f"is {_words(one.found)}" + (f" ({one.mark.why})" if one.mark else "")


# -- the whole story ---------------------------------------------------------------------------------------------------

Asks = Callable[[str, Settings], RunRecord]


@dataclass(frozen=True)
class Played:
    """One scene as it went: `edit`, what each arm did, whether it came true and the line that says so."""

    title: str
    question: str
    edit: Edit | None
    outcomes: tuple[Outcome, ...]
    held: bool | None
    line: str


def play(
    project: Project,
    knowledge: "KnowledgeBase",
    known: Mapping[str, Question],
    ask: Asks,
    own: str = "",
    seen: Callable[[Played], None] = lambda _played: None,
) -> list[Played]:
    """The story from first to last scene; `own`: the audience's question, without which its scene is left out.

    The documents are restored whatever happens. Raises Problem.
    """
    check(project)
    played = []
    try:
        for scene in project.story:
            if not (question := scene.question or own):
                continue
            edit = enter(project, scene, knowledge)
            record = ask(question, settings(project, scene))
            found = outcomes(project, scene, record, expected(replace(scene, question=question), known, edit))
            held, line = told(found)
            played.append(Played(scene.title, question, edit, tuple(found), held, line))
            seen(played[-1])
    finally:
        restore(project, knowledge)
    return played
