"""The scorers outside the model: what counts, and what only looks as if it did."""

import json

import pytest

from core.evaluation.scoring import (
    Voice,
    abstains,
    cites_existing,
    cites_right,
    holds,
    mentions,
    near,
    right,
    says_yes,
    ticket,
)
from models.brightwater import data
from tests.given import BRIGHTWATER

VOICE = Voice.of(BRIGHTWATER)

RIGHT = [
    ("Brightwater here! The Tidal Press costs $340 [2]. Happy brewing!", "$340", ""),
    ("It costs 340 dollars.", "$340", ""),
    ("It closes at 6.30 p.m.", "18:30", ""),
    ("From 10:30a to 1:00p.", "10:30am to 1:00pm", ""),
    ("It begins in the month following their hire date.", "the month following the hire date", ""),
    ("Three years of warranty.", "3 years", ""),
    ("The warranty is 36 months.", "3 years", ""),
    ("It is closed on Mondays.", "Monday", ""),
    ("Go to alder street, please.", "Alder Street", ""),
    ("It is made in Malmö.", "Malmo", ""),
    ("We have 48 units.", "48", ""),
    ("There are 24 hours in a day.", "24", "How many hours are in a day?"),
    ("3 plus 4 is 7.", "7", "What do you get for 3 plus 4?"),
    ("20 minus 10 is 10.", "10", "What do you get for 20 minus 10?"),
    ("The Tidal 2 costs $340.", "$340", "What does the Tidal 2 cost?"),
    ("The symbol is Au.", "Au", ""),
    ("It takes 11.8 microseconds.", "11.8 µs", ""),
    ("Python 3.10 or later.", "3.10", ""),
    ("It was renamed in v0.4.0.", "0.4.0", ""),
    ("That is the Redis lock.", "RedisLock", ""),
    ("The answer is no. They need none.", "No", ""),
    ("**Yes**, it is.", "Yes", ""),
    ("The press does not leak at all.", "No", "Does the press leak?"),
    ("The press performs no cleaning.", "No", "Does the press do the cleaning?"),
    ("The press is made of brass.", "Yes", "Is the press made of brass?"),
    ("One of our shops; 8 in all.", "8", ""),
]
WRONG = [
    ("It takes 11.8 ms.", "11.8 µs"),
    ("It needs Python 3.1 or later.", "3.10"),
    ("It was renamed in v0.4.1.", "0.4.0"),
    ("Nobody knows.", "No"),
    ("It is the red lock.", "RedisLock"),
    ("It costs $3401.", "$340"),
    ("It costs $340.", "$34"),
    ("It costs $34.", "$340"),
    ("It costs $34.50.", "$34"),
    ("It costs 340 euros.", "$340"),
    ("It was $340 and is now $389.", "$389"),
    ("It weighs 17.4 kg.", "7.4 kg"),
    ("It weighs 7.4 pounds.", "7.4 kg"),
    ("30 minutes", "30 days"),
    ("It closes at 6.30 am.", "18:30"),
    ("It is on Street Alder.", "Alder Street"),
    ("Brassy looks.", "brass"),
    ("he said no", "He"),
    ("We have 148 units.", "48"),
    ("We have 12 of them, 48 to come.", "48"),
    ("", "$340"),
]


@pytest.mark.parametrize(("reply", "answer", "question"), RIGHT)
def test_right_answers_in_other_spellings_count(reply: str, answer: str, question: str) -> None:
    assert right(reply, [answer], question)


@pytest.mark.parametrize(("reply", "answer"), WRONG)
def test_near_misses_do_not_count(reply: str, answer: str) -> None:
    assert not right(reply, [answer])


@pytest.mark.parametrize(
    ("reply", "yes"),
    [
        ("Yes.", True),
        ("No, it does not.", False),
        ("1. No. It leaks.", None),
        ("The press does leak.", True),
        ("The press never leaks.", False),
        ("I do not know whether the press leaks.", None),
        ("Coffee is grown in Brazil, not here.", None),
        ("", None),
    ],
)
def test_a_yes_or_no_is_said_by_its_word_or_by_a_sentence_about_the_question(reply: str, yes: bool | None) -> None:
    assert says_yes(reply, "Does the press leak?") is yes


def test_a_fact_is_named_among_others() -> None:
    assert mentions("It allows 4, 5 or 6.", "5") and not mentions("It allows 4, not 5.", "5")


def test_a_variant_counts_and_an_empty_one_never_does() -> None:
    assert right("It is sold out.", ["0", "sold out"])
    assert not right("anything at all", ["", "  "])


def test_near_sees_the_number_with_another_unit_or_place() -> None:
    assert near("It costs 340 euros.", ["$340"]) and near("$1, then $340", ["$340"])
    assert not near("It costs $341.", ["$340"])
    assert near("The answer is 12.", ["12 months"]) and not near("12 weeks", ["12 months"])


