"""The right passage marked in the document, and questions that nobody has reviewed: read, kept, used, told."""

import json
from collections.abc import Sequence

import pytest

from core.errors import Problem
from core.evaluation.questions import Question, from_rows, marked, parse, slug, stands_in
from core.evaluation.records import replies
from core.evaluation.report import report
from core.evaluation.run import right_passages
from core.project import Project
from core.retrieval import Chunk
from tests.given import chosen

BOOK = [
    Chunk("Setup", "", "Read this first.", 0, 1, 9),
    Chunk("Setup", "Custom directory", "Say where with --dir.", 0, 1, 9),
    Chunk("Setup", "Custom directory > On Windows", "Backslashes work.", 0, 1, 9),
    Chunk("Setup", "Colours", "Blue by default.", 0, 1, 9),
]


class Books:
    def chunks(self, path: str, version: int | None = None, snapshot: str | None = None) -> Sequence[Chunk]:
        return BOOK


@pytest.mark.parametrize(
    ("place", "path", "heading"),
    [
        ("setup.md#custom-directory", "setup.md", "custom-directory"),
        ("a/b/setup.md#Custom-Directory", "a/b/setup.md", "custom-directory"),
        ("setup.md", "setup.md", ""),
        ("notes/c#.md", "notes/c#.md", ""),
        ("notes/c#.md#einrichtung-für-alle", "notes/c#.md", "einrichtung-für-alle"),
        ("setup.md#", "setup.md#", ""),
        ("#x", "#x", ""),
    ],
)
def test_a_mark_is_a_path_and_a_headings_slug(place: str, path: str, heading: str) -> None:
    assert marked(place) == (path, heading)


def test_a_heading_is_written_as_the_web_does() -> None:
    assert slug(" Custom directory: `--dir`, and more ") == "custom-directory---dir-and-more"


def test_a_marked_section_is_the_right_passage_with_all_below_it() -> None:
    found = right_passages(Question("Which slash?", "both", "own", (), ("setup.md#custom-directory",)), Books(), None)
    assert found == (
        "Setup > Custom directory\nSay where with --dir.",
        "Setup > Custom directory > On Windows\nBackslashes work.",
    )
    with pytest.raises(Problem, match="no section 'nowhere'"):
        right_passages(Question("Which?", "both", "own", (), ("setup.md#nowhere",)), Books(), None)


def test_retrieval_hits_when_a_passage_of_the_marked_section_was_found() -> None:
    asked = (Question("Which slash?", "both kinds", "own", (), ("setup.md#custom-directory",)),)
    project, arms = Project("mine", "Mine"), chosen(("base+retrieval",))

    def hit(**passage: str) -> bool:
        row = {"number": 0, "arm": "base+retrieval", "reply": "Both.", "problem": None}
        row["passages"] = [{"document": "setup.md", "text": "Words.", "title": "Setup"} | passage]
        return report(asked, replies([row]), arms, project).rows[0].hit

    assert hit(heading="Custom directory > On Windows")
    assert not hit(heading="Colours")
    assert not hit(heading="Custom directory", document="other.md")
    assert stands_in("setup.md#colours", "setup.md", "", None)  # a row of before headings were kept


def test_an_unreviewed_question_stays_marked_from_file_to_result() -> None:
    lines = (
        '{"question": "Q?", "answer": "A", "origin": "proposed", "reviewed": false}\n{"question": "R?", "answer": "B"}'
    )
    asked = parse(lines.encode(), "x.jsonl")
    assert [(one.origin, one.reviewed) for one in asked] == [("proposed", False), ("", True)]
    assert from_rows([json.loads(json.dumps(one.row())) for one in asked]) == asked
    assert "reviewed" not in asked[1].row()  # what is stored of others is what it was
    rows = [{"number": n, "arm": "base", "reply": "A", "passages": [], "problem": None} for n in (0, 1)]
    found = report(asked, replies(rows), chosen(("base",)), Project("mine", "Mine"))
    assert found.unreviewed == 1 and [row.reviewed for row in found.rows] == [False, True]


def test_a_spreadsheets_truths_are_read_and_others_refused() -> None:
    found = parse(b"question,answer,reviewed\nQ?,A,FALSE\nR?,B,yes\nS?,C,\n", "x.csv")
    assert [one.reviewed for one in found] == [False, True, True]
    with pytest.raises(Problem, match="line 2: 'reviewed'"):
        parse(b"question,answer,reviewed\nQ?,A,perhaps\n", "x.csv")
