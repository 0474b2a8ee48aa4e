"""How a link asks the playground to open, and which project a link is about that does not name one. Knows no screen.

A link is untrusted: what cannot be used is left out.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from core.arms import Arm
from core.ask import MAX_QUESTION
from core.errors import Problem
from core.project import Project

if TYPE_CHECKING:
    from core.runtime import Runtime


@dataclass(frozen=True)
class Opening:
    """The question to begin with, what to look at in its answers, and arms beside the project's own."""

    question: str = ""
    shows: str = ""
    extra_arms: tuple[Arm, ...] = ()


def opening(section: Mapping[str, Any], project: Project) -> Opening:
    """The `playground` section of a scenario, checked. `suggestion` names one of the project's suggested questions."""
    question, label, names = (section.get(name) for name in ("question", "suggestion", "extra_arms"))
    suggested = next((one for one in project.suggestions if label == one.label or question == one.question), None)
    text = question[:MAX_QUESTION] if isinstance(question, str) else suggested.question if suggested else ""
    arms = [arm for name in (names if isinstance(names, list) else [])[:4] if (arm := _arm(project, name))]
    return Opening(text, suggested.shows if suggested else "", tuple(arms))


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


def _arm(project: Project, name: object) -> Arm | None:
    try:
        return project.arm(name) if isinstance(name, str) else None
    except Problem:
        return None
