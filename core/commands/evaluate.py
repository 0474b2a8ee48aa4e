"""`python -m core evaluate --questions FILE --json`: the arms over a question set, with intervals and causes.

Stopped, it goes on where it was when called again with the same questions, options and models (`--fresh` does not).
"""

import sys
import time
from argparse import Namespace
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from core import ask, evaluate, records, runtime
from core.commands import emit, log, parser, with_project
from core.commands.ask import arm_options, changed
from core.commands.report import write_html
from core.errors import Problem
from core.evaluation import questions
from core.evaluation.gates import demand, failed, judged, junit
from core.evaluation.planning import Plan
from core.evaluation.questions import Question
from core.evaluation.records import Report, report_from
from core.evaluation.repeats import sentences
from core.evaluation.run import Options
from core.evaluation.statistics import stated
from core.evaluation.tables import parts
from core.evaluation.variants import dialled
from core.jobs import Job
from core.project import Project
from core.text import one_line

POLL_S = 0.5
CLOSED = 3  # exit status of a gate that an interval closes


def main(argv: list[str]) -> int:
    """Evaluate; exit status 0 when at least one reply came back, 1 when none did."""
    given = _arguments(argv)
    try:
        here = runtime.get()
        project = here.projects.get(given.project)
        asked = asked_of(here, project, given)
        chosen = evaluate.limited(asked, given.limit, given.seed or 0)
        pinned = _pinned(given.pinned) if given.pinned else None
        arms = tuple(changed(arm, given, pinned) for arm in project.choose(given.arms.split(",")))
        if given.repeats is not None:
            arms = tuple(replace(arm, repeats=given.repeats) for arm in arms)
        arms, variants = dialled(arms, _shares(given.wrong)) if given.wrong else (arms, ())
        settings = Options(arms, given.snapshot, seed=given.seed or 0, variants=variants)
        evaluate.check(project, chosen, settings)
        for text in given.at_least:
            demand(text)
        plan = evaluate.planned(here, project, chosen, arms)
        if given.plan:
            return _planned(plan, len(chosen), as_json=given.json)
        before = _before(given.not_worse_than) if given.not_worse_than else None
        log(f"{len(chosen)} questions, {plan.replies} replies, {plan.time}. {plan.sentence}")
        result = _evaluate(project, chosen, settings, fresh=given.fresh)
        if given.html:
            write_html(given.html, result)
        also = {"beside": records.plain(evaluate.beside(here, result))}
        several, tuned = evaluate.varied(here, result)
        also |= {"metrics": records.plain(evaluate.measured(here, result.id))} if given.metrics else {}
    finally:
        runtime.close()
    gates = judged(result, [demand(text) for text in given.at_least], before)
    if given.junit:
        _write(given.junit, junit(gates, result, given.strict))
    if given.json:
        also |= {"repeats": records.plain(several), "trainings": records.plain(tuned)}
        emit({**records.plain(result), "gates": records.plain(gates), **also})
    else:
        said = [f"{gate.outcome}: {gate.name} ({gate.why})" for gate in gates]
        print("\n".join([*table(result), *sentences(several, tuned, result.titles), *said]))
    for gate in gates:
        log(f"{gate.outcome}: {gate.name}: {one_line(gate.why, 300)}")
    if failed(gates, given.strict):
        return CLOSED
    return 0 if any(row.reply for row in result.rows) else 1


def _arguments(argv: list[str]) -> Namespace:
    options = with_project(parser("evaluate", "A question set through several arms."))
    options.epilog = (
        "A file has the fields question, answer, variants, documents, class; lists are separated by '|'. A question "
        "without an answer expects the model to abstain. Called again alike, it goes on where it stopped."
    )
    options.add_argument(
        "--questions", type=Path, action="append", default=[], help="a .csv or .jsonl, - for JSONL on standard input"
    )
    options.add_argument("--set", action="append", default=[], metavar="NAME", help="a question set of the project")
    options.add_argument("--limit", type=int, default=None, help="at most N questions a class, drawn by --seed")
    options.add_argument("--pinned", type=Path, default=None, help="a text file: what arms with pinned text read")
    arm_options(options)
    options.add_argument(
        "--at-least", action="append", default=[], metavar="ARM:CLASS=SHARE", help="exit status 3 when ruled out"
    )
    options.add_argument("--not-worse-than", metavar="RUN", help="an earlier evaluation: its id, or a file of --json")
    options.add_argument("--strict", action="store_true", help="what is not decided closes the gate too")
    options.add_argument("--junit", type=Path, metavar="FILE", help="demands and answers as JUnit XML")
    options.add_argument("--html", type=Path, metavar="FILE", help="the report as one HTML file")
    options.add_argument("--repeats", type=int, help="ask each question so often, each time with another seed")
    options.add_argument(
        "--wrong", metavar="PERCENT,...", help="ask arms that retrieve again with that share of near misses: 25,50,100"
    )
    options.add_argument("--metrics", action="store_true", help="with every metric by arm and class (slower)")
    options.add_argument("--plan", action="store_true", help="only what it takes and what it can decide")
    options.add_argument("--fresh", action="store_true", help="ask everything anew, also what is known")
    return options.parse_args(argv)


