"""The documents' own cases, and our own use cases, against the advisor."""

import tomllib
from pathlib import Path

import pytest

from core.advisor import guidance, rules, score, tables
from core.evidence import claims

OURS = tomllib.loads(Path(__file__).with_name("use_cases.toml").read_text(encoding="utf-8"))["case"]
ORDINARY = {
    "citations": "no",
    "privacy": "no",
    "style": "no",
    "format": "free",
    "specialisation": "no",
    "examples": "hundreds",
    "resources": "some",
    "time": "weeks",
    "latency": "interactive",
    "volume": "medium",
    "network": "yes",
    "room": "yes",
}


def verdict(answers):
    return score.advise(rules.read_answers(answers)).verdict


def test_undisputed_cases_come_out_as_their_document_says_stated_and_assumed_apart():
    counted = [case for case in claims.cases() if case.counts]
    stated = [case for case in counted if not case.assumed]
    for cases, least in ((stated, 38), ([case for case in counted if case.assumed], 10)):
        assert len(cases) >= least
        wrong = [
            (case.document, case.title, case.verdict) for case in cases if verdict(case.all_answers) != case.verdict
        ]
        assert len(wrong) <= 0.05 * len(cases), wrong
    assert f"{len(stated)} of the {len(stated)} whose answers the document states" in tables.agreement()


def test_every_document_has_cases_and_unreadable_cells_are_not_inferred():
    assert {case.document for case in claims.cases()} == set(claims.DOCUMENTS)
    lost = [case for case in claims.cases() if case.verdict == claims.NOT_READABLE]
    assert len(lost) == 5
    assert all(case.document == "D0" and not case.answers and case.readable and not case.counts for case in lost)


def test_cases_say_only_what_can_be_answered_and_give_reasons_for_assumptions():
    for case in claims.cases():
        rules.read_answers(case.all_answers)
        assert bool(case.assumed) == bool(case.why)
        assert case.all_answers or case.verdict == claims.NOT_READABLE


@pytest.mark.parametrize("subject", claims.disputed_subjects())
def test_a_disputed_case_shows_both_sides_and_what_decides(subject):
    dispute = guidance.dispute(subject)
    assert {case.verdict for case, _ in dispute.sides} == {"retrieval", "fine-tuning"}
    assert all(case.verdict == advised for case, advised in dispute.sides)
    assert dispute.decides


def test_legal_medical_and_support_are_disputed():
    assert set(claims.disputed_subjects()) == {"legal", "medical", "support bot"}


@pytest.mark.parametrize("case", OURS, ids=lambda case: case["title"])
def test_our_use_cases(case):
    assert verdict(case["answers"]) == case["expect"]


def test_our_use_cases_stay_right_when_every_question_is_answered():
    wrong = [case["title"] for case in OURS if verdict({**ORDINARY, **case["answers"]}) != case["expect"]]
    assert len(wrong) <= 0.05 * len(OURS), wrong


def test_our_use_cases_cover_all_four_verdicts():
    for approach in rules.APPROACHES:
        assert sum(case["expect"] == approach for case in OURS) >= 5
