"""An evaluation as a background job, for page and command alike: start, resume, result. Knows the runtime's parts.

The job's rows are the raw replies; its parameters hold questions and options, so any process can go on with it or score
it again. The key names questions, options, models and documents: a new job of the same key takes over the rows of the
latest one.
"""

import hashlib
import random
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec.structs import replace as replace_in

from core import arms, ask, identity, nearness, opening, records, scenario
from core.errors import Problem
from core.evaluation import metrics, planning, questions
from core.evaluation import report as report_module
from core.evaluation.dial import dial
from core.evaluation.metrics import Meaning
from core.evaluation.planning import Plan
from core.evaluation.questions import Question
from core.evaluation.records import Metrics, Report, Row, replies
from core.evaluation.run import Options, Reply, key, options_from, place_of, run
from core.evaluation.variants import Undated
from core.evaluation.watching import Watch
from core.project import Project
from core.retrieval.values import CURRENT, Settings
from core.text import one_line

if TYPE_CHECKING:
    from core.evaluation.beside import Beside
    from core.evaluation.repeats import Components, Trainings
    from core.jobs import Job, JobContext
    from core.runtime import Runtime

KIND: Final = "evaluate"
LOOKED_AT: Final = 3  # earlier evaluations, for what a reply takes
FEW_ROWS: Final = 100  # of each


def check(project: Project, asked: Sequence[Question], options: Options) -> None:
    """Raises Problem on what cannot be run, before anything is loaded."""
    arms.check(options.arms, options.most_arms)
    for arm in options.arms:
        project.model(arm.model)
    for question in asked:
        ask.checked(question.question, options.settings(options.arms[0], question, ()))
    if options.snapshot is not None and options.snapshot not in project.snapshots:
        known = ", ".join(project.snapshots) or "none in this project"
        raise Problem(f"Unknown snapshot '{options.snapshot[:40]}'. Snapshots: {known}.")


def start(
    here: "Runtime",
    project: Project,
    asked: Sequence[Question],
    options: Options,
    *,
    fresh: bool = False,
    name: str = "",
) -> "Job":
    """Begin in the background, after the rows that an earlier job of the same key has (unless `fresh`)."""
    check(project, asked, options)
    named = key(asked, options, here.identities(project, options.arms, options.snapshot))
    parameters = {
        "project": project.id,
        "name": one_line(name.strip(), 60),
        "questions": [question.row() for question in asked],
        "options": records.plain(options),
        "identity": records.plain(identity.of(here, project, options.arms, options.snapshot)),
        "before": [] if fresh else [job.id for job in here.jobs.list(KIND) if job.key == named],
    }
    return here.jobs.start(KIND, lambda job: work(here.machine, job), key=named, parameters=parameters)


def again(here: "Runtime", job_id: str) -> "Job":
    """Go on with a job that ended early: a new one that takes over its rows."""
    job = here.jobs.get(job_id)
    asked, options = _given(job.parameters)
    return start(here, here.projects.get(project_of(job)), asked, options, name=str(job.parameters.get("name", "")))


def repeated(here: "Runtime", job_id: str) -> "Job":
    """The same questions to the same arms once more, from the first on."""
    job = here.jobs.get(job_id)
    asked, options = _given(job.parameters)
    name = str(job.parameters.get("name", ""))
    return start(here, here.projects.get(project_of(job)), asked, options, fresh=True, name=name)


def project_of(job: "Job") -> str:
    """The project an evaluation belongs to."""
    return str(job.parameters.get("project", records.FIRST_PROJECT))


def name_of(job: "Job") -> str:
    """What people call an evaluation: its name, or when it was made and of what."""
    made = datetime.fromtimestamp(job.created, UTC).strftime("%Y-%m-%d %H:%M")
    asked = job.parameters["questions"]
    name = str(job.parameters.get("name") or f"{asked if isinstance(asked, int) else len(asked)} questions")
    return f"{name}, {made} UTC" + ("" if job.state == "done" else f", {job.state}")