def asked_of(here: runtime.Runtime, project: Project, given: Namespace) -> list[Question]:
    """The questions of `--questions` and `--set`. Raises Problem when there is none."""
    asked = [question for source in given.questions for question in _read(source)]
    for name in given.set:
        asked += here.questions.read(project, name)
    if not asked:
        raise Problem("Nothing to ask: give --questions FILE or --set NAME.")
    return asked


def _read(source: Path) -> Sequence[Question]:
    if str(source) == "-":
        return questions.parse(sys.stdin.buffer.read(questions.MOST_BYTES + 1), "standard input.jsonl")
    return questions.read(source)


def _evaluate(project: Project, chosen: Sequence[Question], settings: Options, *, fresh: bool) -> Report:
    here = runtime.get()
    try:
        here.prepare(project, settings.arms, lambda done, text: log(f"{done:4.0%} {text}"), lambda: False)
    except Problem as problem:
        log(f"not everything is there: {one_line(problem.message, 500)}")  # the arms that can answer still do
    job = waited(here, evaluate.start(here, project, chosen, settings, fresh=fresh), "evaluation")
    return evaluate.result(here, job.id)


def waited(here: runtime.Runtime, job: Job, what: str) -> Job:
    """The job once it is done, its progress logged meanwhile. Raises Problem when it failed or was stopped."""
    begun, shown = time.monotonic(), 0.0
    while (job := here.jobs.get(job.id)).active:
        if time.monotonic() - shown > 5:
            shown = time.monotonic()
            left = (shown - begun) * (1 - job.progress) / job.progress if job.progress else 0.0
            log(f"{job.progress:4.0%} {job.message}" + (f", about {left / 60:.1f} min left" if job.progress else ""))
        time.sleep(POLL_S)
    if job.state != "done":
        raise Problem(job.message or f"The {what} was {job.state}.")
    return job


def table(result: Report) -> list[str]:
    """The accuracies as lines of text: one an arm and class."""
    lines = [f"{'arm':<22}{'class':<16}{'right':>12}  {'accuracy':>8} ± standard error"]
    for arm, found in result.arms.items():
        for cls, score in found.classes.items():
            share = f"{score.right}/{score.n}"
            lines.append(f"{arm:<22}{cls:<16}{share:>12}  {stated(records.plain(score)):>8}")
    for name, split in result.effects.items():
        for part, gap in parts(split).items():
            lines.append(f"{name}: {part} {gap.difference:+.1%} ({gap.low:+.1%} to {gap.high:+.1%}): {gap.verdict}")
    return lines


def _planned(plan: Plan, asked: int, *, as_json: bool) -> int:
    """The plan alone: nothing is asked."""
    if as_json:
        emit({"questions": asked, **records.plain(plan)})
        return 0
    print(f"{asked} questions, {plan.replies} replies, {plan.time}. {plan.sentence}")
    for one in plan.classes:
        points = "no difference" if one.detectable is None else f"{one.detectable:.0f} points or more"
        print(f"{one.cls:<16}{one.questions:>6} questions{one.facts:>6} facts  decide {points}")
    return 0


def _shares(text: str) -> list[float]:
    try:
        return [float(part) / 100 for part in text.split(",")]
    except ValueError as error:
        raise Problem(f"--wrong takes percentages separated by commas, not '{one_line(text, 60)}'.") from error


def _before(run: str) -> Report:
    """The report that an evaluation is held against."""
    file = Path(run)
    if not file.is_file():
        return evaluate.result(runtime.get(), run)
    try:
        return report_from(file.read_bytes())
    except OSError as error:
        raise Problem(f"--not-worse-than: {one_line(run, 120)} cannot be read: {error.strerror}.") from error
    except Problem as problem:
        raise Problem(f"--not-worse-than, {one_line(run, 120)}: {problem.message}") from problem


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise Problem(f"{one_line(str(path), 120)} cannot be written: {error.strerror}.") from error


def _pinned(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")[: ask.MAX_QUESTION]
    except (OSError, UnicodeDecodeError) as error:
        raise Problem(f"The file for --pinned cannot be read: {one_line(str(error), 200)}") from error
