"""What the engine is asked and what it answers, as data. Knows nothing of processes or models."""

import contextlib
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from core.errors import Problem

Message = dict[str, str]  # {"role": "system" | "user" | "assistant", "content": text}

SEQUENCES = 2  # answers of one model computed at a time, and prompts whose prefix is kept: without and with retrieval
SEQUENCES_BACKGROUND = (8, 3)  # of an evaluation: the first that pays and rounds like one (worker_trial.py), else one
SEQUENCES_ADAPTED = 1  # with an adapter at run time: its keys and values come on top of the base's

State = Literal["queued", "loading", "prefill", "decode", "done", "cancelled", "failed"]


@dataclass(frozen=True)
class ModelSpec:
    """A GGUF file and how to run it.

    `context`: tokens of one prompt and its answer together. `adapter`: a LoRA GGUF applied at run time.
    `device`: "auto", "cpu" or "gpu"; `gpu_layers` and `threads`: None lets the worker choose.
    `sha256`: what the file must hash to, None when nothing is known of it.
    `template`: the name of a chat form (see chats.py) instead of the file's own template; `stop`: strings that end its
    answers, beside the form's.
    """

    id: str
    path: Path
    adapter: Path | None = None
    context: int = 2048
    device: str = "auto"
    gpu_layers: int | None = None
    threads: int | None = None
    sha256: str | None = None
    template: str | None = None
    stop: tuple[str, ...] = ()

    @property
    def sequences(self) -> int:
        """Answers that are computed at a time."""
        return SEQUENCES if self.adapter is None else SEQUENCES_ADAPTED


@dataclass(frozen=True)
class Sampling:
    """How the next token is chosen. `temperature` 0 is greedy; `top_k` 0, `top_p` 1, `min_p` 0 and
    `repeat_penalty` 1 are off. `logprobs`: keep the log-probability (natural logarithm) of each chosen token.
    """

    temperature: float = 0.0
    top_p: float = 1.0
    top_k: int = 0
    min_p: float = 0.0
    repeat_penalty: float = 1.0
    seed: int = 0
    max_tokens: int = 128
    stop: tuple[str, ...] = ()
    logprobs: bool = False


@dataclass(frozen=True)
class Request:
    """One answer to be made.

    `alternatives`: the same chat in versions of falling length, all passages first; the first that fits is used.
    `contended`: True runs beside other contended requests, and workers that answer at the same time divide the threads;
    False runs alone on the machine. (llama.cpp rounds attention over 512 tokens or more by the number of threads:
    measured, a token's log-probability then differs by up to 0.04. Below, nothing differs.)
    `owner`: for whom; owners share the machine fairly. `background`: runs in the gaps that interactive answers leave,
    and begins anew when one comes, which changes nothing of its result but the time it waited.
    `fresh`: the whole prompt is read, also where an earlier one left a prefix, so that repeats measure the same work.
    `drafting`: greedy answers are guessed ahead from what was read (draft.py), which changes their pace alone; None:
    where the model's first tokens showed that it pays on this machine (worker_trial.py).
    `one_of`: the answer is one of these texts, the likeliest token by token; models behind an address are free.
    """

    model: ModelSpec
    alternatives: tuple[tuple[Message, ...], ...]
    sampling: Sampling = field(default_factory=Sampling)
    contended: bool = False
    owner: str = ""
    background: bool = False
    fresh: bool = False
    drafting: bool | None = None
    one_of: tuple[str, ...] = ()


@dataclass(frozen=True)
class Result:
    """A finished answer.

    `prompt`: the exact text the model read. `alternative`: which version of the chat fitted (0: all passages).
    `timing` (ms): ttft_engine, queue, prefill, decode, total, load; flags cold, contended.
    `tokens`: prompt, prompt_reused, output, copied (guessed from what was read, and confirmed).
    `rates` (tokens/s): prefill_per_s, decode_per_s, None where too short to say.
    `model`: id, hashes, quantization, context, device, threads, gpu_layers, peak_memory (bytes), notes.
    `logprobs`: one {"token", "text", "logprob"} per output token, None unless asked for.
    """

    text: str
    finish: Literal["stop", "length", "cancelled"]
    prompt: str
    alternative: int
    timing: dict[str, Any]
    tokens: dict[str, int | None]
    rates: dict[str, float | None]
    model: dict[str, Any]
    logprobs: list[dict[str, Any]] | None = None


@dataclass(frozen=True)
class Prompt:
    """What a model would read: the exact text, its number of tokens, and a note when the template had to be helped."""

    text: str
    tokens: int
    note: str | None = None


class Generation:
    """An answer in the making. One thread appends; any thread may read, at any time, without consuming."""

    def __init__(self, request: Request, cancel: Callable[["Generation"], None] | None = None) -> None:
        self.request = request
        self.state: State = "queued"
        self.text = ""
        self.position = 0
        self.prefill_done = 0
        self.prefill_total = 0
        self.tokens = 0  # of the answer, so far
        self.error: str | None = None
        self.result: Result | None = None
        self._cancel = cancel
        self._ended = threading.Event()

    def cancel(self) -> None:
        """Ask for an early end. Returns at once; the state turns to cancelled within milliseconds."""
        if self._cancel is not None and not self._ended.is_set():
            with contextlib.suppress(Problem):  # a closed engine has ended it already
                self._cancel(self)

    def wait(self, timeout: float | None = None) -> Result:
        """The result, once it is there. Raises Problem when the answer failed, TimeoutError after `timeout` s."""
        if not self._ended.wait(timeout):
            raise TimeoutError
        if self.result is None:
            raise Problem(self.error or "The answer failed without a word.")
        return self.result

    # -- for the engine only -------------------------------------------------------------------------------------

    def restart(self) -> None:
        """Called when an interactive answer takes its place: it waits again, as if it had not begun."""
        self.text, self.tokens = "", 0
        self.prefill_done = self.prefill_total = 0
        self.state = "queued"

    def finish(self, result: Result) -> None:
        """Called once, by the engine."""
        self.result = result
        self.text = result.text
        self.position = 0
        self.state = "cancelled" if result.finish == "cancelled" else "done"
        self._ended.set()

    def fail(self, message: str) -> None:
        """Called once, by the engine."""
        self.error = message
        self.position = 0
        self.state = "failed"
        self._ended.set()
