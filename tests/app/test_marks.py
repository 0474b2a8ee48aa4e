"""What an answer is worth at a glance: by what is known to be right, else by its passages."""

from dataclasses import replace
from typing import Any

import pytest

from core import marks
from core.evaluation.questions import Question
from core.marks import key, known, mark
from core.records import ArmRecord, PassageRecord
from tests.given import BRIGHTWATER

PRICE = Question("What does it cost?", "$389", "changed", values={"today": "$389", "training-day": "$340"})
NOBODY = Question("Who keeps goal?", "", "no-document")
TODAY = ("The Tidal Press sells for $389 in our shops.",)
EDITED = ("The Tidal Press sells for $425 in our shops.",)


def arm(answer: str, passages: tuple[str, ...] = (), **rest: Any) -> ArmRecord:
    return ArmRecord("a", "done", answer=answer, finish="stop", passages=tuple(map(_passage, passages)), **rest)


def _passage(text: str) -> PassageRecord:
    return PassageRecord("d.md", text)


@pytest.mark.parametrize(
    ("answer", "passages", "expected", "kind", "good", "word"),
    [
        ("It costs $389.", TODAY, PRICE, "right", True, "$389"),
        ("It costs $340.", (), PRICE, "stale", False, "training day"),
        ("It costs $25.", (), PRICE, "invented", False, "$389"),
        ("It costs $25.", TODAY, PRICE, "wrong", False, "25"),
        ("It costs $425.", EDITED, PRICE, "grounded", None, "do not hold $389"),
        ("It sells in our shops.", TODAY, PRICE, "wrong", False, "$389"),
        ("I could not find that.", TODAY, PRICE, "declined", False, "lay before it"),
        ("I could not find that.", (), NOBODY, "declined", True, "says so"),
        ("Maria Lopez keeps goal.", (), NOBODY, "invented", False, "no document"),
        ("It costs $389.", TODAY, None, "grounded", None, "every number"),
        ("It costs $12.", TODAY, None, "invented", False, "12"),
        ("It costs $12.", (), None, "unknown", None, "nothing"),
    ],
)
def test_each_mark(
    answer: str, passages: tuple[str, ...], expected: Question | None, kind: str, good: bool | None, word: str
) -> None:
    found = mark(arm(answer, passages), "What does it cost?", expected)
    assert found is not None and (found.kind, found.good) == (kind, good) and word in found.why


WAY = Question("How long is the walk?", "3 hours", "own")
PATH = ("From the bus stop it is a walk of 3 hours. The path is marked white and red.",)
OTHER = ("The path is marked white and red. The warranty runs for 2 years.",)


@pytest.mark.parametrize(
    ("answer", "passages", "expected", "kind"),
    [
        # Whatever it is, it was not what the passages say.
        ("Take a photo of your friend's wedding.", PATH, WAY, "wrong"),
        ("The path is marked red.", PATH, WAY, "wrong"),
        # A changed document gives another value of that kind; a warranty's years are none of a walk.
        ("It is a walk of 4 hours.", ("It is a walk of 4 hours.",), WAY, "grounded"),
        ("The walk takes 2 years.", OTHER, WAY, "wrong"),
        # Where no document answers: an answer all the same, or something else that was read.
        ("The walk is long: red.", OTHER, Question("How long is the walk?", "", "no-document"), "invented"),
        ("The warranty runs for 2 years.", OTHER, Question("How long is the walk?", "", "no-document"), "wrong"),
        ("The warranty runs for 2 years.", (), Question("How long is the walk?", "", "no-document"), "invented"),
        # Neither an item's number nor the first word of a line states anything.
        ("1. The path is marked red.\n2. The path is marked white.", OTHER, WAY, "wrong"),
        ("Marked red.\nWhite. \n- Red", OTHER, WAY, "wrong"),
        # Neither yes and no nor a misspelt name are names of its own; two names that were read make one that was not.
        ('The answer is: "Yes, the path is marked red."', PATH, WAY, "wrong"),
        ("The Gletch path is marked red.", ("The Gletsch path is marked red.",), WAY, "wrong"),
        ("It is the Piz Gletsch.", ("From Gletsch to the Piz. The path is marked red.",), NOBODY, "invented"),
        # Offering help at length states nothing; offering it in passing does not hide what is stated.
        ("I'm happy to help. I can provide many sweets. What can I do for you?", (), WAY, "wrong"),
        ("I'm happy to help. It leads over a glacier and then through a wood of pines.", (), WAY, "invented"),
        ("How long is the walk?", (), WAY, "wrong"),
        ("The walk is long. What do you need?", ("Name what you need.",), replace(WAY, answer="Jovan"), "wrong"),
        ("1. The path is red. The answer is yes.", PATH, Question("Is there a sauna?", "", "no-document"), "invented"),
        ("I am only a model: I don't have the ability to see the way.", PATH, WAY, "declined"),
    ],
)
def test_invented_had_no_source_and_wrong_is_what_is_not_right_though_passages_were_read(
    answer: str, passages: tuple[str, ...], expected: Question, kind: str
) -> None:
    found = mark(arm(answer, passages), expected.question, expected)
    assert found is not None and found.kind == kind, found


def test_what_the_instruction_names_was_read_too() -> None:
    told = arm("It is the Gletsch Hut, and the path is red.", PATH, prompt="You answer visitors of the Gletsch Hut.")
    found, without = (mark(one, "Where is it?", None) for one in (told, replace(told, prompt="")))
    assert found is not None and without is not None and (found.kind, without.kind) == ("grounded", "invented")


