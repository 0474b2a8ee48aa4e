"""A whole run over scripted models and documents: every reply is scored, explained, kept, and never asked twice."""

import json
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from statistics import fmean, median
from typing import Any

import pytest

from core.arms import Arm
from core.evaluation import causes
from core.evaluation.graders import Grader
from core.evaluation.questions import Question
from core.evaluation.records import Report, Row, replies
from core.evaluation.report import ALL_FACTS, report
from core.evaluation.run import AHEAD, TIMED, Lane, Options, _rows, applies, key, right_passages, run
from core.project.values import Check
from core.retrieval.values import Chunk
from tests.evaluation.scripted import (
    ASKED,
    BOTH,
    HELLO,
    LINES,
    MAIL,
    NOWHERE,
    PRICE,
    SKY,
    STREET,
    Books,
    Script,
    parts,
)
from tests.given import BRIGHTWATER, FOUR, MORE, chosen


def evaluated(names: tuple[str, ...] = FOUR, lines: dict[tuple[str, str], str] = LINES) -> Report:
    rows: list[dict[str, Any]] = []
    arms = chosen(names)
    run(ASKED, Options(arms, "today"), parts(Script(lines), Books()), rows.append)
    return report(ASKED, replies(json.loads(json.dumps(rows))), arms, BRIGHTWATER, "today")


def row(found: Report, question: Question, arm: str) -> Row:
    (only,) = (r for r in found.rows if r.question == question.question and r.arm == arm)
    return only


def test_there_is_one_row_a_question_and_arm_where_the_arm_applies() -> None:
    found = evaluated(FOUR + MORE)
    pairs = [(r.number, r.arm) for r in found.rows]
    assert len(set(pairs)) == len(pairs)
    assert set(pairs) == {(n, arm.name) for n, q in enumerate(ASKED) for arm in chosen(FOUR + MORE) if applies(arm, q)}
    assert {arm for n, arm in pairs if ASKED[n] is MAIL} == {"base", "fine-tuned"}


@pytest.mark.parametrize(
    ("question", "arm", "cause"),
    [
        (PRICE, "base", causes.UNKNOWN),
        (PRICE, "base+retrieval", causes.FORMAT),
        (PRICE, "fine-tuned", causes.STALE),
        (PRICE, "fine-tuned+retrieval", None),
        (STREET, "base", None),
        (STREET, "base+retrieval", None),
        (STREET, "fine-tuned", causes.FORGOTTEN),
        (STREET, "fine-tuned+retrieval", causes.IGNORED),
        (NOWHERE, "base", causes.UNASKED),
        (NOWHERE, "base+retrieval", causes.UNASKED),
        (SKY, "fine-tuned", causes.FORGOTTEN),
        (SKY, "fine-tuned+retrieval", causes.FORGOTTEN),
        (HELLO, "base", causes.VOICE),
        (HELLO, "fine-tuned", None),
        (BOTH, "base+retrieval", causes.NOT_RETRIEVED),
    ],
)
def test_every_wrong_answer_has_its_cause(question: Question, arm: str, cause: str | None) -> None:
    found = row(evaluated(), question, arm)
    assert found.cause == cause and bool(found.cause_why) == bool(cause)
    assert found.right == (cause is None)


def test_the_training_day_answer_is_scored_beside_todays() -> None:
    found = row(evaluated(), PRICE, "fine-tuned")
    assert (found.right_training_day, found.right_today, found.stale) == (True, False, True)
    tuned = chosen(("fine-tuned",))
    rows: list[dict[str, Any]] = []
    run(ASKED, Options(tuned, "training-day"), parts(Script(LINES), Books()), rows.append)
    assert row(report(ASKED, replies(rows), tuned, BRIGHTWATER, "training-day"), PRICE, "fine-tuned").right


def test_retrieval_hits_and_citations_are_counted() -> None:
    found = evaluated()
    assert row(found, PRICE, "fine-tuned+retrieval").hit and row(found, PRICE, "fine-tuned+retrieval").cites_right
    assert row(found, PRICE, "base").hit is None and row(found, PRICE, "base+retrieval").cites is False
    assert not row(found, BOTH, "base+retrieval").hit


