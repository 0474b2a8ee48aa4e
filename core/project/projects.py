"""The projects of this machine: listed, made, changed, deleted. Bundled ones are read-only. Knows no document's text.

It keeps whose a project is and asks nobody who he is: what one person sees of all this is core/view.py.

A deleted project can be brought back for a day; then its rows go, and `purge` names the knowledge files to remove.
"""

import json
import re
import sqlite3
import unicodedata
import uuid
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from core import jobs, records, tomlfile
from core.errors import Problem
from core.project import bundled
from core.project.owners import Holding
from core.project.values import LONGEST_TITLE, Project
from core.store import Migration, Store
from core.text import one_line

UNDO: Final = timedelta(days=1)
MIGRATIONS: Final = [
    Migration(
        "projects-1",
        """
        CREATE TABLE projects (
            id TEXT PRIMARY KEY, title TEXT NOT NULL, owner TEXT NOT NULL, body TEXT NOT NULL,
            made TEXT NOT NULL, changed TEXT NOT NULL, deleted TEXT
        );
        CREATE TABLE question_sets (
            project TEXT NOT NULL, name TEXT NOT NULL, body TEXT NOT NULL, changed TEXT NOT NULL,
            PRIMARY KEY (project, name)
        );
        """,
    ),
    Migration("projects-2", "ALTER TABLE projects ADD COLUMN shared INTEGER NOT NULL DEFAULT 1;"),
]
# Known from elsewhere, so not in a project's text.
_KEPT_APART: Final = ("folder", "bundled", "made", "changed", "owner", "shared")


With = Callable[[sqlite3.Connection, Project], None]
Leaving = Callable[[sqlite3.Connection, str], None]


def nothing(_db: sqlite3.Connection, _project: Project) -> None:
    """What a new project brings along when it brings nothing."""


class Projects:
    """The bundled projects and those in `store`. `now` is the clock, for tests.

    `fresh` is called with the id of every new project before its row is kept: nothing older may lie under that id.
    """

    def __init__(
        self,
        store: Store,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        fresh: Callable[[str], None] = lambda _id: None,
    ) -> None:
        self._store, self._now, self._fresh = store, now, fresh

    def all(self) -> list[Project]:
        """Every project: the bundled ones, then by title."""
        rows = self._store.read("SELECT * FROM projects WHERE deleted IS NULL ORDER BY title COLLATE NOCASE, id")
        return [*bundled.all_bundled().values(), *map(_project, rows)]

    def get(self, project_id: str) -> Project:
        """One project. Raises Problem when there is none."""
        if project_id in bundled.all_bundled():
            return bundled.all_bundled()[project_id]
        rows = self._store.read("SELECT * FROM projects WHERE id = ? AND deleted IS NULL", (project_id,))
        if not rows:
            raise self.unknown(project_id)
        return _project(rows[0])

    def unknown(self, project_id: str) -> Problem:
        """What to say of a project that is not there, for whoever looks."""
        known = ", ".join(project.id for project in self.all())
        return Problem(f"There is no project '{one_line(project_id, 60)}'. Projects: {known}.")

    def holding(self, project_id: str) -> Holding | None:
        """Whose a project is, also one that can still be brought back; None when there is none."""
        if project_id in bundled.all_bundled():
            return Holding()
        rows = self._store.read("SELECT owner, shared FROM projects WHERE id = ?", (project_id,))
        return Holding(rows[0]["owner"], bool(rows[0]["shared"])) if rows else None

    def holdings(self) -> dict[str, Holding]:
        """Project -> whose it is, of all that there are and that can still be brought back."""
        rows = self._store.read("SELECT id, owner, shared FROM projects")
        kept = {row["id"]: Holding(row["owner"], bool(row["shared"])) for row in rows}
        return kept | {project_id: Holding() for project_id in bundled.all_bundled()}

    def settle(self, project_id: str, before: Holding, after: Holding) -> Project:
        """Give a project to somebody, or share it, if it still is as `before` says. Raises Problem."""
        if project_id in bundled.all_bundled():
            raise Problem("A bundled project is everyone's.")
        row = (after.owner, after.shared or not after.owner, project_id, before.owner, before.shared)
        sql = "UPDATE projects SET owner = ?, shared = ? WHERE id = ? AND owner = ? AND shared = ? AND deleted IS NULL"
        if self._store.write(lambda db: db.execute(sql, row).rowcount) != 1:
            raise Problem("The project was handed over, shared or deleted meanwhile: look again.")
        return self.get(project_id)

    def create(self, title: str, like: Project | None = None, owner: str = "", bring: With = nothing) -> Project:
        """A new project, empty or with everything of `like` that lies in a project's own text. Raises Problem.

        `owner`: whose it is, private until shared; "": everyone's. `bring`: what else comes with it, in the same
        transaction as its row.
        """
        title = one_line(title.strip(), LONGEST_TITLE + 1)

        def add(db: sqlite3.Connection) -> str:
            project = replace(
                like or Project("new", title),
                id=_free_id(db, title, guessable=not owner),
                title=title,
                bundled=False,
                folder="",
                owner=owner,
                shared=not owner,
            )
            project.check()
            self._fresh(project.id)
            insert(db, project, self._stamp())
            bring(db, project)
            return project.id

        return self.get(self._store.write(add))

    def save(self, project: Project) -> Project:
        """Keep a changed project; whose it is stays (see settle). Raises Problem when it is bundled, gone, or wrong."""
        if project.bundled or project.id in bundled.all_bundled():
            raise Problem(f"'{project.title}' is bundled and read-only: duplicate it, and change the copy.")
        project.check()
        row = (project.title, dumps(project), self._stamp(), project.id)
        sql = "UPDATE projects SET title = ?, body = ?, changed = ? WHERE id = ? AND deleted IS NULL"
        if self._store.write(lambda db: db.execute(sql, row).rowcount) != 1:
            raise Problem(f"The project '{one_line(project.title, 60)}' is not there any more: it was deleted.")
        return self.get(project.id)

    def change(self, project_id: str, **fields: Any) -> Project:
        """Replace some fields of a project."""
        return self.save(replace(self.get(project_id), **fields))

    def delete(self, project_id: str) -> None:
        """Take a project away; `restore` brings it back for a day. Raises Problem."""
        if self.get(project_id).bundled:
            raise Problem("A bundled project cannot be deleted.")
        row = (self._stamp(), project_id)
        self._store.write(lambda db: db.execute("UPDATE projects SET deleted = ? WHERE id = ?", row))

    def deleted(self) -> list[Project]:
        """What can still be brought back, latest first."""
        rows = self._store.read("SELECT * FROM projects WHERE deleted IS NOT NULL ORDER BY deleted DESC")
        return [_project(row) for row in rows]

    def restore(self, project_id: str) -> Project:
        """Bring a deleted project back. Raises Problem when its day is over."""
        sql = "UPDATE projects SET deleted = NULL WHERE id = ? AND deleted IS NOT NULL"
        if self._store.write(lambda db: db.execute(sql, (project_id,)).rowcount) != 1:
            raise Problem(f"The project '{one_line(project_id, 60)}' cannot be brought back any more.")
        return self.get(project_id)

    def purge(self, leaving: Leaving = lambda _db, _id: None) -> list[str]:
        """Erase what was deleted more than a day ago, with all that is its own; gives the ids.

        `leaving`: called with each id in the same transaction, for what lies elsewhere.
        """
        before = (self._now() - UNDO).isoformat(timespec="seconds")

        def erase(db: sqlite3.Connection) -> list[str]:
            gone = [row["id"] for row in db.execute("SELECT id FROM projects WHERE deleted < ?", (before,))]
            for project_id in gone:
                leaving(db, project_id)
                parts = ("runs", "question_sets", "votes", "labels")
                for table, column in (*((part, "project") for part in parts), ("projects", "id")):
                    db.execute(f"DELETE FROM {table} WHERE {column} = ?", (project_id,))
                jobs.erase(db, "project", project_id)
            return gone

        return self._store.write(erase)

    def _stamp(self) -> str:
        return self._now().isoformat(timespec="seconds")


