"""Rows to fine-tune on: from questions or a file, set aside in part, written as the chats of a project's instruction.

Pure; knows no model, no job and no screen.
"""

import json
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from core.errors import Problem
from core.evaluation.questions import Question
from core.project.instruction import Message
from core.project.values import Project
from core.text import one_line

LEAST_ROWS: Final = 4
MOST_ROWS: Final = 5_000
MOST_BYTES: Final = 8_000_000
LONGEST: Final = 8_000  # characters of one text
MOST_PASSAGES: Final = 20


@dataclass(frozen=True)
class Row:
    """A prompt and the reply wanted. `passages`: read before it; `task`: the class whose instruction it is under.

    `group`: rows of one group ask for one fact and stay together. `source`: the question it was made of.
    """

    prompt: str
    completion: str
    passages: tuple[str, ...] = ()
    task: str = "own"
    group: str = ""
    source: Question | None = None


def of_questions(asked: Iterable[Question]) -> tuple[Row, ...]:
    """The questions that have an answer, which is what the model is to say. Raises Problem when there are too few."""
    rows = (
        Row(q.question, q.expected(None)[0], task=q.cls, group=q.group, source=q) for q in asked if q.expected(None)[0]
    )
    return _counted(tuple(rows))


def parse(data: bytes, name: str) -> tuple[Row, ...]:
    """The rows of a JSONL file: prompt, completion, optionally passages. Raises Problem with the line that is wrong."""
    name = one_line(name, 80)
    if len(data) > MOST_BYTES:
        raise Problem(f"{name} is larger than {MOST_BYTES // 1_000_000} MB. Split it.")
    try:
        lines = data.decode("utf-8-sig").split("\n")
    except UnicodeDecodeError as error:
        raise Problem(f"{name} is not UTF-8 text (byte {error.start}). Save it as UTF-8.") from error
    return _counted(tuple(_row(line, f"{name}, line {n}") for n, line in enumerate(lines, 1) if line.strip()))


def split(rows: Sequence[Row], share: float, seed: int = 0) -> tuple[tuple[Row, ...], tuple[Row, ...]]:
    """What is trained on, and what is set aside: about `share` of the rows, whole groups of them. Raises Problem."""
    if not 0 < share <= 0.5:
        raise Problem(f"Between 1 % and 50 % of the rows can be set aside, not {share:.0%}.")
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(row.group or row.prompt, []).append(row)
    if len(groups) < 2:
        raise Problem("All rows ask for one thing: nothing can be set aside to see what was learned.")
    names = sorted(groups)
    random.Random(seed).shuffle(names)
    wanted, aside = max(1, round(share * len(rows))), set[str]()
    for name in names[:-1]:
        if sum(len(groups[one]) for one in aside) >= wanted:
            break
        aside.add(name)
    kept = tuple(row for row in rows if (row.group or row.prompt) not in aside)
    return kept, tuple(row for row in rows if (row.group or row.prompt) in aside)


def chat(project: Project, row: Row) -> tuple[Message, ...]:
    """What the model is trained on: the project's own instruction around the row, and the reply."""
    asked = project.instruction_for(row.task).messages(row.prompt, row.passages)
    return (*asked, {"role": "assistant", "content": row.completion})


def dumps(project: Project, rows: Iterable[Row]) -> str:
    """The rows as the training's JSONL: one object with `messages` a line."""
    return "".join(json.dumps({"messages": chat(project, row)}) + "\n" for row in rows)


def _row(line: str, where: str) -> Row:
    try:
        given: Any = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise Problem(f"{where} is not JSON. One object a line is wanted: prompt and completion.") from error
    texts = [given.get(key) if isinstance(given, dict) else None for key in ("prompt", "completion")]
    passages = given.get("passages") or () if isinstance(given, dict) else ()
    for text in texts:
        if not isinstance(text, str) or not text.strip():
            raise Problem(f"{where}: needs the texts prompt and completion, both not empty.")
    if not isinstance(passages, list | tuple) or not all(isinstance(text, str) for text in passages):
        raise Problem(f"{where}: passages must be a list of texts.")
    if len(passages) > MOST_PASSAGES or max(map(len, (*texts, *passages))) > LONGEST:
        raise Problem(f"{where}: at most {MOST_PASSAGES} passages, and {LONGEST:,} characters a text, are taken.")
    return Row(str(texts[0]).strip(), str(texts[1]).strip(), tuple(passages))


def _counted(rows: tuple[Row, ...]) -> tuple[Row, ...]:
    if not LEAST_ROWS <= len(rows) <= MOST_ROWS:
        raise Problem(
            f"Between {LEAST_ROWS} and {MOST_ROWS:,} rows with an answer can be trained on, not {len(rows):,}."
        )
    return rows
