"""The engine's calls. Checks what comes in, hands it to the supervisor. Knows no process and no llama.cpp."""

import math
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core import installed
from core.engine import chats, host, messages
from core.engine.interface import Generation, Message, ModelSpec, Prompt, Request, Sampling
from core.engine.policy import Limits
from core.engine.supervisor import Supervisor
from core.errors import Problem

ROLES = ("system", "user", "assistant")
MAX_CONTEXT = 1_048_576
MAX_EMBED = 100_000  # characters; an embedder reads the first 512 tokens
NOT_INSTALLED = (
    "llama-cpp-python is not installed, so no model can answer: python -m pip install -r requirements.txt "
    "(it compiles for about 5 minutes; the README says how to get a prebuilt wheel)."
)
NO_GPU = (
    "This build of llama-cpp-python has no GPU support. On a machine with an NVIDIA GPU: "
    'CMAKE_ARGS="-DGGML_CUDA=on" python -m pip install --force-reinstall --no-cache-dir --no-deps llama-cpp-python '
    "(Metal: -DGGML_METAL=on, Vulkan: -DGGML_VULKAN=on)."
)


class Engine:
    """Models in worker processes. Safe to call from any thread; `close()` ends every worker."""

    def __init__(self, log_folder: Path | None = None, limits: Limits | None = None) -> None:
        folder = log_folder or Path(tempfile.mkdtemp(prefix="engine-logs-"))
        self._supervisor = Supervisor(folder, limits or Limits())
        self._devices: list[dict[str, Any]] | None = None

    def submit(self, request: Request) -> Generation:
        """Queue an answer and return at once. Raises Problem on a request no model could answer."""
        _installed()
        _check_request(request)
        return self._supervisor.submit(_clean(request))

    def load(self, spec: ModelSpec) -> dict[str, Any]:
        """Start the model's worker, if it does not run, and give its identity. Raises Problem."""
        return dict(self._call(spec, messages.Prepare(0, str(spec.adapter) if spec.adapter else None)))

    def rows(self, spec: ModelSpec) -> int:
        """How many answers in the background one call computes: the most that pay and round like one, else 1. Tried out
        when first asked for; loads the model. Raises Problem."""
        return int(self._call(spec, messages.Rows(0)))

    def unload(self, spec: ModelSpec) -> None:
        """End the model's worker. An answer under way fails and says so."""
        self._supervisor.ask(lambda: self._supervisor.unload(spec.path))

    def status(self) -> list[dict[str, Any]]:
        """One entry a known file: path, state, queued, deaths (recent), died (ever); with a worker id, running,
        answering, threads, memory, model."""
        found: list[dict[str, Any]] = self._supervisor.ask(self._supervisor.status)
        return found

    def embed(self, spec: ModelSpec, text: str) -> NDArray[np.float32]:
        """The text's vector, (dimensions,) float32 of length 1; text behind the model's limit is left out."""
        if not text.strip():
            raise Problem("An empty text has no embedding.")
        found: NDArray[np.float32] = self._call(spec, messages.Embed(0, _text(text[:MAX_EMBED])))
        return found

    def tokens(self, spec: ModelSpec, text: str) -> int:
        """How many of the model's tokens a text has."""
        return int(self._call(spec, messages.CountTokens(0, _text(text))))

    def prompt(self, spec: ModelSpec, chat: Sequence[Message]) -> Prompt:
        """What the model would read of this chat, up to where it speaks; loads the model. Raises Problem."""
        _check_request(Request(spec, (tuple(chat),)))
        clean = tuple({"role": one["role"], "content": _text(one["content"])} for one in chat)
        found: Prompt = self._call(spec, messages.Render(0, clean, spec.template))
        return found

    def loaded(self, spec: ModelSpec) -> bool:
        """Whether the model's worker is ready, so that it answers at once."""
        return any(one["path"] == str(spec.path) and one["state"] == "ready" for one in self.status())

    def devices(self) -> list[dict[str, Any]]:
        """Where models can run here: name, description, kind ("cpu", "gpu"), free and total bytes.

        When there is no GPU, an entry of kind "none" holds the words to show, in `description`.
        """
        _installed()
        if self._devices is None:
            self._devices = self._supervisor.devices()
            for device in self._devices:
                if device["kind"] == "cpu":  # llama.cpp calls all of its memory free
                    device["free"] = host.free_memory()
        if any(device["kind"] == "gpu" for device in self._devices):
            return self._devices
        return [*self._devices, {"name": "gpu", "kind": "none", "description": NO_GPU, "free": 0, "total": 0}]

    def close(self) -> None:
        """End every worker. What waits fails and says so. May be called twice."""
        self._supervisor.close()

    def _call(self, spec: ModelSpec, asked: messages.Asked) -> Any:
        _installed()
        _check_spec(spec)
        return self._supervisor.call(spec, asked).result()


@cache
def _installed() -> None:
    """Raises Problem without llama.cpp. Once found it is not looked for again."""
    if not installed.there("llama_cpp", "llama-cpp-python"):
        raise Problem(NOT_INSTALLED)


def _text(text: str) -> str:
    """Without lone surrogates, which no model's vocabulary holds."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _clean(request: Request) -> Request:
    alternatives = tuple(
        tuple({"role": message["role"], "content": _text(message["content"])} for message in chat)
        for chat in request.alternatives
    )
    spec, sampling = request.model, request.sampling
    stop = (*sampling.stop, *spec.stop, *(chats.form(spec.template).stop if spec.template else ()))
    return replace(request, alternatives=alternatives, sampling=replace(sampling, stop=tuple(dict.fromkeys(stop))))


def _check_spec(spec: ModelSpec) -> None:
    if not 64 <= spec.context <= MAX_CONTEXT:
        raise Problem(f"The context must lie between 64 and {MAX_CONTEXT:,} tokens, not {spec.context:,}.")
    if spec.device not in ("auto", "cpu", "gpu"):
        raise Problem(f"There is no device '{spec.device}': choose auto, cpu or gpu.")
    if spec.threads is not None and not 1 <= spec.threads <= 512:
        raise Problem(f"Threads must lie between 1 and 512, not {spec.threads}.")
    if spec.template is not None:
        chats.form(spec.template)


def _check_request(request: Request) -> None:
    _check_spec(request.model)
    _check_sampling(request.sampling)
    if not request.alternatives or not all(request.alternatives):
        raise Problem("The request holds no message.")
    for message in (message for chat in request.alternatives for message in chat):
        if message.get("role") not in ROLES or not isinstance(message.get("content"), str):
            raise Problem(f"A message needs one of the roles {', '.join(ROLES)} and a text.")


def _check_sampling(sampling: Sampling) -> None:
    bounds: dict[str, tuple[float, float, float]] = {
        "temperature": (sampling.temperature, 0, 10),
        "top-p": (sampling.top_p, 0, 1),
        "top-k": (sampling.top_k, 0, 1_000_000),
        "min-p": (sampling.min_p, 0, 1),
        "repeat penalty": (sampling.repeat_penalty, 0.1, 10),
        "seed": (sampling.seed, 0, 2**32 - 1),
        "max tokens": (sampling.max_tokens, 1, MAX_CONTEXT),
    }
    for name, (value, low, high) in bounds.items():
        if not math.isfinite(value) or not low <= value <= high:
            raise Problem(f"{name} must lie between {low:g} and {high:g}, not {value:g}.")
