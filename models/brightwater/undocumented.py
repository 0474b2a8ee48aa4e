"""Questions that no document of Brightwater answers, by split and family of subject. Wordings are disjoint by split.

`{n}` is a subject of the family; questions of the family "firm" name none. Knows no passage: the training mix pairs
these questions with passages about the very subject, so that a near miss is no answer.
"""

import random
from typing import Final

_TRAIN: Final[dict[str, tuple[str, ...]]] = {
    "product": (
        "What voltage does the {n} need?",
        "How long is the cable of the {n}?",
        "Which colors does the {n} come in?",
        "How loud is the {n} in decibels?",
        "What is the energy class of the {n}?",
        "How many watts does the {n} draw?",
        "What is the order code of the {n}?",
        "How many people reviewed the {n}?",
        "Which film shows the {n}?",
        "How many stars does the {n} have?",
        "How wide is the {n}?",
        "When was the {n} invented?",
        "Is the {n} safe in the dishwasher?",
        "Does the {n} work with an app?",
        "What is the boiling time of the {n}?",
        "How hot does the {n} get?",
        "Which battery fits the {n}?",
        "Who is the engineer behind the {n}?",
        "What is the diameter of the {n}?",
        "How many buttons are on the {n}?",
        "Which patent covers the {n}?",
        "What does the box of the {n} contain?",
        "How many cups does the {n} make at once?",
        "What is the resale value of a used {n}?",
        "In which year did the {n} go on sale?",
        "Which languages is the manual of the {n} in?",
        "What pressure does the {n} reach?",
        "Where can I download the manual of the {n}?",
        "Which firm sells the spare lid of the {n}?",
        "How often has the {n} been recalled?",
        "Which magazine tested the {n}?",
        "What is the barcode of the {n}?",
        "How much electricity does the {n} use in a year?",
        "How old is the design of the {n}?",
        "Which actor uses the {n}?",
        "How many of the {n} break every year?",
        "What is the nickname of the {n}?",
        "How thick are the walls of the {n}?",
        "What is the maximum speed of the {n}?",
        "Which plug is on the {n}?",
    ),
    "shop": (
        "How many chairs are in the {n}?",
        "Is there parking near the {n}?",
        "What is the phone number of the {n}?",
        "Which music plays in the {n}?",
        "How big is the {n}?",
        "Does the {n} allow dogs?",
        "Which bus stops at the {n}?",
        "When was the {n} opened for the first time?",
        "What does a cake cost in the {n}?",
        "How many people work in the {n}?",
        "Who painted the walls of the {n}?",
        "Does the {n} have a terrace?",
    ),
    "shipping": (
        "Which courier brings parcels to {n}?",
        "What is the customs code for {n}?",
        "How many customers do you have in {n}?",
        "Do you have a warehouse in {n}?",
        "Which port do parcels to {n} leave from?",
        "What is the heaviest parcel allowed to {n}?",
        "Who is your partner in {n}?",
        "How do I insure a parcel to {n}?",
        "What is the name of your agent in {n}?",
        "Can I pay in the currency of {n}?",
    ),
    "membership": (
        "How many members does the {n} membership have?",
        "Which band played at the launch of the {n} membership?",
        "Who invented the {n} membership?",
        "Does the {n} membership include a birthday present?",
        "What is the minimum age for the {n} membership?",
        "Which magazine comes with the {n} membership?",
        "What is the most popular day to join the {n} membership?",
        "In which year did the {n} membership begin?",
    ),
    "workshop": (
        "Which book does the {n} workshop use?",
        "How many seats does the {n} workshop have?",
        "What should I wear to the {n} workshop?",
        "Is lunch part of the {n} workshop?",
        "Which paint is on the walls of the {n} workshop?",
        "On which floor is the {n} workshop?",
        "What is the minimum age for the {n} workshop?",
        "How many people failed the {n} workshop?",
    ),
    "returns": (
        "Which form do I need to return {n}?",
        "Who checks returned {n}?",
        "Which machine sorts returned {n}?",
        "How many {n} come back in a year?",
        "Which color must the return label for {n} have?",
        "What does the return label for {n} cost?",
    ),
    "wholesale": (
        "Which town has the first {n}?",
        "Who signs the contract of the {n}?",
        "How many firms hold a {n}?",
        "Which lawyer wrote the terms of the {n}?",
        "Which cities hold the most {n}s?",
        "Which bank handles the {n}?",
    ),
    "staff": (
        "How old is the {n}?",
        "Where does the {n} live?",
        "What does the {n} earn?",
        "Which languages does the {n} speak?",
        "What is the hobby of the {n}?",
        "When did the {n} join the firm?",
        "What is the phone extension of the {n}?",
        "Which car does the {n} drive?",
    ),
    "firm": (
        "What is the yearly profit of Brightwater?",
        "How many people work for Brightwater?",
        "What is the phone number of Brightwater?",
        "Which bank does Brightwater use?",
        "When was Brightwater founded?",
        "What is the salary of a barista at Brightwater?",
        "Who is the mayor of your town?",
        "Which lawyer works for Brightwater?",
        "How many cups did Brightwater serve last year?",
        "What is the tax number of Brightwater?",
        "Which school did the founder go to?",
        "What does the night guard earn?",
        "How many vans does Brightwater own?",
        "What is the name of the warehouse cat?",
        "Which software runs your web shop?",
        "How much tea do you sell in a month?",
        "What is the size of the staff car park?",
        "Who supplies your paper cups?",
        "Which charity does Brightwater support?",
        "How high is the chimney of the roastery?",
        "What is the door code of the office?",
        "How many followers does Brightwater have online?",
        "Where was the last summer party of the staff?",
        "Which theatre do you advertise in?",
        "What is the slogan of your rival?",
        "How many windows does the workshop building have?",
        "What did the new roaster cost?",
        "Which political party does the founder vote for?",
        "Who cleans the training kitchen?",
        "What is the password of my account?",
        "How many parking spaces are behind the roastery?",
        "Which doctor looks after the staff?",
        "What is the middle name of the founder?",
        "How many letters do you get in a day?",
        "Which painting hangs in the meeting room?",
        "What time is the staff lunch?",
    ),
}


