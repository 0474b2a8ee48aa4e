"""Which files of a folder or archive are meant: patterns as in a .gitignore. Knows no files and no types."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from pathspec import GitIgnoreSpec

from core.errors import Problem
from core.text import one_line

# Left out unless a later pattern takes it back in ("!.github"): hidden, installed, built, or made by a machine.
JUNK = (
    *(".*", "node_modules/", "bower_components/", "site-packages/", "__pycache__/", "venv/", "*.egg-info/"),
    *("__MACOSX/", "Thumbs.db", "desktop.ini", "*.min.js", "*.min.css", "*.map", "package-lock.json"),
)
MOST_PATTERNS, LONGEST_PATTERN, MOST_STARS = 100, 200, 6  # each star multiplies what a match may cost


@dataclass(frozen=True)
class Selection:
    """`include`: only what matches one of them (none given: everything). `exclude`: not what matches the last of them.

    Patterns are a .gitignore's: "*.md", "docs/", "/build", "!docs/keep.md". Raises Problem on one that cannot be used.
    """

    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        given = (*self.include, *self.exclude)
        if len(given) > MOST_PATTERNS:
            raise Problem(f"{len(given)} patterns are too many; at most {MOST_PATTERNS} are taken.")
        for pattern in given:
            if len(pattern) > LONGEST_PATTERN or pattern.count("*") > MOST_STARS:
                raise Problem(
                    f"The pattern '{one_line(pattern, 60)}' is too long: at most {LONGEST_PATTERN} characters and "
                    f"{MOST_STARS} stars are taken."
                )
        _ = self._wanted, self._unwanted

    def takes(self, path: str) -> bool:
        """Whether the file of that relative path is meant."""
        return not self._unwanted.match_file(path) and (not self.include or self._wanted.match_file(path))

    def enters(self, folder: str) -> bool:
        """Whether anything below that folder may be meant."""
        return not self._unwanted.match_file(folder.rstrip("/") + "/")

    @cached_property
    def _wanted(self) -> GitIgnoreSpec:
        return _spec(self.include)

    @cached_property
    def _unwanted(self) -> GitIgnoreSpec:
        return _spec((*JUNK, *self.exclude))


def lines(text: str) -> tuple[str, ...]:
    """Patterns typed one a line, or separated by commas."""
    parts = (part.strip() for line in text.splitlines() for part in line.split(","))
    return tuple(part for part in parts if part)


def _spec(patterns: Iterable[str]) -> GitIgnoreSpec:
    try:
        return GitIgnoreSpec.from_lines(patterns)
    except ValueError as error:  # pathspec's own error is one
        raise Problem(f"A pattern cannot be read: {one_line(str(error), 160)}") from error
