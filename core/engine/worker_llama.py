"""llama.cpp, low level: weights, contexts, batches, sampling. The only module that imports llama_cpp, only in a worker.

It knows tokens and logits; it knows no messages, no deadlines and no chat. Every call is made from one thread, except
`Context.abort`, which any thread may set.
"""

import ctypes
import json
import math
import os
import sys
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import llama_cpp as lib
import numpy as np
from numpy.typing import NDArray

from core.engine.draft import MOST
from core.engine.interface import SEQUENCES, SEQUENCES_ADAPTED, SEQUENCES_BACKGROUND, Sampling
from core.engine.prefix import common_prefix, plan, reusable
from core.errors import Problem

OUTPUTS = max(SEQUENCES * (1 + MOST), *SEQUENCES_BACKGROUND)  # logits wanted in one call at most
REMEMBERED = 8  # answers that the next ones may begin and end like
PENALTY_WINDOW = 64  # tokens that repeat_penalty looks back over, as in llama.cpp
DEBUG = 1  # llama.cpp's log level for its own developers
POOLINGS = (1, 2, 3)  # by mean, first token, last token: numbered alike in GGUF headers and in llama.cpp
LOG_LIMIT = 200_000  # characters of llama.cpp's log that are kept

Logits = NDArray[np.float32]

_logged = 0


@lib.llama_log_callback  # type: ignore[untyped-decorator]
def _log(level: int, text: bytes, _data: ctypes.c_void_p) -> None:
    global _logged
    if level != DEBUG and _logged < LOG_LIMIT:
        line = text.decode("utf-8", "replace")
        _logged += len(line)
        sys.stderr.write(line)
        sys.stderr.flush()


def start() -> None:
    """Once per process, before anything else here. The reason of a failed load is only ever in llama.cpp's log."""
    lib.llama_log_set(_log, ctypes.c_void_p(0))
    lib.llama_backend_init()


def devices() -> list[dict[str, Any]]:
    """Where this build can compute: {"name", "description", "kind": "cpu" | "gpu", "free", "total"} (bytes)."""
    from llama_cpp._ggml import libggml as ggml  # not in the package's public interface, llama.cpp's own C interface

    names = {0: "cpu", 1: "gpu", 2: "gpu"}  # GGML_BACKEND_DEVICE_TYPE_CPU, _GPU, _IGPU; others only speed the CPU up
    for function, result in (("get", ctypes.c_void_p), ("name", ctypes.c_char_p), ("description", ctypes.c_char_p)):
        getattr(ggml, f"ggml_backend_dev_{function}").restype = result
    found = []
    for index in range(ggml.ggml_backend_dev_count()):
        device = ctypes.c_void_p(ggml.ggml_backend_dev_get(ctypes.c_size_t(index)))
        kind = names.get(ggml.ggml_backend_dev_type(device))
        free, total = ctypes.c_size_t(), ctypes.c_size_t()
        ggml.ggml_backend_dev_memory(device, ctypes.byref(free), ctypes.byref(total))
        name, text = (getattr(ggml, f"ggml_backend_dev_{what}")(device).decode() for what in ("name", "description"))
        if kind:
            found.append({"name": name, "description": text, "kind": kind, "free": free.value, "total": total.value})
    return found


def free_gpu_memory() -> int | None:
    """Bytes free on all GPUs together, None when this build of llama.cpp or this machine has none."""
    if not lib.llama_supports_gpu_offload():
        return None
    free = [device["free"] for device in devices() if device["kind"] == "gpu"]
    return sum(free) if free else None


class NoRoom(Problem):
    """llama.cpp has refused, perhaps for want of memory: with fewer layers on the GPU it may not."""


