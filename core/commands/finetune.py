"""`python -m core finetune --project P --base MODEL --set NAME`: train a model of the project, or go on with it.

Interrupted (Ctrl-C) it stops and keeps its last checkpoint; `--resume ID` goes on, `--discard ID` leaves nothing.
"""

import argparse
import time
from pathlib import Path

from core import finetune, finetune_rows, runtime
from core.commands import emit, log, parser, with_project
from core.errors import Problem
from core.finetune_rows import Row
from core.jobs import Job
from core.project import Project
from core.runtime import Runtime
from core.text import one_line

POLL_S = 0.3


def main(argv: list[str]) -> int:
    """Train to the end; exit status 0 when a model came of it."""
    given = _options().parse_args(argv)
    try:
        here = runtime.get()
        project = here.projects.get(given.project)
        if given.list:
            found = finetune.trainings(here, project)
            if given.json:
                emit([_row(one) for one in found])
            else:
                print("\n".join(map(_line, found)) or "no fine-tunes yet")
            return 0
        if given.discard:
            finetune.discard(here, project, given.discard)
            log("discarded")
            return 0
        job = finetune.resume(here, project, given.resume) if given.resume else _start(here, project, given)
        log(f"fine-tune {job.parameters['training']}: Ctrl-C stops it, --resume {job.parameters['training']} goes on")
        job = _watch(here, job)
        if job.state != "done":
            raise Problem(job.message or f"The fine-tune was {job.state}.")
        rows = here.jobs.rows(job.id)
    finally:
        runtime.close()
    if given.json:
        emit({"project": project.id, "training": job.parameters["training"], **job.result, "progress": rows})
    else:
        print(f"{job.result['model']} is a model of the project. Arms: {', '.join(job.result['arms']) or 'no room'}.")
    return 0


def _options() -> argparse.ArgumentParser:
    options = with_project(parser("finetune", "Train a model of the project on its questions or on your rows."))
    options.add_argument("--base", help="the project's model to train over: a GGUF of llama, qwen2 or gemma3")
    rows = options.add_mutually_exclusive_group()
    rows.add_argument("--set", metavar="NAME", help="a question set of the project")
    rows.add_argument("--rows", type=Path, metavar="FILE", help="JSONL: prompt, completion, optionally passages")
    options.add_argument("--held-out", type=float, default=0.1, metavar="SHARE", help="share set aside (default: 0.1)")
    options.add_argument("--passes", type=int, default=16, help="how often each row is seen (default: 16)")
    options.add_argument("--title", default="", help="what the new model is called")
    options.add_argument("--resume", metavar="ID", help="go on with a stopped fine-tune")
    options.add_argument("--discard", metavar="ID", help="cancel or forget a fine-tune, leaving nothing")
    options.add_argument("--list", action="store_true", help="the project's fine-tunes")
    return options


def _start(here: Runtime, project: Project, given: argparse.Namespace) -> Job:
    if not given.base or not (given.set or given.rows):
        raise Problem("Give --base MODEL and --set NAME or --rows FILE, or --resume ID. See --help.")
    finetune.base(project, given.base)  # before the rows are read
    rows, source = _rows(here, project, given)
    options = {"held": given.held_out, "passes": given.passes, "title": given.title}
    return finetune.start(here, project, given.base, rows, source, **options)


def _rows(here: Runtime, project: Project, given: argparse.Namespace) -> tuple[tuple[Row, ...], str]:
    if given.set:
        return finetune_rows.of_questions(here.questions.read(project, given.set)), given.set
    try:
        with given.rows.open("rb") as file:
            data = file.read(finetune_rows.MOST_BYTES + 1)
    except OSError as error:
        raise Problem(f"{one_line(str(given.rows), 200)} cannot be read: {error.strerror}.") from error
    return finetune_rows.parse(data, given.rows.name), given.rows.stem


def _watch(here: Runtime, job: Job) -> Job:
    shown = ""
    while (job := here.jobs.get(job.id)).active:
        if job.message != shown:
            shown = job.message
            log(f"{job.progress:4.0%} {one_line(job.message, 120)}")
        time.sleep(POLL_S)
    return job


def _row(one: finetune.Training) -> dict[str, object]:
    return {"training": one.plan.id, "title": one.plan.title, "base": one.plan.base, "state": one.job.state}


def _line(one: finetune.Training) -> str:
    return f"{one.plan.id}  {one.job.state:<12} {one.plan.title}  {one.job.message}"
