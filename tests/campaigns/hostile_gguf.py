"""Hostile and damaged model files against the engine: `python tests/campaigns/hostile_gguf.py [--lanes 2] [--write]`.

    kinds    every kind of tests/engine/mutations.py, loaded and asked
    flips    random flips in a header, through the check alone: no exception but Problem, at most 1 s and 100 MB
    loaded   files with random flips anywhere, loaded without a known hash: what crashes, what is refused, what changes
             its answer silently; and again with the hash known, where every one must be refused

A case is well ended when this process lives, answers at once all the while, and a plain message of one line came within
the deadline. How it ended: "refused" (by the check, the hash, the loader or the canary), "crash" (the worker died of
it), "deadline" (it hung and the worker was ended), "answered". With --write the result is kept in hostile_gguf.json
while it grows.
"""

import argparse
import collections
import random
import sys
import tempfile
import threading
import time
import tracemalloc
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from core.engine import Engine, ModelSpec, Request, Sampling, check, gguf_header  # noqa: E402
from core.engine.policy import Limits  # noqa: E402
from core.errors import Problem  # noqa: E402
from tests.campaigns.keeping import Keeper  # noqa: E402
from tests.engine import mutations, tiny  # noqa: E402

RESULT = Path(__file__).with_name("hostile_gguf.json")
LIMITS = Limits(load=15, silence=10, back_off=(0.0,), deaths=10**9, prompt_deaths=10**9)
DEADLINE = LIMITS.load + LIMITS.silence + 5
ENDED_BY_US = ("was not loaded after", "did not answer for", "did not end within", "computed no token for")
QUESTION = (({"role": "user", "content": "What does a broken model say?"},),)


@dataclass
class Tally:
    """Outcomes by name, the slowest case, and what must never happen. Several lanes write to it."""

    outcomes: collections.Counter[str] = field(default_factory=collections.Counter)
    slowest: tuple[float, str] = (0.0, "")
    slowest_status: float = 0.0
    wrong: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        return {
            "outcomes": dict(self.outcomes.most_common()),
            "slowest_case_s": round(self.slowest[0], 2),
            "slowest_case": self.slowest[1],
            "deadline_s": DEADLINE,
            "slowest_status_s": round(self.slowest_status, 3),
            "wrong": list(self.wrong),
        }


def outcome(engine: Engine, path: Path, expected: str | None = None) -> tuple[str, str]:
    """What becomes of a file, in a word, and the message or the text."""
    spec = ModelSpec(path.stem, path, context=512, sha256=expected, threads=1)
    try:
        text = engine.submit(Request(spec, QUESTION, Sampling(max_tokens=24))).wait(DEADLINE).text
    except Problem as problem:
        message = problem.message
        if "\n" in message or len(message) > 1500:
            return "unplain", message
        if any(words in message for words in ENDED_BY_US):
            return "deadline", message
        return "crash" if "crashed" in message or "it stopped with" in message else "refused", message
    except TimeoutError:
        return "no end", ""
    return "answered", text


def watch(engine: Engine, tally: Tally, path: Path, name: str, expected: str | None = None) -> tuple[str, str]:
    """`outcome`, while asking the engine for its state all the time: the app must never hang on a file."""
    found: list[tuple[str, str]] = []
    began = time.perf_counter()
    thread = threading.Thread(target=lambda: found.append(outcome(engine, path, expected)))
    thread.start()
    while thread.is_alive():
        before = time.perf_counter()
        engine.status()
        tally.slowest_status = max(tally.slowest_status, time.perf_counter() - before)
        thread.join(0.05)
    tally.slowest = max(tally.slowest, (time.perf_counter() - began, name))
    tally.outcomes[found[0][0]] += 1
    if found[0][0] in ("unplain", "no end"):
        tally.wrong.append(f"{name}: {found[0]}")
    engine.unload(ModelSpec(path.stem, path))
    return found[0]


def lanes(count: int, items: Sequence[Any], one: Callable[[Any], None], report: Callable[[int], None]) -> None:
    """`one` over all items, `count` at a time; `report` now and then with how many are done."""
    with ThreadPoolExecutor(count) as pool:
        for done, _ in enumerate(pool.map(one, items), 1):
            report(done)


