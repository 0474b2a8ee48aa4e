"""200 faults between four panes and their server: delayed, cut, limited, lied to. Every pane ends in time and plainly.

    python tests/campaigns/endpoint_faults.py [--faults 200] [--seed 1] [--real] [--write]

Each round asks four arms at once through a proxy (tests/endpoint/faulty.py) that plays one to three faults. A pane with
none must give exactly its own model's answer to its own question; one with a fault its own answer or one plain line,
before its deadline. With --real a llama_cpp.server with two tiny models is behind the proxy
(tests/requirements-servers.txt), without it the test's own server. With --write the result is kept.
"""

import argparse
import collections
import random
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from core.endpoint import Endpoints, Patience  # noqa: E402
from core.runtime import spec  # noqa: E402
from tests.campaigns.keeping import Keeper  # noqa: E402
from tests.endpoint import panes  # noqa: E402
from tests.endpoint.faulty import FAULTS, between  # noqa: E402
from tests.endpoint.lying import serving  # noqa: E402

RESULT = Path(__file__).with_name("endpoint_faults.json")
PATIENCE = Patience(connect_s=10, first_s=15, silence_s=5, total_s=40, retries=2)
REAL = replace(PATIENCE, first_s=60, silence_s=60, total_s=240)  # it loads the other model at every change
MODELS = ("good", "tuned", "third", "fourth")


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--faults", type=int, default=200)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--real", action="store_true")
    options.add_argument("--write", action="store_true")
    given = options.parse_args()
    keeper = Keeper(RESULT if given.write else None)
    part = "llama_cpp.server" if given.real else "own server"
    keeper.begin(part)
    drawn = random.Random(given.seed)
    played: collections.Counter[str] = collections.Counter()
    wrong: list[str] = []
    longest, rounds = 0.0, 0
    with ExitStack() as open_:
        patience = REAL if given.real else PATIENCE
        endpoints = Endpoints(patience)
        open_.callback(endpoints.close)
        if given.real:
            from tests.endpoint.llama_server import Served, running

            real: Served = open_.enter_context(running(Path(open_.enter_context(tempfile.TemporaryDirectory()))))
            upstream, models = real.url, ("base", "tuned")
        else:
            upstream, models = open_.enter_context(serving()).url, MODELS
        proxy = open_.enter_context(between(upstream))
        shown = panes.project(proxy.url, models)
        endpoints.load(spec(shown, models[0]))  # imports the client, so that no pane's time holds it
        while sum(played.values()) < given.faults:
            rounds += 1
            question = f"question {rounds}?"
            chosen = drawn.sample(models, drawn.randint(1, len(models) - 1))
            faults = {model: drawn.choice(FAULTS) for model in chosen}
            if given.real:
                answers = {model: real.answer(shown, model, question) for model in models}
            else:
                answers = {model: f"It costs $389. ({model}: {question})" for model in models}
            found, seconds = panes.play(
                proxy, endpoints, shown, question, faults, patience.total_s, answers.__getitem__
            )
            played.update(faults.values())
            wrong += [f"round {rounds}: {one}" for one in found]
            longest = max(longest, seconds)
            result = {
                "faults": sum(played.values()),
                "rounds": rounds,
                "panes": rounds * len(models),
                "wrong": wrong,
                "longest_s": round(longest, 1),
                "deadline_s": patience.total_s,
                "by_fault": dict(sorted(played.items())),
            }
            if keeper.due():
                keeper.keep(part, result, f"{result['faults']} of {given.faults}, wrong: {len(wrong)}")
        keeper.keep(part, result)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
