"""A description as a whole: counted words, what was read first of descriptions kept aside, and what is shown of it."""

import numpy as np
import pytest

from core.advisor import reader, score, whole
from core.advisor.words import parse
from tests.advisor import described, learn

KIOSK = (
    "Our museum's talking bear must remain the bear our author wrote, in all sentences; whatever we prompted fell out "
    "of the role. We keep 4,000 lines by her. Closed rooms and today's shows come from the events calendar."
)


def test_what_is_shipped_is_what_the_descriptions_teach() -> None:
    taught, shipped = learn.learned(learn.cases()), whole.load()
    assert np.allclose(shipped.base, taught.base, atol=0.0011)
    for ours, theirs in ((shipped.signs, taught.signs), (shipped.words, taught.words)):
        assert list(ours) == list(theirs)
        assert np.allclose(np.array(list(ours.values())), np.array(list(theirs.values())), atol=0.0011)


@pytest.mark.parametrize(
    ("name", "first_read"),
    [
        ("descriptions_sealed", 26),
        ("descriptions_sealed_second", 24),
        ("descriptions_sealed_third", 27),
        ("descriptions_sealed_fourth", 27),
        ("descriptions_sealed_fifth", 57),
    ],
)
def test_descriptions_never_learned_are_read_no_worse_than_at_first(name: str, first_read: int) -> None:
    assert name not in described.LEARNED
    right = [
        each for each in described.cases(name) if score.verdict(reader.read(each["text"]).answers) == each["expect"]
    ]
    assert len(right) >= first_read


def test_the_leaning_answers_what_the_rules_missed_and_shows_its_words() -> None:
    (alone, _), read = reader.by_rules(parse(KIOSK)), reader.read(KIOSK)
    assert score.verdict(alone) != "hybrid" == score.verdict(read.answers)
    learned = [each for each in read.found if each.learned]
    assert learned
    assert all(KIOSK[each.start : each.end] == each.words and each.used for each in learned)
    assert {each.question for each in learned} == {
        name for name in read.answers if alone.get(name) != read.answers[name]
    }


def test_a_number_counts_by_its_length_however_it_is_written() -> None:
    assert {"#1 page", "#1 sign"} <= set(whole.features(parse("Three pages. 4 signs.")))
    assert {"#4 file", "#4 letter"} <= set(whole.features(parse("41k files. 41,000 letters.")))


def test_a_text_of_few_known_words_leans_nowhere() -> None:
    assert whole.leaning(parse("Zorblax prices"), []) == {}
    assert whole.settle(parse("Prices change daily."), {"data-changes": "daily"}, [], [], []) is None


def test_numbers_alone_say_nothing_of_what_is_needed() -> None:
    text = (
        "12,000 questions a month, 40,000 USD in the first year, launch in 8 weeks, 2 engineers, 0.40 / 1.60 a million"
    )
    assert reader.read(text).answers == {"resources": "some", "time": "weeks", "volume": "medium"}


def test_nothing_that_contradicts_itself_is_talked_away() -> None:
    text = "We have no network and no room for documents on the device, but every answer must cite its source, always."
    assert score.verdict(reader.read(text).answers) == score.NOTHING
