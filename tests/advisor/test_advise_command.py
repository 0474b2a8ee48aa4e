"""`python -m core advise`, the hand-over to the other pages, and the free-text pre-fill."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core import scenario
from core.__main__ import main
from core.advisor import handover, prefill, rules, score
from core.calculator import inputs
from core.opening import opening
from tests.given import BRIGHTWATER

QUESTIONS = rules.load().questions


def advise(capsys, *arguments):
    assert main(["advise", "--json", *arguments]) == 0
    return json.loads(capsys.readouterr().out)


def test_the_report_has_what_was_promised(capsys):
    result = advise(capsys, "--set", "style=strict", "--set", "data-changes=daily")
    assert {"verdict", "confidence", "scores", "constraints", "trace", "flips", "unknown"} <= set(result)
    assert result["verdict"] == "hybrid"
    assert set(result["scores"]) == set(rules.APPROACHES)
    assert all(set(step) == {"question", "answer", "effect", "source"} for step in result["trace"])
    assert len(result["unknown"]) == len(QUESTIONS) - 2


def test_nothing_set_is_undecided_with_a_way_to_start(capsys):
    result = advise(capsys)
    assert result["verdict"] == "undecided"
    assert result["why_undecided"] == "Not enough to tell."
    assert result["order"][0]["text"].startswith("Start with")
    assert result == advise(capsys, *(part for name in QUESTIONS for part in ("--set", f"{name}=unknown")))


def test_the_list_has_every_question_with_options_help_and_source(capsys):
    listed = advise(capsys, "--list")["questions"]
    assert [each["question"] for each in listed] == list(QUESTIONS)
    for each in listed:
        assert each["help"]
        assert each["source"]
        assert each["options"][-1]["option"] == "unknown"
        for option in each["options"]:
            advise(capsys, "--set", f"{each['question']}={option['option']}")


@pytest.mark.parametrize(
    "arguments",
    [
        ["--set", "style"],
        ["--set", "ghost=yes"],
        ["--set", "style=purple"],
        ["--set", "style=no", "--set", "tone=strict"],
        ["--set", "=\x1b[31m\n"],
        ["--nonsense"],
        ["surplus"],
    ],
)
def test_bad_input_is_one_line_and_status_2(capsys, arguments):
    assert main(["advise", "--json", *arguments]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert len(err.strip().splitlines()) == 1
    assert "\x1b" not in err


def test_a_set_answer_overrules_the_description(capsys):
    result = advise(capsys, "--text", "prices change daily", "--set", "data-changes=never")
    assert result["answers"] == {"data-changes": "never"}
    assert result["prefilled"]


def test_the_link_brings_the_answers_back(capsys):
    first = advise(capsys, "--set", "style=strict", "--set", "volume=high")
    assert advise(capsys, "--link", first["link"])["answers"] == first["answers"]


def test_every_answer_is_something_the_calculator_takes():
    for question in QUESTIONS.values():
        for option in question.options:
            section = handover.calculator({question.id: option.id})
            _, notes = inputs.check(section)
            assert not notes, (question.id, option.id, notes)


def test_the_calculator_gets_the_answers_with_their_origin():
    section = handover.calculator({"volume": "high", "data-changes": "live"})
    taken, _ = inputs.check(section)
    assert taken.value("queries") == (1_000_000, 5_000_000)
    assert taken.origins["queries"] == "advisor: volume = high"


def test_more_frequent_change_hands_over_more_churn():
    churn = [
        inputs.check(handover.calculator({"data-changes": o.id}))[0].ranges["churn"]
        for o in QUESTIONS["data-changes"].options
    ]
    assert churn == sorted(churn)


@pytest.mark.parametrize("answers", [{}, {"data-changes": "daily"}, {"style": "strict"}, {"citations": "required"}])
def test_the_playground_opens_with_the_question_that_shows_it(answers):
    section = handover.playground(answers, "prompt")
    opened = opening(section, BRIGHTWATER)
    assert opened.question
    assert opened.shows
    assert section["suggestion"] in {each.label for each in BRIGHTWATER.suggestions}
    assert [arm.name for arm in opened.extra_arms] == [handover.PINNED]


def test_the_whole_scenario_survives_the_link():
    answers = {"style": "strict", "data-changes": "daily", "knowledge-size": "large"}
    whole = handover.whole(answers, score.advise(answers).verdict)
    back, notes = scenario.decode(scenario.encode(whole))
    assert not notes
    assert back == whole
    assert handover.answers_in(back["advisor"]) == (answers, [])


def test_what_a_person_set_in_the_calculator_is_kept_and_old_answers_go():
    base = {
        "version": scenario.VERSION,
        "calculator": {"preset": "medical", "inputs": {"horizon": 12, "queries": [1, 2]}},
    }
    base["calculator"]["origins"] = {"queries": "advisor: volume = low"}
    section = handover.whole({"data-changes": "never"}, "prompt", base)["calculator"]
    assert section["inputs"]["horizon"] == 12
    assert section["preset"] == "medical"
    assert "queries" not in section["inputs"], "an answer that was taken back must not linger"


@pytest.mark.parametrize("section", [{}, {"answers": []}, {"answers": {"style": 3}}, {"answers": {"x": {"y": 1}}}])
def test_a_hostile_advisor_section_gives_notes_not_errors(section):
    answers, notes = handover.answers_in(section)
    assert answers == {}
    assert bool(notes) == bool(section)


@given(text=st.text(max_size=400))
@settings(max_examples=100, deadline=None)
def test_any_text_can_be_read(text):
    answers, found = prefill.read(text)
    assert rules.read_answers(answers) == answers
    assert {each.question for each in found} == set(answers)


def test_an_empty_or_endless_text_says_nothing_or_is_cut():
    assert prefill.read("") == ({}, [])
    assert prefill.read("x" * 1_000_000 + " prices change daily")[0] == {}


@pytest.mark.parametrize(
    ("text", "question", "option"),
    [
        ("We have no network", "network", "no"),
        ("It must cite", "citations", "required"),
        ("It need not cite", "citations", None),
        ("2.5 million questions a month", "volume", "high"),
        ("200 questions per day", "volume", "low"),
        ("1,200 pages of manuals", "knowledge-size", "medium"),
        ("three pages of text", "knowledge-size", "fits-prompt"),
        ("1.2.3.4,5,6 documents", "knowledge-size", "medium"),
        ("30,000 labelled examples", "examples", "thousands"),
    ],
)
def test_words_and_numbers_are_read_by_the_rules(text, question, option):
    assert prefill.read(text)[0].get(question) == option
