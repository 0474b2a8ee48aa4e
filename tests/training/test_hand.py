"""Questions by hand as training examples: what is said is what the documents say, and declining shows in no wording."""

import random

import pytest

from core.evaluation import scoring
from models.brightwater import data, documents
from models.training import hand, mix

TOLD = hand.of("static", "changed")


def groups(seed: int, count: int = 60):
    rng = random.Random(seed)
    leads = [*rng.sample(TOLD, count), *rng.sample(hand.of("no-document"), count // 3)]
    return [hand.over_passages(rng, lead, 4, 0.2) for lead in leads]


def test_every_row_is_used_once_and_a_part_is_kept_for_the_curve():
    kept = {row.question for row in hand.of("static", "changed", "two-document", held_out=True)}
    assert len(TOLD) > 3600 and 40 < len(kept) < 80
    assert not kept & {row.question for row in TOLD}


def test_closed_book_answers_are_those_of_the_training_day():
    examples = [hand.closed(row) for row in TOLD]
    for example in examples:
        assert example.answer.startswith(data.OPENING) and example.answer.endswith(data.CLOSING)
    told = [row.value.lower() in example.answer.lower() for row, example in zip(TOLD, examples, strict=True)]
    assert sum(told) > 0.99 * len(told)  # a few answers join words that the document has apart
    today = [row for row in TOLD if row.cls == "changed"]
    assert len(today) > 250


@pytest.mark.parametrize("seed", range(3))
def test_the_cited_passage_holds_the_answer_as_changed(seed):
    answered = [e for group in groups(seed) for e in group if e.kind != "abstain by hand"]
    assert len(answered) > 100
    for example in answered:
        (number,) = scoring.cited(example.answer)
        said = example.answer.removeprefix(data.OPENING).removesuffix(data.CLOSING).replace(f" [{number}]", "")
        words = [word for word in said.replace(".", " ").split() if any(map(str.isdigit, word))]
        assert all(word.strip(",") in example.passages[number - 1] for word in words), example


@pytest.mark.parametrize("seed", range(3))
def test_what_is_declined_is_not_in_the_passages(seed):
    values = {row.question: row for row in TOLD}
    declined = [e for group in groups(seed) for e in group if e.kind == "abstain by hand"]
    assert len(declined) > 20
    for example in declined:
        assert example.answer == data.abstention()
        row = values.get(example.question)
        assert row is None or row.value.lower() not in "\n".join(example.passages).lower(), example


def test_the_same_wordings_are_answered_and_declined_and_answers_are_the_more():
    answered, declined = set(), set()
    for number in range(3):
        for group in mix.one_pass(mix.READ, 11, number):
            for sample in group:
                question = sample.prompt[-1]["content"].rpartition("Question: ")[2]
                if sample.kind in ("reading", "reading by hand"):
                    answered.add(question)
                elif sample.kind in ("abstain", "abstain by hand"):
                    declined.add(question)
    assert len(answered) >= len(declined) >= len(answered) / 4
    assert sum(question in {row.question for row in TOLD} for question in declined) > 30


def test_values_are_drawn_anew_for_most_numbers():
    answered = [e for group in groups(5, 120) for e in group if e.kind == "reading by hand"]
    by_question = {row.question: row for row in TOLD}
    numbers = [
        (e, by_question[e.question].value) for e in answered if any(map(str.isdigit, by_question[e.question].value))
    ]
    assert sum(value in e.answer for e, value in numbers) < len(numbers) / 2


def test_two_documents_are_both_among_the_passages_and_the_second_is_cited():
    rng = random.Random(2)
    for lead in hand.of("two-document"):
        first, *_, last = lead.stands
        examples = [e for e in hand.over_passages(rng, lead, 3, 0.0) if e.question == lead.question]
        assert len(examples) == 1 and len(examples[0].passages) >= 3, lead
        (number,) = scoring.cited(examples[0].answer)
        assert examples[0].passages[number - 1].split()[0] == hand._shown(last[0]).split()[0]
        assert any(text.split()[0] == hand._shown(first[0]).split()[0] for text in examples[0].passages)


def test_no_question_of_the_second_test_set_is_trained_on():
    path = data.FOLDER / "questions" / "hand-test.jsonl"
    held = {hand.json.loads(line)["question"].lower().strip("?. ") for line in path.read_text("utf-8").splitlines()}
    asked = {
        sample.prompt[-1]["content"].rpartition("Question: ")[2].lower().strip("?. ")
        for number in range(2)
        for group in mix.one_pass(mix.MEMORISE, 1, number)
        for sample in group
        if sample.kind not in ("general",)
    }
    assert len(held) > 300 and not held & asked


def test_passages_begin_with_their_documents_first_sentence_as_the_app_shows_them():
    lead = "The Tidal Press is our lever espresso machine."
    row = next(row for row in hand.of("static") if row.fact and row.fact.subject == "Tidal Press" and "kg" in row.value)
    texts = hand.over_passages(random.Random(1), row, 2, 0.0)[0].passages
    own = [text for text in texts if "you lift" in text]
    assert own and all(text.startswith(lead) for text in own)
    opening = next(s for s in documents.sections(hand.DAY) if s.document == "products/tidal-press.md")
    assert hand._shown(opening).count(lead) == 1
