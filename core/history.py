"""Every run and evaluation of a project: searched, named, tagged, held against today, run again, deleted, taken along.

The one owner of the table `labels`. What is deleted can be brought back for a day. Knows no screen.
"""

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, Literal

from core import ask, evaluate, identity, jobs, records, runs
from core.errors import Problem
from core.project import Project
from core.records import Identity, RunRecord
from core.store import Migration
from core.text import one_line

if TYPE_CHECKING:
    from core.runtime import Runtime

Kind = Literal["run", "evaluation"]
KINDS: Final[tuple[Kind, ...]] = ("run", "evaluation")
UNDO: Final = timedelta(days=1)
MOST_TAGS, LONGEST_TAG, LONGEST_NAME = 10, 30, 80
MIGRATIONS: Final = [
    Migration(
        "labels-1",
        """
        CREATE TABLE labels (
            project TEXT NOT NULL, id TEXT NOT NULL, name TEXT NOT NULL, tags TEXT NOT NULL, PRIMARY KEY (project, id)
        ) WITHOUT ROWID;
        """,
    )
]


@dataclass(frozen=True)
class Entry:
    """One run or evaluation. `made`: UTC, ISO 8601. `title`: its question or what it asked. `state`: how it was run."""

    kind: Kind
    id: str
    made: str
    title: str
    state: str
    name: str = ""
    tags: tuple[str, ...] = ()


def entries(
    here: "Runtime", project: Project, text: str = "", kind: str = "", tag: str = "", deleted: bool = False
) -> list[Entry]:
    """The project's runs and evaluations in which `text` stands (or in their name), newest first."""
    labels = _labels(here, project)
    every = [*_runs(here, project, text, deleted, labels), *_evaluations(here, project, text, deleted, labels)]
    named = [replace(one, name=labels[one.id][0], tags=labels[one.id][1]) if one.id in labels else one for one in every]
    found = [one for one in named if kind in ("", one.kind) and (not tag or tag in one.tags)]
    return sorted(found, key=lambda one: one.made, reverse=True)


def _labels(here: "Runtime", project: Project) -> dict[str, tuple[str, tuple[str, ...]]]:
    here.allow(project)
    rows = here.store.read("SELECT id, name, tags FROM labels WHERE project = ?", (project.id,))
    return {row["id"]: (row["name"], tuple(row["tags"].split())) for row in rows}


def name_of(here: "Runtime", project: Project, entry_id: str) -> str:
    """The name somebody gave a run or an evaluation; "" for none."""
    return _labels(here, project).get(entry_id, ("", ()))[0]


Labels = Mapping[str, tuple[str, tuple[str, ...]]]


def _runs(here: "Runtime", project: Project, text: str, deleted: bool, labels: Labels) -> Iterable[Entry]:
    rows = here.stored_runs.find(project.id, text, deleted)
    found = {row["id"] for row in rows}
    if text.strip():  # a name is not in the run itself
        by_name = {one for one, (name, _) in labels.items() if text.casefold() in name.casefold()}
        rows += [row for row in here.stored_runs.find(project.id, "", deleted) if row["id"] in by_name - found]
    for row in rows:
        yield Entry("run", row["id"], row["made"], row["question"], row["way"])


def _evaluations(here: "Runtime", project: Project, text: str, deleted: bool, labels: Labels) -> Iterable[Entry]:
    for job in here.jobs.list(evaluate.KIND, deleted):
        if evaluate.project_of(job) != project.id:
            continue
        made = datetime.fromtimestamp(job.created, UTC).isoformat(timespec="seconds")
        title = str(job.parameters.get("name") or f"{len(job.parameters['questions'])} questions")
        said = [labels.get(job.id, ("", ()))[0], title, *(str(one["question"]) for one in job.parameters["questions"])]
        if any(text.casefold() in one.casefold() for one in said):
            yield Entry("evaluation", job.id, made, title, job.state)


def find(here: "Runtime", project: Project, entry_id: str, deleted: bool = False) -> Entry:
    """One of them by its id. Raises Problem."""
    for one in entries(here, project, deleted=deleted):
        if one.id == entry_id:
            return one
    which = "deleted run or evaluation" if deleted else "run or evaluation"
    raise Problem(f"This project has no {which} '{one_line(entry_id, 40)}'.")


# -- changes -----------------------------------------------------------------------------------------------------------


def tags_of(text: str) -> tuple[str, ...]:
    """Tags out of words, without # and doubles. Raises Problem."""
    tags = tuple(dict.fromkeys(word.strip("#,").casefold() for word in text.split() if word.strip("#,")))
    if len(tags) > MOST_TAGS or any(len(tag) > LONGEST_TAG or not tag.isprintable() for tag in tags):
        raise Problem(f"At most {MOST_TAGS} tags of at most {LONGEST_TAG} characters each.")
    return tags


