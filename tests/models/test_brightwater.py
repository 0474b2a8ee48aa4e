"""Brightwater: enough of everything, no contradiction, committed files as generated, no leak into the tests."""

import itertools
import json
import random
import re
from collections import Counter

import pytest

from models.brightwater import build, data, documents, general, mail, undocumented, world
from models.brightwater.wordings import ATTRIBUTES, BRIDGES

MOST_SHARED = 0.5  # Jaccard of content words, subject removed, between a test and a train wording of one attribute

STOP_WORDS = (
    "a an the of to for in on at is are do does did i you your my me we us our it its be have has if with and or what "
    "which who how much many long when where whom whose would will can could should must may tell give please that "
    "this there from by one per as"
)
STOP = frozenset(STOP_WORDS.split())


def content(template: str) -> frozenset[str]:
    words = re.findall(r"[a-z']+", re.sub(r"\{[sn]\}", " ", template).lower())
    return frozenset(word for word in words if word not in STOP)


def shared(a: str, b: str) -> float:
    return len(content(a) & content(b)) / len(content(a) | content(b)) if content(a) | content(b) else 1.0


def normal(template: str) -> str:
    return " ".join(re.findall(r"[a-z']+|\{", template.lower()))


def test_there_are_enough_facts_documents_and_questions() -> None:
    facts = world.facts()
    assert sum(fact.changed for fact in facts) >= 60
    assert sum(not fact.changed for fact in facts) >= 150
    for snapshot in documents.SNAPSHOTS:
        assert len(documents.documents(snapshot)) >= 60
    counts = Counter(question.cls for question in data.questions("test"))
    assert sum(counts.values()) >= 700
    least = {"static": 200, "changed": 200, "general": 200, "no-document": 60, "ticket": 100, "tone-only": 30}
    least |= {"two-document": 40, "counting": 20}
    assert all(counts[cls] >= number for cls, number in least.items()), counts
    assert set(counts) == set(data.CLASSES)


def test_committed_files_are_the_generated_ones() -> None:
    files = build.everything()
    for path, text in files.items():
        assert (data.FOLDER / path).read_text(encoding="utf-8") == text, path
    for folder in ("training-day", "today", "questions"):
        made = [p for p in (data.FOLDER / folder).rglob("*") if p.is_file() and not p.name.startswith("hand-")]
        found = {p.relative_to(data.FOLDER).as_posix() for p in made}
        assert found == {path for path in files if path.startswith(f"{folder}/")}


def test_documents_have_headings_and_80_to_400_words() -> None:
    for path, text in documents.documents("today").items():
        assert 80 <= len(text.split()) <= 400, path
        assert text.startswith("# ") and "\n## " in text, path
        assert "{{" not in text, path


@pytest.mark.parametrize("snapshot", documents.SNAPSHOTS)
def test_each_fact_stands_in_a_section_that_names_its_subject(snapshot: str) -> None:
    for fact in world.facts():
        section = documents.section_of(fact, snapshot)
        pattern = rf"(?<![\w.]){re.escape(fact.at(snapshot))}(?![\w]|[.:]\d)"
        assert re.search(pattern, section.text), (fact, section.text)
        assert fact.subject.lower() in section.text.lower(), (fact, section.text)


def test_snapshots_differ_exactly_where_a_fact_changed() -> None:
    then, now = documents.documents("training-day"), documents.documents("today")
    assert then.keys() == now.keys()
    changed = {path for fact in world.facts() if fact.changed for path in fact.documents}
    assert {path for path in now if then[path] != now[path]} == changed


def test_a_changed_value_is_gone_from_its_section_today() -> None:
    for fact in world.facts():
        if fact.changed:
            text = documents.section_of(fact, "today").text
            assert not re.search(rf"(?<![\w.]){re.escape(fact.value)}(?![\w]|[.:]\d)", text), (fact, text)


def test_fact_ids_are_unique_and_no_answer_is_yes_or_no() -> None:
    facts = world.facts()
    assert len({fact.id for fact in facts}) == len(facts)
    assert not {fact.value.lower() for fact in facts} & {"yes", "no"}


