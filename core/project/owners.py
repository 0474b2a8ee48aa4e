"""Who may see and who may settle a project, and the people who have signed in here. Knows no page and no cookie.

A project without an owner is everyone's; one with an owner is that person's alone until shared. In what people see
they work alike; deleting, sharing and handing over are the owner's. A person is known by what the provider never
changes (issuer and subject), so that another name or address is no other person.
"""

import hashlib
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from core.errors import Problem
from core.store import Migration, Store
from core.text import one_line

LONGEST: Final = 200  # of an address or a name
MIGRATIONS: Final = [
    Migration(
        "people-1",
        "CREATE TABLE people (id TEXT PRIMARY KEY, address TEXT NOT NULL, name TEXT NOT NULL, seen TEXT NOT NULL);",
    )
]


@dataclass(frozen=True)
class Person:
    """Somebody who signed in. `id`: "" where nobody is asked. `address`: the e-mail address, "" when there is none."""

    id: str = ""
    address: str = ""
    name: str = ""

    @property
    def title(self) -> str:
        """Their name for other people."""
        known = dict.fromkeys(part for part in (self.name, self.address) if part)
        return " · ".join(known) or self.id


NOBODY: Final = Person()  # nobody is asked to sign in


@dataclass(frozen=True)
class Holding:
    """Whose a project is ("": everyone's), and whether the owner shares it."""

    owner: str = ""
    shared: bool = True

    def seen_by(self, person: Person) -> bool:
        """Whether that person may see and use it."""
        return self.shared or self.owner in ("", person.id)

    def settled_by(self, person: Person) -> bool:
        """Whether that person may delete it, share it and hand it over."""
        return self.owner in ("", person.id)


def person(claims: Mapping[str, Any]) -> Person:
    """Who these claims of a provider are about. Raises Problem on claims that name nobody."""
    issuer, subject = (claims.get(name) for name in ("iss", "sub"))
    if not (isinstance(issuer, str) and isinstance(subject, str) and issuer and subject):
        raise Problem("The sign-in provider does not say who you are (iss, sub). Ask whoever runs this server.")
    told = claims.get("email") if claims.get("email_verified") is not False else None
    address, name = (
        one_line(value.strip(), LONGEST) if isinstance(value, str) else "" for value in (told, claims.get("name"))
    )
    known = hashlib.sha256(f"{issuer}\n{subject}".encode("utf-8", "surrogatepass")).hexdigest()[:24]
    return Person(known, address, name)


class People:
    """Who has signed in here, as they were named last."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def note(self, person: Person) -> None:
        """Remember somebody who signed in, under the name and address of today."""
        row = (person.id, person.address, person.name, datetime.now(UTC).isoformat(timespec="seconds"))
        self._store.write(lambda db: _note(db, row))

    def get(self, person_id: str) -> Person:
        """One person; without a name when nobody of that id is known."""
        rows = self._store.read("SELECT id, address, name FROM people WHERE id = ?", (person_id,))
        return Person(**rows[0]) if rows else Person(person_id)

    def all(self) -> list[Person]:
        """Everybody, by address."""
        rows = self._store.read("SELECT id, address, name FROM people ORDER BY address COLLATE NOCASE, id")
        return [Person(**row) for row in rows]

    def find(self, named: str) -> Person:
        """The one person of that address or id. Raises Problem when there is none, or more than one."""
        wanted = named.strip().casefold()
        found = [one for one in self.all() if wanted and wanted in (one.id, one.address.casefold())]
        if not found:
            raise Problem(f"Nobody who signed in here has the address '{one_line(named.strip(), 80)}'.")
        if len(found) > 1:
            raise Problem(
                f"{len(found)} people who signed in here have the address '{one_line(named.strip(), 80)}': whoever "
                "runs this server tells them apart (python -m core project people)."
            )
        return found[0]


def _note(db: sqlite3.Connection, row: tuple[str, ...]) -> None:
    db.execute("INSERT OR REPLACE INTO people VALUES (?, ?, ?, ?)", row)
