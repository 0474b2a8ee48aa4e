"""Coverage of the evaluation's intervals by simulation: paired, clustered and watched, 2,000 draws each; of votes, 400.

    python tests/campaigns/coverage.py --write
    python tests/campaigns/coverage.py --write --votes

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
from core.evaluation.preferences import preferences
from core.evaluation.statistics import difference
from core.votes import Place, Vote

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


VOTE_DRAWS = 400
STRENGTHS = ((0.0, 0.0), (0.0, 1.0), (0.0, 2.5), (0.0, 0.3, 0.6, 1.5))
PLACE = Place("run", "abcdef")


def covered_votes(n: int, each: int, strengths: tuple[float, ...], rng: np.random.Generator) -> list[bool]:
    """One draw of `each` votes on n questions: does each pair's interval hold the chance that its strengths give?"""
    said = []
    for number in range(n * each):
        one, two = (int(arm) for arm in rng.choice(len(strengths), 2, replace=False))
        best = one if rng.random() < 1 / (1 + np.exp(strengths[two] - strengths[one])) else two
        said.append(Vote(place=PLACE, question=str(number % n), shown=(str(one), str(two)), best=(str(best),)))
    return [
        one.low <= 1 / (1 + np.exp(strengths[int(one.second)] - strengths[int(one.first)])) <= one.high
        for one in preferences(said).duels
    ]


def votes_main(write: bool) -> int:
    """The votes' part alone: one line a case, kept beside the other rows."""
    rng, rows = np.random.default_rng(2026), []
    for n in (10, 20, 60, 200):
        for each in (1, 3):
            for strengths in STRENGTHS:
                held = [one for _ in range(VOTE_DRAWS) for one in covered_votes(n, each, strengths, rng)]
                rows.append({"n": n, "each": each, "strengths": strengths, "coverage": sum(held) / len(held)})
                print(f"votes n={n:<4} x {each} strengths {strengths}: {rows[-1]['coverage']:.1%}", flush=True)
    if write:
        file = Path(__file__).with_suffix(".json")
        record = json.loads(file.read_text(encoding="utf-8"))
        record["votes"] = {"date": date.today().isoformat(), "draws": VOTE_DRAWS, "rows": rows}
        file.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--draws", type=int, default=DRAWS)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--votes", action="store_true", help="the votes' intervals alone")
    given = parser.parse_args()
    if given.votes:
        return votes_main(given.write)
    rng, rows = np.random.default_rng(2026), []
    for kind in ("paired", "clustered", "watched"):
        for n in (20, 60, 200):
            for wins, losses in SHARES:
                share = sum(covered(kind, n, wins, losses, rng) for _ in range(given.draws)) / given.draws
                rows.append({"kind": kind, "n": n, "wins": wins, "losses": losses, "coverage": share})
                print(f"{kind:<10} n={n:<4} wins {wins:.2f} losses {losses:.2f}: {share:.1%}", flush=True)
    if given.write:
        record = {"date": date.today().isoformat(), "draws": given.draws, "rows": rows}
        file = Path(__file__).with_suffix(".json")
        kept = json.loads(file.read_text(encoding="utf-8")).get("votes") if file.is_file() else None
        record |= {"votes": kept} if kept else {}
        file.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
