"""A report as rows for tables and files. Knows the report's records only."""

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

from core.evaluation.metrics import METRICS
from core.evaluation.records import ClassResult, Metrics, Report, Row
from core.evaluation.repeats import Components, Trainings
from core.evaluation.sequential import Watched
from core.evaluation.statistics import Difference, Effects
from core.evaluation.versus import Versus
from core.export import harmless

COLUMNS = (
    "number",
    "class",
    "question",
    "arm",
    "repeat",
    "right",
    "cause",
    "expected",
    "reply",
    "voice",
    "hit",
    "cites_right",
    "checks",
    "reviewed",
    "problem",
)


def accuracies(report: Report) -> list[dict[str, Any]]:
    """One row an arm and class: share right with standard error and 95 % interval, and what else was scored. Shares are
    in percent."""
    rows = []
    for arm, found in report.arms.items():
        for cls, score in found.classes.items():
            row: dict[str, Any] = {"arm": arm, "class": cls, "right": f"{score.right} of {score.n}"}
            row |= {"accuracy": 100 * score.accuracy, "standard error": 100 * score.standard_error}
            row["95 %"] = f"{score.low:.0%} to {score.high:.0%}"
            also = {"voice": score.voice, "hit": score.hit, "stale": score.stale}
            also |= {"ticket valid": score.ticket_valid, "ticket class": score.ticket_class}
            rows.append(row | {name: 100 * share.accuracy if share else None for name, share in also.items()})
    return rows


def shares(report: Report) -> list[dict[str, str]]:
    """One row a class, one column an arm: the share right in percent with its 95 % interval."""
    classes = dict.fromkeys(cls for found in report.arms.values() for cls in found.classes)
    titles = [report.titles.get(arm, arm) for arm in report.arms]
    names = {arm: one if titles.count(one) == 1 else arm for arm, one in zip(report.arms, titles, strict=True)}
    return [
        {"Right, % (95 % interval)": cls}
        | {names[arm]: _share(found.classes.get(cls)) for arm, found in report.arms.items()}
        for cls in classes
    ]


def _share(score: ClassResult | None) -> str:
    if score is None:
        return "—"
    return f"{100 * score.accuracy:.1f} ({100 * score.low:.0f} to {100 * score.high:.0f})"


def costs(report: Report) -> list[dict[str, Any]]:
    """One row an arm: dollars in all and for each right answer."""
    return [
        {
            "arm": report.titles[arm],
            "USD in all": found.cost.total,
            "USD a right answer": found.cost.per_right,
        }
        for arm, found in report.arms.items()
        if found.cost.total
    ]


def pairs(report: Report) -> list[dict[str, Any]]:
    """One row a class and pair of arms worth comparing, in points."""
    return [
        {
            "class": pair.cls,
            "from": report.titles[pair.first],
            "to": report.titles[pair.second],
            "points": round(100 * pair.difference, 1),
            "95 %": span(pair),
            "decided": pair.decided or "not yet",
            "at every look": span(pair.watched),
            "facts": pair.facts,
            "decides, points": None if pair.detectable is None else round(100 * pair.detectable),
            "facts for this difference": pair.needed,
            "p (McNemar)": round(pair.p, 4),
        }
        for pair in report.pairs
    ]


def decisions(report: Report) -> list[str]:
    """What is decided over all questions of facts, in a sentence a pair; of the one class where there is no more."""
    classes = list(dict.fromkeys(pair.cls for pair in report.pairs))
    chosen = "all facts" if "all facts" in classes else classes[0] if classes else ""
    said = []
    for pair in report.pairs:
        if pair.cls != chosen:
            continue
        names = f"{report.titles[pair.first]} to {report.titles[pair.second]}"
        points = f"{100 * pair.difference:+.0f} points ({span(pair)})"
        if pair.decided:
            said.append(f"{names}: {points}, decided: a {pair.decided}.")
        else:
            more = f", about {pair.needed:,} facts would decide it" if pair.needed else ""
            said.append(f"{names}: {points}, not decided by {pair.facts} facts{more}.")
    return said


def changes(found: Versus) -> list[dict[str, Any]]:
    """One row an arm that two runs share."""
    return [
        {
            "arm": arm,
            "points": round(100 * gap.difference, 1),
            "95 %": span(gap),
            "verdict": gap.verdict,
            **{kind: sum(c.arm == arm and c.kind == kind for c in found.cases) for kind in ("better", "worse", "same")},
        }
        for arm, gap in found.arms.items()
    ]