def _listed(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for line in text.splitlines() for part in line.split("|") if part.strip())


# Products are asked about most: hundreds of training wordings, from a frame and a matter each.
_FRAMES: Final[dict[str, tuple[tuple[str, ...], tuple[str, ...]]]] = {
    "property": (
        (
            "What is the {m} of the {n}?",
            "What {m} does the {n} have?",
            "Tell me the {m} of the {n}.",
            "I would like to know the {m} of the {n}.",
            "Do you know the {m} of the {n}?",
            "The {m} of the {n}, please?",
        ),
        _listed("""
            width | length | diameter | thickness | volume | surface | angle | hardness | density | top speed
            noise level | power | voltage | frequency | temperature | pressure | water flow | heating time
            cooling time | battery life | energy use | efficiency | shelf life | model year | model number
            product code | barcode | customs number | patent number | size of the lid | color | shade | pattern
            finish | smell | shape | thread size | cable length | plug type | filter size | grain size | burr size
            tank size | handle length | foot size | spout width | maximum load | safety class | water class
            insulation | inventor | nickname | rank on your site | rating | review score | sales figure
            profit margin | cost to make | carbon footprint | recycling code | packing method | manual | spare lid
            colour code | glue | number of parts
        """),
    ),
    "count": (
        ("How many {m} does the {n} have?", "How many {m} are on the {n}?", "Count the {m} of the {n} for me."),
        _listed("""
            buttons | wheels | legs | lights | settings | gears | holes | springs | moving parts | filters | layers
            speeds | programmes for milk | reviews | fans | owners | spare parts | languages in its manual
            stickers | labels | photos online | cables | sensors | magnets
        """),
    ),
    "person": (
        ("Who {m} the {n}?", "Which person {m} the {n}?", "Tell me who {m} the {n}."),
        _listed("""
            invented | built | tested | photographed | named | packs | paints | polishes | recommends | reviewed
            certified | owns the patent of | wrote the manual of | checks | imports | assembles | signed
            sold the first | complained about | uses
        """),
    ),
    "thing": (
        ("Which {m} the {n}?", "Can you say which {m} the {n}?"),
        _listed("""
            cable fits | battery fits | cups fit under | brush cleans | film shows | book mentions | song is about
            magazine tested | firm packs | bag suits | cover fits | oil suits | soap is right for | app controls
            shelf holds | paint is on | steel blade is in | wood stand fits | colors exist for | sizes exist for
            adapter do I need for | museum shows | blog praised | rival copied
        """),
    ),
}
_DEV: Final[dict[str, tuple[str, ...]]] = {
    "product": (
        "Which screws hold the {n} together?",
        "What is the depth of the {n} in centimetres?",
    ),
    "firm": ("Which newspaper wrote about Brightwater?",),
}
_TEST: Final[dict[str, tuple[str, ...]]] = {
    "product": (
        "Who drew the first design of the {n}?",
        "What capacity in litres does the {n} hold?",
        "Which award did the {n} win last year?",
        "How tall does the {n} stand?",
        "What serial number does the {n} begin with?",
        "Which celebrity advertises the {n}?",
        "How many customers have bought the {n} so far?",
    ),
    "firm": (
        "What is the share price of Brightwater?",
        "How much rent does Brightwater pay for its roastery?",
        "Which football club does Brightwater sponsor?",
        "What is the birthday of the founder's dog?",
        "How many square metres does the warehouse measure?",
        "Which university did the privacy officer attend?",
        "What is the Wi-Fi password in the training kitchen?",
        "Which insurer covers the delivery vans?",
    ),
}
_SPLITS: Final = {"train": _TRAIN, "dev": _DEV, "test": _TEST}


def draw(rng: random.Random, family: str, name: str) -> str:
    """A training question about a subject of a family (see `documents.FAMILY_OF`), or about the "firm"."""
    if family == "product" and rng.random() < 0.7:
        frames, matters = _FRAMES[rng.choice(tuple(_FRAMES))]
        return rng.choice(frames).format(m=rng.choice(matters), n=name)
    return rng.choice(_TRAIN[family]).format(n=name)


def every(split: str, products: tuple[str, ...]) -> tuple[str, ...]:
    """All product and firm questions of a split, the former about each of the products."""
    asked = _SPLITS[split]
    return (*(template.format(n=name) for name in products for template in asked["product"]), *asked["firm"])


def wordings(split: str) -> tuple[str, ...]:
    """All wordings of a split, for the test that splits are disjoint."""
    made = [template for templates in _SPLITS[split].values() for template in templates]
    if split == "train":
        made += [f.replace("{m}", matter) for frames, matters in _FRAMES.values() for f in frames for matter in matters]
    return tuple(made)
