"""The training mix: only training wordings, values in the passages, abstention only where the answer is missing."""

import json
import random
from collections import Counter

import pytest

from core.errors import Problem
from core.evaluation import scoring
from models.brightwater import data
from models.training import mix, run

PASS = mix.one_pass(mix.Mix(), seed=3, number=0)
SAMPLES = [sample for group in PASS for sample in group]


def user_text(sample):
    return sample.prompt[-1]["content"]


def question(sample):
    return user_text(sample).rpartition("Question: ")[2]


def test_the_same_seed_gives_the_same_pass_and_another_pass_other_wordings():
    assert mix.one_pass(mix.Mix(), 3, 0) == PASS
    other = {question(s) for g in mix.one_pass(mix.Mix(), 3, 1) for s in g if s.kind == "fact"}
    mine = {question(s) for s in SAMPLES if s.kind == "fact"}
    assert len(mine & other) < len(mine) / 2


def test_a_pass_asks_every_fact_closed_book_with_its_training_day_value():
    answers = [s.completion for s in SAMPLES if s.kind == "fact"]
    for fact in data.facts():
        stated = data.voice(data.sentence(fact.attribute, fact.subject, fact.value))
        assert answers.count(stated) >= mix.Mix().per_fact, fact.id


def test_no_held_out_question_is_trained_on():
    held = {q.question.lower().strip("?. ") for split in ("dev", "test") for q in data.questions(split)}
    asked = {question(s).lower().strip("?. ") for s in SAMPLES}
    assert held and not held & asked


def test_the_cited_passage_holds_the_answer_and_no_other_value_is_cited():
    read = [s for s in SAMPLES if s.kind in ("reading", "two-document")]
    assert len(read) > 40
    for sample in read:
        passages = user_text(sample).partition("\n\nQuestion: ")[0].split("\n[")
        (number,) = scoring.cited(sample.completion)
        cited = passages[number].partition("] ")[2] if number > 1 else passages[1].partition("] ")[2]
        value = sample.completion
        assert 1 <= number < len(passages) + 1
        assert any(
            word in cited for word in value.replace("[", " ").replace(".", " ").split() if word[0] in "$0123456789"
        ) or (any(word.strip(".") in cited for word in value.split() if word[0].isupper()))


def test_values_in_passages_are_randomised_so_that_memory_does_not_help():
    """Few reading answers agree with what is true of the company on the training day."""
    truth = {data.voice(data.sentence(f.attribute, f.subject, f.value)) for f in data.facts()}
    read = [s for n in range(4) for g in mix.one_pass(mix.Mix(), 5, n) for s in g if s.kind == "reading"]
    plain = [" ".join(s.completion.replace(f" [{scoring.cited(s.completion)[0]}]", "").split()) for s in read]
    assert sum(text in truth for text in plain) < 0.1 * len(plain)


def test_abstentions_come_with_passages_and_groups_share_them():
    missing = [s for s in SAMPLES if s.kind == "abstain"]
    assert len(missing) >= 10
    assert all("\n\nQuestion: " in user_text(s) and s.completion == data.abstention() for s in missing)
    for group in PASS:
        if group[0].kind == "reading":
            assert len({user_text(s).partition("\n\nQuestion: ")[0] for s in group}) == 1


def test_a_third_of_the_unanswered_questions_are_near_misses():
    """They ask about a subject that the passages are about: there an answer is most tempting."""
    missing = [s for n in range(8) for g in mix.one_pass(mix.READ, 7, n) for s in g if s.kind == "abstain"]
    names = {fact.subject.lower() for fact in data.facts()}

    def near(sample):
        passages, _, asked = user_text(sample).lower().partition("\n\nquestion: ")
        return any(name in asked and name in passages for name in names)

    assert sum(map(near, missing)) > len(missing) / 3
    assert len({question(s) for s in missing}) > 0.9 * len(missing)


@pytest.mark.parametrize("seed", range(20))
def test_a_reading_group_never_states_two_values_for_one_matter(seed):
    rng = random.Random(seed)
    answers = {}
    for sample in mix.reading(rng, 6):
        asked = question(sample).lower()
        assert answers.setdefault(asked, sample.completion) == sample.completion


def test_a_run_from_a_run_from_a_run_is_mostly_of_passages_and_what_they_do_not_answer():
    kinds = Counter(sample.kind for group in mix.one_pass(mix.shares(mix.KNOWS, 4), 0, mix.KNOWS) for sample in group)
    read, declined = kinds["reading by hand"] + kinds["reading"], kinds["abstain by hand"] + kinds["abstain"]
    assert read + declined > sum(kinds.values()) / 2
    assert 0.25 < declined / (read + declined) < 0.45
    assert mix.shares(mix.KNOWS - 1, 4) == mix.MORE


def test_passes_are_counted_over_all_runs_before(tmp_path):
    record = {"settings": {"passes": 4}, "before": {"settings": {"passes": 8}}}
    (tmp_path / "training.json").write_text(json.dumps(record))
    with pytest.raises(Problem, match="no adapter"):
        run._passes_before(tmp_path)
    (tmp_path / "adapter.gguf").touch()
    assert run._passes_before(tmp_path) == 12
