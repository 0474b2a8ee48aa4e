"""Laws of the statistics: known values, limits, and that clustering never pretends to more than it has."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import asdict

from core.evaluation.statistics import TOO_FEW, accuracy, difference, effects, mcnemar, stated, wilson

BOOLS = st.lists(st.booleans(), min_size=2, max_size=60)


def alone(values: list[bool]) -> list[str]:
    return [str(number) for number in range(len(values))]


def test_ungrouped_standard_error_is_the_binomial_one() -> None:
    found = accuracy([True] * 30 + [False] * 70, alone([True] * 100))
    assert found.accuracy == 0.3
    assert found.standard_error == pytest.approx(math.sqrt(0.3 * 0.7 / 99))


def test_repeating_every_question_adds_no_certainty() -> None:
    values = [True, False, False, True, True, False, True, True]
    once = accuracy(values, alone(values))
    thrice = accuracy(values * 3, alone(values) * 3)
    assert thrice.standard_error == pytest.approx(once.standard_error)
    assert thrice.high - thrice.low == pytest.approx(once.high - once.low, rel=0.2)


@settings(deadline=None, max_examples=40)
@given(BOOLS)
def test_the_interval_holds_the_share_and_stays_within_bounds(values: list[bool]) -> None:
    found = accuracy(values, alone(values))
    assert 0 <= found.low <= found.accuracy <= found.high <= 1
    assert found.low < found.high


def test_wilson_gives_the_textbook_values() -> None:
    low, high = wilson(0.5, 100)
    assert (low, high) == (pytest.approx(0.4038, abs=1e-4), pytest.approx(0.5962, abs=1e-4))
    assert wilson(0.0, 10)[0] == 0 and wilson(0.0, 10)[1] == pytest.approx(0.2775, abs=1e-4)


def test_mcnemar_is_the_exact_binomial() -> None:
    first, second = [True] * 1 + [False] * 9, [False] * 1 + [True] * 9
    assert mcnemar(first, second) == pytest.approx(2 * (1 + 10) / 2**10)
    assert mcnemar([True, False], [True, False]) == 1


@settings(deadline=None, max_examples=10)
@given(st.lists(st.tuples(*[st.booleans()] * 4), min_size=20, max_size=50))
def test_the_effects_add_up_to_the_total(rows: list[tuple[bool, bool, bool, bool]]) -> None:
    split = effects(*(list(column) for column in zip(*rows, strict=True)), groups=[str(n) for n in range(len(rows))])
    parts = sum(gap.difference for gap in (split.fine_tune, split.retrieval, split.interaction))
    assert parts == pytest.approx(split.total.difference)


def test_few_questions_never_settle_anything() -> None:
    assert difference([1.0] * 19, [str(n) for n in range(19)]).verdict == TOO_FEW
    assert difference([1.0] * 60, [str(n % 5) for n in range(60)]).verdict == TOO_FEW


def test_a_clear_gain_and_a_clear_tie_are_told_apart() -> None:
    rng = np.random.default_rng(1)
    groups = [str(n) for n in range(400)]
    assert difference(list((rng.random(400) < 0.4).astype(float)), groups).verdict == "gain"
    assert difference(list(-(rng.random(400) < 0.4).astype(float)), groups).verdict == "loss"
    tie = [0.0] * 390 + [1.0, -1.0] * 5
    assert difference(tie, groups).verdict == "no difference to speak of"


def test_about_95_of_100_intervals_hold_the_truth() -> None:
    rng = np.random.default_rng(7)
    held = 0
    for _ in range(200):
        found = accuracy(list(rng.random(200) < 0.7), [str(n) for n in range(200)])
        held += found.low <= 0.7 <= found.high
    assert held >= 180


def test_all_or_none_right_is_stated_with_its_bound_and_never_as_certain() -> None:
    groups = [str(n) for n in range(100)]
    all_right = asdict(accuracy([True] * 100, groups))
    none_right = asdict(accuracy([False] * 100, groups))
    assert stated(all_right) == "100.0% (95 %: at least 96%)"
    assert stated(none_right) == "0.0% (95 %: at most 4%)"
    assert stated(asdict(accuracy([True] * 91 + [False] * 9, groups))) == "91.0% ± 2.9%"
    assert stated({"accuracy": 0.5, "standard_error": None}) == "50.0%"
