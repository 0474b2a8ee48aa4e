"""A report as rows for tables and files. Knows the report's JSON only."""

import csv
import io
from collections.abc import Mapping
from typing import Any

from core.export import harmless

Report = Mapping[str, Any]
COLUMNS = (
    "number",
    "class",
    "question",
    "arm",
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
    for arm, found in report["arms"].items():
        for cls, score in found["classes"].items():
            row = {"arm": arm, "class": cls, "right": f"{score['right']} of {score['n']}"}
            row |= {"accuracy": 100 * score["accuracy"], "standard error": 100 * score["standard_error"]}
            row["95 %"] = f"{score['low']:.0%} to {score['high']:.0%}"
            for name in ("voice", "hit", "stale", "ticket_valid", "ticket_class"):
                row[name.replace("_", " ")] = 100 * score[name]["accuracy"] if name in score else None
            rows.append(row)
    return rows


def effects(report: Report) -> list[dict[str, Any]]:
    """One row a class and part of the effect split, in points."""
    names = {"fine_tune": "fine-tuning", "retrieval": "retrieval", "interaction": "both together", "total": "total"}
    return [
        {
            "class": cls,
            "effect": name,
            "points": 100 * split[key]["difference"],
            "95 %": f"{100 * split[key]['low']:+.0f} to {100 * split[key]['high']:+.0f}",
            "verdict": split[key]["verdict"],
            "questions": split[key]["n"],
        }
        for cls, split in report["effects"].items()
        for key, name in names.items()
    ]


def replies(report: Report) -> list[dict[str, Any]]:
    """One row a question and arm; `checks` names those it did not pass."""
    return [
        {name: row.get("cls" if name == "class" else name) for name in COLUMNS} | {"checks": failed(row["checks"])}
        for row in report["rows"]
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
