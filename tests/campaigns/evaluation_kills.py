"""kill -9 at random moments of an evaluation by the real models: nothing finished is lost or asked for twice.

    RR_HOME=FOLDER_WITH_MODELS python tests/campaigns/evaluation_kills.py [--kills 10] [--questions 6] [--record]

A child process is the app: it starts the evaluation of the bundled project's four arms, or goes on with the one that
its predecessor left. It is killed after one to three further replies, at a random moment of the next. In the end the
rows and the totals are held against those of a run that nobody killed.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from core import evaluate, paths  # noqa: E402
from core.evaluation.run import Options  # noqa: E402
from core.runtime import Runtime  # noqa: E402

Rows = list[dict[str, Any]]


def app(questions: int) -> None:
    """The child: run until the evaluation is done."""
    here = Runtime(resume=True)
    project = here.projects.get("brightwater")
    here.prepare(project, project.arms, lambda _done, _text: None, lambda: False)
    known = here.jobs.list(evaluate.KIND)
    asked = [question for name in ("static", "changed") for question in here.questions.read(project, name)]
    few = evaluate.limited(asked, questions // 2, 0)
    job = known[0] if known else evaluate.start(here, project, few, Options(project.arms, "today"))
    here.jobs.wait(job.id)
    here.close()


def state(home: Path) -> tuple[Any, Rows]:
    """The one evaluation of a state folder and its rows so far; (None, []) before it has begun."""
    os.environ["RR_HOME"] = str(home)
    looking = Runtime()
    try:
        jobs = looking.jobs.list(evaluate.KIND) if paths.database().exists() else []
        return (jobs[0], looking.jobs.rows(jobs[0].id)) if jobs else (None, [])
    finally:
        looking.close()


def child(home: Path, questions: int) -> subprocess.Popen[bytes]:
    command = [sys.executable, __file__, "--app", "--questions", str(questions)]
    return subprocess.Popen(command, env=os.environ | {"RR_HOME": str(home)}, stderr=subprocess.DEVNULL)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--kills", type=int, default=10)
    options.add_argument("--questions", type=int, default=6)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--record", action="store_true", help="write the result beside this file")
    options.add_argument("--app", action="store_true", help=argparse.SUPPRESS)
    given = options.parse_args()
    if given.app:
        app(given.questions)
        return
    models, draw, began = paths.weights_dir(), random.Random(given.seed), time.time()
    problems: list[str] = []
    at: list[int] = []
    with tempfile.TemporaryDirectory() as folder:
        homes = [Path(folder) / name for name in ("whole", "broken")]
        for home in homes:
            (home / "models").mkdir(parents=True)
            for file in models.iterdir():
                if file.is_file():
                    os.link(file, home / "models" / file.name)
        whole, broken = homes
        if child(whole, given.questions).wait() != 0:
            sys.exit("the unbroken run failed")
        print(f"unbroken run: {len(state(whole)[1])} replies, {time.time() - began:.0f} s", flush=True)
        before: Rows = []
        while len(at) < given.kills:
            process, wanted = child(broken, given.questions), len(before) + draw.randint(1, 3)
            while process.poll() is None and len(state(broken)[1]) < wanted:
                time.sleep(0.1)
            time.sleep(draw.random() * 0.5)  # the moment of death, not a wait for something
            process.kill()
            if process.wait() != -9:
                problems.append(f"the run ended before kill {len(at) + 1}")
                break
            _, rows = state(broken)
            if rows[: len(before)] != before:
                problems.append(f"kill {len(at) + 1}: finished replies are lost or changed")
            at.append(len(rows))
            print(f"kill {len(at)} at {len(rows)} replies, {time.time() - began:.0f} s", flush=True)
            before = rows
        child(broken, given.questions).wait()
        (job, rows), (reference, wanted_rows) = state(broken), state(whole)
        places = [(row["number"], row["arm"]) for row in rows]
        if job.state != "done" or len(set(places)) != len(places) or len(places) != len(wanted_rows):
            problems.append(f"{job.state}: {len(places)} replies, {len(set(places))} distinct of {len(wanted_rows)}")
        by_place = {(row["number"], row["arm"]): row["reply"] for row in wanted_rows}
        other = sum(row["reply"] != by_place[row["number"], row["arm"]] for row in rows)
        totals = [
            {arm: of.classes for arm, of in evaluate.scored(one.parameters, each, _project()).arms.items()}
            for one, each in ((job, rows), (reference, wanted_rows))
        ]
        if totals[0] != totals[1]:
            problems.append("the totals are not the unbroken run's")
    result = {
        "kills": len(at),
        "replies at each kill": at,
        "replies": len(rows),
        "replies in other words than the unbroken run's": other,
        "totals equal": totals[0] == totals[1],
        "problems": problems,
        "seconds": round(time.time() - began),
    }
    print(json.dumps(result))
    if given.record:
        Path(__file__).with_suffix(".json").write_text(json.dumps(result) + "\n", encoding="utf-8")
    sys.exit(bool(problems))


def _project() -> Any:
    from core.project import bundled

    return bundled.all_bundled()["brightwater"]


if __name__ == "__main__":
    main()
