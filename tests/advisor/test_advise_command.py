"""`python -m core advise`, the hand-over to the other pages, and the free-text pre-fill."""

import json

import pytest

from core import scenario
from core.__main__ import main
from core.advisor import handover, reader, rules, score
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


def test_a_number_that_was_typed_arrives_as_typed(capsys):
    text = """12,000 questions a month, 900 articles of 700k tokens, weekly tariffs, must cite, 2 engineers,
    40,000 USD in the first year, launch in 8 weeks, 0.40 / 1.60 a million"""
    link = advise(capsys, "--text", text)["link"]
    whole, notes = scenario.decode(link)
    assert not notes
    section = whole["calculator"]
    taken, wrong = inputs.check(section)
    assert not wrong
    for name, value in {
        "queries": 12_000, "corpus_tokens": 700_000, "people": 2, "budget_first_year": 40_000, "launch_target": 8,
        "price_in": 0.4, "price_out": 1.6,
    }.items():  # fmt: skip
        assert taken.ranges[name] == (value, value), name
        assert taken.origins[name].startswith("advisor: “"), name
    assert taken.words["use_fine_tuning"] == taken.words["use_prompt"] == "no"
    assert taken.words["use_retrieval"] == taken.words["use_hybrid"] == "yes"
    assert taken.origins["use_fine_tuning"] == "advisor: A fine-tuned model by itself cannot name its sources."
    again = advise(capsys, "--link", link)
    assert again["link"] == link, "numbers and answers survive the link"


def test_a_number_beyond_what_an_input_takes_is_left_out_with_a_note():
    numbers, notes = handover.numbers_in({"numbers": {"queries": [-5, -5, "x"], "people": [1, 2, "1 to 2"], "z": 3}})
    assert list(numbers) == ["people"]
    assert len(notes) == 2
    assert handover.numbers_in({"numbers": []})[1]


def test_of_two_numbers_for_one_input_the_surer_is_taken_and_shown_in_its_unit():
    numbers = handover.numbers_of(reader.read("900 articles of 700k tokens").facts)
    assert {name: handover.goes_to(name, each) for name, each in numbers.items()} == {
        "corpus_tokens": ("Corpus", "700,000 tokens")
    }
    alone = handover.numbers_of(reader.read("We have 900 articles.").facts)
    assert handover.goes_to("documents", alone["documents"]) == ("Corpus", "270,000 to 2,700,000 tokens")