def label(here: "Runtime", project: Project, entry: Entry, name: str, tags: Sequence[str]) -> None:
    """Give it a name and tags, in place of those it had. Raises Problem."""
    here.allow(project)
    row = (project.id, entry.id, one_line(name.strip(), LONGEST_NAME), " ".join(tags_of(" ".join(tags))))
    here.store.write(lambda db: db.execute("INSERT OR REPLACE INTO labels VALUES (?, ?, ?, ?)", row))


def delete(here: "Runtime", project: Project, found: Sequence[Entry], *, back: bool = False) -> None:
    """Take them away for a day, then for good; or bring them `back`. A running evaluation is stopped."""
    when = None if back else datetime.now(UTC).isoformat(timespec="seconds")
    for one in found:
        if one.kind == "run":
            here.stored_runs.delete(project.id, one.id, when)
            continue
        if not back and here.jobs.get(one.id).active:
            here.jobs.cancel(one.id)
        here.jobs.delete(one.id, when)


def purge(here: "Runtime", now: datetime | None = None) -> int:
    """Erase what was deleted more than a day ago, with its labels and votes; gives how many."""
    before = ((now or datetime.now(UTC)) - UNDO).isoformat(timespec="seconds")

    def erase(db: sqlite3.Connection) -> int:
        gone = [*runs.erase(db, before), *jobs.erase_deleted(db, before)]
        db.executemany("DELETE FROM labels WHERE id = ?", [(one,) for one in gone])
        db.executemany("DELETE FROM votes WHERE source = ?", [(one,) for one in gone])
        return len(gone)

    return here.store.write(erase)


# -- today -------------------------------------------------------------------------------------------------------------


def differs(here: "Runtime", project: Project, entry: Entry) -> list[str]:
    """In words, what differs now from when it was made; empty: asked again, the same would answer."""
    if entry.kind == "run":
        run = here.stored_runs.get(entry.id)
        then, arms, snapshot = run.identity, run.settings.arms, None
    else:
        job = here.jobs.get(entry.id)
        kept = job.parameters.get("identity")
        then = Identity(**kept) if kept else None
        arms, snapshot = evaluate.arms_of(job), job.parameters["options"].get("snapshot")
    lines = identity.differences(then, identity.of(here, project, arms, snapshot))
    today = {arm.name: arm for arm in project.every_arm()}
    for arm in arms:
        one = today.get(arm.name)
        if one is None:
            lines.append(f"{arm.name}: the project has no such arm any more")
        elif arm.pinned != one.pinned or (arm.retrieves and arm.search != one.search) or arm.sampling != one.sampling:
            lines.append(f"{arm.name}: the project's settings of this arm are others; asked again, it keeps its own")
    return lines


def again(here: "Runtime", project: Project, entry: Entry, owner: str = "", watched: bool = True) -> str:
    """Run it once more as it was, on today's models, instruction and documents; gives the new one's id."""
    if entry.kind == "evaluation":
        return evaluate.repeated(here, entry.id).id
    run = here.stored_runs.get(entry.id)
    if run.settings.task or run.settings.perfect:
        raise Problem("This run was part of something that gave it its passages; it cannot be asked again by itself.")
    was = run.settings
    settings = ask.Settings(was.arms, was.way, was.device, was.gpu_layers, choices=was.choices)
    return here.ask(project, run.question, settings, watched=watched, owner=owner).id


@dataclass(frozen=True)
class Both:
    """One arm in two runs; "" where a run lacks it. `same`: word for word."""

    arm: str
    before: str
    after: str
    before_ms: float | None
    after_ms: float | None

    @property
    def same(self) -> bool:
        """Whether the answers are one."""
        return self.before == self.after


def compare(one: RunRecord, two: RunRecord) -> list[Both]:
    """Two runs, arm by arm, by the arms' names."""
    first, second = ({arm.arm: arm for arm in run.arms} for run in (one, two))
    empty = records.ArmRecord("", "")
    made = []
    for name in dict.fromkeys([*first, *second]):
        a, b = first.get(name, empty), second.get(name, empty)
        title = a.title or b.title or name
        made.append(
            Both(title, a.problem or a.answer, b.problem or b.answer, a.timing.total, b.timing.total),
        )
    return made


def document(here: "Runtime", entry: Entry) -> dict[str, Any]:
    """All of it as JSON values: what it is called, then the run or the evaluation's report."""
    body = here.stored_runs.get(entry.id) if entry.kind == "run" else evaluate.result(here, entry.id)
    return {**records.plain(entry), "body": records.plain(body)}
