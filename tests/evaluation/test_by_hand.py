"""Marks by hand against rules and metrics, causes disagreed with, and what repeats tell: laws and known values."""

import json
import random
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from core import evaluate, hand, runtime
from core.__main__ import main
from core.errors import Problem
from core.evaluation import causes, questions
from core.evaluation.agreement import NOT_YET, agreement
from core.evaluation.calibrating import RULES, candidates, drawn
from core.evaluation.records import Row, replies
from core.evaluation.repeats import components, one_way, spread, trainings
from core.evaluation.report import report
from core.evaluation.run import Options, run
from core.project import FreeText, Model, Project
from core.runtime import Runtime
from core.votes import Mark, Place
from tests.evaluation.scripted import LINES, STREET, Books, Script, parts
from tests.given import BRIGHTWATER, chosen
from tests.project.made import fill


def table(cells: list[list[int]]) -> Any:
    pairs = [(a, b) for a, row in enumerate(cells) for b, times in enumerate(row) for _ in range(times)]
    return agreement([a for a, _ in pairs], [b for _, b in pairs])


def test_kappa_is_that_of_the_books() -> None:
    """SAS/STAT's example of PROC FREQ (three by three), and Fleiss, Levin and Paik (2003), section 18.1."""
    sas = table([[0, 4, 1], [0, 8, 0], [0, 1, 5]])
    assert sas.kappa == pytest.approx(0.4842, abs=5e-5)
    assert (sas.kappa_low, sas.kappa_high) == (pytest.approx(0.2137, abs=5e-5), pytest.approx(0.7547, abs=5e-5))
    fleiss = table([[75, 1, 4], [5, 4, 1], [0, 0, 10]])
    assert fleiss.kappa == pytest.approx(0.68, abs=0.005) and fleiss.share == 0.89
    assert "substantial" in fleiss.sentence


def test_kappa_says_nothing_where_it_cannot() -> None:
    assert agreement([], []).sentence == NOT_YET
    one_sided = agreement([True] * 9 + [False], [True] * 10)
    assert one_sided.kappa is None and one_sided.share == 0.9 and "says nothing" in one_sided.sentence
    perfect = agreement([True, False] * 15, [True, False] * 15)
    assert perfect.kappa == 1 and perfect.kappa_low is None and perfect.low is not None and 0.8 < perfect.low < 1
    assert agreement([1, 0] * 20, [0, 1] * 20).kappa == pytest.approx(-1)


def test_kappas_interval_covers() -> None:
    held = 0
    for seed in range(150):
        draw = random.Random(seed)
        truth = [draw.random() < 0.5 for _ in range(60)]
        other = [one if draw.random() < 0.8 else not one for one in truth]  # kappa 0.6
        found = agreement(truth, other)
        held += (found.kappa_low or -1) <= 0.6 <= (found.kappa_high or 1)
    assert 0.9 <= held / 150 <= 0.99


def row(number: int, reply: str, right: bool, arm: str = "a", **more: Any) -> Row:
    expected = "the shop on Alder Street opens at eight"
    return Row(
        number=number, question=f"q{number}", cls="own", group=str(number), arm=arm, expected=expected, reply=reply,
        problem=None, right=right, **more,
    )  # fmt: skip


ROWS = [
    row(n, "the shop on Alder Street opens at eight" if n % 2 else "something else entirely", right=n % 4 == 1)
    for n in range(80)
]


def test_the_draw_takes_every_height_in_its_share_and_is_the_seeds() -> None:
    few = drawn(ROWS, count=30, seed=1)
    assert len({one.number for one in few}) == 30 and few == drawn(ROWS, count=30, seed=1) != drawn(ROWS, count=30)
    assert sum(one.number % 2 for one in few) == 15
    failed = [replace_row(one, problem="died") for one in ROWS[:70]]
    assert {one.number for one in drawn([*failed, *ROWS[70:]])} == set(range(70, 80))


