"""The one thread that starts workers, feeds them, watches them, and notices when they die.

All state here belongs to that thread; others post functions into it and wait for futures. It blocks on nothing but its
selector, so a dead, stopped or silent worker never holds up another one's answer. It knows no llama.cpp and no prompt.

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
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from core.engine import wire
from core.engine.interface import Generation, ModelSpec, Request, Result
from core.engine.vitals import Stopwatch, is_stopped, processor_time, resident
from core.engine.worklog import death, tail
from core.errors import Problem

WORKER = Path(__file__).with_name("worker.py")
CLOSED = "The engine was closed: start the app anew."
WATCH = 0.1  # seconds between two looks at a worker
SEQUENCES = 2  # answers a worker computes at a time without an adapter; one with


@dataclass(frozen=True)
class Limits:
    """Deadlines and bounds, in seconds unless said otherwise."""

    load: float = 30.0
    load_bytes_per_second: float = 100e6
    silence: float = 30.0  # no token, no progress
    template: float = 4.0  # for the chat template's first rendering; it takes a millisecond
    gather: float = 0.1  # within which the arms of one question reach their workers
    ping: float = 1.0
    missed_pings: int = 4
    back_off: tuple[float, ...] = (0.5, 2.0, 8.0)
    deaths: int = 3  # of its own making, within `window`, until a file is set aside
    window: float = 300.0
    prompt_deaths: int = 2  # of one prompt's making, until it is refused
    queue: int = 64  # answers waiting for one model


@dataclass
class Job:
    """Something asked of a worker: an answer (with a generation) or a value (with a future)."""

    id: int
    spec: ModelSpec
    message: wire.Message
    submitted: float
    generation: Generation | None = None
    future: "Future[Any] | None" = None
    dispatched: float | None = None
    waited_for_load: float = 0.0
    cold: bool = False

    @property
    def contended(self) -> bool:
        return self.generation is not None and self.generation.request.contended

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
    log: Path
    started: float
    stamp: tuple[str, int, int, int]
    unpacker: wire.Unpacker = field(default_factory=wire.Unpacker)
    outgoing: bytearray = field(default_factory=bytearray)
    ready: bool = False
    fresh: bool = True  # no answer yet since it was loaded
    phase: str = "start"
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

    def answers(self, adapter: Path | None) -> int:
        """Answers being computed with this adapter."""
        return sum(job.generation is not None and job.spec.adapter == adapter for job in self.running.values())


@dataclass
class Hosted:
    """A weights file: its worker if it has one, and its record."""

    path: Path
    worker: Worker | None = None
    waiting: list[Job] = field(default_factory=list)  # values asked for before the worker was ready
    deaths: list[float] = field(default_factory=list)
    not_before: float = 0.0
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
        self._dying: list[Worker] = []
        self._hashes: dict[tuple[str, int, int, int], str] = {}
        self._own_deaths: dict[str, list[float]] = {}
        self._quarantined: dict[str, str] = {}
        self._numbers = 0
        self._threads: int | None = None
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
        message = {
            "op": "generate",
            "alternatives": request.alternatives,
            "sampling": asdict(request.sampling),
            "adapter": str(request.model.adapter) if request.model.adapter else None,
        }
        self.post(lambda: self._queue(Job(0, request.model, message, time.monotonic(), generation=generation)))
        return generation

    def call(self, spec: ModelSpec, message: wire.Message) -> "Future[Any]":
        """Ask a worker for a value, starting it when need be."""
        future: Future[Any] = Future()
        self.post(lambda: self._call(Job(0, spec, message, time.monotonic(), future=future)))
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
        except BlockingIOError:
            return
        except (wire.TooLarge, ValueError) as error:
            worker.killed_for, worker.own_making = f"it sent {error}", True
            found = None
        if found is None:
            self._lose(worker)
            return
        worker.heard = time.monotonic()
        for message in found:
            self._hear(worker, message)

    def _send(self, worker: Worker, message: wire.Message) -> None:
        worker.outgoing += wire.pack(message)
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
        job.id = job.message["id"] = self._numbers

    def _host(self, path: Path) -> Hosted:
        return self._hosted.setdefault(path, Hosted(path))

    def _queue(self, job: Job) -> None:
        self._number(job)
        generation = job.generation
        assert generation is not None
        waiting = sum(other.spec.path == job.spec.path for other in self._pending)
        hosted = self._host(job.spec.path)
        try:
            wire.pack(job.message)
        except wire.TooLarge:
            job.fail(f"The prompt does not fit: it is over {wire.MAX_BYTES // 2**20} MB. Shorten the question.")
            return
        if waiting >= self.limits.queue:
            job.fail(f"{waiting} questions already wait for {job.spec.id}: ask again when some are answered.")
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
                    self._send(hosted.worker, {"op": "cancel", "id": number})

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
        }
        if worker is None:
            return state
        return state | {
            "id": worker.spec.id,
            "pid": worker.process.pid,
            "running": len(worker.running),
            "threads": worker.threads,
            "load": worker.load_ms,
            "memory": resident(worker.process.pid),
            "peak_memory": worker.peak_memory,
            "model": worker.info,
        }

    # -- starting and feeding ------------------------------------------------------------------------------------

    def _dispatch(self) -> None:
        """Hand out what can run now, in the order it came.

        Contended answers run beside each other; any other runs alone, and what comes after it waits behind it.
        """
        now = time.monotonic()
        for hosted in self._hosted.values():
            worker = self._worker_for(hosted.waiting[0].spec, hosted, now) if hosted.waiting else None
            while worker is not None and worker.ready and hosted.waiting:
                self._hand_over(worker, hosted.waiting.pop(0), now)
        running = [job for hosted in self._hosted.values() if hosted.worker for job in hosted.worker.running.values()]
        answers = [job for job in running if job.generation is not None]
        if any(not job.contended for job in answers):
            return
        for job in list(self._pending):
            hosted = self._hosted[job.spec.path]
            worker = self._worker_for(job.spec, hosted, now)
            if worker is None or not worker.ready or job not in self._pending:
                if job.generation is not None and job in self._pending and worker is not None:
                    job.generation.state = "loading"
                continue
            if not job.contended and answers:
                break
            if worker.answers(job.spec.adapter) >= (SEQUENCES if job.spec.adapter is None else 1):
                continue
            self._pending.remove(job)
            answers.append(job)
            self._hand_over(worker, job, now)
            if not job.contended:
                break
        for position, job in enumerate(self._pending, 1):
            if job.generation is not None:
                job.generation.position = position

    def _hand_over(self, worker: Worker, job: Job, now: float) -> None:
        if job.message["op"] == "load" and job.spec.adapter is None:
            if job.future is not None:
                job.future.set_result(dict(worker.info))
            return
        if job.message["op"] == "load":
            job.message |= {"op": "adapter", "adapter": str(job.spec.adapter)}
        job.dispatched = now
        if job.generation is not None:
            job.waited_for_load = min(
                max(worker.started + worker.load_ms / 1000 - job.submitted, 0.0), worker.load_ms / 1000
            )
            job.cold, worker.fresh = worker.fresh, False
            job.generation.state = "prefill"
            job.generation.position = 0
        if not worker.running:
            worker.progress = now
        worker.running[job.id] = job
        self._share_threads()  # before the first token, not after it
        self._send(worker, job.message)

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
        environment = os.environ | {"GGML_NO_BACKTRACE": "1", "PYTHONIOENCODING": "utf-8"}
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
        worker = Worker(spec, process, ours, log, now, stamp, heard=now, pinged=now, progress=now)
        self._selector.register(ours, selectors.EVENT_READ, worker)
        message: wire.Message = {"op": "load", "path": str(spec.path), "known": known, "expected": spec.sha256}
        message |= {"context": spec.context, "device": spec.device, "gpu_layers": spec.gpu_layers}
        self._send(worker, message | {"threads": spec.threads or self._threads})
        return worker

    # -- what workers say ----------------------------------------------------------------------------------------

    def _hear(self, worker: Worker, message: wire.Message) -> None:
        event = message["event"]
        if event == "pong":
            return
        worker.progress = time.monotonic()
        worker.peak_memory = message.get("peak_memory", worker.peak_memory)
        if event == "phase":
            worker.phase = message["phase"]
            self._learn_hash(worker, message.get("sha256"))
        elif event == "loaded":
            worker.ready, worker.phase = True, "ready"
            worker.load_ms = (time.monotonic() - worker.started) * 1000
            worker.info = {"id": worker.spec.id, **message["info"]}
            worker.threads = worker.info["threads"]
            self._agree_on_threads(worker)
        elif event == "refused":
            worker.refused = message["message"]
        else:
            job = worker.running.get(message["id"])
            if job is not None:
                self._hear_of(worker, job, message)

    def _agree_on_threads(self, worker: Worker) -> None:
        """What the first model's trial chose holds for all: models are compared, so they must run alike."""
        if worker.spec.threads is not None or worker.info["kind"] != "chat":
            return
        self._threads = worker.info["threads"] = self._threads or worker.info["threads"]

    def _share_threads(self) -> None:
        """Workers that answer at the same time divide what each would use alone.

        Together they would else run more threads than there are processors, and llama.cpp's threads wait for one
        another at every layer: measured, four answers then took twice as long as one after the other. As a count
        changes only between two evaluations, answers meant to run beside others begin with their share.
        """
        workers = [hosted.worker for hosted in self._hosted.values() if hosted.worker is not None]
        busy = [worker for worker in workers if worker.answering]
        chats = [worker for worker in workers if worker.info.get("kind") == "chat"]
        sharers = max(len(busy), len(chats) if self._gathering(busy) else 0)
        for worker in busy:
            count = max(1, worker.info["threads"] // sharers)
            if worker.threads != count:
                worker.threads = count
                self._send(worker, {"op": "threads", "count": count})

    def _gathering(self, workers: Sequence[Worker]) -> bool:
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

    def _hear_of(self, worker: Worker, job: Job, message: wire.Message) -> None:
        generation, event = job.generation, message["event"]
        if event == "prefill" and generation is not None:
            generation.prefill_done, generation.prefill_total = message["done"], message["total"]
        elif event == "text" and generation is not None:
            generation.prefill_done = generation.prefill_total
            generation.text += message["text"]
            generation.tokens = message["tokens"]
            generation.state = "decode"
        elif event == "done" and generation is not None:
            del worker.running[job.id]
            generation.tokens = message["tokens"]["output"]
            generation.finish(_result(worker, job, message))
            self._host(job.spec.path).deaths.clear()  # it works: the next start need not be delayed
        elif event == "value" and job.future is not None:
            del worker.running[job.id]
            job.future.set_result(_value(worker, job, message["value"]))
        elif event == "problem":
            del worker.running[job.id]
            job.fail(message["message"])

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
        worker.watched, limits = now, self.limits
        spent, stopped = processor_time(worker.process.pid), is_stopped(worker.process.pid)
        silent = worker.quiet.since(worker.heard, now, None if stopped else spent)
        idle = worker.idle.since(worker.progress, now, spent)
        loading = worker.loading.since(worker.started, now, spent)
        told = worker.phase != "start" or stopped  # until the first word the interpreter may take its time
        if told and silent > limits.ping * (limits.missed_pings + 0.5):
            held_up = stopped or worker.quiet.starved
            self._end(worker, f"it did not answer for {now - worker.heard:.0f} s", own=not held_up)
        elif worker.phase == "chat template" and idle > limits.template:
            reason = f"its chat template did not end within {limits.template:g} s"
            self._end(worker, reason, own=not worker.idle.starved)
        elif not worker.ready and loading > limits.load + worker.stamp[1] / limits.load_bytes_per_second:
            self._end(worker, f"it was not loaded after {now - worker.started:.0f} s", own=not worker.loading.starved)
        elif worker.ready and worker.running and idle > limits.silence:
            reason = f"it computed no token for {now - worker.progress:.0f} s"
            self._end(worker, reason, own=not worker.idle.starved)
        elif now - worker.pinged >= limits.ping:
            worker.pinged = now
            self._send(worker, {"op": "ping", "n": 0})

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
        hosted, status = self._hosted[worker.spec.path], worker.process.returncode
        if worker.closing:
            self._fail_all(worker, f"{worker.spec.id} was unloaded before it could answer.")
            return
        if worker.refused is not None:
            message = f"{worker.spec.id} cannot be used: {worker.refused.rstrip('.')}."
            lines = tail(worker.log)
            message += f" Its log ends: {lines}" if "llama.cpp" in worker.refused and lines else ""
            self._fail_all(worker, message)
            self._fail_waiting(hosted, message)
            return
        cause, crashed = death(status, worker.killed_for)
        own = crashed or worker.own_making
        if own:
            self._own_death(worker, now)
        hosted.deaths = [*(past for past in hosted.deaths if now - past < self.limits.window), now]
        hosted.not_before = now + self.limits.back_off[min(len(hosted.deaths), len(self.limits.back_off)) - 1]
        message = (
            f"The worker of {worker.spec.id} ended: {cause}, in the phase '{worker.phase}'. Ask again: it restarts."
        )
        lines = tail(worker.log) if own else ""  # what was killed from outside had nothing to say about it
        message += f" Its log ends: {lines}" if lines else ""
        for job in worker.running.values() if own else ():
            hosted.prompt_deaths[_fingerprint(job)] += 1
        self._fail_all(worker, message)
        if not worker.ready:
            self._fail_waiting(hosted, message)

    def _own_death(self, worker: Worker, now: float) -> None:
        """A death of the file's making: after a few, the file is set aside, by its hash or else by its stamp."""
        key = worker.sha256 or repr(worker.stamp)
        past = [*(time for time in self._own_deaths.get(key, []) if now - time < self.limits.window), now]
        self._own_deaths[key] = past
        if len(past) >= self.limits.deaths:
            self._quarantined[key] = (
                f"{worker.spec.id} has crashed its worker {len(past)} times in {self.limits.window / 60:.0f} minutes "
                "and is set aside until the app is started anew or the file changes. Use another file."
            )

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
    return hash((repr(job.message.get("alternatives")), job.spec.adapter))


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
    tokens = {"prompt": 0, "prompt_reused": 0, "output": 0}
    rates: dict[str, float | None] = {"prefill_per_s": None, "decode_per_s": None}
    flags = {"cold": False, "contended": job.contended}
    return Result("", "cancelled", "", 0, timing | flags, tokens, rates, {"id": job.spec.id})


def _result(worker: Worker, job: Job, message: wire.Message) -> Result:
    assert job.generation is not None and job.dispatched is not None
    timing = message["timing"]
    waited = max(job.dispatched - job.submitted - job.waited_for_load, 0.0) * 1000
    timing |= {"queue": waited, "total": (time.monotonic() - job.submitted) * 1000}
    timing["load"] += job.waited_for_load * 1000
    timing |= {"cold": job.cold, "contended": job.contended}
    model = worker.info | {"id": job.spec.id, "threads": worker.threads, "peak_memory": message["peak_memory"]}
    model["adapter_sha256"] = message.get("adapter_sha256")
    if message["note"]:
        model["note"] = message["note"]
    return Result(
        job.generation.text + message["text"],
        message["finish"],
        message["prompt"],
        message["alternative"],
        timing,
        message["tokens"],
        message["rates"],
        model,
        message["logprobs"],
    )


def _value(worker: Worker, job: Job, value: Any) -> Any:
    if job.message["op"] == "embed":
        return np.frombuffer(base64.b64decode(value), dtype="<f4").astype(np.float32)
    if job.message["op"] == "adapter":
        return dict(worker.info)
    return value
