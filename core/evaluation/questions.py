"""Question sets: ours and users' own, from JSONL or CSV. Knows the file formats; knows no arm and no score.

Fields: question, answer, variants, documents, class; graders (see graders.py); origin and reviewed where nobody has
seen the question yet. Lists are JSON arrays or separated by "|". Ours add `fact` (which questions belong together)
and `values` (the answer in each dated snapshot). A question without an answer and without graders expects the model to
abstain, unless its class is tone-only.
"""

import csv
import io
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from core.errors import Problem
from core.evaluation import graders
from core.evaluation.graders import Grader
from core.text import one_line

ABSTAIN, TONE, TICKET = "no-document", "tone-only", "ticket"
MOST_QUESTIONS: Final = 5_000
MOST_BYTES: Final = 8_000_000
LONGEST: Final = 8_000  # characters of one question, as core.ask takes it
MOST_ITEMS: Final = 200  # variants or documents of one question
_TRUTHS: Final = {"": True, "true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
_MARK: Final = re.compile(r"(.+)#([\w-]+)", re.DOTALL)
_FIELDS: Final = ("question", "answer", "variants", "documents", "class")


@dataclass(frozen=True)
class Question:
    """One question and what counts as right.

    `documents`: where the answer stands, a path or a section of one (`setup.md#custom-directory`, see `marked`).
    `values`: snapshot -> answer, where the answer depends on the date. `origin`: who made it, "" for a person;
    `reviewed`: whether a person has seen it, which every result says. `graders`: what counts as right, where it is more
    than stating the answer.
    """

    question: str
    answer: str
    cls: str
    variants: tuple[str, ...] = ()
    documents: tuple[str, ...] = ()
    fact: str | None = None
    values: Mapping[str, str] = field(default_factory=dict)
    origin: str = ""
    reviewed: bool = True
    graders: tuple[Grader, ...] = ()

    def expected(self, snapshot: str | None) -> tuple[str, ...]:
        """The accepted answers on a snapshot's day (None: the latest), the proper one first."""
        value = self.values.get(snapshot or "today", self.answer)
        return (value, *self.variants) if value == self.answer else (value,)

    @property
    def group(self) -> str:
        """Questions of one group ask for one fact: they are not independent of each other."""
        return self.fact or self.question

    def row(self) -> dict[str, Any]:
        """As JSON, in the form that `parse` reads."""
        made: dict[str, Any] = {
            "question": self.question,
            "answer": self.answer,
            "variants": list(self.variants),
            "documents": list(self.documents),
            "class": self.cls,
            "fact": self.fact,
            "values": dict(self.values),
        }
        if self.graders:
            made["graders"] = [asdict(grader) | {"values": list(grader.values)} for grader in self.graders]
        if self.origin or not self.reviewed:
            made |= {"origin": self.origin, "reviewed": self.reviewed}
        return made


def with_rule(asked: Iterable["Question"], metric: str, threshold: float, words: int) -> tuple["Question", ...]:
    """The questions; those of facts without graders, with an answer of more than so many words, graded by likeness."""
    rule = graders.similar(metric, threshold)
    return tuple(
        replace(one, graders=(rule,))
        if not one.graders and one.cls not in (ABSTAIN, TONE, TICKET) and len(one.answer.split()) > words
        else one
        for one in asked
    )


def marked(place: str) -> tuple[str, str]:
    """A document's path, and the slug of the heading marked in it ("" for the whole): `setup.md#custom-directory`."""
    found = _MARK.fullmatch(place)
    return (found[1], found[2].lower()) if found else (place, "")


def slug(heading: str) -> str:
    """A heading as the web writes it: small letters, hyphens for spaces, no other signs."""
    return re.sub(r"\s", "-", re.sub(r"[^\w\s-]", "", heading.strip().lower()))


def slugs(title: str, heading: str) -> set[str]:
    """The slugs of the headings a passage stands under, from its document's title down ("Setup > Custom directory")."""
    return {slug(part) for part in (title, *heading.split(" > ")) if part}


def stands_in(place: str, document: str, title: str, heading: str | None) -> bool:
    """Whether a passage of a document lies in `place`, a document or a marked section of one. Where the heading is not
    known (rows of older versions) the document decides."""
    path, wanted = marked(place)
    return document == path and (not wanted or heading is None or wanted in slugs(title, heading))


def read(path: Path) -> tuple[Question, ...]:
    """The questions of a .jsonl or .csv file. Raises Problem with the line that is wrong."""
    try:
        if not path.is_file():
            raise Problem(f"There is no file {one_line(str(path), 200)}.")
        if path.stat().st_size > MOST_BYTES:
            raise Problem(f"{path.name} is larger than {MOST_BYTES // 1_000_000} MB. Split it.")
        data = path.read_bytes()
    except OSError as error:
        raise Problem(f"{one_line(str(path), 200)} cannot be read: {error.strerror}.") from error
    return parse(data, path.name)


def parse(data: bytes, name: str) -> tuple[Question, ...]:
    """The questions of a file's bytes; `name` says by its ending which format it is, and stands in messages."""
    name = one_line(name, 80)
    if len(data) > MOST_BYTES:
        raise Problem(f"{name} is larger than {MOST_BYTES // 1_000_000} MB. Split it.")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Problem(f"{name} is not UTF-8 text (byte {error.start}). Save it as UTF-8.") from error
    if "\x00" in text:
        raise Problem(f"{name} holds a zero byte: it is not a text file.")
    rows = list(_csv(text, name) if name.lower().endswith(".csv") else _jsonl(text, name))
    if not rows:
        raise Problem(f"{name} holds no question.")
    if len(rows) > MOST_QUESTIONS:
        raise Problem(f"{name} holds {len(rows):,} questions; at most {MOST_QUESTIONS:,} are taken.")
    return tuple(_question(row, f"{name}, line {line}") for line, row in rows)


def from_rows(rows: Iterable[Mapping[str, Any]]) -> tuple[Question, ...]:
    """The questions of rows that `Question.row` made."""
    return tuple(_question(row, f"question {number}") for number, row in enumerate(rows, 1))


def _jsonl(text: str, name: str) -> Iterable[tuple[int, dict[str, Any]]]:
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise Problem(
                f"{name}, line {number} is not JSON. One object a line is wanted (.csv for a table)."
            ) from error
        if not isinstance(row, dict):
            raise Problem(f"{name}, line {number} is not a JSON object.")
        yield number, row


def _csv(text: str, name: str) -> Iterable[tuple[int, dict[str, Any]]]:
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    try:
        columns = [column.strip().lower() for column in reader.fieldnames or []]
        if "question" not in columns:
            raise Problem(f"{name} has no column 'question' in its first line. Columns: {', '.join(_FIELDS)}.")
        if len(set(columns)) < len(columns):
            raise Problem(f"{name} names a column twice in its first line.")
        reader.fieldnames = columns
        for row in reader:
            if None in row:
                raise Problem(f"{name}, line {reader.line_num} has more cells than the first line has columns.")
            if any(row.values()):
                yield reader.line_num, dict(row)
    except csv.Error as error:
        raise Problem(f"{name}, line {reader.line_num}: {error}.") from error


def _question(row: Mapping[str, Any], place: str) -> Question:
    question = _text(row, "question", place).strip()
    if not question:
        raise Problem(f"{place}: 'question' is empty.")
    if len(question) > LONGEST:
        raise Problem(f"{place}: the question has {len(question):,} characters; at most {LONGEST:,} are taken.")
    answer = _text(row, "answer", place).strip()
    cls = one_line(_text(row, "class", place).strip(), 60) or (
        "own" if answer or row.get("graders") or row.get("grader") else ABSTAIN
    )
    rules = graders.parse(row.get("graders") or row.get("grader") or [], place)
    if not answer and not rules and cls not in (ABSTAIN, TONE):
        raise Problem(f"{place}: 'answer' is empty. Only class {ABSTAIN} and {TONE}, and graded questions, have none.")
    if cls == TICKET:
        _ticket(answer, place)
    return Question(
        question=question,
        answer=answer,
        cls=cls,
        variants=_list(row, "variants", place),
        documents=_list(row, "documents", place),
        fact=_text(row, "fact", place) or None,
        values=_values(row, place),
        origin=one_line(_text(row, "origin", place), 60),
        reviewed=_reviewed(row, place),
        graders=rules,
    )


def _text(row: Mapping[str, Any], name: str, place: str) -> str:
    value = row.get(name)
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise Problem(f"{place}: '{name}' must be text.")
    text = str(value)
    if any("\ud800" <= letter <= "\udfff" for letter in text) or "\x00" in text:
        raise Problem(f"{place}: '{name}' holds characters that are not text.")
    return text


def _list(row: Mapping[str, Any], name: str, place: str) -> tuple[str, ...]:
    value = row.get(name)
    items = value if isinstance(value, list) else _text(row, name, place).split("|")
    made = tuple(_text({name: item}, name, place).strip() for item in items)
    if len(made) > MOST_ITEMS:
        raise Problem(f"{place}: '{name}' has {len(made)} entries; at most {MOST_ITEMS} are taken.")
    return tuple(item for item in made if item)


def _reviewed(row: Mapping[str, Any], place: str) -> bool:
    """A truth value, or what a spreadsheet writes for one; a question that says nothing has been reviewed."""
    value = row.get("reviewed")
    if value is None or isinstance(value, bool):
        return value is not False
    said = _text(row, "reviewed", place).strip().lower()
    if said not in _TRUTHS:
        raise Problem(f"{place}: 'reviewed' must be true or false.")
    return _TRUTHS[said]


def _values(row: Mapping[str, Any], place: str) -> dict[str, str]:
    value = row.get("values") or {}
    if not isinstance(value, dict) or len(value) > MOST_ITEMS:
        raise Problem(f"{place}: 'values' must be an object of snapshot and answer.")
    return {str(key): _text(value, key, place) for key in value}


def _ticket(answer: str, place: str) -> None:
    try:
        ticket = json.loads(answer)
    except (ValueError, RecursionError):
        ticket = None
    if not isinstance(ticket, dict) or "class" not in ticket:
        raise Problem(f"{place}: the answer of a ticket must be a JSON object with a 'class'.")
