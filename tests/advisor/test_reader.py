"""The reader of descriptions: negation, degree, numbers and rates; every word accounted for; whole cases."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.advisor import reader, rules, score
from tests.advisor import described


@pytest.mark.parametrize("name", described.LEARNED)
def test_a_description_alone_leads_to_the_right_recommendation(name: str) -> None:
    wrong = [
        each["title"]
        for each in described.cases(name)
        if score.verdict(reader.read(each["text"]).answers) != each["expect"]
    ]
    assert len(wrong) <= len(described.cases(name)) / 15, wrong


@pytest.mark.parametrize("name", ["descriptions_new", "descriptions_aside"])
def test_what_a_description_says_is_read(name: str) -> None:
    said = [(each, question, option) for each in described.cases(name) for question, option in each["answers"].items()]
    missed = [
        (each["title"], question) for each, question, option in said
        if reader.read(each["text"]).answers.get(question) != option
    ]  # fmt: skip
    assert len(missed) <= 0.05 * len(said), missed


@pytest.mark.parametrize(
    ("text", "question", "option"),
    [
        ("We have no network", "network", "no"),
        ("It must cite", "citations", "required"),
        ("It need not cite", "citations", "no"),
        ("Sources are not optional", "citations", "required"),
        ("Weekly tariffs, must cite, voice wanted.", "citations", "required"),
        ("Weekly tariffs, must cite, voice wanted.", "style", "some"),
        ("45 policies of 10 pages each", "knowledge-size", "medium"),
        ("The answers hang on a poster", "knowledge-size", "fits-prompt"),
        ("One leaflet explains it", "knowledge-size", "fits-prompt"),
        ("Brand voice wanted but not critical", "style", "some"),
        ("Brand voice is not wanted", "style", "no"),
        ("The tone does not matter", "style", "no"),
        ("The tone does not matter much", "style", "some"),
        ("It may never leave our tone of voice", "style", "strict"),
        ("A consistent brand voice would be nice", "style", "some"),
        ("Every letter must keep the house style", "style", "strict"),
        ("JSON is not needed", "format", "free"),
        ("Prices do not change", "data-changes", "never"),
        ("Prices hardly ever change", "data-changes", "rarely"),
        ("The rules are revised every other month", "data-changes", "monthly"),
        ("Tariffs move twice a week", "data-changes", "daily"),
        ("Tariffs change several times a day", "data-changes", "live"),
        ("50 rhymes a month", "data-changes", None),
        ("Our weekly meeting", "data-changes", None),
        ("2.5 million questions a month", "volume", "high"),
        ("200 questions per day", "volume", "low"),
        ("250k alerts/month", "volume", "medium"),
        ("A 300-page handbook", "knowledge-size", "medium"),
        ("A two-page sheet", "knowledge-size", "fits-prompt"),
        ("1,200 pages of manuals", "knowledge-size", "medium"),
        ("three pages of text", "knowledge-size", "fits-prompt"),
        ("70 entries, but everything fits into the prompt", "knowledge-size", "fits-prompt"),
        ("700k tokens of text", "knowledge-size", "medium"),
        ("40 employees and 12 customers", "knowledge-size", None),
        ("1.2.3.4,5,6 documents", "examples", None),
        ("30,000 labelled examples", "examples", "thousands"),
        ("16,000 transcripts were annotated by hand", "examples", "thousands"),
        ("Launch in 8 weeks", "time", "weeks"),
        ("It has been like this for 8 weeks", "time", None),
        ("Answers within 200 ms", "latency", "tight"),
    ],
)
def test_negation_degree_numbers_and_rates(text: str, question: str, option: str | None) -> None:
    assert reader.read(text).answers.get(question) == option


def test_exact_numbers_are_kept_with_their_unit() -> None:
    read = reader.read("20,000 to 60,000 questions a month, 3 developers, answers within 2 seconds, 1,500 USD a month")
    assert {each.name: (each.low, each.high) for each in read.facts} == {
        "queries": (20_000, 60_000),
        "people": (3, 3),
        "latency_ms": (2000, 2000),
        "budget_month": (1500, 1500),
    }


@pytest.mark.parametrize(
    ("text", "facts"),
    [
        ("0.40 USD per million input tokens and 1.60 per million output", {"price_in": 0.4, "price_out": 1.6}),
        ("$0.40 in and $1.60 out per 1M tokens", {"price_in": 0.4, "price_out": 1.6}),  # and no text of 1M tokens
        ("It costs $0.40 per 1M tokens", {}),
        ("45 policies of 10 pages each", {"documents": 45, "pages": 450}),
        ("900 articles averaging 800 words", {"documents": 900, "words": 720_000}),
        ("900 articles of 700k tokens in all", {"documents": 900, "corpus_tokens": 700_000}),
        ("90,000 USD in total, 40,000 USD in year one", {"budget_total": 90_000, "budget_first_year": 40_000}),
        ("The budget is 3,000 EUR a month", {}),  # not read as so many dollars
        ("We do not have 2 engineers", {}),
        ("No more than 40,000 USD in the first year", {"budget_first_year": 40_000}),
        ("Answers in 800ms", {"latency_ms": 800}),
        ("p95 under 2 s", {"latency_ms": 2000}),
        ("In the 1990s we wrote 200 pages", {"pages": 200}),
        ("12,000 monthly questions", {"queries": 12_000}),
        ("Questions: 12,000/month", {"queries": 12_000}),
        ("Live within the next 8 weeks", {"launch_weeks": 8}),
        ("two devs", {"people": 2}),
    ],
)
def test_numbers_as_people_write_them(text: str, facts: dict[str, float]) -> None:
    assert {each.name: each.low for each in reader.read(text).facts} == facts


def test_what_was_read_and_what_not_stands_beside_the_text() -> None:
    text = "Prices change daily.\nOur zorblax must never leave our brand voice, really."
    read = reader.read(text)
    assert "".join(piece.text for piece in read.pieces) == text
    assert "zorblax" in read.unread
    kinds = {piece.text: piece.kind for piece in read.pieces}
    assert kinds["daily"] == reader.READ
    assert all(text[each.start : each.end] == each.words for each in (*read.found, *read.facts))


def test_plainer_words_overrule_and_the_others_stay_visible() -> None:
    read = reader.read("A handbook of 12 articles; everything fits into the prompt.")
    assert read.answers["knowledge-size"] == "fits-prompt"
    assert any(each.words == "handbook" and not each.used for each in read.found)
    assert reader.OVERRULED in {piece.kind for piece in read.pieces}


@given(text=st.text(max_size=400))
@settings(max_examples=100, deadline=None)
def test_any_text_can_be_read(text: str) -> None:
    read = reader.read(text)
    assert rules.read_answers(read.answers) == read.answers
    assert {each.question for each in read.found if each.used} == set(read.answers)
    assert "".join(piece.text for piece in read.pieces) == text


@pytest.mark.parametrize(
    "part", ["a ", "no ", "1 ", "every 2 ", "-/", "must not want the voice tone style ", "each answer "]
)
def test_an_endless_text_is_cut_and_read_in_bounded_work(part: str) -> None:
    started = time.process_time()
    reader.read(part * 20_000)
    assert time.process_time() - started < 20, "work must not grow with the square of the text"


def test_an_empty_text_says_nothing_and_what_lies_beyond_the_limit_is_not_read() -> None:
    assert reader.read("") == reader.Reading({}, (), (), ())
    assert reader.read("x" * 1_000_000 + " prices change daily").answers == {}
