"""A judge over an evaluation's answers as a background job, for page and command alike. Knows the runtime's parts.

The judge is a model of the project: a file of this machine or one at an address. Its verdicts are rows of a job of
their own, never of the evaluation; a job of the same key takes over what an earlier one has.
"""

import hashlib
import json
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Final

import msgspec

from core import evaluate
from core.arms import Arm
from core.engine import Request, Sampling
from core.errors import Problem
from core.evaluation import judging
from core.evaluation.judging import Chat, Judged, Verdict
from core.evaluation.records import Row
from core.project import Project

if TYPE_CHECKING:
    from core.jobs import Job, JobContext
    from core.runtime import Runtime

KIND: Final = "judge"
SAMPLING: Final = Sampling(max_tokens=24)
POLL_S: Final = 0.1
MOST: Final = 2_000  # verdicts of one job


class Stopped(Exception):
    """Somebody cancelled the job; the verdicts before are kept."""


def start(
    here: "Runtime", evaluation: str, model: str, arms: Sequence[str], limit: int = 200, *, fresh: bool = False
) -> "Job":
    """Begin: two arms are compared in both orders, one is graded alone. Raises Problem on what cannot be judged."""
    report = evaluate.result(here, evaluation)
    project = here.projects.get(report.project)
    here.parts(project).spec(project.model(model).id)
    if not 1 <= len(arms) <= 2 or len(set(arms)) < len(arms):
        raise Problem("A judge compares two arms, or grades one.")
    for arm in arms:
        if arm not in report.arms:
            raise Problem(f"The evaluation has no answers of '{arm}'. Its arms: {', '.join(report.arms)}.")
    if not 1 <= limit <= MOST:
        raise Problem(f"Between 1 and {MOST:,} questions can be judged, not {limit}.")
    identity = here.identities(project, [Arm(model)])
    parts = json.dumps([evaluation, list(arms), limit, identity], default=str)
    key = hashlib.sha256(parts.encode()).hexdigest()[:16]
    before = [] if fresh else [job.id for job in here.jobs.list(KIND) if job.key == key]
    given = {"project": project.id, "evaluation": evaluation, "model": model, "arms": list(arms), "limit": limit}
    return here.jobs.start(KIND, lambda job: work(here.machine, job), key=key, parameters=given | {"before": before})


def jobs(here: "Runtime", evaluation: str) -> "list[Job]":
    """The judgings of an evaluation, newest first."""
    return [job for job in here.jobs.list(KIND) if job.parameters["evaluation"] == evaluation]


def result(here: "Runtime", job_id: str) -> Judged:
    """What a judging says so far, beside what people said of the same answers."""
    job = here.jobs.get(job_id)
    if job.kind != KIND:
        raise Problem("That job is no judging.")
    given = job.parameters
    project = here.projects.get(str(given["project"]))
    verdicts = msgspec.convert(here.jobs.rows(job_id), list[Verdict])
    said = here.votes.all(project.id, given["evaluation"])
    report = evaluate.result(here, given["evaluation"])
    itself = given["model"] in {row.model for row in report.rows if row.arm in given["arms"]}
    return judging.judged(given["model"], given["evaluation"], verdicts, said, itself=itself)


def work(here: "Runtime", job: "JobContext") -> dict[str, int]:
    """The job itself. Gives how many verdicts there are."""
    given = job.parameters
    project, arms = here.projects.get(str(given["project"])), list(given["arms"])
    report = evaluate.result(here, given["evaluation"])
    known = {(row["number"], row["repeat"]) for row in job.rows()}
    for earlier in given["before"]:
        for row in here.jobs.rows(earlier):
            if (row["number"], row["repeat"]) not in known and not row["problem"]:
                known.add((row["number"], row["repeat"]))
                job.append(row)
    todo = _todo(report.rows, arms, int(given["limit"]))
    with suppress(Stopped):
        for done, (place, answers) in enumerate(todo, 1):
            if place not in known:
                job.append(msgspec.to_builtins(_verdict(here, project, job, answers)))
            job.progress(done / len(todo), f"{done} of {len(todo)} judged")
    return {"verdicts": len(job.rows())}


def _todo(rows: Sequence[Row], arms: Sequence[str], limit: int) -> list[tuple[tuple[int, int], list[Row]]]:
    """The questions that all the arms answered, with their answers."""
    found: dict[tuple[int, int], dict[str, Row]] = {}
    for row in rows:
        if row.arm in arms and not row.problem:
            found.setdefault((row.number, row.repeat), {})[row.arm] = row
    whole = [(place, [by_arm[arm] for arm in arms]) for place, by_arm in found.items() if len(by_arm) == len(arms)]
    return sorted(whole, key=lambda one: one[0])[:limit]


def _verdict(here: "Runtime", project: Project, job: "JobContext", answers: Sequence[Row]) -> Verdict:
    """One verdict; a judge that cannot be asked gives one with its problem."""
    first = answers[0]
    made = Verdict(
        number=first.number, repeat=first.repeat, question=first.question, first=first.arm,
        second=answers[1].arm if len(answers) > 1 else "",
    )  # fmt: skip

    def ask(chat: Chat) -> str:
        return _asked(here, project, job, chat, judging.BETTER if made.second else judging.RIGHT)

    try:
        if not made.second:
            said = ask(judging.grade_chat(first.question, first.expected, first.reply))
            return msgspec.structs.replace(made, right=judging.right(said), said=(said,))
        texts = (first.reply, answers[1].reply)
        best, orders, replies = judging.compared(ask, first.question, first.expected, *texts)
    except Problem as problem:
        return msgspec.structs.replace(made, problem=problem.message)
    named = {"first": made.first, "second": made.second}
    return msgspec.structs.replace(made, best=named.get(best, best), orders=orders, said=replies)


def _asked(here: "Runtime", project: Project, job: "JobContext", chat: Chat, verdicts: tuple[str, ...]) -> str:
    """The judge's reply. A model of this machine can say nothing but a verdict: a small one would chat."""
    parts = here.parts(project)
    model, owner = parts.spec(str(job.parameters["model"])), f"judge {project.id}"
    request = Request(model, (chat,), SAMPLING, owner=owner, background=True, one_of=verdicts)
    generation = parts.engine.submit(request)
    while not job.cancelled:
        with suppress(TimeoutError):
            return generation.wait(POLL_S).text
    generation.cancel()
    raise Stopped
