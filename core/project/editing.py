"""Changes of a project that touch more than one of its parts, and what there is to choose from. Keeps nothing."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from core import addresses, arms
from core.arms import Arm, Context
from core.errors import Problem
from core.project.values import MOST_MODELS, Model, Project
from core.weights import catalog

FIRST_ARMS: Final[tuple[Context, ...]] = ("closed", "retrieval")  # what a new model is tried under


def offered(project: Project) -> dict[str, str]:
    """File -> title of the models that can be added: the manifest's, then the user's own GGUF files.

    What was fine-tuned on a bundled project's documents is offered to nobody else.
    """
    used = {model.file for model in project.models}
    here = catalog.default()
    found = {
        model.id: model.name
        for model in here.manifest.models.values()
        if model.role != "embedder" and (not model.adapter or model.id in used or project.bundled)
    }
    return found | {own.id: own.id for own in here.own() if not _is_adapter(own.path)}


def adapters() -> dict[str, str]:
    """Path -> name of the user's own LoRA adapters."""
    return {str(own.path): own.id for own in catalog.own() if _is_adapter(own.path)}


def with_model(
    project: Project,
    file: str,
    title: str,
    *,
    base: str | None = None,
    adapter: str | None = None,
    template: str | None = None,
    endpoint: str | None = None,
    key_variable: str | None = None,
    offer: str | None = None,
) -> Project:
    """The project with one more model, and its first arms where there is room for them. Raises Problem."""
    if len(project.models) >= MOST_MODELS:
        raise Problem(f"A project has at most {MOST_MODELS} models: remove one first.")
    if endpoint:
        addresses.check(endpoint)
        addresses.check_pair(key_variable, endpoint)
    title = title.strip() or file
    name = _free(re.sub(r"[^a-z0-9.-]+", "-", title.lower()).strip("-.")[:48] or "model", project)
    model = Model(
        name, title, file, base=base, adapter=adapter, template=template, endpoint=endpoint, key_variable=key_variable,
        offer=offer,
    )  # fmt: skip
    made = [Arm(name, context) for context in FIRST_ARMS]
    room = max(0, arms.MOST_ARMS - len(project.arms))
    return replace(project, models=(*project.models, model), arms=(*project.arms, *made[:room]))


def with_models(project: Project, models: Sequence[Model]) -> tuple[Project, int]:
    """The project with these models, less the arms whose model is gone; and how many those are."""
    ids = {model.id for model in models}
    kept = tuple(arm for arm in project.arms if arm.model in ids)
    return replace(project, models=tuple(models), arms=kept), len(project.arms) - len(kept)


def with_texts(project: Project, arm_name: str, texts: Mapping[str, Any]) -> Project:
    """The project with an arm's own texts instead of the instruction's; None takes the instruction's."""
    changed = tuple(replace(arm, **texts) if arm.name == arm_name else arm for arm in project.arms)
    return replace(project, arms=changed)


def _is_adapter(path: Path) -> bool:
    try:
        return catalog.is_adapter(path)
    except Problem:  # no GGUF at all: it is refused in words when somebody uses it
        return False


def _free(name: str, project: Project) -> str:
    taken = {model.id for model in project.models}
    numbered = (name if number == 1 else f"{name}-{number}" for number in range(1, MOST_MODELS + 2))
    return next(one for one in numbered if one not in taken)
