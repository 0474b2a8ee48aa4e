"""The projects that come with the repository: `models/*/project.toml`, with documents and questions beside it.

Read-only: whoever wants to change one duplicates it. Knows the folder's form; knows nothing of what is in it.
"""

from dataclasses import replace
from functools import cache
from pathlib import Path

from core import paths, tomlfile
from core.errors import Problem
from core.project.values import Project

FILE = "project.toml"
QUESTIONS = "questions"
TEST = ("test-", "hand-test")  # sets that may be evaluated on; others are for training


@cache
def all_bundled() -> dict[str, Project]:
    """Id -> project, in the order of their folders. Raises Problem on a file that does not hold a project."""
    found = {}
    for file in sorted((paths.ROOT / "models").glob(f"*/{FILE}")):
        project = tomlfile.read(file, Project)
        if project.id != file.parent.name:
            raise Problem(f"{file.name} in '{file.parent.name}' says that its id is '{project.id}'.")
        found[project.id] = replace(project, bundled=True, folder=str(file.parent.relative_to(paths.ROOT)))
        found[project.id].check()
    return found


def documents(project: Project) -> dict[str, Path]:
    """Snapshot -> folder of its documents, the latest first; nothing for a project that is not bundled."""
    if not project.bundled:
        return {}
    return {name: paths.ROOT / project.folder / name for name in project.snapshots}


def question_files(project: Project) -> dict[str, Path]:
    """Name of a test set -> file."""
    folder = paths.ROOT / project.folder / QUESTIONS
    files = [path for path in sorted(folder.glob("*.jsonl")) if path.stem.startswith(TEST)]
    return {path.stem.removeprefix("test-").replace("hand-test", "by hand"): path for path in files}
