"""Files that a person sent, as jobs: planned and looked at first, then taken one by one. Knows no screen."""

from collections.abc import Mapping
from typing import Any, Protocol

from core.errors import Problem
from core.retrieval import sources
from core.retrieval.knowledge import KnowledgeBase
from core.retrieval.sources import Listing
from core.retrieval.syncing import Planned
from core.retrieval.values import Change, Sync

LARGEST_UPLOAD_MB = 50  # of one file or zip sent by a browser


class Reports(Protocol):
    """What the work needs of its job."""

    @property
    def cancelled(self) -> bool: ...
    def progress(self, done: float, message: str = "") -> None: ...
    def append(self, row: Mapping[str, Any]) -> None: ...


class Upload:
    """Files on their way into a base, below its folder `into`."""

    def __init__(self, knowledge: KnowledgeBase, listing: Listing, into: str = "") -> None:
        self._knowledge, self._listing, self._into = knowledge, listing, into
        self.planned: Planned | None = None
        self.done: Sync | None = None

    def plan(self, job: Reports) -> None:
        """The work of a job that reads every file; `planned` then says what taking them would do."""
        self.planned = self._knowledge.plan(
            self._listing, into=self._into, origin="upload", progress=job.progress, cancelled=lambda: job.cancelled
        )

    def take(self, job: Reports, prune: bool = False) -> None:
        """The work of a job that does what was planned, one row for each document and each file that failed."""
        if self.planned is None:
            raise Problem("These files were not looked at yet.")

        def changed(change: Change) -> None:
            job.append({"file": change.path, "added": True, "result": f"{change.kind}, passages: {change.chunks}"})

        with self._knowledge.alone(lambda: job.cancelled):
            self.done = self._knowledge.carry_out(
                self.planned, prune=prune, progress=job.progress, cancelled=lambda: job.cancelled, changed=changed
            )
        for name, why in self.done.failed:
            job.append({"file": name, "added": False, "result": why})


def add_file(knowledge: KnowledgeBase, name: str, data: bytes) -> dict[str, Any]:
    """Add one file; gives one row for the person: `file`, `added` (yes or no) and one line that says what happened."""
    try:
        planned = knowledge.plan(sources.uploads([(name, data)]), origin="upload")
        done = knowledge.carry_out(planned)
    except Problem as problem:
        return {"file": name, "added": False, "result": problem.message}
    if why := [*done.failed, *done.skipped]:
        return {"file": name, "added": False, "result": why[0][1]}
    plan = planned.plan
    path = next(iter((*plan.added, *plan.updated, *plan.unchanged)), "")
    return {"file": name, "added": True, "result": f"{done.embedded} passages embedded", "document": path}
