"""One question put to several arms: the same code behind the playground, `core ask` and the evaluation.

A Run owns one driver thread that retrieves, submits to the engine and waits; whoever looks at it (a page that may be
reloaded, a command, a test) only reads. It knows the public interfaces of engine and retriever, and no model, template,
index or screen.

Two ways to run:
- together: every arm at once. They share the processor, so their times are marked `contended` and stay out of averages.
- one at a time: models loaded and warmed first, arms in shuffled order, each alone. These are the figures that count.
"""

import dataclasses
import json
import random
import threading
import time
import uuid
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol

from core import prompt
from core.errors import Problem
from core.store import Store

if TYPE_CHECKING:
    from core.engine import Generation, ModelSpec, Request, Result, Sampling
    from core.retrieval import Retrieved

ARMS = ("base", "base+retrieval", "fine-tuned", "fine-tuned+retrieval")
OPTIONAL_ARMS = ("base+pinned", "base+perfect", "fine-tuned+perfect")
WAYS = ("together", "one at a time")

MAX_QUESTION = 8_000  # characters; far beyond what the bundled models' context holds
UNSEEN_S = 15.0  # a watched run nobody has looked at for so long is cancelled: the tab was closed
POLL_S = 0.02
KEPT_RUNS = 32  # live runs remembered for re-attachment; older ones come from the store


class Asks(Protocol):
    """What a run needs of the engine."""

    def submit(self, request: "Request") -> "Generation": ...
    def load(self, spec: "ModelSpec") -> dict[str, Any]: ...


class Retrieves(Protocol):
    """What a run needs of the knowledge base."""

    def query(self, text: str, top_k: int, mode: str, *, snapshot: str | None) -> "Retrieved": ...


@dataclass(frozen=True)
class Parts:
    """Where a run finds its models and its passages. `knowledge` is called only when an arm retrieves."""

    engine: Asks
    knowledge: Callable[[], Retrieves]
    spec: Callable[[str], "ModelSpec"]  # role -> model; raises Problem when the model is not there


@dataclass(frozen=True)
class Settings:
    """How to run the arms. `perfect`: passages for the `+perfect` arms; `pinned`: text for `base+pinned`."""

    arms: tuple[str, ...] = ARMS
    way: str = "together"
    top_k: int = 3
    mode: str = "hybrid"
    snapshot: str | None = None
    temperature: float = 0.0
    max_tokens: int = 128
    seed: int = 0
    device: str = "auto"
    gpu_layers: int | None = None
    task: str = "answer"
    pinned: str | None = None
    perfect: tuple[str, ...] = ()

    def sampling(self) -> "Sampling":
        """The engine's sampling settings."""
        from core.engine import Sampling

        return Sampling(temperature=self.temperature, max_tokens=self.max_tokens, seed=self.seed)


def checked(question: str, settings: Settings) -> str:
    """`question` without surrounding space. Raises Problem on what no model should be asked."""
    text = question.strip()
    if not text:
        raise Problem("The question is empty: type one, or pick a suggested question.")
    if len(text) > MAX_QUESTION:
        raise Problem(f"The question has {len(text):,} characters; at most {MAX_QUESTION:,} are taken. Shorten it.")
    if any("\ud800" <= letter <= "\udfff" for letter in text) or "\x00" in text:
        raise Problem("The question holds characters that are not text (a broken copy?). Type it again.")
    unknown = [arm for arm in settings.arms if arm not in ARMS + OPTIONAL_ARMS]
    if unknown or not settings.arms:
        raise Problem(f"Unknown arm {', '.join(unknown) or '(none)'}. Arms: {', '.join(ARMS + OPTIONAL_ARMS)}.")
    if settings.way not in WAYS:
        raise Problem(f"Unknown way '{settings.way}'. Ways: {', '.join(WAYS)}.")
    for name, value, low, high in (
        ("top-k", settings.top_k, 1, 20),
        ("temperature", settings.temperature, 0.0, 2.0),
        ("max tokens", settings.max_tokens, 1, 4096),
        ("seed", settings.seed, 0, 2**32 - 1),
    ):
        if not low <= value <= high:  # also false for NaN
            raise Problem(f"{name} must lie between {low} and {high}, not {value}.")
    return text


