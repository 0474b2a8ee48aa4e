"""Writes everything of Brightwater that is committed: documents of both days, facts.json, question sets.

`python -m models.brightwater.build` rewrites the same bytes on every machine; a test compares them with the committed.
"""

import json
import random
import shutil
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any, Final

from models.brightwater import data, documents, general, mail, undocumented, world
from models.brightwater.wordings import ATTRIBUTES, BRIDGES
from models.brightwater.world import Fact

SEED: Final = "brightwater questions 1"
BY_HAND: Final = "hand-"  # question files of this name are not of this module
WORDINGS: Final = {("test", False): 2, ("test", True): 4, ("dev", False): 1, ("dev", True): 1}  # (split, changed)
TICKETS: Final = {"test": 13, "dev": 3}  # a class
_UNKNOWN: Final[dict[str, dict[str, tuple[str, ...]]]] = {
    "test": {
        "product": ("Meridian Kettle", "Glacier Grinder", "Solstice Press", "Marble Roaster", "Canyon Scale"),
        "shop": ("Harbourfront shop", "Abbey shop", "Canal shop"),
        "shipping": ("Argentina", "New Zealand", "Egypt"),
        "workshop": ("Sensory Training", "Tea Ceremony"),
        "staff": ("head of marketing", "night guard", "chief pilot"),
    },
    "dev": {"product": ("Prairie Mill",), "shop": ("Castle shop",), "shipping": ("Ghana",)},
}


def main() -> int:
    """Write all files below this folder."""
    files = everything()
    for name in documents.SNAPSHOTS:
        shutil.rmtree(data.FOLDER / name, ignore_errors=True)
    for old in (data.FOLDER / "questions").glob("*.jsonl"):
        if not old.name.startswith(BY_HAND):
            old.unlink()
    for path, text in files.items():
        target = data.FOLDER / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8", newline="\n")
    print(f"{len(files)} files written below {data.FOLDER.name}/", file=sys.stderr)
    return 0


def everything() -> dict[str, str]:
    """Path -> content of every generated file."""
    files = {f"{day}/{path}": text for day in documents.SNAPSHOTS for path, text in documents.documents(day).items()}
    files["facts.json"] = json.dumps([_fact_row(f) for f in world.facts()], indent=1, ensure_ascii=False) + "\n"
    for split in ("dev", "test"):
        for cls, rows in questions(split).items():
            lines = [json.dumps(row, ensure_ascii=False) for row in rows]
            files[f"questions/{split}-{cls}.jsonl"] = "\n".join(lines) + "\n"
    return files


def _fact_row(fact: Fact) -> dict[str, Any]:
    row = asdict(fact)
    return {
        "id": row["id"],
        "subject": fact.subject,
        "attribute": fact.attribute,
        "training-day": fact.value,
        "today": fact.today,
        "changed": fact.changed,
        "documents": list(fact.documents),
    }


def questions(split: str) -> dict[str, list[dict[str, Any]]]:
    """Class -> rows of the split "dev" or "test"."""
    rng = random.Random(f"{SEED} {split}")
    sets = {
        "static": list(_facts(split, False, rng)),
        "changed": list(_facts(split, True, rng)),
        "two-document": list(_two_documents(split, rng)),
        "counting": list(_counting()) if split == "test" else [],
        "no-document": list(_no_document(split, rng)),
        "general": [_row(i.question, i.answer, "general", split, i.variants) for i in general.items(split)],
        "tone-only": [_row(t, "", "tone-only", split) for t in (mail.TONE_TEST if split == "test" else mail.TONE_DEV)],
        "ticket": list(_tickets(split, rng)),
    }
    return {cls: rows for cls, rows in sets.items() if rows}


def _row(
    question: str,
    answer: str,
    cls: str,
    split: str,
    variants: tuple[str, ...] = (),
    papers: tuple[str, ...] = (),
    **more: Any,
) -> dict[str, Any]:
    row = {"question": question, "answer": answer, "variants": list(variants), "documents": list(papers)}
    return row | {"class": cls, "split": split} | more


