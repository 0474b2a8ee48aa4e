"""A run that may be watched stops when its effect is decided; a plan says before it what the questions decide."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from core import evaluate, runtime
from core.evaluation import planning, power, tables
from core.evaluation.questions import Question
from core.evaluation.run import Options, order
from core.evaluation.versus import versus
from core.jobs import insert_ended
from core.retrieval import Retrieved
from core.retrieval.knowledge import KnowledgeBase
from core.retrieval.values import Vector
from core.runtime import Runtime
from tests.evaluation.scripted import Books, Script, parts
from tests.given import BRIGHTWATER, chosen

MANY = tuple(Question(f"What is number {n}?", "Porto", "own", fact=f"fact {n // 2}") for n in range(120))
PAIR = ("base", "base+retrieval")


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> Iterator[Script]:
    """Base is never right, retrieval always."""
    made = Script({("base", "*"): "No idea.", ("base+passages", "*"): "Porto"})

    class Found(Books):
        def query(self, text: str, top_k: int, mode: str, **rest: object) -> Retrieved:
            return super().query("The Press", top_k, mode, **rest)

    monkeypatch.setattr(Runtime, "parts", lambda here, project: parts(made, Found()))
    monkeypatch.setattr(Runtime, "identities", lambda here, *_: ["scripted"])
    yield made
    runtime.close()


def test_a_clear_effect_ends_the_run_early_and_says_so(script: Script) -> None:
    here = runtime.get()
    job = evaluate.start(here, BRIGHTWATER, MANY, Options(chosen(PAIR), until=PAIR), name="watched")
    done = here.jobs.wait(job.id, 60)
    assert done.state == "done" and "Decided after" in done.message and "gain" in done.message
    assert 10 < len(here.jobs.rows(job.id)) < 60
    found = evaluate.result(here, job.id)
    assert "watched" in evaluate.name_of(done)
    (line,) = tables.decisions(found)
    assert "decided: a gain" in line
    assert tables.pairs(found)[0]["at every look"].startswith("+")


def test_no_effect_runs_to_the_end(script: Script) -> None:
    here = runtime.get()
    script.lines["base+passages", "*"] = "No idea."
    job = evaluate.start(here, BRIGHTWATER, MANY[:20], Options(chosen(PAIR), until=PAIR))
    done = here.jobs.wait(job.id, 60)
    assert done.state == "done" and len(here.jobs.rows(job.id)) == 40
    assert done.message.startswith("40 of 40 replies. Base + retrieval over Base: +0 points (-")
    assert done.message.endswith("at every look) after 10 facts, not decided yet.")
    (line,) = tables.decisions(evaluate.result(here, job.id))
    assert "not decided" in line


def test_two_runs_are_told_apart_question_by_question(script: Script) -> None:
    here = runtime.get()
    first = evaluate.start(here, BRIGHTWATER, MANY[:30], Options(chosen(PAIR)))
    here.jobs.wait(first.id, 60)
    script.lines["base+passages", "*"] = "Turin"
    second = evaluate.start(here, BRIGHTWATER, MANY[:30], Options(chosen(PAIR)), fresh=True)
    here.jobs.wait(second.id, 60)
    both = versus(evaluate.result(here, first.id), evaluate.result(here, second.id))
    rows = {row["arm"]: row for row in tables.changes(both)}
    assert rows["base"]["same"] == 30 and rows["base+retrieval"]["worse"] == 30
    assert all(MANY[case.number].question == case.question for case in both.cases)


def test_metrics_come_by_arm_and_class_with_their_errors(script: Script) -> None:
    here = runtime.get()
    job = evaluate.start(here, BRIGHTWATER, MANY[:6], Options(chosen(PAIR)))
    here.jobs.wait(job.id, 60)
    rows = {(row["arm"], row["metric"]): row for row in tables.metrics(evaluate.measured(here, job.id))}
    assert rows["base+retrieval", "Exact match"]["mean"] == 1 and rows["base", "Exact match"]["mean"] == 0
    assert rows["base", "Declined"]["replies"] == 6 and ("base", "Hit@k") not in rows


def test_nearness_in_meaning_is_measured_where_an_embedder_is_at_hand(
    script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Letters:
        """A text's vector: how often each letter stands in it."""

        dimensions, identity = 26, "letters"

        def embed(self, text: str) -> Vector:
            counts = np.array([text.lower().count(letter) for letter in "abcdefghijklmnopqrstuvwxyz"], np.float32)
            return counts / np.linalg.norm(counts)

    here = runtime.get()
    job = evaluate.start(here, BRIGHTWATER, MANY[:6], Options(chosen(PAIR)))
    here.jobs.wait(job.id, 60)
    assert "embedding_similarity" not in evaluate.measured(here, job.id)["base"]["own"]
    monkeypatch.setattr(KnowledgeBase, "embedder", Letters())
    near = {arm: found["own"]["embedding_similarity"].mean for arm, found in evaluate.measured(here, job.id).items()}
    assert near["base+retrieval"] == pytest.approx(1) and 0 < near["base"] < 0.9


