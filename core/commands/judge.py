"""`python -m core judge EVALUATION --model ID --arms A,B --json`: a model's verdicts on an evaluation's answers."""

import time
from argparse import Namespace

from core import evaluate, judge, records, runtime
from core.commands import emit, log, parser
from core.errors import Problem

POLL_S = 0.2


def main(argv: list[str]) -> int:
    """Judge; exit status 0 when there is a verdict, 1 when there is none."""
    given = _arguments(argv)
    try:
        here = runtime.get()
        job = judge.start(here, given.evaluation, given.model, given.arms.split(","), given.limit, fresh=given.fresh)
        while (job := here.jobs.get(job.id)).active:
            time.sleep(POLL_S)
        if job.state != "done":
            raise Problem(job.message or f"The judging was {job.state}.")
        found, rows = judge.result(here, job.id), here.jobs.rows(job.id)
        titles = evaluate.result(here, given.evaluation).titles
    finally:
        runtime.close()
    said = found.sentences(titles)
    if given.json:
        of = {"id": job.id, "evaluation": given.evaluation, "state": job.state, "said": said, "rows": rows}
        emit({**records.plain(found), **of})
    else:
        print("\n".join(said))
    for problem in dict.fromkeys(row["problem"] for row in rows if row["problem"]):
        log(f"could not be asked: {problem}")
    return 0 if found.verdicts else 1


def _arguments(argv: list[str]) -> Namespace:
    options = parser("judge", "A model as judge over an evaluation's answers; never mixed into the figures by rules.")
    options.add_argument("evaluation", help="its id, as evaluate --json gives it")
    options.add_argument("--model", required=True, metavar="ID", help="a model of the project")
    options.add_argument("--arms", required=True, help="two are compared in both orders; one is graded alone")
    options.add_argument("--limit", type=int, default=200, help="at most so many questions")
    options.add_argument("--fresh", action="store_true", help="judge anew what is judged already")
    return options.parse_args(argv)
