"""Many files into the knowledge base as one job: parsed one by one, each added whole or not at all. Knows no screen."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any, Protocol

from core.errors import Problem
from core.retrieval import parsing
from core.retrieval.knowledge import KnowledgeBase
from core.retrieval.versions import clean_path

FOLDER = "uploads"


class Reports(Protocol):
    """What the work needs of its job."""

    @property
    def cancelled(self) -> bool: ...
    def progress(self, done: float, message: str = "") -> None: ...
    def append(self, row: Mapping[str, Any]) -> None: ...


def document_path(file_name: str) -> str:
    """The path a file gets in the base: its bare name in the folder "uploads", never a place on this machine."""
    return f"{FOLDER}/{clean_path(PurePosixPath(file_name.replace(chr(92), '/')).name)}"


def add_file(knowledge: KnowledgeBase, name: str, data: bytes) -> dict[str, Any]:
    """Add one file; gives one row for the person: `file`, `added` (yes or no) and one line that says what happened."""
    try:
        parsed = parsing.parse(name, data)
        change = knowledge.add(document_path(name), parsed.text, origin="upload", metadata={"type": parsed.type})
    except Problem as problem:
        return {"file": name, "added": False, "result": problem.message}
    line = f"{change.kind}: {change.chunks} passages, findable after {change.total_ms:.0f} ms"
    return {"file": name, "added": True, "result": line, "document": change.path}


def add_files(knowledge: KnowledgeBase, files: Sequence[tuple[str, bytes]]) -> Callable[[Reports], None]:
    """The work of a job that adds `files`, one row each. Raises Problem when there are too many."""
    if len(files) > parsing.MOST_FILES:
        raise Problem(f"{len(files)} files at once are too many; at most {parsing.MOST_FILES} are taken.")

    def work(job: Reports) -> None:
        for number, (name, data) in enumerate(files):
            if job.cancelled:
                return
            job.progress(number / len(files), f"{number} of {len(files)} files: {name}")
            job.append(add_file(knowledge, name, data))

    return work