def replace_row(one: Row, **more: Any) -> Row:
    from msgspec.structs import replace as replaced

    return replaced(one, **more)


def test_each_metric_is_held_against_the_marks() -> None:
    """People find every odd answer right; likeness sees that, the rules miss half of it."""
    place = Place("evaluation", "abcdef")
    marks = [
        Mark(place=replace_place(place, one.number), question=one.question, arm="a", right=bool(one.number % 2))
        for one in drawn(ROWS)
    ]
    found = {one.metric: one for one in candidates(ROWS, marks)}
    assert found["token_f1"].agreement.kappa == 1 and found["token_f1"].fitted
    assert found[RULES].agreement.share < 0.9 and not found[RULES].fitted
    given = {one.metric: one for one in candidates(ROWS, marks, {"token_f1": 0.001})}["token_f1"]
    assert not given.fitted and given.threshold == 0.001
    assert [one.metric for one in candidates(ROWS, marks[:5])] == [RULES]  # too few for a threshold
    assert "embedding_similarity" not in found  # no embedder
    alike = {one.metric: one for one in candidates(ROWS, marks, meaning=lambda reply, _: 1.0 / (1 + len(reply)))}
    assert set(alike) == {*found, "embedding_similarity"}


def replace_place(place: Place, number: int) -> Place:
    return Place(place.kind, place.id, number)


@pytest.fixture
def here() -> Iterator[Runtime]:
    yield runtime.get()
    runtime.close()


