"""A gate for continuous integration: demands on an evaluation, each passed, failed or not decided, by interval.

A demand fails when the 95 % interval rules it out, not when luck put the share below; where the interval leaves both
open it is "not decided", which passes unless the caller is strict. Knows reports and JUnit's XML; starts nothing.
"""

import re
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from core.errors import Problem
from core.evaluation.records import Report
from core.evaluation.versus import Versus, versus
from core.text import one_line

PASSED, FAILED, OPEN = "passed", "failed", "not decided"
ALL: Final = "all facts"
_DEMAND: Final = re.compile(r"(?P<arm>[^:=]+)(?::(?P<cls>[^=]+))?=(?P<share>[0-9.]+)\s*(?P<percent>%?)")
_ILLEGAL: Final = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # what XML cannot hold


@dataclass(frozen=True)
class Demand:
    """An arm's accuracy in a class (None: every class must) is to be at least `share`."""

    arm: str
    cls: str | None
    share: float


@dataclass(frozen=True)
class Gate:
    """One demand's outcome, and why in words."""

    name: str
    outcome: str
    why: str


def demand(text: str) -> Demand:
    """`ARM:CLASS=0.85` or `ARM=85%`. Raises Problem."""
    found = _DEMAND.fullmatch(text.strip())
    if not found:
        raise Problem(
            f"--at-least takes ARM:CLASS=SHARE, such as base+retrieval:static=0.85, not '{one_line(text, 60)}'."
        )
    try:
        share = float(found["share"]) / (100 if found["percent"] else 1)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise Problem(f"--at-least: a share lies between 0 and 1 (or 0 % and 100 %), not '{found['share']}'.")
    return Demand(found["arm"].strip(), found["cls"].strip() if found["cls"] else None, share)


def judged(report: Report, demands: Sequence[Demand], before: Report | None) -> list[Gate]:
    """The outcome of every demand, and of "not worse than `before`" for each arm that both have. Raises Problem."""
    gates = [gate for one in demands for gate in _at_least(report, one)]
    return gates + (_not_worse(versus(before, report)) if before is not None else [])


def _at_least(report: Report, wanted: Demand) -> list[Gate]:
    arm = report.arms.get(wanted.arm)
    if arm is None:
        known = ", ".join(report.arms) or "none"
        raise Problem(f"--at-least: the evaluation has no arm '{one_line(wanted.arm, 60)}'. Arms: {known}.")
    classes = list(arm.classes) if wanted.cls is None else [wanted.cls]
    made = []
    for cls in classes:
        if cls not in arm.classes:
            known = ", ".join(arm.classes)
            raise Problem(f"--at-least: no question of class '{one_line(cls, 60)}' was answered. Classes: {known}.")
        score = arm.classes[cls]
        low, high = score.low, score.high
        outcome = FAILED if high < wanted.share else PASSED if low >= wanted.share else OPEN
        why = f"{score.right} of {score.n} right, 95 % interval {low:.1%} to {high:.1%}, wanted {wanted.share:.1%}"
        made.append(Gate(f"{wanted.arm}: {cls} at least {wanted.share:.1%}", outcome, why))
    return made


def _not_worse(found: Versus) -> list[Gate]:
    made = []
    for arm, gap in found.arms.items():
        worse = [case for case in found.cases if case.arm == arm and case.kind == "worse"]
        outcome = FAILED if gap.high < 0 else PASSED if gap.low >= 0 or gap.difference >= 0 else OPEN
        why = f"{gap.difference:+.1%} (95 %: {gap.low:+.1%} to {gap.high:+.1%}), {len(worse)} got worse"
        why += "".join(f"\n- {one_line(case.question, 120)}: {one_line(case.after, 120)}" for case in worse[:20])
        made.append(Gate(f"{arm}: not worse than before", outcome, why))
    return made


def failed(gates: Sequence[Gate], strict: bool) -> bool:
    """Whether the gate as a whole is closed."""
    return any(gate.outcome == FAILED or (strict and gate.outcome == OPEN) for gate in gates)


def junit(gates: Sequence[Gate], report: Report, strict: bool) -> str:
    """JUnit's XML: one case a demand, then one an arm and question; wrong answers are told, the demands alone fail."""
    root = ET.Element("testsuites")
    suite = ET.SubElement(root, "testsuite", name="demands", tests=str(len(gates)))
    closed = [gate for gate in gates if failed([gate], strict)]
    suite.set("failures", str(len(closed)))
    for gate in gates:
        case = ET.SubElement(suite, "testcase", classname="evaluation", name=_legal(gate.name))
        if gate in closed:
            ET.SubElement(case, "failure", message=_legal(gate.outcome)).text = _legal(gate.why)
        else:
            ET.SubElement(case, "system-out").text = _legal(f"{gate.outcome}: {gate.why}")
    for arm in report.arms:
        rows = [row for row in report.rows if row.arm == arm]
        answers = ET.SubElement(root, "testsuite", name=_legal(arm), tests=str(len(rows)), failures="0")
        for row in rows:
            took = (row.timing.total or 0.0) / 1000
            case = ET.SubElement(
                answers, "testcase", classname=_legal(row.cls), name=_legal(row.question), time=f"{took:.3f}"
            )
            said = "right" if row.right else row.problem or f"wrong: {row.cause}"
            ET.SubElement(case, "system-out").text = _legal(f"{said}\nexpected: {row.expected}\nreply: {row.reply}")
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=True)


def _legal(text: str) -> str:
    return _ILLEGAL.sub("\ufffd", text)
