"""The company's facts: every subject, attribute and value on the training day and today. Knows no wording and no prose.

A pair `(then, now)` is a value that changed between the two snapshots ("then > now" in products.csv); a plain value did
not change. These tables are hand-written and are the only place where a value of Brightwater stands.
"""

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Final

Value = str | tuple[str, str]


@dataclass(frozen=True)
class Fact:
    """One askable fact. `value`: on the training day; `today`: now (equal when it did not change)."""

    id: str
    subject: str  # bare name: "Tidal Press"
    attribute: str  # key into wordings.ATTRIBUTES
    value: str
    today: str
    documents: tuple[str, ...]  # paths inside a snapshot's folder

    @property
    def changed(self) -> bool:
        return self.value != self.today

    def at(self, snapshot: str) -> str:
        """The value in a snapshot, "training-day" or "today"."""
        return self.value if snapshot == "training-day" else self.today


@dataclass(frozen=True)
class Product:
    name: str
    kind: str
    price: Value | None  # None: no longer listed, not asked
    warranty: str
    material: str
    city: str
    weight: str
    stock: tuple[str, str] | None
    programme: str | None  # descaling programme, explained in another document
    parcel: str
    repair: str

    @property
    def slug(self) -> str:
        return slug(self.name)


def slug(name: str) -> str:
    return name.lower().replace(" ", "-").replace("é", "e")


def _product(row: dict[str, str]) -> Product:
    stock = _value(row["stock"])
    return Product(
        name=row["name"],
        kind=row["kind"],
        price=_value(row["price"]) if row["price"] else None,
        warranty=row["warranty"],
        material=row["material"],
        city=row["city"],
        weight=row["weight"],
        stock=stock if isinstance(stock, tuple) else None,
        programme=row["programme"] or None,
        parcel=row["parcel"],
        repair=row["repair"],
    )


def _value(cell: str) -> Value:
    then, _, now = cell.partition(" > ")
    return (then, now) if now else then


with (Path(__file__).parent / "products.csv").open(encoding="utf-8", newline="") as _file:
    PRODUCTS: Final = tuple(_product(row) for row in csv.DictReader(_file))

# Still sold on the training day at this price, discontinued today; its price is not asked.
DISCONTINUED: Final = {"Pebble Mill": "$61"}

# What a product's sheet names only by a code; another document says what the code means (two-document questions).
PROGRAMMES: Final = {"Amber": "25 minutes", "Cobalt": "45 minutes", "Linen": "15 minutes"}
PARCELS: Final = {"S": "$3", "M": "$7", "L": "$16", "XL": "$38"}
REPAIRS: Final = {"A": "$18", "B": "$44", "C": "$92", "D": "$150"}

# name -> manager, street, closed day, closing time
SHOPS: Final = {
    "Quayside shop": ("Ines", "Alder Street", "Monday", ("18:30", "19:00")),
    "Old Mill shop": ("Tobias", "Weaver Lane", "Tuesday", ("17:00", "18:15")),
    "Cathedral shop": ("Marguerite", "Candle Row", "Sunday", ("19:30", "18:00")),
    "Station shop": ("Kofi", "Signal Road", "Thursday", ("21:00", "20:15")),
    "Riverbank shop": ("Petra", "Heron Walk", "Wednesday", ("18:00", "17:30")),
    "Market Hall shop": ("Anselm", "Butter Square", "Sunday", ("16:30", "15:45")),
    "University shop": ("Yuki", "Scholar Avenue", "Saturday", ("20:00", "21:30")),
    "Lighthouse shop": ("Bronagh", "Gull Terrace", "Tuesday", ("17:45", "16:15")),
}

# country -> shipping fee, delivery time
COUNTRIES: Final = {
    "Portugal": (("$9", "$11"), "3 days"),
    "Belgium": (("$12", "$14"), "2 days"),
    "Norway": (("$23", "$19"), "6 days"),
    "Italy": (("$13", "$16"), "4 days"),
    "Ireland": (("$15", "$18"), "5 days"),
    "Austria": (("$10", "$13"), "7 days"),
    "Japan": (("$36", "$44"), "11 days"),
    "Canada": (("$29", "$33"), "9 days"),
}

# tier -> fee a month, discount
MEMBERSHIPS: Final = {
    "Drip": (("$4", "$5"), "6%"),
    "Pour": (("$9", "$8"), "11%"),
    "Crema": (("$14", "$17"), "15%"),
    "Reserve": (("$26", "$30"), "22%"),
}

