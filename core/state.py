"""The state folder looked after: check, backup, restore, repair. Knows which files there are, not what they mean.

Nothing is ever overwritten: a file that makes way, broken or replaced, is moved to `set-aside/` with the date. New
files are made whole in `arriving.staging`, which is renamed `arriving` when all of them are on the disk; from then on
`finish` moves them into place, at once or, after a kill, at the next start. So a change is whole or has not begun.
"""

import hashlib
import json
import os
import shutil
import sqlite3
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from core import paths
from core.errors import Problem
from core.store import Store

ARRIVING, STAGING, ASIDE = "arriving", "arriving.staging", "set-aside"
LIST: Final = "backup.json"
VERSION: Final = 1
MOST_FILES, MOST_BYTES = 1_000, 50 * 2**30  # in one backup
NOT_A_BACKUP: Final = (  # what reading an arbitrary file as one can raise
    *(OSError, zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, sqlite3.Error),
    *(ValueError, KeyError, TypeError, AttributeError, OverflowError),
)
OPEN: Final = "is in use by another program (the app?): close it first, then try again"


@dataclass(frozen=True)
class File:
    """A database as `check` finds it. `problems`: none when it is sound. `rows` by table. `bytes` with its log."""

    name: str
    bytes: int
    problems: tuple[str, ...]
    rows: dict[str, int]


@dataclass(frozen=True)
class Report:
    """What is in the state folder. `orphans`: files nothing refers to any more. `sizes`: bytes by kind."""

    folder: str
    databases: tuple[File, ...]
    orphans: tuple[str, ...]
    sizes: dict[str, int]
    free: int

    @property
    def sound(self) -> bool:
        """Whether every database is."""
        return not any(file.problems for file in self.databases)


@dataclass(frozen=True)
class Repaired:
    """What a repair did to one database. `kept` and `lost`: rows by table; `lost` holds what could be counted."""

    name: str
    set_aside: str
    problems: tuple[str, ...]
    kept: dict[str, int]
    lost: dict[str, int]


# -- looking -------------------------------------------------------------------------------------------------------


def names(folder: Path) -> list[str]:
    """The databases, relative to `folder`: the app's, then a knowledge base a project."""
    found = [folder / f"{paths.NAME}.sqlite3", *sorted((folder / "knowledge").glob("*.sqlite3"))]
    return [str(path.relative_to(folder)) for path in found if path.is_file()]


def check(folder: Path) -> Report:
    """Look at everything, change nothing."""
    databases = tuple(_examined(folder, name) for name in names(folder))
    kinds = {name: _size(folder / name) for name in (*paths.SUBFOLDERS, ASIDE)}
    kinds["databases"] = sum(file.bytes for file in databases)
    kinds["knowledge"] = max(0, kinds["knowledge"] - sum(f.bytes for f in databases if f.name.startswith("knowledge")))
    return Report(str(folder), databases, tuple(_orphans(folder)), kinds, shutil.disk_usage(folder).free)


def _examined(folder: Path, name: str) -> File:
    path = folder / name
    size = sum(part.stat().st_size for part in _with_logs(path))
    try:
        with closing(_reading(path)) as db:
            problems = [str(row[0]) for row in db.execute("PRAGMA integrity_check(20)") if row[0] != "ok"]
            foreign = db.execute("PRAGMA foreign_key_check").fetchall()
            problems += [f"{len(foreign)} rows refer to rows that are not there"] if foreign else []
            rows = {table: _rows(db, table) for table in _tables(db)}
            problems += [] if "migrations" in rows or not rows else ["it is not one of this app's databases"]
    except sqlite3.Error as error:
        return File(name, size, (str(error),), {})
    return File(name, size, tuple(problems), rows)


def _orphans(folder: Path) -> Iterator[str]:
    """What a killed process left behind, and knowledge bases of projects that are not there."""
    yield from (str(path.relative_to(folder)) for path in (folder / "models").glob(".staging-*"))
    yield from (str(path.relative_to(folder)) for path in (folder / "knowledge").glob("*.staging*"))
    yield from (name for name in (STAGING,) if (folder / name).exists())
    try:
        from core.project import bundled

        with closing(_reading(folder / f"{paths.NAME}.sqlite3")) as db:
            known = {str(row[0]) for row in db.execute("SELECT id FROM projects")} | set(bundled.all_bundled())
    except (sqlite3.Error, Problem):
        return  # nobody knows
    for path in sorted((folder / "knowledge").glob("*.sqlite3")):
        if path.stem not in known:
            yield str(path.relative_to(folder))


