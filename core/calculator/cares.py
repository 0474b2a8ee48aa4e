"""Where a document's figure needs care: the texts of cares.toml with the figures that they concern.

No number stands in a text: `{figure-id}` is filled in from core/evidence/figures.toml.
"""

from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from core import tomlfile
from core.evidence import figures

FILE = Path(__file__).with_name("cares.toml")


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


@dataclass(frozen=True)
class _File:
    care: tuple[Care, ...]


@cache
def every() -> tuple[Care, ...]:
    """All of them, in the order of the file."""
    file = tomlfile.read(FILE, _File)
    return tuple(replace(one, title=figures.fill(one.title), text=figures.fill(one.text)) for one in file.care)


def of(view: str) -> list[Care]:
    """Those of one view."""
    return [care for care in every() if care.view == view]
