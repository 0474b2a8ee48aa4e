"""The gate for CI on a folder of one's own, by commands alone: open as it is, closed at a planted regression.

    python tests/campaigns/gate.py --models FOLDER [--model base] [--limit 60] [--at-least 0.30] [--chunk-size 20]
                                    [--regressed-top-k 1] [--lose products]

FOLDER holds fetched models (a state folder's `models`). The folder of one's own is the demo's documents of today, the
questions are 60 of its static ones by hand, the instruction is a new project's. Planted are smaller pieces and fewer of
them, or with --lose a folder that the next build does not hold. Exit status 0 when the gate was open before and closed
after; what commands say to people goes to standard error.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DEMO = ROOT / "models" / "brightwater"
CLASS = "static"


def core(home: Path, *argv: str) -> tuple[int, str]:
    """Exit status and standard output of one command."""
    began = time.monotonic()
    line = [sys.executable, "-m", "core", *argv]
    done = subprocess.run(line, cwd=ROOT, env=os.environ | {"RR_HOME": str(home)}, stdout=subprocess.PIPE, check=False)
    print(f"== {' '.join(argv)}: {done.returncode}, {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    return done.returncode, done.stdout.decode()


def main() -> int:
    """See the module's text."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--models", type=Path, required=True)
    options.add_argument("--model", default="base", help="an id of 'core fetch --list'")
    options.add_argument("--limit", type=int, default=60)
    options.add_argument("--at-least", type=float, default=0.30)
    options.add_argument("--chunk-size", type=int, default=20)
    options.add_argument("--top-k", type=int, default=3)
    options.add_argument("--regressed-top-k", type=int, default=1)
    options.add_argument("--lose", help="a folder of the documents that is gone instead: products, shops, ...")
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        (home / "models").symlink_to(given.models.resolve())
        asked = [json.loads(line) for line in (DEMO / "questions" / "hand-test.jsonl").read_text().splitlines()]
        mine = [row for row in asked if row.get("class", row.get("cls")) == CLASS]
        (home / "mine.jsonl").write_text("".join(json.dumps(row) + "\n" for row in mine))
        for argv in (
            ("project", "create", "Roastery"),
            ("index", "build", str(DEMO / "today"), "--project", "roastery"),
            ("project", "model", "roastery", "--add", "reader", "--file", given.model),
            ("project", "arms", "roastery", "--set", "reader+retrieval"),
            ("project", "questions", "roastery", "--set", "mine", "--file", str(home / "mine.jsonl")),
        ):
            if core(home, *argv)[0]:
                return 2
        gate = ["evaluate", "--project", "roastery", "--set", "mine", "--arms", "reader+retrieval", "--json"]
        gate += ["--limit", str(given.limit), "--at-least", f"reader+retrieval:{CLASS}={given.at_least}"]
        gate += ["--junit", str(home / "junit.xml")]
        passes, before = core(home, *gate, "--top-k", str(given.top_k))
        (home / "before.json").write_text(before)
        if given.lose:
            shutil.copytree(DEMO / "today", home / "left", ignore=shutil.ignore_patterns(given.lose))
            core(home, "index", "build", str(home / "left"), "--project", "roastery", "--prune")
            gate += ["--top-k", str(given.top_k)]
        else:
            core(home, "index", "settings", "--project", "roastery", "--chunk-size", str(given.chunk_size))
            gate += ["--top-k", str(given.regressed_top_k)]
        gate += ["--not-worse-than", str(home / "before.json")]
        fails, after = core(home, *gate)
        for text in (before, after):
            found = json.loads(text)
            print(json.dumps({"score": found["arms"]["reader+retrieval"]["classes"][CLASS], "gates": found["gates"]}))
    return 0 if (passes, fails) == (0, 3) else 1


if __name__ == "__main__":
    sys.exit(main())
