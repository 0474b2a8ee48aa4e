"""Files of many types to text. Knows no index."""

from dataclasses import dataclass

from core.errors import Problem
from core.text import one_line

SUFFIXES = (".txt", ".md", ".html", ".htm", ".pdf", ".docx", ".csv")
LARGEST_FILE = 20 * 1024 * 1024


@dataclass(frozen=True)
class Parsed:
    """`text` of a file; `type`: its suffix without the dot."""

    text: str
    type: str


def too_large(name: str, size: int) -> str:
    """The one line for a file that is too large."""
    return f"'{one_line(name, 80)}' has {size / 1e6:,.0f} MB; at most {LARGEST_FILE / 1e6:.0f} MB are taken. Split it."


def parse(name: str, data: bytes) -> Parsed:
    """first cut: plain text"""
    try:
        return Parsed(data.decode("utf-8"), name.rsplit(".", 1)[-1].lower())
    except UnicodeDecodeError as error:
        raise Problem(f"'{one_line(name, 80)}' is not UTF-8 text.") from error
