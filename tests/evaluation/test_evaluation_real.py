"""The evaluate command with the real models and documents, on a user's own few questions."""

import json
from pathlib import Path

import jsonschema
import pytest

from core import schema
from core.__main__ import main

CSV = """question,answer,variants,documents,class
How much does the Tidal Press cost?,$389,,products/tidal-press.md,mine
On which street is the Old Mill shop?,Weaver Lane,,shops/old-mill-shop.md,mine
Who is the goalkeeper of Brightwater?,,,,no-document
"""
ARMS = "base,base+retrieval,fine-tuned,fine-tuned+retrieval,fine-tuned+perfect"


def test_own_questions_are_answered_scored_and_not_asked_twice(
    real_state: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mine.csv").write_text(CSV, encoding="utf-8")
    command = ["evaluate", "--questions", str(tmp_path / "mine.csv"), "--arms", ARMS, "--snapshot", "today", "--json"]
    assert main(command) == 0
    first = json.loads(capsys.readouterr().out)
    jsonschema.Draft202012Validator(schema.schema("evaluate")).validate(first)
    assert set(first) <= set(schema.Evaluation.__struct_fields__)
    assert len(first["rows"]) == 3 * 5 - 1  # no document, so no right passages, for one question
    assert not [row["problem"] for row in first["rows"] if row["problem"]]
    assert set(first["arms"]) == set(ARMS.split(","))
    read = {(row["question"], row["arm"]): row for row in first["rows"]}
    known = [row for (question, arm), row in read.items() if arm == "fine-tuned+perfect"]
    assert all(row["right"] and row["voice"] and row["cites_right"] for row in known), known
    assert all(row["hit"] for (_, arm), row in read.items() if arm == "base+retrieval" and row["cls"] == "mine")
    assert main(command) == 0
    assert json.loads(capsys.readouterr().out)["rows"] == first["rows"]
