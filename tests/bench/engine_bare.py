"""The other side of tests/bench/engine.py: llama-cpp-python used directly, in a process of its own.

Reads one JSON command a line on standard input, prints one JSON answer a line. Knows nothing of our engine.
"""

import json
import sys
import time
from typing import Any

import llama_cpp as lib
import numpy as np

ALL = 999  # layers on the GPU, where this build of llama.cpp has one


class Bare:
    """A bare llama_decode loop: one context, one sequence, greedy by argmax."""

    def __init__(self, path: str, context: int, threads: int) -> None:
        weights = lib.llama_model_default_params()
        weights.n_gpu_layers = ALL
        self.model = lib.llama_model_load_from_file(path.encode(), weights)
        self.vocabulary = lib.llama_vocab_n_tokens(lib.llama_model_get_vocab(self.model))
        params = lib.llama_context_default_params()
        params.n_ctx, params.n_batch, params.n_ubatch = context, 512, 512
        params.n_threads = params.n_threads_batch = threads
        self.context = lib.llama_init_from_model(self.model, params)
        self.batch = lib.llama_batch_init(512, 0, 1)

    def evaluate(self, tokens: list[int], begin: int) -> int:
        """Evaluate up to 512 tokens at positions from `begin`; the greedy next token."""
        batch = self.batch
        for index, token in enumerate(tokens):
            batch.token[index], batch.pos[index], batch.n_seq_id[index] = token, begin + index, 1
            batch.seq_id[index][0], batch.logits[index] = 0, 0
        batch.logits[len(tokens) - 1], batch.n_tokens = 1, len(tokens)
        assert lib.llama_decode(self.context, batch) == 0
        pointer = lib.llama_get_logits_ith(self.context, len(tokens) - 1)
        return int(np.ctypeslib.as_array(pointer, shape=(self.vocabulary,)).argmax())

    def run(self, prompt: int, output: int) -> dict[str, float]:
        """Seconds to evaluate `prompt` made-up tokens, and to decode `output` more after them."""
        lib.llama_memory_clear(lib.llama_get_memory(self.context), True)
        tokens = np.random.default_rng(prompt).integers(100, self.vocabulary - 100, prompt).tolist()
        began = time.perf_counter()
        for begin in range(0, prompt, 512):
            token = self.evaluate(tokens[begin : begin + 512], begin)
        between = time.perf_counter()
        for position in range(prompt, prompt + output):
            token = self.evaluate([token], position)
        return {"prefill": between - began, "decode": time.perf_counter() - between}


class High:
    """`Llama.create_chat_completion`, as its documentation shows it."""

    def __init__(self, path: str, adapter: str | None, threads: int) -> None:
        self.llama = lib.Llama(
            path, n_ctx=2048, n_threads=threads, n_threads_batch=threads, lora_path=adapter, verbose=False,
            n_gpu_layers=ALL,
        )  # fmt: skip

    def ask(self, messages: list[Any], tokens: int) -> dict[str, float]:
        """Seconds and output tokens of one answer."""
        began = time.perf_counter()
        made = self.llama.create_chat_completion(messages, max_tokens=tokens, temperature=0.0)
        return {"seconds": time.perf_counter() - began, "tokens": made["usage"]["completion_tokens"]}


def main() -> None:
    """Serve commands: open bare, run, open high, ask."""
    objects: dict[str, Any] = {}
    for line in sys.stdin:
        command = json.loads(line)
        name, do = command.pop("name"), command.pop("do")
        if do == "open":
            objects[name] = {"bare": Bare, "high": High}[command.pop("kind")](**command)
            answer: Any = True
        else:
            answer = getattr(objects[name], do)(**command)
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
