"""What Brightwater's fine-tune is trained on: which examples, in which shares, grouped by shared context.

One pass asks facts of the training day closed book, in template wordings and in those written by hand, and reads
passages whose values are drawn anew (so that the model must read and cannot remember), some with questions that no
passage answers: as many wordings with an answer as without. General questions guard against forgetting, "How many"
among them; greetings carry only the voice; mails become tickets.
Knows the company's examples (`models.brightwater.data`, `hand`) and the prompt; knows no tokens and no model.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from models.brightwater import data, documents, undocumented, world
from models.brightwater.data import Example
from models.brightwater.world import Fact
from models.training.chat import messages

from . import hand
from .samples import Group, Sample


@dataclass(frozen=True)
class Mix:
    """How many of each kind one pass holds. A fact is asked `per_fact` times; below 1, that share of the facts is."""

    per_fact: float = 1
    by_hand: int = 460  # closed book, of the questions written by hand
    closed_book_group: int = 4  # questions that share the bare instruction as their prefix
    reading_groups: int = 16
    hand_groups: int = 24
    questions_per_group: int = 4
    declined: float = 0.8  # of a group's questions, at least so many on average have no answer in its passages
    two_documents: int = 10  # half from templates, half by hand
    general: int = 36
    how_many: int = 12  # general questions by hand
    tone: int = 8
    tickets: int = 24


MEMORISE = Mix()
READ = Mix(per_fact=0.5, by_hand=230, reading_groups=30, hand_groups=70, two_documents=16, tone=12, tickets=36)
MORE = Mix(per_fact=0.3, by_hand=925, hand_groups=90, two_documents=14)
DECLINE = Mix(per_fact=0.15, by_hand=400, reading_groups=24, hand_groups=165, two_documents=14)
READS = 8  # passes after which a run that starts from an earlier adapter begins
KNOWS = 12  # passes after which a run that starts from an earlier one's earlier adapter begins


def shares(number: int, memorise: int) -> Mix:
    """The mix of pass `number` (from 0): facts in the first `memorise`, then mostly reading and when not to answer; an
    adapter that has learnt so far goes on with more of both by hand, then with what nothing answers above all."""
    if number >= READS:
        return MORE if number < KNOWS else DECLINE
    return MEMORISE if number < memorise else READ


def one_pass(mix: Mix, seed: int, number: int) -> list[Group]:
    """The groups of pass `number` (from 0), shuffled. The same seed and number give the same groups."""
    rng = random.Random(f"{seed} {number}")
    facts = list(data.training_questions(rng, max(1, round(mix.per_fact))))
    if mix.per_fact < 1:
        facts = rng.sample(facts, round(mix.per_fact * len(facts)))
    told = hand.of("static", "changed")
    facts += [hand.closed(row) for row in _dealt(told, mix.by_hand, seed, number)]
    counted = hand.of("general")
    plain = [*facts, *data.general_examples(rng, mix.general), *data.tone_examples(rng, mix.tone)]
    plain += [hand.general(rng.choice(counted)) for _ in range(mix.how_many if counted else 0)]
    rng.shuffle(plain)
    tickets = list(data.ticket_examples(rng, mix.tickets))
    groups = [*_grouped(plain, mix.closed_book_group), *_grouped(tickets, 6)]
    groups += [reading(rng, mix.questions_per_group, mix.declined) for _ in range(mix.reading_groups)]
    leads = _drawn(rng, told, mix.hand_groups - mix.hand_groups // 3)
    leads += _drawn(rng, hand.of("no-document", "counting"), mix.hand_groups // 3)
    leads += _drawn(rng, hand.of("two-document"), mix.two_documents // 2)
    groups += [by_hand(rng, lead, mix.questions_per_group) for lead in leads]
    groups += _grouped(data.two_documents(rng, mix.two_documents - mix.two_documents // 2), 1)
    rng.shuffle(groups)
    return groups


def _dealt(options: Sequence[hand.Row], count: int, seed: int, number: int) -> list[hand.Row]:
    """`count` rows for pass `number`, so that passes one after the other come to all of them."""
    order = list(options)
    random.Random(f"dealt {seed}").shuffle(order)
    begin = number * count
    return [order[at % len(order)] for at in range(begin, begin + min(count, len(order)))]


def _drawn(rng: random.Random, options: Sequence[hand.Row], count: int) -> list[hand.Row]:
    return rng.sample(options, min(count, len(options)))


def by_hand(rng: random.Random, lead: hand.Row, count: int, declined: float = 0.35) -> Group:
    """Questions by hand over passages as retrieval finds them for one of them."""
    examples = hand.over_passages(rng, lead, count, declined)
    rng.shuffle(examples)
    return tuple(_sample(example) for example in examples)


def reading(rng: random.Random, count: int, declined: float = 0.8) -> Group:
    """`count` questions over the same one to four passages. Values are randomised, a third of the names invented.

    Passages state the same attribute of other subjects, other sections of the same subject, or unrelated prose; in
    two of five groups all are about one subject, as retrieval finds them when nothing answers the question. At least
    `declined` of the questions on average have no answer in them.
    """
    picked = _picked(rng)
    texts: list[str] = []
    stated: dict[tuple[str, str], tuple[str, int]] = {}  # (attribute, subject) -> value, passage
    seen = set()
    for fact, name in picked:
        section = (documents.FAMILY_OF[fact.attribute], documents.index(fact.attribute), name)
        if section in seen:
            continue  # two sections on the same matter would contradict each other
        seen.add(section)
        text, _, values = data.randomised_section(fact, rng, name)
        texts.append(text)
        for attribute, (subject, value) in values.items():
            stated.setdefault((attribute, subject), (value, len(texts)))
    if len(texts) < 4 and rng.random() < 0.3:
        texts.append(rng.choice(data._prose_sections()))
    most = count - int(declined) - (rng.random() < declined % 1)
    answered = rng.sample(sorted(stated), min(len(stated), most))
    examples = [_answered(rng, key, *stated[key], texts) for key in answered]
    while len(examples) < count and rng.random() < 0.9:
        examples.append(_unanswered(rng, picked, stated, texts))
    return tuple(_sample(example) for example in examples)


def _picked(rng: random.Random) -> list[tuple[Fact, str]]:
    """The facts whose sections become the passages, each with the subject's name there, in random order."""
    lead = rng.choice(world.facts())
    picked = [(lead, _name(lead, rng))]
    one_subject = rng.random() < 0.4
    for _ in range(rng.choice((0, 1, 1, 2, 2, 2, 3))):
        draw = 0.6 if one_subject else rng.random()
        if draw < 0.5:  # the same attribute of another subject: the model must tell them apart
            siblings = [f for f in world.facts() if f.attribute == lead.attribute and f.subject != lead.subject]
            fact = rng.choice(siblings)
            picked.append((fact, _name(fact, rng)))
        elif draw < 0.75:
            others = [f for f in world.facts() if f.subject == lead.subject]
            picked.append((rng.choice(others), picked[0][1]))
        else:
            fact = rng.choice(world.facts())
            picked.append((fact, _name(fact, rng)))
    rng.shuffle(picked)
    return picked


