"""Which passages hold an answer where words alone cannot tell: a yes or no, facts, no answer at all."""

from core.evaluation import hits
from core.evaluation.graders import Grader
from core.evaluation.questions import Question
from core.evaluation.run import Seen


def passage(text: str, document: str = "a.md") -> Seen:
    return Seen(document=document, text=text)


def test_a_yes_or_no_is_held_by_a_sentence_about_the_question_not_by_the_word() -> None:
    asked = Question("Is the press thread-safe?", "No", "own", (), ("a.md",))
    assert hits.stands_here(asked, passage("The press\nis not thread-safe."), ("No",))
    assert not hits.stands_here(asked, passage("No. The press is new. A thread costs $3."), ("No",))
    assert not hits.stands_here(asked, passage("The press is not thread-safe.", "b.md"), ("No",))


def test_facts_are_looked_for_where_there_is_no_answer() -> None:
    asked = Question("Which?", "", "own", graders=(Grader("facts", values=("redis", "win32")), Grader("regex", "x.*")))
    assert hits.sought(asked, ("",)) == ("redis", "win32")
    assert hits.stands_here(asked, passage("Install the redis extra."), ("redis", "win32"))
    assert hits.sought(Question("Q?", "A", "own", graders=asked.graders), ("A", "B")) == ("A", "B")


def test_passages_hold_facts_when_each_stands_in_one_of_them() -> None:
    asked = Question("Which?", "", "own", graders=(Grader("facts", values=("redis", "win32")),))
    both = [passage("Install the redis extra."), passage("Or win32.")]
    assert hits.hit(asked, both, ("redis", "win32")) and not hits.hit(asked, both[:1], ("redis", "win32"))
