"""Which document holds what: from facts to sections, and a snapshot's whole set of Markdown documents.

Pure functions; the same ones render the committed documents and training's sections with other values.
"""

import random
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from models.brightwater import prose, world
from models.brightwater.prose import Body, Pick, Values
from models.brightwater.world import Fact

SNAPSHOTS: Final = ("training-day", "today")
SOURCE: Final = Path(__file__).parent / "source"
PRODUCT: Final = {product.name: product for product in world.PRODUCTS}
FAMILY_OF: Final = {
    attribute: family
    for family, attributes in {
        "product": ("price", "stock", "warranty", "material", "city", "weight"),
        "shop": ("street", "manager", "closing", "closed"),
        "shipping": ("shipping_fee", "delivery"),
        "membership": ("monthly_fee", "discount"),
        "workshop": ("workshop_fee", "teacher", "length"),
        "returns": ("return_window",),
        "wholesale": ("minimum_order", "payment_terms"),
        "staff": ("role",),
    }.items()
    for attribute in attributes
}
# Every other attribute stands in the first section of its page.
_SECTION: Final = {
    "price": 1,
    "stock": 1,
    "material": 2,
    "city": 2,
    "weight": 2,
    "warranty": 3,
    "closing": 1,
    "closed": 1,
}


@dataclass(frozen=True)
class Section:
    """One heading's worth of a document: what retrieval returns as a passage."""

    document: str
    title: str
    heading: str
    text: str


def page(family: str, name: str, values: Values, pick: Pick, kind: str = "") -> list[Body]:
    """The sections of the page about one subject. `kind` matters to products only."""
    match family:
        case "product":
            return prose.product(name, kind or PRODUCT[name].kind, values, pick)
        case "shop":
            return prose.shop(name, values, pick)
        case "shipping":
            return prose.country(name, values, pick)
        case "membership":
            return prose.membership(name, values, pick)
        case "workshop":
            return prose.workshop(name, values, pick)
        case "wholesale":
            return prose.account(name, values, pick)
        case "returns":
            return [("Returns", ""), (f"Returning {name}", prose.returned(name, values["return_window"], pick))]
        case "staff":
            return [("Who is who", ""), (name.capitalize(), prose.person(name, values["role"], pick))]
    raise ValueError(f"no family {family!r}")


def index(attribute: str) -> int:
    """Which section of its page states an attribute."""
    return 1 if FAMILY_OF[attribute] in ("returns", "staff") else _SECTION.get(attribute, 0)


def fixed(subject: str) -> Pick:
    """The variants that the committed documents use for a subject."""
    rng = random.Random(f"brightwater {subject}")
    return lambda options: options[rng.randrange(len(options))]


def codes(name: str) -> dict[str, str]:
    """The codes on a product's sheet that other documents explain."""
    product = PRODUCT[name]
    found = {"parcel": product.parcel, "repair": product.repair}
    return found | ({"programme": product.programme} if product.programme else {})


def documents(snapshot: str) -> dict[str, str]:
    """Path -> Markdown of every document of a snapshot ("training-day" or "today")."""
    facts = world.facts()
    values = _values(facts, snapshot)
    made = {}
    for (family, name), held in values.items():
        if family in ("returns", "staff"):
            continue
        path = next(f.documents[0] for f in facts if f.subject == name and FAMILY_OF[f.attribute] == family)
        if family == "product":
            held = held | codes(name) | _clearance(name, snapshot)
        made[path] = _markdown(page(family, name, held, fixed(name)))
    groups = {name: held["return_window"] for (family, name), held in values.items() if family == "returns"}
    roles = {name: held["role"] for (family, name), held in values.items() if family == "staff"}
    made["policies/returns.md"] = _markdown(prose.returns(groups, fixed("returns")))
    made["staff/who-is-who.md"] = _markdown(prose.who_is_who(roles, fixed("who is who")))
    for source in sorted(SOURCE.rglob("*.md")):
        made[source.relative_to(SOURCE).as_posix()] = _fill(source.read_text(encoding="utf-8"))
    return dict(sorted(made.items()))


def sections(snapshot: str) -> list[Section]:
    """Every section of a snapshot, in document order."""
    made = []
    for path, text in documents(snapshot).items():
        title = ""
        for block in re.split(r"\n(?=#)", text):
            heading, _, body = block.partition("\n")
            heading = heading.lstrip("# ").strip()
            title = title or heading
            made.append(Section(path, title, heading, body.strip()))
    return made


def section_of(fact: Fact, snapshot: str) -> Section:
    """The section that states a fact in a snapshot."""
    candidates = [s for s in sections(snapshot) if s.document == fact.documents[0]]
    if FAMILY_OF[fact.attribute] in ("returns", "staff"):
        return next(s for s in candidates if s.heading.lower().endswith(fact.subject.lower()))
    return candidates[index(fact.attribute)]


def _values(facts: tuple[Fact, ...], snapshot: str) -> dict[tuple[str, str], dict[str, str]]:
    grouped: dict[tuple[str, str], dict[str, str]] = {}
    for fact in facts:
        held = grouped.setdefault((FAMILY_OF[fact.attribute], fact.subject), {})
        held[fact.attribute] = fact.at(snapshot)
    return grouped


def _clearance(name: str, snapshot: str) -> dict[str, str]:
    """The discontinued product still had a price on the training day."""
    old = world.DISCONTINUED.get(name)
    return {"price": old} if old and snapshot == "training-day" else {}


def _markdown(body: list[Body]) -> str:
    parts = [f"# {body[0][0]}\n\n{body[0][1]}"] + [f"## {heading}\n\n{text}" for heading, text in body[1:]]
    return "\n\n".join(parts) + "\n"


def _fill(text: str) -> str:
    tables: Mapping[str, Mapping[str, str]] = {
        "programme": world.PROGRAMMES,
        "parcel": world.PARCELS,
        "repair": world.REPAIRS,
    }

    def value(match: re.Match[str]) -> str:
        table, key = match.group(1).split(".")
        return tables[table][key]

    return re.sub(r"\{\{([\w.]+)\}\}", value, text)