def role(arm: str) -> str:
    """The model behind an arm: "base" or "fine-tuned"."""
    return arm.split("+")[0]


def retrieves(arm: str) -> bool:
    """Whether the arm searches the knowledge base."""
    return arm.endswith("+retrieval")


def cost(total_ms: float, dollars_per_hour: float) -> float:
    """Dollars for one answer that kept a machine of that hourly price busy for `total_ms`."""
    return total_ms / 3_600_000 * dollars_per_hour


@dataclass
class ArmRun:
    """One arm of a run. Written by the driver thread, read by anyone."""

    arm: str
    generation: "Generation | None" = None
    result: "Result | None" = None
    retrieved: "Retrieved | None" = None
    passages: tuple[dict[str, Any], ...] = ()
    problem: str | None = None
    before_submit_ms: float = 0.0
    started: bool = False

    @property
    def state(self) -> str:
        """waiting, retrieving, then the engine's: queued, loading, prefill, decode, done, cancelled, failed."""
        if self.problem is not None:
            return "failed"
        if self.generation is None:
            return "retrieving" if self.started and retrieves(self.arm) else "waiting"
        return self.generation.state

    def record(self) -> dict[str, Any]:
        """This arm as JSON, complete or so far."""
        made: dict[str, Any] = {"arm": self.arm, "state": self.state, "answer": "", "problem": self.problem}
        generation, result = self.generation, self.result
        if generation is not None:
            made["answer"] = generation.text
            made["queue_position"] = generation.position
            made["prefill"] = {"done": generation.prefill_done, "total": generation.prefill_total}
        used = len(self.passages)
        made |= {"prompt": "", "timing": {}, "tokens": {}, "rates": {}, "model": {}, "finish": None}
        if result is not None:
            used -= result.alternative
            made |= {"answer": result.text, "prompt": result.prompt, "finish": result.finish}
            made |= {"tokens": result.tokens, "rates": result.rates, "model": result.model}
            made["timing"] = self._timing(result)
        made["passages"] = list(self.passages[:used])
        made["passages_dropped"] = len(self.passages) - used
        if self.retrieved is not None:
            made["retrieval"] = {"mode": self.retrieved.mode, "note": self.retrieved.note}
        return made

    def _timing(self, result: "Result") -> dict[str, Any]:
        """The engine's times plus what only the run knows: the click, the embedding and the search."""
        timing = dict(result.timing)
        ahead = self.before_submit_ms
        if timing.get("ttft_engine") is not None:
            timing["ttft_total"] = ahead + timing.get("queue", 0.0) + timing["ttft_engine"]
        timing["total"] = ahead + timing["total"]
        if self.retrieved is not None:
            timing |= {"embed": self.retrieved.embed_ms, "search": self.retrieved.search_ms}
        return timing


