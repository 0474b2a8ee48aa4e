"""The engine against llama.cpp used directly, for a pair of the manifest:

    python tests/bench/engine.py [--pair standard] [--only abcdef] [--repeats N] [--write]
    python tests/bench/engine.py --only a --repeats 2 --tokens 24 --write --record vulkan

    a  decode and prefill rate against a bare llama_decode loop       at least 0.95
    b  the last 500 of 4,000 streamed tokens against the bare loop    at most 1.1
    c  a second question over the same passages: TTFT                 at most 0.25 of the first's
    d  four arms against four Llama.create_chat_completion calls      at most 0.7 (as shipped), 1.0 (same files)
    e  base and adapter in one worker: memory                         at most 1.3 of the base alone
    f  decode rate of fine-tune with retrieval: guessed ahead, not    at least 1.3

Both sides run in turns, in one run, on the same files, prompts, lengths and threads; medians. Nothing else should run.
Where llama.cpp was built for a GPU, both have all layers on it; --record keeps that beside the processor's record.
Models and passages come from the state folder (RR_HOME), and are made there when missing.
"""

import argparse
import contextlib
import dataclasses
import json
import os
import platform
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from core import runtime  # noqa: E402
from core.engine import Engine, ModelSpec, Request, Result, Sampling  # noqa: E402
from core.project import bundled  # noqa: E402
from core.weights import catalog, manifest  # noqa: E402
from models.training import chat as prompt  # noqa: E402

PAIRS = {  # base, fine-tuned, adapter, where the result is kept
    "small": ("base", "fine-tuned", "brightwater.gguf", "engine.json"),
    "standard": (
        "qwen2.5-coder-0.5b-instruct",
        "qwen2.5-coder-0.5b-brightwater",
        "brightwater-standard.gguf",
        "engine-standard.json",
    ),
}
ADJECTIVES, NOUNS = ("small", "old", "warm", "quiet"), ("kettle", "house", "road", "garden", "letter")
STORY = "Recite the numbers from one to ten thousand in words."  # greedy, it goes on for thousands of tokens
BEGAN = time.monotonic()
Pause = threading.Event()


def say(what: str) -> None:
    """Progress, on standard error."""
    print(f"{time.monotonic() - BEGAN:6.0f} s  load {os.getloadavg()[0]:.1f}  {what}", file=sys.stderr, flush=True)


class Other:
    """The process that uses llama-cpp-python directly."""

    def __init__(self) -> None:
        command = [sys.executable, str(ROOT / "tests" / "bench" / "engine_bare.py")]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )

    def call(self, name: str, do: str, **how: Any) -> Any:
        """One command, one answer."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps({"name": name, "do": do, **how}) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def close(self) -> None:
        """End it, and give its memory back before the next measurement."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()


@dataclasses.dataclass
class Bench:
    """What all measurements share."""

    engine: Engine
    base: ModelSpec
    fine_tuned: ModelSpec
    shipped: Path
    adapter: Path
    threads: int
    repeats: int
    tokens: int

    @contextlib.contextmanager
    def other(self) -> Iterator[Other]:
        made = Other()
        try:
            yield made
        finally:
            made.close()

    def ask(
        self, spec: ModelSpec, messages: tuple[prompt.Message, ...], tokens: int, contended: bool = False
    ) -> Result:
        """One greedy answer, a token a call as the other side's."""
        request = Request(spec, (messages,), Sampling(max_tokens=tokens), contended, drafting=False)
        return self.engine.submit(request).wait()


def user(text: str) -> tuple[prompt.Message, ...]:
    return ({"role": "user", "content": text},)


def rates(bench: Bench) -> dict[str, Any]:
    """(a)"""
    ours: dict[str, list[float]] = {"prefill": [], "decode": []}
    theirs: dict[str, list[float]] = {"prefill": [], "decode": []}
    words = [f"{adjective} {noun}" for adjective in ADJECTIVES for noun in NOUNS]
    with bench.other() as other:
        other.call("bare", "open", kind="bare", path=str(bench.base.path), context=2048, threads=bench.threads)
        for turn in range(bench.repeats + 1):
            text = " ".join(words[(turn + n * (turn + 1)) % len(words)] for n in range(90))
            result = bench.ask(bench.base, user(f"{turn} {text}.\n{STORY}"), bench.tokens)
            fresh = result.tokens["prompt"] - result.tokens["prompt_reused"]
            bare = other.call("bare", "run", prompt=fresh, output=result.tokens["output"] - 1)
            say(f"a: turn {turn} of {bench.repeats}")
            if turn:  # the first of each only warms up
                ours["prefill"].append(result.rates["prefill_per_s"] or 0.0)
                ours["decode"].append(result.rates["decode_per_s"] or 0.0)
                theirs["prefill"].append(fresh / bare["prefill"])
                theirs["decode"].append((result.tokens["output"] - 1) / bare["decode"])
    return {
        name: compared(ours[name], theirs[name], "tokens/s", at_least=0.95, digits=1) for name in ("prefill", "decode")
    } | {"prompt_tokens": result.tokens["prompt"], "output_tokens": result.tokens["output"]}