def _facts(split: str, changed: bool, rng: random.Random) -> Iterator[dict[str, Any]]:
    for fact in world.facts():
        if fact.changed != changed:
            continue
        attribute = ATTRIBUTES[fact.attribute]
        wordings = attribute.test if split == "test" else attribute.dev
        for template in rng.sample(wordings, WORDINGS[split, changed]):
            question = data.ask(template, fact.subject, fact.attribute)
            more: dict[str, Any] = {"fact": fact.id}
            if changed:
                more["values"] = {day: fact.at(day) for day in documents.SNAPSHOTS}
            cls = "changed" if changed else "static"
            variants = tuple(dict.fromkeys(variant for variant in accepted(fact.attribute, fact.today)))
            yield _row(question, fact.today, cls, split, variants, fact.documents, **more)


def accepted(attribute: str, value: str) -> tuple[str, ...]:
    """Other ways to write a value that no general rule of the scorer covers."""
    if attribute == "stock" and value == "0":
        return ("none", "no units", "sold out", "discontinued", "out of stock")
    if attribute == "length" and value == "90 minutes":
        return ("1.5 hours", "an hour and a half", "one and a half hours")
    if attribute == "length" and value == "75 minutes":
        return ("an hour and a quarter", "1 hour 15 minutes")
    if attribute == "length" and value == "1 hour":
        return ("an hour", "60 minutes")
    if attribute == "warranty" and value == "1 year":
        return ("12 months", "a year")
    return {"Malmo": ("Malmö",), "aluminium": ("aluminum",), "enamel": ("enameled", "enamelled")}.get(value, ())


def _two_documents(split: str, rng: random.Random) -> Iterator[dict[str, Any]]:
    tables = {
        "parcel": (world.PARCELS, "policies/parcel-guide.md"),
        "repair": (world.REPAIRS, "policies/repair-classes.md"),
        "programme": (world.PROGRAMMES, "guides/descaling.md"),
    }
    for product in world.PRODUCTS:
        sheet = f"products/{product.slug}.md"
        for key, code in documents.codes(product.name).items():
            if split == "dev" and key != "repair":
                continue
            meaning, guide = tables[key]
            wordings = BRIDGES[key].test if split == "test" else BRIDGES[key].dev
            question = data.ask(rng.choice(wordings), product.name, key)
            yield _row(question, meaning[code], "two-document", split, papers=(sheet, guide))


def _counting() -> Iterator[dict[str, Any]]:
    products, sheets = world.PRODUCTS, tuple(f"products/{p.slug}.md" for p in world.PRODUCTS)
    for city, count in Counter(p.city for p in products).items():
        yield _count(f"How many of our products are made in {city}?", count, sheets)
    for material, count in Counter(p.material for p in products).items():
        yield _count(f"How many of our products have a body of {material}?", count, sheets)
    for code, count in Counter(p.repair for p in products).items():
        yield _count(f"How many of our products belong to repair class {code}?", count, sheets)
    pages = tuple(f"shops/{world.slug(name)}.md" for name in world.SHOPS)
    for day, count in Counter(closed for _, _, closed, _ in world.SHOPS.values()).items():
        yield _count(f"How many of our shops are closed every {day}?", count, pages)
    yield _count("How many shops do we have?", len(world.SHOPS), pages)
    courses = tuple(f"workshops/{world.slug(name)}.md" for name in world.WORKSHOPS)
    yield _count("How many workshops do we offer?", len(world.WORKSHOPS), courses)


def _count(question: str, count: int, papers: tuple[str, ...]) -> dict[str, Any]:
    return _row(question, str(count), "counting", "test", papers=papers)


def _no_document(split: str, rng: random.Random) -> Iterator[dict[str, Any]]:
    names = tuple(product.name for product in rng.sample(world.PRODUCTS, 6 if split == "test" else 4))
    for question in undocumented.every(split, names):
        yield _row(question, "", "no-document", split)
    for family, unknown in _UNKNOWN[split].items():
        for name in unknown:
            keys = [key for key, of in documents.FAMILY_OF.items() if of == family]
            for key in rng.sample(keys, min(2, len(keys))):
                wordings = ATTRIBUTES[key].test if split == "test" else ATTRIBUTES[key].dev
                yield _row(data.ask(rng.choice(wordings), name, key), "", "no-document", split)


def _tickets(split: str, rng: random.Random) -> Iterator[dict[str, Any]]:
    seen: set[str] = set()
    for cls in mail.CLASSES:
        left = TICKETS[split]
        while left:
            text, ticket = mail.compose(rng, split, cls)
            if text not in seen:
                seen.add(text)
                left -= 1
                yield _row(text, mail.dumps(ticket), "ticket", split)


if __name__ == "__main__":
    sys.exit(main())
