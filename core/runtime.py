"""What exists once per process: store, projects, jobs, engine, knowledge bases. Built on first use, closed together.

Commands call `get()`: they run as the machine's owner. Pages see it through core/view.py, which keeps what is private
from others. Knows the order of building and closing, and no part's inside.
"""

import logging
import os
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache, lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from core import installed, paths
from core.arms import Arm
from core.ask import Asks, Parts, Run, Runs, Settings
from core.errors import Problem
from core.project import Project
from core.records import RunRecord, plain
from core.runs import MIGRATIONS as RUNS
from core.runs import StoredRuns
from core.store import Migration, Store

if TYPE_CHECKING:
    from core.curtain import Curtain
    from core.endpoint import Endpoints
    from core.engine import Engine, Generation, ModelSpec, Request
    from core.evaluation.records import Report
    from core.jobs import Job, Jobs
    from core.metrics import Metrics, Now
    from core.project.owners import People
    from core.project.projects import Projects
    from core.project.sets import QuestionSets
    from core.retrieval import KnowledgeBase
    from core.votes import Votes

T = TypeVar("T")
NEEDED = {  # module -> its package; llama_index itself is a folder that many packages share
    "llama_cpp": "llama-cpp-python",
    "llama_index.core": "llama-index-core",
    "gguf": "gguf",
    "safetensors": "safetensors",
}
KEPT_REPORTS = 4  # of 5,000 replies each takes some 20 MB
LOG = logging.getLogger(__name__)
QUICK_S = 0.5  # when nothing is missing the preparation ends within this, and no page shows it


def migrations() -> list[Migration]:
    """The schema of the app's one database, in order. Knowledge bases are files beside it."""
    from core.history import MIGRATIONS as HISTORY
    from core.jobs import MIGRATIONS as JOBS
    from core.project.owners import MIGRATIONS as PEOPLE
    from core.project.projects import MIGRATIONS as PROJECTS
    from core.retrieval.leftovers import MIGRATIONS as LEFTOVERS
    from core.votes import MIGRATIONS as VOTES

    return [*RUNS, *JOBS, *PROJECTS, *VOTES, *HISTORY, *PEOPLE, *LEFTOVERS]


def open_store(path: Path) -> Store:
    """The app's database, in which an older version may still keep its documents."""
    from core.retrieval.schema import MIGRATIONS as KNOWLEDGE

    return Store(path, migrations(), also_known=[step.name for step in KNOWLEDGE])


def open_base(path: Path) -> Store:
    """A knowledge base's file, alone or as an older version kept it: beside runs and jobs."""
    from core.retrieval.schema import MIGRATIONS as KNOWLEDGE

    return Store(path, KNOWLEDGE, also_known=[step.name for step in migrations()])


def open_knowledge(
    store: Store, engine: "Engine", endpoints: "Callable[[], Endpoints] | None" = None
) -> "KnowledgeBase":
    """A knowledge base over `store`; it takes up its embedder as soon as its file has been fetched.

    `endpoints`: who asks one elsewhere; the process's own where none is given.
    """
    from core.retrieval import Embedder, KnowledgeBase
    from core.retrieval.embedders import EngineEmbedder, FarEmbedder
    from core.retrieval.values import Embedding
    from core.weights import catalog

    def discover(choice: Embedding) -> tuple[Embedder, Path | None] | None:
        vocab = catalog.vocab()  # passages are counted in it whoever embeds them
        if choice.url:
            return FarEmbedder(endpoints or (lambda: get().endpoints), choice), vocab
        if choice.file:
            return EngineEmbedder(engine, lambda: model_file(choice.file), choice), vocab
        try:
            return EngineEmbedder(engine, catalog.spec("embedder"), choice), vocab
        except Problem:  # not fetched yet: words alone are searched, and every answer says so
            return None

    return KnowledgeBase(store, discover=discover)


def model_file(file: str) -> "ModelSpec":
    """A model by its id in the catalogue or its path. Raises Problem when it is not there."""
    from core.weights import catalog

    return catalog.spec(file) if os.sep not in file else catalog.from_path(Path(file))


@dataclass(frozen=True)
class Router:
    """Asks where a model is: the engine for a file, its server for an endpoint. The engine is made when a file asks."""

    here: "Runtime"

    def submit(self, request: "Request") -> "Generation":
        """See Engine.submit."""
        return self._of(request.model).submit(request)

    def load(self, spec: "ModelSpec") -> dict[str, Any]:
        """See Engine.load."""
        return self._of(spec).load(spec)

    def rows(self, spec: "ModelSpec") -> int:
        """See Engine.rows."""
        return self._of(spec).rows(spec)

    def _of(self, spec: "ModelSpec") -> Asks:
        from core.endpoint import EndpointSpec

        return self.here.endpoints if isinstance(spec, EndpointSpec) else self.here.engine