@dataclass
class Run:
    """One question on its way through the arms. Start it with `start()`; read `record()` at any time."""

    question: str
    settings: Settings
    parts: Parts
    watched: bool = False  # a page looks at it; when none does any more, it is cancelled
    on_done: Callable[["Run"], None] | None = None
    id: str = field(default_factory=lambda: uuid.uuid4().hex[:12])
    made: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))

    def __post_init__(self) -> None:
        self.question = checked(self.question, self.settings)
        self.arms = {arm: ArmRun(arm) for arm in dict.fromkeys(self.settings.arms)}
        self.done = threading.Event()
        self._stopped = threading.Event()
        self._seen = time.monotonic()

    def start(self) -> "Run":
        """Begin; returns at once."""
        threading.Thread(target=self._drive, name=f"run-{self.id}", daemon=True).start()
        return self

    def touch(self) -> None:
        """Somebody is still looking."""
        self._seen = time.monotonic()

    def stop(self) -> None:
        """Cancel every arm that is not finished."""
        self._stopped.set()
        for arm in self.arms.values():
            if arm.generation is not None:
                arm.generation.cancel()

    def wait(self, timeout: float | None = None) -> "Run":
        """Block until every arm has ended. Raises Problem after `timeout` seconds."""
        if not self.done.wait(timeout):
            raise Problem(f"No complete answer within {timeout:g} s. Stop the run, or wait longer.")
        return self

    def record(self) -> dict[str, Any]:
        """The run as JSON: the shape `core ask --json` prints and the store keeps."""
        settings = dataclasses.asdict(self.settings)
        settings |= {"arms": list(self.settings.arms), "perfect": len(self.settings.perfect)}
        return {
            "id": self.id,
            "made": self.made,
            "question": self.question,
            "settings": settings,
            "finished": self.done.is_set(),
            "arms": [arm.record() for arm in self.arms.values()],
        }

    # -- the driver thread ---------------------------------------------------------------------------------------

    def _drive(self) -> None:
        try:
            if self.settings.way == "together":
                self._together()
            else:
                self._one_at_a_time()
        finally:
            for arm in self.arms.values():
                if arm.generation is None and arm.problem is None:
                    arm.problem = "Stopped before it began."
            self.done.set()
            if self.on_done is not None:
                self.on_done(self)

    def _together(self) -> None:
        clicked = time.perf_counter()
        plain = [arm for arm in self.arms.values() if not retrieves(arm.arm)]
        retrieving = [arm for arm in self.arms.values() if retrieves(arm.arm)]
        for arm in plain:
            self._submit(arm, clicked, contended=len(self.arms) > 1)
        if retrieving and not self._stopped.is_set():
            self._retrieve(retrieving)  # once: both arms read the same passages
            for arm in retrieving:
                self._submit(arm, clicked, contended=len(self.arms) > 1)
        self._finish(*self.arms.values())

    def _one_at_a_time(self) -> None:
        for name in dict.fromkeys(role(arm) for arm in self.arms):
            self._warm_up(name)
        order = list(self.arms.values())
        random.Random(self.settings.seed).shuffle(order)
        for arm in order:
            if self._stopped.is_set():
                return
            begun = time.perf_counter()
            if retrieves(arm.arm):
                self._retrieve([arm])
            self._submit(arm, begun, contended=False)
            self._finish(arm)

    def _warm_up(self, name: str) -> None:
        # A model that is not there is reported by its own arms; the other models' arms go on.
        try:
            self.parts.engine.load(self._spec(name))
        except Problem as problem:
            for arm in self.arms.values():
                if role(arm.arm) == name:
                    arm.problem = problem.message

    def _spec(self, name: str) -> "ModelSpec":
        spec = self.parts.spec(name)
        return dataclasses.replace(spec, device=self.settings.device, gpu_layers=self.settings.gpu_layers)

    def _retrieve(self, arms: Sequence[ArmRun]) -> None:
        for arm in arms:
            arm.started = True
        try:
            found = self.parts.knowledge().query(
                self.question, self.settings.top_k, self.settings.mode, snapshot=self.settings.snapshot
            )
        except Problem as problem:
            for arm in arms:
                arm.problem = problem.message
            return
        for arm in arms:
            arm.retrieved = found
            arm.passages = tuple(dataclasses.asdict(passage) for passage in found.passages)

    def _submit(self, arm: ArmRun, begun: float, *, contended: bool) -> None:
        if arm.problem is not None or self._stopped.is_set():
            return
        from core.engine import Request

        try:
            request = Request(
                model=self._spec(role(arm.arm)),
                alternatives=self._alternatives(arm),
                sampling=self.settings.sampling(),
                contended=contended,
            )
            arm.before_submit_ms = (time.perf_counter() - begun) * 1000
            arm.generation = self.parts.engine.submit(request)
        except Problem as problem:
            arm.problem = problem.message

    def _alternatives(self, arm: ArmRun) -> tuple[tuple[prompt.Message, ...], ...]:
        """The prompt with all passages, then without the lowest-scored, and so on down to one."""
        if arm.arm.endswith("+perfect"):
            if not self.settings.perfect:
                raise Problem("This arm needs the right passages, and none were given.")
            arm.passages = tuple({"document": "", "score": 1.0, "text": text} for text in self.settings.perfect)
        if arm.arm.endswith("+pinned") and not self.settings.pinned:
            raise Problem("This arm needs a text or examples to put into the prompt: type them under 'Pinned text'.")
        texts = [passage["text"] for passage in arm.passages]
        pinned = self.settings.pinned if arm.arm.endswith("+pinned") else None
        counts = range(len(texts), 0, -1) if texts else [0]
        return tuple(
            prompt.messages(self.question, texts[:count], task=self.settings.task, pinned=pinned) for count in counts
        )

    def _finish(self, *arms: ArmRun) -> None:
        """Wait until each of `arms` has ended, collecting every one as soon as it has."""
        pending = [arm for arm in arms if arm.generation is not None and arm.problem is None]
        while pending:
            if self.watched and time.monotonic() - self._seen > UNSEEN_S:
                self.stop()
            for arm in pending:
                _collect(arm)
            pending = [arm for arm in pending if arm.result is None and arm.problem is None]
            if pending:
                time.sleep(POLL_S)