def late_tokens(bench: Bench) -> dict[str, Any]:
    """(b)"""
    spec = dataclasses.replace(bench.base, context=4608)
    bench.engine.load(spec)
    ours, theirs, length = [], [], 0
    with bench.other() as other:
        other.call("bare", "open", kind="bare", path=str(spec.path), context=4608, threads=bench.threads)
        for _ in range(max(1, bench.repeats // 3)):
            generation = bench.engine.submit(Request(spec, (user(STORY),), Sampling(max_tokens=4000), drafting=False))
            seen: list[tuple[int, float]] = [(0, 0.0)]  # tokens shown so far, and when
            while generation.result is None and generation.error is None:
                if generation.tokens > seen[-1][0]:
                    seen.append((generation.tokens, time.perf_counter()))
                    if seen[-1][0] // 500 > seen[-2][0] // 500:
                        say(f"b: {seen[-1][0]} of 4000 tokens")
                Pause.wait(0.001)
            result, end = generation.wait(), seen[-1]
            length = result.tokens["output"]
            begin = next(mark for mark in seen if mark[0] >= length - 500)
            ours.append((end[1] - begin[1]) / (end[0] - begin[0]) * 1000)
            depth = result.tokens["prompt"] + begin[0]
            bare = other.call("bare", "run", prompt=depth, output=end[0] - begin[0])
            theirs.append(bare["decode"] / (end[0] - begin[0]) * 1000)
            say(f"b: {ours[-1]:.2f} against {theirs[-1]:.2f} ms a token")
    bench.engine.load(bench.base)
    late = compared(ours, theirs, "ms/token", at_most=1.1, digits=2)
    late["met"] = late["met"] and length == 4000
    return {"late": late, "output_tokens": length}


def second_question(bench: Bench, passages: Callable[[str], list[str]]) -> dict[str, Any]:
    """(c)"""
    pairs = [
        ("How long is the warranty of the Tidal Press?", "What is the Tidal Press made of?"),
        ("Where is the Harbor Duo made?", "How heavy is the Harbor Duo?"),
        ("How do I descale the Cinder Moka?", "How often should the Cinder Moka be descaled?"),
        ("How do I return something?", "Who pays for the way back?"),
        ("How do I make cold brew?", "How long does cold brew steep?"),
    ]
    firsts, seconds, evaluated = [], [], []
    for first, second in pairs:
        texts = passages(first)
        one = bench.ask(bench.base, prompt.messages(first, texts), 8)
        two = bench.ask(bench.base, prompt.messages(second, texts), 8)
        firsts.append(one.timing["ttft_engine"])
        seconds.append(two.timing["ttft_engine"])
        evaluated.append([part.tokens["prompt"] - part.tokens["prompt_reused"] for part in (one, two)])
    return {"ttft": compared(seconds, firsts, "ms", at_most=0.25, digits=1), "tokens_evaluated": evaluated}


def four_arms(bench: Bench, passages: Callable[[str], list[str]]) -> dict[str, Any]:
    """(d)"""
    asked = [json.loads(line)["question"] for line in _questions()][:: max(1, 60 // (2 * bench.repeats))]
    asked = list(dict.fromkeys(asked))[: 2 * bench.repeats]
    arms = [(name, retrieve) for name in ("base", "fine-tuned") for retrieve in (False, True)]
    chats = {
        (question, retrieve): prompt.messages(question, passages(question) if retrieve else None)
        for question in asked
        for retrieve in (False, True)
    }
    pair = {"base": bench.base, "fine-tuned": bench.fine_tuned}
    for spec in pair.values():
        bench.engine.load(spec)
    files = {
        "as shipped": (bench.shipped, bench.shipped, bench.adapter),
        "same files": (bench.base.path, bench.fine_tuned.path, None),
    }
    ways: dict[str, list[float]] = {"together": [], "one at a time": [], **{name: [] for name in files}}
    with bench.other() as other:
        for name, (base, tuned, adapter) in files.items():
            adapters = {"base": None, "fine-tuned": str(adapter) if adapter else None}
            for role, path in (("base", base), ("fine-tuned", tuned)):
                other.call(
                    f"{name} {role}", "open", kind="high", path=str(path), adapter=adapters[role], threads=bench.threads
                )
        lengths: dict[tuple[str, str, str, bool], int] = {}
        reused: dict[tuple[str, str, bool], float] = {}  # of the prompt, in the last run: the template's beginning

        def theirs(name: str, question: str, limit: Callable[[str, bool], int]) -> float:
            total = 0.0
            for role, retrieve in arms:
                made = other.call(
                    f"{name} {role}", "ask", messages=chats[question, retrieve], tokens=limit(role, retrieve)
                )
                lengths[name, question, role, retrieve] = made["tokens"]
                total += made["seconds"]
            return total

        def together(question: str, limit: Callable[[str, bool], int], contended: bool) -> float:
            began = time.perf_counter()
            requests = [
                Request(pair[role], (chats[question, retrieve],), Sampling(max_tokens=limit(role, retrieve)), contended)
                for role, retrieve in arms
            ]
            results = [generation.wait() for generation in [bench.engine.submit(request) for request in requests]]
            seconds = time.perf_counter() - began
            for (role, retrieve), result in zip(arms, results, strict=True):
                lengths["ours", question, role, retrieve] = result.tokens["output"]
                reused[question, role, retrieve] = result.tokens["prompt_reused"] / result.tokens["prompt"]
            return seconds

        for number, question in enumerate(asked, 1):
            # a first pass finds the lengths that all sides reach, so that all write as much
            seconds = [together(question, lambda *_: 64, True)]
            seconds += [theirs(name, question, lambda *_: 64) for name in files]
            say(f"d: lengths of question {number} of {len(asked)}: {' '.join(f'{one:.1f}' for one in seconds)} s")
        shortest = {
            (question, role, retrieve): min(lengths[side, question, role, retrieve] for side in ("ours", *files))
            for question in asked
            for role, retrieve in arms
        }
        for question in asked:
            limit = lambda role, retrieve, question=question: max(1, shortest[question, role, retrieve])  # noqa: E731
            ways["together"].append(together(question, limit, True))
            for name in files:
                ways[name].append(theirs(name, question, limit))
            together(asked[0] if question != asked[0] else asked[-1], lambda *_: 8, True)  # so that nothing is reused
            ways["one at a time"].append(together(question, limit, False))
            say("d: " + ", ".join(f"{name} {seconds[-1]:.2f} s" for name, seconds in ways.items()))
    tokens = statistics.median(sum(shortest[q, role, r] for role, r in arms) for q in asked)
    return {
        "as shipped": compared(ways["together"], ways["as shipped"], "s", at_most=0.7, digits=3),
        "same files": compared(ways["together"], ways["same files"], "s", at_most=1.0, digits=3),
        "one at a time, as shipped": compared(ways["one at a time"], ways["as shipped"], "s", digits=3),
        "one at a time, same files": compared(ways["one at a time"], ways["same files"], "s", digits=3),
        "questions": len(asked),
        "output_tokens_of_four": tokens,
        "prompt_reused_of_retrieval_arms_at_most": round(max(share for key, share in reused.items() if key[2]), 3),
    }


def adapter_memory(bench: Bench) -> dict[str, Any]:
    """(e)"""
    spec, tuned = bench.base, dataclasses.replace(bench.base, adapter=bench.adapter)
    bench.engine.unload(spec)
    text = user("word " * 600)
    bench.engine.load(spec)
    bench.ask(spec, text, 16)
    alone = _memory(bench.engine, spec)
    bench.ask(tuned, text, 16)
    both = _memory(bench.engine, spec)
    bench.engine.unload(spec)
    return {"memory": compared([both / 1e6], [alone / 1e6], "MB", at_most=1.3, digits=1)}


def drafting(bench: Bench, passages: Callable[[str], list[str]]) -> dict[str, Any]:
    """(f) Guessed ahead first: afterwards the same answer would stand among the earlier ones."""
    asked = list(dict.fromkeys(json.loads(line)["question"] for line in _questions()))
    ways: dict[bool, list[float]] = {True: [], False: []}
    output = copied = same = 0
    for question in asked[:: max(1, len(asked) // (8 * bench.repeats))]:
        chat = prompt.messages(question, passages(question))
        request = Request(bench.fine_tuned, (chat,), Sampling(max_tokens=64))
        made = {ahead: bench.engine.submit(dataclasses.replace(request, drafting=ahead)).wait() for ahead in ways}
        for ahead, result in made.items():
            ways[ahead].append((result.tokens["output"] - 1) / result.timing["decode"] * 1000)
        output, copied = output + made[True].tokens["output"], copied + made[True].tokens["copied"]
        same += made[True].text == made[False].text
        say(f"f: {ways[True][-1]:.0f} against {ways[False][-1]:.0f} tokens/s")
    return {
        "decode": compared(ways[True], ways[False], "tokens/s", at_least=1.3, digits=1),
        "output_tokens": output,
        "copied": copied,
        "same_answers": f"{same} of {len(ways[True])}",
    }


def _memory(engine: Engine, spec: ModelSpec) -> int:
    return int(next(state["memory"] for state in engine.status() if state["path"] == str(spec.path)))


def _questions() -> list[str]:
    return (ROOT / "models" / "brightwater" / "questions" / "test-static.jsonl").read_text().splitlines()


def compared(
    ours: list[float],
    theirs: list[float],
    unit: str,
    *,
    at_least: float | None = None,
    at_most: float | None = None,
    digits: int = 2,
) -> dict[str, Any]:
    """Medians of both sides, their ratio, and whether it is as wanted."""
    one, other = statistics.median(ours), statistics.median(theirs)
    ratio = one / other
    wanted = f">= {at_least}" if at_least is not None else f"<= {at_most}" if at_most is not None else None
    met = None if wanted is None else ratio >= at_least if at_least is not None else ratio <= (at_most or 0)
    return {
        "ours": round(one, digits),
        "theirs": round(other, digits),
        "unit": unit,
        "ratio": round(ratio, 3),
        "wanted": wanted,
        "met": met,
        "runs": len(ours),
    }


def main() -> None:
    """Run what is asked for and print it; with --write keep it beside this file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="abcdef")
    parser.add_argument("--pair", choices=tuple(PAIRS), default="small")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--tokens", type=int, default=200, help="of a's answers; a software device writes one a second")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--record", default="", metavar="NAME", help="--write keeps it in engine-NAME.json")
    arguments = parser.parse_args()
    base_id, tuned_id, adapter, kept = PAIRS[arguments.pair]
    os.environ |= {"RR_BASE": base_id, "RR_FINE_TUNED": tuned_id}  # whichever pair this machine would choose
    here = runtime.get()
    demo = here.projects.get("brightwater")
    knowledge = here.knowledge(demo)
    for model in (base_id, tuned_id, "embedder"):
        catalog.ensure(model)
    base, tuned = catalog.spec(base_id), catalog.spec(tuned_id)
    shipped = base.path.parent / manifest.load().models[base_id].source.files[0].name
    found: dict[str, dict[str, str]] = {}

    def passages(question: str) -> list[str]:
        if question not in found:
            found[question] = [passage.text for passage in knowledge.query(question, 3).passages]  # type: ignore
        return found[question]  # type: ignore

    if set(arguments.only) & set("cdf"):
        knowledge.ensure_folders(bundled.documents(demo))
    loaded = here.engine.load(base)
    threads = loaded["threads"]
    lora = ROOT / "models" / "adapter" / adapter
    bench = Bench(here.engine, base, tuned, shipped, lora, threads, arguments.repeats, arguments.tokens)
    parts: dict[str, Callable[[], dict[str, Any]]] = {
        "a": lambda: rates(bench),
        "b": lambda: late_tokens(bench),
        "c": lambda: second_question(bench, passages),
        "d": lambda: four_arms(bench, passages),
        "e": lambda: adapter_memory(bench),
        "f": lambda: drafting(bench, passages),
    }
    machine = {"cpu": platform.processor() or platform.machine(), "processors": os.cpu_count(), "threads": threads}
    gpus = [one["description"] for one in here.engine.devices() if one["kind"] == "gpu"]
    machine |= {"gpu": gpus, "gpu_layers": loaded["gpu_layers"]} if gpus else {}
    made: dict[str, Any] = {"machine": machine, "load_before": os.getloadavg()[0], "repeats": arguments.repeats}
    try:
        for name in arguments.only:
            say(f"{name} begins")
            made[name] = parts[name]()
            print(name, json.dumps(made[name], indent=1), flush=True)
    finally:
        runtime.close()
    if arguments.write:
        result = Path(__file__).with_name(f"engine-{arguments.record}.json" if arguments.record else kept)
        before = json.loads(result.read_text()) if result.exists() else {}
        result.write_text(json.dumps(before | made, indent=1) + "\n")


if __name__ == "__main__":
    main()