class Runtime:
    """The process's one engine, store, job runner, and a knowledge base a project; each made when first asked for."""

    def __init__(self, resume: bool = False) -> None:
        self._resume = resume
        self._lock = threading.RLock()
        self._parts: dict[str, Any] = {}
        self._preparing: dict[tuple[str, str], str] = {}  # project as it was last changed -> job

    @property
    def machine(self) -> "Runtime":
        """This runtime whole, for work that goes on whoever asked for it."""
        return self

    def allow(self, project: Project) -> None:
        """Raises Problem when whoever asks may not use that project (any more); see core/view.py."""

    def allow_models(self) -> None:
        """Raises Problem when whoever asks may not fetch, choose, load and unload model files; see core/view.py."""

    def allow_file(self, file: str) -> None:
        """Raises Problem when whoever asks may not name that model file of this machine; see core/view.py."""

    def _part(self, name: str, make: Callable[[], T]) -> T:
        """The part of that name, made once however many threads ask."""
        with self._lock:
            if name not in self._parts:
                self._parts[name] = make()
            part: T = self._parts[name]
            return part

    @property
    def store(self) -> Store:
        """The one database; what a version without projects left in it is carried over."""
        from core import state
        from core.project import migrate

        def make() -> Store:
            state.finish(paths.state_dir())  # a restore or repair that was killed on its way
            store = open_store(paths.database())
            migrate.carry_over(store, paths.knowledge_dir())
            return store

        return self._part("store", make)

    @property
    def projects(self) -> "Projects":
        """The projects; those deleted more than a day ago are erased with documents, fine-tunes and vectors elsewhere.

        The app deletes what such projects left at vector servers, again at each start until it is done.
        """
        from core import finetune
        from core.project.projects import Projects
        from core.retrieval import leftovers

        def make() -> Projects:
            def erase(project_id: str) -> None:
                for file in paths.knowledge_dir().glob(f"{project_id}.sqlite3*"):
                    file.unlink(missing_ok=True)
                finetune.erase(project_id, [*projects.all(), *projects.deleted()])

            projects = Projects(self.store, fresh=erase)
            for gone in projects.purge(lambda db, left: leftovers.note(db, paths.knowledge_dir() / f"{left}.sqlite3")):
                erase(gone)
            if self._resume and leftovers.waiting(self.store):
                self.jobs.start(leftovers.KIND, lambda job: self._clear_leftovers())
            return projects

        return self._part("projects", make)

    def _clear_leftovers(self) -> list[str]:
        """Delete what erased projects left at vector servers; gives, and logs, what waits for the next start."""
        from core.retrieval import leftovers

        said = leftovers.clear(self.store)
        for line in said:
            LOG.warning("vectors of an erased project wait to be deleted: %s", line)
        return said

    @property
    def people(self) -> "People":
        """Who has signed in here."""
        from core.project.owners import People

        return self._part("people", lambda: People(self.store))

    @property
    def questions(self) -> "QuestionSets":
        """The projects' question sets."""
        from core.project.sets import QuestionSets

        return self._part("questions", lambda: QuestionSets(self.store))

    @property
    def jobs(self) -> "Jobs":
        """The job runner. The app goes on with the evaluations, proposals and sweeps of a process that ended, and sets
        all else it left down as interrupted; a command touches no other process's jobs."""
        from core import evaluate, propose, sweep
        from core.jobs import Jobs

        def make() -> Jobs:
            jobs = Jobs(self.store)
            if self._resume:
                jobs.register(evaluate.KIND, lambda job: evaluate.work(self, job))
                jobs.register(propose.KIND, lambda job: propose.work(self, job))
                jobs.register(sweep.KIND, lambda job: sweep.work(self, job))
                jobs.recover()
            return jobs

        return self._part("jobs", make)

    @property
    def engine(self) -> "Engine":
        """The supervisor of the model workers."""
        from core.engine import Engine

        return self._part("engine", lambda: Engine(log_folder=paths.logs_dir()))

    @property
    def endpoints(self) -> "Endpoints":
        """The answers of models behind an address."""
        from core.endpoint import Endpoints

        return self._part("endpoints", Endpoints)

    def knowledge(self, project: Project) -> "KnowledgeBase":
        """The project's documents and their index, in a file of its own."""
        store = self.base_store(project)
        return self._part(
            f"knowledge {project.id} {project.made}", lambda: open_knowledge(store, self.engine, lambda: self.endpoints)
        )

    def base_store(self, project: Project) -> Store:
        """The store of a project's documents."""
        # An erased project's id may come back: what was open for the old one is not for the new one.
        return self._part(f"base {project.id} {project.made}", lambda: open_base(self.base_file(project)))

    def base_file(self, project: Project) -> Path:
        """Where a project's documents lie; there may be none yet."""
        _ = self.store  # an older version's documents are carried over first
        return paths.knowledge_dir() / f"{project.id}.sqlite3"

    @property
    def stored_runs(self) -> StoredRuns:
        """Finished runs."""
        return self._part("stored runs", lambda: StoredRuns(self.store))

    @property
    def votes(self) -> "Votes":
        """What people said of answers."""
        from core.votes import Votes

        return self._part("votes", lambda: Votes(self.store))

    @property
    def reports(self) -> "Callable[[str, int, str], Report]":
        """Evaluations as scored last: a page's redraw reads and scores nothing anew. Job, results so far, project."""
        from core import evaluate

        return self._part("reports", lambda: lru_cache(maxsize=KEPT_REPORTS)(partial(evaluate.read, self)))

    @property
    def runs(self) -> Runs:
        """Questions asked to the arms, live and stored."""
        return self._part("runs", lambda: Runs(self.stored_runs))

    @property
    def curtain(self) -> "Curtain":
        """Which sessions stand in a scene of a story."""
        from core.curtain import Curtain

        return self._part("curtain", Curtain)

    @property
    def metrics(self) -> "Metrics":
        """The counts of this process's answers."""
        from core.metrics import Metrics

        return self._part("metrics", Metrics)

    def now(self) -> "Now":
        """What is going on, for those who watch over the server. Starts no engine."""
        from core.metrics import Now

        engine, endpoints = self._parts.get("engine"), self._parts.get("endpoints")
        try:
            jobs, sound = self.jobs.active(), True
        except (Problem, OSError):  # the pages say what is wrong with it
            jobs, sound = {}, False
        try:
            workers = engine.status() if engine else []
        except Problem:  # it is closing
            workers = []
        return Now(sound, workers, endpoints.under_way if endpoints else 0, jobs)

    def parts(self, project: Project) -> Parts:
        """Where a run of this project finds its models and passages."""
        return Parts(
            project,
            Router(self),
            lambda: self.knowledge(project),
            lambda model: spec(project, model),
            lambda question, snapshot: self.right_passages(project, question, snapshot),
            *([self.metrics.note] if self._resume else []),  # a command has nobody who would ask it
        )

    def with_prompt_parts(self, project: Project, record: RunRecord) -> RunRecord:
        """A finished run with its prompts' tokens by part; a model at an endpoint does not tell. Raises Problem."""
        from core import prompt_parts

        def count(model: str, text: str) -> int | None:
            return None if project.model(model).endpoint else self.engine.tokens(spec(project, model), text)

        return prompt_parts.with_parts(project, record, count)

    def right_passages(self, project: Project, question: str, snapshot: str | None) -> tuple[str, ...]:
        """The passages that answer a question, where a question set of the project names its documents; else none.

        Raises Problem when a document that it names is not there.
        """
        from core import living, marks
        from core.evaluation import run

        sets = [self.questions.read(project, name) for name in self.questions.names(project)]
        found = marks.known(project, sets).get(marks.key(question))
        if found is None or not 0 < len(found.documents) <= run.MOST_WHOLE_DOCUMENTS:
            return ()
        right = living.expected(found, self.knowledge(project), snapshot)
        return run.right_passages(right or found, self.knowledge(project), snapshot)

    def identities(self, project: Project, arms: Sequence[Arm], snapshot: str | None = None) -> list[object]:
        """What these arms' answers depend on besides the question: prompt, models' hashes, documents as split."""
        made: list[object] = [project.id, plain(project.instruction), plain(project.tasks), project.pinned]
        for model in sorted({arm.model for arm in arms}):
            try:
                found = spec(project, model)
                if project.model(model).endpoint:
                    made.append([project.model(model).endpoint, project.model(model).file, found.stop])
                    continue
                made.append([found.sha256, found.template, found.stop, str(found.adapter or "")])
            except Problem:
                made.append(None)  # not there: its arms will say so
        if any(arm.has_passages for arm in arms):
            knowledge = self.knowledge(project)
            documents = knowledge.documents(snapshot or "current")
            made.append([(document.path, document.version) for document in documents])
            made.append(plain(knowledge.settings))
        return made

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
        """Put a question to arms of a project. Owners share the machine; `most`: see Runs.start. Raises Problem."""
        from core import identity

        made_of = identity.of(self, project, settings.arms)
        parts = self.parts(project)
        return self.runs.start(question, settings, parts, watched=watched, owner=owner, identity=made_of, most=most)

    def prepare(
        self, project: Project, arms: Sequence[Arm], report: Callable[[float, str], None], stop: Callable[[], bool]
    ) -> None:
        """Make what `arms` need, in the foreground: fetched and derived models, the project's documents indexed.

        What cannot be had is reported and left to the arm that needs it, so that the others still answer.
        Raises Problem, after trying everything, with all that could not be had.
        """
        from core.project import bundled
        from core.weights import catalog

        retrieving = any(arm.retrieves for arm in arms)
        failed: list[str] = []
        wanted = list(dict.fromkeys(arm.model for arm in arms))
        asked = [model for model in project.models if model.id in wanted and not model.endpoint]
        files = {model.title: model.file for model in asked if os.sep not in model.file}  # a path is there, or is not
        if asked or retrieving:
            check_installed()
        for title, file in (files | ({"embedder": "embedder"} if retrieving else {})).items():
            try:
                catalog.ensure(file, report, stop)
            except Problem as problem:
                failed.append(f"{title}: {problem.message}")
        if retrieving:
            base = self.knowledge(project)
            base.ensure_folders(bundled.documents(project), report, stop)
        if failed:
            raise Problem(" ".join(failed))

    def prepare_documents(
        self, project: Project, report: Callable[[float, str], None], stop: Callable[[], bool]
    ) -> None:
        """Make what a search needs, in the foreground: embedder fetched, documents indexed. Raises Problem."""
        from core.project import bundled
        from core.weights import catalog

        check_installed()
        catalog.ensure("embedder", report, stop)
        self.knowledge(project).ensure_folders(bundled.documents(project), report, stop)

    def prepare_in_background(self, project: Project, retry: bool = False) -> "Job | None":
        """The job that makes what the project needs, started on first call; None once all is there."""
        with self._lock:
            wanted = (project.id, project.changed)
            known = self._preparing.get(wanted)
            job = self.jobs.get(known) if known else None
            if job is None or job.stale or (retry and not job.active):
                job = self.jobs.start(
                    "prepare",
                    lambda job: self.prepare(project, project.arms, job.progress, lambda: job.cancelled),
                    key=f"prepare {project.id}",
                    parameters={"project": project.id},
                )
                self._preparing[wanted] = job.id
                job = self.jobs.wait(job.id, QUICK_S)
            return None if job.state == "done" else job

    def close(self) -> None:
        """Stop jobs first (they use the rest), then the workers, then the stores."""
        bases = [name for name in self._parts if name.startswith("base ")]
        for name in ("runs", "jobs", "endpoints", "engine", *bases, "store"):
            part = self._parts.pop(name, None)
            if hasattr(part, "close"):
                part.close()
        self._parts.clear()


