"""How a link asks the playground to open, and which project a link is about that does not name one. Knows no screen.

A link is untrusted: what cannot be used is left out.
"""

import zlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import msgspec

from core import arms
from core.arms import Arm
from core.ask import MAX_QUESTION
from core.errors import Problem
from core.project import Project
from core.project.instruction import LONGEST

if TYPE_CHECKING:
    from core.runtime import Runtime


MOST_ARMS: Final = 4  # of a link


@dataclass(frozen=True)
class Opening:
    """The question to begin with, what to look at in its answers, and arms beside the project's own.

    `arms`: those to open with, each with its own settings, in place of the project's; `task`: the class of question
    whose own instruction holds.
    """

    question: str = ""
    shows: str = ""
    extra_arms: tuple[Arm, ...] = ()
    arms: tuple[Arm, ...] = ()
    task: str = ""

    @property
    def key(self) -> str:
        """Tells what was typed for one link's arms from what was typed for another's; "" without arms of its own."""
        return f"{zlib.crc32(repr(self.arms).encode()):x}" if self.arms else ""


def section(question: str, chosen: Sequence[Arm], task: str = "") -> dict[str, Any]:
    """The `playground` section of a scenario that asks these arms, each as it is; what is usual is left out."""
    made = [_beyond(msgspec.to_builtins(arm), msgspec.to_builtins(Arm())) for arm in chosen]
    return {"question": question, "arms": made} | ({"task": task} if task else {})


def opening(section: Mapping[str, Any], project: Project) -> Opening:
    """The `playground` section of a scenario, checked. `suggestion` names one of the project's suggested questions."""
    question, label, names = (section.get(name) for name in ("question", "suggestion", "extra_arms"))
    suggested = next((one for one in project.suggestions if label == one.label or question == one.question), None)
    text = question[:MAX_QUESTION] if isinstance(question, str) else suggested.question if suggested else ""
    extra = [arm for name in (names if isinstance(names, list) else [])[:MOST_ARMS] if (arm := _arm(project, name))]
    task = section.get("task")
    known = task if isinstance(task, str) and task in project.tasks else ""
    return Opening(
        text, suggested.shows if suggested else "", tuple(extra), _given(section.get("arms"), project), known
    )


def project_of(here: "Runtime", query: Mapping[str, str]) -> str | None:
    """The project of the run, evaluation or fine-tune that an address names; None when it names none that is here."""
    if run_id := query.get("run"):
        return here.runs.project_of(run_id)
    for name in ("evaluation", "finetune"):
        if job_id := query.get(name):
            with suppress(Problem):
                owner = here.jobs.get(job_id).parameters.get("project")
                return owner if isinstance(owner, str) else None
    return None


def _given(values: object, project: Project) -> tuple[Arm, ...]:
    """The arms that a link spells out; none where one of them cannot be asked."""
    try:
        found = msgspec.convert(values, tuple[Arm, ...])[:MOST_ARMS] if values else ()
        if found:
            arms.check(found)
    except (msgspec.ValidationError, Problem):
        return ()
    texts = [text or "" for arm in found for text in (arm.label, arm.system, arm.system_with_passages, arm.pinned)]
    if any(len(text) > LONGEST for text in texts):
        return ()
    try:
        return tuple(arm for arm in found if project.model(arm.model))
    except Problem:
        return ()


def _beyond(values: dict[str, Any], usual: dict[str, Any]) -> dict[str, Any]:
    """What differs from the usual values, also inside."""
    made = {}
    for name, value in values.items():
        if isinstance(value, dict) and isinstance(usual[name], dict):
            value = _beyond(value, usual[name])
            if not value:
                continue
        elif value == usual[name]:
            continue
        made[name] = value
    return made


def _arm(project: Project, name: object) -> Arm | None:
    try:
        return project.arm(name) if isinstance(name, str) else None
    except Problem:
        return None
