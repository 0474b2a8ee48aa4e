"""Confidence means something: on our cases, partly answered, how often the verdict stays when all is."""

import random
import tomllib
from functools import cache
from pathlib import Path

from core.advisor import rules, score

FILES = ("use_cases.toml", "descriptions_new.toml", "descriptions_aside.toml")
ORDINARY = {
    "data-changes": "rarely", "citations": "no", "privacy": "no", "style": "no", "format": "free",
    "specialisation": "no", "examples": "hundreds", "resources": "some", "time": "weeks", "latency": "interactive",
    "volume": "medium", "network": "yes", "room": "yes",
}  # fmt: skip


def every_answer(case: dict) -> dict[str, str]:
    """A case with what it does not say taken as ordinary."""
    size = "medium" if case["expect"] in ("retrieval", "hybrid") else "none"
    return {**ORDINARY, "knowledge-size": size, **case["answers"]}


@cache
def partly_answered() -> list[tuple[float, bool]]:
    """(confidence, whether the verdict is that of all answers) for random parts of the answers of our hundred cases."""
    some = random.Random(1)
    found = []
    for file in FILES:
        for case in tomllib.loads((Path(__file__).parent / file).read_text(encoding="utf-8"))["case"]:
            everything = every_answer(case)
            end = score.verdict(everything)
            for number in (1, 2, 3, 4, 6, 8, 10, 12):
                advice = score.advise({name: everything[name] for name in some.sample(sorted(everything), number)})
                if advice.decided:
                    found.append((advice.confidence, advice.verdict == end))
    return found


def share_right(low: float, high: float) -> tuple[float, float, int]:
    """Mean confidence, share right and number between two confidences."""
    here = [each for each in partly_answered() if low <= each[0] < high]
    return sum(each[0] for each in here) / len(here), sum(each[1] for each in here) / len(here), len(here)


def test_where_confidence_is_above_a_half_it_is_the_share_that_stays():
    for low, high in ((0.5, 0.65), (0.65, 0.8), (0.8, 0.9), (0.9, 1.01)):
        said, right, number = share_right(low, high)
        assert number >= 30
        assert abs(said - right) < 0.15, (low, high, said, right, number)


def test_the_words_are_in_order_and_high_can_be_relied_on():
    low, medium, high = (share_right(*ends)[1] for ends in ((0, score.LOW), (score.LOW, score.HIGH), (score.HIGH, 2)))
    assert high > 0.9
    assert high > medium + 0.1
    assert low < 0.85


def test_confidence_is_no_constant():
    stated = [
        score.advise({"style": "strict"}).confidence,
        score.advise({"style": "strict", "knowledge-size": "none"}).confidence,
    ]
    assert stated[1] > stated[0] + 0.05
    found = [each for each, _ in partly_answered()]
    assert min(found) < 0.4
    assert max(found) > 0.97


def test_everything_answered_leaves_only_the_weights_in_doubt():
    answers = {**ORDINARY, "knowledge-size": "large", "citations": "required", "data-changes": "daily"}
    assert score.advise(answers).confidence == score.sensitivity(answers, score.WEIGHTS_VARY)["retrieval"] > 0.95


def test_nothing_fits_is_certain_and_undecided_is_not():
    assert score.advise({"network": "no", "room": "no", "citations": "required"}).confidence == 1
    assert score.advise({}).confidence == 0
    assert set(score.sensitivity({}, 0.5)) == set(score.VERDICTS) == {*rules.APPROACHES, "undecided", "none"}
