"""A project with all that belongs to it: how far it is, duplicated, taken along in a file, taken in from one, deleted.

Whatever makes a project makes it whole or not at all: its documents are written to a file beside the others, which gets
its name in the transaction that keeps the project's row. What a killed process left of that is never taken up.
"""

import os
import sqlite3
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final

import msgspec

from core import evaluate, jobs, paths, runs, votes
from core.errors import Problem
from core.jobs import Job
from core.project import bundled, file, sets
from core.project.file import Contents, Evaluation, ModelFile
from core.project.readiness import Facts, State, state
from core.project.values import Model, Project
from core.retrieval import transfer
from core.retrieval.values import Settings
from core.text import one_line

if TYPE_CHECKING:
    from core.runtime import Runtime

STAGING: Final = ".staging-"
ENDED: Final = ("done", "failed", "cancelled", "interrupted")


def state_of(here: "Runtime", project: Project) -> State:
    """What a project has, lacks, and what works with it."""
    from core.runtime import spec

    missing = {}
    for model in project.models:
        try:
            spec(project, model.id)
        except Problem as problem:
            missing[model.id] = problem.message
    documents = transfer.count(here.base_store(project))
    if not documents and project.bundled:  # not indexed yet: they lie in its folder
        documents = sum(path.is_file() for path in next(iter(bundled.documents(project).values())).rglob("*"))
    asked = sum(len(here.questions.read(project, name)) for name in here.questions.names(project))
    return state(project, Facts(documents, asked, missing))


def duplicate(here: "Runtime", project: Project, title: str = "") -> Project:
    """A copy to be changed: documents with versions and snapshots, and all of the project but its results."""
    here.allow(project)
    asked = {name: here.questions.read(project, name) for name in here.questions.names(project)}
    with _copied_documents(here, project) as staged:

        def bring(db: sqlite3.Connection, made: Project) -> None:
            for name, questions in asked.items():
                sets.insert(db, made.id, name, questions)
            staged.replace(here.base_file(made))

        return here.projects.create(title or f"{project.title[:70]} (copy)", project, bring=bring)


def export(here: "Runtime", project: Project, out: BinaryIO, *, results: bool = True) -> None:
    """Write the project's file: see file.py. Raises Problem when it is too large."""
    here.allow(project)
    with _copied_documents(here, project) as staged:
        documents = transfer.texts(staged)
        contents = Contents(
            project=_portable(project),
            documents=documents,
            retrieval=Settings(**transfer.settings(staged)),  # type: ignore[arg-type]
            sets={name: here.questions.read(project, name) for name in here.questions.names(project)},
            runs=here.stored_runs.latest(project.id, file.MOST_RUNS)[::-1] if results else (),
            evaluations=_evaluations(here, project) if results else (),
            models=[_model_file(project, model) for model in project.models],
            votes=here.votes.all(project.id) if results else (),
        )
        file.write(out, contents, datetime.now(UTC).isoformat(timespec="seconds"))


def take_in(here: "Runtime", source: BinaryIO, title: str = "") -> tuple[Project, list[str]]:
    """The project of a file as a new one, and what a person should know about it. Raises Problem, changing nothing."""
    contents = file.read(source)
    given = contents.project
    for one in contents.evaluations:
        _check_scores(given, one)
    project, notes = _at_home(given, contents.models)
    staged = _staging()
    try:
        transfer.make(staged, contents.documents, {}, asdict(contents.retrieval))

        def bring(db: sqlite3.Connection, made: Project) -> None:
            for name, questions in contents.sets.items():
                sets.insert(db, made.id, name, questions)
            named: dict[tuple[str, str], str] = {}  # results whose id is taken here get another one
            for run in contents.runs:
                named["run", run.id] = _free(db, "runs", run.id)
                runs.insert(db, replace(run, project=made.id, id=named["run", run.id]))
            for one in contents.evaluations:
                named["evaluation", one.id] = _free(db, "jobs", one.id)
                jobs.insert_ended(db, _job(one, made, named["evaluation", one.id]), list(one.rows))
            for say in contents.votes:
                at = msgspec.structs.replace(say.place, id=named.get((say.place.kind, say.place.id), say.place.id))
                votes.insert(db, made.id, msgspec.structs.replace(say, place=at))
            staged.replace(here.base_file(made))

        return here.projects.create(title or given.title, project, bring=bring), notes
    finally:
        _remove(staged)


def delete(here: "Runtime", project: Project) -> None:
    """Take a project away for a day, then for good; what runs for it is stopped. Raises Problem."""
    here.projects.delete(project.id)
    for job in evaluate.jobs(here, project):
        if job.active:
            here.jobs.cancel(job.id)


# -- documents ---------------------------------------------------------------------------------------------------------


@contextmanager
def _copied_documents(here: "Runtime", project: Project) -> Iterator[Path]:
    """A file with all of the project's documents, also those of a bundled one that nobody has indexed yet."""
    staged = _staging()
    try:
        transfer.copy(here.base_file(project), staged)
        transfer.make(staged, (), bundled.documents(project), {})
        yield staged
    finally:
        _remove(staged)


