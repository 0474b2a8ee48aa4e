"""A zip from elsewhere, read member by member: nothing is unpacked to disk, every size is bounded before it is read.

Knows the form of a zip and nothing of what is in it. A project file is meant; messages say so.
"""

import re
import stat
import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator
from typing import Any, BinaryIO, Final, TypeVar

import msgspec

from core import tomlfile
from core.errors import Problem
from core.text import one_line

T = TypeVar("T")
ENDING: Final = ".project.zip"
MOST_PACKED: Final = 200_000_000  # bytes of the file
MOST_UNPACKED: Final = 500_000_000  # bytes of all that is in it
MOST_MEMBERS: Final = 50_000
MOST_DIRECTORY: Final = 8_000_000  # bytes of the zip's own list of what is in it
MOST_TOML: Final = 2_000_000
MOST_LINES_BYTES: Final = 100_000_000
_END, _LOCATOR = b"PK\x05\x06", b"PK\x06\x07"
_UNREADABLE: Final = (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, NotImplementedError, ValueError)


class Members:
    """The members of a zip, bounded and named as they should be, each taken once."""

    def __init__(self, source: BinaryIO) -> None:
        _check_size(source)
        try:
            self._zip = zipfile.ZipFile(source)
        except _UNREADABLE as error:
            raise Problem(f"This is no project file: {one_line(str(error), 80)}.") from error
        self._infos: dict[str, zipfile.ZipInfo] = {}
        infos = self._zip.infolist()
        if len(infos) > MOST_MEMBERS:
            raise Problem(f"The project file holds {len(infos):,} parts; at most {MOST_MEMBERS:,} are taken.")
        for info in infos:
            _check_member(info)
            if info.is_dir() and not info.file_size:
                continue
            name = unicodedata.normalize("NFC", info.filename)
            if name in self._infos:
                raise Problem(f"The project file holds '{one_line(name, 80)}' twice.")
            self._infos[name] = info
        total = sum(info.file_size for info in infos)
        if total > MOST_UNPACKED:
            raise Problem(
                f"The project file says that it unpacks to {total / 1e6:,.0f} MB; "
                f"at most {MOST_UNPACKED // 10**6} MB are taken."
            )

    def left(self) -> list[str]:
        """What nobody has taken yet."""
        return list(self._infos)

    def take(self, name: str, most: int) -> bytes:
        """The bytes of a member. Raises Problem when it is missing, damaged or longer than `most`."""
        return self.open(self.claim(name, most))

    def claim(self, name: str, most: int) -> zipfile.ZipInfo:
        """A member to be read later."""
        info = self._infos.pop(name, None)
        if info is None:
            raise Problem(f"The project file holds no '{one_line(name, 80)}'. Export it again.")
        if info.file_size > most:
            raise Problem(
                f"'{one_line(name, 80)}' in the project file has {info.file_size / 1e6:,.1f} MB; "
                f"at most {most / 1e6:,.0f} MB are taken."
            )
        return info

    def open(self, info: zipfile.ZipInfo) -> bytes:
        """A claimed member's bytes."""
        try:
            with self._zip.open(info) as stream:
                data = stream.read(info.file_size + 1)
        except _UNREADABLE as error:
            raise Problem(f"'{one_line(info.filename, 80)}' in the project file is damaged.") from error
        if len(data) != info.file_size:
            raise Problem(f"'{one_line(info.filename, 80)}' in the project file is damaged.")
        return data

    def toml(self, name: str, shape: type[T]) -> T:
        """A TOML member as one `shape`."""
        return tomlfile.build(self.table(name), shape, f"The project file, {name}")

    def table(self, name: str) -> dict[str, Any]:
        """A TOML member as plain values."""
        return tomlfile.loads(text_of(self.take(name, MOST_TOML), name), f"The project file, {name}")

    def lines(self, name: str, most: int) -> Iterator[Any]:
        """The JSON objects of a member, one a line."""
        rows = text_of(self.take(name, MOST_LINES_BYTES), name).split("\n")
        if len(rows) > most + 1:
            raise Problem(f"'{one_line(name, 80)}' in the project file has more than {most:,} lines.")
        for number, row in enumerate(rows, 1):
            if row.strip():
                try:
                    value = msgspec.json.decode(row)
                except (msgspec.MsgspecError, RecursionError) as error:
                    raise wrong(f"{name}, line {number}", "not JSON") from error
                if not isinstance(value, dict):
                    raise wrong(f"{name}, line {number}", "not a JSON object")
                yield value


def _check_size(source: BinaryIO) -> None:
    """What can be said before anything is unpacked: the size, and how much the zip lists."""
    size = source.seek(0, 2)
    if size > MOST_PACKED:
        raise Problem(f"The file has {size / 1e6:,.0f} MB; a project file has at most {MOST_PACKED // 10**6} MB.")
    source.seek(max(0, size - 42))
    tail = source.read(42)
    if len(tail) < 22 or tail[-22:-18] != _END:
        raise Problem(f"This is no project file. One ends in {ENDING}, made by 'Export'.")
    listed, bytes_listed = struct.unpack("<H", tail[-12:-10])[0], struct.unpack("<I", tail[-10:-6])[0]
    if tail.startswith(_LOCATOR) or listed > MOST_MEMBERS or bytes_listed > MOST_DIRECTORY:
        raise Problem(f"The project file holds too many parts; at most {MOST_MEMBERS:,} are taken.")
    source.seek(0)


def _check_member(info: zipfile.ZipInfo) -> None:
    """Raises Problem on a member that is not a plain file in its place. `orig_filename`: before zipfile mended it."""
    name = one_line(info.orig_filename, 80)
    parts = info.orig_filename.removesuffix("/").split("/")
    if any(part in ("", ".", "..") for part in parts) or re.search(r"[\x00-\x1f\x7f\\:]", info.orig_filename):
        raise Problem(f"The project file names a place outside itself: '{name}'.")
    mode = info.external_attr >> 16
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise Problem(f"'{name}' in the project file is a link or a special file.")
    if info.flag_bits & 0x1:
        raise Problem(f"'{name}' in the project file is encrypted. Pack it without a password.")
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise Problem(f"'{name}' in the project file is packed in a way that is not read.")


def text_of(data: bytes, name: str) -> str:
    """A member's bytes as text. Raises Problem."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise wrong(name, f"not UTF-8 text (byte {error.start})") from error
    if "\x00" in text:
        raise wrong(name, "a zero byte in it")
    return text


def wrong(place: str, what: str) -> Problem:
    """What is wrong where, in one line."""
    return Problem(f"The project file, {one_line(place, 80)}: {what}.")