def _collect(arm: ArmRun) -> None:
    """Take an arm's result or failure from its generation, if it has ended."""
    generation = arm.generation
    if generation is None or generation.state not in ("done", "cancelled", "failed"):
        return
    try:
        arm.result = generation.wait(timeout=1.0)
    except Problem as problem:
        arm.problem = problem.message


class Runs:
    """The process's runs: live ones for re-attachment after a reload, finished ones from the store."""

    def __init__(self, store: Store, parts: Parts) -> None:
        self._store = store
        self._parts = parts
        self._live: OrderedDict[str, Run] = OrderedDict()
        self._lock = threading.Lock()

    def start(self, question: str, settings: Settings, *, watched: bool = True) -> Run:
        """Check and begin a run. Raises Problem on a question or setting that cannot be run."""
        run = Run(question, settings, self._parts, watched=watched, on_done=self._save)
        with self._lock:
            self._live[run.id] = run
            while len(self._live) > KEPT_RUNS:
                self._live.popitem(last=False)
        return run.start()

    def live(self, run_id: str) -> Run | None:
        """The run, if this process started it and still remembers it."""
        with self._lock:
            return self._live.get(run_id)

    def record(self, run_id: str) -> dict[str, Any]:
        """A run's JSON, live or stored. Raises Problem when there is none."""
        run = self.live(run_id)
        if run is not None:
            return run.record()
        rows = self._store.read("SELECT body FROM runs WHERE id = ?", (run_id,))
        if not rows:
            raise Problem("There is no such run here: its link was made on another machine, or its data was removed.")
        found: dict[str, Any] = json.loads(rows[0]["body"])
        return found

    def history(self, limit: int = 20) -> list[Mapping[str, str]]:
        """The latest finished runs, newest first: id, made, question, way."""
        rows = self._store.read("SELECT id, made, question, way FROM runs ORDER BY made DESC LIMIT ?", (limit,))
        return [dict(row) for row in rows]

    def _save(self, run: Run) -> None:
        record = run.record()
        row = (run.id, run.made, run.question, run.settings.way, json.dumps(record, ensure_ascii=False))
        self._store.write(lambda db: db.execute("INSERT OR REPLACE INTO runs VALUES (?, ?, ?, ?, ?)", row))
