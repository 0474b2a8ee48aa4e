"""What exists once per process: store, jobs, engine, knowledge base. Built on first use, closed together.

Pages call `get()` and nothing else. Knows the order of building and closing, and no part's inside.
"""

import importlib.util
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from core import paths
from core.ask import ARMS, Parts, Runs
from core.errors import Problem
from core.store import Migration, Store

if TYPE_CHECKING:
    from core.engine import Engine
    from core.jobs import Job, JobContext, Jobs
    from core.retrieval import KnowledgeBase

T = TypeVar("T")
NEEDED = {"llama_cpp": "llama-cpp-python", "llama_index": "llama-index", "gguf": "gguf", "safetensors": "safetensors"}
QUICK_S = 0.5  # when nothing is missing the preparation ends within this, and no page shows it

RUNS = Migration(
    "runs-1",
    """
    CREATE TABLE runs (
        id TEXT PRIMARY KEY, made TEXT NOT NULL, question TEXT NOT NULL, way TEXT NOT NULL, body TEXT NOT NULL
    );
    """,
)


def migrations() -> list[Migration]:
    """The whole schema of the app's one database, in order."""
    from core.jobs import MIGRATIONS as JOBS
    from core.retrieval.schema import MIGRATIONS as KNOWLEDGE

    return [RUNS, *JOBS, *KNOWLEDGE]


def open_knowledge(store: Store, engine: "Engine") -> "KnowledgeBase":
    """A knowledge base over `store`; it takes up the embedder as soon as its file has been fetched."""
    from core.retrieval import Embedder, KnowledgeBase
    from core.retrieval.embedders import EngineEmbedder
    from core.weights import catalog

    def discover() -> tuple[Embedder, Path | None] | None:
        try:
            return EngineEmbedder(engine, catalog.spec("embedder")), catalog.vocab()
        except Problem:  # not fetched yet: words alone are searched, and every answer says so
            return None

    return KnowledgeBase(store, discover=discover)


class Runtime:
    """The process's one engine, store, job runner and knowledge base; each is made when first asked for."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._parts: dict[str, Any] = {}
        self._preparing: str | None = None

    def _part(self, name: str, make: Callable[[], T]) -> T:
        """The part of that name, made once however many threads ask."""
        with self._lock:
            if name not in self._parts:
                self._parts[name] = make()
            part: T = self._parts[name]
            return part

    @property
    def store(self) -> Store:
        """The one database."""
        return self._part("store", lambda: Store(paths.database(), migrations()))

    @property
    def jobs(self) -> "Jobs":
        """The job runner; what a process that ended left running is set down as interrupted."""
        from core.jobs import Jobs

        def make() -> Jobs:
            jobs = Jobs(self.store)
            jobs.recover()
            return jobs

        return self._part("jobs", make)

    @property
    def engine(self) -> "Engine":
        """The supervisor of the model workers."""
        from core.engine import Engine

        return self._part("engine", lambda: Engine(log_folder=paths.logs_dir()))

    @property
    def knowledge(self) -> "KnowledgeBase":
        """The documents and their index."""
        return self._part("knowledge", lambda: open_knowledge(self.store, self.engine))

    @property
    def runs(self) -> Runs:
        """Questions asked to the arms, live and stored."""
        from core.weights import catalog

        parts = Parts(engine=self.engine, knowledge=lambda: self.knowledge, spec=catalog.spec)
        return self._part("runs", lambda: Runs(self.store, parts))

    def prepare(self, arms: Sequence[str], report: Callable[[float, str], None], stop: Callable[[], bool]) -> None:
        """Make what `arms` need, in the foreground: fetched and derived models, the demo documents indexed.

        What cannot be had is reported and left to the arm that needs it, so that the others still answer.
        Raises Problem, after trying everything, with all that could not be had.
        """
        from core.weights import catalog

        check_installed()
        retrieving = any(arm.endswith("+retrieval") for arm in arms)
        failed: list[str] = []
        roles = list(dict.fromkeys([arm.split("+")[0] for arm in arms] + ["embedder"] * retrieving))
        for role in roles:
            try:
                catalog.ensure(role, report, stop)
            except Problem as problem:
                failed.append(f"{role}: {problem.message}")
        if retrieving:
            self.knowledge.ensure_demo(report, stop)
        if failed:
            raise Problem(" ".join(failed))

    def prepare_in_background(self, retry: bool = False) -> "Job | None":
        """The job that makes what the playground needs, started on first call; None once all is there."""
        with self._lock:
            job = self.jobs.get(self._preparing) if self._preparing else None
            if job is None or job.stale or (retry and not job.active):
                job = self.jobs.start("prepare", self._prepare, key="prepare")
                self._preparing = job.id
                job = self.jobs.wait(job.id, QUICK_S)
            return None if job.state == "done" else job

    def _prepare(self, job: "JobContext") -> None:
        self.prepare(ARMS, job.progress, lambda: job.cancelled)

    def close(self) -> None:
        """Stop jobs first (they use the rest), then the workers, then the store."""
        for name in ("runs", "jobs", "engine", "knowledge", "store"):
            part = self._parts.pop(name, None)
            if hasattr(part, "close"):
                part.close()


def check_installed() -> None:
    """Raise Problem naming what the models need and this environment lacks (it was made for the dashboard only)."""
    lacking = [package for module, package in NEEDED.items() if importlib.util.find_spec(module) is None]
    if lacking:
        raise Problem(
            f"Models and retrieval need {', '.join(lacking)}, not installed here: python -m pip install -r "
            "requirements.txt (llama-cpp-python compiles for about 5 minutes; the README says how to get prebuilt "
            "wheels). Overview, calculator, advisor and compare work without."
        )


_runtime: Runtime | None = None
_lock = threading.Lock()


def get() -> Runtime:
    """The process's runtime, made on first call."""
    global _runtime
    with _lock:
        if _runtime is None:
            _runtime = Runtime()
        return _runtime


def close() -> None:
    """Close the process's runtime, if one was made. The next `get()` makes a fresh one."""
    global _runtime
    with _lock:
        if _runtime is not None:
            _runtime.close()
            _runtime = None
