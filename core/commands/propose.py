"""`python -m core propose --project P --json`: question-answer pairs proposed from a project's documents."""

import time

from core import propose, runtime
from core.commands import emit, log, parser, with_project
from core.errors import Problem
from core.text import one_line

POLL_S = 0.5


def main(argv: list[str]) -> int:
    """Propose; exit status 0 when at least one pair was proposed, 1 when none was."""
    options = with_project(parser("propose", "Question-answer pairs from the documents, for a person to review."))
    options.add_argument("--model", default="", help="the project's model that writes (default: its first)")
    options.add_argument("--wanted", type=int, default=50, help="how many to propose at most")
    options.add_argument("--set", default=propose.SET, metavar="NAME", help="the question set they are added to")
    given = options.parse_args(argv)
    try:
        here = runtime.get()
        project = here.projects.get(given.project)
        if not project.models:
            raise Problem("This project has no model that could write: add one on the page 'Set up'.")
        model = given.model or project.models[0].id
        job = propose.start(here, project, model, given.wanted, given.set)
        shown = 0.0
        while (job := here.jobs.get(job.id)).active:
            if time.monotonic() - shown > 5:
                shown = time.monotonic()
                log(f"{job.progress:4.0%} {one_line(job.message, 120)}")
            time.sleep(POLL_S)
        if job.state != "done":
            raise Problem(job.message or f"The proposals were {job.state}.")
        rows = here.jobs.rows(job.id)
    finally:
        runtime.close()
    made = [row for row in rows if not row["refused"]]
    if given.json:
        emit({"project": project.id, **job.result, "rows": rows})
    else:
        for row in made:
            print(f"{row['question']}  {row['answer']}  ({row['document']})")
    return 0 if made else 1
