"""The runtime as one person sees it: THE place where what is private is kept from others.

Pages hold a View and nothing else. Every way to something of a project asks `allow` at the moment it is used, so a
project that was handed over while a page was open is closed to it at once, by page, link, job id and export alike; what
is not theirs is not there, in the same words. What goes on in the background goes on for the project: it works with
`machine`. Where nobody is asked to sign in everyone is NOBODY, who sees all that is not somebody's alone.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from core import evaluate, limits
from core.arms import Arm
from core.ask import Parts, Run, Runs, Settings
from core.errors import Problem
from core.jobs import Job, Jobs, Work
from core.project import Project
from core.project.owners import Holding, People, Person
from core.project.projects import Projects, With, nothing
from core.project.sets import QuestionSets
from core.records import RunRecord
from core.runs import NO_RUN, StoredRuns
from core.runtime import Runtime
from core.store import Store
from core.votes import Said, Votes

if TYPE_CHECKING:
    from core.curtain import Curtain
    from core.endpoint import Endpoints
    from core.engine import Engine
    from core.evaluation.questions import Question
    from core.evaluation.records import Report
    from core.metrics import Metrics, Now
    from core.retrieval import KnowledgeBase

Found = list[Job]  # names of their own: inside some classes, `list` is a method
Rows = list[dict[str, Any]]
EVERYONES = ("fetch",)  # kinds of job that are no project's: model files


class View(Runtime):
    """What `machine` shows `person`; `session`: which browser tab it is, where nobody signs in."""

    def __init__(self, machine: Runtime, person: Person, session: str = "") -> None:
        self._machine, self.person = machine, person
        self.asker = person.id or session

    def allow(self, project: Project | str) -> None:
        """Raises Problem, as of a project that is not there, when this person may not use it."""
        self.projects.holding_of(project if isinstance(project, str) else project.id)

    @property
    def machine(self) -> Runtime:
        return self._machine

    @property
    def projects(self) -> "OwnProjects":
        return OwnProjects(self)

    @property
    def jobs(self) -> "OwnJobs":
        return OwnJobs(self)

    @property
    def stored_runs(self) -> "OwnStoredRuns":
        return OwnStoredRuns(self)

    @property
    def runs(self) -> "OwnRuns":
        return OwnRuns(self)

    @property
    def votes(self) -> "OwnVotes":
        return OwnVotes(self)

    @property
    def questions(self) -> "OwnQuestionSets":
        return OwnQuestionSets(self)

    @property
    def reports(self) -> "Callable[[str, int, str], Report]":
        def report(job_id: str, rows: int, project: str) -> "Report":
            self.jobs.get(job_id)
            return self._machine.reports(job_id, rows, project)

        return report

    @property
    def curtain(self) -> "Curtain":
        return self._machine.curtain

    @property
    def people(self) -> People:
        return self._machine.people

    @property
    def store(self) -> Store:
        """The database itself, for the few functions of core that call `allow` first."""
        return self._machine.store

    @property
    def engine(self) -> "Engine":
        return self._machine.engine

    @property
    def endpoints(self) -> "Endpoints":
        return self._machine.endpoints

    @property
    def metrics(self) -> "Metrics":
        return self._machine.metrics

    def now(self) -> "Now":
        return self._machine.now()

    def knowledge(self, project: Project) -> "KnowledgeBase":
        self.allow(project)
        return self._machine.knowledge(project)

    def base_store(self, project: Project) -> Store:
        self.allow(project)
        return self._machine.base_store(project)

    def base_file(self, project: Project) -> Path:
        """A name only: also of a project that is just being made."""
        return self._machine.base_file(project)

    def parts(self, project: Project) -> Parts:
        self.allow(project)
        return self._machine.parts(project)

    def with_prompt_parts(self, project: Project, record: RunRecord) -> RunRecord:
        self.allow(project)
        return self._machine.with_prompt_parts(project, record)

    def right_passages(self, project: Project, question: str, snapshot: str | None) -> tuple[str, ...]:
        self.allow(project)
        return self._machine.right_passages(project, question, snapshot)

    def identities(self, project: Project, arms: Sequence[Arm], snapshot: str | None = None) -> list[object]:
        self.allow(project)
        return self._machine.identities(project, arms, snapshot)

    def ask(
        self,
        project: Project,
        question: str,
        settings: Settings,
        *,
        watched: bool = True,
        owner: str = "",
        most: int | None = None,
    ) -> Run:
        """See Runtime.ask; a person's tabs share the machine as one, whatever `owner` says."""
        self.allow(project)
        asker, most = self.asker or owner, limits.questions()
        return self._machine.ask(project, question, settings, watched=watched, owner=asker, most=most)

    def prepare(
        self, project: Project, arms: Sequence[Arm], report: Callable[[float, str], None], stop: Callable[[], bool]
    ) -> None:
        self.allow(project)
        self._machine.prepare(project, arms, report, stop)

    def prepare_documents(
        self, project: Project, report: Callable[[float, str], None], stop: Callable[[], bool]
    ) -> None:
        self.allow(project)
        self._machine.prepare_documents(project, report, stop)

    def prepare_in_background(self, project: Project, retry: bool = False) -> Job | None:
        self.allow(project)
        return self._machine.prepare_in_background(project, retry)

    def allow_models(self) -> None:
        """See Runtime.allow_models: who signed in needs to be named in RR_ADMINS."""
        known = {part.casefold() for part in (self.person.id, self.person.address) if part}
        if self.person.id and not known & limits.admins():
            raise Problem(limits.MODELS)

    def allow_file(self, file: str) -> None:
        """See Runtime.allow_file: who signed in may name what Model files lists, and no other file of the server."""
        if not self.person.id or os.sep not in file:
            return
        from core.weights import catalog

        if Path(file) not in {own.path for own in catalog.own()}:
            raise Problem("On this server a model is one that Model files lists: choose it there, by its id.")

    def close(self) -> NoReturn:
        raise RuntimeError("a view closes nothing")


