"""What is in a folder, an archive or an upload: names that become documents' paths, and how to read each. No index.

Nothing outside what was given is read: links are not followed, names that climb out are refused, sizes are bounded
before anything is unpacked. Every file is counted: taken, failed (it should have been taken), skipped (no document),
or left out by a pattern.
"""

import io
import os
import re
import stat
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath

from core.errors import Problem
from core.retrieval import parsing
from core.retrieval.selection import Selection
from core.retrieval.versions import clean_path
from core.text import one_line

MOST_FILES = 20_000
LARGEST_ARCHIVE = 100_000_000  # bytes, packed
MOST_UNPACKED = 300_000_000  # bytes of the files that are read out of one archive
ARCHIVE = ".zip"
EVERYTHING = Selection()
Because = tuple[str, str]  # file, why

_DRIVE = re.compile(r"^[A-Za-z]:")
_LINK = "is a link or special file: not followed."
_EMPTY = "is empty."
_TYPE = "is of a type that is not read."


@dataclass(frozen=True)
class Entry:
    """One file to be taken: `path` in the base, `name` as its source has it. `read` raises Problem."""

    path: str
    name: str
    read: Callable[[], bytes]


@dataclass(frozen=True)
class Listing:
    """Every file of a source. `failed`: should have been taken and cannot; `skipped`: no document; `ignored`: how many
    files and whole folders the patterns left out. `files` counts all but those."""

    entries: tuple[Entry, ...] = ()
    failed: tuple[Because, ...] = ()
    skipped: tuple[Because, ...] = ()
    ignored: int = 0

    @property
    def files(self) -> int:
        return len(self.entries) + len(self.failed) + len(self.skipped)


@dataclass(frozen=True)
class _Found:
    """A file somewhere. `refused`: why it can be no document whatever its type."""

    name: str
    size: int
    read: Callable[[], bytes]
    refused: str = ""
    is_link: bool = False


def folder(root: Path, selection: Selection = EVERYTHING, into: str = "") -> Listing:
    """The files below `root`, by their relative paths. Raises Problem when it is no folder or holds too many."""
    if not root.is_dir():
        raise Problem(f"There is no folder '{one_line(str(root), 200)}'.")
    left_out: list[str] = []
    return _listing(_walk(root, selection, left_out), selection, into, left_out)


def archive(data: bytes, name: str, selection: Selection = EVERYTHING, into: str = "") -> Listing:
    """The files inside a zip, by their paths in it. Raises Problem when it is none, or would unpack to too much."""
    return _listing(_members(data, name), selection, into)


def uploads(files: Iterable[tuple[str, bytes]], selection: Selection = EVERYTHING, into: str = "") -> Listing:
    """Files a person sent, by their names; those inside zips by their paths there. Raises Problem on a bad zip."""
    found: list[_Found] = []
    for name, data in files:
        if name.lower().endswith(ARCHIVE):
            found += _members(data, name)
        else:
            found.append(_Found(name, len(data), partial(bytes, data)))
    return _listing(found, selection, into)


def given(paths: Sequence[Path], selection: Selection = EVERYTHING, into: str = "") -> Listing:
    """Folders, zips and single files together. A name that two of them hold fails. Raises Problem."""
    found: list[_Found] = []
    left_out: list[str] = []
    for path in paths:
        if path.is_dir():
            found += _walk(path, selection, left_out)
        elif path.suffix.lower() == ARCHIVE:
            found += _members(_read_file(path, path.name, LARGEST_ARCHIVE), path.name)
        elif path.is_file():
            found.append(_Found(path.name, path.stat().st_size, partial(_read_file, path, path.name)))
        else:
            raise Problem(f"There is no folder, zip or file '{one_line(str(path), 200)}'.")
    return _listing(found, selection, into, left_out)


# -- inside ------------------------------------------------------------------------------------------------------------


def _listing(found: Iterable[_Found], selection: Selection, into: str, left_out: Sequence[str] = ()) -> Listing:
    entries: dict[str, Entry] = {}
    failed: list[Because] = []
    skipped: list[Because] = []
    ignored = 0
    for one in found:
        outside = _bad_name(one.name)  # asked first: to a pattern, ".." is a hidden folder
        if not outside and not selection.takes(one.name):
            ignored += 1
        elif why := _no_document(one):
            skipped.append(_because(one.name, why))
        elif why := outside or one.refused or _too_large(one):
            failed.append(_because(one.name, why))
        else:
            _enter(entries, failed, one, into)
        if len(entries) + len(failed) + len(skipped) > MOST_FILES:
            raise Problem(f"More than {MOST_FILES:,} files are too many at once. Index their folders one by one.")
    ordered = tuple(entries[path] for path in sorted(entries))
    return Listing(ordered, tuple(failed), tuple(skipped), ignored + len(left_out))


def _enter(entries: dict[str, Entry], failed: list[Because], one: _Found, into: str) -> None:
    try:
        path = clean_path(f"{into}/{one.name}")
    except Problem as problem:
        failed.append((one.name, problem.message))
        return
    if path in entries:
        failed.append(_because(one.name, f"would be a second document '{one_line(path, 120)}': rename one of them."))
    else:
        entries[path] = Entry(path, one.name, one.read)


def _because(name: str, why: str) -> Because:
    return name, f"'{one_line(name, 80)}' {why}"