def _name(fact: Fact, rng: random.Random) -> str:
    return data.invented(fact, rng) if rng.random() < 0.33 else fact.subject


def _answered(rng: random.Random, key: tuple[str, str], value: str, passage: int, texts: list[str]) -> Example:
    attribute, subject = key
    question = data.ask(rng.choice(data.ATTRIBUTES[attribute].train), subject, attribute)
    answer = data.voice(data.sentence(attribute, subject, value), passage)
    return Example("reading", data.decorate(question, rng), answer, tuple(texts))


def _unanswered(
    rng: random.Random,
    picked: list[tuple[Fact, str]],
    stated: dict[tuple[str, str], tuple[str, int]],
    texts: list[str],
) -> Example:
    """A question that no passage answers: a matter no document covers, about a subject of the passages (a near miss)
    or about the firm; another attribute of the same subject; the same attribute of another subject."""
    draw = rng.random()
    fact, name = rng.choice(picked)
    family = documents.FAMILY_OF[fact.attribute]
    if draw < 0.58:
        matter = family if draw < 0.5 else "firm"
        question = undocumented.draw(rng, matter, name)
    else:
        if draw < 0.75:
            options = [key for key, of in documents.FAMILY_OF.items() if of == family and (key, name) not in stated]
            attribute = rng.choice(options) if options else fact.attribute
            name = name if options else data.invented(fact, rng)
        else:
            attribute = fact.attribute
            subjects = [f.subject for f in world.facts() if f.attribute == attribute]
            name = rng.choice(subjects) if draw < 0.85 else data.invented(fact, rng)
        if (attribute, name) in stated:
            name = data.invented(fact, rng)
        if (attribute, name) in stated:
            return _answered(rng, (attribute, name), *stated[attribute, name], texts)
        question = data.ask(rng.choice(data.ATTRIBUTES[attribute].train), name, attribute)
    return Example("abstain", data.decorate(question, rng), data.abstention(), tuple(texts))


