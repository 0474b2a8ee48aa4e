"""The comparison table: every criterion against the four approaches, with who says so. Pure; draws nothing."""

from collections.abc import Sequence
from dataclasses import dataclass

from core.evidence import claims
from core.evidence.claims import APPROACHES, Claim, Criterion

MARKS = {"for": "+", "against": "−"}
SORTS = ("By group", "Most claims", "Most disagreement", "Name")


@dataclass(frozen=True)
class Cell:
    """What is said of one approach on one criterion. `note`: 'disputed', or 'depends' on the situation, or nothing."""

    claims: tuple[Claim, ...]
    ours: tuple[Claim, ...]
    note: str = ""

    def words(self) -> str:
        """'disputed: + D0 D1 D3 − D2'; what is only ours says so."""
        said = self.claims or self.ours
        parts = []
        for direction, mark in MARKS.items():
            who = dict.fromkeys(each.document for each in said if each.direction == direction)
            if who:
                parts.append(f"{mark} {' '.join(who)}")
        return (f"{self.note}: " if self.note else "") + "  ".join(parts)


@dataclass(frozen=True)
class Row:
    """One criterion with a cell per approach."""

    criterion: Criterion
    cells: dict[str, Cell]

    @property
    def number(self) -> int:
        """How many claims the documents make on it."""
        return sum(len(cell.claims) for cell in self.cells.values())

    @property
    def disputes(self) -> int:
        """How many contradictions there are on it."""
        return sum(clash.criterion == self.criterion.id for clash in claims.contradictions())


def table(
    groups: Sequence[str] = (), documents: Sequence[str] = (), only_disputed: bool = False, sort: str = SORTS[0]
) -> list[Row]:
    """The rows that pass the filters (empty: all), sorted. With a document filter only its claims are left."""
    rows = [
        Row(criterion, {approach: _cell(criterion.id, approach, documents) for approach in APPROACHES})
        for criterion in claims.criteria().values()
        if criterion.group != claims.METHOD and (not groups or criterion.group in groups)
    ]
    rows = [row for row in rows if (row.number or not documents) and (row.disputes or not only_disputed)]
    if sort == "Most claims":
        rows.sort(key=lambda row: -row.number)
    elif sort == "Most disagreement":
        rows.sort(key=lambda row: -row.disputes)
    elif sort == "Name":
        rows.sort(key=lambda row: row.criterion.title)
    return rows


def _cell(criterion: str, approach: str, documents: Sequence[str]) -> Cell:
    said = tuple(each for each in claims.select(criterion, approach) if not documents or each.document in documents)
    added = tuple(each for each in claims.ours() if (each.criterion, each.approach) == (criterion, approach))
    clash = any((each.criterion, each.approach) == (criterion, approach) for each in claims.contradictions())
    both = len({each.direction for each in said}) > 1
    return Cell(said, () if documents else added, "disputed" if clash and not documents else "depends" if both else "")
