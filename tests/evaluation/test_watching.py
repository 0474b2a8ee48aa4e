"""A watched run scores each reply once, and looks at one question a fact."""

from msgspec.structs import replace

from core.evaluation import sequential
from core.evaluation.questions import Question
from core.evaluation.run import Reply
from core.evaluation.watching import Watch

MANY = tuple(Question(f"What is number {n}?", "Porto", "own", fact=f"fact {n // 2}") for n in range(60))
PAIR = ("base", "base+retrieval")


def replies() -> list[Reply]:
    return [Reply(number=n, arm=arm) for n in range(60) for arm in (*PAIR, "other")]


def test_every_reply_is_scored_once_however_often_one_looks() -> None:
    scored: list[tuple[int, str]] = []

    def right(reply: Reply) -> bool:
        scored.append((reply.number, reply.arm))
        return reply.arm == PAIR[1]

    watch = Watch(MANY, PAIR, right)
    for row in replies():
        watch.add(row)
        watch.look()
        watch.look()
    assert sorted(scored) == sorted((n, arm) for n in range(60) for arm in PAIR)
    assert watch.look() == sequential.watched([1.0] * 30)


def test_only_an_arms_first_answer_to_a_question_counts() -> None:
    watch = Watch(MANY, PAIR, lambda reply: reply.arm == PAIR[1])
    for reply in replies():
        watch.add(reply)
    seen = watch.look()
    for reply in replies():
        watch.add(replace(reply, repeat=1))
    assert watch.look() == seen == sequential.watched([1.0] * 30)


def test_one_wording_a_fact_counts_and_a_failed_reply_does_not() -> None:
    watch = Watch(MANY, PAIR, lambda row: row.arm == PAIR[1] and row.number % 2 == 0)
    assert watch.look() is None
    for row in replies():
        watch.add(replace(row, problem="The worker died." if (row.number, row.arm) == (0, PAIR[0]) else None))
    seen = watch.look()
    assert seen is not None and seen.n == 30  # fact 0 by its second wording, where neither was right
    assert seen == sequential.watched([0.0] + [1.0] * 29)
