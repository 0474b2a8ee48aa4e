"""The gate and the comparison of two runs: decided by interval, told with the cases that changed."""

import xml.etree.ElementTree as ET

import pytest
from msgspec.structs import asdict

from core.errors import Problem
from core.evaluation import gates, statistics
from core.evaluation.gates import FAILED, OPEN, PASSED, Demand, demand, judged, junit
from core.evaluation.records import ArmResult, ClassResult, Report, Row
from core.evaluation.versus import versus
from core.records import Timing


def report(right: list[bool], arm: str = "base") -> Report:
    rows = tuple(
        Row(
            number=n, question=f"q{n}", cls="own", arm=arm, right=ok, group=f"q{n}", reply=f"r{ok}", problem=None,
            expected="x", cause=None if ok else "why\x00", timing=Timing(total=5.0),
        )
        for n, ok in enumerate(right)
    )  # fmt: skip
    score = ClassResult(**asdict(statistics.accuracy(right, [row.group for row in rows])))
    return Report(arms={arm: ArmResult(classes={"own": score})}, rows=rows)


@pytest.mark.parametrize(
    ("right", "n", "outcome"), [(95, 100, PASSED), (50, 100, FAILED), (83, 100, OPEN), (9, 10, OPEN), (0, 10, FAILED)]
)
def test_a_demand_is_decided_by_the_interval(right: int, n: int, outcome: str) -> None:
    (gate,) = judged(report([True] * right + [False] * (n - right)), [demand("base:own=0.85")], None)
    assert gate.outcome == outcome and f"{right} of {n}" in gate.why
    assert gates.failed([gate], strict=False) == (outcome == FAILED)
    assert gates.failed([gate], strict=True) == (outcome != PASSED)


def test_a_run_that_lost_is_worse_and_names_the_cases_and_luck_is_not() -> None:
    before, worse = report([True] * 40), report([True] * 20 + [False] * 20)
    (gate,) = judged(worse, [], before)
    assert gate.outcome == FAILED and "20 got worse" in gate.why and "q25" in gate.why
    (gate,) = judged(report([True] * 39 + [False]), [], before)
    assert gate.outcome == OPEN
    (gate,) = judged(before, [], before)
    assert gate.outcome == PASSED


def test_two_runs_side_by_side() -> None:
    found = versus(report([True, False, True]), report([True, True, False, True]))
    assert [case.kind for case in found.cases] == ["same", "better", "worse"]
    assert (found.only_before, found.only_after) == (0, 1)
    with pytest.raises(Problem, match="in common"):
        versus(report([True]), report([True], arm="other"))


@pytest.mark.parametrize(
    ("text", "found"),
    [("base:static=0.85", Demand("base", "static", 0.85)), ("a+retrieval=85%", Demand("a+retrieval", None, 0.85))],
)
def test_a_demand_reads_shares_and_percent(text: str, found: Demand) -> None:
    assert demand(text) == found


@pytest.mark.parametrize("text", ["", "base", "base=2", "base:x=1.2.3", "=0.5", "base=-1"])
def test_a_demand_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(Problem, match="--at-least"):
        demand(text)


def test_an_arm_or_class_that_was_not_run_is_refused() -> None:
    with pytest.raises(Problem, match="no arm 'nobody'"):
        judged(report([True]), [Demand("nobody", None, 0.5)], None)
    with pytest.raises(Problem, match="class 'none'"):
        judged(report([True]), [Demand("base", "none", 0.5)], None)


def test_junit_is_whole_xml_and_only_demands_fail() -> None:
    found = report([False] * 10)
    made = judged(found, [demand("base:own=0.85")], None)
    root = ET.fromstring(junit(made, found, strict=False))
    assert [suite.get("failures") for suite in root] == ["1", "0"]
    assert len(root.findall(".//testcase")) == 11
    assert root.find(".//failure") is not None
