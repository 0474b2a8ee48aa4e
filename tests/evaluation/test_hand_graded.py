"""The rules against a person: answers of another project than Brightwater, graded by hand before the program's verdict.

67 answers, the first 18 questions of 50 (the machine was too busy for the rest): SmolLM2 135M and Qwen2.5-Coder 0.5B,
without and with retrieval, about the descriptions of two packages as they are distributed: portalocker (BSD 3-Clause,
Rick van Hattem) and DiskCache (Apache 2.0, Grant Jenks), of which short excerpts stand in the file. Causes of the 49
wrong ones were labelled by hand as well. Rules were mended on every second question; the others were read before that
too, so both halves are somewhat optimistic.
"""

import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from core.evaluation.questions import from_rows
from core.evaluation.records import Row, replies
from core.evaluation.report import report
from core.project import Model, Project
from tests.given import chosen

GRADED = [
    json.loads(line) for line in Path(__file__).with_name("hand_graded.jsonl").read_text(encoding="utf-8").splitlines()
]
NAMES = list(dict.fromkeys(one["question"]["question"] for one in GRADED))
PROJECT = Project("docs", "Docs", models=(Model("smol", "Smol", "a"), Model("qwen", "Qwen", "b")))


@cache
def scored() -> list[tuple[dict[str, Any], Row]]:
    """Each graded answer with the row that the program makes of it."""
    asked = from_rows([next(o["question"] for o in GRADED if o["question"]["question"] == name) for name in NAMES])
    given = [
        {key: one[key] for key in ("arm", "reply", "passages") if key in one}
        | {"number": NAMES.index(one["question"]["question"])}
        for one in GRADED
    ]
    arms = chosen(("smol", "smol+retrieval", "qwen", "qwen+retrieval"))
    return list(zip(GRADED, report(asked, replies(given), arms, PROJECT).rows, strict=True))


def other(rows: Sequence[tuple[dict[str, Any], Row]]) -> list[str]:
    """Where the program and the person disagree on right and wrong, in words."""
    return [
        f"{row.question} ({row.arm}) {row.reply!r}: a person says {'right' if one['right'] else 'wrong'}"
        for one, row in rows
        if one["right"] != row.right
    ]


@pytest.mark.parametrize(("half", "rest"), [("mended on", 0), ("kept aside", 1)])
def test_right_and_wrong_are_what_a_person_says(half: str, rest: int) -> None:
    """Kept aside, 31 of 32: a tautology that shares its words with the answer meets the threshold of token F1."""
    rows = [(one, row) for one, row in scored() if row.number % 2 == rest]
    assert len(rows) >= 30 and len(other(rows)) <= rest, half + "\n" + "\n".join(other(rows))


def test_agreement_is_at_least_97_percent() -> None:
    assert 1 - len(other(scored())) / len(scored()) >= 0.97, "\n".join(other(scored()))


def test_causes_are_what_a_person_says() -> None:
    wrong = [(one, row) for one, row in scored() if not one["right"] and not row.right]
    apart = [f"{row.question} ({row.arm}): {one['cause']}" for one, row in wrong if one["cause"] != row.cause]
    with_passages = [one for one, _ in wrong if "passages" in one]
    assert len(wrong) >= 45 and len(with_passages) >= 14
    assert len(apart) <= 0.1 * len(with_passages), "\n".join(apart)