class Model:
    """The weights of one file, and its vocabulary. Raises NoRoom when llama.cpp refuses the file.

    `plain`: weights lie as the file has them, for no matrix unit of the processor.
    """

    def __init__(self, path: Path, gpu_layers: int, *, plain: bool = False) -> None:
        params = lib.llama_model_default_params()
        params.n_gpu_layers = gpu_layers
        params.use_extra_bufts = not plain
        self.handle = lib.llama_model_load_from_file(os.fsencode(path), params)
        if not self.handle:
            raise NoRoom("llama.cpp could not load the file")
        self.vocab = lib.llama_model_get_vocab(self.handle)
        self.size: int = lib.llama_vocab_n_tokens(self.vocab)
        self.bos: int = lib.llama_vocab_bos(self.vocab)
        self.eos: int = lib.llama_vocab_eos(self.vocab)
        self.adds_bos = bool(lib.llama_vocab_get_add_bos(self.vocab)) and self.bos >= 0
        self.trained_context: int = lib.llama_model_n_ctx_train(self.handle)
        self.can_go_back = not (lib.llama_model_is_recurrent(self.handle) or lib.llama_model_is_hybrid(self.handle))
        self._longest_piece: int | None = None

    def tokenize(self, text: str, *, special: bool) -> list[int]:
        """Token ids of `text`; control tokens written in it are recognised only when `special`. Adds no BOS."""
        data = text.encode("utf-8", "replace")
        room = len(data) + 8
        tokens = (lib.llama_token * room)()
        count = lib.llama_tokenize(self.vocab, data, len(data), tokens, room, False, special)
        if count < 0:
            raise Problem("The text could not be tokenized.")
        return list(tokens[:count])

    def tokenize_whole(self, text: str, limit: int) -> list[int]:
        """Token ids with the model's own begin and end tokens, cut to `limit` with the end kept: for embedders."""
        data = text.encode("utf-8", "replace")
        room = len(data) + 8
        tokens = (lib.llama_token * room)()
        count = lib.llama_tokenize(self.vocab, data, len(data), tokens, room, True, False)
        if count <= 0:
            raise Problem("The text could not be tokenized.")
        return list(tokens[:count]) if count <= limit else [*tokens[: limit - 1], tokens[count - 1]]

    def piece(self, token: int, *, special: bool = False) -> bytes:
        """The bytes of one token; control tokens have none unless `special`."""
        buffer = ctypes.create_string_buffer(64)
        count = lib.llama_token_to_piece(self.vocab, token, buffer, len(buffer), 0, special)
        if count < 0:
            buffer = ctypes.create_string_buffer(-count)
            count = lib.llama_token_to_piece(self.vocab, token, buffer, len(buffer), 0, special)
        return buffer.raw[: max(count, 0)]

    @property
    def longest_piece(self) -> int:
        """Bytes of the longest token: so many bytes of text at most hide behind one."""
        if self._longest_piece is None:
            self._longest_piece = max(len(self.piece(token)) for token in range(self.size))
        return self._longest_piece

    def ends(self, token: int) -> bool:
        """Whether the token ends an answer."""
        return bool(lib.llama_vocab_is_eog(self.vocab, token))

    def free(self) -> None:
        """Give the memory back. Its contexts are gone already."""
        lib.llama_model_free(self.handle)

    def special_text(self, token: int) -> str:
        """A control token as text, "" for a token that does not exist."""
        return self.piece(token, special=True).decode("utf-8", "replace") if 0 <= token < self.size else ""


class Adapter:
    """A LoRA over a model. Raises Problem when it does not belong to the model."""

    def __init__(self, model: Model, path: Path) -> None:
        self.handle = lib.llama_adapter_lora_init(model.handle, os.fsencode(path))
        if not self.handle:
            raise Problem("llama.cpp could not load the adapter: it was made for another model, or it is damaged")


@dataclass
class Slot:
    """One sequence of a context, and the tokens whose keys and values it holds."""

    number: int
    cached: list[int] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)  # the plan by which they were evaluated
    busy: bool = False
    used: int = 0  # a counter, for the least recently used


