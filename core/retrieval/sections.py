"""A document's title, front matter and sections, with their places in the text. Knows no tokens and no index."""

import re
from dataclasses import dataclass
from pathlib import PurePosixPath

from core.retrieval import outline

_FRONT = re.compile(r"\A---[ \t]*\n(.*?)\n---[ \t]*(?:\n|\Z)", re.DOTALL)
_PAIR = re.compile(r"^([A-Za-z][\w-]{0,40}):[ \t]*(.{0,300})$")
_LONGEST = 120  # characters of a title or of one heading
_LEAD = re.compile(r"\w.{18,238}?[.!?](?=\s|\Z)", re.DOTALL)


@dataclass(frozen=True)
class Section:
    """The text under one heading path, from `start` to `end` in the document (a heading's own line left out)."""

    path: tuple[str, ...]
    start: int
    end: int


def front_matter(text: str, path: str = "") -> tuple[dict[str, str], int]:
    """The `key: value` lines between two `---` lines on top, and where the text begins. Source files have none."""
    found = None if outline.is_source(path) else _FRONT.match(text)
    if found is None:
        return {}, 0
    pairs = [_PAIR.match(line) for line in found.group(1).splitlines()]
    return {pair.group(1).lower(): pair.group(2).strip(" \"'") for pair in pairs if pair}, found.end()


def title(text: str, path: str) -> str:
    """Front matter's title, else the first heading of the first level, else (and for source files) the file's name."""
    if outline.is_source(path):
        return "/".join(PurePosixPath(path).parts[-2:])[-_LONGEST:]
    meta, begin = front_matter(text, path)
    if meta.get("title"):
        return meta["title"][:_LONGEST]
    for heading in outline.headings(text, path, begin):
        if heading.level == 1 and heading.name:
            return heading.name[:_LONGEST]
    return PurePosixPath(path).stem.replace("-", " ").replace("_", " ")[:_LONGEST] or path


def sections(text: str, path: str = "") -> list[Section]:
    """`text` cut at its headings (see outline.py); sections without a word are left out."""
    _, start = front_matter(text, path)
    found: list[Section] = []
    stack: list[tuple[int, str]] = []
    last = outline.Heading(len(text), len(text), 0, "")
    for heading in [*outline.headings(text, path, start), last]:
        if text[start : heading.start].strip():
            found.append(Section(tuple(name for _, name in stack if name), start, heading.start))
        while stack and stack[-1][0] >= heading.level:
            stack.pop()
        stack.append((heading.level, heading.name[:_LONGEST]))
        start = heading.end
    return found


def whole(text: str, path: str = "") -> list[Section]:
    """`text` as one section without a heading, the front matter left out."""
    _, begin = front_matter(text, path)
    return [Section((), begin, len(text))] if text[begin:].strip() else []


def lead(text: str, path: str = "") -> str:
    """The document's first sentence, as it stands there: what all of it is about.

    "" where the text begins with no sentence of 20 to 240 characters (a table, a list, code), and for source files.
    """
    if outline.is_source(path):
        return ""
    opening = next((text[one.start : one.end] for one in sections(text, path)), "").lstrip()
    found = _LEAD.match(opening.partition("\n\n")[0])
    return found.group() if found else ""


def heading(document_title: str, path: tuple[str, ...]) -> str:
    """The heading path as one line, without the title it usually begins with."""
    return " > ".join(path[1:] if path[:1] == (document_title,) else path)
