"""What a person decides about passages: followed, recorded, refused where it cannot be followed."""

import json
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from core import passages, records
from core.ask import Parts, Run, Settings
from core.commands.ask import main
from core.engine import ModelSpec
from core.errors import Problem
from core.records import PassageChoice, PassageRecord
from tests.app.test_ask import Engine, Knowledge, parts
from tests.given import BRIGHTWATER, chosen

FOUND = tuple(PassageRecord(f"d{i}.md", f"text {i}", 1 - i / 10) for i in range(6))


def choice(number: int, use: records.Use = "found", edited: str = "") -> PassageChoice:
    return PassageChoice(f"d{number}.md", f"text {number}", use, edited)


def test_without_choices_the_best_are_read() -> None:
    assert passages.apply(FOUND, (), 3) == (FOUND[:3], 0)


def test_pinned_come_first_left_out_make_room_and_edited_are_read_as_edited() -> None:
    choices = (choice(4, "pinned"), choice(0, "out"), choice(1, edited="other words"))
    read, left_out = passages.apply(FOUND, choices, 3)
    assert [one.text for one in read] == ["text 4", "other words", "text 2"] and left_out == 1
    assert [one.pinned for one in read] == [True, False, False]
    assert (read[0].score, read[1].as_found) == (FOUND[4].score, "text 1")
    assert passages.more(choices) == 2


def test_a_pinned_passage_that_was_not_found_is_read_and_has_no_score() -> None:
    own = PassageChoice("", "written by hand", "pinned")
    read, _ = passages.apply(FOUND, (own, choice(9, "pinned", "changed")), 3)
    assert [(one.text, one.score) for one in read] == [("written by hand", 0.0), ("changed", 0.0), ("text 0", 1.0)]
    assert read[1].as_found == "text 9"
    assert len(passages.apply(FOUND, [choice(n, "pinned") for n in range(5)], 3)[0]) == 5


def test_passages_of_a_second_hop_follow_the_best_whatever_is_chosen() -> None:
    hop = PassageRecord("h.md", "text 9", 0.1, linked="class c")
    assert passages.apply((*FOUND[:3], hop), (), 3) == ((*FOUND[:3], hop), 0)
    read, left_out = passages.apply((*FOUND, hop), (choice(4, "pinned"), choice(0, "out")), 2)
    assert [one.text for one in read] == ["text 4", "text 1", "text 9"] and left_out == 1
    out = PassageChoice("h.md", "text 9", "out")
    assert passages.apply((*FOUND[:3], hop), (out,), 3) == (FOUND[:3], 1)


def test_a_choice_is_about_one_document_and_its_words_with_or_without_the_line_above() -> None:
    above = replace(FOUND[0], text="Title > Heading\ntext 0")
    assert passages.apply((above, *FOUND[1:]), (choice(0, "out"),), 2) == (FOUND[1:3], 1)
    longer = replace(choice(1, "out"), text="Title\ntext 1")
    assert passages.apply(FOUND, (longer,), 2)[0] == (FOUND[0], FOUND[2])
    assert passages.apply(FOUND, (replace(choice(0, "out"), document="d1.md"),), 2) == (FOUND[:2], 0)


def test_a_run_follows_and_records_choices_and_an_older_record_has_none() -> None:
    engine, knowledge = Engine(), Knowledge()
    choices = (choice(5, "pinned"), choice(0, "out"), choice(1, edited="edited one"))
    settings = Settings(chosen(("base", "base+retrieval")), choices=choices)
    record = Run("How?", settings, parts(engine, knowledge)).start().wait(10).record()
    closed, read = record.arms
    assert [one.text for one in read.passages] == ["text 5", "edited one", "text 2"] and not closed.passages
    assert read.passages_left_out == 1 and "edited one" in read.answer and "text 0" not in read.answer
    assert record.settings.choices == choices
    text = records.dumps(record)
    assert records.run_from(text) == record
    raw = json.loads(text)
    del raw["settings"]["choices"]
    for passage in raw["arms"][1]["passages"]:
        del passage["pinned"], passage["as_found"], passage["linked"]
    for arm in raw["settings"]["arms"]:
        del arm["search"]["hops"]
    old = records.run_from(json.dumps(raw))
    assert old.settings.choices == () and not old.arms[1].passages[0].pinned


def test_right_passages_are_those_pinned_else_those_a_question_set_marks() -> None:
    def asked(settings: Settings, right: tuple[str, ...]) -> records.ArmRecord:
        given = replace(parts(Engine()), right=lambda _question, _snapshot: right)
        return Run("How?", settings, given).start().wait(10).record().arms[0]

    perfect = Settings(chosen(("base+perfect",)))
    assert "pin them" in (asked(perfect, ()).problem or "")
    assert [one.text for one in asked(perfect, ("marked",)).passages] == ["marked"]
    pinned = replace(perfect, choices=(choice(3, "pinned"),))
    assert [(one.text, one.document) for one in asked(pinned, ("marked",)).passages] == [("text 3", "d3.md")]
    assert [one.text for one in asked(replace(pinned, perfect=("given",)), ()).passages] == ["given"]


def test_a_question_set_that_names_a_missing_document_fails_its_own_arm_alone() -> None:
    def missing(_question: str, _snapshot: str | None) -> tuple[str, ...]:
        raise Problem("There is no document 'x.md'.")

    given = Parts(BRIGHTWATER, Engine(), Knowledge, lambda model: ModelSpec(model, Path("x.gguf")), missing)
    record = Run("How?", Settings(chosen(("base", "base+perfect"))), given).start().wait(10).record()
    assert [arm.problem for arm in record.arms] == [None, "There is no document 'x.md'."]


@pytest.mark.parametrize(
    ("choices", "says"),
    [
        ([choice(n) for n in range(21)], "21 passages"),
        ([choice(1), choice(1, "out")], "twice"),
        ([PassageChoice("d", " ")], "no text"),
        ([PassageChoice("", "by hand", "out")], "only be pinned"),
        ([PassageChoice("d", "x", "pinned", "y" * 8001)], "8,000"),
        ([PassageChoice("d", "a\x00b", "pinned")], "not text"),
        ([PassageChoice("d", "a\ud800b", "pinned")], "not text"),
    ],
)
def test_choices_that_cannot_be_followed_are_a_problem(choices: list[PassageChoice], says: str) -> None:
    with pytest.raises(Problem, match=says):
        Run("How?", Settings(chosen(("base",)), choices=tuple(choices)), parts(Engine()))


def test_choices_are_read_from_a_list_and_from_a_run() -> None:
    made = (choice(1, "out"), choice(2, edited="new"))
    written = json.dumps([asdict(one) for one in made])
    assert passages.parse(written, "f") == made
    assert passages.parse(json.dumps({"settings": {"choices": json.loads(written)}}), "f") == made
    for bad in ("", "[1]", '{"a": 1}', '[{"document": "d", "text": "t", "use": "eaten"}]', "[[]]"):
        with pytest.raises(Problem, match="holds no passages"):
            passages.parse(bad, "f.json")


def test_a_file_that_is_not_there_is_one_clear_problem() -> None:
    with pytest.raises(Problem, match="cannot be read"):
        main(["How?", "--passages", "/none/such.json"])
