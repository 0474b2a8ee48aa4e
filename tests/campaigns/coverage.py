"""Coverage of the evaluation's intervals by simulation: paired, clustered and watched, 2,000 draws each.

    python tests/campaigns/coverage.py --write

Prints one line a case and, with --write, records them in coverage.json beside this file. Goal: 93 to 97 % (watched: at
least 95 %); at 20 questions a share of +-1 outcomes is so coarse that some cases cover more.
"""

import argparse
import json
import sys
from datetime import date
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from core.evaluation import sequential
from core.evaluation.statistics import difference

DRAWS = 2_000
SHARES = ((0.3, 0.1), (0.5, 0.05), (0.1, 0.1), (0.2, 0.02), (0.7, 0.0))
ALIKE = 0.7  # share of a cluster's questions that all end as its fact does


def draw(rng: np.random.Generator, n: int, wins: float, losses: float) -> np.ndarray:
    return rng.choice([1.0, -1.0, 0.0], n, p=[wins, losses, 1 - wins - losses])


def covered(kind: str, n: int, wins: float, losses: float, rng: np.random.Generator) -> bool:
    """One draw: does the interval hold the truth?"""
    truth = wins - losses
    if kind == "watched":
        return all(look.low <= truth <= look.high for look in sequential.looks(draw(rng, n, wins, losses)))
    size = 3 if kind == "clustered" else 1
    facts = np.repeat(draw(rng, n, wins, losses), size)
    own = draw(rng, n * size, wins, losses)
    values = np.where(rng.random(n * size) < ALIKE, facts, own) if size > 1 else facts
    found = difference(values, [str(number) for number in np.repeat(np.arange(n), size)])
    return found.low <= truth <= found.high


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--draws", type=int, default=DRAWS)
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()
    rng, rows = np.random.default_rng(2026), []
    for kind in ("paired", "clustered", "watched"):
        for n in (20, 60, 200):
            for wins, losses in SHARES:
                share = sum(covered(kind, n, wins, losses, rng) for _ in range(given.draws)) / given.draws
                rows.append({"kind": kind, "n": n, "wins": wins, "losses": losses, "coverage": share})
                print(f"{kind:<10} n={n:<4} wins {wins:.2f} losses {losses:.2f}: {share:.1%}", flush=True)
    if given.write:
        record = {"date": date.today().isoformat(), "draws": given.draws, "rows": rows}
        Path(__file__).with_suffix(".json").write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