class OwnProjects(Projects):
    """The projects that a person sees; those that are not theirs to settle cannot be deleted, shared or handed over."""

    def __init__(self, view: View) -> None:
        self._view, self._machine, self._person = view, view.machine.projects, view.person

    def holding_of(self, project_id: str) -> Holding:
        """Whose a project is. Raises Problem when it is not there for this person."""
        found = self._machine.holding(project_id)
        if found is None or not found.seen_by(self._person):
            raise self.unknown(project_id)
        return found

    def to_settle(self, project_id: str) -> Holding:
        """The same of one that is this person's to settle. Raises Problem."""
        found = self.holding_of(project_id)
        if not found.settled_by(self._person):
            raise Problem("This project is somebody else's: its owner alone can delete it, share it or hand it over.")
        return found

    def holding(self, project_id: str) -> Holding | None:
        found = self._machine.holding(project_id)
        return found if found and found.seen_by(self._person) else None

    def holdings(self) -> dict[str, Holding]:
        return {name: one for name, one in self._machine.holdings().items() if one.seen_by(self._person)}

    def all(self) -> list[Project]:
        seen = self.holdings()
        return [project for project in self._machine.all() if project.id in seen]

    def get(self, project_id: str) -> Project:
        self.holding_of(project_id)
        try:
            return self._machine.get(project_id)
        except Problem:  # deleted: not with the machine's list of projects
            raise self.unknown(project_id) from None

    def create(self, title: str, like: Project | None = None, owner: str = "", bring: With = nothing) -> Project:
        """See Projects.create; it is this person's, whatever `owner` says."""
        if like is not None:
            source = self.holding(like.id)
            self._check_files(like, self._machine.get(like.id) if source else None)
        return self._machine.create(title, like, self._person.id, bring)

    def save(self, project: Project) -> Project:
        self._check_files(project, self.get(project.id))
        return self._machine.save(project)

    def delete(self, project_id: str) -> None:
        self.to_settle(project_id)
        self._machine.delete(project_id)

    def deleted(self) -> list[Project]:
        mine = {name for name, one in self.holdings().items() if one.settled_by(self._person)}
        return [project for project in self._machine.deleted() if project.id in mine]

    def restore(self, project_id: str) -> Project:
        self.to_settle(project_id)
        return self._machine.restore(project_id)

    def settle(self, project_id: str, before: Holding, after: Holding) -> Project:
        self.to_settle(project_id)
        if not self._person.id or not before.owner:
            raise Problem("A project that is everyone's has no owner to share it or hand it over.")
        self._machine.settle(project_id, before, after)
        return self._machine.get(project_id)  # also when it is somebody else's now

    def purge(self, *_leaving: object) -> NoReturn:
        raise RuntimeError("the machine purges")

    def _check_files(self, project: Project, before: Project | None) -> None:
        """Raises Problem when a file of the server is named that may not be (View.allow_file)."""
        kept = {path for model in before.models for path in (model.file, model.adapter)} if before else set()
        for model in project.models:
            for path in (None if model.endpoint else model.file, model.adapter):
                if path and path not in kept:
                    self._view.allow_file(path)


