"""What answers depend on besides question and settings: kept with them, and held against today's. Runs nothing."""

import hashlib
import json
import zlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from core.arms import Arm
from core.errors import Problem
from core.project import Project
from core.records import Identity, plain

if TYPE_CHECKING:
    from core.runtime import Runtime

MOST_DOCUMENTS: Final = 300  # named one by one; of more a sum stands in the record
MOST_NAMED: Final = 3


def of(here: "Runtime", project: Project, arms: Sequence[Arm], snapshot: str | None = None) -> Identity:
    """Today's identity of what these arms would answer. `snapshot`: where the arms themselves name none."""
    models = {model: _model(project, model) for model in sorted({arm.model for arm in arms})}
    documents: dict[str, int] = {}
    if any(arm.retrieves for arm in arms):
        views = sorted({arm.search.snapshot or snapshot or "current" for arm in arms if arm.retrieves})
        for view in views:
            documents |= here.knowledge(project).standing(view)
    if len(documents) > MOST_DOCUMENTS:
        documents = {"*": zlib.crc32(json.dumps(sorted(documents.items())).encode())}
    return Identity(_sum([plain(project.instruction), plain(project.tasks), project.pinned]), models, documents)


def _model(project: Project, model_id: str) -> str:
    from core.runtime import spec

    try:
        model, found = project.model(model_id), spec(project, model_id)
    except Problem:
        return ""
    if model.endpoint:
        return _sum([model.endpoint, model.file, found.stop])
    return _sum([found.sha256 or str(found.path), found.template, found.stop, str(found.adapter or "")])


def _sum(value: object) -> str:
    return hashlib.sha256(json.dumps(value).encode()).hexdigest()[:12]


def differences(then: Identity | None, now: Identity) -> list[str]:
    """In words, what differs now; empty when nothing does."""
    if then is None:
        return ["made before this was kept: whether models, instruction and documents differ is not known"]
    lines = [] if then.instruction == now.instruction else ["the instruction has changed"]
    for model, was in then.models.items():
        today = now.models.get(model, "")
        if was != today:
            lines.append(f"{model}: " + ("is not here any more" if not today else "is another file or template"))
    return lines + _documents(then.documents, now.documents)


def _documents(then: dict[str, int], now: dict[str, int]) -> list[str]:
    if "*" in then or "*" in now:
        return [] if then == now else ["the documents have changed"]
    kinds = {
        "changed": [path for path in then if path in now and then[path] != now[path]],
        "gone": [path for path in then if path not in now],
        "new": [path for path in now if path not in then],
    }
    lines = []
    for kind, paths in kinds.items():
        if paths:
            named = ", ".join(paths[:MOST_NAMED]) + (" …" if len(paths) > MOST_NAMED else "")
            lines.append(f"{len(paths)} document{'s' * (len(paths) > 1)} {kind}: {named}")
    return lines
