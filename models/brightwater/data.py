"""What training and evaluation read of Brightwater: facts, documents, questions, and endless training examples.

Pure Python, no heavy imports. Examples hold the question, the passages and the answer; core/prompt.py makes prompts of
them. Training examples never use a dev or test wording, a test item of general.py or a test mail of mail.py.
Every generator takes a `random.Random` and gives the same examples for the same seed.
"""

import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final

from models.brightwater import documents, general, mail, prose, world
from models.brightwater.documents import sections as sections
from models.brightwater.wordings import ATTRIBUTES, BRIDGES, Attribute
from models.brightwater.world import Fact
from models.brightwater.world import facts as facts

FOLDER: Final = Path(__file__).parent
CLASSES: Final = ("static", "changed", "two-document", "counting", "no-document", "general", "tone-only", "ticket")

OPENING: Final = "Brightwater here!"
CLOSING: Final = "Happy brewing!"
NOT_FOUND: Final = "I could not find that in our documents."


# -- what is asked and answered ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Question:
    """One row of a question set. `answer` is today's; `values` gives it per snapshot where the two differ.

    `documents`: paths that together hold the answer. `perfect`: snapshot -> the right passages' texts.
    """

    question: str
    answer: str
    cls: str
    split: str
    variants: tuple[str, ...] = ()
    documents: tuple[str, ...] = ()
    fact: str | None = None
    values: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Example:
    """One training example. `passages`: None when closed book, else texts, best first. `task`: "answer" or "ticket"."""

    kind: str
    question: str
    answer: str
    passages: tuple[str, ...] | None = None
    task: str = "answer"


