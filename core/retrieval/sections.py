"""A document's title, front matter and headings, with their places in the text. Knows no tokens and no index."""

import re
from dataclasses import dataclass
from pathlib import PurePosixPath

_HEADING = re.compile(r"^ {0,3}(#{1,6})[ \t]+(.*?)[ \t]*#*[ \t]*$")
_FENCE = re.compile(r"^ {0,3}(```+|~~~+)")
_FRONT = re.compile(r"\A---[ \t]*\n(.*?)\n---[ \t]*(?:\n|\Z)", re.DOTALL)
_PAIR = re.compile(r"^([A-Za-z][\w-]{0,40}):[ \t]*(.{0,300})$")
_LONGEST = 120  # characters of a title or of one heading


@dataclass(frozen=True)
class Section:
    """The text under one heading path, from `start` to `end` in the document (the heading's own line left out)."""

    path: tuple[str, ...]
    start: int
    end: int


def front_matter(text: str) -> tuple[dict[str, str], int]:
    """The `key: value` lines between two `---` lines on top, and where the text proper begins."""
    found = _FRONT.match(text)
    if found is None:
        return {}, 0
    pairs = [_PAIR.match(line) for line in found.group(1).splitlines()]
    return {pair.group(1).lower(): pair.group(2).strip(" \"'") for pair in pairs if pair}, found.end()


def title(text: str, path: str) -> str:
    """Front matter's title, else the first heading of the first level, else the file's name."""
    meta, begin = front_matter(text)
    if meta.get("title"):
        return meta["title"][:_LONGEST]
    for _, level, name in _headings(text, begin):
        if level == 1 and name:
            return name[:_LONGEST]
    return PurePosixPath(path).stem.replace("-", " ").replace("_", " ")[:_LONGEST] or path


def sections(text: str) -> list[Section]:
    """`text` cut at its Markdown headings (not inside code fences); sections without a word are left out."""
    _, begin = front_matter(text)
    found: list[Section] = []
    stack: list[tuple[int, str]] = []
    start = begin
    for at, level, name in [*_headings(text, begin), (len(text), 0, "")]:
        if text[start:at].strip():
            found.append(Section(tuple(part for _, part in stack), start, at))
        while stack and stack[-1][0] >= level:
            stack.pop()
        stack.append((level, name[:_LONGEST]))
        line_end = text.find("\n", at)
        start = len(text) if line_end < 0 else line_end + 1
    return found


def whole(text: str) -> list[Section]:
    """`text` as one section without a heading, the front matter left out."""
    _, begin = front_matter(text)
    return [Section((), begin, len(text))] if text[begin:].strip() else []


def heading(document_title: str, path: tuple[str, ...]) -> str:
    """The heading path as one line, without the title it usually begins with."""
    return " > ".join(path[1:] if path[:1] == (document_title,) else path)


def _headings(text: str, begin: int) -> list[tuple[int, int, str]]:
    """(place of the line, level, name) of each heading."""
    found, at, fence = [], begin, ""
    for line in text[begin:].splitlines(keepends=True):
        mark = _FENCE.match(line)
        if mark:
            sign = mark.group(1)[:3]
            fence = "" if fence == sign else fence or sign
        elif not fence:
            heading = _HEADING.match(line.rstrip("\r\n"))
            if heading:
                found.append((at, len(heading.group(1)), heading.group(2)))
        at += len(line)
    return found