def test_the_perfect_arm_reads_exactly_the_sections_with_the_answer() -> None:
    assert right_passages(PRICE, Books(), None) == ("The Press costs $389. It is new.",)
    assert right_passages(BOTH, Books(), None) == ("The Press travels in size L.", "Size L costs $16.")
    found = row(evaluated(("base+perfect",)), PRICE, "base+perfect")
    assert found.hit is True


def test_a_right_passage_reads_as_retrieval_would_give_it() -> None:
    """The cone with ribs: the passage with its price names it otherwise, after the lead that says what it is."""

    class Cones(Books):
        def chunks(self, path: str, version: int | None = None, snapshot: str | None = None) -> Sequence[Chunk]:
            lead, body = "The Aurora is a cone with ribs.", "The Aurora sells for $29."
            return [Chunk("Aurora", "", f"{lead} Rinse it.", 0, 1, 9), Chunk("Aurora", "Price", body, 1, 2, 9, lead)]

    asked = Question("What does the cone with ribs cost?", "$29", "static", (), ("aurora.md",))
    assert right_passages(asked, Cones(), None) == ("The Aurora is a cone with ribs. The Aurora sells for $29.",)


def test_a_missing_document_is_that_rows_problem_and_the_rest_goes_on() -> None:
    lost = Question("Where?", "x", "own", (), ("lost.md",))
    rows: list[dict[str, Any]] = []
    run((lost, STREET), Options(chosen(("base+perfect",))), parts(Script(LINES), Books()), rows.append)
    assert "lost.md" in rows[0]["problem"] and rows[1]["reply"]


def test_the_pinned_arm_alone_has_the_examples_in_its_prompt() -> None:
    script = Script(LINES)
    run((STREET,), Options(chosen(("base", "base+pinned"))), parts(script, Books()), lambda _row: None)
    systems = [request.alternatives[0][0]["content"] for request in script.requests]
    assert ["Old Faithful" in system for system in systems] == [False, True]


def test_tickets_are_scored_by_schema_and_class() -> None:
    found = evaluated().arms
    assert found["fine-tuned"].classes["ticket"].ticket_valid.right == 1
    assert found["fine-tuned"].classes["ticket"].ticket_class.right == 1
    assert found["fine-tuned"].classes["ticket"].right == 0
    assert found["base"].classes["ticket"].ticket_valid.right == 0


def test_a_failed_reply_counts_neither_right_nor_wrong() -> None:
    found = evaluated(("base",), {("base", STREET.question): "Alder Street"}).arms["base"]
    assert found.failed == len(ASKED) - 1 and "died" in found.problems[0]
    assert list(found.classes) == ["static"] and found.classes["static"].accuracy == 1


def test_effects_say_that_few_questions_tell_nothing() -> None:
    split = evaluated().effects[ALL_FACTS]
    assert {gap.verdict for gap in (split.fine_tune, split.retrieval, split.interaction)} == {
        "too few questions to tell"
    }


def test_a_stopped_run_goes_on_after_the_rows_it_has() -> None:
    rows: list[dict[str, Any]] = []
    first, books = Script(LINES), Books()
    run(ASKED, Options(), parts(first, books), rows.append, cancelled=lambda: len(rows) >= 5)
    assert len(rows) == 5
    second = Script(LINES)
    run(ASKED, Options(), parts(second, books), rows.append, done=list(rows))
    whole: list[dict[str, Any]] = []
    run(ASKED, Options(), parts(Script(LINES), Books()), whole.append)
    assert len(second.requests) == len(whole) - 5
    assert [(r["number"], r["arm"], r["reply"]) for r in rows] == [(r["number"], r["arm"], r["reply"]) for r in whole]


def test_another_question_option_or_model_is_another_run() -> None:
    same = key(ASKED, Options(), ["a"])
    assert same == key(ASKED, Options(), ["a"])
    assert (
        len(
            {
                same,
                key(ASKED[:-1], Options(), ["a"]),
                key(ASKED, Options(chosen(top_k=4)), ["a"]),
                key(ASKED, Options(), ["b"]),
            }
        )
        == 4
    )