def metrics(measured: Metrics) -> list[dict[str, Any]]:
    """One row an arm, class and metric."""
    return [
        {
            "arm": arm,
            "class": cls,
            "metric": METRICS[name].title,
            "mean": round(value.mean, 4),
            "standard error": round(value.standard_error, 4),
            "unit": METRICS[name].unit,
            "replies": value.n,
        }
        for arm, classes in measured.items()
        for cls, found in classes.items()
        for name, value in found.items()
    ]


def repeated(report: Report, several: Sequence[Components]) -> list[dict[str, Any]]:
    """One row an arm that was asked more than once: how much its answers vary between runs and between questions."""
    return [
        {
            "Arm": report.titles.get(one.arm, one.arm),
            "Questions": one.questions,
            "Asked each": round(one.repeats, 1),
            "Accuracy": f"{one.accuracy:.1%} ± {100 * one.error:.1f}",
            "Flip": f"{one.flips} ({one.flip_low:.0%} to {one.flip_high:.0%})",
            "Variance between runs": f"{one.between_runs:.3f}",
            "Between questions": f"{one.between_questions:.3f}",
            "Error if asked without end": f"{100 * one.error_endless:.1f}",
        }
        for one in several
    ]


def trained(report: Report, tuned: Sequence[Trainings]) -> list[dict[str, Any]]:
    """One row a fine-tune of a base that has several: what it gets right, how far training alone sets them apart."""
    return [
        {
            "Base": one.base,
            "Context": one.context,
            "Fine-tune": report.titles.get(arm, arm),
            "Accuracy": f"{share:.1%}",
            "Questions": one.questions,
            "Spread between trainings, points": f"{100 * one.spread:.1f}",
        }
        for one in tuned
        for arm, share in one.accuracies.items()
    ]


def span(gap: Difference | Watched) -> str:
    """A difference's interval in points."""
    return f"{100 * gap.low:+.0f} to {100 * gap.high:+.0f}"


def as_parquet(report: Report) -> bytes:
    """The replies as Parquet."""
    import pandas as pd

    out = io.BytesIO()
    pd.DataFrame(replies(report)).to_parquet(out, index=False)
    return out.getvalue()


def dialled(report: Report) -> list[dict[str, Any]]:
    """One row an arm and share of wrong passages; shares in percent, the loss in points."""
    return [
        {
            "arm": report.titles.get(point.arm, point.arm),
            "wrong passages": f"{point.wrong:.0%}",
            "accuracy": 100 * point.accuracy.accuracy,
            "95 %": f"{point.accuracy.low:.0%} to {point.accuracy.high:.0%}",
            "declined": 100 * point.abstained.accuracy,
            "hit": 100 * point.held.accuracy,
            "points lost": point.loss and round(100 * point.loss.difference, 1),
            "lost 95 %": point.loss and span(point.loss),
            "questions": point.accuracy.n,
        }
        for point in report.dial
    ]


def effects(report: Report) -> list[dict[str, Any]]:
    """One row a class and part of the effect split, in points."""
    return [
        {
            "class": cls,
            "effect": name,
            "points": 100 * gap.difference,
            "95 %": span(gap),
            "verdict": gap.verdict,
            "questions": gap.n,
        }
        for cls, split in report.effects.items()
        for name, gap in parts(split).items()
    ]


def parts(split: Effects) -> dict[str, Difference]:
    """The parts of an effect split under their names for people."""
    return {
        "fine-tuning": split.fine_tune,
        "retrieval": split.retrieval,
        "both together": split.interaction,
        "total": split.total,
    }


def replies(report: Report, chosen: Sequence[Row] | None = None) -> list[dict[str, Any]]:
    """One row a question and arm, all or those `chosen`; `checks` names those it did not pass."""
    return [
        {name: getattr(row, "cls" if name == "class" else name) for name in COLUMNS} | {"checks": failed(row.checks)}
        for row in (report.rows if chosen is None else chosen)
    ]


def found_in(report: Report, text: str = "", arm: str | None = None, verdict: str | None = None) -> list[Row]:
    """The replies in which `text` stands (or in their question), of one arm, `right`, `wrong` or with one cause."""
    wanted = text.strip().casefold()
    return [
        row
        for row in report.rows
        if arm in (None, row.arm)
        and verdict in (None, "right" if row.right else "wrong", row.cause)
        and (not wanted or wanted in row.question.casefold() or wanted in row.reply.casefold())
    ]


def failed(checks: Mapping[str, bool]) -> str | None:
    """The project's checks that a reply did not pass, "passed" when it passed all, None when there are none."""
    if not checks:
        return None
    return ", ".join(name for name, passed in checks.items() if not passed) or "passed"


def as_csv(report: Report) -> str:
    """The replies as CSV, harmless in a spreadsheet."""
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS)
    writer.writeheader()
    for row in replies(report):
        writer.writerow({name: harmless(value) for name, value in row.items()})
    return out.getvalue()
