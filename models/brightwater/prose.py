"""The documents' text. Each family's sections are functions of values, so that the same prose can carry other values.

A section names its subject and stands on its own (about 60 to 130 tokens): retrieval cuts documents at headings.
`pick` chooses among the variants of a sentence; the builder fixes it by subject, training draws it freely.
Hand-written documents without a family are Markdown under source/, with places such as {{parcel.S}}.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

Pick = Callable[[Sequence[str]], str]
Values = Mapping[str, str]  # attribute -> value
Body = tuple[str, str]  # heading, text

# What a product is for, by name: one line for the head of its sheet, one for daily use.
LINES: Final[dict[str, tuple[str, str]]] = {
    "Tidal Press": (
        "pulls a shot by hand with a long spring lever, for people who like to feel the pressure",
        "Warm the group with a blank shot before the first coffee of the day",
    ),
    "Harbor Duo": (
        "serves small cafes and busy offices with two groups side by side",
        "Let both groups reach temperature before you draw water for tea",
    ),
    "Sable Espresso": (
        "fits under a kitchen cupboard and still makes an honest espresso",
        "Empty the drip tray every evening, since it is a small one",
    ),
    "Ridge Grinder": (
        "grinds for espresso and filter with flat burrs and a quiet motor",
        "Turn the dial only while the motor runs",
    ),
    "Pebble Mill": (
        "was our first hand grinder and slips into a coat pocket",
        "Fill it only to the line, so that the crank stays light",
    ),
    "Quarry Grinder": (
        "is a hand grinder with a heavy base that stays put on the table",
        "Hold the base flat and turn at an even pace",
    ),
    "Lantern Kettle": (
        "pours a thin and steady stream for filter coffee",
        "Rinse the spout after each use so that no scale settles there",
    ),
    "Ember Kettle": (
        "holds water at the temperature you choose until you are ready",
        "Set the temperature first and fill the kettle second",
    ),
    "Drift Scale": (
        "weighs beans and water and starts its timer at the first drop",
        "Place it on a hard surface before you switch it on",
    ),
    "Cove Brewer": (
        "brews a full pot for the family table without any fuss",
        "Swing the basket out and rinse it while it is still warm",
    ),
    "Mistral Roaster": (
        "roasts small batches at home under its own extractor",
        "Stay beside the roaster until the beans have cooled",
    ),
    "Anchor Tamper": (
        "sits level in the hand and gives the same pressure each time",
        "Wipe the base dry and oil the handle twice in winter",
    ),
    "Keel Pitcher": (
        "has a narrow lip for fine latte art and a grip that stays cool",
        "Rinse it with cold water right after steaming",
    ),
    "Delta Filter": (
        "takes chlorine and limescale out of tap water before it meets your coffee",
        "Keep the jug out of direct sun and use its water the same day",
    ),
    "Aurora Dripper": (
        "is a cone with spiral ribs for one or two cups of filter coffee",
        "Rinse the paper well so that the cone is warm",
    ),
    "Fathom Siphon": (
        "brews with steam and vacuum and turns breakfast into theatre",
        "Dry the lower globe before you light the burner",
    ),
    "Juniper Flask": (
        "keeps coffee hot on a mountain path or a morning train",
        "Leave the lid open overnight when the flask is empty",
    ),
    "Basalt Knockbox": (
        "takes the knock of a full portafilter without jumping",
        "Line the bottom with paper and empty it daily",
    ),
    "Cinder Moka": (
        "makes strong coffee on any stove in the old Italian manner",
        "Take it off the heat at the first gurgle",
    ),
    "Willow Server": (
        "keeps brewed coffee warm under a woven jacket",
        "Pour out the last cup rather than heating it again",
    ),
    "Orbit Frother": (
        "whips milk hot or cold at the touch of one button",
        "Wash the whisk by hand and never in the machine",
    ),
    "Saffron Canister": (
        "lets the gas of fresh beans out and no air in",
        "Store it in a cupboard and not beside the stove",
    ),
    "Thistle Brush": (
        "reaches the corners of burrs, groups and spouts",
        "Keep one brush for oil and another for dry grounds",
    ),
    "Nimbus Tower": (
        "drips cold water through coffee for hours and gives a clear, sweet brew",
        "Set the tap to a slow drip and leave the tower alone overnight",
    ),
}
SHOP_NOTES: Final = (
    "There is a tasting bar at the back where two coffees are open at all times.",
    "The window bench looks out on the water and is the best seat in the house.",
    "Children are welcome and find a box of wooden cups near the door.",
    "The shelves by the entrance hold spare parts for older machines.",
)


def product(name: str, kind: str, values: Values, pick: Pick) -> list[Body]:
    """Sheet of one product. Values used: price, stock (both optional), warranty, material, city, weight,
    programme (optional), parcel, repair: the last three are codes."""
    s = f"The {name}"
    what, use = LINES.get(name, ("is part of our range for the coffee table", "Clean it after use and store it dry"))
    overview = f"{s} is our {kind}. It {what}. {use}. " + pick(
        (
            "Every piece is checked by hand on our bench before it leaves the house.",
            "It comes in a plain carton with a printed guide and no plastic.",
            "You can try one at any of our shops, with a coffee on the house.",
        )
    )
    return [
        (name, overview),
        ("Price and stock", _price_and_stock(s, values, pick)),
        ("Build and origin", _build(s, values, pick)),
        ("Warranty and service", service(s, values, pick)),
    ]


def _price_and_stock(s: str, v: Values, pick: Pick) -> str:
    if "price" in v:
        price = pick(
            (
                f"{s} costs {v['price']}, tax included.",
                f"The price of {s.replace('The', 'the')} is {v['price']} with tax.",
                f"{s} sells for {v['price']} in our shops and online alike.",
            )
        )
    else:
        price = f"{s} is discontinued and can no longer be ordered. The Quarry Grinder takes its place."
    if "stock" in v:
        stock = pick(
            (
                f"There are {v['stock']} units of {s.replace('The', 'the')} in stock at the central warehouse.",
                f"Our warehouse counts {v['stock']} units of it in stock at the moment.",
                f"At the last count {v['stock']} units were in stock.",
            )
        )
    else:
        stock = pick(
            (
                f"{s} is packed to order, so no stock count is given.",
                "It is made in small runs and leaves the house as orders come in.",
            )
        )
    close = pick(
        (
            "Members pay less, as their card says. We do not match the prices of other sellers.",
            "The same price holds in every country, and shipping is added at the checkout.",
            "Gift wrapping is free of charge if you ask for it with the order.",
        )
    )
    return f"{price} {stock} {close}"


def _build(s: str, v: Values, pick: Pick) -> str:
    lower = s.replace("The", "the")
    return pick(
        (
            f"The body of {lower} is made of {v['material']}. It weighs {v['weight']} without packaging. We have it "
            f"made in {v['city']} by a family firm that we have known since our first year, and each piece carries "
            "the mark of the person who finished it.",
            f"{s} is made in {v['city']}. Its body is {v['material']}, finished by hand, and it weighs {v['weight']} "
            "on our own scale. Small marks in the surface come from the work and are no fault.",
            f"Lift {lower} and you lift {v['weight']}. The body is made of {v['material']}, which ages well with "
            f"daily use. It is made in {v['city']}, where our engineer visits the benches twice a year.",
        )
    )


def service(s: str, v: Values, pick: Pick) -> str:
    warranty = pick(
        (
            f"{s} has a warranty of {v['warranty']} from the day of purchase.",
            f"The warranty on {s.replace('The', 'the')} runs for {v['warranty']}.",
            f"We give a warranty of {v['warranty']} on {s.replace('The', 'the')}.",
        )
    )
    codes = f"It belongs to repair class {v['repair']} and travels in parcel size {v['parcel']}."
    if "programme" in v:
        codes += f" Descale it with the {v['programme']} programme."
    close = pick(
        (
            "Keep the receipt, since it is all we ask for.",
            "Wear of seals and blades is not covered.",
            "The warranty moves with the product when you give it away.",
        )
    )
    return f"{warranty} {codes} {close}"


def shop(name: str, values: Values, pick: Pick) -> list[Body]:
    """Page of one shop. Values: street, manager, closing, closed."""
    return [
        (
            name,
            f"The {name} is on {values['street']}. "
            + pick(
                (
                    f"The manager of the {name} is {values['manager']}, who will gladly grind a sample for you. ",
                    f"Its manager is {values['manager']}, who knows every machine on the counter by heart. ",
                )
            )
            + pick(SHOP_NOTES)
            + " Bring your own cup and the first filter coffee is free.",
        ),
        (
            f"Opening hours of the {name}",
            pick(
                (
                    f"The {name} opens in the morning with the first delivery of bread and closes at "
                    f"{values['closing']}. It is closed every {values['closed']}. ",
                    f"The {name} closes at {values['closing']} on working days. There is no service on a "
                    f"{values['closed']}, when the {name} is closed. ",
                )
            )
            + pick(
                (
                    "On public holidays a note hangs on the door. The last coffee is poured a little before the end.",
                    "Repairs are taken in at the counter at any time while the doors are open.",
                )
            ),
        ),
        (
            "What you find here",
            f"The {name} keeps the whole range on show and lets you brew on every machine. Staff will set a grinder "
            "for the beans you bring. Orders placed online can be collected at the counter once the message has come, "
            "and old machines are taken for recycling without a charge.",
        ),
    ]


def country(name: str, values: Values, pick: Pick) -> list[Body]:
    """Shipping page of one country. Values: shipping_fee, delivery."""
    return [
        (
            f"Shipping to {name}",
            pick(
                (
                    f"Shipping to {name} costs {values['shipping_fee']} an order, whatever the number of items. ",
                    f"We charge {values['shipping_fee']} for shipping an order to {name}. ",
                )
            )
            + pick(
                (
                    f"Delivery to {name} takes {values['delivery']} from the day we pack. ",
                    f"Count on {values['delivery']} for delivery to {name} once the parcel has left us. ",
                )
            )
            + "Large parcels carry a surcharge by parcel size, which is set out in the parcel guide.",
        ),
        (
            f"Customs and tracking for {name}",
            f"Each order to {name} has a tracking link, sent when the parcel leaves the warehouse. "
            + pick(
                (
                    "The driver tries twice and then leaves a card. ",
                    "Somebody over eighteen has to sign for machines. ",
                )
            )
            + f"Duties in {name}, where there are any, are paid at our end and never asked of you at the door. "
            "Tell us within a week if a box arrives damaged, and keep the packaging until we have seen a photograph.",
        ),
    ]


def membership(name: str, values: Values, pick: Pick) -> list[Body]:
    """Page of one membership. Values: monthly_fee, discount."""
    return [
        (
            f"{name} membership",
            f"The {name} membership costs {values['monthly_fee']} a month. "
            + pick(
                (
                    f"It gives {values['discount']} off everything in our shops, machines included. ",
                    f"Holders of the {name} membership get {values['discount']} off each order. ",
                )
            )
            + "The fee is taken on the first of each month from the card on file, and a pause of one month is free.",
        ),
        (
            f"How to join and leave {name}",
            f"Join {name} at any till or in your account online. The card is a number and not plastic, so give your "
            f"name at the counter. Leaving {name} takes one message, holds from the end of the month and costs "
            "nothing. Points already earned stay yours for a year. Two people of one household may share a membership.",
        ),
    ]


def workshop(name: str, values: Values, pick: Pick) -> list[Body]:
    """Page of one workshop. Values: workshop_fee, teacher, length."""
    return [
        (
            f"{name} workshop",
            pick(
                (
                    f"The {name} workshop is taught by {values['teacher']} and lasts {values['length']}. ",
                    f"{values['teacher']} teaches the {name} workshop, which lasts {values['length']}. ",
                )
            )
            + f"It costs {values['workshop_fee']} per person, with all coffee and milk. "
            + pick(
                (
                    "Nothing needs to be brought along but curiosity. Groups are kept small.",
                    "Wear something that may get wet. Everyone works at a machine of their own.",
                )
            ),
        ),
        (
            f"Booking the {name} workshop",
            f"Book the {name} workshop online or at any till. A place may be passed to a friend until the same "
            f"morning. If too few people sign up we move the {name} workshop to another date and write to you, and "
            "you may have your money back instead. Certificates are sent by mail in the week after.",
        ),
    ]


def account(name: str, values: Values, pick: Pick) -> list[Body]:
    """Page of one wholesale account. Values: minimum_order, payment_terms."""
    return [
        (
            name,
            pick(
                (
                    f"The {name} has a minimum order of {values['minimum_order']}. ",
                    f"Orders on the {name} start at a minimum order of {values['minimum_order']}. ",
                )
            )
            + pick(
                (
                    f"Invoices on the {name} are due in {values['payment_terms']}. ",
                    f"Its payment terms are {values['payment_terms']} from the date of the invoice. ",
                )
            )
            + "Prices are shown without tax once you have signed in, and pallets are unloaded by the driver.",
        ),
        (
            f"Opening a {name}",
            f"To open a {name}, send us your company register entry and the name of one person who may order. We "
            f"answer within the same week. A {name} includes a yearly visit by our engineer, training for new staff "
            "and a spare machine on loan while yours is on the bench. Coffee samples are sent each season.",
        ),
    ]


def returns(values: Values, pick: Pick) -> list[Body]:
    """One section per group of goods. `values`: group -> days."""
    made = [
        (
            "Returns",
            "You may send back what you do not like. The goods must be unused and complete, in the box they came "
            "in. How long you have depends on the group of goods, as the sections below say, and always starts on the "
            "day of delivery. Write to us first and we will mail you a label.",
        )
    ]
    made += [(f"Returning {group}", returned(group, days, pick)) for group, days in values.items()]
    return made


def returned(group: str, days: str, pick: Pick) -> str:
    """The section on one group of goods."""
    return pick(
        (
            f"Unused {group} can be returned within {days}. The money goes back to the card that paid, usually in "
            f"the same week. Opened {group} are looked at one by one.",
            f"For {group} the return window is {days}. Unused {group} with all their parts are refunded in full.",
        )
    )


def who_is_who(values: Values, pick: Pick) -> list[Body]:
    """The staff page. `values`: role -> name."""
    made = [
        (
            "Who is who",
            "Brightwater is a house of first names. This page lists the people whom customers and colleagues ask "
            "for most. Letters may be addressed to the role as well, and reach the right desk all the same.",
        )
    ]
    made += [(role.capitalize(), person(role, name, pick)) for role, name in values.items()]
    return made


def person(role: str, name: str, pick: Pick) -> str:
    """The section on one role."""
    duty = DUTIES.get(role, "plans the work of a small team")
    return pick(
        (
            f"Our {role} is {name}, who {duty}. Mail for the {role} is opened every morning.",
            f"{name} is the {role} and {duty}. If {name} is away, a colleague answers within a day.",
        )
    )


DUTIES: Final = {
    "head of repairs": "runs the bench and signs off each machine that leaves it",
    "head of wholesale": "looks after cafes, hotels and offices",
    "privacy officer": "answers every question about personal data",
    "head roaster": "chooses the lots and writes the roast curves",
    "warehouse lead": "keeps the count of all goods and plans the pallets",
    "training manager": "sets the programme of the workshops and of new staff",
    "purchasing lead": "buys parts and green coffee",
    "founder": "started the firm with a borrowed roaster and still tastes every lot",
}