def arms_of(job: "Job") -> tuple[arms.Arm, ...]:
    """The arms of an evaluation, in their order."""
    return _given(job.parameters)[1].arms


def jobs(here: "Runtime", project: Project) -> "list[Job]":
    """The project's evaluations, newest first."""
    return [job for job in here.jobs.list(KIND) if project_of(job) == project.id]


def names(here: "Runtime", project: Project) -> dict[str, str]:
    """The project's evaluations by id, newest first, each as people call it; no question is read for it."""
    return {job.id: name_of(job) for job in _heads(here, project)}


def _heads(here: "Runtime", project: Project) -> "list[Job]":
    return [job for job in here.jobs.heads(KIND, "questions") if project_of(job) == project.id]


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


def seconds_a_reply(here: "Runtime", project: Project, chosen: Sequence[arms.Arm]) -> float | None:
    """What a reply of these arms took: in the project's evaluations, newest first, else in its latest questions; None
    when nothing has been measured."""
    for job in _heads(here, project)[:LOOKED_AT]:
        times: dict[str, list[float]] = {}
        for row in here.jobs.rows(job.id, FEW_ROWS):
            timing = row.get("timing") or {}
            if timing.get("total") and not timing.get("contended"):  # in company each takes longer, all together less
                times.setdefault(row["arm"], []).append(timing["total"] / 1000)
        if known := [statistics.median(times[arm.name]) for arm in chosen if arm.name in times]:
            return statistics.mean(known)
    return planning.seconds_a_reply(here.stored_runs.latest(project.id))


def planned(here: "Runtime", project: Project, asked: Sequence[Question], chosen: Sequence[arms.Arm]) -> Plan:
    """What a run of these arms takes and can decide, by how far earlier runs of the project parted them."""
    replies = planning.count(asked, chosen)
    earlier = [(name_of(job), job.result) for job in _heads(here, project)[:LOOKED_AT]]
    seen = planning.seen(earlier, [arm.name for arm in chosen])
    return planning.plan(asked, replies, seconds_a_reply(here, project, chosen), seen)


def work(here: "Runtime", job: "JobContext") -> dict[str, int]:
    """The job itself: copies the rows that are known, asks for the rest."""
    project = here.projects.get(str(job.parameters.get("project", records.FIRST_PROJECT)))
    asked, options = _given(job.parameters, project)
    for earlier in job.parameters["before"]:
        known = {place_of(row) for row in job.rows()}
        for row in here.jobs.rows(earlier):
            if place_of(row) not in known and not row["problem"]:
                job.append(row)
    kept = job.rows()
    began, wanted = time.monotonic(), planning.count(asked, options.arms)
    titles = {arm.name: project.title_of(arm) for arm in options.arms}
    watch = None
    if options.until is not None:
        meaning = nearness.of(here, project)
        right = report_module.rights(asked, options.arms, project, options.snapshot, meaning)
        watch = Watch(asked, options.until, right)
        for reply in replies(kept):
            watch.add(reply)

    def append(row: Mapping[str, Any]) -> None:
        job.append(row)
        if watch is not None:
            watch.add(*replies([row]))

    def progress(share: float, text: str) -> None:
        new = round(share * wanted) - len(kept)
        left = planning.left(time.monotonic() - began, new, round((1 - share) * wanted))
        job.progress(share, " ".join(filter(None, (f"{text}{left}.", _standing(titles, watch) if watch else ""))))

    with ExitStack() as opened:
        run(
            asked,
            options,
            here.parts(project),
            append,
            done=kept,
            progress=progress,
            cancelled=lambda: job.cancelled or _decided(job, watch),
            bases=_split_otherwise(here, project, options, opened),
        )
    found = result(here, job.id)
    return {"rows": here.jobs.count(job.id), **msgspec.to_builtins(planning.parted(found.pairs))}