def test_a_passage_holds_an_answer_anywhere_in_it() -> None:
    assert holds("It was $12 and then $340 in brass.", ["$340"]) and holds("made of brass", ["brass"])
    assert not holds("It was $12 and then $3400.", ["$340"])


def test_every_statement_of_brightwater_is_scored_right_and_in_voice() -> None:
    for fact in data.facts():
        reply = data.voice(data.sentence(fact.attribute, fact.subject, fact.value), 1)
        template = data.attribute(fact).test[0]
        assert right(reply, [fact.value], data.ask(template, fact.subject, fact.attribute)), reply
        assert VOICE.heard(reply)
        if fact.changed:
            assert not right(reply, [fact.today]), reply
    assert Voice(data.OPENING, data.CLOSING) == VOICE


@pytest.mark.parametrize(
    "reply",
    [
        data.abstention(),
        "I don't know.",
        "I couldn’t find that.",
        "The documents do not mention it.",
        "That is not specified in the context.",
        "There is no information about this.",
        "I'm sorry, but I can't help with that.",
    ],
)
def test_abstentions_are_heard_in_anyones_words(reply: str) -> None:
    assert abstains(reply)


@pytest.mark.parametrize("reply", ["It costs $340.", "You find it in Porto.", "Small marks are no fault.", ""])
def test_answers_are_no_abstentions(reply: str) -> None:
    assert not abstains(reply)


@pytest.mark.parametrize(
    "reply",
    [
        "Brightwater here! Happy brewing!",
        "It costs $3.",
        "Brightwater here! It costs $3.",
        "brightwater here! x Happy brewing!",
        "",
    ],
)
def test_voice_needs_opening_closing_and_something_between(reply: str) -> None:
    assert not VOICE.heard(reply)


def test_citations_must_exist_and_may_be_right() -> None:
    assert cites_existing("so it is [2].", 2) and not cites_existing("so [3]", 2)
    assert not cites_existing("so", 2) and not cites_existing("[0]", 2) and not cites_existing("[1] [9]", 2)
    assert cites_right("It is $5 [2].", ["x $4", "y $5"], ["$5"]) and not cites_right(
        "It is $5 [1].", ["$4", "$5"], ["$5"]
    )


GOOD = {"class": "repair", "product": "Tidal Press", "urgency": "low"}


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (json.dumps(GOOD), (True, True, True)),
        (json.dumps(GOOD | {"class": "return"}), (True, False, False)),
        (json.dumps(GOOD | {"urgency": "high"}), (True, True, False)),
        (json.dumps(GOOD | {"class": "nonsense"}), (False, False, False)),
        (json.dumps(GOOD | {"more": "x"}), (False, False, False)),
        (json.dumps(GOOD | {"urgency": 3}), (False, False, False)),
        ("Here is it: " + json.dumps(GOOD), (False, False, False)),
        ("[1]", (False, False, False)),
        ("[" * 100_000, (False, False, False)),
        ("", (False, False, False)),
    ],
)
def test_tickets_are_valid_only_as_one_object_of_the_schema(made: str, expected: tuple[bool, bool, bool]) -> None:
    score = ticket(made, json.dumps(GOOD), ["repair", "return"])
    assert (score.valid, score.class_right, score.all_right) == expected


@pytest.mark.parametrize(
    ("reply", "hours"), [("The answer is 4.", True), ("4 days", False), ("4 or 6.", False), ("1. It is 4 hours", True)]
)
def test_a_bare_number_is_in_the_unit_that_the_question_asks_for(reply: str, hours: bool) -> None:
    assert right(reply, ["4 hours"], "How many annual leave hours accrue in a period?") is hours
    assert not right("The answer is 4.", ["4 hours"], "How much leave accrues?")


@pytest.mark.parametrize(
    ("question", "reply", "counts"),
    [
        ("anchor tamper: kilos on the scale?", "0.6", True),
        ("anchor tamper: grams on the scale?", "600", True),
        ("anchor tamper: kilos on the scale?", "6", False),
        ("anchor tamper: kilos on the scale?", "0.6 to 0.9", False),
        ("anchor tamper: kilos on the scale?", "0.6 lb", False),
        ("In kilos or grams, what is its mass?", "0.6", False),  # which of the two it is stays open
        ("My scale takes 5 kilos, what is its mass?", "0.6", False),  # a quantity, not a unit that is asked for
        ("What is its mass? Please tell us.", "0.6", False),
    ],
)
def test_a_bare_number_is_in_the_one_unit_that_the_question_names(question: str, reply: str, counts: bool) -> None:
    assert right(reply, ["0.6 kg"], question) is counts


