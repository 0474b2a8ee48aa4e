"""The supervisor's rules as pure functions: who answers next, on how many threads, who must stop, what a death means.

Nothing here has a clock, a process or a socket: times (seconds of one monotonic clock) and signs of life are given.

Order. Interactive answers come before background ones (an evaluation), which run only while no interactive one could
run, and are interrupted as soon as one can. Among owners the one that has had the least work goes first (start-time
fair queueing, Goyal et al. 1996: nobody saves up credit by not asking); of one owner, the model with the fewest answers
running; then what is due first, where a longer answer is given more time, so that short ones go ahead and long ones
still come. A background answer that has waited `patience` takes part as if one more owner had asked.
"""

import signal
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

SECONDS_PER_TOKEN = 0.02  # how much later an answer is due for each token of it: about a small model's pace in company
CHARACTERS_PER_TOKEN = 4
BACKGROUND = "\x00"  # the one owner of all background answers that have waited too long


@dataclass(frozen=True)
class Limits:
    """Deadlines and bounds, in seconds unless said otherwise."""

    load: float = 30.0
    load_bytes_per_second: float = 100e6
    silence: float = 30.0  # no token, no progress
    gpu: float = 10.0  # times as long for both where a GPU computes: its programs are compiled when first used
    template: float = 4.0  # for the chat template's first rendering; it takes a millisecond
    gather: float = 0.1  # within which the arms of one question reach their workers
    ping: float = 1.0
    missed_pings: int = 4
    back_off: tuple[float, ...] = (0.5, 2.0, 8.0)
    deaths: int = 3  # of its own making, within `window`, until a file is set aside
    window: float = 300.0
    prompt_deaths: int = 2  # of one prompt's making, until it is refused
    queue: int = 64  # answers of one owner waiting for one model
    queue_all: int = 1024  # answers of all owners waiting for one model
    patience: float = 60.0  # until a background answer is waited for no longer


# -- who answers next ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Ticket:
    """An answer that waits or runs. `work`: in tokens, estimated. `since`: when it was asked for.

    `ready`: its worker is loaded. `room`: answers that worker computes at a time under this adapter.
    """

    number: int
    owner: str
    model: Path
    adapter: Path | None
    work: float
    since: float
    contended: bool = True
    background: bool = False
    ready: bool = True
    room: int = 2

    @property
    def lane(self) -> tuple[Path, Path | None]:
        """What it takes room from."""
        return self.model, self.adapter


@dataclass(frozen=True)
class Shares:
    """How much work each owner has had, as tags of start-time fair queueing; in tokens."""

    virtual: float = 0.0
    finish: Mapping[str, float] = field(default_factory=dict)

    def start(self, owner: str) -> float:
        """The tag an answer of `owner` would start with: small is first."""
        return max(self.virtual, self.finish.get(owner, 0.0))

    def charged(self, owner: str, work: float) -> "Shares":
        """The shares after an answer of `owner` has started; who is no further than everybody is forgotten."""
        start = self.start(owner)
        finish = {**self.finish, owner: start + work}
        return Shares(start, {name: tag for name, tag in finish.items() if tag > start})


def work(characters: int, answer: int) -> float:
    """The work of an answer in tokens: its prompt's, estimated, and as many as it may have."""
    return characters / CHARACTERS_PER_TOKEN + answer


def urgent(ticket: Ticket, now: float, limits: Limits) -> bool:
    """Whether it takes part with the interactive ones."""
    return not ticket.background or now - ticket.since >= limits.patience


def payer(ticket: Ticket, now: float, limits: Limits) -> str:
    """Whose share it comes out of."""
    if not ticket.background:
        return ticket.owner
    return BACKGROUND if urgent(ticket, now, limits) else f"{BACKGROUND} {ticket.owner}"


def in_order(
    waiting: Sequence[Ticket], running: Sequence[Ticket], shares: Shares, now: float, limits: Limits
) -> list[Ticket]:
    """`waiting` in the order in which it would be served."""
    busy = Counter((ticket.owner, ticket.lane) for ticket in running)

    def key(ticket: Ticket) -> tuple[bool, float, int, float, int]:
        due = ticket.since + ticket.work * SECONDS_PER_TOKEN
        waits = not urgent(ticket, now, limits)
        return waits, shares.start(payer(ticket, now, limits)), busy[ticket.owner, ticket.lane], due, ticket.number

    return sorted(waiting, key=key)


def next_one(ordered: Sequence[Ticket], running: Sequence[Ticket], now: float, limits: Limits) -> Ticket | None:
    """The one of `ordered` that can start now, None when all must wait.

    Contended answers run beside each other; any other runs alone, and what comes after it waits behind it. So does what
    comes after one whose model is not loaded yet, for the same file: it may be wanted with other settings.
    """
    if any(not ticket.contended for ticket in running):
        return None
    taken = Counter(ticket.lane for ticket in running)
    crowded = any(urgent(ticket, now, limits) for ticket in running)
    held: set[Path] = set()
    for ticket in ordered:
        if not ticket.ready:
            held.add(ticket.model)
        if ticket.model in held:
            continue
        if crowded and not urgent(ticket, now, limits):
            return None  # background answers fill gaps only
        if not ticket.contended and running:
            return None
        if taken[ticket.lane] < ticket.room:
            return ticket
    return None