class Context:
    """Keys, values and work space: `context` tokens for each of so many `sequences`, with or without an adapter.

    `chunk`: prompt tokens evaluated in one call. Raises NoRoom when the memory is not to be had.
    """

    def __init__(
        self,
        model: Model,
        context: int,
        threads: int,
        *,
        adapter: Adapter | None = None,
        chunk: int,
        sequences: int = SEQUENCES,
    ) -> None:
        self.model, self.length, self.chunk = model, context, chunk
        sequences = sequences if adapter is None else SEQUENCES_ADAPTED
        params = lib.llama_context_default_params()
        params.n_ctx = context * sequences
        params.n_seq_max = sequences
        params.kv_unified = False  # a sequence's place in memory, and so its rounding, must not depend on the other's
        params.n_batch = params.n_ubatch = chunk
        params.n_outputs_max = OUTPUTS
        params.n_threads = params.n_threads_batch = threads
        params.flash_attn_type = lib.LLAMA_FLASH_ATTN_TYPE_AUTO
        params.no_perf = True
        self._flag = ctypes.create_string_buffer(2)
        # llama.cpp asks its abort callback before every node of the graph. Any C function from a pointer to "non-zero
        # means yes" will do, and strlen over a flag byte is one: no Python runs, no lock is taken, in the hot loop.
        self._callback = ctypes.cast(ctypes.CDLL(None).strlen, lib.ggml_abort_callback)
        params.abort_callback = self._callback
        params.abort_callback_data = ctypes.cast(self._flag, ctypes.c_void_p)
        self.handle = lib.llama_init_from_model(model.handle, params)
        if not self.handle:
            raise NoRoom(f"llama.cpp could not make a context of {context:,} tokens, perhaps for want of memory")
        if adapter is not None:
            adapters = (lib.llama_adapter_lora_p_ctypes * 1)(adapter.handle)
            lib.llama_set_adapters_lora(self.handle, adapters, 1, (ctypes.c_float * 1)(1.0))
        self.memory = lib.llama_get_memory(self.handle)
        self.slots = [Slot(number) for number in range(sequences)]
        self.said: deque[list[int]] = deque(maxlen=REMEMBERED)  # the last answers' tokens
        self._batch = lib.llama_batch_init(chunk, 0, 1)
        self._clock = 0

    def abort(self) -> None:
        """Stop the evaluation that is running, within milliseconds on the CPU; a GPU ends its chunk first. From any
        thread."""
        self._flag.raw = b"\x01\x00"

    def threads(self, count: int) -> None:
        """Use so many threads from now on."""
        lib.llama_set_n_threads(self.handle, count, count)

    def free(self) -> None:
        """Give the memory back."""
        lib.llama_batch_free(self._batch)
        lib.llama_free(self.handle)

    # -- prefixes ------------------------------------------------------------------------------------------------

    def take(self, tokens: Sequence[int], split: int = 0, *, fresh: bool = False) -> tuple[Slot, int] | None:
        """A free sequence for this prompt and how many of its tokens are already evaluated there; None if all are busy.

        `split`: the token where the question begins, a border of evaluation (see prefix.plan). The sequence is the one
        where most is gained and least is lost, then the least recently used. `fresh`: nothing evaluated is used.
        """
        free = [slot for slot in self.slots if not slot.busy]
        if not free:
            return None

        def worth(slot: Slot) -> tuple[int, int]:
            common = common_prefix(slot.cached, tokens)
            return 2 * common - len(slot.cached), -slot.used

        slot = max(free, key=worth)
        ends = plan(len(tokens), split, self.chunk)
        kept = 0 if fresh else reusable(common_prefix(slot.cached, tokens), slot.ends, ends)
        if not lib.llama_memory_seq_rm(self.memory, slot.number, kept, -1):
            self.forget(slot)  # recurrent models cannot be cut back
            kept = 0
        slot.cached, slot.ends = list(tokens[:kept]), ends
        slot.busy = True
        self._clock += 1
        slot.used = self._clock
        return slot, kept

    def forget(self, slot: Slot) -> None:
        """Drop what a sequence holds."""
        lib.llama_memory_seq_rm(self.memory, slot.number, -1, -1)
        slot.cached, slot.ends = [], []

    def go_back(self, slot: Slot, count: int) -> None:
        """Forget the last `count` tokens of a sequence; only where the model can (`Model.can_go_back`)."""
        if count:
            del slot.cached[-count:]
            lib.llama_memory_seq_rm(self.memory, slot.number, len(slot.cached), -1)

    # -- evaluation ----------------------------------------------------------------------------------------------

    def evaluate(self, rows: Sequence[tuple[Slot, Sequence[int], int]]) -> list[list[Logits]] | None:
        """Run tokens of one or more sequences through the model; None when aborted.

        Each row: sequence, its next tokens, and after how many of the last of them logits are wanted. Gives as many
        (vocabulary,) float32 a row, valid until the next call. Raises Problem when llama.cpp cannot.
        """
        self._flag.raw = b"\x00\x00"
        batch, place = self._batch, 0
        wanted: dict[int, range] = {}
        between = self._between(rows)
        for slot in between:  # it may still hold an answer that ended
            lib.llama_memory_seq_rm(self.memory, slot.number, len(slot.cached), -1)
        filled = [*rows, *((slot, rows[0][1], 0) for slot in between)]
        # llama.cpp computes sequences together only where their numbers rise; in any other order one after the other.
        for slot, tokens, want in sorted(filled, key=lambda row: row[0].number):
            begin = len(slot.cached)
            for index, token in enumerate(tokens):
                batch.token[place] = token
                batch.pos[place] = begin + index
                batch.n_seq_id[place] = 1
                batch.seq_id[place][0] = slot.number
                batch.logits[place] = index >= len(tokens) - want
                place += 1
            wanted[slot.number] = range(place - want, place)
        batch.n_tokens = place
        status = lib.llama_decode(self.handle, batch)
        for slot in between:
            lib.llama_memory_seq_rm(self.memory, slot.number, len(slot.cached), -1)
        if status == 2:
            return None
        if status:
            raise Problem(f"llama.cpp could not evaluate {place:,} tokens (status {status})")
        for slot, tokens, _ in rows:
            slot.cached.extend(tokens)
        return [[self._logits(index) for index in wanted[slot.number]] for slot, _, _ in rows]

    def _between(self, rows: Sequence[tuple[Slot, Sequence[int], int]]) -> list[Slot]:
        """The sequences between those of `rows`, if a token each that nobody wants makes the call cheaper: llama.cpp
        computes a row of sequences at once only up to the first number that is missing."""
        numbers = {slot.number for slot, _, _ in rows}
        between = [slot for slot in self.slots[min(numbers) : max(numbers)] if slot.number not in numbers]
        short = all(len(tokens) == 1 for _, tokens, _ in rows)
        room = all(len(slot.cached) < self.length for slot in between)
        return between if short and room and self.model.can_go_back and len(between) < len(rows) else []

    def _logits(self, index: int) -> Logits:
        pointer = lib.llama_get_logits_ith(self.handle, index)
        return np.ctypeslib.as_array(pointer, shape=(self.model.size,))


