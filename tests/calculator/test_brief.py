"""A brief's numbers: read with their words, none invented, what is left over said; hostile text does no harm."""

import pytest

from core import brief, decide
from core.calculator import inputs

TELECOM = (
    "A support assistant for a telecom: 12,000 questions a month, 900 help articles of 700k tokens in all, tariffs "
    "change weekly, every answer must cite its source, brand voice wanted, 2 engineers, 40,000 USD in the first year, "
    "launch in 8 weeks, 0.40 / 1.60 USD a million tokens. Our CEO likes blue."
)


EACH = "40 lawyers, each asking 15 questions a day"  # not what all of them ask together


def sets(text):
    return {name: value for one in brief.read(text).numbers for name, value in one.sets.items()}


def test_the_telecoms_brief_is_read_whole():
    found = brief.read(TELECOM)
    read = sets(TELECOM)
    wanted = {"queries": 12000, "corpus_tokens": 700000, "people": 2, "budget_first_year": 40000, "launch_target": 8}
    assert wanted.items() <= read.items() and (read["price_in"], read["price_out"]) == (0.4, 1.6)
    assert read["freshness_target"] == 7 and found.answers["citations"] == "required"
    assert found.answers["volume"] == "medium" and found.answers["knowledge-size"] == "medium"
    assert "Our CEO likes blue" in found.left and not any("questions" in text for text in found.left)
    for one in found.numbers:
        assert one.words in TELECOM and one.shown


@pytest.mark.parametrize(
    ("text", "name", "value"),
    [
        ("We answer 300 tickets per day", "queries", [6843.75, 11406.2]),
        ("between 10k and 20k queries a month", "queries", [10000, 20000]),
        ("about 1,000 questions a month", "queries", [750, 1250]),
        ("10-20 thousand emails per month", "queries", [10000, 20000]),
        ("ten thousand emails per month", "queries", 10000),
        ("1.2 million requests a year", "queries", 100000),
        ("5,000 pages of manuals", "corpus_tokens", [2000000, 4000000]),
        ("our wiki has 400 thousand words", "corpus_tokens", 540000),
        ("replies of 200 words", "answer_tokens", 270),
        ("go-live in 3 months", "launch_target", 13.0357),
        ("it must be live within 6 weeks", "launch_target", 6),
        ("a team of three", "people", 3),
        ("four developers will build it", "people", 4),
        ("$60k per year", "budget_first_year", 60000),
        ("budget of 25,000 USD", "budget_total", 25000),
        ("USD 900 a month", "budget_month", 900),
        ("answers within 2 seconds", "latency_target", 2000),
        ("95 % correct", "accuracy_target", 95),
        ("$0.15 in and $0.60 out per million", "price_out", 0.6),
        ("2k questions/month", "queries", 2000),
        ("12 000 questions a month", "queries", 12000),
        ("9,125 daily tickets, prices never change", "churn", 0),
        ("a 6-week deadline", "launch_target", 6),
        ("over three years", "horizon", 36),
        ("10–20k emails a month, 40 releases a month", "queries", [10000, 20000]),
        ("0,40 / 1,60 USD per million tokens", "price_in", 0.4),
        ("growing by 5 % a month", "growth", 5),
        ("we have 3,000 labelled examples", "labelled_rows", 3000),
        ("facts never change", "churn", 0),
        ("prices change hourly", "freshness_target", 0.1),
    ],
)
def test_a_quantity_is_read_in_the_inputs_unit(text, name, value):
    got = sets(text)[name]
    if name == "queries" and "day" in text:
        assert got == pytest.approx(300 * 365 / 12)
    else:
        assert got == pytest.approx(value, rel=1e-5)
    scenario, notes = brief.apply(inputs.defaults(), brief.read(text).numbers)
    assert notes == [] and text.split()[0][:3] and name in scenario.origins


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        "We founded the company in 1998.",
        "no weekly meetings, please",
        "Room 12",
        "1/2",
        EACH,
        "Each of our 40 lawyers asks 15 questions a day",
        "15 questions a day per lawyer",
        "for 120 engineers",
        "for 12 engineers",
        "fines of 20,000 USD",
        "the contract lasted for 8 weeks",
    ],
)
def test_what_is_no_quantity_is_not_read(text):
    assert brief.read(text).numbers == ()


@pytest.mark.parametrize(
    "text",
    [
        EACH,
        "40 lawyers, each asking 15 a day",
        "Each of our 40 lawyers asks 15 questions a day",
        "200 agents ask 30 questions a day each",
        "15 questions a day per lawyer",
        "15 questions per user a day",
    ],
)
def test_what_one_person_asks_is_not_the_volume_of_all(text):
    assert "volume" not in brief.read(text).answers
    together = brief.read("Each answer must cite. 15 questions a day, 300 tickets each day")
    assert together.answers["volume"] == "low" and any("queries" in one.sets for one in together.numbers)


def test_a_voice_that_is_wanted_is_not_a_strict_one():
    for text in ("Brand voice wanted", "Brand voice wanted but not critical", TELECOM):
        assert brief.read(text).answers["style"] == "some"
    assert brief.read("Strict brand voice in every answer").answers["style"] == "strict"


@pytest.mark.parametrize(
    "text",
    [
        "9" * 5000 + " questions a month",
        "1,000," * 3000,
        "<img src=x onerror=alert(1)> 5 questions a day",
        "a " * 10000,
        "\u202e\x00 12 pages",
        "0 / 0 a million, -5 engineers, 1e9 questions a month",
        "999999999999 engineers, 999 million million tokens",
    ],
    ids=range(7),
)
def test_hostile_text_gives_usable_values_or_a_note(text):
    found = brief.read(text)
    scenario, notes = decide.put(inputs.defaults(), found.answers, found.numbers)
    assert inputs.check(scenario.section())[1] == [] and all("\n" not in note for note in notes)


def test_every_pace_can_be_chosen_and_is_found_again():
    for word, values in brief.paces().items():
        assert brief.pace_of(inputs.defaults().replace(values)) == word
    assert brief.pace_of(inputs.defaults()) == ""


def test_every_field_is_an_input_and_its_stops_read_differently():
    assert 8 <= len(decide.fields()) <= 12
    for one in decide.fields():
        assert one.input in inputs.every() and one.help
        if one.scale != "pace":
            stops = one.grid(inputs.defaults().ranges[one.input])
            assert len({one.words(stop) for stop in stops}) == len(stops) and stops == sorted(stops)
            assert set(inputs.defaults().ranges[one.input]) <= set(stops)


def test_the_decision_section_is_bounded_and_never_raises():
    kept, notes = decide.kept({"title": "x" * 1000, "brief": "y" * 9000, "owner": 3, "other": "z"})
    assert len(kept["title"]) == 120 and len(kept["brief"]) == decide.MAX_TEXT and len(notes) == 2
    assert decide.kept([1])[0] == {}
