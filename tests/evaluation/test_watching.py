"""A watched run scores each reply once, and looks at one question a fact."""

from collections.abc import Mapping
from typing import Any

from core.evaluation import sequential
from core.evaluation.questions import Question
from core.evaluation.watching import Watch

MANY = tuple(Question(f"What is number {n}?", "Porto", "own", fact=f"fact {n // 2}") for n in range(60))
PAIR = ("base", "base+retrieval")


def replies() -> list[dict[str, Any]]:
    return [{"number": n, "arm": arm, "problem": None, "reply": ""} for n in range(60) for arm in (*PAIR, "other")]


def test_every_reply_is_scored_once_however_often_one_looks() -> None:
    scored: list[tuple[int, str]] = []

    def right(row: Mapping[str, Any]) -> bool:
        scored.append((row["number"], row["arm"]))
        return bool(row["arm"] == PAIR[1])

    watch = Watch(MANY, PAIR, right)
    for row in replies():
        watch.add(row)
        watch.look()
        watch.look()
    assert sorted(scored) == sorted((n, arm) for n in range(60) for arm in PAIR)
    assert watch.look() == sequential.watched([1.0] * 30)


def test_one_wording_a_fact_counts_and_a_failed_reply_does_not() -> None:
    watch = Watch(MANY, PAIR, lambda row: row["arm"] == PAIR[1] and row["number"] % 2 == 0)
    assert watch.look() is None
    for row in replies():
        watch.add(row | {"problem": "The worker died." if row["number"] == 0 and row["arm"] == PAIR[0] else None})
    seen = watch.look()
    assert seen is not None and seen.n == 30  # fact 0 by its second wording, where neither was right
    assert seen == sequential.watched([0.0] + [1.0] * 29)