def _no_document(one: _Found) -> str:
    """Why a file is nothing to read, and no fault; "" when it should be read."""
    if one.is_link:
        return _LINK
    if PurePosixPath(one.name).suffix.lower() not in parsing.SUFFIXES:
        return _TYPE
    return _EMPTY if one.size == 0 else ""


def _bad_name(name: str) -> str:
    """Why a name can be no path in the base; "" when it can."""
    if (
        not name
        or name.startswith("/")
        or _DRIVE.match(name)
        or ".." in name.split("/")
        or "\\" in name
        or "\x00" in name
    ):
        return "is named like a place outside of what was given: not taken."
    return ""


def _too_large(one: _Found) -> str:
    if one.size <= parsing.LARGEST_FILE:
        return ""
    return f"has {one.size / 1e6:,.0f} MB; at most {parsing.LARGEST_FILE / 1e6:.0f} MB are taken. Split it."


def _walk(root: Path, selection: Selection, left_out: list[str]) -> Iterator[_Found]:
    """The files below `root`, in order; folders that no pattern wants are not entered but noted in `left_out`."""

    def fail(error: OSError) -> None:  # not read is not the same as not there
        where = one_line(str(error.filename), 120)
        raise Problem(f"The folder '{where}' cannot be read ({error.strerror}). Exclude it, or allow it.") from error

    for place, folders, names in os.walk(root, onerror=fail):
        below = Path(place)
        prefix = "" if below == root else below.relative_to(root).as_posix() + "/"
        for name in sorted(folders):
            if not selection.enters(prefix + name):
                left_out.append(prefix + name)
            elif (below / name).is_symlink():
                yield _Found(prefix + name, 0, bytes, is_link=True)
        folders[:] = [name for name in sorted(folders) if selection.enters(prefix + name)]
        for name in sorted(names):
            yield _file(below / name, prefix + name)


def _file(file: Path, name: str) -> _Found:
    try:
        status = file.lstat()
    except OSError as error:
        return _Found(name, 1, bytes, refused=f"cannot be read ({error.strerror}).")
    if not stat.S_ISREG(status.st_mode):
        return _Found(name, 0, bytes, is_link=True)
    return _Found(name, status.st_size, partial(_read_file, file, name))


def _read_file(file: Path, name: str, limit: int = parsing.LARGEST_FILE) -> bytes:
    """Its bytes. Raises Problem when it cannot be read, is no file any more, or is larger than `limit`."""
    try:
        with file.open("rb") as stream:
            data = stream.read(limit + 1)
    except OSError as error:
        raise Problem(f"'{one_line(name, 80)}' cannot be read ({error.strerror}).") from error
    if len(data) > limit:
        raise Problem(f"'{one_line(name, 80)}' has over {limit / 1e6:.0f} MB: too large. Split it.")
    return data


def _members(data: bytes, name: str) -> list[_Found]:
    """What a zip says it holds. Nothing is unpacked yet, and no more than is said will ever be."""
    shown = f"'{one_line(name, 80)}'"
    if len(data) > LARGEST_ARCHIVE or data.count(b"PK\x01\x02") > 5 * MOST_FILES:  # before its directory is read
        raise Problem(f"{shown} is too large: at most {LARGEST_ARCHIVE / 1e6:.0f} MB and {5 * MOST_FILES:,} files.")
    try:
        packed = zipfile.ZipFile(io.BytesIO(data))
        members = [member for member in packed.infolist() if not member.is_dir()]
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError, UnicodeError) as error:
        raise Problem(f"{shown} is not a zip file, or is damaged ({one_line(str(error), 80)}).") from error
    wanted = [m for m in members if PurePosixPath(m.filename).suffix.lower() in parsing.SUFFIXES]
    total = sum(member.file_size for member in wanted if member.file_size <= parsing.LARGEST_FILE)
    if total > MOST_UNPACKED:
        raise Problem(f"{shown} would unpack to {total / 1e6:,.0f} MB of documents: at most {MOST_UNPACKED / 1e6:.0f}.")
    return [_member(packed, member) for member in members]


def _member(packed: zipfile.ZipFile, member: zipfile.ZipInfo) -> _Found:
    name, refused = _name(member), ""
    mode = member.external_attr >> 16
    if member.flag_bits & 1:
        refused = "is encrypted. Remove its password first."
    elif member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        refused = "is packed in a way that is not read: pack it again as an ordinary zip."
    linked = bool(mode) and stat.S_IFMT(mode) not in (0, stat.S_IFREG)
    return _Found(name, member.file_size, partial(_unpack, packed, member, name), refused, linked)


def _unpack(packed: zipfile.ZipFile, member: zipfile.ZipInfo, name: str) -> bytes:
    """A member's bytes, at most as many as its size says. Raises Problem when it is damaged."""
    try:
        with packed.open(member) as stream:
            return stream.read(min(member.file_size, parsing.LARGEST_FILE))
    except Exception as error:  # zlib's, zipfile's and struct's own, and whatever a broken header leads to
        raise Problem(f"'{one_line(name, 80)}' is damaged inside its zip ({type(error).__name__}).") from error


def _name(member: zipfile.ZipInfo) -> str:
    """A member's name: UTF-8 also where the packer forgot to say so, and slashes where it wrote backslashes."""
    name = member.orig_filename
    if not member.flag_bits & 0x800:
        with suppress(UnicodeError):
            name = name.encode("cp437").decode("utf-8")
    return name.replace("\\", "/")
