"""The company's facts: every subject, attribute and value on the training day and today. Knows no wording and no prose.

A pair `(then, now)` is a value that changed between the two snapshots; a plain value did not change.
The tables are hand-written and are the only place where a value of Brightwater stands.
"""

from dataclasses import dataclass
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


# fmt: off
_PRODUCT_ROWS: Final = [
    # name, kind, price, warranty, material, city, weight, stock, descaling programme, parcel size, repair class
    ("Tidal Press", "lever espresso machine", ("$340", "$389"), "3 years", "brass", "Porto", "7.4 kg", ("48", "15"), "Amber", "L", "C"),
    ("Harbor Duo", "two-group espresso machine", ("$915", "$870"), "8 years", "steel", "Turin", "21.5 kg", ("12", "31"), "Cobalt", "XL", "D"),
    ("Sable Espresso", "compact espresso machine", ("$265", "$298"), "2 years", "aluminium", "Ghent", "4.8 kg", ("73", "54"), "Amber", "M", "C"),
    ("Ridge Grinder", "electric burr grinder", ("$182", "$215"), "5 years", "titanium", "Leeds", "3.2 kg", ("66", "29"), None, "M", "B"),
    ("Pebble Mill", "hand grinder", None, "4 years", "bamboo", "Kyoto", "0.5 kg", ("38", "0"), None, "S", "A"),
    ("Quarry Grinder", "hand grinder", ("$94", "$79"), "10 years", "oak", "Bergen", "0.7 kg", None, None, "S", "A"),
    ("Lantern Kettle", "gooseneck kettle", ("$58", "$64"), "2 years", "copper", "Vienna", "0.9 kg", ("120", "87"), "Linen", "S", "B"),
    ("Ember Kettle", "variable kettle", ("$112", "$127"), "3 years", "enamel", "Malmo", "1.3 kg", ("41", "60"), "Linen", "M", "B"),
    ("Drift Scale", "coffee scale", ("$47", "$52"), "1 year", "glass", "Kyoto", "0.4 kg", ("95", "140"), None, "S", "A"),
    ("Cove Brewer", "drip brewer", ("$139", "$155"), "4 years", "aluminium", "Leeds", "2.6 kg", ("27", "44"), "Cobalt", "L", "B"),
    ("Mistral Roaster", "home roaster", ("$480", "$525"), "5 years", "steel", "Bergen", "6.1 kg", ("19", "8"), None, "L", "D"),
    ("Anchor Tamper", "tamper", ("$31", "$36"), "12 years", "oak", "Turin", "0.6 kg", None, None, "S", "A"),
    ("Keel Pitcher", "milk pitcher", ("$24", "$28"), "6 years", "copper", "Porto", "0.3 kg", ("210", "175"), None, "S", "A"),
    ("Delta Filter", "water filter jug", ("$39", "$45"), "1 year", "glass", "Malmo", "1.1 kg", None, None, "M", "A"),
    ("Aurora Dripper", "pour-over dripper", ("$33", "$29"), "7 years", "ceramic", "Kyoto", "0.2 kg", ("88", "132"), None, "S", "A"),
    ("Fathom Siphon", "siphon brewer", ("$148", "$163"), "2 years", "glass", "Vienna", "1.8 kg", None, "Linen", "L", "B"),
    ("Juniper Flask", "travel flask", ("$42", "$49"), "9 years", "titanium", "Bergen", "0.4 kg", None, None, "S", "A"),
    ("Basalt Knockbox", "knock box", "$27", "6 years", "ceramic", "Ghent", "1.4 kg", None, None, "M", "A"),
    ("Cinder Moka", "moka pot", ("$51", "$46"), "3 years", "enamel", "Turin", "0.8 kg", None, "Linen", "S", "A"),
    ("Willow Server", "serving carafe", ("$35", "$41"), "1 year", "bamboo", "Malmo", "0.5 kg", None, None, "S", "A"),
    ("Orbit Frother", "milk frother", ("$83", "$97"), "4 years", "steel", "Leeds", "1.2 kg", None, "Amber", "M", "B"),
    ("Saffron Canister", "storage canister", "$22", "8 years", "brass", "Vienna", "0.6 kg", None, None, "S", "A"),
    ("Thistle Brush", "cleaning brush set", ("$14", "$17"), "5 years", "bamboo", "Ghent", "0.1 kg", None, None, "S", "A"),
    ("Nimbus Tower", "cold brew tower", ("$268", "$310"), "7 years", "oak", "Porto", "5.3 kg", None, "Cobalt", "XL", "C"),
]
# fmt: on
PRODUCTS: Final = tuple(Product(*row) for row in _PRODUCT_ROWS)

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
WORKSHOPS: Final = {
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
ACCOUNTS: Final = {
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
    for name, (fee, teacher, length) in WORKSHOPS.items():
        page = f"workshops/{slug(name)}.md"
        made += [_fact("workshop", name, "workshop_fee", fee, page), _fact("workshop", name, "teacher", teacher, page)]
        made += [_fact("workshop", name, "length", length, page)]
    made += [_fact("returns", name, "return_window", days, "policies/returns.md") for name, days in RETURNS.items()]
    for name, (smallest, terms) in ACCOUNTS.items():
        page = f"wholesale/{slug(name)}.md"
        made += [_fact("wholesale", name, "minimum_order", smallest, page)]
        made += [_fact("wholesale", name, "payment_terms", terms, page)]
    made += [_fact("staff", role, "role", name, "staff/who-is-who.md") for role, name in ROLES.items()]
    return tuple(made)