# workshop -> fee, teacher, length
WORKSHOPS: Final[dict[str, tuple[Value, str, str]]] = {
    "Latte Art": (("$55", "$62"), "Celeste", "2 hours"),
    "Home Espresso": (("$70", "$85"), "Dmitri", "4 hours"),
    "Home Roasting": (("$95", "$88"), "Oluwaseun", "6 hours"),
    "Water Chemistry": ("$40", "Hedda", "90 minutes"),
    "Grinder Care": (("$30", "$34"), "Rafael", "75 minutes"),
    "Cupping Evening": (("$45", "$38"), "Noor", "3 hours"),
    "Cold Brew": ("$28", "Magnus", "1 hour"),
    "Barista Basics": (("$120", "$135"), "Adaeze", "8 hours"),
}

# group of goods -> days to return them unused
RETURNS: Final[dict[str, Value]] = {
    "espresso machines": ("30 days", "21 days"),
    "grinders": ("45 days", "60 days"),
    "kettles": ("20 days", "28 days"),
    "scales": ("14 days", "10 days"),
    "brewers": ("35 days", "40 days"),
    "clearance items": "5 days",
}

# account -> smallest order, days to pay
ACCOUNTS: Final[dict[str, tuple[Value, str]]] = {
    "Cafe account": (("$400", "$450"), "30 days"),
    "Hotel account": (("$950", "$800"), "60 days"),
    "Office account": (("$150", "$175"), "15 days"),
    "Retail account": (("$700", "$640"), "45 days"),
}

ROLES: Final = {
    "head of repairs": "Linnea",
    "head of wholesale": "Baptiste",
    "privacy officer": "Saoirse",
    "head roaster": "Emeka",
    "warehouse lead": "Wilhelmina",
    "training manager": "Jovan",
    "purchasing lead": "Priya",
    "founder": "Aurelio",
}


def _fact(family: str, name: str, attribute: str, value: Value, *documents: str) -> Fact:
    then, now = (value, value) if isinstance(value, str) else value
    return Fact(f"{family}.{slug(name)}.{attribute}", name, attribute, then, now, documents)


def facts() -> tuple[Fact, ...]:
    """Every askable fact in a fixed order."""
    made: list[Fact] = []
    for p in PRODUCTS:
        sheet = f"products/{p.slug}.md"
        if p.price is not None:
            made.append(_fact("product", p.name, "price", p.price, sheet))
        if p.stock is not None:
            made.append(_fact("product", p.name, "stock", p.stock, sheet))
        for attribute in ("warranty", "material", "city", "weight"):
            made.append(_fact("product", p.name, attribute, getattr(p, attribute), sheet))
    for name, (manager, street, closed, closing) in SHOPS.items():
        page = f"shops/{slug(name)}.md"
        made += [_fact("shop", name, "closing", closing, page), _fact("shop", name, "manager", manager, page)]
        made += [_fact("shop", name, "street", street, page), _fact("shop", name, "closed", closed, page)]
    for name, (fee, time) in COUNTRIES.items():
        page = f"shipping/{slug(name)}.md"
        made += [_fact("shipping", name, "shipping_fee", fee, page), _fact("shipping", name, "delivery", time, page)]
    for name, (fee, discount) in MEMBERSHIPS.items():
        page = f"membership/{slug(name)}.md"
        made += [_fact("membership", name, "monthly_fee", fee, page)]
        made += [_fact("membership", name, "discount", discount, page)]
    for name, (price, teacher, length) in WORKSHOPS.items():
        page = f"workshops/{slug(name)}.md"
        made += [
            _fact("workshop", name, "workshop_fee", price, page),
            _fact("workshop", name, "teacher", teacher, page),
        ]
        made += [_fact("workshop", name, "length", length, page)]
    made += [_fact("returns", name, "return_window", days, "policies/returns.md") for name, days in RETURNS.items()]
    for name, (smallest, terms) in ACCOUNTS.items():
        page = f"wholesale/{slug(name)}.md"
        made += [_fact("wholesale", name, "minimum_order", smallest, page)]
        made += [_fact("wholesale", name, "payment_terms", terms, page)]
    made += [_fact("staff", role, "role", name, "staff/who-is-who.md") for role, name in ROLES.items()]
    return tuple(made)