class OwnJobs(Jobs):
    """The jobs of what a person sees, and those that fetch model files."""

    def __init__(self, view: View) -> None:
        self._view, self._machine = view, view.machine.jobs

    def start(
        self,
        kind: str,
        work: Work | None = None,
        *,
        key: str | None = None,
        parameters: Mapping[str, Any] | None = None,
        asker: str = "",
        most: int | None = None,
    ) -> Job:
        """See Jobs.start; `asker` and `most` are this person's. Raises Problem when too many of theirs run, or a key is
        held by somebody else's."""
        if kind in EVERYONES:
            self._view.allow_models()
        else:
            project = (parameters or {}).get("project")
            if not isinstance(project, str):
                raise RuntimeError(f"a job of kind {kind} says no project")
            self._view.allow(project)
        asker, most = self._view.asker, limits.evaluations() if kind in limits.EVALUATING else None
        job = self._machine.start(kind, work, key=key, parameters=parameters, asker=asker, most=most)
        if not self._seen(job):
            raise Problem("Somebody else's job of this kind is running: wait until it has ended.")
        return job

    def get(self, job_id: str) -> Job:
        try:
            job = self._machine.get(job_id)
        except Problem:
            raise _no_job(job_id) from None
        if not self._seen(job):
            raise _no_job(job_id)
        return job

    def list(self, kind: str | None = None, deleted: bool = False) -> Found:
        seen = self._view.projects.holdings()
        return [job for job in self._machine.list(kind, deleted) if job.kind in EVERYONES or project_of(job) in seen]

    def active(self) -> "dict[str, int]":
        raise RuntimeError("counts are the machine's")

    def delete(self, job_id: str, when: str | None) -> None:
        self.get(job_id)
        self._machine.delete(job_id, when)

    def rows(self, job_id: str, most: int = -1) -> Rows:
        self.get(job_id)
        return self._machine.rows(job_id, most)

    def heads(self, kind: str, counted: str) -> Found:
        seen = self._view.projects.holdings()
        return [job for job in self._machine.heads(kind, counted) if project_of(job) in seen]

    def keep(self, job_id: str, key: str, body: bytes) -> None:
        self.get(job_id)
        self._machine.keep(job_id, key, body)

    def kept(self, job_id: str, key: str) -> bytes | None:
        self.get(job_id)
        return self._machine.kept(job_id, key)

    def count(self, job_id: str) -> int:
        self.get(job_id)
        return self._machine.count(job_id)

    def rows_where(self, job_id: str, **values: object) -> Rows:
        self.get(job_id)
        return self._machine.rows_where(job_id, **values)

    def cancel(self, job_id: str) -> None:
        if self.get(job_id).kind in EVERYONES:
            self._view.allow_models()
        self._machine.cancel(job_id)

    def wait(self, job_id: str, timeout: float | None = None) -> Job:
        self.get(job_id)
        self._machine.wait(job_id, timeout)
        return self.get(job_id)

    def register(self, kind: str, work: Work) -> NoReturn:
        raise RuntimeError("the machine registers")

    def recover(self) -> NoReturn:
        raise RuntimeError("the machine recovers")

    def close(self, timeout: float = 10.0) -> NoReturn:
        raise RuntimeError("a view closes nothing")

    def _seen(self, job: Job) -> bool:
        return job.kind in EVERYONES or self._view.projects.holding(project_of(job)) is not None


