"""A project's question sets: kept by name, each question with where it came from. Knows no arm and no score."""

import json
import sqlite3
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Final

from core.errors import Problem
from core.evaluation import questions
from core.evaluation.questions import Question
from core.project import bundled
from core.project.values import Project
from core.store import Store
from core.text import one_line

LONGEST_NAME: Final = 60
MOST_SETS: Final = 100

_read_once = cache(questions.read)  # files of the repository do not change while it runs; panes ask at every redraw


class QuestionSets:
    """The question sets of all projects in `store`, and those that come with a bundled project."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def names(self, project: Project) -> list[str]:
        """The project's sets: the bundled ones, then its own by name."""
        rows = self._store.read("SELECT name FROM question_sets WHERE project = ? ORDER BY name", (project.id,))
        return [*(bundled.question_files(project) if project.bundled else ()), *(row["name"] for row in rows)]

    def read(self, project: Project, name: str) -> tuple[Question, ...]:
        """One set. Raises Problem when there is none."""
        rows = self._store.read("SELECT body FROM question_sets WHERE project = ? AND name = ?", (project.id, name))
        if rows:
            return questions.from_rows(json.loads(rows[0]["body"]))
        files = bundled.question_files(project) if project.bundled else {}
        if name in files:
            return _read_once(files[name])
        known = ", ".join(self.names(project)) or "none yet"
        raise Problem(f"This project has no question set '{one_line(name, 60)}'. Sets: {known}.")

    def save(self, project: Project, name: str, asked: Sequence[Question]) -> None:
        """Keep a set under a name, instead of one that had it. Raises Problem."""
        name = checked_name(name)
        if project.bundled and name in bundled.question_files(project):
            raise Problem(f"'{name}' is bundled with the project and read-only: choose another name.")
        if len(asked) > questions.MOST_QUESTIONS:
            raise Problem(f"{len(asked):,} questions are too many; at most {questions.MOST_QUESTIONS:,} are taken.")
        self._store.write(lambda db: insert(db, project.id, name, asked))

    def delete(self, project: Project, name: str) -> None:
        """Remove a set of the project's own."""
        row = (project.id, name)
        self._store.write(lambda db: db.execute("DELETE FROM question_sets WHERE project = ? AND name = ?", row))


def checked_name(name: str) -> str:
    """A set's name on one line. Raises Problem when there is none or it is too long."""
    name = one_line(name.strip(), LONGEST_NAME + 1)
    if not name or len(name) > LONGEST_NAME:
        raise Problem(f"A question set needs a name of at most {LONGEST_NAME} characters.")
    return name


def insert(db: sqlite3.Connection, project_id: str, name: str, asked: Sequence[Question]) -> None:
    """Keep a set inside a change of the store."""
    body = json.dumps([question.row() for question in asked], ensure_ascii=False)
    row = (project_id, name, body, datetime.now(UTC).isoformat(timespec="seconds"))
    db.execute("INSERT OR REPLACE INTO question_sets VALUES (?, ?, ?, ?)", row)