def _split_otherwise(
    here: "Runtime", project: Project, options: Options, opened: ExitStack
) -> dict[str, Callable[[], Undated]]:
    """Arm -> its documents split in its own way, where that is not the project's: made when first asked for."""
    made: dict[tuple[Settings, str], Undated] = {}

    def base(settings: Settings, embedded: str) -> Undated:
        if (settings, embedded) not in made:
            from core.retrieval.trial import embedder_of, split_otherwise

            own, day = here.knowledge(project), options.snapshot
            embedder = embedder_of(own, embedded)
            paths = [document.path for document in own.documents(day or CURRENT)]
            other = opened.enter_context(split_otherwise(own, settings, paths, day, embedder=embedder))
            made[settings, embedded] = Undated(other)
        return made[settings, embedded]

    return {one.arm: partial(base, one.split, one.embedder) for one in options.variants if one.split is not None}


def _standing(titles: Mapping[str, str], watch: Watch) -> str:
    """The watched difference in a sentence; empty before the first fact. `titles`: arm -> its name for people."""
    found = watch.look()
    if found is None:
        return ""
    first, second = (titles[name] for name in watch.pair)
    span = f"{100 * found.low:+.0f} to {100 * found.high:+.0f} at every look"
    of = f"{second} over {first}: {100 * found.difference:+.0f} points ({span}) after {found.n} facts"
    return f"{of}, {'decided' if found.decided else 'not decided yet'}."


def _decided(job: "JobContext", watch: Watch | None) -> bool:
    """Whether the two arms that end the run are told apart by an interval that may be watched."""
    pair = None if watch is None else watch.look()
    if pair is None or not pair.decided:
        return False
    job.progress(1.0, f"Decided after {pair.n} facts: a {pair.decided} of {100 * pair.difference:+.0f} points.")
    return True


def result(here: "Runtime", job_id: str) -> Report:
    """The report on a job's rows, finished or so far."""
    job = here.jobs.get(job_id)
    if job.kind != KIND:
        raise Problem("That job is no evaluation.")
    project = here.projects.get(project_of(job))
    made = datetime.fromtimestamp(job.created, UTC).isoformat(timespec="seconds")
    found = here.reports(job_id, here.jobs.count(job_id), repr(project))
    return replace_in(found, id=job.id, project=project.id, name=name_of(job), made=made, state=job.state)


def read(here: "Runtime", job_id: str, rows: int, project: str) -> Report:
    """The report on a job's first `rows` rows; Runtime.reports keeps it while these and the project, as text, stay.

    Of a job that is complete or has ended it is kept with the job too, for as long as rows, project and this program's
    rules are the same.
    """
    key = hashlib.sha256(f"{rows} {project} {_rules()}".encode()).hexdigest()
    if (kept := here.jobs.kept(job_id, key)) is not None:
        with suppress(msgspec.MsgspecError):
            return msgspec.json.decode(kept, type=Report)
    job = here.jobs.get(job_id)
    its = here.projects.get(project_of(job))
    made = scored(job.parameters, here.jobs.rows(job_id, rows), its, nearness.of(here, its))
    if not job.active or rows >= planning.count(_given(job.parameters)[0], arms_of(job)):
        here.jobs.keep(job_id, key, msgspec.json.encode(made))
    return made


@cache
def _rules() -> str:
    """This program, as a hash: another version may score otherwise."""
    files = sorted(path for end in ("py", "toml") for path in Path(__file__).parent.rglob(f"*.{end}"))
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()


def scored(
    parameters: Mapping[str, Any],
    rows: Sequence[Mapping[str, Any]],
    project: Project,
    meaning: Meaning = metrics.no_meaning,
) -> Report:
    """The report on rows that came of a job with these parameters, with its options."""
    asked, options = _given(parameters, project)
    wrong = {variant.arm for variant in options.variants if variant.wrong}
    made = report_module.report(asked, replies(rows), options.arms, project, options.snapshot, wrong, meaning)
    points = dial(made.rows, options.variants) if wrong else ()
    return replace_in(made, options=options, dial=points)


