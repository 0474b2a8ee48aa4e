"""What the five documents claim, where they disagree, and the cases they name.

Reads claims.toml and the figures it points to. Contradictions are computed from the claims, never listed by hand.
Knows nothing of the advisor that weighs the claims, nor of how they are drawn.
"""

import itertools
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

from core import tomlfile
from core.approaches import APPROACHES as APPROACHES
from core.errors import Problem
from core.evidence import figures

FILE = Path(__file__).with_name("claims.toml")
DOCUMENTS = ("D0", "D1", "D2", "D3", "D4")
OURS = "ours"  # stands in a Claim's `document` for what no document says and this project adds
METHOD = "Method"  # criteria of this group have several choices rather than a good and a bad side
NOT_READABLE = "not readable"
DIRECTIONS = ("for", "against")

KINDS = {
    "opposite": "One says for, another against.",
    "aspects": "For in one respect, against in another.",
    "condition": "One claims it flatly, another only under a condition.",
    "choice": "Different choices are recommended.",
    "amount": "The amounts exclude each other.",
    "overlap": "One is called better, yet the figures overlap.",
    "sum": "The parts do not add up to the total.",
    "case": "The same kind of case, different verdicts.",
}


@dataclass(frozen=True)
class Criterion:
    """One thing to compare approaches by."""

    title: str
    group: str
    situational: bool = False  # its aspects are situations of the user, so they do not contradict each other
    id: str = ""


@dataclass(frozen=True)
class Claim:
    """One claim of one document about one approach. `amount`: (low, high) of the aspect, as we read it."""

    criterion: str
    approach: str
    direction: str
    says: str
    aspect: str = ""
    condition: str = ""
    figure: str = ""
    amount: tuple[float, float] | None = None
    document: str = ""
    place: str = ""

    @property
    def source(self) -> str:
        """Where it stands: 'D2, Cost analysis'."""
        return f"{self.document}, {self.place}"

    def words(self) -> str:
        """The claim on one line, with its condition."""
        return f"{self.says} ({self.condition})" if self.condition else self.says


@dataclass(frozen=True)
class Case:
    """A use case that a document names.

    `answers`: what the document says of it, in the advisor's terms. `assumed`: what it only implies, with `why`; a case
    that needs any is counted apart.
    """

    title: str
    verdict: str
    answers: dict[str, str]
    subject: str = ""
    assumed: dict[str, str] = field(default_factory=dict)
    why: str = ""
    readable: str = ""
    document: str = ""
    place: str = ""

    @property
    def all_answers(self) -> dict[str, str]:
        """What is stated and what is assumed."""
        return {**self.assumed, **self.answers}

    @property
    def counts(self) -> bool:
        """Whether the advisor can be held to it: readable, and not disputed between the documents."""
        return self.verdict != NOT_READABLE and self.subject not in disputed_subjects()


@dataclass(frozen=True)
class _Passage:
    document: str
    place: str
    claims: tuple[Claim, ...]


@dataclass(frozen=True)
class _Cases:
    document: str
    place: str
    list: tuple[Case, ...]


@dataclass(frozen=True)
class _Sum:
    criterion: str
    document: str
    place: str
    parts: tuple[str, ...]
    total: str
    says: str


@dataclass(frozen=True)
class _File:
    """The shape of claims.toml."""

    criteria: dict[str, Criterion]
    passage: tuple[_Passage, ...]
    sum: tuple[_Sum, ...]
    cases: tuple[_Cases, ...]
    ours: dict[str, dict[str, tuple[str, str]]]


@dataclass(frozen=True)
class Contradiction:
    """Two or more sides that do not agree. `sides`: what each says, with who says so."""

    kind: str
    criterion: str
    about: str
    sides: tuple[tuple[str, tuple[str, ...]], ...]
    approach: str = ""

    @property
    def documents(self) -> tuple[str, ...]:
        """The documents involved, in order."""
        places = (place for _, who in self.sides for place in who)
        return tuple(sorted({place[:2] for place in places}))


@cache
def criteria() -> dict[str, Criterion]:
    """All criteria by id, in the order of the file."""
    return {name: replace(one, id=name) for name, one in _file().criteria.items()}


@cache
def claims() -> tuple[Claim, ...]:
    """All claims in the order of the documents. Raises Problem on a slip in the file."""
    return tuple(_checked(one, passage) for passage in _file().passage for one in passage.claims)


@cache
def ours() -> tuple[Claim, ...]:
    """What this project adds beside the documents; apart from claims(), and never part of a contradiction."""
    return tuple(
        Claim(criterion, approach, direction, says, document=OURS, place="not in the documents")
        for criterion, approaches in _file().ours.items()
        for approach, (direction, says) in approaches.items()
    )


@cache
def cases() -> tuple[Case, ...]:
    """All cases that the documents name, readable or not."""
    return tuple(
        replace(one, document=group.document, place=group.place) for group in _file().cases for one in group.list
    )


@cache
def disputed_subjects() -> tuple[str, ...]:
    """Kinds of case on which the readable verdicts differ."""
    verdicts = defaultdict(set)
    for case in cases():
        if case.subject and case.verdict != NOT_READABLE:
            verdicts[case.subject].add(case.verdict)
    return tuple(subject for subject, found in verdicts.items() if len(found) > 1)


def select(criterion: str = "", approach: str = "", document: str = "") -> list[Claim]:
    """The claims on a criterion, an approach, by a document; empty means any."""
    return [
        claim
        for claim in claims()
        if criterion in ("", claim.criterion) and approach in ("", claim.approach) and document in ("", claim.document)
    ]


