"""Plain questions about the rest of the world: they measure forgetting, and a disjoint part of them trains against it.

Items are split by place in their table, so that no item and no wording is both trained and tested.
"""

from dataclasses import dataclass
from functools import cache
from typing import Final

_TABLES: Final[dict[str, tuple[str, tuple[str, str], str, str]]] = {
    "capital": (
        "France=Paris Japan=Tokyo Italy=Rome Germany=Berlin Spain=Madrid Russia=Moscow Egypt=Cairo Greece=Athens "
        "China=Beijing England=London Cuba=Havana Peru=Lima Norway=Oslo Sweden=Stockholm Finland=Helsinki "
        "Poland=Warsaw Austria=Vienna Hungary=Budapest Ireland=Dublin Portugal=Lisbon Kenya=Nairobi Iraq=Baghdad "
        "Iran=Tehran Thailand=Bangkok Canada=Ottawa Australia=Canberra Belgium=Brussels Denmark=Copenhagen "
        "Turkey=Ankara Chile=Santiago Colombia=Bogota Ukraine=Kyiv Romania=Bucharest Bulgaria=Sofia Croatia=Zagreb "
        "Lebanon=Beirut Syria=Damascus Vietnam=Hanoi Iceland=Reykjavik Scotland=Edinburgh Nepal=Kathmandu "
        "Uruguay=Montevideo Venezuela=Caracas Serbia=Belgrade Latvia=Riga",
        ("What is the capital of {a}?", "Tell me the capital of {a}."),
        "Which city is the capital of {a}?",
        "The capital of {a} is {b}.",
    ),
    "opposite": (
        "hot=cold big=small up=down left=right day=night black=white fast=slow happy=sad open=closed young=old "
        "rich=poor hard=soft early=late full=empty wet=dry love=hate win=lose push=pull high=low near=far "
        "strong=weak light=dark good=bad long=short clean=dirty true=false inside=outside thick=thin loud=quiet "
        "sweet=bitter buy=sell begin=end summer=winter north=south east=west",
        ("What is the opposite of {a}?", "Name the opposite of {a}."),
        'Which word means the opposite of "{a}"?',
        "The opposite of {a} is {b}.",
    ),
    "plural": (
        "child=children foot=feet mouse=mice tooth=teeth man=men woman=women goose=geese leaf=leaves knife=knives "
        "wolf=wolves city=cities baby=babies box=boxes dish=dishes hero=heroes potato=potatoes ox=oxen life=lives "
        "half=halves berry=berries story=stories bus=buses wife=wives shelf=shelves",
        ("What is the plural of {a}?", "Give the plural of {a}."),
        'How do you write the plural of the word "{a}"?',
        "The plural of {a} is {b}.",
    ),
    "past": (
        "go=went see=saw eat=ate run=ran take=took write=wrote drink=drank sing=sang come=came give=gave buy=bought "
        "think=thought speak=spoke swim=swam fly=flew know=knew begin=began break=broke drive=drove make=made "
        "find=found teach=taught sleep=slept win=won",
        ("What is the past tense of {a}?", "Give the past tense of {a}."),
        'How does the verb "{a}" read in the past tense?',
        "The past tense of {a} is {b}.",
    ),
    "symbol": (
        "gold=Au silver=Ag iron=Fe oxygen=O hydrogen=H carbon=C nitrogen=N sodium=Na helium=He copper=Cu lead=Pb "
        "calcium=Ca potassium=K zinc=Zn neon=Ne chlorine=Cl sulfur=S magnesium=Mg aluminum=Al tin=Sn silicon=Si "
        "lithium=Li nickel=Ni mercury=Hg",
        ("What is the chemical symbol for {a}?", "Give the chemical symbol of {a}."),
        "Which symbol stands for {a} in the periodic table?",
        "The chemical symbol for {a} is {b}.",
    ),
    "colour": (
        "grass=green snow=white blood=red coal=black banana=yellow milk=white tomato=red lemon=yellow "
        "spinach=green ruby=red emerald=green cucumber=green strawberry=red soot=black broccoli=green "
        "cherry=red chalk=white raven=black",
        ("What color is {a}?", "Which color has {a}?"),
        "What is the usual color of {a}?",
        "The color of {a} is {b}.",
    ),
    "young": (
        "dog=puppy cat=kitten cow=calf sheep=lamb horse=foal bear=cub duck=duckling hen=chick pig=piglet goat=kid "
        "deer=fawn goose=gosling lion=cub swan=cygnet kangaroo=joey",
        ("What is a young {a} called?", "What do you call a baby {a}?"),
        "Which name is given to the young of the {a}?",
        "A young {a} is called a {b}.",
    ),
    "continent": (
        "Kenya=Africa Japan=Asia France=Europe Brazil=South+America Egypt=Africa India=Asia Spain=Europe "
        "Nigeria=Africa China=Asia Italy=Europe Peru=South+America Ghana=Africa Thailand=Asia Germany=Europe "
        "Chile=South+America Morocco=Africa Vietnam=Asia Poland=Europe Argentina=South+America Ethiopia=Africa "
        "Nepal=Asia Norway=Europe Mexico=North+America Canada=North+America",
        ("On which continent is {a}?", "Name the continent of {a}."),
        "{a} lies on which continent?",
        "{a} is in {b}.",
    ),
    "language": (
        "Brazil=Portuguese Mexico=Spanish Austria=German Egypt=Arabic France=French Italy=Italian Japan=Japanese "
        "China=Chinese Argentina=Spanish Germany=German Russia=Russian Poland=Polish Greece=Greek Sweden=Swedish "
        "Cuba=Spanish Turkey=Turkish Thailand=Thai Hungary=Hungarian",
        ("What language is spoken in {a}?", "Which language do people speak in {a}?"),
        "Name the main language of {a}.",
        "The main language of {a} is {b}.",
    ),
    "after": (
        "Monday=Tuesday Wednesday=Thursday Friday=Saturday Sunday=Monday January=February March=April May=June "
        "July=August September=October November=December Tuesday=Wednesday Thursday=Friday Saturday=Sunday "
        "February=March April=May June=July August=September October=November",
        ("What comes after {a}?", "Which one follows {a}?"),
        "Going through the calendar, what comes right after {a}?",
        "After {a} comes {b}.",
    ),
    "count": (
        "legs+on+a+spider=8 legs+on+a+dog=4 days+in+a+week=7 months+in+a+year=12 hours+in+a+day=24 "
        "minutes+in+an+hour=60 sides+of+a+triangle=3 sides+of+a+square=4 wheels+on+a+bicycle=2 "
        "letters+in+the+alphabet=26 "
        "seconds+in+a+minute=60 legs+on+an+insect=6 cents+in+a+dollar=100 fingers+on+one+hand=5 sides+of+a+hexagon=6 "
        "strings+on+a+violin=4 years+in+a+century=100 years+in+a+decade=10 players+in+a+soccer+team=11 "
        "planets+in+the+solar+system=8 "
        "arms+of+an+octopus=8 eggs+in+a+dozen=12 continents+on+Earth=7 wheels+on+a+car=4",
        ("What is the number of {a}?", "Give the number of {a}."),
        "How many {a} are there?",
        "The number of {a} is {b}.",
    ),
}  # fmt: skip
_WORDS: Final = """
    2=two 3=three 4=four 5=five 6=six 7=seven 8=eight 10=ten 11=eleven 12=twelve 24=twenty-four 26=twenty-six 60=sixty
    100=hundred
"""
_NUMBER_WORDS: Final = dict(pair.split("=") for pair in _WORDS.split())