def measured(here: "Runtime", job_id: str) -> Metrics:
    """Every metric of a job's rows by arm and class (see report.measured)."""
    asked, _ = _given(here.jobs.get(job_id).parameters)
    found = result(here, job_id)
    meaning = nearness.of(here, here.projects.get(found.project))
    return report_module.measured(found, asked, replies(here.jobs.rows(job_id)), meaning)


@dataclass(frozen=True)
class Whole:
    """All that is kept of one reply: its scores, the reply as it came with prompt and passages, the arm, a link to the
    playground with its question and its arm as it was asked; `differs`: what the playground cannot repeat, in words."""

    row: Row
    reply: Reply
    arm: arms.Arm
    title: str
    link: str
    differs: tuple[str, ...] = ()


def whole(here: "Runtime", job_id: str, number: int, arm: str, repeat: int = 0) -> Whole:
    """One reply of an evaluation with everything. Raises Problem when there is none."""
    found, place = result(here, job_id), (number, arm, repeat)
    row = next((one for one in found.rows if (one.number, one.arm, one.repeat) == place), None)
    kept = replies(here.jobs.rows_where(job_id, number=number, arm=arm))
    reply = next((one for one in kept if one.repeat == repeat), None)
    if row is None or reply is None or found.options is None:
        raise Problem(f"This evaluation has no reply to question {number} by the arm '{one_line(arm, 60)}'.")
    asked = next(one for one in found.options.arms if one.name == arm)
    job = here.jobs.get(job_id)
    lines = _differs(here, job, found.options, asked)
    return Whole(row, reply, asked, found.titles.get(arm, arm), _link(row, found.options, asked), lines)


def _link(row: Row, options: Options, arm: arms.Arm) -> str:
    """To the playground, with the settings under which this reply was made."""
    (made,) = options.settings(arm, Question(row.question, "", row.cls), (), row.repeat).arms
    try:
        return scenario.encode({"playground": opening.section(row.question, [replace(made, repeats=1)], row.cls)})
    except Problem:  # an instruction that is too long for a link
        return scenario.encode({"playground": {"question": row.question, "extra_arms": [arm.name]}})


def _differs(here: "Runtime", job: "Job", options: Options, arm: arms.Arm) -> tuple[str, ...]:
    """Why the playground may answer otherwise: other passages in this run, or what has changed since."""
    lines = []
    for variant in options.variants:
        if variant.arm == arm.name and variant.wrong:
            lines.append(f"here {variant.wrong:.0%} of its passages were near misses, there none is")
        if variant.arm == arm.name and variant.split is not None:
            lines.append("here its documents were split or embedded otherwise than the project's are")
    kept = job.parameters.get("identity")
    if kept:
        then = msgspec.convert(kept, records.Identity)
        project = here.projects.get(project_of(job))
        lines += identity.differences(then, identity.of(here, project, options.arms, options.snapshot))
    return tuple(lines)


def beside(here: "Runtime", found: Report) -> "tuple[Beside, ...]":
    """The documents' and published figures that an evaluation can be held against."""
    from core.evaluation import beside as beside_module

    return beside_module.beside(found, here.projects.get(found.project))


def varied(here: "Runtime", found: Report) -> "tuple[list[Components], list[Trainings]]":
    """What repeats and several fine-tunes of one base tell."""
    from core.evaluation import repeats

    return repeats.components(found.rows), repeats.trainings(found.rows, here.projects.get(found.project).bases)


def html(here: "Runtime", found: Report) -> str:
    """An evaluation as one HTML file that a manager can read."""
    from core.evaluation import sheet

    project = here.projects.get(found.project)
    return sheet.html(found, project, [one.path for one in here.knowledge(project).documents()])


def _given(parameters: Mapping[str, Any], project: Project | None = None) -> tuple[tuple[Question, ...], Options]:
    """A job's questions and options; with a project, its free text is graded as the project says."""
    asked = questions.from_rows(parameters["questions"])
    if project is not None and (rule := project.free_text):
        asked = questions.with_rule(asked, rule.metric, rule.threshold, rule.words)
    return asked, options_from(dict(parameters["options"]))
