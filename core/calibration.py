"""What a project has measured here, for the calculator and the decision record: its evaluations and playground runs.

The demo's card is given only for the bundled demo, and every value of it says so. Knows the runtime and the reports of
evaluations; knows no formula and no page.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from core import evaluate, paths
from core.calculator import calibrate
from core.calculator.calibrate import ACCURACIES, CHANGED, GAIN, STATIC, Change
from core.evaluation import statistics
from core.evaluation.records import Row
from core.evaluation.report import NOT_FACTS
from core.project import Project
from core.records import FIRST_PROJECT
from core.text import one_line

if TYPE_CHECKING:
    from core.jobs import Job
    from core.runtime import Runtime

LATEST: Final = 3  # finished evaluations that are looked at, newest first
Scores = Sequence[Row]


@dataclass(frozen=True)
class Headline:
    """How often one arm was right in an evaluation, on knowledge that stays ("static") or has changed ("changed").

    `low`, `high`: 95 % interval of the share `right`; `facts`: independent facts among the `n` questions.
    """

    evaluation: str
    made: str  # ISO day, UTC
    arm: str
    knowledge: str
    n: int
    facts: int
    right: float
    low: float
    high: float


@dataclass(frozen=True)
class Measured:
    """A project's own measurements as changes of inputs, the demo's beside them, and its evaluations' headlines."""

    own: tuple[Change, ...] = ()
    demo: tuple[Change, ...] = ()
    headlines: tuple[Headline, ...] = ()


def measured(here: "Runtime", project: Project, card: Path | None = None) -> Measured:
    """All that is known of the project. `card`: the demo's, for tests. Raises Problem on what is damaged."""
    reports = [(job, evaluate.result(here, job.id).rows) for job in _finished(here, project)]
    found = calibrate.collect(here.stored_runs.latest(project.id))
    found["accuracies"] = {}
    for job, scores in reports:  # the newest evaluation that can say it counts
        text = f"measured here, project {one_line(project.title, 40)}, evaluation {one_line(evaluate.name_of(job), 60)}"
        for name, (interval, n) in _intervals(scores, project).items():
            if name not in found["accuracies"]:
                found["accuracies"][name] = interval
                found["origins"][name] = f"{text}, {n} questions"
    own = tuple(calibrate.changes(found))
    headlines = [one for job, scores in reports for one in _headlines(job, scores, project)]
    return Measured(own, _demo(project, {one.name for one in own}, card), tuple(headlines))


def answers(here: "Runtime", project: Project) -> list[Change]:
    """What the project's playground answers alone measured: no evaluation is scored for it."""
    return calibrate.changes(calibrate.collect(here.stored_runs.latest(project.id)))


def _demo(project: Project, known: set[str], card: Path | None) -> tuple[Change, ...]:
    if project.id != FIRST_PROJECT:
        return ()
    file = card or paths.ROOT / "models" / "cards" / "measured.json"
    found = calibrate.changes(calibrate.collect([], file))
    return tuple(
        replace(one, demo=True, origin=f"the demo's own models and questions: {one.origin}")
        for one in found
        if one.name not in known
    )


def _finished(here: "Runtime", project: Project) -> "list[Job]":
    return [job for job in evaluate.jobs(here, project) if job.state == "done"][:LATEST]


def _intervals(scores: Scores, project: Project) -> dict[str, tuple[tuple[float, float], int]]:
    """Input -> its 95 % interval as shares, and the number of questions behind it."""
    arms = _roles(scores, project)
    found = {}
    for name, (arm, knowledge) in ACCURACIES.items():
        if of := _about(arms.get(arm, ()), knowledge):
            share = statistics.accuracy([one.right for one in of], [one.group for one in of])
            found[name] = ((share.low, share.high), share.n)
    pair = [{one.number: one for one in _about(arms.get(arm, ()), STATIC)} for arm in GAIN]
    if common := sorted(set(pair[0]) & set(pair[1])):
        gains = [float(pair[1][at].right) - float(pair[0][at].right) for at in common]
        gap = statistics.difference(gains, [pair[0][at].group for at in common])
        found["hybrid_gain"] = ((gap.low, gap.high), gap.n)
    return found


def _headlines(job: "Job", scores: Scores, project: Project) -> list[Headline]:
    name, made = evaluate.name_of(job), datetime.fromtimestamp(job.created, UTC).date().isoformat()
    titles = {arm.name: project.title_of(arm) for arm in evaluate.arms_of(job)}
    found = []
    for arm, title in titles.items():
        for knowledge in (STATIC, CHANGED):
            if of := _about([one for one in scores if one.arm == arm], knowledge):
                share = statistics.accuracy([one.right for one in of], [one.group for one in of])
                numbers = (share.n, share.groups, share.accuracy, share.low, share.high)
                found.append(Headline(name, made, title, knowledge, *numbers))
    return found


def _roles(scores: Scores, project: Project) -> dict[str, list[Row]]:
    """Arm as ACCURACIES writes it -> its scores: the model with a `base` is the fine-tune, that base the base.

    Of several fine-tunes the first that was asked counts; without any, the first model asked is the base.
    """
    asked = list(dict.fromkeys(one.model for one in scores))
    bases = {model.id: model.base for model in project.models}
    tuned = next((model for model in asked if bases.get(model)), None)
    base = bases[tuned] if tuned else next(iter(asked), None)
    found: dict[str, list[Row]] = {}
    named: dict[str, str] = {}  # of two arms with one model and context the first counts
    for one in scores:
        role = "fine-tuned" if one.model == tuned else "base" if one.model == base else ""
        key = role if one.context == "closed" else f"{role}+{one.context}"
        if role and named.setdefault(key, one.arm) == one.arm:
            found.setdefault(key, []).append(one)
    return found


def _about(scores: Scores, knowledge: str) -> Scores:
    """The answered questions for facts of one kind; where no class is called "static", all that have not changed."""
    known = [one for one in scores if not one.problem and one.cls not in NOT_FACTS]
    stays = any(one.cls == STATIC for one in known)
    wanted: Callable[[str], bool] = (lambda cls: cls == knowledge) if stays or knowledge == CHANGED else CHANGED.__ne__
    return [one for one in known if wanted(one.cls)]