def kinds(engine: Engine, folder: Path, share: float, width: int, keeper: Keeper) -> dict[str, Any]:
    """Every kind of broken file, or an evenly drawn share of them."""
    sound, tally = tiny.write(folder / "sound.gguf"), Tally()
    chosen = [kind for number, kind in enumerate(mutations.KINDS) if int(number * share) != int((number - 1) * share)]
    cases: dict[str, tuple[str, str]] = {}

    def one(numbered: tuple[int, mutations.Kind]) -> None:
        number, kind = numbered
        place = folder / f"kind-{number}"
        place.mkdir()
        path = kind.make(sound, place).rename(folder / f"kind-{number}.gguf")
        cases[kind.name] = watch(engine, tally, path, kind.name)
        what = cases[kind.name][0]
        if kind.caught == "header" and what != "refused":
            tally.wrong.append(f"{kind.name}: the check should have refused it, but: {what}")
        path.unlink()

    def found() -> dict[str, Any]:
        others = {name: case for name, case in sorted(cases.items()) if case[0] != "refused"}
        answered = [name for name, (what, _) in others.items() if what == "answered"]
        ended = {name: f"{what}: {said[:160]}" for name, (what, said) in others.items() if what != "answered"}
        return {"kinds": len(cases), **tally.as_dict(), "answered": answered, "ended_by_crash_or_deadline": ended}

    def report(done: int) -> None:
        if keeper.due():
            keeper.keep("kinds", found(), f"{done} of {len(chosen)}, {dict(tally.outcomes)}")

    lanes(width, list(enumerate(chosen)), one, report)
    return found()


def flips(folder: Path, count: int) -> dict[str, Any]:
    """Random flips in the header, through the check."""
    sound = tiny.write(folder / "sound.gguf")
    size, start = sound.stat().st_size, gguf_header.read(sound).data_start
    header, random_, slowest, refused = sound.read_bytes()[:start], random.Random(1), 0.0, 0
    peak = 0
    for number in range(count):
        damaged = bytearray(header)
        for _ in range(random_.randint(1, 6)):
            damaged[random_.randrange(start)] ^= 1 << random_.randrange(8)
        measured = number % 20 == 0  # tracing memory slows everything else down
        if measured:
            tracemalloc.start()
        began = time.perf_counter()
        try:
            check.check(gguf_header.parse(bytes(damaged), size))
        except Problem:
            refused += 1
        slowest = max(slowest, time.perf_counter() - began)
        if measured:
            peak = max(peak, tracemalloc.get_traced_memory()[1])
            tracemalloc.stop()
    return {"flips": count, "refused": refused, "slowest_s": round(slowest, 4), "peak_memory_mb": round(peak / 1e6, 3)}


def loaded(engine: Engine, folder: Path, count: int, width: int, keeper: Keeper) -> dict[str, Any]:
    """Files with one random flip, half in the header, loaded without and with their hash known."""
    sound = tiny.write(folder / "sound.gguf")
    data, start = sound.read_bytes(), gguf_header.read(sound).data_start
    digest, tally, known = gguf_header.sha256(sound), Tally(), Tally()
    _, right = outcome(engine, sound)
    silent: collections.Counter[str] = collections.Counter()
    tried: collections.Counter[str] = collections.Counter()

    def one(number: int) -> None:
        random_ = random.Random(number)
        place = "header" if number % 2 else "weights"
        at = random_.randrange(start) if number % 2 else random_.randrange(start, len(data))
        damaged = bytearray(data)
        damaged[at] ^= 1 << random_.randrange(8)
        path = folder / f"flip-{number}.gguf"
        path.write_bytes(damaged)
        what, text = watch(engine, tally, path, f"a flip in byte {at}")
        tried[place] += 1
        if what == "answered":
            silent[f"{place}: {'same answer' if text == right else 'another answer'}"] += 1
        if number % 10 in (0, 5) and watch(engine, known, path, f"flip {number}", digest)[0] != "refused":
            known.wrong.append(f"flip {number} was not refused")
        path.unlink()

    def found() -> dict[str, Any]:
        changed = {place: round(silent[f"{place}: another answer"] / tried[place], 4) for place in sorted(tried)}
        return {
            "files": sum(tried.values()),
            **tally.as_dict(),
            "loaded_silently": dict(silent),
            "rate_of_silent_change_without_a_known_hash": changed,
            "with_the_hash_known": known.as_dict(),
        }

    def report(done: int) -> None:
        if keeper.due():
            keeper.keep("loaded", found(), f"{done} of {count}, {dict(tally.outcomes)}")

    lanes(width, range(count), one, report)
    return found()


def main() -> None:
    """Run the campaign and print its result; with --write keep it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kinds", type=float, default=1.0, help="share of the kinds")
    parser.add_argument("--flips", type=int, default=10_000)
    parser.add_argument("--loaded", type=int, default=1_000)
    parser.add_argument("--lanes", type=int, default=2, help="files at a time")
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    width, keeper = arguments.lanes, Keeper(RESULT if arguments.write else None)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        engine = Engine(folder, LIMITS)
        parts: dict[str, Callable[[], dict[str, Any]]] = {
            "flips": lambda: flips(folder, arguments.flips),
            "kinds": lambda: kinds(engine, folder, arguments.kinds, width, keeper),
            "loaded": lambda: loaded(engine, folder, arguments.loaded, width, keeper),
        }
        try:
            for part, run in parts.items():
                if getattr(arguments, part):
                    keeper.begin(part)
                    keeper.keep(part, run())
        finally:
            engine.close()


if __name__ == "__main__":
    main()