def test_wordings_of_train_dev_and_test_share_no_template() -> None:
    everything = ATTRIBUTES | BRIDGES
    for attribute in ATTRIBUTES.values():
        assert len(set(map(normal, attribute.train))) >= 20
        assert len(attribute.test) >= 4
    train = {normal(t) for a in everything.values() for t in a.train}
    dev = {normal(t) for a in everything.values() for t in a.dev}
    test = {normal(t) for a in everything.values() for t in a.test}
    assert not train & test and not train & dev and not dev & test


def test_a_test_wording_shares_at_most_half_its_content_words_with_those_trained_for_its_attribute() -> None:
    pairs = [pair for a in (ATTRIBUTES | BRIDGES).values() for pair in itertools.product(a.test, a.train)]
    worst = max(((shared(a, b), a, b) for a, b in pairs), key=lambda found: found[0])
    assert worst[0] <= MOST_SHARED, worst


def test_training_examples_hold_no_test_question() -> None:
    tested = {q.question.lower() for split in ("dev", "test") for q in data.questions(split)}
    rng = random.Random(5)
    examples = [
        *data.training_questions(rng, 6),
        *data.two_documents(rng, 60),
        *data.general_examples(rng, 600),
        *data.tone_examples(rng, 100),
        *data.ticket_examples(rng, 300),
    ]
    assert not {example.question.lower() for example in examples} & tested


def test_general_mail_and_small_talk_are_split_by_item() -> None:
    answers = {split: {item.statement for item in general.items(split)} for split in ("dev", "test")}
    trained = {statement for _, statement in general.train()}
    assert not trained & answers["test"] and not trained & answers["dev"] and not answers["dev"] & answers["test"]
    texts = {split: set(map(normal, mail.texts(split))) for split in ("train", "dev", "test")}
    assert not texts["train"] & texts["test"] and not texts["dev"] & texts["test"]
    missing = {split: set(map(normal, undocumented.wordings(split))) for split in ("train", "dev", "test")}
    assert not missing["train"] & (missing["dev"] | missing["test"]) and not missing["dev"] & missing["test"]
    said = {normal(question) for question, _ in mail.TONE_TRAIN}
    assert not said & set(map(normal, (*mail.TONE_TEST, *mail.TONE_DEV)))


def test_declined_questions_mails_and_small_talk_share_at_most_half_their_content_words_with_training() -> None:
    talk = tuple(question for question, _ in mail.TONE_TRAIN)
    pairs = [*itertools.product(mail.TONE_TEST, talk), *itertools.product(mail.texts("test"), mail.texts("train"))]
    pairs += itertools.product(undocumented.wordings("test"), undocumented.wordings("train"))
    worst = max((shared(a, b), a, b) for a, b in pairs if content(a) and content(b))
    assert worst[0] <= MOST_SHARED, worst


def test_the_same_seed_gives_the_same_examples() -> None:
    for make in (data.two_documents, data.tone_examples, data.ticket_examples):
        assert list(make(random.Random(9), 20)) == list(make(random.Random(9), 20))
        assert list(make(random.Random(9), 20)) != list(make(random.Random(10), 20))


def test_counting_answers_follow_from_the_documents() -> None:
    today = documents.documents("today")
    for question in data.questions("test", "counting"):
        city = re.fullmatch(r"How many of our products are made in (\w+)\?", question.question)
        if city:
            found = sum(bool(re.search(rf"made in {city.group(1)}\b", today[path])) for path in question.documents)
            assert found == int(question.answer), question


def test_two_document_answers_need_both_documents() -> None:
    today = documents.documents("today")
    for question in data.questions("test", "two-document"):
        sheet, guide = (today[path] for path in question.documents)
        assert question.answer in guide
        meaning = re.search(rf"[^.]*{re.escape(question.answer)}\.", guide)
        assert meaning
        assert re.search(r"(?:class|size) [A-Z]+|[A-Z]\w+ programme", meaning.group(0))
        assert not re.search(rf"{re.escape(question.answer)}(?!\d)", sheet)


def test_tickets_follow_their_schema() -> None:
    names = {product.name for product in world.PRODUCTS} | {"none"}
    for question in data.questions("test", "ticket"):
        ticket = json.loads(question.answer)
        assert list(ticket) == ["class", "product", "urgency"]
        assert ticket["class"] in mail.CLASSES and ticket["urgency"] in mail.URGENCIES and ticket["product"] in names