def to_interrupt(waiting: Sequence[Ticket], running: Sequence[Ticket], now: float, limits: Limits) -> list[Ticket]:
    """The background answers that must make way, because an interactive one could run."""
    if not any(ticket.ready and not ticket.background for ticket in waiting):
        return []
    return [ticket for ticket in running if not urgent(ticket, now, limits)]


def refusal(ticket: Ticket, waiting: Collection[Ticket], limits: Limits) -> str | None:
    """Why no more can wait for that model, as the beginning of a sentence; None when it can."""
    there = [other for other in waiting if other.model == ticket.model]
    if len(there) >= limits.queue_all:
        return f"{len(there)} questions of all users already wait"
    mine = sum(other.owner == ticket.owner for other in there)
    return f"{mine} questions already wait" if mine >= limits.queue else None


# -- threads -------------------------------------------------------------------------------------------------------


def share(alone: int, busy: int, chats: int, *, gathering: bool) -> int:
    """Threads of a worker that answers, of the `alone` that it would use by itself.

    `busy` workers answer now and divide what each would use alone: together they would else run more threads than
    there are processors, and llama.cpp's threads wait for one another at every layer: measured, four answers then took
    twice as long as one after the other. As a count changes only between two evaluations, answers meant to run beside
    others (`gathering`) begin with their share of what all `chats` will take.
    """
    return max(1, alone // max(1, busy, chats if gathering else 0))


# -- life and death ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Span:
    """Time since something happened: `counted` against a deadline, by the `clock`, and whether the process was
    `starved` of processors meanwhile."""

    counted: float
    clock: float
    starved: bool = False


@dataclass(frozen=True)
class Signs:
    """What is seen of a worker. `running`: it has something to compute. `size`: bytes of its file. `gpu`: layers of it
    are on a GPU."""

    phase: str
    ready: bool
    running: bool
    stopped: bool
    size: int
    silent: Span
    idle: Span
    loading: Span
    gpu: bool = False


@dataclass(frozen=True)
class Verdict:
    """Why a worker must end. `own`: it brought this on itself; a machine too busy to run it is not its fault."""

    reason: str
    own: bool


def verdict(signs: Signs, limits: Limits) -> Verdict | None:
    """Whether a worker has missed a deadline."""
    silent, idle, loading = signs.silent, signs.idle, signs.loading
    patience = limits.gpu if signs.gpu else 1.0
    told = signs.phase != "start" or signs.stopped  # until the first word the interpreter may take its time
    if told and silent.counted > limits.ping * (limits.missed_pings + 0.5):
        return Verdict(f"it did not answer for {silent.clock:.0f} s", not (signs.stopped or silent.starved))
    if signs.phase == "chat template" and idle.counted > limits.template:
        return Verdict(f"its chat template did not end within {limits.template:g} s", not idle.starved)
    if not signs.ready and loading.counted > patience * limits.load + signs.size / limits.load_bytes_per_second:
        return Verdict(f"it was not loaded after {loading.clock:.0f} s", not loading.starved)
    if signs.ready and signs.running and idle.counted > patience * limits.silence:
        return Verdict(f"it computed no token for {idle.clock:.0f} s", not idle.starved)
    return None


def without_matrix_units(status: int, *, plain: bool) -> bool:
    """Whether a death asks for a start without what the build uses of this processor beyond the usual: it died of an
    instruction that there is not, and used all. `status` as `subprocess` gives it."""
    return status == -signal.SIGILL and not plain


def recent(past: Sequence[float], now: float, limits: Limits) -> list[float]:
    """The deaths that still count, this one included."""
    return [*(time for time in past if now - time < limits.window), now]


def not_before(deaths: Sequence[float], limits: Limits) -> float:
    """When the next start may be tried, after these deaths (the last one now)."""
    return deaths[-1] + limits.back_off[min(len(deaths), len(limits.back_off)) - 1]


def set_aside(name: str, own_deaths: Sequence[float], limits: Limits) -> str | None:
    """Why a file is not loaded any more; None while it may be."""
    if len(own_deaths) < limits.deaths:
        return None
    return (
        f"{name} has crashed its worker {len(own_deaths)} times in {limits.window / 60:.0f} minutes "
        "and is set aside until the app is started anew or the file changes. Use another file."
    )


def farewell(name: str, phase: str, ending: Literal["unloaded", "refused", "died"], cause: str, log: str) -> str:
    """What those who waited are told. `log`: the end of the worker's log, "" when it has nothing to add."""
    if ending == "unloaded":
        return f"{name} was unloaded before it could answer."
    if ending == "refused":
        message = f"{name} cannot be used: {cause.rstrip('.')}."
    else:
        message = f"The worker of {name} ended: {cause}, in the phase '{phase}'. Ask again: it restarts."
    return f"{message} Its log ends: {log}" if log else message
