"""The wrong-corpus dial: the share is met, near misses do not hold the answer, and what they do is told by arm."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from msgspec import structs

from core import evaluate, runtime
from core.arms import parse_all
from core.charts.dial import dial_chart
from core.errors import Problem
from core.evaluation import tables
from core.evaluation.dial import dial
from core.evaluation.questions import Question
from core.evaluation.records import Row
from core.evaluation.run import Options
from core.evaluation.variants import SHARES, NearMisses, Variant, dialled
from core.retrieval import Passage, Retrieved
from core.runtime import Runtime
from tests.evaluation.scripted import Books, Script, parts
from tests.given import BRIGHTWATER, chosen

PORTO = Question("Where is the shop?", "Porto", "own")


def passage(number: int, text: str) -> Passage:
    return Passage(f"{number}.md", "T", "", text, 1 - number / 100, 0, 9, number)


class Shelf:
    """Every second passage holds the answer."""

    def __init__(self, size: int = 60) -> None:
        self.passages = [passage(n, "It is in Porto." if n % 2 == 0 else f"Nothing {n}.") for n in range(size)]

    def query(self, text: str, top_k: int, mode: str, **_: Any) -> Retrieved:
        return Retrieved(tuple(self.passages[:top_k]), mode, 1.0, 1.0, None)


def found(share: float, question: Question = PORTO, size: int = 60) -> list[int]:
    base = NearMisses(Shelf(size), question, question.expected(None), share)
    return [one.chunk for one in base.query("Where?", 3, "hybrid").passages]


def test_near_misses_take_places_in_rank_order_and_never_hold_the_answer() -> None:
    assert found(0.0) == [0, 1, 2]
    assert found(1.0) == [3, 5, 7]  # the best ranked below that do not say Porto
    assert len(found(1.0, size=5)) == 1  # only passage 3 is left to swap in


def test_the_share_is_met_over_many_questions_and_a_larger_one_swaps_those_of_a_smaller() -> None:
    many = [replace(PORTO, question=f"Where is shop {n}?") for n in range(120)]
    swapped = {share: [{0, 1, 2} - set(found(share, each)) for each in many] for share in SHARES}
    for share, each in swapped.items():
        assert sum(map(len, each)) / (3 * len(many)) == pytest.approx(share, abs=0.05)
    for less, more in pairwise(SHARES):
        assert all(few <= many_ for few, many_ in zip(swapped[less], swapped[more], strict=True))


def test_each_arm_that_retrieves_is_asked_once_a_share() -> None:
    arms, variants = dialled(chosen(), (0.0, 0.5, 1.0))
    assert [arm.name for arm in arms][:4] == [
        "base",
        "base+retrieval",
        "base+retrieval, 50% wrong",
        "base+retrieval, 100% wrong",
    ]
    assert len(arms) == 8 and {variant.wrong for variant in variants} == {0.0, 0.5, 1.0}
    with pytest.raises(Problem, match="needs an arm that retrieves"):
        dialled(parse_all(["base"]), SHARES)
    with pytest.raises(Problem, match="between 0 and 1"):
        dialled(chosen(), (50.0,))


def test_points_by_arm_and_share_with_the_paired_loss() -> None:
    variants = (Variant("a", "a"), Variant("b", "a", 1.0))
    rows = [
        Row(
            number=n,
            question=str(n),
            cls=cls,
            group=str(n),
            arm=arm,
            expected="x",
            reply="",
            problem=None,
            right=arm == "a" or n < 5,
            abstained=arm == "b" and n >= 15,
            hit=arm == "a",
        )
        for arm in ("a", "b")
        for n, cls in enumerate(["own"] * 20 + ["no-document"] * 5)
    ]
    again = [structs.replace(row, repeat=1, right=not row.right) for row in rows]  # first answers count
    first, last = dial([*rows, *again], variants)
    assert (first.wrong, first.accuracy.accuracy, first.loss) == (0.0, 1.0, None)
    assert (last.accuracy.accuracy, last.abstained.accuracy, last.held.accuracy) == (0.25, 0.25, 0.0)
    assert last.loss is not None and last.loss.difference == -0.75 and last.loss.high < 0 and last.accuracy.n == 20


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> Iterator[Script]:
    made, shelf = Script({("base", "*"): "No idea.", ("base+passages", "*"): "As [1] says."}), Shelf()

    class Parrot(Books):
        def query(self, text: str, top_k: int, mode: str, **rest: Any) -> Retrieved:
            return shelf.query(text, top_k, mode)

    monkeypatch.setattr(Runtime, "parts", lambda here, project: parts(made, Parrot()))
    monkeypatch.setattr(Runtime, "identities", lambda here, *_: ["scripted"])
    yield made
    runtime.close()


def test_a_run_reads_the_near_misses_and_its_report_has_the_dial(script: Script) -> None:
    here = runtime.get()
    arms, variants = dialled(chosen(("base", "base+retrieval")), SHARES)
    job = evaluate.start(here, BRIGHTWATER, [PORTO], Options(arms, variants=variants))
    assert here.jobs.wait(job.id, 60).state == "done"
    made = evaluate.result(here, job.id)
    held = {point.wrong: point.held.accuracy for point in made.dial}
    assert held[0.0] == 1 and held[1.0] == 0 and set(held) == set(SHARES)
    asked = [request.alternatives[0][-1]["content"] for request in script.requests]
    assert sum("[1]" in text for text in asked) == 5
    assert sum("Porto" not in text for text in asked) == 1 + sum(share == 0 for share in held.values())  # and closed
    assert [pair.second for pair in made.pairs] == ["base+retrieval"]  # variants are held against no other arm
    assert len(tables.dialled(made)) == 5 and len(dial_chart(made).data) == 2