@cache
def contradictions() -> tuple[Contradiction, ...]:
    """Every disagreement between or inside the documents, computed from claims, figures and cases."""
    found: list[Contradiction] = []
    for name, criterion in criteria().items():
        here = select(name)
        if criterion.group == METHOD:
            found += _choices(name, here)
            continue
        found += _directions(name, here)
        found += _amounts(name, here)
        found += _overlaps(name, here)
    found += [clash for one in _file().sum if (clash := _sum(one))]
    found += [_case(subject) for subject in disputed_subjects()]
    return tuple(found)


def _choices(criterion: str, here: Sequence[Claim]) -> list[Contradiction]:
    sides = _sides(here, lambda claim: claim.approach)
    title = criteria()[criterion].title
    return [Contradiction("choice", criterion, title, sides)] if len(sides) > 1 else []


def _directions(criterion: str, here: Sequence[Claim]) -> list[Contradiction]:
    """For against against on one approach; or flat against conditional in one direction."""
    found = []
    for approach in APPROACHES:
        ours = [claim for claim in here if claim.approach == approach]
        about = f"{criteria()[criterion].title}: {approach}"
        pairs = [(a, b) for a, b in itertools.combinations(ours, 2) if a.direction != b.direction]
        same_aspect = any(a.aspect == b.aspect for a, b in pairs)
        if pairs and (same_aspect or not criteria()[criterion].situational):
            kind = "opposite" if same_aspect else "aspects"
            found.append(Contradiction(kind, criterion, about, _sides(ours, lambda claim: claim.direction), approach))
        elif not pairs and 0 < sum(bool(claim.condition) for claim in ours) < len(ours):
            sides = _sides(ours, lambda claim: f"{claim.direction}, {claim.condition or 'flatly'}")
            found.append(Contradiction("condition", criterion, about, sides, approach))
    return found


def _amounts(criterion: str, here: Sequence[Claim]) -> list[Contradiction]:
    """Amounts of one aspect and approach that have no value in common."""
    groups: dict[tuple[str, str], list[Claim]] = defaultdict(list)
    for claim in here:
        if claim.amount:
            groups[claim.approach, claim.aspect].append(claim)
    return [
        Contradiction("amount", criterion, f"{criteria()[criterion].title}: {aspect}", _sides(ours, Claim.words))
        for (_, aspect), ours in groups.items()
        if any(_apart(a.amount, b.amount) for a, b in itertools.combinations(ours, 2) if a.amount and b.amount)
    ]


def _overlaps(criterion: str, here: Sequence[Claim]) -> list[Contradiction]:
    """One approach called better than another on figures that overlap."""
    found = []
    for a, b in itertools.combinations([claim for claim in here if _numeric(claim)], 2):
        if a.aspect != b.aspect or a.approach == b.approach or a.direction == b.direction:
            continue
        (low, high), (low_b, high_b) = figures.get(a.figure).range, figures.get(b.figure).range
        if figures.get(a.figure).unit == figures.get(b.figure).unit and max(low, low_b) < min(high, high_b):
            about = f"{criteria()[criterion].title}: {a.aspect or a.approach + ' and ' + b.approach}"
            found.append(Contradiction("overlap", criterion, about, _sides([a, b], _with_approach)))
    return found


def _sum(one: _Sum) -> Contradiction | None:
    """A total that is not the sum of its parts (low with low, high with high)."""
    parts = [figures.get(name) for name in one.parts]
    total = figures.get(one.total)
    low, high = (sum(part.range[end] for part in parts) for end in (0, 1))
    if (low, high) == total.range:
        return None
    who = (f"{one.document}, {one.place}",)
    return Contradiction(
        "sum",
        one.criterion,
        f"{criteria()[one.criterion].title}: {one.says}",
        ((f"parts: {low:g} to {high:g} {total.unit}", who), (f"total: {total.words()}", who)),
    )


def _case(subject: str) -> Contradiction:
    here = [case for case in cases() if case.subject == subject and case.verdict != NOT_READABLE]
    sides = {
        each: tuple(f"{case.document}, {case.place} ({case.title})" for case in here if case.verdict == each)
        for each in dict.fromkeys(case.verdict for case in here)
    }
    return Contradiction("case", "", f"Case: {subject}", tuple(sides.items()))


def _sides(here: Iterable[Claim], key: Any) -> tuple[tuple[str, tuple[str, ...]], ...]:
    groups: dict[str, list[str]] = defaultdict(list)
    for claim in here:
        respect = f"{claim.aspect}: " if claim.aspect else ""
        groups[key(claim)].append(f"{claim.source} ({respect}{claim.words()})")
    return tuple((side, tuple(who)) for side, who in groups.items())


def _apart(a: tuple[float, float], b: tuple[float, float]) -> bool:
    return a[1] < b[0] or b[1] < a[0]


def _numeric(claim: Claim) -> bool:
    return bool(claim.figure) and figures.get(claim.figure).text is None


def _with_approach(claim: Claim) -> str:
    return f"{claim.approach}: {figures.get(claim.figure).words()}"


def _checked(claim: Claim, passage: _Passage) -> Claim:
    made = replace(claim, document=passage.document, place=passage.place)
    if made.criterion not in criteria() or made.direction not in DIRECTIONS or made.document not in DOCUMENTS:
        raise Problem(f"claims.toml: '{made.says}' ({made.source}) has an unknown criterion, direction or document.")
    return made


@cache
def _file() -> _File:
    return tomlfile.read(FILE, _File)