def held_out(seed: int, count: int = 60) -> dict[str, list[Group]]:
    """What the learning curve scores: facts in training wordings and in dev wordings, and in dev wordings reading and
    declining, where the passages are about the subject but do not hold the answer."""
    rng = random.Random(f"held out {seed}")
    facts = rng.sample(world.facts(), count)

    def closed(fact: Fact, wordings: tuple[str, ...]) -> Sample:
        question = data.ask(rng.choice(wordings), fact.subject, fact.attribute)
        return _sample(Example("fact", question, data.voice(data.sentence(fact.attribute, fact.subject, fact.value))))

    def read(fact: Fact) -> Sample:
        text, value, _ = data.randomised_section(fact, rng)
        others = data.distractors(fact, rng, 2)
        place = rng.randint(0, 2)
        question = data.ask(rng.choice(data.attribute(fact).dev), fact.subject, fact.attribute)
        answer = data.voice(data.sentence(fact.attribute, fact.subject, value), place + 1)
        return _sample(Example("reading", question, answer, (*others[:place], text, *others[place:])))

    def decline(fact: Fact) -> Sample:
        texts = data.distractors(fact, rng, 2)
        question = data.ask(rng.choice(data.attribute(fact).dev), fact.subject, fact.attribute)
        if documents.FAMILY_OF[fact.attribute] == "product" and rng.random() < 0.6:
            texts[0] = data.randomised_section(fact, rng)[0]
            question = rng.choice(undocumented.every("dev", (fact.subject,)))
        return _sample(Example("abstain", question, data.abstention(), tuple(texts)))

    told = hand.of("static", "changed", held_out=True)
    over = [by_hand(rng, row, 1, 0.0)[:1] for row in [*told, *hand.of("two-document", held_out=True)]]
    return {
        "by hand, closed book": _batches([_sample(hand.closed(row)) for row in told], 8),
        "by hand, reading": over,
        "training wordings": _batches([closed(f, data.attribute(f).train) for f in facts], 8),
        "dev wordings": _batches([closed(f, data.attribute(f).dev) for f in facts], 8),
        "reading": _batches([read(f) for f in facts[: count // 2]], 1),
        "declining": _batches([decline(f) for f in facts[count // 2 :]], 1),
    }


def _batches(samples: list[Sample], size: int) -> list[Group]:
    return [tuple(samples[i : i + size]) for i in range(0, len(samples), size)]


def _grouped(examples: Iterable[Example], size: int) -> Iterator[Group]:
    yield from _batches([_sample(example) for example in examples], size)


def _sample(example: Example) -> Sample:
    return Sample(messages(example.question, example.passages, task=example.task), example.answer, example.kind)
