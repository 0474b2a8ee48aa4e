"""Flash attention on the processor, with and without: what a prompt and a token take, by how much is cached.

    python tests/bench/attention.py [--pair small|standard] [--tokens 250 700] [--repeats N]

Both contexts (eight sequences, 16-bit keys and values) take turns in one process: a prompt of so many tokens read
(tokens a second), then one token of one, two and eight sequences of that length in a call (milliseconds), medians;
the ratio is the time with flash attention over the time without. The engine has it on ("auto"); core/DECISIONS.md says
why. Nothing else should run. Models come from the state folder (RR_HOME), and are made there when missing.
"""

import argparse
import os
import statistics
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from core.engine import worker_llama
from core.engine.worker_llama import Context, Model
from core.weights import catalog, choice

TEXT = "The shop opens at nine and closes at five on weekdays. Staff order stock on Mondays. " * 200
KINDS = {
    "with": worker_llama.lib.LLAMA_FLASH_ATTN_TYPE_AUTO,
    "without": worker_llama.lib.LLAMA_FLASH_ATTN_TYPE_DISABLED,
}
SEQUENCES, CHUNK, LENGTH, CALLS = 8, 256, 2048, 4
TOGETHER = (1, 2, 8)


def made(model: Model, threads: int, kind: int) -> Context:
    """A context with this kind of attention; the engine itself knows one kind only."""
    real = worker_llama.lib.llama_init_from_model

    def init(handle: Any, params: Any) -> Any:
        params.flash_attn_type = kind
        return real(handle, params)

    worker_llama.lib.llama_init_from_model = init
    try:
        return Context(model, LENGTH, threads, chunk=CHUNK, sequences=SEQUENCES)
    finally:
        worker_llama.lib.llama_init_from_model = real


def read(context: Context, number: int, tokens: list[int]) -> float:
    """Seconds to read `tokens` anew into a sequence."""
    slot = context.slots[number]
    context.forget(slot)
    began = time.perf_counter()
    for place in range(0, len(tokens), CHUNK):
        context.evaluate([(slot, tokens[place : place + CHUNK], 1)])
    return time.perf_counter() - began


def call(context: Context, count: int, token: int) -> float:
    """Seconds of one token for each of `count` sequences, in one call; it is forgotten again."""
    slots = context.slots[:count]
    began = time.perf_counter()
    context.evaluate([(slot, [token], 1) for slot in slots])
    spent = time.perf_counter() - began
    for slot in slots:
        context.go_back(slot, 1)
    return spent


def compare(contexts: dict[str, Context], tokens: list[int], repeats: int) -> dict[str, dict[str, float]]:
    """What is timed -> kind of attention -> median seconds."""
    found: dict[str, dict[str, list[float]]] = {}
    for context in contexts.values():
        for number in range(SEQUENCES):
            read(context, number, tokens)
    for _ in range(repeats):
        for kind, context in contexts.items():
            found.setdefault("prompt", {}).setdefault(kind, []).append(read(context, 0, tokens))
            for count in TOGETHER:
                spent = [call(context, count, tokens[5]) for _ in range(CALLS)]
                found.setdefault(f"{count} a call", {}).setdefault(kind, []).extend(spent)
    return {name: {kind: statistics.median(of) for kind, of in kinds.items()} for name, kinds in found.items()}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pair", choices=("small", "standard"), default="small")
    parser.add_argument("--tokens", type=int, nargs="+", default=[250, 700])
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--threads", type=int, default=2)
    given = parser.parse_args()
    pair = catalog.default().pair(given.pair)
    assert pair is not None
    os.environ[choice.VARIABLES["base"]] = pair.base  # whichever pair this machine would choose
    catalog.ensure(pair.base)
    worker_llama.start()
    model = Model(catalog.spec(pair.base).path, 0)
    contexts = {name: made(model, given.threads, kind) for name, kind in KINDS.items()}
    text = model.tokenize(TEXT, special=False)
    for count in given.tokens:
        for name, of in compare(contexts, text[:count], given.repeats).items():
            shown = {kind: f"{count / s:.0f}/s" if name == "prompt" else f"{s * 1000:.1f} ms" for kind, s in of.items()}
            ratio = of["with"] / of["without"]
            print(
                f"{count} tokens, {name}: with {shown['with']}, without {shown['without']}, ratio {ratio:.2f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