# -- backup and restore --------------------------------------------------------------------------------------------


def backup(folder: Path, target: Path) -> dict[str, Any]:
    """Copy every database into one new zip file, while the app may go on. Each copy is of one moment, and checked.

    Gives the list that the file begins with. Raises Problem when the target exists, the disk is full, or a database is
    broken (repair it first). Model files are not in it: they can be fetched again.
    """
    if target.exists():
        raise Problem(f"{target} exists already: name another file, it is not overwritten.")
    if not (found := names(folder)):
        raise Problem(f"There is nothing to back up in {folder}.")
    partial = target.with_name(f".{target.name}.partial")
    scratch = target.with_name(f".{target.name}.scratch")
    with _disk(target.parent):
        try:
            files = []
            paths.private_file(partial)
            with zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED) as packed:
                for name in found:
                    scratch.unlink(missing_ok=True)
                    _copy(folder / name, scratch, name)
                    files.append({"name": name, "bytes": scratch.stat().st_size, "sha256": _hash(scratch)})
                    packed.write(scratch, name)
                made = datetime.now(UTC).isoformat(timespec="seconds")
                listed = {"version": VERSION, "made": made, "files": files}
                packed.writestr(LIST, json.dumps(listed, indent=2))
            _sync(partial)
            partial.replace(target)
        finally:
            for left in (partial, scratch):
                left.unlink(missing_ok=True)
    return listed


def _copy(source: Path, target: Path, name: str) -> None:
    """One database by SQLite's own backup interface."""
    paths.private_file(target)
    try:
        with closing(_reading(source)) as old, closing(sqlite3.connect(target)) as new:
            old.backup(new)
            new.execute("PRAGMA journal_mode = DELETE")
            if (said := new.execute("PRAGMA integrity_check(1)").fetchone()[0]) != "ok":
                raise Problem(f"{name} is broken ({said}): python -m core state repair, then back up.")
    except sqlite3.DatabaseError as error:
        if getattr(error, "sqlite_errorname", "").startswith(("SQLITE_FULL", "SQLITE_IOERR")):
            raise OSError(28, "no space left") from error
        raise Problem(f"{name} cannot be read ({error}): python -m core state repair, then back up.") from error


def restore(folder: Path, source: Path) -> dict[str, Any]:
    """Put a backup's databases in the place of today's, which are set aside. The app must be closed.

    Raises Problem, with nothing changed, unless the whole file is as `backup` made it.
    """
    finish(folder)
    _alone(folder)
    stage = folder / STAGING
    shutil.rmtree(stage, ignore_errors=True)
    with _disk(folder):
        try:
            listed = _unpack(source, stage)
        except BaseException:
            shutil.rmtree(stage, ignore_errors=True)
            raise
        leaving = [name for name in names(folder) if name.startswith("knowledge")]  # of projects not in the backup too
        _arrive(folder, leaving)
    return listed


def _unpack(source: Path, stage: Path) -> dict[str, Any]:
    try:
        with zipfile.ZipFile(source) as packed:
            listed = _listed(packed)
            for file in listed["files"]:
                target = stage / file["name"]
                target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                _extract(packed, file, target)
    except NOT_A_BACKUP as error:
        if isinstance(error, OSError) and error.errno == 28:
            raise
        raise Problem(
            f"{source.name} is no backup of this app, or a damaged one ({error}). Nothing was changed."
        ) from error
    return listed


def _listed(packed: zipfile.ZipFile) -> dict[str, Any]:
    """The list of a backup, checked. Raises ValueError and the like."""
    if packed.getinfo(LIST).file_size > 10**6:
        raise ValueError("its list is too long")
    listed: dict[str, Any] = json.loads(packed.read(LIST))
    if listed["version"] != VERSION:
        raise ValueError(f"its version is {listed['version']!r:.20}")
    files = listed["files"]
    if not files or len(files) > MOST_FILES or sum(file["bytes"] for file in files) > MOST_BYTES:
        raise ValueError("it holds no or too many files")
    for file in files:
        name = Path(file["name"])
        main = file["name"] == f"{paths.NAME}.sqlite3"
        if not main and (len(name.parts) != 2 or name.parts[0] != "knowledge" or name.suffix != ".sqlite3"):
            raise ValueError(f"it holds {file['name']!r:.60}")
    return listed