def test_words_of_the_question_alone_are_not_from_the_passages() -> None:
    found = mark(arm("The document is a late book and I am upset."), "I was charged for a late book.", None)
    again = mark(arm("I was charged for a late book.", PATH), "I was charged for a late book.", None)
    assert found is not None and again is not None and (found.kind, again.kind) == ("unknown", "unknown")


@pytest.mark.parametrize(
    "said", ["Before 12:00.", "Come before noon.", "By 12 noon.", "Before midday.", "Before 12 pm."]
)
def test_noon_is_a_time_like_any_other(said: str) -> None:
    found = mark(arm(said, ("Come before noon.",)), "When?", Question("When?", "noon", "static"))
    assert found is not None and found.kind == "right", found


def test_a_snapshots_own_value_is_right_on_its_day() -> None:
    found = mark(arm("It costs $340."), "What does it cost?", PRICE, "training-day")
    assert found is not None and found.good


@pytest.mark.parametrize("rest", [{"problem": "died"}, {"finish": "cancelled"}, {"answer": " "}])
def test_an_answer_that_is_none_has_no_mark(rest: dict[str, Any]) -> None:
    made = ArmRecord(**{"arm": "a", "state": "done", "answer": "x", "finish": "stop"} | rest)
    assert mark(made, "q", PRICE) is None


def test_questions_are_known_whatever_their_case_and_punctuation() -> None:
    found = known(BRIGHTWATER, [[PRICE]])
    assert found[key("how much does the TIDAL PRESS cost")].answer == "$389"
    assert found[key("What does it cost")] is PRICE
    assert set(marks.WORDS) == {"right", "stale", "invented", "declined", "wrong", "grounded", "unknown"}


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ("I'm sorry for the confusion. The Tidal Press costs $389.", "right"),
        ("I’m sorry, but it costs $389.", "right"),
        ("I am sorry, the press costs $340.", "stale"),
        ("My apologies for the wait! It costs $25.", "wrong"),
        ("I am not sure, but I believe it costs $389.", "right"),
        ("I do not have the exact price, but the Tidal Press should cost $25.", "wrong"),
        ("I'm sorry.", "declined"),
        ("I am very sorry, but I cannot help you with that.", "declined"),
        ("I'm sorry, but I can't provide the price of the Tidal Press.", "declined"),
        ("Brightwater here! I could not find that in our documents. Happy brewing!", "declined"),
        ("I could not find the price. Would you like to know how much the Tidal Press weighs?", "declined"),
        ("I could not find the price, but our shops open at 9.", "declined"),
        ("You could not find a better press: it costs $389.", "right"),
        ("I'm a support assistant and not equipped to help with prices.", "declined"),
        ("I leave that to our baristas.", "declined"),
        ("I'm happy to help with any request you may have.", "wrong"),
        ("I'm happy to help: it costs $25.", "wrong"),
        ('It is sold as "our finest piece of brass".', "wrong"),
        ('It "sells for $389 in our shops".', "right"),
    ],
)
def test_an_apology_is_no_answer_and_does_not_hide_one(answer: str, kind: str) -> None:
    found = mark(arm(answer, TODAY), "How much does the Tidal Press cost?", PRICE)
    assert found is not None and found.kind == kind, found


@pytest.mark.parametrize(
    ("answer", "question", "kind"),
    [
        ("The answer is: 3.", "For how many years is it repaired?", "right"),
        ("The answer is: 3.", "How long is it repaired?", "wrong"),
        ("3 or 6.", "For how many years is it repaired?", "wrong"),
        ("3 kg.", "For how many years is it repaired?", "wrong"),
    ],
)
def test_a_bare_number_answers_where_the_question_names_its_unit(answer: str, question: str, kind: str) -> None:
    years = Question(question, "3 years", "static")
    found = mark(arm(answer, ("The warranty runs for 3 years, 6 with our card; it weighs 3 kg.",)), question, years)
    assert found is not None and found.kind == kind


@pytest.mark.parametrize(
    ("answer", "kind"),
    [("The answer is: No.", "unknown"), ("It is sold in our shops.", "grounded"), ("Tidal Press: $389.", "grounded")],
)
def test_what_passages_say_is_told_by_their_words_and_what_cannot_be_checked_is_not_theirs(
    answer: str, kind: str
) -> None:
    found = mark(arm(answer, ("The Tidal Press is sold for $389 in our shops.",)), "Do you sell tea?", None)
    assert found is not None and found.kind == kind


@pytest.mark.parametrize(
    ("answer", "passages", "words"),
    [
        ("It costs $389.", (), ["$389"]),
        ("It costs 389 dollars.", (), ["389"]),
        ("It was $340, they say.", (), ["$340"]),
        ("It costs $25, or 25 dollars.", TODAY, ["25", "25"]),
        ("The Piz Palu costs a lot.", TODAY, ["Piz Palu"]),
        ("I could not find that.", TODAY, []),
    ],
)
def test_the_words_that_decided_are_found_in_the_answer(
    answer: str, passages: tuple[str, ...], words: list[str]
) -> None:
    found = mark(arm(answer, passages), "What does it cost?", PRICE)
    assert found is not None
    assert [answer[start:end] for start, end in marks.places(answer, found.words)] == words


def test_places_lie_apart_and_no_number_stands_within_another() -> None:
    text = "$3,890 is not $389; 389.5 is neither, and a  year is a year."
    found = [text[start:end] for start, end in marks.places(text, ["$389", "389", "a year", "", "  "])]
    assert found == ["$389", "a  year", "a year"]
    assert marks.places("", ["x"]) == [] and marks.places("a+b", ["a+b"]) == [(0, 3)]