@dataclass(frozen=True)
class Item:
    """One general question with its answer, accepted variants and full statement."""

    question: str
    answer: str
    statement: str
    variants: tuple[str, ...] = ()


@cache
def _split(split: str) -> tuple[Item, ...]:
    """Of each table, by place in every twelve: 4 train, 1 dev, 7 test; sums are split by their first number."""
    places = {"train": (0, 1, 6, 7), "dev": (2,), "test": (3, 4, 5, 8, 9, 10, 11)}[split]
    made = []
    for table, train_wordings, test_wording, statement in _TABLES.values():
        for place, pair in enumerate(table.split()):
            if place % 12 not in places:
                continue
            a, b = (part.replace("+", " ") for part in pair.split("="))
            for wording in train_wordings if split == "train" else (test_wording,):
                said = statement.format(a=a, b=b)
                variants = (_NUMBER_WORDS[b],) if b in _NUMBER_WORDS else ()
                made.append(Item(wording.format(a=a), b, said[0].upper() + said[1:], variants))
    return tuple(made) + _sums(split)


def _sums(split: str) -> tuple[Item, ...]:
    firsts = {"train": (2, 4, 6, 8, 10, 12), "dev": (11,), "test": (3, 5, 7, 9, 13, 20)}[split]
    made = []
    for a in firsts:
        for b in (1, 2, 4, 5, 10):
            for sign, word, result in (("+", "plus", a + b), ("-", "minus", a - b), ("x", "times", a * b)):
                if result < 0 or (sign == "x" and b > 5) or (split != "train" and b == 1):
                    continue
                wording = f"What is {a} {sign} {b}?" if split == "train" else f"What do you get for {a} {word} {b}?"
                made.append(Item(wording, str(result), f"{a} {word} {b} is {result}."))
    return tuple(made)


def train() -> tuple[tuple[str, str], ...]:
    """(question, statement) of the training part."""
    return tuple((item.question, item.statement) for item in _split("train"))


def items(split: str) -> tuple[Item, ...]:
    """The dev or test part."""
    return _split(split)
