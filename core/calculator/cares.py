"""Where a document's figure needs care: the texts of cares.toml with the figures that they concern.

No number stands in a text: `{figure-id}` is filled in from core/evidence/figures.toml.
"""

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from core.evidence import figures


@dataclass(frozen=True)
class Care:
    """One doubt, the view that it belongs to, and the ids of the figures in question."""

    view: str
    title: str
    text: str
    figures: tuple[str, ...]

    def rows(self) -> list[dict[str, str]]:
        """The figures side by side, with source, place and evidence."""
        shown = []
        for name in self.figures:
            one = figures.get(name)
            who = f"{one.approach}: " if one.approach else ""
            shown.append(
                {
                    "Figure": f"{who}{one.label}",
                    "Value": one.words(),
                    "Source": f"{one.source}, {one.place}",
                    "Evidence": one.evidence,
                    "Date": one.date,
                }
            )
        return shown


@cache
def every() -> tuple[Care, ...]:
    """All of them, in the order of the file."""
    raw = tomllib.loads((Path(__file__).resolve().parent / "cares.toml").read_text(encoding="utf-8"))
    return tuple(
        Care(entry["view"], figures.fill(entry["title"]), figures.fill(entry["text"]), tuple(entry["figures"]))
        for entry in raw["care"]
    )


def of(view: str) -> list[Care]:
    """Those of one view."""
    return [care for care in every() if care.view == view]
