"""The one thread that starts workers, feeds them, watches them, and notices when they die.

All state here belongs to that thread; others post functions into it and wait for futures. It blocks on nothing but its
selector, so a dead, stopped or silent worker never holds up another one's answer. What it decides by is in policy.py,
what it says and hears in messages.py. It knows no llama.cpp and no prompt.

The thread lives as long as the engine: on Linux a worker dies with the thread that started it, which is meant for the
app's death and must not happen earlier.
"""

import base64
import collections
import contextlib
import json
import os
import selectors
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from core.engine import messages, policy, wire
from core.engine.interface import (
    SEQUENCES,
    Generation,
    ModelSpec,
    Prompt,
    Request,
    Result,
    State,
)
from core.engine.policy import Limits, Shares, Signs, Span, Ticket
from core.engine.vitals import Stopwatch, is_stopped, processor_time, resident
from core.engine.worklog import death, tail
from core.errors import Problem

WORKER = Path(__file__).with_name("worker.py")
CLOSED = "The engine was closed: start the app anew."
WATCH = 0.1  # seconds between two looks at a worker
SPARED = 2  # times that what nobody watches begins anew
# llama.cpp's threads wait for one another some hundred times a token. By default they spin meanwhile: where another
# program holds a processor, they burn the very time that the one they wait for needs. GNU's sleep after a few
# microseconds: what they wait for mostly comes sooner, and being woken some hundred times a token takes longer.
CALM = {"OMP_WAIT_POLICY": "PASSIVE", "GOMP_SPINCOUNT": "5000"}


@dataclass
class Job:
    """Something asked of a worker: an answer (with a generation) or a value (with a future)."""

    spec: ModelSpec
    order: messages.Generate | messages.Asked
    submitted: float
    generation: Generation | None = None
    future: "Future[Any] | None" = None
    dispatched: float | None = None
    waited_for_load: float = 0.0
    cold: bool = False
    work: float = 0.0  # in tokens, estimated
    interrupted: bool = False  # told to make way: its end is not the answer's
    interruptions: int = 0
    cancelled: bool = False
    deaths: int = 0  # of workers under it that were killed from outside

    @property
    def id(self) -> int:
        return self.order.id

    @property
    def contended(self) -> bool:
        return self.generation is not None and self.generation.request.contended

    @property
    def beside(self) -> bool:
        """Whether it is one of several in the background that may run beside each other."""
        return self.contended and self.generation is not None and self.generation.request.background

    @property
    def spared(self) -> bool:
        """Whether it begins anew when its worker was killed from outside: a row of an evaluation, a text's vector.
        Whoever watches an answer is told instead, and asks again."""
        watched = self.generation is not None and not self.generation.request.background
        return not (watched or self.cancelled) and self.deaths < SPARED

    def show(self, state: State | None = None, position: int | None = None) -> None:
        """Let whoever waits for an answer see how far it is."""
        if self.generation is not None:
            self.generation.state = state or self.generation.state
            self.generation.position = self.generation.position if position is None else position

    def fail(self, message: str) -> None:
        """Tell whoever waits."""
        if self.generation is not None:
            self.generation.fail(message)
        elif self.future is not None and not self.future.done():
            self.future.set_exception(Problem(message))


@dataclass
class Worker:
    """A worker process as the supervisor sees it."""

    spec: ModelSpec
    process: "subprocess.Popen[bytes]"
    connection: socket.socket
    vitals: psutil.Process
    log: Path
    started: float
    stamp: tuple[str, int, int, int]
    plain: bool = False  # as in messages.Load
    unpacker: wire.Unpacker = field(default_factory=wire.Unpacker)
    outgoing: bytearray = field(default_factory=bytearray)
    ready: bool = False
    fresh: bool = True  # no answer yet since it was loaded
    phase: messages.PHASES = "start"
    gpu: bool = False  # layers of it are there
    sequences: int = SEQUENCES  # answers it computes at a time, where those in the background may take all
    widened: bool = False  # it was asked for more of them
    kind: str | None = None  # "chat" or "embedder", once loaded
    sha256: str | None = None
    info: dict[str, Any] = field(default_factory=dict)
    load_ms: float = 0.0
    threads: int = 0  # that it computes with now
    running: dict[int, Job] = field(default_factory=dict)
    heard: float = 0.0
    pinged: float = 0.0
    progress: float = 0.0
    peak_memory: int = 0
    watched: float = 0.0
    quiet: Stopwatch = field(default_factory=Stopwatch)
    idle: Stopwatch = field(default_factory=Stopwatch)
    loading: Stopwatch = field(default_factory=Stopwatch)
    refused: str | None = None
    killed_for: str | None = None
    own_making: bool = False  # that it was killed
    closing: bool = False

    @property
    def answering(self) -> bool:
        """Whether an answer is being computed."""
        return any(job.generation is not None for job in self.running.values())