def _no_job(job_id: str) -> Problem:
    return Problem(f"There is no job {job_id[:40]!r}.")


def project_of(job: Job) -> str:
    """Whose a job is: evaluations before there were projects are the demo's; a job that says none is nobody's."""
    return evaluate.project_of(job) if job.kind == evaluate.KIND else str(job.parameters.get("project", ""))


class OwnStoredRuns(StoredRuns):
    """The finished runs of what a person sees."""

    def __init__(self, view: View) -> None:
        self._view, self._machine = view, view.machine.stored_runs

    def save(self, record: RunRecord) -> None:
        self._view.allow(record.project)
        self._machine.save(record)

    def get(self, run_id: str) -> RunRecord:
        if self.project_of(run_id) is None:
            raise Problem(NO_RUN)
        return self._machine.get(run_id)

    def before(self, record: RunRecord) -> RunRecord | None:
        self._view.allow(record.project)
        return self._machine.before(record)

    def project_of(self, run_id: str) -> str | None:
        found = self._machine.project_of(run_id)
        return found if found and self._view.projects.holding(found) else None

    def history(self, project: str, limit: int = 20) -> "list[Mapping[str, str]]":
        self._view.allow(project)
        return self._machine.history(project, limit)

    def latest(self, project: str | None = None, limit: int = 50) -> "list[RunRecord]":
        if project is None:
            raise RuntimeError("a view reads the runs of one project")
        self._view.allow(project)
        return self._machine.latest(project, limit)

    def find(self, project: str, text: str = "", deleted: bool = False, limit: int = 500) -> "list[Mapping[str, str]]":
        self._view.allow(project)
        return self._machine.find(project, text, deleted, limit)

    def delete(self, project: str, run_id: str, when: str | None) -> None:
        self._view.allow(project)
        self._machine.delete(project, run_id, when)


class OwnRuns(Runs):
    """The runs, live and stored, of what a person sees. They are begun by View.ask alone."""

    def __init__(self, view: View) -> None:
        self._view, self._machine = view, view.machine.runs

    def start(self, *_args: object, **_more: object) -> NoReturn:
        raise RuntimeError("a view asks by View.ask")

    def live(self, run_id: str) -> Run | None:
        run = self._machine.live(run_id)
        return run if run and self._view.projects.holding(run.parts.project.id) else None

    def record(self, run_id: str, project: str) -> RunRecord:
        if self.project_of(run_id) is None:
            raise Problem(NO_RUN)
        self._view.allow(project)
        return self._machine.record(run_id, project)

    def before(self, record: RunRecord) -> RunRecord | None:
        self._view.allow(record.project)
        return self._machine.before(record)

    def project_of(self, run_id: str) -> str | None:
        found = self._machine.project_of(run_id)
        return found if found and self._view.projects.holding(found) else None

    def history(self, project: str, limit: int = 20) -> "list[Mapping[str, str]]":
        self._view.allow(project)
        return self._machine.history(project, limit)


class OwnVotes(Votes):
    """What people said in the projects that a person sees."""

    def __init__(self, view: View) -> None:
        self._view, self._machine = view, view.machine.votes

    def save(self, project_id: str, *says: Said) -> None:
        self._view.allow(project_id)
        self._machine.save(project_id, *says)

    def delete(self, project_id: str, say_id: str) -> bool:
        self._view.allow(project_id)
        return self._machine.delete(project_id, say_id)

    def all(self, project_id: str, source: str | None = None) -> "list[Said]":
        self._view.allow(project_id)
        return self._machine.all(project_id, source)


class OwnQuestionSets(QuestionSets):
    """The question sets of the projects that a person sees."""

    def __init__(self, view: View) -> None:
        self._view, self._machine = view, view.machine.questions

    def names(self, project: Project) -> list[str]:
        self._view.allow(project)
        return self._machine.names(project)

    def read(self, project: Project, name: str) -> "tuple[Question, ...]":
        self._view.allow(project)
        return self._machine.read(project, name)

    def save(self, project: Project, name: str, asked: "Sequence[Question]") -> None:
        self._view.allow(project)
        self._machine.save(project, name, asked)

    def delete(self, project: Project, name: str) -> None:
        self._view.allow(project)
        self._machine.delete(project, name)