def test_an_older_versions_run_goes_on_unless_it_read_right_passages_otherwise() -> None:
    assert key([STREET], Options(chosen(("base",))), ["a"]) == "a2cbdd616f7a69f0"
    assert key([STREET], Options(chosen(("base+perfect",))), ["a"]) != "f6093e78c58c1d17"


def test_where_batching_pays_the_first_answers_are_timed_alone_and_the_rest_asked_at_once() -> None:
    asked = [replace(STREET, question=f"On what street is shop {number}?", fact="") for number in range(TIMED + 5)]
    lines = {("base", "*"): "On Alder Street.", ("fine-tuned", "*"): "On Birch Lane."}
    script, rows = Script(lines, wide=3), list[dict[str, Any]]()
    arms = chosen(("base", "fine-tuned"))
    run(asked, Options(arms), parts(script, Books()), rows.append)
    assert sorted((one["number"], one["arm"]) for one in rows) == [(n, a.name) for n in range(len(asked)) for a in arms]
    assert [one.contended for one in script.requests] == [False] * 2 * TIMED + [True] * 10
    made = report(asked, replies(rows), arms, BRIGHTWATER)
    told = {one.number: one for one in made.rows if one.arm == "base"}
    assert told[0].timing.total and told[TIMED].timing.total is None and told[TIMED].timing.contended
    alone = [told[number] for number in range(TIMED)]
    assert told[TIMED].cost == pytest.approx(fmean(one.cost or 0 for one in alone))
    assert made.arms["base"].timing["total"] == median(one.timing.total for one in alone)
    assert all(one.right for one in told.values())


def test_a_model_that_is_slow_does_not_keep_another_waiting() -> None:
    lanes = {"slow": Lane("slow", 2), "fast": Lane("fast", 2)}
    todo = [(number, Arm(name), 0) for number in range(12) for name in lanes]
    made, all_fast = list[int](), threading.Event()

    def make(number: int, arm: Arm, _repeat: int) -> dict[str, Any]:
        if arm.name == "slow":
            assert all_fast.wait(10), "the fast one waits for the slow one"
        else:
            made.append(number)
            if len(made) == 12:
                all_fast.set()
        return {"number": number, "arm": arm.name}

    rows = [row for row in _rows(todo, make, lanes) if row]
    assert sorted((row["number"], row["arm"]) for row in rows) == sorted((n, arm.name) for n, arm, _ in todo)


def test_no_model_gets_far_ahead_of_another() -> None:
    lanes = {"slow": Lane("slow", 1), "fast": Lane("fast", 1)}
    todo = [(number, Arm(name), 0) for number in range(2 * AHEAD) for name in lanes]
    made, ahead = list[int](), list[int]()

    def make(number: int, arm: Arm, _repeat: int) -> dict[str, Any]:
        if arm.name == "fast":
            made.append(number)
        elif number == 0:
            time.sleep(0.5)
            ahead.append(len(made))
        return {}

    assert len(list(_rows(todo, make, lanes))) == len(todo)
    assert AHEAD // 2 < ahead[0] <= AHEAD


@pytest.mark.parametrize("way", ["no gain", "a check of time", "a grader of time"])
def test_answers_are_given_alone_where_their_time_counts_or_nothing_is_gained(way: str) -> None:
    question = replace(STREET, graders=(Grader("contains", "Alder", max_ms=500),)) if "grader" in way else STREET
    script = Script(LINES, wide=1 if way == "no gain" else 3)
    asking = parts(script, Books())
    if "check" in way:
        asking = replace(asking, project=replace(asking.project, checks=(Check("soon", "max-ms", "500"),)))
    many = [replace(question, question=f"{number}? {question.question}") for number in range(TIMED + 2)]
    run(many, Options(chosen(("base",))), asking, [].append)
    assert len(script.requests) == TIMED + 2 and not any(one.contended for one in script.requests)
