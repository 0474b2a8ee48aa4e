"""Answers graded by hand, as hand_graded.jsonl holds them, beside the rows that the program makes of them.

A line is a question: its `project`, its `half` ("mended on", "kept aside", "afterwards" or "unseen", see
tests/campaigns/hand_graded.py), its `passages` as the arms with retrieval read them, and its `answers`, each with a
person's `right` and, of a wrong one, `cause` (the unseen have none). "packages" keeps passages only where an answer
with passages is wrong.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from core.evaluation.questions import from_rows
from core.evaluation.records import Row, replies
from core.evaluation.report import report
from core.project import Model, Project
from tests.given import chosen

FILE = Path(__file__).with_name("hand_graded.jsonl")
ARMS = ("smol", "smol+retrieval", "qwen", "qwen+retrieval")
PROJECT = Project("docs", "Docs", models=(Model("smol", "Smol", "a"), Model("qwen", "Qwen", "b")))


@dataclass(frozen=True)
class Graded:
    """One answer: what a person says (`right`, `cause`), and the program's row. `read`: it had passages."""

    project: str
    half: str
    right: bool
    cause: str | None
    read: bool
    row: Row

    @property
    def words(self) -> str:
        said = "right" if self.right else f"wrong, {self.cause}"
        return f"{self.row.question} ({self.row.arm}) {self.row.reply!r}: a person says {said}; {self.row.cause}"


@cache
def graded() -> tuple[Graded, ...]:
    """Every graded answer, in the order of the file."""
    lines = [json.loads(line) for line in FILE.read_text(encoding="utf-8").splitlines()]
    return tuple(
        one for name in dict.fromkeys(line["project"] for line in lines)
        for one in _of([line for line in lines if line["project"] == name])
    )  # fmt: skip


def _of(lines: Sequence[dict[str, Any]]) -> list[Graded]:
    given, said = [], []
    for number, line in enumerate(lines):
        for answer in line["answers"]:
            read = answer["arm"].endswith("+retrieval") and bool(line["passages"])
            passages = {"passages": line["passages"]} if read else {}
            given.append({"number": number, "arm": answer["arm"], "reply": answer["reply"]} | passages)
            said.append((line, answer, read))
    asked = from_rows([line["question"] for line in lines])
    rows = report(asked, replies(given), chosen(ARMS), PROJECT).rows
    return [
        Graded(line["project"], line["half"], answer["right"], answer.get("cause"), read, row)
        for (line, answer, read), row in zip(said, rows, strict=True)
    ]