def test_how_long_the_rest_takes_is_said_once_a_few_replies_tell() -> None:
    assert planning.left(2.0, 2, 10) == "" and planning.left(20.0, 40, 0) == ""
    assert planning.left(6.0, 3, 30) == ", about 60 s left" and planning.left(60.0, 10, 30) == ", about 3 min left"


def test_the_order_takes_every_question_once_and_one_a_fact_first() -> None:
    drawn = order(MANY, 3)
    assert sorted(drawn) == list(range(len(MANY)))
    assert len({MANY[number].group for number in drawn[:60]}) == 60
    assert drawn == order(MANY, 3) != order(MANY, 4)


def test_a_plans_time_is_what_the_same_arms_took_before(script: Script) -> None:
    here = runtime.get()
    assert evaluate.planned(here, BRIGHTWATER, MANY[:10], chosen(PAIR)).seconds == (10.0, 60.0)  # nothing measured yet
    job = evaluate.start(here, BRIGHTWATER, MANY[:4], Options(chosen(PAIR)))
    here.jobs.wait(job.id, 60)
    low, high = evaluate.planned(here, BRIGHTWATER, MANY[:10], chosen(PAIR)).seconds
    assert low == high < 10  # the scripted replies take milliseconds
    assert evaluate.planned(here, BRIGHTWATER, MANY[:10], chosen(("fine-tuned",))).seconds == (5.0, 30.0)


def test_a_plans_time_is_not_that_of_replies_in_company(script: Script) -> None:
    here = runtime.get()
    job = evaluate.start(here, BRIGHTWATER, MANY[:4], Options(chosen(PAIR)))
    here.jobs.wait(job.id, 60)
    rows = [
        {**row, "timing": {**row["timing"], "total": 90_000.0, "contended": True}} for row in here.jobs.rows(job.id)
    ]
    ended = here.jobs.get(job.id)
    newer = replace(ended, id="company00000", created=ended.created + 1)
    here.store.write(lambda db: insert_ended(db, newer, rows))
    low, high = evaluate.planned(here, BRIGHTWATER, MANY[:10], chosen(PAIR)).seconds
    assert low == high < 10


def test_a_plan_counts_facts_and_says_what_they_decide() -> None:
    plan = planning.plan(MANY, 240, 0.5)
    assert plan.time == "2 min" and plan.classes[0].facts == 60
    assert plan.classes[0].detectable == pytest.approx(18.7, abs=0.2)
    assert "19 points" in plan.sentence and "more would decide 10 points" in plan.sentence
    assert "no difference" in planning.plan(MANY[:2], 8, None).sentence


def test_a_plan_takes_what_an_earlier_run_showed_and_says_which(script: Script) -> None:
    here = runtime.get()
    before = evaluate.planned(here, BRIGHTWATER, MANY, chosen(PAIR))
    assert before.whole.discordance == power.EXPECTED_DISCORDANCE and not before.whole.seen
    assert "expected before anything was seen" in before.sentence
    job = evaluate.start(here, BRIGHTWATER, MANY[:40], Options(chosen(PAIR)), name="the first look")
    assert here.jobs.wait(job.id, 60).state == "done"
    plan = evaluate.planned(here, BRIGHTWATER, MANY, chosen(PAIR))
    assert plan.whole.discordance == pytest.approx(21 / 22) and "the first look" in plan.sentence
    assert plan.whole.seen == plan.classes[0].seen == evaluate.names(here, BRIGHTWATER)[job.id]
    other = evaluate.planned(here, BRIGHTWATER, MANY, chosen(("base", "fine-tuned")))
    assert other.whole.discordance == power.EXPECTED_DISCORDANCE  # that pair has not been seen


@pytest.mark.parametrize("noted", [None, 3, [], {"rows": 2}, {"parted": [{"cls": 1}]}, {"parted": "x"}])
def test_notes_that_cannot_be_read_are_none(noted: object) -> None:
    assert planning.seen([("a", noted)], PAIR) == {}


def test_of_two_runs_the_newer_counts_and_few_facts_say_nothing() -> None:
    def notes(share: float, facts: int = 30, cls: str = "own") -> dict[str, object]:
        return {"parted": [{"cls": cls, "first": "a", "second": "b", "facts": facts, "discordance": share}]}

    found = planning.seen([("new", notes(0.1)), ("old", notes(0.6)), ("older", notes(0.5, cls="x"))], ["a", "b"])
    assert (found["own"].run, found["own"].share, found["x"].run) == ("new", pytest.approx(4 / 32), "older")
    assert planning.seen([("new", notes(0.1, 9)), ("nan", notes(float("nan")))], ["a", "b"]) == {}
