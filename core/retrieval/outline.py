"""Where headings stand in a text, by the type its name tells: Markdown, reStructuredText, source files.

Line by line, with patterns that cannot backtrack far. In source files the lines that begin a function, class, table or
block are headings, nested by their indentation; so a badly indented file has a poor outline, and loses no text. A
parser a language would know better; why there is none: core/DECISIONS.md.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

LONGEST_LINE = 300  # characters of a line looked at for a definition

_HEADING = re.compile(r"^ {0,3}(#{1,6})[ \t]+(.*?)[ \t]*#*[ \t]*$")
_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})(.*)$")
_RULE = re.compile(r"^([!-/:-@\[-`{-~])\1{2,}[ \t]*$")  # a line of one punctuation mark

_WORDS = (
    r"(?:(?:export|default|public|private|protected|internal|static|final|abstract|async|inline|unsafe|extern|const|"
    r"override|virtual|sealed|partial|open|data|suspend|readonly|pub(?:\([a-z]+\))?)[ \t]+){0,6}"
)
_KEYWORD = (
    r"(?:class|interface|enum|struct|trait|union|namespace|module|mod|record|object|protocol|extension|impl|type|func|"
    r"fn|fun|function\*?|message|service|rpc|resource|variable|provider|data|output|macro_rules!)"
)
_NOT_NAMES = r"(?:if|for|while|switch|return|else|catch|new|throw|do|case|await|yield|delete|sizeof|using)\b"
_BRACES = (
    rf"{_WORDS}{_KEYWORD}(?:<[^>]{{0,60}}>)?[ \t]+(?P<name>(?:\([^)]{{0,60}}\)[ \t]*)?[\w\"$.:<>, \-]{{1,80}})",
    r"(?:export[ \t]+)?(?:const|let|var)[ \t]+(?P<name>[\w$]{1,80})[ \t]*=[ \t]*(?:async\b[ \t]*)?"
    r"(?:function\b|\(|\w+[ \t]*=>)",
    # a type, a name and its parameters, not ended by a semicolon: a function or method
    rf"(?!{_NOT_NAMES})(?:[\w:<>*&~\[\],?.]{{1,60}}[ \t]+[*&]{{0,2}}){{1,6}}(?P<name>[\w:~$]{{1,80}})\([^;=]{{0,200}}$",
    rf"(?!{_NOT_NAMES})(?P<name>[\w$#]{{1,80}})\([^;=]{{0,200}}\)[ \t]*(?::[^;=]{{1,60}})?\{{[ \t]*$",
)
_PATTERNS: dict[str, tuple[str, ...]] = {
    "py pyi": (r"(?:async[ \t]+)?(?:def|class)[ \t]+(?P<name>\w{1,80})",),
    "js mjs cjs jsx ts tsx java kt scala swift c cc cpp cxx h hh hpp cs go rs php proto graphql tf dart": _BRACES,
    "rb": (r"(?:def|class|module)[ \t]+(?P<name>[\w.:?!=]{1,80})",),
    "lua": (r"(?:local[ \t]+)?function[ \t]+(?P<name>[\w.:]{1,80})",),
    "r": (r"(?P<name>[\w.]{1,80})[ \t]*(?:<-|=)[ \t]*function\b",),
    "jl": (r"(?:function|struct|mutable struct|module|macro)[ \t]+(?P<name>[\w.!]{1,80})",),
    "sh bash": (r"function[ \t]+(?P<name>[\w:-]{1,80})", r"(?P<name>[\w:-]{1,80})[ \t]*\(\)"),
    "sql": (
        r"(?i:create)[ \t]+(?:(?i:or[ \t]+replace|unique|temp|temporary|materialized|virtual)[ \t]+){0,3}"
        r"(?i:table|view|index|function|procedure|trigger|type|schema)[ \t]+(?:(?i:if[ \t]+not[ \t]+exists)[ \t]+)?"
        r"(?P<name>[\w.\"`\[\]]{1,80})",
    ),
    "toml ini cfg": (r"\[{1,2}(?P<name>[^\]]{1,80})\]",),
    "yaml yml": (r"(?P<name>[\w./-]{1,80}):[ \t]*(?:#.*)?$",),
    "json": (r"\"(?P<name>[^\"]{1,80})\":[ \t]*[\[{][ \t]*$",),
}
_SOURCE = {
    f".{suffix}": tuple(re.compile(rf"^(?P<indent>[ \t]*){pattern}") for pattern in patterns)
    for suffixes, patterns in _PATTERNS.items()
    for suffix in suffixes.split()
}
_DEEPEST = {".yaml": 2, ".yml": 2, ".json": 2}  # spaces of indentation: below, keys are values
_TABLES = frozenset({".toml", ".ini", ".cfg", ".sql"})  # a table ends where the next begins
_BEFORE = re.compile(
    r"^[ \t]*(?:@|#(?!include|define|if|el|end|pragma)|//|/\*|\*|--)"
)  # decorators and comments that belong to what follows
_CLOSING = (*")]}{", "else", "elif", "except", "finally", "catch", "end", "then")

SOURCE_SUFFIXES = tuple(_SOURCE)


@dataclass(frozen=True)
class Heading:
    """A heading whose line lies from `start` to `end`; `start == end`: its line is text of its own section.

    `level`: 1 is the highest. `name` empty: what follows belongs to the level above.
    """

    start: int
    end: int
    level: int
    name: str


def is_source(path: str) -> bool:
    """Whether a document of that path is a source file: lines count there, sentences do not."""
    return _suffix(path) in _SOURCE


def headings(text: str, path: str, begin: int = 0) -> list[Heading]:
    """The headings of `text` from `begin` on, in order."""
    suffix, lines = _suffix(path), _lines(text, begin)
    if suffix in _SOURCE:
        return list(_source(lines, suffix))
    return list(_restructured(lines) if suffix == ".rst" else _markdown(lines))


def _suffix(path: str) -> str:
    return PurePosixPath(path).suffix.lower()


def _lines(text: str, begin: int) -> list[tuple[int, str]]:
    """(place, line with its end)"""
    found, at = [], begin
    for line in text[begin:].split("\n"):
        found.append((at, line + "\n"))
        at += len(line) + 1
    return [*found[:-1], (found[-1][0], found[-1][1][:-1])]


def _markdown(lines: list[tuple[int, str]]) -> Iterator[Heading]:
    fence = ""
    for at, line in lines:
        mark = _FENCE.match(line.rstrip())
        if fence:
            if mark and mark.group(1)[0] == fence[0] and len(mark.group(1)) >= len(fence) and not mark.group(2).strip():
                fence = ""
        elif mark and not (mark.group(1)[0] == "`" and "`" in mark.group(2)):
            fence = mark.group(1)
        elif heading := _HEADING.match(line.rstrip()):
            yield Heading(at, at + len(line), len(heading.group(1)), heading.group(2))


def _restructured(lines: list[tuple[int, str]]) -> Iterator[Heading]:
    """A title over a line of punctuation at least as long, levels by the order in which their marks appear."""
    styles: list[tuple[str, bool]] = []
    for number in range(len(lines) - 1):
        (at, title), (below, under) = lines[number], lines[number + 1]
        name, rule = title.strip(), _RULE.match(under.rstrip())
        if not name or not rule or len(under.rstrip()) < len(name) or _RULE.match(title.rstrip()) or title[0] == "\t":
            continue
        over = number > 0 and lines[number - 1][1].rstrip() == under.rstrip()
        if title[0] == " " and not over:  # only under an overline may a title be set in
            continue
        if not over and number > 0 and lines[number - 1][1].strip():  # the last line of a paragraph, or of a table
            continue
        style = (rule.group(1), over)
        if style not in styles:
            styles.append(style)
        start = lines[number - 1][0] if over else at
        yield Heading(start, below + len(under), styles.index(style) + 1, name)


def _source(lines: list[tuple[int, str]], suffix: str) -> Iterator[Heading]:
    """Definitions by indentation; a line set less deep than the open definition, and none itself, closes it."""
    patterns, deepest = _SOURCE[suffix], _DEEPEST.get(suffix, 1000)
    open_at: list[int] = []  # indentations of the definitions around
    before: int | None = None  # where decorators or comments directly above begin
    for at, line in lines:
        stripped = line.strip()
        if not stripped:
            before = None
            continue
        indent = len(line) - len(line.lstrip())
        found = next((match for pattern in patterns if (match := pattern.match(line[:LONGEST_LINE].rstrip()))), None)
        if found and indent <= deepest:
            while open_at and open_at[-1] >= indent:
                open_at.pop()
            open_at.append(indent)
            place = at if before is None else before
            yield Heading(place, place, len(open_at), found.group("name").strip(" \"'`"))
            before = None
        elif _BEFORE.match(line):
            before = at if before is None else before
        else:
            if open_at and indent <= open_at[-1] and not stripped.startswith(_CLOSING) and suffix not in _TABLES:
                while open_at and open_at[-1] >= indent:
                    open_at.pop()
                place = at if before is None else before
                yield Heading(place, place, len(open_at) + 1, "")
            before = None
