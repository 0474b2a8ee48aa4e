"""Graders and metrics: what counts as right beyond a stated value, and likeness as the reference libraries give it."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
import sacrebleu
from hypothesis import given, settings
from hypothesis import strategies as st
from rouge_score import rouge_scorer

from core.arms import Arm
from core.errors import Problem
from core.evaluation import graders, metrics, scoring
from core.evaluation.graders import Grader, grade
from core.evaluation.metrics import Case
from core.evaluation.questions import Question, from_rows, parse
from core.evaluation.records import Row
from core.evaluation.report import scored
from core.evaluation.run import Reply

WORDS = ["the", "press", "costs", "389", "dollars", "in", "Porto", "and", "weighs", "seven", "kilos"]
TEXTS = st.lists(st.sampled_from(WORDS), min_size=1)


@pytest.mark.parametrize(
    ("reply", "answer", "right"),
    [
        ("Put it into model_aliases.json.", "aliases.json", False),
        ("Put it into aliases.json.", "aliases.json", True),
        ("Set `max_tokens_total`.", "max_tokens", False),
        ("It does not fall back to the default model.", "the default model", False),
        ("It isn't made of brass.", "brass", False),
        ("It is not made of brass but of steel.", "steel", True),
        ("It falls back to the default model.", "the default model", True),
        ("A screen of 1920x1080.", "1080", False),
        ("It is not possible.", "not possible", True),
        ("Not sure. The shop lies on Alder Street in the old town.", "Alder Street", True),
    ],
)
def test_identifiers_stay_whole_and_denials_are_seen(reply: str, answer: str, right: bool) -> None:
    assert scoring.right(reply, (answer,)) is right


@pytest.mark.parametrize(
    ("grader", "reply", "share", "met"),
    [
        (Grader("exact", "Porto"), " porto. ", 1.0, True),
        (Grader("exact", "Porto"), "In Porto", 0.0, False),
        (Grader("contains", "Porto"), "Made in Porto, by hand", 1.0, True),
        (Grader("contains", "Porto", negated=True), "Made in Porto", 0.0, False),
        (Grader("contains", "Porto", negated=True), "Made in Turin", 1.0, True),
        (Grader("regex", r"\b\d{3}-\d{2}\b"), "Call 555-12 now", 1.0, True),
        (Grader("json-schema", '{"type": "object", "required": ["a"]}'), '{"a": 1}', 1.0, True),
        (Grader("json-schema", '{"type": "object", "required": ["a"]}'), '{"b": 1}', 0.0, False),
        (Grader("number", "90 minutes"), "about 1.5 hours", 1.0, True),
        (Grader("number", "100", tolerance=0.05), "roughly 104", 1.0, True),
        (Grader("number", "100", tolerance=0.03), "roughly 104", 0.0, False),
        (Grader("facts", values=("brass", "Porto", "3 years")), "Brass, made in Porto.", 2 / 3, False),
        (Grader("facts", values=("brass", "Porto", "3 years"), threshold=0.6), "Brass, made in Porto.", 2 / 3, True),
        (Grader("similarity", "the press is brass", metric="token_f1", threshold=0.5), "press is brass", 1.0, True),
    ],
)
def test_each_kind_of_grader(grader: Grader, reply: str, share: float, met: bool) -> None:
    found = grade(grader, reply, ())
    assert (found.share, found.met) == (pytest.approx(share), met)
    assert met or found.why


def test_a_reply_that_came_too_late_is_wrong_and_says_so() -> None:
    grader = Grader("contains", "Porto", max_ms=500)
    assert grade(grader, "Porto", (), 400).met
    assert "600 ms" in grade(grader, "Porto", (), 600).why
    assert not grade(grader, "Porto", ()).met


def test_a_grader_may_compare_in_meaning_and_decides_nothing_without_an_embedder() -> None:
    near = {("Bad weather", "rain"): 0.8, ("Sunshine", "rain"): 0.1}

    def meaning(reply: str, texts: Sequence[str]) -> float:
        return max(near[reply, text] for text in texts)

    (question,) = from_rows(
        [
            {
                "question": "What comes?",
                "answer": "rain",
                "grader": {"kind": "similarity", "metric": "embedding_similarity", "threshold": 0.6},
            }
        ]
    )
    arm = Arm("base")

    def row(reply: str, meaning: metrics.Meaning = meaning) -> Row:
        return scored(question, arm, Reply(number=0, arm=arm.name, reply=reply), None, (), meaning=meaning)

    assert row("Bad weather").right and row("Bad weather").share == 0.8
    assert not row("Sunshine").right and not row("").right
    unknown = row("Bad weather", metrics.no_meaning)
    assert not unknown.right and "no embedder" in unknown.why
    denied = replace(question.graders[0], negated=True)
    assert not grade(denied, "Bad weather", ("rain",)).met  # what cannot be decided is not met
    assert grade(denied, "Sunshine", ("rain",), meaning=meaning).met


def test_a_grader_without_a_value_takes_the_questions_answers() -> None:
    (question,) = from_rows([{"question": "Where?", "answer": "Porto", "grader": "exact"}])
    assert graders.graded(question.graders, "Porto", question.expected(None)).met
    assert not graders.graded(question.graders, "In Porto", question.expected(None)).met


@pytest.mark.parametrize(
    ("field", "word"),
    [
        ('{"kind": "magic"}', "magic"),
        ('{"kind": "facts"}', "values"),
        ('{"kind": "regex", "value": "("}', "regular expression"),
        ('{"kind": "contains", "valeu": "x"}', "value"),
        ('{"kind": "similarity", "metric": "ttft"}', "metric"),
        ('{"kind": "contains", "value": "x", "threshold": 2}', "threshold"),
        ("[1]", "grader"),
    ],
)
def test_a_grader_that_cannot_be_used_names_the_line(field: str, word: str) -> None:
    with pytest.raises(Problem, match=word):
        parse(f'{{"question": "q", "answer": "a", "graders": {field}}}'.encode(), "x.jsonl")


def test_a_question_with_graders_survives_its_file() -> None:
    row = {"question": "q", "answer": "", "graders": [{"kind": "facts", "values": ["a b", "c"], "not": True}]}
    (question,) = from_rows([row])
    assert question.cls == "own" and question.graders == (Grader("facts", values=("a b", "c"), negated=True),)
    assert from_rows([question.row()]) == (question,)


@settings(deadline=None, max_examples=25)
@given(TEXTS, TEXTS)
def test_text_metrics_are_the_libraries_own(one: list[str], two: list[str]) -> None:
    reply, reference = " ".join(one), " ".join(two)
    case = Case("q", reply, (reference,))
    expected = rouge_scorer.RougeScorer(["rougeL"]).score(reference, reply)["rougeL"].fmeasure
    assert metrics.rouge_l(case) == pytest.approx(expected)
    assert metrics.bleu(case) == pytest.approx(sacrebleu.sentence_bleu(reply, [reference]).score / 100)
    assert metrics.chrf(case) == pytest.approx(sacrebleu.sentence_chrf(reply, [reference]).score / 100)


def test_token_f1_is_squads() -> None:
    assert metrics.token_f1(Case("q", "The press, of brass!", ("brass press",))) == pytest.approx(2 * 2 / (3 + 2))
    assert metrics.exact_match(Case("q", "The Brass.", ("brass",))) == 1


def test_grounded_counts_numbers_and_names_that_no_passage_holds() -> None:
    passages = ("The Tidal Press sells for $389 in Porto.",)
    case = Case("q", "It costs $389, says Maria Lopez from Porto.", ("$389",), passages)
    assert metrics.grounded(case) == pytest.approx(2 / 3)
    assert metrics.grounded(Case("q", "It costs $389.")) is None


def test_rank_metrics() -> None:
    assert metrics.mrr(Case("q", "", found=(False, True, True))) == 0.5
    assert metrics.hit_at_k(Case("q", "", found=(False, False))) == 0
    assert metrics.mrr(Case("q", "")) is None


def test_every_metric_says_what_it_measures() -> None:
    assert set(metrics.LIKENESS) <= set(metrics.METRICS)
    assert all(one.about and one.title and one.unit for one in metrics.METRICS.values())


def test_a_question_for_a_judge_alone_is_scored_by_its_answer() -> None:
    asked = Question("Who?", "Osric Dunn", "own", graders=(Grader("judge"),))
    replies = [Reply(number=0, arm="base", reply=text) for text in ("Osric Dunn.", "No idea.")]
    rows = [scored(asked, Arm(), reply, None, ()) for reply in replies]
    assert [(row.right, row.grader) for row in rows] == [(True, "states the answer"), (False, "states the answer")]
