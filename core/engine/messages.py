"""What the supervisor and a worker say to each other: every message as a type, and the one place that reads them.

On the wire (wire.py) a message is a JSON object with its type's name under "type". Whoever takes over a worker can send
any bytes, so what comes in is checked, field by field, against the types here. Knows no process and no model.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeVar, get_args

import msgspec

from core.engine import wire
from core.engine.interface import Message, Sampling

# -- to the worker -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Load:
    """The first message: serve this file. `known`: its SHA-256 if already computed; `expected`: what it must be.

    `plain`: without the processor's matrix units and without weights rearranged for them.
    """

    path: str
    context: int
    device: str
    gpu_layers: int | None
    threads: int | None
    known: str | None = None
    expected: str | None = None
    plain: bool = False


@dataclass(frozen=True)
class Generate:
    """Begin an answer. `adapter`: path of a LoRA to apply. `template`: name of a chat form, None for the file's own.

    `fresh`: no prefix of an earlier prompt is used. `drafting`: what was read is a guess at what
    will be said; None: where that pays.
    `one_of`: the only texts that may be said; empty: any.
    """

    id: int
    alternatives: tuple[tuple[Message, ...], ...]
    sampling: Sampling
    adapter: str | None = None
    template: str | None = None
    fresh: bool = False
    drafting: bool | None = None
    one_of: tuple[str, ...] = ()


@dataclass(frozen=True)
class Cancel:
    """End an answer."""

    id: int


@dataclass(frozen=True)
class Threads:
    """Compute with so many threads from now on."""

    count: int


@dataclass(frozen=True)
class Widen:
    """Make room for as many answers at a time as pay, if nothing is being answered and there is the memory."""


@dataclass(frozen=True)
class Ping:
    """Show that you live."""


@dataclass(frozen=True)
class Embed:
    """Ask for a text's vector."""

    id: int
    text: str


@dataclass(frozen=True)
class CountTokens:
    """Ask for the number of a text's tokens."""

    id: int
    text: str


@dataclass(frozen=True)
class Render:
    """Ask for the prompt of a chat and its number of tokens."""

    id: int
    chat: tuple[Message, ...]
    template: str | None = None


@dataclass(frozen=True)
class Prepare:
    """Ask for readiness: without an adapter as soon as the model is loaded, with one once it is loaded too."""

    id: int
    adapter: str | None = None


@dataclass(frozen=True)
class Rows:
    """Ask how many answers in the background go into one call: the most that pay and round like one, else 1."""

    id: int


# -- from the worker -----------------------------------------------------------------------------------------------

PHASES = Literal["start", "check", "load", "canary", "chat template", "ready"]


@dataclass(frozen=True)
class Pong:
    """Alive."""


@dataclass(frozen=True)
class Phase:
    """What loading is about; `sha256` of the file once it is known; `gpu`: whether layers of it are on a GPU."""

    phase: PHASES
    sha256: str | None = None
    gpu: bool = False


@dataclass(frozen=True)
class Loaded:
    """Ready. `info`: the model's identity and how it runs; `peak_memory` in bytes."""

    kind: Literal["chat", "embedder"]
    threads: int
    info: dict[str, Any]
    peak_memory: int


@dataclass(frozen=True)
class Room:
    """So many answers can be computed at a time, without an adapter."""

    sequences: int


@dataclass(frozen=True)
class Refused:
    """The file cannot be used, and why; the worker ends."""

    message: str


@dataclass(frozen=True)
class Prefill:
    """So many tokens of the prompt are evaluated."""

    id: int
    done: int
    total: int


@dataclass(frozen=True)
class Text:
    """More of an answer. `tokens`: how many it has so far."""

    id: int
    text: str
    tokens: int


@dataclass(frozen=True)
class Timing:
    """Milliseconds, as the worker saw them; `ttft_engine` None when no token came."""

    load: float
    ttft_engine: float | None
    prefill: float
    decode: float


@dataclass(frozen=True)
class Tokens:
    """Tokens of one answer. `copied`: of the output, those guessed from what was read; None where none is guessed."""

    prompt: int
    prompt_reused: int
    output: int
    copied: int | None = None


@dataclass(frozen=True)
class Rates:
    """Tokens per second, None where too short to say."""

    prefill_per_s: float | None = None
    decode_per_s: float | None = None


@dataclass(frozen=True)
class Done:
    """An answer's end: its last words, and all that is to be told of it. `peak_memory` in bytes."""

    id: int
    finish: Literal["stop", "length", "cancelled"]
    text: str
    prompt: str
    alternative: int
    timing: Timing
    tokens: Tokens
    rates: Rates
    peak_memory: int
    note: str | None = None
    adapter_sha256: str | None = None
    logprobs: list[dict[str, Any]] | None = None


@dataclass(frozen=True)
class Value:
    """What was asked for: a number, a vector as little-endian float32 in base64, or a prompt as JSON."""

    id: int
    value: int | str


@dataclass(frozen=True)
class Failed:
    """What was asked for cannot be had, and why."""

    id: int
    message: str


Asked = Embed | CountTokens | Render | Prepare | Rows
Order = Load | Generate | Cancel | Threads | Widen | Ping | Asked
Event = Pong | Phase | Loaded | Room | Refused | Prefill | Text | Done | Value | Failed

_ORDERS: dict[str, type[Order]] = {kind.__name__: kind for kind in get_args(Order)}
_EVENTS: dict[str, type[Event]] = {kind.__name__: kind for kind in get_args(Event)}
M = TypeVar("M")


def pack(message: Order | Event) -> bytes:
    """A message as bytes. Raises wire.TooLarge."""
    return wire.pack({"type": type(message).__name__} | msgspec.to_builtins(message))


def order(raw: wire.Message) -> Order:
    """What the app says. Raises ValueError on what it would never send."""
    return _read(raw, _ORDERS)


def event(raw: wire.Message) -> Event:
    """What a worker says. Raises ValueError on what none of ours would send."""
    return _read(raw, _EVENTS)


def _read(raw: wire.Message, types: Mapping[str, type[M]]) -> M:
    kind = types.get(str(raw.get("type")))
    if kind is None:
        raise ValueError("a message of no known type")
    try:
        return msgspec.convert({name: value for name, value in raw.items() if name != "type"}, kind)
    except msgspec.ValidationError as error:
        raise ValueError(f"a {kind.__name__} that is none ({error})") from error
