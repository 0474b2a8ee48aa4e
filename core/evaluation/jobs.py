"""An evaluation as a background job, for page and command alike: start, resume, result. Knows the runtime's parts.

The job's rows are the raw replies; its parameters hold questions and options, so any process can go on with it or score
it again. The key names questions, options, models and documents: a new job of the same key takes over the rows of the
latest one.
"""

import dataclasses
import random
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from core import ask
from core.errors import Problem
from core.evaluation import questions
from core.evaluation.questions import Question
from core.evaluation.report import report
from core.evaluation.run import Options, key, run
from core.paths import ROOT

if TYPE_CHECKING:
    from core.jobs import Job, JobContext
    from core.runtime import Runtime

KIND: Final = "evaluate"
SNAPSHOTS: Final = ("training-day", "today")
BUNDLED: Final = ROOT / "models" / "brightwater" / "questions"


def check(asked: Sequence[Question], options: Options) -> None:
    """Raises Problem on what cannot be run, before anything is loaded."""
    for question in asked:
        ask.checked(question.question, options.settings(options.arms[0] if options.arms else "", question, ()))
    if unknown := [arm for arm in options.arms if arm not in ask.ARMS + ask.OPTIONAL_ARMS]:
        known = ", ".join(ask.ARMS + ask.OPTIONAL_ARMS)
        raise Problem(f"Unknown arm {', '.join(unknown)}. Arms: {known}.")
    if options.snapshot is not None and options.snapshot not in SNAPSHOTS:
        raise Problem(f"Unknown snapshot '{options.snapshot[:40]}'. Snapshots: {', '.join(SNAPSHOTS)}.")


def start(here: "Runtime", asked: Sequence[Question], options: Options, *, fresh: bool = False) -> "Job":
    """Begin in the background, after the rows that an earlier job of the same key has (unless `fresh`)."""
    check(asked, options)
    named = key(asked, options, _identities(here, options))
    parameters = {
        "questions": [question.row() for question in asked],
        "options": dataclasses.asdict(options),
        "before": [] if fresh else [job.id for job in here.jobs.list(KIND) if job.key == named],
    }
    return here.jobs.start(KIND, lambda job: work(here, job), key=named, parameters=parameters)


def again(here: "Runtime", job_id: str) -> "Job":
    """Go on with a job that ended early: a new one that takes over its rows."""
    asked, options = _given(here.jobs.get(job_id).parameters)
    return start(here, asked, options)


def bundled() -> dict[str, Path]:
    """Class -> file of the demo company's test questions."""
    return {path.stem.removeprefix("test-"): path for path in sorted(BUNDLED.glob("test-*.jsonl"))}


def limited(asked: Sequence[Question], limit: int | None, seed: int) -> tuple[Question, ...]:
    """At most `limit` questions of each class (None: all), drawn by `seed`, in their order."""
    if limit is None:
        return tuple(asked)
    if limit < 1:
        raise Problem(f"The limit must be at least 1, not {limit}.")
    rng, kept = random.Random(seed), set()
    for cls in dict.fromkeys(question.cls for question in asked):
        places = [place for place, question in enumerate(asked) if question.cls == cls]
        kept |= set(rng.sample(places, min(limit, len(places))))
    return tuple(asked[place] for place in sorted(kept))


def work(here: "Runtime", job: "JobContext") -> dict[str, int]:
    """The job itself: copies the rows that are known, asks for the rest."""
    asked, options = _given(job.parameters)
    for earlier in job.parameters["before"]:
        known = {(row["number"], row["arm"]) for row in job.rows()}
        for row in here.jobs.rows(earlier):
            if (row["number"], row["arm"]) not in known and not row["problem"]:
                job.append(row)
    run(
        asked,
        options,
        parts(here),
        job.append,
        done=job.rows(),
        progress=job.progress,
        cancelled=lambda: job.cancelled,
    )
    return {"rows": len(job.rows())}


def result(here: "Runtime", job_id: str) -> dict[str, Any]:
    """The report on a job's rows, finished or so far."""
    job = here.jobs.get(job_id)
    if job.kind != KIND:
        raise Problem("That job is no evaluation.")
    asked, options = _given(job.parameters)
    made = report(asked, here.jobs.rows(job_id), options.snapshot)
    return {"id": job.id, "state": job.state, "options": job.parameters["options"], **made}


def parts(here: "Runtime") -> ask.Parts:
    """Where core.ask finds models and passages."""
    from core.weights import catalog

    return ask.Parts(engine=here.engine, knowledge=lambda: here.knowledge, spec=catalog.spec)


def _given(parameters: dict[str, Any]) -> tuple[tuple[Question, ...], Options]:
    given = dict(parameters["options"])
    options = Options(arms=tuple(given.pop("arms")), **given)
    return questions.from_rows(parameters["questions"]), options


def _identities(here: "Runtime", options: Options) -> list[object]:
    """What the replies depend on besides questions and options: prompt, models' hashes, documents' versions."""
    from core.weights import catalog

    made: list[object] = [(ROOT / "core" / "prompt.toml").read_text(encoding="utf-8")]
    for role in sorted({ask.role(arm) for arm in options.arms}):
        try:
            made.append(catalog.spec(role).sha256)
        except Problem:
            made.append(None)  # not there: its arms will say so
    if any("+" in arm for arm in options.arms):
        view = options.snapshot or "current"
        made.append([(document.path, document.version) for document in here.knowledge.documents(view)])
    return made
