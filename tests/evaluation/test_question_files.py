"""Question sets of users: both formats read alike, and whatever is wrong is said in one line with its place."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import Problem
from core.evaluation.questions import Question, from_rows, parse, read
from models.brightwater import data

CSV = 'question,answer,variants,documents,class\n"What, then?",$3,3 bucks|three dollars,a.md|b/c.md,price\n'
JSONL = (
    '{"question": "What, then?", "answer": "$3", "variants": ["3 bucks", "three dollars"], '
    '"documents": "a.md|b/c.md", "class": "price"}\n\n'
)


def test_csv_and_jsonl_say_the_same() -> None:
    assert parse(CSV.encode(), "x.csv") == parse(JSONL.encode(), "x.jsonl")
    assert parse(CSV.encode("utf-8-sig"), "X.CSV") == parse(CSV.replace("\n", "\r\n").encode(), "x.csv")


def test_rows_come_back_from_their_json() -> None:
    for path in sorted((data.FOLDER / "questions").glob("*.jsonl")):
        questions = read(path)
        assert from_rows([json.loads(json.dumps(question.row())) for question in questions]) == questions


def test_our_sets_carry_class_fact_and_day() -> None:
    changed = read(data.FOLDER / "questions" / "test-changed.jsonl")
    assert all(q.fact and q.cls == "changed" for q in changed)
    assert all(q.expected("today") != q.expected("training-day") for q in changed)
    assert all(q.expected(None) == q.expected("today") for q in changed)


def test_a_question_without_answer_expects_an_abstention() -> None:
    (question,) = parse(b"question,answer\nWhat is love?,\n", "x.csv")
    assert question == Question("What is love?", "", "no-document")


BAD = [
    (b"", "x.csv", "column 'question'"),
    (b"a,b\n1,2\n", "x.csv", "column 'question'"),
    (b"question\n", "x.csv", "no question"),
    (b"question,question\na,b\n", "x.csv", "twice"),
    (b"question,answer\na,b,c,d\n", "x.csv", "line 2"),
    (b"question,answer,class\na,,facts\n", "x.csv", "'answer' is empty"),
    (b'question,answer\n"a,b\n', "x.csv", "line"),
    (b"\xff\xfe\x00q", "x.csv", "UTF-8"),
    (b"question\nab\x00c\n", "x.csv", "zero byte"),
    (b"", "x.jsonl", "no question"),
    (b"nonsense\n", "x.jsonl", "line 1 is not JSON"),
    (b"[1]\n", "x.jsonl", "not a JSON object"),
    (b'{"question": "a", "answer": "b"}\n{"question": 1e999, "answer": []}', "x.jsonl", "line 2: 'answer'"),
    (b'{"question": ["a"]}', "x.jsonl", "'question' must be text"),
    (b'{"question": "a", "answer": true}', "x.jsonl", "'answer' must be text"),
    (b'{"question": "  ", "answer": "b"}', "x.jsonl", "'question' is empty"),
    (b'{"question": "a", "answer": "b", "variants": [{}]}', "x.jsonl", "'variants' must be text"),
    (b'{"question": "\\ud800", "answer": "b"}', "x.jsonl", "not text"),
    (b'{"question": "a", "answer": "b", "values": [1]}', "x.jsonl", "'values'"),
    (b'{"question": "a", "answer": "{}", "class": "ticket"}', "x.jsonl", "'class'"),
    (b'{"question": "a", "answer": "b", "variants": [' + b'"x",' * 300 + b'"x"]}', "x.jsonl", "300|301"),
    (b'{"question": "' + b"a" * 9000 + b'", "answer": "b"}', "x.jsonl", "9,000 characters"),
    (b"[" * 100_000, "x.jsonl", "not JSON"),
    (b'{"question": "a", "answer": "b"}\n' * 5001, "x.jsonl", "5,001 questions"),
    (b"x" * 8_000_001, "x.jsonl", "larger than"),
]


@pytest.mark.parametrize(("content", "name", "said"), BAD, ids=range(len(BAD)))
def test_a_hostile_file_gives_one_clear_line(content: bytes, name: str, said: str) -> None:
    with pytest.raises(Problem, match=said) as caught:
        parse(content, name)
    assert "\n" not in caught.value.message and len(caught.value.message) < 300


@settings(deadline=None, max_examples=40)
@given(st.binary(max_size=200), st.sampled_from(["x.csv", "x.jsonl"]))
def test_any_bytes_give_questions_or_a_problem(content: bytes, name: str) -> None:
    for start in (b"", b"question,answer\n", b'{"question": "a", "answer": "b", '):
        try:
            assert all(q.question for q in parse(start + content, name))
        except Problem as problem:
            assert problem.message


def test_what_is_no_file_is_said(tmp_path: Path) -> None:
    for path in (tmp_path / "none.csv", tmp_path):
        with pytest.raises(Problem, match="no file"):
            read(path)
