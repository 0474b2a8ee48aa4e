"""The first tokens of a freshly loaded model: does it compute sense, and what pays on this machine?

One canary text answers all of it: damaged weights show as no numbers or one token for ever; the pace at two thread
counts decides how many to use; two rows in a batch against one after the other decides whether batching pays, a few
tokens in one call against one token whether guessing ahead does. How many answers of an evaluation go into one call is
tried when an evaluation comes: the most for which a call both pays and gives what single calls give, to the bit.
"""

import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.engine.draft import MOST
from core.engine.interface import SEQUENCES_BACKGROUND, Sampling
from core.engine.worker_llama import Context, Logits, Model, Sampler, Slot
from core.errors import Problem

CANARY = "The capital of France is"
TOKENS = 16
ENOUGH_S, ENOUGH_TOKENS = 5.0, 4  # a slow machine may stop earlier
TRIES = 3  # of a wide call, the fastest counts: what else the machine does would decide by one
GAIN = 0.9  # of the time: batching must save a tenth to be taken, and so must fewer threads
GUESSED = 2.0  # times the time of one token: so many does a call that checks a guess bring where answers are read out
Rows = Sequence[tuple[Slot, Sequence[int], int]]  # see Context.evaluate
HOPELESS = 5  # times the time: no need to look further
SLOW_S = 0.1  # a token: of a model so large, or a machine so busy, more trials would take seconds


@dataclass(frozen=True)
class Trial:
    """What was found: the canary's greedy text and its first token, the threads, the seconds of a token, whether
    batching and guessing ahead pay."""

    text: str
    token: int
    threads: int
    pace: float
    batching: bool
    guessing: bool


def run(model: Model, context: Context, threads: int, *, choose_threads: bool) -> Trial:
    """Try a model out. Raises Problem when its weights are damaged. Leaves the context as empty as it was."""
    tokens = ([model.bos] if model.adds_bos else []) + model.tokenize(CANARY, special=False)
    fewer = max(1, threads // 2)
    counts = [fewer, threads] if choose_threads and fewer < threads else [threads]
    made, paces = _decode(model, context, tokens, counts)
    if len(set(made)) == 1 and not model.ends(made[0]):
        raise Problem("it says the same token for ever: its weights are damaged")
    if len(counts) == 2 and not paces[threads] * GAIN < paces[fewer]:
        threads = fewer
    context.threads(threads)
    batching, guessing = _batching_pays(context, made[0]), _guessing_pays(context, made[0])
    text = b"".join(model.piece(token) for token in made).decode("utf-8", "replace")
    return Trial(text, made[0], threads, paces[threads], batching, guessing)


def rows(context: Context, trial: Trial, *, exact: bool) -> int:
    """How many answers in the background to compute in one call: 1 where more do not pay.

    `exact`: an answer must not depend on how many are computed with it. Nothing may be being answered.
    """
    if trial.pace >= SLOW_S:
        return SEQUENCES_BACKGROUND[-1] if trial.batching else 1
    return next((count for count in SEQUENCES_BACKGROUND if _wide_pays(context, trial.token, count, exact=exact)), 1)


def _decode(
    model: Model, context: Context, prompt: list[int], counts: Sequence[int]
) -> tuple[list[int], dict[int, float]]:
    """Greedy tokens after `prompt`, and the median seconds of one by thread count: half of them with each.

    The smaller count goes first: where other programs hold a processor, threads that wait for one another can take a
    hundred times as long, and the larger count is then given up after its first token.
    """
    sampler, slot = Sampler(model, Sampling(), prompt), _take(context, prompt)
    made: list[int] = []
    paces: dict[int, float] = {}
    began, following = time.perf_counter(), prompt
    for count in counts:
        context.threads(count)
        seconds: list[float] = []
        while len(seconds) < TOKENS // len(counts):
            before = time.perf_counter()
            made.append(sampler.next(_logits(context, [(slot, following, 1)])))
            seconds.append(time.perf_counter() - before)
            following = made[-1:]
            slow = paces and seconds[-1] > HOPELESS * min(paces.values())
            if slow or (time.perf_counter() - began > ENOUGH_S and len(made) >= ENOUGH_TOKENS):
                break
        paces[count] = statistics.median(seconds)
    _leave(context, slot)
    return made, paces


def _batching_pays(context: Context, token: int) -> bool:
    """Whether one call with two sequences takes clearly less time than two calls."""
    one, other = _take(context, [token]), _take(context, [token])
    row = (one, [token], 1)
    single, double = _fastest(context, [row], [row, (other, [token], 1)])
    _leave(context, one)
    _leave(context, other)
    return double < GAIN * 2 * single


def _wide_pays(context: Context, token: int, rows: int, *, exact: bool) -> bool:
    """Whether `rows` answers' tokens in one call take clearly less time than one by one and, if `exact`, give the same
    to the bit.

    Tokens of one answer stand for those of several: each row's logits are those after as many tokens before it. Five
    are compared for eight: four go through one kernel, and what is left through another.
    """
    compared = min(rows, 5)
    slot = _take(context, [token])
    alone, seconds, together = [], [], []
    for _ in range(compared):
        before = time.perf_counter()
        alone.append(_logits(context, [(slot, [token], 1)]).copy())
        seconds.append(time.perf_counter() - before)
    for count in (compared, *[rows] * TRIES):
        context.forget(slot)
        before = time.perf_counter()
        found = context.evaluate([(slot, [token] * count, count)])
        together.append(time.perf_counter() - before)
        if found is None or (exact and not all(map(np.array_equal, alone, found[0]))):
            _leave(context, slot)
            return False
    _leave(context, slot)
    return min(together[1:]) < GAIN * rows * min(seconds)


def _guessing_pays(context: Context, token: int) -> bool:
    """Whether checking a whole guess takes less time than the tokens that it brings one by one."""
    slot = _take(context, [token])
    single, checked = _fastest(context, [(slot, [token], 1)], [(slot, [token] * (1 + MOST), 1 + MOST)])
    _leave(context, slot)
    return checked < GUESSED * single


def _fastest(context: Context, *calls: Rows) -> list[float]:
    """Seconds of each call, the best of four, in turn: what else the machine does meets them alike."""
    seconds = []
    for rows in calls * 4:
        before = time.perf_counter()
        _logits(context, rows)
        seconds.append(time.perf_counter() - before)
    return [min(seconds[number :: len(calls)]) for number in range(len(calls))]


def _take(context: Context, tokens: Sequence[int]) -> Slot:
    taken = context.take(tokens)
    assert taken is not None  # nothing else runs yet
    return taken[0]


def _logits(context: Context, rows: Rows) -> Logits:
    found = context.evaluate(rows)
    assert found is not None  # nobody can have aborted it
    return found[0][0]


def _leave(context: Context, slot: Slot) -> None:
    slot.busy = False
    context.forget(slot)