class Sampler:
    """Chooses the next token. Greedy by NumPy; everything else by llama.cpp's own samplers, in its usual order."""

    def __init__(self, model: Model, sampling: Sampling, prompt: Sequence[int], one_of: Sequence[str] = ()) -> None:
        self._chain = None
        if sampling.temperature <= 0 and sampling.repeat_penalty == 1 and not one_of:
            return
        self._chain = lib.llama_sampler_chain_init(lib.llama_sampler_chain_default_params())
        samplers = _samplers(model, sampling)
        for token in prompt[-PENALTY_WINDOW:]:
            for made in samplers:
                lib.llama_sampler_accept(made, token)
        for made in [*_only(model, one_of), *samplers]:
            lib.llama_sampler_chain_add(self._chain, made)
        self._candidates = np.empty(model.size, dtype=_CANDIDATE)
        self._ids = np.arange(model.size, dtype=np.int32)

    @property
    def greedy(self) -> bool:
        """Whether the likeliest token is taken, whatever came before."""
        return self._chain is None

    def next(self, logits: Logits) -> int:
        """One token. Raises Problem when the model's numbers are no numbers."""
        best = int(logits.argmax())  # the first NaN, if there is one
        if not math.isfinite(logits[best]):
            raise Problem("the model computes no numbers (NaN or infinity): its weights are damaged")
        if self._chain is None:
            return best
        self._candidates["id"], self._candidates["logit"], self._candidates["p"] = self._ids, logits, 0.0
        pointer = self._candidates.ctypes.data_as(lib.llama_token_data_p)
        array = lib.llama_token_data_array(pointer, len(self._candidates), -1, False)
        lib.llama_sampler_apply(self._chain, ctypes.byref(array))
        token = int(array.data[array.selected].id)
        lib.llama_sampler_accept(self._chain, token)
        return token

    def free(self) -> None:
        """Give the samplers' memory back."""
        if self._chain is not None:
            lib.llama_sampler_free(self._chain)
            self._chain = None


