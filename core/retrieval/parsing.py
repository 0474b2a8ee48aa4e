"""Files to text: the parent's side of the parsing process. Knows no index.

Plain text is decoded here; every other type is parsed by parse_worker.py in a process of its own with limited memory
and time. A file's name only tells its type: it never becomes a path.
"""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from core.errors import Problem
from core.retrieval import outline, parse_worker
from core.text import one_line

PLAIN = (".txt", ".md", ".rst", *outline.SOURCE_SUFFIXES)  # decoded, not parsed
SUFFIXES = (*PLAIN, ".html", ".htm", ".pdf", ".docx", ".csv", ".ipynb")
LARGEST_FILE = 20_000_000  # bytes
TYPES = "Read are text, Markdown, reStructuredText, HTML, PDF, Word (.docx), CSV, notebooks and source files."
DEADLINE_S = 30.0
_WORKER = Path(parse_worker.__file__)


@dataclass(frozen=True)
class Parsed:
    """`text` of a file; `type`: its suffix without the dot."""

    text: str
    type: str


def too_large(name: str, size: int) -> str:
    """The one line for a file that is too large."""
    return f"{_named(name)} has {size / 1e6:,.0f} MB; at most {LARGEST_FILE / 1e6:.0f} MB are taken. Split it."


def parse(name: str, data: bytes) -> Parsed:
    """The text of one file. Raises Problem with one line that says what is wrong with it and what to do."""
    suffix = Path(name).suffix.lower()
    if suffix not in SUFFIXES:
        raise Problem(f"{_named(name)} is of a type that is not read. {TYPES}")
    if len(data) > LARGEST_FILE:
        raise Problem(too_large(name, len(data)))
    if not data.strip():
        raise Problem(f"{_named(name)} is empty.")
    kind = suffix[1:]
    try:
        text = parse_worker.decode(data) if suffix in PLAIN else _in_worker(kind, data)
    except parse_worker.Unreadable as why:
        raise Problem(f"{_named(name)} {why}") from why
    return Parsed(text, kind)


def _in_worker(kind: str, data: bytes) -> str:
    """What the worker makes of `data`. Raises Unreadable, also when the worker dies or does not end."""
    try:
        done = subprocess.run(  # -I: neither the environment nor the current folder can lend it code
            [sys.executable, "-I", str(_WORKER), kind], input=data, capture_output=True, timeout=DEADLINE_S, check=False
        )
    except subprocess.TimeoutExpired:
        raise parse_worker.Unreadable(f"could not be read within {DEADLINE_S:.0f} seconds. Split it.") from None
    if done.returncode != 0:
        if b"ModuleNotFoundError" in done.stderr:
            raise parse_worker.Unreadable("needs a parser that is not installed: pip install -r requirements.txt")
        raise parse_worker.Unreadable("cannot be parsed: it took too much time or memory, or is damaged.")
    answer: dict[str, str] = json.loads(done.stdout)
    if "problem" in answer:
        raise parse_worker.Unreadable(answer["problem"])
    return answer["text"]


def _named(name: str) -> str:
    return f"'{one_line(name, 80)}'"