@dataclass
class Hosted:
    """A weights file: its worker if it has one, and its record."""

    path: Path
    worker: Worker | None = None
    waiting: list[Job] = field(default_factory=list)  # values asked for before the worker was ready
    deaths: list[float] = field(default_factory=list)  # those that still delay a start
    died: int = 0  # ever
    not_before: float = 0.0
    seen: float = 0.0  # when it was last looked at
    prompt_deaths: collections.Counter[int] = field(default_factory=collections.Counter)


class Supervisor:
    """Runs until `close()`. Everything with a leading underscore runs in its own thread."""

    def __init__(self, log_folder: Path, limits: Limits) -> None:
        self.limits = limits
        self._log_folder = log_folder
        self._posted: collections.deque[Callable[[], None]] = collections.deque()
        self._wake_read, self._wake_write = socket.socketpair()
        self._wake_read.setblocking(False)
        self._wake_write.setblocking(False)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._wake_read, selectors.EVENT_READ)
        self._hosted: dict[Path, Hosted] = {}
        self._pending: list[Job] = []
        self._shares = Shares()
        self._dying: list[Worker] = []
        self._hashes: dict[tuple[str, int, int, int], str] = {}
        self._own_deaths: dict[str, list[float]] = {}
        self._quarantined: dict[str, str] = {}
        self._numbers = 0
        self._threads: int | None = None
        self._plain = False  # the build's fastest instructions have failed here
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="engine-supervisor", daemon=True)
        self._thread.start()

    # -- for other threads ---------------------------------------------------------------------------------------

    def post(self, function: Callable[[], None]) -> None:
        """Run `function` in the supervisor's thread, soon."""
        if self._stopping:
            raise Problem(CLOSED)
        self._posted.append(function)
        with contextlib.suppress(OSError):  # a full pipe wakes it as well; a closed one means that it just ended
            self._wake_write.send(b"\0")

    def ask(self, function: Callable[[], Any]) -> Any:
        """What `function` gives in the supervisor's thread."""
        answer: Future[Any] = Future()

        def run() -> None:
            try:
                answer.set_result(function())
            except Problem as problem:
                answer.set_exception(problem)

        self.post(run)
        return answer.result()

    def submit(self, request: Request) -> Generation:
        """Queue an answer."""
        generation = Generation(request, cancel=lambda generation: self.post(lambda: self._cancel(generation)))
        adapter = str(request.model.adapter) if request.model.adapter else None
        order = messages.Generate(
            0,
            request.alternatives,
            request.sampling,
            adapter,
            request.model.template,
            request.fresh,
            request.drafting,
            request.one_of,
        )
        self.post(lambda: self._queue(Job(request.model, order, time.monotonic(), generation=generation)))
        return generation

    def call(self, spec: ModelSpec, asked: messages.Asked) -> "Future[Any]":
        """Ask a worker for a value, starting it when need be."""
        future: Future[Any] = Future()
        self.post(lambda: self._call(Job(spec, asked, time.monotonic(), future=future)))
        return future

    def devices(self) -> list[dict[str, Any]]:
        """What the build can compute on, asked of a process of its own. Blocks for a second. Raises Problem."""
        command = [sys.executable, "-P", str(WORKER), "devices"]
        try:
            done = subprocess.run(command, capture_output=True, timeout=60, check=True, stdin=subprocess.DEVNULL)
            found: list[dict[str, Any]] = json.loads(done.stdout.splitlines()[-1])
        except (OSError, subprocess.SubprocessError, ValueError, IndexError) as error:
            raise Problem(f"llama-cpp-python does not start: {error}. Install it anew (see the README).") from error
        return found

    def close(self) -> None:
        """End every worker and the thread."""
        if self._thread.is_alive() and not self._stopping:
            self.post(self._finish)
            self._thread.join(10)

    # -- the loop ------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        """The thread's life. Whatever ends it, nobody is left waiting and no worker running."""
        try:
            while not self._stopping:
                self._turn()
        finally:
            self._shut_down()
            self._selector.close()
            self._wake_read.close()
            self._wake_write.close()

    def _turn(self) -> None:
        for key, events in self._selector.select(0.02 if self._dying else 0.1):
            if key.fileobj is self._wake_read:
                with contextlib.suppress(BlockingIOError):
                    self._wake_read.recv(4096)
            else:
                self._serve(key.data, events)
        while self._posted:
            self._posted.popleft()()
        self._watch(time.monotonic())
        self._dispatch()
        self._share_threads()  # an answer may have ended, and left its processors to the others

    def _serve(self, worker: Worker, events: int) -> None:
        if events & selectors.EVENT_WRITE:
            self._flush(worker)
        if not events & selectors.EVENT_READ:
            return
        try:
            found = wire.receive(worker.connection, worker.unpacker)
            events_heard = None if found is None else [messages.event(raw) for raw in found]
        except BlockingIOError:
            return
        except ValueError as error:
            self._end(worker, f"it sent {error}", own=True)
            return
        if events_heard is None:
            self._lose(worker)
            return
        worker.heard = time.monotonic()
        for event in events_heard:
            self._hear(worker, event)

    def _send(self, worker: Worker, order: messages.Order) -> None:
        worker.outgoing += messages.pack(order)
        self._flush(worker)

    def _flush(self, worker: Worker) -> None:
        try:
            while worker.outgoing:
                del worker.outgoing[: worker.connection.send(worker.outgoing)]
        except BlockingIOError:
            pass
        except OSError:
            worker.outgoing.clear()  # it is gone; the end of file says so next
        wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE if worker.outgoing else 0)
        with contextlib.suppress(KeyError):
            self._selector.modify(worker.connection, wanted, worker)

    # -- what is asked -------------------------------------------------------------------------------------------

    def _number(self, job: Job) -> None:
        self._numbers += 1
        job.order = replace(job.order, id=self._numbers)

    def _host(self, path: Path) -> Hosted:
        return self._hosted.setdefault(path, Hosted(path))

    def _queue(self, job: Job) -> None:
        self._number(job)
        hosted = self._host(job.spec.path)
        try:
            size = len(messages.pack(job.order))
        except wire.TooLarge:
            job.fail(f"The prompt does not fit: it is over {wire.MAX_BYTES // 2**20} MB. Shorten the question.")
            return
        assert isinstance(job.order, messages.Generate)
        job.work = policy.work(size // len(job.order.alternatives), job.order.sampling.max_tokens)
        full = policy.refusal(self._ticket(job), [self._ticket(other) for other in self._pending], self.limits)
        if full is not None:
            job.fail(f"{full} for {job.spec.id}: ask again when some are answered.")
        elif hosted.prompt_deaths[_fingerprint(job)] >= self.limits.prompt_deaths:
            job.fail(f"This prompt has ended the worker of {job.spec.id} twice; it is not tried again. Change it.")
        else:
            self._pending.append(job)

    def _call(self, job: Job) -> None:
        self._number(job)
        self._host(job.spec.path).waiting.append(job)

    def _cancel(self, generation: Generation) -> None:
        for job in self._pending:
            if job.generation is generation:
                self._pending.remove(job)
                generation.finish(_nothing(job))
                return
        for hosted in self._hosted.values():
            for number, job in hosted.worker.running.items() if hosted.worker else ():
                if job.generation is generation and hosted.worker:
                    job.interrupted, job.cancelled = False, True
                    self._send(hosted.worker, messages.Cancel(number))

    def _finish(self) -> None:
        self._stopping = True

    def _shut_down(self) -> None:
        self._stopping = True
        while self._posted:  # what came in last is failed with the rest
            self._posted.popleft()()
        for hosted in self._hosted.values():
            self._fail_waiting(hosted, CLOSED)
            if hosted.worker is not None:
                self._end(hosted.worker, "the engine was closed")
        for worker in self._dying:
            worker.process.kill()
            worker.process.wait()
            self._fail_all(worker, CLOSED)
        self._dying.clear()

    def unload(self, path: Path) -> None:
        """Runs in the supervisor's thread: end a model's worker, if it has one."""
        hosted = self._hosted.get(path)
        if hosted is not None and hosted.worker is not None:
            hosted.worker.closing = True
            self._end(hosted.worker, "it was unloaded")

    def status(self) -> list[dict[str, Any]]:
        """Runs in the supervisor's thread: what each known file is doing."""
        return [self._state(hosted) for hosted in self._hosted.values()]

    def _state(self, hosted: Hosted) -> dict[str, Any]:
        worker = hosted.worker
        state = {
            "path": str(hosted.path),
            "state": "not loaded" if worker is None else "ready" if worker.ready else f"loading ({worker.phase})",
            "queued": sum(job.spec.path == hosted.path for job in self._pending),
            "deaths": len(hosted.deaths),
            "died": hosted.died,
        }
        if worker is None:
            return state
        return state | {
            "id": worker.spec.id,
            "pid": worker.process.pid,
            "running": len(worker.running),
            "answering": sum(job.generation is not None for job in worker.running.values()),
            "threads": worker.threads,
            "load": worker.load_ms,
            "memory": resident(worker.vitals),
            "peak_memory": worker.peak_memory,
            "model": worker.info,
        }

    # -- starting and feeding ------------------------------------------------------------------------------------

    def _dispatch(self) -> None:
        """Hand out what can run now, in the order of policy.py; start workers for what waits."""
        now = time.monotonic()
        for hosted in self._hosted.values():
            worker = self._worker_for(hosted.waiting[0].spec, hosted, now) if hosted.waiting else None
            while worker is not None and worker.ready and hosted.waiting:
                self._hand_over(worker, hosted.waiting.pop(0), now)
        waiting = {job.id: job for job in self._pending}
        for ticket in self._in_order(waiting.values(), self._running(), now):
            hosted = self._hosted[ticket.model]
            if hosted.seen < now:  # the first in order says with which settings the file is wanted
                hosted.seen = now
                self._worker_for(waiting[ticket.number].spec, hosted, now)
            if hosted.worker is not None and not hosted.worker.ready:
                waiting[ticket.number].show("loading")
        self._hand_out(now)

    def _in_order(self, jobs: Iterable[Job], running: list[Ticket], now: float) -> list[Ticket]:
        return policy.in_order([self._ticket(job) for job in jobs], running, self._shares, now, self.limits)

    def _hand_out(self, now: float) -> None:
        """Start every waiting answer that can run beside those that do, and have background ones make way."""
        waiting = {job.id: job for job in self._pending}
        while waiting:
            running = self._running()
            ordered = self._in_order(waiting.values(), running, now)
            for ticket in policy.to_interrupt(ordered, running, now, self.limits):
                self._interrupt(ticket)
            chosen = policy.next_one(ordered, running, now, self.limits)
            if chosen is None:
                for position, ticket in enumerate(ordered, 1):
                    waiting[ticket.number].show(position=position)
                return
            job = waiting.pop(chosen.number)
            self._pending.remove(job)
            self._shares = self._shares.charged(policy.payer(chosen, now, self.limits), chosen.work)
            worker = self._hosted[job.spec.path].worker
            assert worker is not None
            self._hand_over(worker, job, now)

    def _running(self) -> list[Ticket]:
        """The answers under way."""
        workers = [hosted.worker for hosted in self._hosted.values() if hosted.worker is not None]
        jobs = [job for worker in workers for job in worker.running.values()]
        return [self._ticket(job) for job in jobs if job.generation is not None]

    def _ticket(self, job: Job) -> Ticket:
        assert job.generation is not None
        request, worker = job.generation.request, self._hosted[job.spec.path].worker
        return Ticket(
            number=job.id,
            owner=request.owner,
            model=job.spec.path,
            adapter=job.spec.adapter,
            work=job.work,
            since=job.submitted,
            contended=request.contended,
            background=request.background,
            ready=worker is not None and worker.ready and _configuration(worker.spec) == _configuration(job.spec),
            room=worker.sequences if worker and request.background and not job.spec.adapter else job.spec.sequences,
        )

    def _interrupt(self, ticket: Ticket) -> None:
        """Have an answer under way make way; it waits again when its worker has let go of it."""
        worker = self._hosted[ticket.model].worker
        job = worker.running.get(ticket.number) if worker is not None else None
        if worker is not None and job is not None and not job.interrupted:
            job.interrupted = True
            self._send(worker, messages.Cancel(job.id))

    def _hand_over(self, worker: Worker, job: Job, now: float) -> None:
        if job.future is not None and job.order == messages.Prepare(job.id):
            job.future.set_result(dict(worker.info))
            return
        job.dispatched = now
        if job.generation is not None:
            job.waited_for_load = min(
                max(worker.started + worker.load_ms / 1000 - job.submitted, 0.0), worker.load_ms / 1000
            )
            job.cold, worker.fresh = worker.fresh, False
            job.show("prefill", 0)
        if not worker.running:
            worker.progress = now
            if job.beside and not worker.widened:
                worker.widened = True
                self._send(worker, messages.Widen())
        worker.running[job.id] = job
        self._share_threads()  # before the first token, not after it
        self._send(worker, job.order)

    def _worker_for(self, spec: ModelSpec, hosted: Hosted, now: float) -> Worker | None:
        """The worker of a file in the configuration asked for; started when there is none and it may be started."""
        worker = hosted.worker
        if worker is not None and _configuration(worker.spec) != _configuration(spec):
            if not worker.running and worker.ready:
                worker.closing = True
                self._end(worker, "it was loaded anew with other settings")
            return None
        if worker is not None or now < hosted.not_before or any(one.spec.path == spec.path for one in self._dying):
            return worker
        try:
            hosted.worker = self._start(spec, now)
        except Problem as problem:
            self._fail_waiting(hosted, problem.message)
            return None
        return hosted.worker

    def _start(self, spec: ModelSpec, now: float) -> Worker:
        """A new process for a file. Raises Problem when it must not or cannot be started."""
        stamp = _stamp(spec.path)
        known = self._hashes.get(stamp)
        for key in (known, repr(stamp)):
            if key in self._quarantined:
                raise Problem(self._quarantined[key])
        ours, theirs = socket.socketpair()
        log = self._log_folder / f"worker-{os.getpid()}-{self._numbers}.log"
        environment = CALM | os.environ | {"GGML_NO_BACKTRACE": "1", "PYTHONIOENCODING": "utf-8"}
        try:
            with theirs, log.open("wb") as stderr:
                process = subprocess.Popen(
                    [sys.executable, "-P", str(WORKER), str(theirs.fileno())],
                    pass_fds=[theirs.fileno()],
                    stdin=subprocess.DEVNULL,
                    stdout=stderr,
                    stderr=stderr,
                    env=environment,
                    start_new_session=True,  # Ctrl-C is for the app, which then ends its workers
                )
        except OSError as error:
            ours.close()
            raise Problem(f"No worker can be started for {spec.id}: {error}.") from error
        ours.setblocking(False)
        vitals = psutil.Process(process.pid)
        worker = Worker(
            spec, process, ours, vitals, log, now, stamp, plain=self._plain, heard=now, pinged=now, progress=now
        )
        self._selector.register(ours, selectors.EVENT_READ, worker)
        threads = spec.threads or self._threads
        self._send(
            worker,
            messages.Load(
                str(spec.path), spec.context, spec.device, spec.gpu_layers, threads, known, spec.sha256, self._plain
            ),
        )
        return worker

    # -- what workers say ----------------------------------------------------------------------------------------

    def _hear(self, worker: Worker, event: messages.Event) -> None:
        if isinstance(event, messages.Pong):
            return
        worker.progress = time.monotonic()
        if isinstance(event, messages.Phase):
            worker.phase, worker.gpu = event.phase, event.gpu or worker.gpu
            self._learn_hash(worker, event.sha256)
        elif isinstance(event, messages.Loaded):
            worker.ready, worker.phase = True, "ready"
            worker.load_ms = (time.monotonic() - worker.started) * 1000
            worker.info = {"id": worker.spec.id, "kind": event.kind, "threads": event.threads, **event.info}
            worker.kind, worker.threads, worker.peak_memory = event.kind, event.threads, event.peak_memory
            self._agree_on_threads(worker)
        elif isinstance(event, messages.Room):
            worker.sequences = event.sequences
        elif isinstance(event, messages.Refused):
            worker.refused = event.message
        else:
            job = worker.running.get(event.id)
            if job is not None:
                self._hear_of(worker, job, event)

    def _agree_on_threads(self, worker: Worker) -> None:
        """What the first model's trial chose holds for all: models are compared, so they must run alike."""
        if worker.spec.threads is not None or worker.kind != "chat":
            return
        self._threads = worker.info["threads"] = self._threads or worker.info["threads"]

    def _share_threads(self) -> None:
        """Workers that answer at the same time divide what each would use alone."""
        workers = [hosted.worker for hosted in self._hosted.values() if hosted.worker is not None]
        busy = [worker for worker in workers if worker.answering]
        chats, gathering = sum(worker.kind == "chat" for worker in workers), self._gathering(busy)
        for worker in busy:
            count = policy.share(worker.info["threads"], len(busy), chats, gathering=gathering)
            if worker.threads != count:
                worker.threads = count
                self._send(worker, messages.Threads(count))

    def _gathering(self, workers: Iterable[Worker]) -> bool:
        """Whether one of them has just begun an answer that is meant to run beside others."""
        since = time.monotonic() - self.limits.gather
        jobs = [job for worker in workers for job in worker.running.values()]
        return any(job.contended and job.dispatched is not None and job.dispatched > since for job in jobs)

    def _learn_hash(self, worker: Worker, found: str | None) -> None:
        if found is None:
            return
        worker.sha256 = found
        with contextlib.suppress(Problem):
            self._hashes[_stamp(worker.spec.path)] = found
        if found in self._quarantined:
            worker.refused = self._quarantined[found]
            worker.process.kill()

    def _hear_of(
        self,
        worker: Worker,
        job: Job,
        event: messages.Prefill | messages.Text | messages.Done | messages.Value | messages.Failed,
    ) -> None:
        generation = job.generation
        if isinstance(event, messages.Failed):
            del worker.running[job.id]
            job.fail(event.message)
        elif isinstance(event, messages.Value):
            if job.future is not None:
                del worker.running[job.id]
                job.future.set_result(_value(worker, job, event.value))
        elif generation is None:
            return
        elif isinstance(event, messages.Prefill):
            generation.prefill_done, generation.prefill_total = event.done, event.total
        elif isinstance(event, messages.Text):
            generation.prefill_done = generation.prefill_total
            generation.text += event.text
            generation.tokens = event.tokens
            generation.state = "decode"
        else:
            del worker.running[job.id]
            self._end_of_answer(worker, job, generation, event)

    def _end_of_answer(self, worker: Worker, job: Job, generation: Generation, event: messages.Done) -> None:
        worker.peak_memory = event.peak_memory
        self._host(job.spec.path).deaths.clear()  # it works: the next start need not be delayed
        if job.interrupted and event.finish == "cancelled":
            job.interruptions += 1
            self._wait_again(job, self._host(job.spec.path))
            return
        generation.tokens = event.tokens.output
        generation.finish(_result(worker, job, event))

    # -- watching ------------------------------------------------------------------------------------------------

    def _watch(self, now: float) -> None:
        for hosted in self._hosted.values():
            if hosted.worker is not None:
                self._watch_worker(hosted.worker, now)
        for worker in list(self._dying):
            if worker.process.poll() is not None:
                self._dying.remove(worker)
                self._bury(worker, now)
            elif now - worker.heard > 1.0:
                worker.process.kill()

    def _watch_worker(self, worker: Worker, now: float) -> None:
        if now - worker.watched < WATCH:
            return
        worker.watched = now
        missed = policy.verdict(self._signs(worker, now), self.limits)
        if missed is not None:
            self._end(worker, missed.reason, own=missed.own)
        elif now - worker.pinged >= self.limits.ping:
            worker.pinged = now
            self._send(worker, messages.Ping())

    def _signs(self, worker: Worker, now: float) -> Signs:
        spent, stopped = processor_time(worker.vitals), is_stopped(worker.vitals)

        def span(watch: Stopwatch, event: float, spent: float | None) -> Span:
            return Span(watch.since(event, now, spent), now - event, watch.starved)

        return Signs(
            phase=worker.phase,
            ready=worker.ready,
            running=bool(worker.running),
            stopped=stopped,
            size=worker.stamp[1],
            gpu=worker.gpu,
            silent=span(worker.quiet, worker.heard, None if stopped else spent),
            idle=span(worker.idle, worker.progress, spent),
            loading=span(worker.loading, worker.started, spent),
        )

    def _end(self, worker: Worker, reason: str, *, own: bool = False) -> None:
        """Kill a worker. `own`: it brought this on itself; a machine too busy to run it is not its fault."""
        worker.killed_for = worker.killed_for or reason
        worker.own_making = worker.own_making or own
        worker.process.kill()
        self._lose(worker)

    def _lose(self, worker: Worker) -> None:
        """A worker's connection is gone: no more of it, and as soon as its exit status is known it is buried."""
        with contextlib.suppress(KeyError, ValueError):
            self._selector.unregister(worker.connection)
        worker.connection.close()
        worker.heard = time.monotonic()
        hosted = self._hosted[worker.spec.path]
        if hosted.worker is worker:
            hosted.worker = None
            self._dying.append(worker)

    def _bury(self, worker: Worker, now: float) -> None:
        """Draw the consequences of a death: tell who waited, count it, delay the next start, set the file aside."""
        hosted, name = self._hosted[worker.spec.path], worker.spec.id
        if worker.closing:
            self._fail_all(worker, policy.farewell(name, worker.phase, "unloaded", "", ""))
            return
        if worker.refused is not None:
            lines = tail(worker.log) if "llama.cpp" in worker.refused else ""
            message = policy.farewell(name, worker.phase, "refused", worker.refused, lines)
            self._fail_all(worker, message)
            self._fail_waiting(hosted, message)
            return
        if policy.without_matrix_units(worker.process.returncode, plain=worker.plain):
            self._plain = True
            self._begin_anew(worker, hosted, all_jobs=True)
            return
        cause, crashed = death(worker.process.returncode, worker.killed_for)
        own = crashed or worker.own_making
        hosted.died += 1
        if own:
            self._own_death(worker, now)
        hosted.deaths = policy.recent(hosted.deaths, now, self.limits)
        hosted.not_before = policy.not_before(hosted.deaths, self.limits)
        lines = tail(worker.log) if own else ""  # what was killed from outside had nothing to say about it
        message = policy.farewell(name, worker.phase, "died", cause, lines)
        for job in worker.running.values() if own else ():
            hosted.prompt_deaths[_fingerprint(job)] += 1
        if not own:
            self._begin_anew(worker, hosted)
        self._fail_all(worker, message)
        if not worker.ready:
            self._fail_waiting(hosted, message)

    def _begin_anew(self, worker: Worker, hosted: Hosted, *, all_jobs: bool = False) -> None:
        """What lost its worker through nobody's fault waits for the next one."""
        for job in [job for job in worker.running.values() if all_jobs or job.spared]:
            del worker.running[job.id]
            job.deaths += 1
            self._wait_again(job, hosted)

    def _wait_again(self, job: Job, hosted: Hosted) -> None:
        self._number(job)
        if job.generation is None:
            hosted.waiting.append(job)
            return
        job.interrupted = False
        job.generation.restart()
        self._pending.append(job)

    def _own_death(self, worker: Worker, now: float) -> None:
        """A death of the file's making: after a few, the file is set aside, by its hash or else by its stamp."""
        key = worker.sha256 or repr(worker.stamp)
        self._own_deaths[key] = policy.recent(self._own_deaths.get(key, []), now, self.limits)
        reason = policy.set_aside(worker.spec.id, self._own_deaths[key], self.limits)
        if reason is not None:
            self._quarantined[key] = reason

    def _fail_all(self, worker: Worker, message: str) -> None:
        for job in worker.running.values():
            job.fail(message)
        worker.running.clear()

    def _fail_waiting(self, hosted: Hosted, message: str) -> None:
        """Fail all that waits for a file that cannot be had."""
        for job in hosted.waiting:
            job.fail(message)
        hosted.waiting.clear()
        for job in [job for job in self._pending if job.spec.path == hosted.path]:
            self._pending.remove(job)
            job.fail(message)


# -- small pure helpers --------------------------------------------------------------------------------------------


def _configuration(spec: ModelSpec) -> tuple[Any, ...]:
    return spec.context, spec.device, spec.gpu_layers, spec.threads, spec.sha256


def _fingerprint(job: Job) -> int:
    return hash((repr(getattr(job.order, "alternatives", None)), job.spec.adapter))


def _stamp(path: Path) -> tuple[str, int, int, int]:
    """What changes when a file does. Raises Problem when there is none."""
    try:
        found = path.stat()
    except (OSError, ValueError) as error:
        raise Problem(f"The model file {path} cannot be read: {getattr(error, 'strerror', error)}.") from error
    return str(path), found.st_size, found.st_mtime_ns, found.st_ino


def _nothing(job: Job) -> Result:
    """The result of an answer cancelled before it began."""
    waited = (time.monotonic() - job.submitted) * 1000
    timing = {"queue": waited, "load": 0.0, "ttft_engine": None, "prefill": 0.0, "decode": 0.0, "total": waited}
    tokens: dict[str, int | None] = {"prompt": 0, "prompt_reused": 0, "output": 0, "copied": 0}
    rates: dict[str, float | None] = {"prefill_per_s": None, "decode_per_s": None}
    flags = {"cold": False, "contended": job.contended}
    return Result("", "cancelled", "", 0, timing | flags, tokens, rates, {"id": job.spec.id})


def _result(worker: Worker, job: Job, done: messages.Done) -> Result:
    assert job.generation is not None and job.dispatched is not None
    waited = max(job.dispatched - job.submitted - job.waited_for_load, 0.0) * 1000
    timing = asdict(done.timing) | {"queue": waited, "total": (time.monotonic() - job.submitted) * 1000}
    timing["load"] += job.waited_for_load * 1000
    timing |= {"cold": job.cold, "contended": job.contended}
    model = worker.info | {"id": job.spec.id, "threads": worker.threads, "peak_memory": done.peak_memory}
    model["adapter_sha256"] = done.adapter_sha256
    if done.note:
        model["note"] = done.note
    return Result(
        job.generation.text + done.text,
        done.finish,
        done.prompt,
        done.alternative,
        timing,
        asdict(done.tokens),
        asdict(done.rates),
        model,
        done.logprobs,
    )


def _value(worker: Worker, job: Job, value: int | str) -> Any:
    if isinstance(job.order, messages.Render):
        return Prompt(**json.loads(str(value)))
    if isinstance(job.order, messages.Embed):
        return np.frombuffer(base64.b64decode(str(value)), dtype="<f4").astype(np.float32)
    return dict(worker.info) if isinstance(job.order, messages.Prepare) else value
