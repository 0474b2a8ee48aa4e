"""What people's marks say of an evaluation, for page and command alike. Knows the runtime's parts; counts elsewhere."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from core import nearness
from core.errors import Problem
from core.evaluation import calibrating, metrics
from core.evaluation.agreement import Agreement, agreement
from core.evaluation.calibrating import Candidate
from core.evaluation.causes import CAUSES
from core.evaluation.records import Report, Row
from core.text import one_line
from core.votes import CauseMark, Mark, Place, checked, now

if TYPE_CHECKING:
    from core.runtime import Runtime


def to_mark(found: Report, metric: str = "token_f1", count: int = calibrating.DRAWN, seed: int = 0) -> list[Row]:
    """The answers of an evaluation to be marked by hand. Raises Problem on a metric that cannot be judged by."""
    if metric not in metrics.IN_WORDS:
        raise Problem(f"The metric is one of {', '.join(metrics.IN_WORDS)}, not '{one_line(metric, 40)}'.")
    return calibrating.drawn(found.rows, metric, count, seed)


def agreements(here: "Runtime", found: Report) -> list[Candidate]:
    """How far the rules and each metric agree with the marks of an evaluation's answers."""
    project = here.projects.get(found.project)
    chosen = {project.free_text.metric: project.free_text.threshold} if project.free_text else {}
    marks = here.votes.marks(project.id, found.id)
    return calibrating.candidates(found.rows, marks, chosen, nearness.of(here, project))


def place_of(found: Report, row: Row) -> Place:
    """Where a row's answer stands."""
    return Place("evaluation", found.id, row.number, row.repeat)


def mark(here: "Runtime", found: Report, row: Row, right: bool, voter: str = "") -> Mark:
    """Keep whether an answer is right, by hand."""
    made = Mark(place=place_of(found, row), question=row.question, arm=row.arm, right=right, voter=voter, made=now())
    here.votes.save(found.project, checked(made))
    return made


def disagree(here: "Runtime", found: Report, row: Row, cause: str, voter: str = "") -> CauseMark:
    """Keep why a wrong answer is wrong, by hand; the rules' own cause agrees with them. Raises Problem."""
    if cause not in CAUSES:
        raise Problem(f"There is no cause '{one_line(cause, 60)}'. Causes: {'; '.join(CAUSES)}.")
    if not row.cause:
        raise Problem("Only a wrong answer has a cause. If the rules are wrong about it, mark it right.")
    made = CauseMark(
        place=place_of(found, row), question=row.question, arm=row.arm, stated=row.cause, cause=cause, voter=voter,
        made=now(),
    )  # fmt: skip
    here.votes.save(found.project, checked(made))
    return made


def cause_agreement(rows: Sequence[Row], marks: Sequence[CauseMark]) -> Agreement:
    """How far the rules' causes, as they are now, agree with those by hand."""
    causes = {calibrating.key_of(row): row.cause for row in rows}
    known = [
        (causes[at], mark.cause) for mark in marks if (at := (mark.place.number, mark.arm, mark.place.repeat)) in causes
    ]
    return agreement([stated for stated, _ in known], [by_hand for _, by_hand in known])