def _extract(packed: zipfile.ZipFile, file: dict[str, Any], target: Path) -> None:
    digest, left = hashlib.sha256(), int(file["bytes"])
    with packed.open(file["name"]) as stream, target.open("xb") as out:
        while chunk := stream.read(min(2**20, left + 1)):
            left -= len(chunk)
            if left < 0:
                raise ValueError(f"{file['name']} is larger than listed")
            digest.update(chunk)
            out.write(chunk)
        out.flush()
        os.fsync(out.fileno())
    if left or digest.hexdigest() != file["sha256"]:
        raise ValueError(f"{file['name']} is not what was backed up")
    with closing(sqlite3.connect(target)) as db:
        if db.execute("PRAGMA integrity_check(1)").fetchone()[0] != "ok":
            raise ValueError(f"{file['name']} is broken")


# -- repair --------------------------------------------------------------------------------------------------------


def repair(folder: Path) -> list[Repaired]:
    """Build every broken database anew from what can be read of it, and set the broken one aside. The app must be
    closed. What a killed process left behind is removed; sound databases are not touched."""
    finish(folder)
    broken = [file for file in check(folder).databases if file.problems]
    if broken:
        _alone(folder)
    stage, done = folder / STAGING, []
    shutil.rmtree(stage, ignore_errors=True)
    with _disk(folder):
        for file in broken:
            target = stage / file.name
            target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            kept, lost = _salvaged(folder / file.name, target, main=file.name == f"{paths.NAME}.sqlite3")
            done.append(Repaired(file.name, "", file.problems, kept, lost))
        if broken:
            aside = _arrive(folder, [])
            done = [Repaired(each.name, str(aside), each.problems, each.kept, each.lost) for each in done]
    for left in (*(folder / "models").glob(".staging-*"), *(folder / "knowledge").glob("*.staging*")):
        shutil.rmtree(left, ignore_errors=True) if left.is_dir() else left.unlink(missing_ok=True)
    return done


def _salvaged(source: Path, target: Path, *, main: bool) -> tuple[dict[str, int], dict[str, int]]:
    """A new database at `target` with every row that can be read and refers to nothing lost. Rows kept and lost."""
    from core import runtime

    made: Store = (runtime.open_store if main else runtime.open_base)(target)
    made.close()
    kept: dict[str, int] = {}
    lost: dict[str, int] = {}
    with closing(sqlite3.connect(target, isolation_level=None)) as new:
        new.execute("PRAGMA foreign_keys = OFF")
        tables = [table for table in _tables(new) if table != "migrations"]
        for table in tables:
            damage: list[str] = []
            _take_over(new, table, _readable(source, table, damage))
            lost[table] = max(0, _counted(source, table) - _rows(new, table))
            if table == "chunks" and damage:
                new.execute("UPDATE versions SET split = NULL")  # passages are missing: documents are split anew
        while found := new.execute("PRAGMA foreign_key_check").fetchall():
            for table, rowid, *_ in found:
                lost[table] += 1
                _drop(new, table, rowid)
        kept = {table: _rows(new, table) for table in tables}
        new.execute("PRAGMA journal_mode = DELETE")
    return kept, {table: count for table, count in lost.items() if count}


def _take_over(new: sqlite3.Connection, table: str, rows: Iterable[dict[str, Any]]) -> None:
    """Insert what the new schema takes. A row that comes twice is inserted once."""
    columns = [row[1] for row in new.execute(f'PRAGMA table_info("{table}")')]
    way = "REPLACE" if _rows(new, table) else "IGNORE"  # a new database has some rows by itself
    new.execute("BEGIN")
    for row in rows:
        given = [column for column in columns if column in row]
        names, marks = ", ".join(f'"{column}"' for column in given), ", ".join("?" * len(given))
        with suppress(sqlite3.Error):  # a row whose cells no longer fit the schema
            new.execute(f'INSERT OR {way} INTO "{table}" ({names}) VALUES ({marks})', [row[name] for name in given])
    new.execute("COMMIT")


def _drop(db: sqlite3.Connection, table: str, rowid: int | None) -> None:
    """Take one row that refers to nothing out, or (tables without row numbers) all such rows."""
    if rowid is not None:
        db.execute(f'DELETE FROM "{table}" WHERE rowid = ?', (rowid,))
        return
    for _, _, other, mine, theirs, *_ in db.execute(f'PRAGMA foreign_key_list("{table}")').fetchall():
        db.execute(f'DELETE FROM "{table}" WHERE "{mine}" NOT IN (SELECT "{theirs or "id"}" FROM "{other}")')