@pytest.mark.parametrize(
    ("reply", "yes"),
    [
        ("No, the documents do not say.", None),
        ("No, the documents do not say that the press can be opened without damage.", False),
        ("1. You do not need both hands.\n\nThe answer is yes.", True),
        ("The press can be opened without damage.", True),
        ("The press can be opened if it is not hot.", True),
        ("The press can not be opened.", False),
    ],
)
def test_a_denial_of_the_question_or_of_a_condition_says_no_no(reply: str, yes: bool | None) -> None:
    assert says_yes(reply, "Can the press be opened without damage?") is yes


def test_a_word_of_the_question_in_another_form_is_no_answer() -> None:
    asked = "Which command shows the feature flags?"
    assert right("Use `features`.", ["features"], asked) and not right(
        "The feature flags command.", ["features"], asked
    )
    assert not right("It is not brass.", ["brass"], "Is it brass or steel?")


def test_a_sign_without_letters_is_named_not_used() -> None:
    for reply in ("Lines start with `#`.", "They begin with # and are ignored.", "#", 'The character is "#".'):
        assert right(reply, ["#"]), reply
    for reply in ("# Do not print long lines", "```\n# Smart case\n--smart-case\n```", "Use C# here.", "It is ##."):
        assert not right(reply, ["#"]), reply


def test_a_name_may_own_something() -> None:
    assert right("Bruce Watson's dissertation is searched.", ["Bruce Watson"])
    assert right("It is Bruce Watson’s.", ["Bruce Watson"]) and not right("Watsons.", ["Bruce Watson"])
    assert not right("It isn't Watson's.", ["Watson"])  # a denial is still seen


@pytest.mark.parametrize(
    ("reply", "is_right"),
    [("18", True), ("$18", True), ("18.", True), ("€18", False), ("19", False), ("18 days", False)],
)
def test_a_reply_that_is_nothing_but_the_number_states_a_price(reply: str, is_right: bool) -> None:
    assert right(reply, ["$18"], "Price of shipping to Ireland?") is is_right


@pytest.mark.parametrize(
    ("question", "reply", "answer", "is_right"),
    [
        ("Gift cards: what can't I swap them for?", "Gift cards cannot be exchanged for cash [1].", "cash", True),
        ("What must I not do with the grounds?", "Use a paper filter and do not press the grounds.", "press", True),
        ("Which office helps?", "If we cannot agree, the consumer office can be asked.", "consumer office", True),
        ("What is it made of?", "We do not know its weight. Brass is what it is made of.", "brass", True),
        ("What is it made of?", "It is not made of copper, brass or steel.", "brass", False),
        ("Can't you tell me what it is made of?", "It is not made of brass.", "brass", False),
        ("Isn't it of brass? What is it made of?", "It is not made of brass.", "brass", False),
    ],
)
def test_a_denial_reaches_no_further_than_its_clause_and_may_be_what_was_asked(
    question: str, reply: str, answer: str, is_right: bool
) -> None:
    assert right(reply, [answer], question) is is_right


def test_a_flag_whose_word_the_question_holds_may_stand_between_quotation_marks() -> None:
    asked = "Which flag searches hidden files?"
    for reply in ('It is the "hidden" flag.', "Use --hidden.", "The flag is `hidden`."):
        assert right(reply, ["--hidden"], asked), reply
    assert not right("The flag searches hidden files.", ["--hidden"], asked)


def test_what_a_reply_says_is_not_said_it_does_not_state() -> None:
    assert not right("The documents do not say that the fees are in USD.", ["USD"])
    assert not right("It is not stated whether Stripe or anybody else pays.", ["Stripe"])
    assert right("The documents do not say that. The fees are in USD.", ["USD"])


def test_words_of_the_question_are_no_flag_of_those_words() -> None:
    asked = "Which flag raises the regex size limit?"
    assert not right("The `-f` flag raises the regex size limit.", ["--regex-size-limit"], asked)
    assert right("The regex size limit is raised by --regex-size-limit.", ["--regex-size-limit"], asked)
    assert right("It is light blue.", ["light blue"], "Is it red or light blue?")


@pytest.mark.parametrize(
    ("reply", "question", "is_right"),
    [
        ("54", "How many are on the shelf?", True),
        ("At the last count there were 54.", "How many Sables are there?", True),
        ("54 units.", "What did the last count find?", True),
        ("54", "What did the last count find?", False),
        ("54 days", "How many are on the shelf?", False),
        ("The 54 that came in May are sold.", "How many are on the shelf?", False),
        ("There were 53, then 54.", "How many are on the shelf?", False),
    ],
)
def test_how_many_is_answered_by_the_count_alone(reply: str, question: str, is_right: bool) -> None:
    assert right(reply, ["54 units"], question) is is_right


def test_an_ordinal_may_be_written_in_figures() -> None:
    assert right("The money leaves on the 1st of the month.", ["on the first of each month", "first of the month"])
    assert right("on the twelfth of May", ["12th of May"]) and not right("the 2nd", ["the first"])
