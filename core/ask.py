"""One question put to several arms: the same code behind the playground, `core ask` and the evaluation.

A Run owns one driver thread that retrieves, submits to the engine and waits; whoever looks at it (a page that may be
reloaded, a command, a test) only reads. It knows the public interfaces of engine and retriever and its project's
instruction; it knows no model file, chat template, index or screen.

Two ways to run:
- together: every arm at once. They share the processor, so their times are marked `contended` and stay out of averages.
- one at a time: models loaded and warmed first, arms in shuffled order, each alone. These are the figures that count.
"""

import dataclasses
import random
import threading
import time
import uuid
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from core import arms, limits, passages, records
from core.arms import Arm, Search
from core.errors import Problem
from core.evidence import bills
from core.evidence.prices import Offer
from core.project import Project
from core.project.instruction import Message
from core.records import ArmRecord, PassageChoice, PassageRecord, RunRecord, TurnRecord
from core.runs import StoredRuns

if TYPE_CHECKING:
    from core.engine import Generation, ModelSpec, Request, Result
    from core.retrieval import Retrieved

WAYS = ("together", "one at a time")

MAX_QUESTION = 8_000  # characters; far beyond what the bundled models' context holds
MOST_REPEATS = 20
MOST_TURNS = 8  # of a conversation that a follow-up reads; fewer where they do not fit
UNSEEN_S = 15.0  # a watched run nobody has looked at for so long is cancelled: the tab was closed
POLL_S = 0.02
KEPT_RUNS = 32  # live runs remembered for re-attachment; older ones come from the store


class Asks(Protocol):
    """What a run needs of the engine."""

    def submit(self, request: "Request") -> "Generation": ...
    def load(self, spec: "ModelSpec") -> dict[str, Any]: ...
    def rows(self, spec: "ModelSpec") -> int: ...


class Retrieves(Protocol):
    """What a run needs of the knowledge base."""

    def query(
        self,
        text: str,
        top_k: int,
        mode: str,
        *,
        weight: float | None,
        threshold: float | None,
        snapshot: str | None,
        filters: Mapping[str, str | int | float] | None,
        hops: int,
    ) -> "Retrieved": ...


@dataclass(frozen=True)
class Parts:
    """Where a run of one project finds its models and passages. `knowledge` is called only when an arm retrieves.

    `right`: question and dated view -> the right passages, as the project's question sets mark them. `ended`: told of
    every answer of a run when all have ended, and whether the run was in the background.
    """

    project: Project
    engine: Asks
    knowledge: Callable[[], Retrieves]
    spec: Callable[[str], "ModelSpec"]  # model id -> model; raises Problem when the model is not there
    right: Callable[[str, str | None], Sequence[str]] = lambda _question, _snapshot: ()
    ended: Callable[[Sequence[ArmRecord], bool], None] = lambda _answers, _background: None


@dataclass(frozen=True)
class Settings:
    """How to run the arms. `task`: the class of question whose own instruction holds. `choices`: about passages.

    `perfect`: the right passages; where none are given they are those pinned, else those that a question set marks.
    `repeats`: how often each arm is asked, the seed one higher each time and every prompt read as a whole.
    `follows`, `history`: the run that this one goes on with, and each arm's turns so far (see `going_on`).
    `predicted`, `blind`: see records.RunSettings. `beside`: other runs of the same asker go on meanwhile.
    """

    arms: tuple[Arm, ...] = arms.DEFAULT
    way: str = "together"
    device: str = "auto"
    gpu_layers: int | None = None
    task: str = ""
    perfect: tuple[str, ...] = ()
    choices: tuple[PassageChoice, ...] = ()
    repeats: int = 1
    follows: str = ""
    history: Mapping[str, tuple[TurnRecord, ...]] = field(default_factory=dict)
    predicted: tuple[tuple[str, int], ...] = ()
    blind: int | None = None
    beside: bool = False