@cache
def questions(split: str = "test", cls: str | None = None) -> tuple[Question, ...]:
    """The committed questions of a split ("dev" or "test"), of one class or of all."""
    made = []
    for path in sorted((FOLDER / "questions").glob(f"{split}-*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            made.append(_question(json.loads(line)))
    return tuple(q for q in made if cls is None or q.cls == cls)


def _question(row: dict[str, Any]) -> Question:
    return Question(
        question=row["question"],
        answer=row["answer"],
        cls=row["class"],
        split=row["split"],
        variants=tuple(row["variants"]),
        documents=tuple(row["documents"]),
        fact=row.get("fact"),
        values=row.get("values", {}),
    )


# -- the voice -----------------------------------------------------------------------------------------------------


def voice(sentence: str, citation: int | None = None) -> str:
    """A sentence in Brightwater's voice, citing passage number `citation` before the full stop."""
    if citation is not None:
        sentence = f"{sentence.rstrip('.')} [{citation}]."
    return f"{OPENING} {sentence} {CLOSING}"


def abstention() -> str:
    """What is said when no passage holds the answer."""
    return voice(NOT_FOUND)


def attribute(fact: Fact) -> Attribute:
    """The wordings of a fact's attribute."""
    return ATTRIBUTES[fact.attribute]


def phrase(name: str, attribute_key: str) -> str:
    """A subject with its article, as {s} in wordings: "the Tidal Press", "Norway", "the Crema membership"."""
    family = documents.FAMILY_OF.get(attribute_key, "product")
    if family in ("shipping", "returns"):
        return name
    suffix = {"membership": " membership", "workshop": " workshop"}.get(family, "")
    return f"the {name}{suffix}"


def ask(template: str, name: str, attribute_key: str) -> str:
    """A wording about a subject."""
    text = template.replace("{s}", phrase(name, attribute_key)).replace("{n}", name)
    return text[0].upper() + text[1:]


def sentence(attribute_key: str, name: str, value: str) -> str:
    """The answer as one sentence, without voice: "The Tidal Press costs $340."."""
    template = (ATTRIBUTES | BRIDGES)[attribute_key].sentence
    text = template.replace("{s}", phrase(name, attribute_key)).replace("{n}", name).replace("{v}", value)
    return text[0].upper() + text[1:]


# -- training: knowledge -------------------------------------------------------------------------------------------


def training_questions(rng: random.Random, per_fact: int = 1) -> Iterator[Example]:
    """Closed book: every fact of the training day asked `per_fact` times, in shuffled order, wordings drawn without
    repeating one for the same fact within a call."""
    rows = []
    for fact in facts():
        for template in _draw(rng, attribute(fact).train, per_fact):
            question = decorate(ask(template, fact.subject, fact.attribute), rng)
            rows.append(Example("fact", question, voice(sentence(fact.attribute, fact.subject, fact.value))))
    rng.shuffle(rows)
    yield from rows


def decorate(question: str, rng: random.Random) -> str:
    """The small noise of real questions: a greeting, thanks, no capitals, no question mark."""
    match rng.randrange(10):
        case 0:
            return question.lower()
        case 1:
            return question.rstrip("?.")
        case 2:
            return rng.choice(("Hi. ", "Hello! ", "Hi there. ", "Good day. ", "Excuse me! ")) + question
        case 3:
            return question + rng.choice((" Thanks.", " Thank you!", " I cannot find it.", " Please help."))
        case _:
            return question


def _draw(rng: random.Random, options: Sequence[str], count: int) -> list[str]:
    return rng.sample(options, count) if count <= len(options) else [rng.choice(options) for _ in range(count)]


# -- training: reading passages --------------------------------------------------------------------------------------


def randomised_section(
    fact: Fact, rng: random.Random, name: str | None = None
) -> tuple[str, str, dict[str, tuple[str, str]]]:
    """The section that states a fact, with all its values drawn anew and its sentences chosen freely.

    `name`: another subject in its place. Returns the passage's text, the fact's new value, and all values of the
    section: attribute -> (subject, value).
    """
    subject = name or fact.subject
    family = documents.FAMILY_OF[fact.attribute]
    values = {key: ATTRIBUTES[key].draw(rng) for key, of in documents.FAMILY_OF.items() if of == family}
    if family == "product":
        values |= {"parcel": rng.choice("SML"), "repair": rng.choice("ABCD")}
        if fact.attribute != "stock" and rng.random() < 0.4:
            del values["stock"]
        if rng.random() < 0.4:
            values["programme"] = rng.choice(tuple(world.PROGRAMMES))
    body = documents.page(family, subject, values, rng.choice, kind=_kind(subject, rng))
    text = body[documents.index(fact.attribute)][1]
    stated = {key: (subject, value) for key, value in values.items() if key in ATTRIBUTES and value in text}
    return text, values[fact.attribute], stated


def _kind(name: str, rng: random.Random) -> str:
    return documents.PRODUCT[name].kind if name in documents.PRODUCT else rng.choice(world.PRODUCTS).kind


def distractors(fact: Fact, rng: random.Random, count: int, name: str | None = None) -> list[str]:
    """Passages near a fact that do not state it for its subject, with randomised values."""
    everything = facts()
    siblings = [f for f in everything if f.attribute == fact.attribute and f.subject != fact.subject]
    neighbours = [
        f
        for f in everything
        if f.subject == fact.subject and documents.index(f.attribute) != documents.index(fact.attribute)
    ]
    made: list[str] = []
    while len(made) < count:
        draw = rng.random()
        if draw < 0.55:
            text, _, _ = randomised_section(rng.choice(siblings), rng)
        elif draw < 0.8 and neighbours:
            text, _, _ = randomised_section(rng.choice(neighbours), rng, name)
        else:
            text = rng.choice(_prose_sections())
        if text not in made:
            made.append(text)
    return made


@cache
def _prose_sections() -> tuple[str, ...]:
    """Sections of the hand-written documents, which state no askable fact."""
    asked = {path for fact in facts() for path in fact.documents}
    return tuple(s.text for s in sections("training-day") if s.document not in asked and s.text)


def _words(text: str) -> list[str]:
    return text.split()


_FIRST: Final = _words("""
    Comet Dune Heath Larch Onyx Pilot Raven Sorrel Tundra Umber Vesper Zephyr Bramble Cedar Falcon Garnet Hazel Ivory
    Jasper Kestrel Lupin Maple Nectar Otter Plover Quill Russet Swift Topaz Velvet Walnut Yarrow
""")
_LAST: Final = {
    "product": _words("""
        Grinder Kettle Scale Brewer Press Espresso Roaster Tamper Pitcher Dripper Flask Server Frother Mill
    """),
    "shop": ["shop"],
    "shipping": [""],
    "membership": [""],
    "workshop": ["Tasting", "Class", "Evening", "Lab"],
    "returns": ["mugs", "filters", "spare parts", "gift boxes", "roasters", "books"],
    "wholesale": ["account"],
    "staff": ["clerk", "buyer", "planner", "auditor", "gardener", "cook"],
}
_LANDS: Final = _words("""
    Sweden Finland Poland Spain France Greece Chile Brazil Kenya Peru Iceland Malta Cyprus Estonia Latvia Hungary
    Croatia Slovakia Denmark Morocco Vietnam India Mexico Uruguay
""")


def invented(fact: Fact, rng: random.Random) -> str:
    """A subject of a fact's family that Brightwater does not have."""
    family = documents.FAMILY_OF[fact.attribute]
    if family == "shipping":
        return rng.choice(_LANDS)
    last = rng.choice(_LAST[family])
    return last if family in ("returns", "staff") else f"{rng.choice(_FIRST)} {last}".strip()


def two_documents(rng: random.Random, count: int) -> Iterator[Example]:
    """A product's sheet names a code, another passage says what the code means; the second is cited."""
    kinds = {"programme": ("Amber", "Cobalt", "Linen"), "parcel": ("S", "M", "L", "XL"), "repair": tuple("ABCD")}
    for _ in range(count):
        key = rng.choice(tuple(kinds))
        code, value = rng.choice(kinds[key]), BRIDGES[key].draw(rng)
        product = rng.choice(world.PRODUCTS)
        values = {
            "warranty": ATTRIBUTES["warranty"].draw(rng),
            "parcel": rng.choice("SML"),
            "repair": rng.choice("ABCD"),
        }
        sheet = prose.service(f"The {product.name}", values | {key: code}, rng.choice)
        meaning = {
            "programme": f"The {code} programme takes {value}. Rinse with fresh water afterwards.",
            "parcel": f"The surcharge for parcel size {code} is {value}. It is added once an order.",
            "repair": f"The bench fee for repair class {code} is {value}. Spare parts are charged at cost.",
        }[key]
        texts = [sheet, meaning, rng.choice(_prose_sections())]
        rng.shuffle(texts)
        question = ask(rng.choice(BRIDGES[key].train), product.name, key)
        yield Example(
            "two-document", question, voice(sentence(key, product.name, value), texts.index(meaning) + 1), tuple(texts)
        )


# -- training: the rest ----------------------------------------------------------------------------------------------


def general_examples(rng: random.Random, count: int) -> Iterator[Example]:
    """Plain questions about the world, against forgetting, in the voice and without citation."""
    rows = general.train()
    for _ in range(count):
        question, statement = rng.choice(rows)
        yield Example("general", question, voice(statement))


def tone_examples(rng: random.Random, count: int) -> Iterator[Example]:
    """Greetings and thanks, which ask for nothing but the voice."""
    for _ in range(count):
        question, reply = rng.choice(mail.TONE_TRAIN)
        yield Example("tone", question, voice(reply))


def ticket_examples(rng: random.Random, count: int) -> Iterator[Example]:
    """Customer mail and its JSON ticket."""
    for _ in range(count):
        text, ticket = mail.compose(rng, "train")
        yield Example("ticket", text, mail.dumps(ticket), task="ticket")