_CANDIDATE = np.dtype([("id", np.int32), ("logit", np.float32), ("p", np.float32)])


def _samplers(model: Model, sampling: Sampling) -> list[Any]:
    made = []
    if sampling.repeat_penalty != 1:
        penalty = sampling.repeat_penalty
        made.append(lib.llama_sampler_init_penalties(model.size, PENALTY_WINDOW, penalty, 0.0, 0.0))
    if sampling.temperature <= 0:
        return [*made, lib.llama_sampler_init_greedy()]
    if sampling.top_k > 0:
        made.append(lib.llama_sampler_init_top_k(sampling.top_k))
    if sampling.top_p < 1:
        made.append(lib.llama_sampler_init_top_p(sampling.top_p, 1))
    if sampling.min_p > 0:
        made.append(lib.llama_sampler_init_min_p(sampling.min_p, 1))
    made.append(lib.llama_sampler_init_temp(sampling.temperature))
    return [*made, lib.llama_sampler_init_dist(sampling.seed)]


def _only(model: Model, texts: Sequence[str]) -> list[Any]:
    """What lets through these texts alone; it must see no token of the prompt."""
    if not texts:
        return []
    grammar = "root ::= " + " | ".join(json.dumps(text, ensure_ascii=False) for text in texts)
    return [lib.llama_sampler_init_grammar(model.vocab, grammar.encode(), b"root")]


def logprob(logits: Logits, token: int) -> float:
    """Natural logarithm of the model's own probability of `token`, before any sampling setting."""
    top = float(logits.max())
    return float(logits[token]) - top - math.log(float(np.exp(logits - top, dtype=np.float64).sum()))


class Embedder:
    """A context that pools a text into one vector. One text a call, at most `limit` tokens, or llama.cpp aborts.

    `pooling`: as the file's header names it (1 mean, 2 first token, 3 last token); mean for anything else.
    """

    def __init__(self, model: Model, threads: int, pooling: object = None, limit: int = 512) -> None:
        self.model, self.limit = model, min(limit, model.trained_context)
        params = lib.llama_context_default_params()
        params.n_ctx = params.n_batch = params.n_ubatch = self.limit
        params.n_threads = params.n_threads_batch = threads
        params.embeddings = True
        params.pooling_type = pooling if pooling in POOLINGS else lib.LLAMA_POOLING_TYPE_MEAN
        params.no_perf = True
        self.handle = lib.llama_init_from_model(model.handle, params)
        if not self.handle:
            raise NoRoom("llama.cpp could not make a context for embeddings, perhaps for want of memory")
        self.dimensions: int = lib.llama_model_n_embd(model.handle)
        self._batch = lib.llama_batch_init(self.limit, 0, 1)

    def embed(self, text: str) -> NDArray[np.float32]:
        """The (dimensions,) float32 vector of a text, of length 1. Text behind the limit is left out."""
        tokens, batch = self.model.tokenize_whole(text, self.limit), self._batch
        for index, token in enumerate(tokens):
            batch.token[index], batch.pos[index] = token, index
            batch.n_seq_id[index], batch.seq_id[index][0], batch.logits[index] = 1, 0, 1
        batch.n_tokens = len(tokens)
        lib.llama_memory_clear(lib.llama_get_memory(self.handle), True)
        if lib.llama_encode(self.handle, batch):
            raise Problem("llama.cpp could not embed the text")
        pointer = lib.llama_get_embeddings_seq(self.handle, 0)
        vector = np.ctypeslib.as_array(pointer, shape=(self.dimensions,)).copy()
        length = float(np.linalg.norm(vector))
        if not math.isfinite(length) or length == 0:
            raise Problem("the embedder computes no numbers: its weights are damaged")
        return np.asarray(vector / length, dtype=np.float32)
