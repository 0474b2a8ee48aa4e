"""The rules against a person: answers of seven projects that are not Brightwater, graded by hand before any verdict.

tests/campaigns/hand_graded.py says what they are and counts them with intervals.
"""

from tests.evaluation.by_hand import Graded, graded

WRONG = [one for one in graded() if not one.right and not one.row.right and one.read and one.cause]


def other(answers: list[Graded]) -> str:
    return "\n".join(one.words for one in answers)


def test_the_graded_answers_are_as_many_as_the_project_claims() -> None:
    assert len(graded()) >= 200 and len({one.project for one in graded()}) >= 2
    assert len(WRONG) >= 60 and len({one.project for one in WRONG}) >= 2


def test_right_and_wrong_are_what_a_person_says() -> None:
    apart = [one for one in graded() if one.right != one.row.right]
    assert len(apart) <= 0.03 * len(graded()), other(apart)


def test_causes_are_what_a_person_says() -> None:
    """Of answers with passages: without any, there is one cause for nearly all."""
    apart = [one for one in WRONG if one.cause != one.row.cause]
    assert len(apart) <= 0.1 * len(WRONG), other(apart)