def going_on(settings: Settings, before: RunRecord) -> Settings:
    """The settings for a follow-up: each arm reads its own conversation, the latest turns of it. The search does not:
    passages are found by the last question alone."""
    history = {
        arm.arm: (*arm.history, TurnRecord(before.question, arm.answer))[-MOST_TURNS:]
        for arm in before.arms
        if arm.finish in ("stop", "length") and arm.answer.strip()
    }
    return dataclasses.replace(settings, follows=before.id, history=history)


def checked(question: str, settings: Settings) -> str:
    """`question` without surrounding space. Raises Problem on what no model should be asked."""
    text = question.strip()
    if not text:
        raise Problem("The question is empty: type one, or pick a suggested question.")
    if len(text) > MAX_QUESTION:
        raise Problem(f"The question has {len(text):,} characters; at most {MAX_QUESTION:,} are taken. Shorten it.")
    if any("\ud800" <= letter <= "\udfff" for letter in text) or "\x00" in text:
        raise Problem("The question holds characters that are not text (a broken copy?). Type it again.")
    arms.check(settings.arms)
    passages.check(settings.choices)
    if not 1 <= settings.repeats <= MOST_REPEATS:
        raise Problem(f"Repeats must lie between 1 and {MOST_REPEATS}, not {settings.repeats}.")
    if settings.way not in WAYS:
        raise Problem(f"Unknown way '{settings.way}'. Ways: {', '.join(WAYS)}.")
    return text


def cost(total_ms: float, dollars_per_hour: float) -> float:
    """Dollars for one answer that kept a machine of that hourly price busy for `total_ms`."""
    return total_ms / 3_600_000 * dollars_per_hour


def priced(project: Project, model: str) -> Offer | None:
    """The catalogue entry that the project names for a model at an endpoint; None: none, or it is in no list now."""
    named = next((one.offer for one in project.models if one.id == model and one.endpoint), None)
    if not named:
        return None
    try:
        return bills.offer(named)
    except Problem:  # a list of one's own was removed: the answers then have no cost
        return None


@dataclass
class ArmRun:
    """One arm of a run. Written by the driver thread, read by anyone."""

    arm: Arm
    title: str = ""
    generation: "Generation | None" = None
    result: "Result | None" = None
    retrieved: "Retrieved | None" = None
    passages: tuple[PassageRecord, ...] = ()
    left_out: int = 0
    history: tuple[TurnRecord, ...] = ()
    versions: list[tuple[int, int]] = field(default_factory=list)  # of the chat: turns and passages in each
    problem: str | None = None
    before_submit_ms: float = 0.0
    started: bool = False

    @property
    def state(self) -> str:
        """waiting, retrieving, then the engine's: queued, loading, prefill, decode, done, cancelled, failed."""
        if self.problem is not None:
            return "failed"
        if self.generation is None:
            return "retrieving" if self.started and self.arm.retrieves else "waiting"
        return self.generation.state

    def record(self) -> ArmRecord:
        """This arm, complete or so far."""
        generation, result = self.generation, self.result
        made = ArmRecord(
            arm=self.arm.name,
            state=self.state,
            title=self.title,
            model_id=self.arm.model,
            context=self.arm.context,
            problem=self.problem,
            passages=self.passages,
            passages_left_out=self.left_out,
        )
        if generation is not None:
            prefill = records.Prefill(generation.prefill_done, generation.prefill_total)
            made = dataclasses.replace(
                made, answer=generation.text, queue_position=generation.position, prefill=prefill
            )
        if self.retrieved is not None:
            found = records.RetrievalRecord(self.retrieved.mode, self.retrieved.note)
            made = dataclasses.replace(made, retrieval=found)
        return made if result is None else self._with_result(made, result)

    def _with_result(self, made: ArmRecord, result: "Result") -> ArmRecord:
        turns, used = self.versions[result.alternative]
        return dataclasses.replace(
            made,
            answer=result.text,
            prompt=result.prompt,
            finish=result.finish,
            timing=self._timing(result),
            tokens=msgspec.convert(result.tokens, records.Tokens),
            rates=msgspec.convert(result.rates, records.Rates),
            model=msgspec.convert(result.model, records.ModelIdentity),
            passages=self.passages[:used],
            passages_dropped=len(self.passages) - used,
            history=self.history[len(self.history) - turns :],
            history_dropped=len(self.history) - turns,
            confidence=tuple(records.TokenRecord(one["text"], one["logprob"]) for one in result.logprobs or ()),
        )

    def _timing(self, result: "Result") -> records.Timing:
        """The engine's times plus what only the run knows: the click, the embedding and the search."""
        timing = dict(result.timing)
        ahead = self.before_submit_ms
        if timing.get("ttft_engine") is not None:
            timing["ttft_total"] = ahead + timing.get("queue", 0.0) + timing["ttft_engine"]
        timing["total"] = ahead + timing["total"]
        if self.retrieved is not None:
            timing |= {"embed": self.retrieved.embed_ms, "search": self.retrieved.search_ms}
        return msgspec.convert(timing, records.Timing)