def test_causes_marks_and_free_text_of_a_project(here: Runtime, capsys: pytest.CaptureFixture[str]) -> None:
    project = fill(here)
    (job,) = evaluate.jobs(here, project)
    found = evaluate.result(here, job.id)
    wrong = next(one for one in found.rows if one.cause)
    other = next(cause for cause in causes.CAUSES if cause != wrong.cause)
    hand.disagree(here, found, wrong, other, "Ada")
    hand.disagree(here, found, wrong, wrong.cause or "", "Bo")
    checked = hand.cause_agreement(found.rows, here.votes.causes(project.id))
    assert (checked.n, checked.alike) == (2, 1)
    with pytest.raises(Problem, match="no cause 'moon'"):
        hand.disagree(here, found, wrong, "moon")
    with pytest.raises(Problem, match="Only a wrong answer"):
        hand.disagree(here, found, next(one for one in found.rows if not one.cause), other)
    assert main(["votes", "calibrate", "--project", project.id, "--source", job.id, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["causes"]["n"] == 2 and told["agreement"][0]["agreement"]["n"] == 0
    assert [one["right"] for one in told["to_mark"]] == [None, None]  # of an abstention nothing can be compared
    here = runtime.get()
    with pytest.raises(Problem, match="The metric is one of"):
        hand.to_mark(found, "moon")
    with pytest.raises(Problem, match="Free text is scored by one of"):
        here.projects.change(project.id, free_text=FreeText("moon", 0.5))
    assert main(["project", "set", project.id, "--free-text", "token_f1=0.4"]) == 0
    assert runtime.get().projects.get(project.id).free_text == FreeText("token_f1", 0.4)


def test_free_text_is_scored_as_the_project_says() -> None:
    long, short = (
        questions.from_rows([{"question": q, "answer": a, "documents": ["x.md"]}])[0]
        for q, a in (("How?", "turn the key twice and wait for the green light"), ("Which word?", "zeppelin"))
    )
    rows = [
        {"number": 0, "arm": "small", "reply": "Turn the key twice, then wait for a green light."},
        {"number": 1, "arm": "small", "reply": "Zeppelin it is."},
    ]
    rows = [{"passages": [], "problem": None, **one} for one in rows]
    given = {"questions": [long.row(), short.row()], "options": {"arms": [{"model": "small"}]}}
    plain = Project("p", "P", models=(Model("small", "S", "base"),))
    by_rules = evaluate.scored(given, rows, plain).rows
    liked = evaluate.scored(given, rows, replace(plain, free_text=FreeText("token_f1", 0.6))).rows
    assert [one.right for one in by_rules] == [False, True] and [one.right for one in liked] == [True, True]
    assert liked[0].grader == "similarity" and liked[1].grader == by_rules[1].grader
    with pytest.raises(Problem, match="Free text is scored by one of"):
        replace(plain, free_text=FreeText("ttft", 0.5)).check()


# -- repeats -----------------------------------------------------------------------------------------------------------


def test_repeats_are_asked_each_with_its_seed_and_go_on_where_they_stopped() -> None:
    arms = tuple(replace(arm, repeats=3) for arm in chosen(("base",), temperature=0.8, seed=5))
    script, rows = Script(LINES), list[dict[str, Any]]()
    run((STREET,), Options(arms), parts(script, Books()), rows.append, cancelled=lambda: len(rows) == 2)
    assert [one["repeat"] for one in rows] == [0, 1]
    run((STREET,), Options(arms), parts(script, Books()), rows.append, done=list(rows))
    assert [one["repeat"] for one in rows] == [0, 1, 2]
    assert [request.sampling.seed for request in script.requests] == [5, 6, 7]
    found = report((STREET,), replies(json.loads(json.dumps(rows))), arms, BRIGHTWATER)
    assert [one.repeat for one in found.rows] == [0, 1, 2] and found.arms["base"].classes["static"].groups == 1


def test_the_variances_are_the_ones_that_were_planted() -> None:
    rng = np.random.default_rng(3)
    found = []
    for _ in range(100):
        sizes = rng.integers(2, 6, 40)
        found.append(one_way([list(rng.normal(rng.normal(0, 1.5), 0.7, size)) for size in sizes]))
    between, within = np.mean(found, 0)
    assert between == pytest.approx(1.5**2, rel=0.06) and within == pytest.approx(0.7**2, rel=0.06)
    assert one_way([[1.0, 1.0], [0.0, 0.0]]) == (pytest.approx(0.5), 0.0)
    assert one_way([[1.0, 0.0], [0.0, 1.0]])[0] == 0.0 and one_way([[1.0]]) == (0.0, 0.0)


def test_components_of_an_arm_and_its_flips() -> None:
    asked = [row(n, "x", right=(n < 20) if n % 4 else bool(k), repeat=k) for n in range(40) for k in (0, 1)]
    (found,) = components(asked)
    assert (found.questions, found.repeats, found.flips) == (40, 2, 10) and found.flip_low < 0.25 < found.flip_high
    assert found.between_runs == pytest.approx(10 * 0.5 / 40)
    assert found.error_endless < found.error and "10 of 40 questions flip" in found.sentence
    assert components([one for one in asked if not one.repeat]) == []


def test_the_spread_between_training_runs_is_the_planted_one() -> None:
    rng = np.random.default_rng(5)
    squares = []
    for _ in range(300):
        chances = rng.normal(0.5, 0.08, (4, 1)).clip(0.05, 0.95) + rng.normal(0, 0.1, 60)  # of trainings, of questions
        squares.append(spread((rng.random((4, 60)) < chances).astype(float)) ** 2)
    plain = [spread((rng.random((4, 60)) < 0.5).astype(float)) ** 2 for _ in range(300)]
    assert np.mean(squares) == pytest.approx(0.08**2, rel=0.2) and np.mean(plain) < 0.3 * np.mean(squares)
    bases = {"t0": "base", "t1": "base", "base": None}
    rows = [row(n, "x", bool(n % (2 + at)), arm, model=arm) for at, arm in enumerate(bases) for n in range(30)]
    (found,) = trainings(rows, bases)
    assert found.accuracies == {"t0": pytest.approx(0.5), "t1": pytest.approx(2 / 3)} and found.questions == 30
    assert "between training runs" in found.sentence
    assert trainings([row(n, "x", True, "t0", model="t0") for n in range(9)], bases) == []
