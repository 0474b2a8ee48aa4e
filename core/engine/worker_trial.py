"""The first tokens of a freshly loaded model: does it compute sense, and what pays on this machine?

One canary text answers all of it: damaged weights show as no numbers or one token for ever; the pace at two thread
counts decides how many to use; two rows in a batch against one after the other decides whether batching pays.
"""

import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass

from core.engine.interface import Sampling
from core.engine.worker_llama import Context, Logits, Model, Sampler, Slot
from core.errors import Problem

CANARY = "The capital of France is"
TOKENS = 16
ENOUGH_S, ENOUGH_TOKENS = 5.0, 4  # a slow machine may stop earlier
GAIN = 0.9  # of the time: a change must save a tenth to be taken


@dataclass(frozen=True)
class Trial:
    """What was found: the canary's greedy text, the threads and the batching that pay."""

    text: str
    threads: int
    batching: bool


def run(model: Model, context: Context, threads: int, *, choose_threads: bool) -> Trial:
    """Try a model out. Raises Problem when its weights are damaged. Leaves the context as empty as it was."""
    tokens = ([model.bos] if model.adds_bos else []) + model.tokenize(CANARY, special=False)
    fewer = max(1, threads // 2)
    counts = [threads, fewer] if choose_threads and fewer < threads else [threads]
    made, seconds = _decode(model, context, tokens, counts)
    if len(set(made)) == 1 and not model.ends(made[0]):
        raise Problem("it says the same token for ever: its weights are damaged")
    paces = {count: statistics.median(found) for count, found in seconds.items() if found}
    if len(paces) == 2 and paces[fewer] < GAIN * paces[threads]:
        threads = fewer
    context.threads(threads)
    batching = _batching_pays(context, made[0])
    text = b"".join(model.piece(token) for token in made).decode("utf-8", "replace")
    return Trial(text, threads, batching)


def _decode(
    model: Model, context: Context, prompt: list[int], counts: Sequence[int]
) -> tuple[list[int], dict[int, list[float]]]:
    """Greedy tokens after `prompt`, and the seconds each took by thread count, in turns."""
    sampler, slot = Sampler(model, Sampling(), prompt), _take(context, prompt)
    made: list[int] = []
    seconds: dict[int, list[float]] = {count: [] for count in counts}
    began, following = time.perf_counter(), prompt
    while len(made) < TOKENS:
        count = counts[len(made) // 4 % len(counts)]
        context.threads(count)
        before = time.perf_counter()
        made.append(sampler.next(_logits(context, [(slot, following, True)])))
        if len(made) > 1:
            seconds[count].append(time.perf_counter() - before)
        following = made[-1:]
        if time.perf_counter() - began > ENOUGH_S and len(made) >= ENOUGH_TOKENS:
            break
    _leave(context, slot)
    return made, seconds


def _batching_pays(context: Context, token: int) -> bool:
    """Whether one call with two sequences takes clearly less time than two calls."""
    one = _take(context, [token])
    other = _take(context, [token])
    single, double = [], []
    for _ in range(4):
        before = time.perf_counter()
        _logits(context, [(one, [token], True)])
        between = time.perf_counter()
        _logits(context, [(one, [token], True), (other, [token], True)])
        single.append(between - before)
        double.append(time.perf_counter() - between)
    _leave(context, one)
    _leave(context, other)
    return min(double) < GAIN * 2 * min(single)


def _take(context: Context, tokens: Sequence[int]) -> Slot:
    taken = context.take(tokens)
    assert taken is not None  # nothing else runs yet
    return taken[0]


def _logits(context: Context, rows: Sequence[tuple[Slot, Sequence[int], bool]]) -> Logits:
    found = context.evaluate(rows)
    assert found is not None and found[0] is not None  # nobody can have aborted it
    return found[0]


def _leave(context: Context, slot: Slot) -> None:
    slot.busy = False
    context.forget(slot)