def _readable(source: Path, table: str, damage: list[str]) -> Iterator[dict[str, Any]]:
    """The rows of a table that can be read: from its beginning to the damage, and from its end back to it."""
    for order in ("", " ORDER BY rowid DESC"):
        try:
            with closing(_reading(source)) as db:
                db.row_factory = sqlite3.Row
                for row in db.execute(f'SELECT * FROM "{table}" NOT INDEXED{order}'):
                    yield dict(row)
                return
        except sqlite3.Error as error:
            damage.append(str(error))


def _counted(source: Path, table: str) -> int:
    """How many rows an index of the table knows of; 0 when nothing can be counted."""
    try:
        with closing(_reading(source)) as db:
            return _rows(db, table)
    except sqlite3.Error:
        return 0


# -- whole or not at all -------------------------------------------------------------------------------------------


def finish(folder: Path) -> Path | None:
    """Move what has arrived into place, if anything has; gives where the old files went. Safe to call at any time."""
    arrived = folder / ARRIVING
    if not arrived.is_dir():
        return None
    plan = json.loads((arrived / "plan.json").read_text(encoding="utf-8"))
    aside = folder / ASIDE / str(plan["aside"])
    for name in dict.fromkeys([*plan["leaving"], *plan["coming"]]):
        new, old = arrived / name, folder / name
        if name in plan["coming"] and not new.exists():
            continue  # it is in its place already
        for part in _with_logs(old):
            goal = aside / part.relative_to(folder)
            goal.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            part.replace(goal)
        if name in plan["coming"]:
            old.parent.mkdir(exist_ok=True, mode=0o700)
            new.replace(old)
    shutil.rmtree(arrived)
    return aside


def _arrive(folder: Path, leaving: list[str]) -> Path:
    """From here on the staged files are to come, and `leaving` to go."""
    stage = folder / STAGING
    coming = [str(path.relative_to(stage)) for path in stage.rglob("*.sqlite3")]
    aside = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")
    plan = {"coming": coming, "leaving": [name for name in leaving if name not in coming], "aside": aside}
    (stage / "plan.json").write_text(json.dumps(plan), encoding="utf-8")
    for path in stage.rglob("*"):
        path.chmod(0o700 if path.is_dir() else 0o600)
        _sync(path)
    stage.rename(folder / ARRIVING)
    _sync(folder)
    finished = finish(folder)
    assert finished is not None
    return finished


def _alone(folder: Path) -> None:
    """Raise Problem while another process has a database open: then it cannot be had for oneself."""
    for name in names(folder):
        try:
            with closing(sqlite3.connect(folder / name, timeout=0.5)) as db:
                db.execute("PRAGMA locking_mode = EXCLUSIVE")
                db.execute("SELECT count(*) FROM sqlite_master").fetchone()
        except sqlite3.OperationalError as error:
            if "locked" in str(error):
                raise Problem(f"{name} {OPEN}.") from error
        except sqlite3.DatabaseError:
            continue  # broken: nobody works with it


@contextmanager
def _disk(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise Problem(f"{folder} cannot be written ({error.strerror or error}). Nothing was changed.") from error


# -- small helpers -------------------------------------------------------------------------------------------------


def _reading(path: Path) -> sqlite3.Connection:
    """A connection that makes no file. What a killed writer left in the log is read too."""
    return sqlite3.connect(f"file:{_quoted(path)}?mode=rw", uri=True, timeout=15)


def _quoted(path: Path) -> str:
    from urllib.parse import quote

    return quote(str(path))


def _rows(db: sqlite3.Connection, table: str) -> int:
    return int(db.execute(f'SELECT count(*) FROM "{table}"').fetchone()[0])


def _tables(db: sqlite3.Connection) -> list[str]:
    """Ordinary tables: not SQLite's own, and not the word index, which its triggers build."""
    rows = db.execute("SELECT name, sql FROM sqlite_master WHERE type = 'table' ORDER BY rowid").fetchall()
    virtual = tuple(name for name, sql in rows if str(sql).upper().startswith("CREATE VIRTUAL"))
    hidden = ("sqlite_", *virtual)  # a virtual table's own tables begin with its name
    return [name for name, _ in rows if not name.startswith(hidden)]


def _with_logs(path: Path) -> list[Path]:
    """A database and what SQLite keeps beside it, as far as it is there."""
    return [part for part in (path, *(path.with_name(f"{path.name}-{end}") for end in ("wal", "shm"))) if part.exists()]


def _size(folder: Path) -> int:
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file()) if folder.is_dir() else 0


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sync(path: Path) -> None:
    """On the disk, before what depends on it."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
