"""Documents, their versions, and the views that say which version is valid where. Knows no chunks and no search.

Every writing function takes the caller's connection and so joins its transaction.
"""

import hashlib
import json
import re
import sqlite3
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from core.errors import Problem
from core.retrieval.index import touch
from core.retrieval.values import CURRENT, DELETED, TODAY
from core.text import one_line

LONGEST_TEXT = 2_000_000  # characters in one document
LONGEST_PATH = 200
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff<>:\"|?*\\]")


def clean_text(text: str, path: str) -> str:
    """`text` with plain line ends and without control characters. Raises Problem when empty or too long."""
    text = _CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n").removeprefix("\ufeff"))
    if not text.strip():
        raise Problem(f"'{one_line(path, 80)}' holds no text.")
    if len(text) > LONGEST_TEXT:
        raise Problem(
            f"'{one_line(path, 80)}' has {len(text):,} characters; at most {LONGEST_TEXT:,} are taken. Split it."
        )
    return text


def clean_path(path: str) -> str:
    """A document's path inside the base: a plain relative name, never a place on this machine.

    Raises Problem when nothing usable is left.
    """
    parts = _UNSAFE.sub("", unicodedata.normalize("NFC", path.replace("\\", "/"))).split("/")
    kept = [part.strip(" .")[:LONGEST_PATH] for part in parts]
    cleaned = "/".join(part for part in kept if part)[-LONGEST_PATH:].lstrip("/")
    if not cleaned:
        raise Problem(f"'{one_line(path, 80)}' cannot be a document's name: type letters and digits.")
    return cleaned


def text_hash(text: str, title: str, metadata: Mapping[str, object]) -> str:
    """Names a version's content: same text, title and metadata, same version."""
    whole = "\x00".join([text, title, json.dumps(metadata, sort_keys=True)])
    return hashlib.sha256(whole.encode()).hexdigest()


def put_version(
    connection: sqlite3.Connection,
    path: str,
    text: str,
    title: str,
    metadata: Mapping[str, str | int | float],
    origin: str,
    views: Sequence[str],
) -> int:
    """Make `text` the version of `path` that is valid in `views`; gives its id. A text already kept is used again."""
    connection.execute("INSERT OR IGNORE INTO documents (path) VALUES (?)", (path,))
    document = connection.execute("SELECT id FROM documents WHERE path = ?", (path,)).fetchone()[0]
    named = text_hash(text, title, metadata)
    known = connection.execute("SELECT id FROM versions WHERE document = ? AND hash = ?", (document, named)).fetchone()
    if known is None:
        cursor = connection.execute(
            "INSERT INTO versions (document, hash, title, text, metadata, origin, made) VALUES (?,?,?,?,?,?,?)",
            (document, named, title, text, json.dumps(metadata), origin, now()),
        )
        version = int(cursor.lastrowid or 0)
    else:
        version = int(known[0])
    for view in views:
        connection.execute("INSERT OR REPLACE INTO views VALUES (?,?,?)", (view, document, version))
    touch(connection)
    return version


def drop_from_view(connection: sqlite3.Connection, path: str, view: str) -> bool:
    """Take `path` out of `view`; its versions stay. False: it was not there."""
    cursor = connection.execute(
        "DELETE FROM views WHERE name = ? AND document = (SELECT id FROM documents WHERE path = ?)", (view, path)
    )
    touch(connection)
    return cursor.rowcount > 0


def delete(connection: sqlite3.Connection, path: str) -> bool:
    """Take `path` out of the current view and remember which version it had. False: it was not there."""
    connection.execute(
        "INSERT OR REPLACE INTO views SELECT ?, w.document, w.version FROM views w "
        "JOIN documents d ON d.id = w.document WHERE w.name = ? AND d.path = ?",
        (DELETED, CURRENT, path),
    )
    return drop_from_view(connection, path, CURRENT)


def valid_hash(connection: sqlite3.Connection, path: str, view: str) -> str | None:
    """The hash of the version of `path` that is valid in `view`."""
    row = connection.execute(
        "SELECT v.hash FROM views w JOIN documents d ON d.id = w.document JOIN versions v ON v.id = w.version "
        "WHERE d.path = ? AND w.name = ?",
        (path, view),
    ).fetchone()
    return None if row is None else str(row[0])


def views_to_write(connection: sqlite3.Connection, path: str, snapshot: str | None) -> tuple[str, ...]:
    """Where a text from a folder is to be valid: in the snapshot, and in the current view unless a person edited it.

    Only the snapshot "today" moves the current view along.
    """
    if snapshot is None:
        return (CURRENT,)
    if snapshot != TODAY:
        return (snapshot,)
    rows = connection.execute(
        "SELECT w.name, w.version FROM views w JOIN documents d ON d.id = w.document "
        "WHERE d.path = ? AND w.name IN (?, ?)",
        (path, CURRENT, TODAY),
    )
    valid = {row[0]: row[1] for row in rows}
    return (TODAY, CURRENT) if valid.get(CURRENT) == valid.get(TODAY) else (TODAY,)


def now() -> str:
    """UTC, ISO 8601, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")