def _free_id(db: sqlite3.Connection, title: str, guessable: bool = True) -> str:
    """An id made of the title that no project has or had within its day of grace.

    One that cannot be guessed tells nobody which titles others have taken.
    """
    text = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", text).strip("-")[:40].strip("-") or "project"
    taken = {row["id"] for row in db.execute("SELECT id FROM projects")} | set(bundled.all_bundled())
    for number in range(1, 100 * guessable):
        name = slug if number == 1 else f"{slug}-{number}"
        if name not in taken:
            return name
    return f"{slug[:40]}-{uuid.uuid4().hex[:6]}"


def insert(db: sqlite3.Connection, project: Project, stamp: str) -> None:
    """Add a project's row inside a change of the store."""
    row = (project.id, project.title, project.owner, dumps(project), stamp, stamp, project.shared)
    db.execute("INSERT INTO projects (id, title, owner, body, made, changed, shared) VALUES (?, ?, ?, ?, ?, ?, ?)", row)


def dumps(project: Project) -> str:
    """A project's own text as JSON: what differs from the defaults."""
    return json.dumps(as_values(project), ensure_ascii=False)


def as_values(project: Project) -> dict[str, Any]:
    """A project as plain values, without what is None and what is known from elsewhere."""
    made: dict[str, Any] = _without_none(records.plain(project))
    return {name: value for name, value in made.items() if name not in _KEPT_APART}


def from_values(raw: Mapping[str, Any], where: str) -> Project:
    """A project from plain values, checked. Raises Problem with the key that is wrong."""
    project = tomlfile.build(_without_none(dict(raw)), Project, where)
    project.check()
    return project


def _project(row: sqlite3.Row) -> Project:
    project = tomlfile.build(json.loads(row["body"]), Project, f"The project '{row['id']}'")
    return replace(project, made=row["made"], changed=row["changed"], owner=row["owner"], shared=bool(row["shared"]))


def _without_none(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _without_none(item) for name, item in value.items() if item is not None}
    if isinstance(value, list | tuple):
        return [_without_none(item) for item in value]
    return value