def _staging() -> Path:
    """A name for a file in the making. Those that a killed process left are removed."""
    folder = paths.knowledge_dir()
    now = datetime.now(UTC).timestamp()
    for left in folder.glob(f"{STAGING}*"):
        with suppress(OSError):
            if now - left.stat().st_mtime > 86_400:
                left.unlink()
    return folder / f"{STAGING}{uuid.uuid4().hex}"


def _remove(staged: Path) -> None:
    for ending in ("", "-wal", "-shm", "-journal"):
        staged.with_name(staged.name + ending).unlink(missing_ok=True)


# -- models ------------------------------------------------------------------------------------------------------------


def _portable(project: Project) -> Project:
    """The project without places on this machine: a file's path becomes its name."""
    models = tuple(
        replace(model, file=_name(model.file), adapter=Path(model.adapter).name if model.adapter else None)
        for model in project.models
    )
    return replace(project, models=models, bundled=False, folder="")


def _name(given: str) -> str:
    """A model's file as another machine may know it: the id of a GGUF is its name without the ending."""
    return Path(given).stem if os.sep in given else given


def _model_file(project: Project, model: Model) -> ModelFile:
    """What the model is and where it is to be had; without a hash when its file is not here."""
    from core.runtime import spec
    from core.weights import catalog
    from core.weights.folder import hash_of

    name = _name(model.file)
    if model.endpoint:
        return ModelFile(model.id, model.file, get=f"a server at {model.endpoint}")
    known = catalog.default().manifest.models.get(catalog.default().chosen(model.file) or model.file)
    if known is not None:
        licence, get = known.source.licence, f"python -m core fetch {known.id}"
    else:
        licence, get = "", f"a file of one's own, {name}.gguf, for the models folder"
    try:
        found = spec(project, model.id)
        digest = found.sha256 or hash_of(found.path)
    except (Problem, OSError):
        digest = ""
    return ModelFile(model.id, name, digest, licence, get)


def _at_home(project: Project, files: Sequence[ModelFile]) -> tuple[Project, list[str]]:
    """The project with its models as this machine has them, and notes on those it has not.

    A file from elsewhere may name no place on this machine, and no variable that holds a key.
    """
    from core.weights import catalog

    told = {one.model: one for one in files}
    known = {*catalog.default().manifest.models, "base", "fine-tuned", *(own.id for own in catalog.own())}
    models, notes = [], []
    for model in project.models:
        adapter = paths.weights_dir() / Path(model.adapter).name if model.adapter else None
        here = replace(
            model,
            file=model.file if model.endpoint else _name(model.file),
            adapter=str(adapter) if adapter else None,
            key_variable=None,
        )
        models.append(here)
        title, about = one_line(model.title, 60), told.get(model.id, ModelFile(model.id, here.file))
        if model.endpoint:
            notes.append(
                f"{title} asks the server {one_line(model.endpoint, 100)}: check it, and name its key's variable."
            )
        elif here.file not in known:
            digest = f" (SHA-256 {one_line(about.sha256, 64)})" if about.sha256 else ""
            notes.append(f"{title} is not on this machine: {one_line(about.get or here.file, 120)}{digest}.")
        if adapter and not adapter.is_file():
            notes.append(f"{title} needs the adapter {one_line(adapter.name, 80)} in the models folder.")
    return replace(project, models=tuple(models)), notes


# -- results -----------------------------------------------------------------------------------------------------------


def _evaluations(here: "Runtime", project: Project) -> list[Evaluation]:
    """The project's evaluations that ended, oldest first."""
    found = [job for job in evaluate.jobs(here, project) if job.state in ENDED][: file.MOST_EVALUATIONS]
    made = []
    for job in reversed(found):
        given = {name: value for name, value in job.parameters.items() if name not in ("before", "project")}
        rows = tuple(here.jobs.rows(job.id))
        made.append(Evaluation(job.id, job.state, job.message, job.created, given, job.result, rows))
    return made


def _job(one: Evaluation, project: Project, job_id: str) -> Job:
    """An evaluation from a file as a job of this project; none goes on with it by its key."""
    given = one.parameters | {"project": project.id, "before": []}
    share = 1.0 if one.state == "done" else 0.0
    owner = "imported:0:0"
    return Job(
        job_id, evaluate.KIND, None, one.state, share, one.message, one.created, one.created, owner, given, one.result
    )


def _check_scores(project: Project, one: Evaluation) -> None:
    """Raises Problem when an evaluation from a file cannot be scored, as a page would find out only when opened."""
    try:
        evaluate.scored(one.parameters | {"before": []}, one.rows, project)
    except (Problem, AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        said = one_line(str(error), 120)
        raise Problem(f"The evaluation {one_line(one.id, 40)} in the project file cannot be read ({said}).") from error


def _free(db: sqlite3.Connection, table: str, wanted: str) -> str:
    """The id itself where no other result has it, else a new one."""
    taken = db.execute(f"SELECT 1 FROM {table} WHERE id = ?", (wanted,)).fetchone()
    return uuid.uuid4().hex[:12] if taken else wanted
