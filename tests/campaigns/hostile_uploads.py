"""Some 150 hostile uploads: the process lives, each file gets one line in time, nothing of a refused file is stored.

python tests/campaigns/hostile_uploads.py [--record]
"""

import argparse
import json
import resource
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from core.retrieval import KnowledgeBase  # noqa: E402
from core.retrieval.parsing import DEADLINE_S  # noqa: E402
from core.retrieval.schema import MIGRATIONS  # noqa: E402
from core.retrieval.uploads import add_file  # noqa: E402
from core.store import Store  # noqa: E402
from tests.retrieval import hostile  # noqa: E402

PATIENCE_S = DEADLINE_S + 10.0  # the parser's deadline, and splitting the largest text that is taken


def stored(store: Store) -> list[tuple]:
    return [tuple(row) for row in store.read("SELECT id, document, hash FROM versions")]


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--record", action="store_true", help="write the result beside this file")
    given = options.parse_args()
    problems, lines, slowest = [], {}, ("", 0.0)
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder) / "base.sqlite3", MIGRATIONS)
        base = KnowledgeBase(store)
        base.add("calm.md", "# Calm\n\nThis document must stay.")
        for must_refuse, cases in ((True, hostile.refused()), (False, hostile.strange())):
            for name, data in cases:
                before, began = stored(store), time.perf_counter()
                row = add_file(base, name, data)
                spent = time.perf_counter() - began
                slowest = max(slowest, (name[:40], spent), key=lambda item: item[1])
                lines[name[:60]] = row["result"]
                print(f"{spent:6.2f} s  {row['result'][:150]}")
                if row["added"] and must_refuse:
                    problems.append(f"{name[:40]} was stored")
                if not row["added"] and stored(store) != before:
                    problems.append(f"{name[:40]} was refused and changed the base")
                if "\n" in row["result"] or "Traceback" in row["result"] or len(row["result"]) > 400:
                    problems.append(f"{name[:40]}: not one clear line")
                if spent > PATIENCE_S:
                    problems.append(f"{name[:40]} took {spent:.0f} s")
        if base.query("calm document", 1, "sparse").passages[0].document != "calm.md":
            problems.append("the calm document is not found any more")
        store.close()
    result = {
        "files": len(lines),
        "problems": problems,
        "slowest": {"file": slowest[0], "s": round(slowest[1], 1)},
        "peak MB of this process": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3),
        "lines": lines,
    }
    print(json.dumps({key: value for key, value in result.items() if key != "lines"}))
    if given.record:
        Path(__file__).with_suffix(".json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    sys.exit(bool(problems))


if __name__ == "__main__":
    main()