@dataclass
class Run:
    """One question on its way through the arms. Start it with `start()`; read `record()` at any time."""

    question: str
    settings: Settings
    parts: Parts
    watched: bool = False  # a page looks at it; when none does any more, it is cancelled
    on_done: Callable[["Run"], None] | None = None
    owner: str = ""  # who asks: owners share the machine fairly
    background: bool = False  # in the gaps that others leave
    identity: records.Identity | None = None  # what the answers depend on, kept with them
    id: str = field(default_factory=lambda: uuid.uuid4().hex[:12])
    made: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))

    def __post_init__(self) -> None:
        self.question = checked(self.question, self.settings)
        self.arms = self._round(0)
        self._earlier: list[dict[str, ArmRun]] = []  # rounds that are over, where each arm is asked several times
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

    def record(self) -> RunRecord:
        """The run, complete or so far: what `core ask --json` prints and the store keeps."""
        chosen = self.settings
        return RunRecord(
            id=self.id,
            made=self.made,
            question=self.question,
            settings=records.RunSettings(
                chosen.arms,
                chosen.way,
                chosen.device,
                chosen.gpu_layers,
                chosen.task,
                len(chosen.perfect),
                chosen.choices,
                chosen.repeats,
                chosen.follows,
                predicted=dict(chosen.predicted),
                blind=chosen.blind,
            ),
            finished=self.done.is_set(),
            arms=self._arm_records(),
            project=self.parts.project.id,
            identity=self.identity,
        )

    def _arm_records(self) -> tuple[ArmRecord, ...]:
        """Each arm; of several rounds the one under way, in the end the first with the answers of all."""
        now = tuple(arm.record() for arm in self.arms.values())
        if self.settings.repeats == 1:
            return now
        if not self.done.is_set():
            return tuple(dataclasses.replace(arm, finish=None) for arm in now)
        rounds = [*([arm.record() for arm in each.values()] for each in self._earlier), now]
        made = []
        for place, first in enumerate(rounds[0]):
            repeats = [_repeat(each[place], number) for number, each in enumerate(rounds)]
            made.append(dataclasses.replace(first, repeats=tuple(repeats)))
        return tuple(made)

    def _round(self, number: int) -> dict[str, ArmRun]:
        """The arms as they are asked for the `number`th time, from 0: each time with the next seed."""
        made = {}
        for arm in self.settings.arms:
            seed = (arm.sampling.seed + number) % 2**32
            asked = dataclasses.replace(arm, sampling=dataclasses.replace(arm.sampling, seed=seed))
            made[arm.name] = ArmRun(asked, self.parts.project.title_of(arm))
        return made

    # -- the driver thread ---------------------------------------------------------------------------------------

    def _drive(self) -> None:
        try:
            for number in range(self.settings.repeats):
                if number and self._stopped.is_set():
                    break
                if number:
                    self._earlier.append(self.arms)
                    self.arms = self._round(number)
                self._find_right()
                if self.settings.way == "together":
                    self._together()
                else:
                    self._one_at_a_time()
        finally:
            for arm in self.arms.values():
                if arm.generation is None and arm.problem is None:
                    arm.problem = "Stopped before it began."
            rounds = (*self._earlier, self.arms)
            try:
                self.parts.ended([arm.record() for each in rounds for arm in each.values()], self.background)
            finally:  # whoever waits for this run must not wait for ever
                self.done.set()
                if self.on_done is not None:
                    self.on_done(self)

    def _find_right(self) -> None:
        """The right passages of the arms that are given them; before any clock runs, since nobody searches for them."""
        for arm in self.arms.values():
            if arm.arm.context == "perfect":
                given = tuple(PassageRecord(text=text) for text in self.settings.perfect)
                try:
                    arm.passages = given or passages.pins(self.settings.choices) or self._marked(arm.arm)
                except Problem as problem:
                    arm.problem = problem.message

    def _marked(self, arm: Arm) -> tuple[PassageRecord, ...]:
        texts = self.parts.right(self.question, arm.search.snapshot)
        if not texts:
            raise Problem(
                "This arm needs the right passages: pin them, or ask a question for which a question set of this "
                "project names the document."
            )
        return tuple(PassageRecord(text=text) for text in texts)

    def _together(self) -> None:
        clicked = time.perf_counter()
        plain = [arm for arm in self.arms.values() if not arm.arm.retrieves]
        retrieving = [arm for arm in self.arms.values() if arm.arm.retrieves]
        contended = len(self.arms) > 1 or self.settings.beside
        for arm in plain:
            self._submit(arm, clicked, contended=contended)
        if retrieving and not self._stopped.is_set():
            self._retrieve(retrieving)
            for arm in retrieving:
                self._submit(arm, clicked, contended=contended)
        self._finish(*self.arms.values())

    def _one_at_a_time(self) -> None:
        for model in dict.fromkeys(arm.arm.model for arm in self.arms.values()):
            self._warm_up(model)
        order = list(self.arms.values())
        random.Random(order[0].arm.sampling.seed).shuffle(order)
        for arm in order:
            if self._stopped.is_set():
                return
            begun = time.perf_counter()
            if arm.arm.retrieves:
                self._retrieve([arm])
            self._submit(arm, begun, contended=False)
            self._finish(arm)

    def _warm_up(self, model: str) -> None:
        # A model that is not there is reported by its own arms; the other models' arms go on.
        try:
            self.parts.engine.load(self._spec(model))
        except Problem as problem:
            for arm in self.arms.values():
                if arm.arm.model == model:
                    arm.problem = problem.message

    def _spec(self, model: str) -> "ModelSpec":
        spec = self.parts.spec(model)
        return dataclasses.replace(spec, device=self.settings.device, gpu_layers=self.settings.gpu_layers)

    def _retrieve(self, retrieving: Sequence[ArmRun]) -> None:
        """Search once for all arms that search alike: they read the same passages."""
        for search in dict.fromkeys(arm.arm.search for arm in retrieving):
            alike = [arm for arm in retrieving if arm.arm.search == search]
            for arm in alike:
                arm.started = True
            try:
                found = self._query(search)
            except Problem as problem:
                for arm in alike:
                    arm.problem = problem.message
                continue
            records_found = [PassageRecord(**dataclasses.asdict(passage)) for passage in found.passages]
            read, left_out = passages.apply(records_found, self.settings.choices, search.top_k)
            for arm in alike:
                arm.retrieved, arm.passages, arm.left_out = found, read, left_out

    def _query(self, search: Search) -> "Retrieved":
        return self.parts.knowledge().query(
            self.question,
            search.top_k + passages.more(self.settings.choices),
            search.mode,
            weight=search.weight,
            threshold=search.threshold,
            snapshot=search.snapshot,
            filters=search.filters,
            hops=search.hops,
        )

    def _submit(self, arm: ArmRun, begun: float, *, contended: bool) -> None:
        if arm.problem is not None or self._stopped.is_set():
            return
        from core.engine import Request

        try:
            request = Request(
                model=self._spec(arm.arm.model),
                alternatives=self._alternatives(arm),
                sampling=arm.arm.sampling,
                contended=contended,
                owner=self.owner,
                background=self.background,
                fresh=self.settings.repeats > 1,
            )
            arm.before_submit_ms = (time.perf_counter() - begun) * 1000
            arm.generation = self.parts.engine.submit(request)
        except Problem as problem:
            arm.problem = problem.message

    def _alternatives(self, arm: ArmRun) -> tuple[tuple[Message, ...], ...]:
        """The prompt with all turns and passages, then without the oldest turns, then the lowest-scored passages."""
        project, pinned = self.parts.project, None
        if arm.arm.context == "pinned":
            pinned = arm.arm.pinned or project.pinned
            if not pinned:
                raise Problem("This arm needs text or examples in its prompt: type them under 'Pinned text'.")
        texts = [passage.text for passage in arm.passages]
        arm.history = self.settings.history.get(arm.arm.name, ())
        turns = [(turn.question, turn.answer) for turn in arm.history]
        arm.versions = [(kept, len(texts)) for kept in range(len(turns), 0, -1)]
        arm.versions += [(0, count) for count in (range(len(texts), 0, -1) if texts else [0])]
        instruction = project.instruction_for(self.settings.task)
        return tuple(
            instruction.messages(
                self.question,
                texts[:count],
                arm=arm.arm,
                pinned=pinned,
                history=turns[len(turns) - kept :],
            )
            for kept, count in arm.versions
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


def _repeat(arm: ArmRecord, number: int) -> records.RepeatRecord:
    return records.RepeatRecord(number, arm.answer, arm.problem, arm.finish, arm.timing, arm.tokens, arm.rates)


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
    """The process's runs: live ones for re-attachment after a reload, finished ones from `stored`."""

    def __init__(self, stored: StoredRuns) -> None:
        self._stored = stored
        self._live: OrderedDict[str, Run] = OrderedDict()
        self._lock = threading.Lock()

    def start(
        self,
        question: str,
        settings: Settings,
        parts: Parts,
        *,
        watched: bool = True,
        owner: str = "",
        identity: records.Identity | None = None,
        most: int | None = None,
    ) -> Run:
        """Check and begin a run. `most`: how many this owner may have under way. Raises Problem on a question or
        setting that cannot be run, and when those are too many."""
        run = Run(
            question,
            settings,
            parts,
            watched,
            on_done=lambda done: self._stored.save(done.record()),
            owner=owner,
            identity=identity,
        )
        with self._lock:
            mine = sum(one.owner == owner and not one.done.is_set() for one in self._live.values())
            if most is not None and mine >= most:
                raise limits.too_many("questions", most, limits.QUESTIONS[0])
            self._live[run.id] = run
            while len(self._live) > KEPT_RUNS:
                self._live.popitem(last=False)
        return run.start()

    def live(self, run_id: str) -> Run | None:
        """The run, if this process started it and still remembers it."""
        with self._lock:
            return self._live.get(run_id)

    def record(self, run_id: str, project: str) -> RunRecord:
        """A project's run, live or stored. Raises Problem when there is none, or when it is another project's."""
        run = self.live(run_id)
        record = run.record() if run is not None else self._stored.get(run_id)
        if record.project != project:
            raise Problem("This run belongs to another project: choose that project first.")
        return record

    def before(self, record: RunRecord) -> RunRecord | None:
        """The finished run in which the same question was last asked before this one."""
        return self._stored.before(record)

    def project_of(self, run_id: str) -> str | None:
        """Whose run it is, live or stored; None when there is none."""
        run = self.live(run_id)
        return run.parts.project.id if run is not None else self._stored.project_of(run_id)

    def history(self, project: str, limit: int = 20) -> list[Mapping[str, str]]:
        """A project's latest finished runs, newest first: id, made, question, way."""
        return self._stored.history(project, limit)