def spec(project: Project, model_id: str) -> "ModelSpec":
    """A project's model as it is asked. Raises Problem when it is unknown or cannot be asked yet."""

    model = project.model(model_id)
    if model.endpoint:
        from core import endpoint

        return endpoint.spec(model)
    found = model_file(model.file)
    adapter = Path(model.adapter) if model.adapter else found.adapter
    return replace(found, adapter=adapter, template=model.template, stop=model.stop)


@cache
def check_installed() -> None:
    """Raise Problem naming what the models need and this environment lacks (it was made for the dashboard only, or an
    installation was interrupted). What was once found is not looked for again."""
    lacking = [package for module, package in NEEDED.items() if not installed.there(module, package)]
    if lacking:
        raise Problem(
            f"Models and retrieval need {', '.join(lacking)}, not installed here: python -m pip install -r "
            "requirements.txt (llama-cpp-python compiles for about 5 minutes; the README says how to get prebuilt "
            "wheels). Overview, calculator, advisor and compare work without."
        )


_runtime: Runtime | None = None
_serving = False
_asks = False
_lock = threading.Lock()


def get() -> Runtime:
    """The process's runtime, made on first call."""
    global _runtime
    with _lock:
        if _runtime is None:
            _runtime = Runtime(resume=_serving)
        return _runtime


def now() -> "Now":
    """See Runtime.now."""
    return get().now()


def serve(asks: bool = False) -> None:
    """Say that this process is the app, which goes on with what an earlier one left unfinished, and clears away what
    it left half fetched. `asks`: whether people sign in at a provider; then nobody is let in without, whatever
    becomes of its settings."""
    global _serving, _asks
    _serving, _asks = True, asks
    from core.weights.folder import Folder

    with suppress(Problem, OSError):  # a state folder that cannot be used is for the pages to say
        Folder(paths.weights_dir()).tidy()


def asks() -> bool:
    """Whether this server was started to ask everybody to sign in at a provider."""
    return _asks


def close() -> None:
    """Close the process's runtime, if one was made. The next `get()` makes a fresh one."""
    global _runtime
    with _lock:
        if _runtime is not None:
            _runtime.close()
            _runtime = None
