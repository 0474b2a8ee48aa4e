"""A bounded reader of GGUF headers: what a file claims to be, at no more than MAX_SECONDS and a few MB.

The gguf package's own reader trusts array lengths (it hangs on 2^64-1), so this one walks the header itself.
It knows the format (https://github.com/ggml-org/ggml/blob/master/docs/gguf.md) and no model.
"""

import hashlib
import os
import stat
import struct
import time
from array import array
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from core.errors import Problem

MAX_SECONDS = 1.0
MAX_HEADER = 40 * 2**20  # bytes; a vocabulary of 256k tokens with its merges takes about 15 MB
MAX_PAIRS = 4096
MAX_TENSORS = 20_000
MAX_KEY = 256
MAX_STRING = 4 * 2**20
MAX_STRINGS = 1_500_000  # of all arrays together
MAX_RANK = 4
MAX_VOCABULARY = 2**19
VOCABULARY = "tokenizer.ggml.tokens"
SHORT_ARRAY = 4096  # longer arrays are walked over, not kept

# GGUF value types: fixed-size ones as struct formats.
_FIXED = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
_SIZES = {kind: struct.calcsize(form) for kind, form in _FIXED.items()}
STRING, _ARRAY = 8, 9

# ggml tensor types: name, values a block, bytes a block.
TENSOR_TYPES = {
    0: ("F32", 1, 4),
    1: ("F16", 1, 2),
    2: ("Q4_0", 32, 18),
    3: ("Q4_1", 32, 20),
    6: ("Q5_0", 32, 22),
    7: ("Q5_1", 32, 24),
    8: ("Q8_0", 32, 34),
    10: ("Q2_K", 256, 84),
    11: ("Q3_K", 256, 110),
    12: ("Q4_K", 256, 144),
    13: ("Q5_K", 256, 176),
    14: ("Q6_K", 256, 210),
    16: ("IQ2_XXS", 256, 66),
    17: ("IQ2_XS", 256, 74),
    18: ("IQ3_XXS", 256, 98),
    19: ("IQ1_S", 256, 50),
    20: ("IQ4_NL", 32, 18),
    21: ("IQ3_S", 256, 110),
    22: ("IQ2_S", 256, 82),
    23: ("IQ4_XS", 256, 136),
    29: ("IQ1_M", 256, 56),
    30: ("BF16", 1, 2),
    34: ("TQ1_0", 256, 54),
    35: ("TQ2_0", 256, 66),
    39: ("MXFP4", 32, 17),
}


@dataclass(frozen=True)
class Tensor:
    """One tensor as the header describes it. `offset` counts from the start of the data."""

    name: str
    shape: tuple[int, ...]
    kind: str
    offset: int
    size: int

    @property
    def elements(self) -> int:
        """How many values it holds."""
        product = 1
        for extent in self.shape:
            product *= extent
        return product


@dataclass(frozen=True)
class LongArray:
    """An array too long to keep.

    `ends`: smallest and largest of whole numbers. Of the vocabulary: `distinct`, whether no two tokens are alike, and
    `newline`, whether one is "<0x0A>".
    """

    kind: int
    length: int
    ends: tuple[int, int] | None = None
    distinct: bool = True
    newline: bool = False


@dataclass(frozen=True)
class Header:
    """What a GGUF file says of itself."""

    version: int
    file_size: int
    data_start: int
    values: dict[str, Any] = field(repr=False)
    tensors: tuple[Tensor, ...] = field(repr=False)

    @property
    def architecture(self) -> str:
        """`general.architecture`, "" when it is missing or no text."""
        found = self.values.get("general.architecture")
        return found if isinstance(found, str) else ""

    def own(self, name: str) -> Any:
        """The value of `<architecture>.<name>`, None when absent."""
        return self.values.get(f"{self.architecture}.{name}")


def open_regular(path: Path) -> BinaryIO:
    """A regular file open for reading. Never blocks on a pipe or device. Raises Problem."""
    try:
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except FileNotFoundError as error:
        raise Problem(f"There is no file {path}.") from error
    except OSError as error:
        raise Problem(f"{path} cannot be opened: {error.strerror}.") from error
    except ValueError as error:
        raise Problem("The file's name holds a character that no file name may hold.") from error
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise Problem(f"{path} is not a regular file.")
    return os.fdopen(handle, "rb")


def sha256(path: Path) -> str:
    """The SHA-256 of a regular file, in hexadecimal. Raises Problem."""
    with open_regular(path) as file:
        digest = hashlib.sha256()
        while block := file.read(1 << 20):
            digest.update(block)
        return digest.hexdigest()


def text_sha256(text: str) -> str:
    """The SHA-256 of a text's UTF-8, in hexadecimal."""
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()


def read(path: Path) -> Header:
    """The header of `path`. Raises Problem, in one line, on anything that is not a sound GGUF header."""
    with open_regular(path) as file:
        size = os.fstat(file.fileno()).st_size
        return parse(file.read(min(size, MAX_HEADER)), size)


def parse(data: bytes, file_size: int) -> Header:
    """The header that begins `data`, of a file of `file_size` bytes. Raises Problem."""
    reader = _Reader(data, file_size)
    if data[:4] != b"GGUF":
        raise Problem("Not a GGUF file: it does not begin with 'GGUF'.")
    reader.place = 4
    version = reader.number("I")
    if version not in (2, 3):
        raise Problem(f"GGUF version {version}; only versions 2 and 3 (little-endian) can be read.")
    tensor_count, pair_count = reader.number("Q"), reader.number("Q")
    if pair_count > MAX_PAIRS:
        raise Problem(f"The header claims {pair_count:,} metadata values; at most {MAX_PAIRS:,} are read.")
    if not 0 < tensor_count <= MAX_TENSORS:
        raise Problem(f"The header claims {tensor_count:,} tensors; between 1 and {MAX_TENSORS:,} are read.")
    values = _values(reader, pair_count)
    tensors = [_tensor(reader) for _ in range(tensor_count)]
    alignment = values.get("general.alignment", 32)
    if type(alignment) is not int or alignment not in (8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096):
        raise Problem(f"The alignment of {alignment!r:.40} is not a power of two from 8 to 4096.")
    start = -(-reader.place // alignment) * alignment
    _check_layout(tensors, alignment, file_size - start)
    return Header(version, file_size, start, values, tuple(tensors))


def _values(reader: "_Reader", count: int) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for _ in range(count):
        key = reader.text(MAX_KEY, "a key")
        if key in values:
            raise Problem(f"The header holds the key '{key:.60}' twice.")
        values[key] = reader.value(reader.number("I"), key)
    return values


def _tensor(reader: "_Reader") -> Tensor:
    name = reader.text(MAX_KEY, "a tensor's name")
    rank = reader.number("I")
    if not 1 <= rank <= MAX_RANK:
        raise Problem(f"The tensor '{name:.60}' has {rank:,} dimensions; 1 to {MAX_RANK} are possible.")
    shape = tuple(reader.number("Q") for _ in range(rank))
    kind, offset = reader.number("I"), reader.number("Q")
    if kind not in TENSOR_TYPES:
        raise Problem(f"The tensor '{name:.60}' has type {kind}, which no model's weights have.")
    label, block, block_bytes = TENSOR_TYPES[kind]
    elements = 1
    for extent in shape:
        elements *= extent
        if not 0 < extent < 2**31 or elements >= 2**48:
            raise Problem(f"The tensor '{name:.60}' has the impossible shape {shape}.")
    if shape[0] % block:
        raise Problem(f"The tensor '{name:.60}' has rows of {shape[0]:,} values, not a multiple of {label}'s {block}.")
    return Tensor(name, shape, label, offset, elements // block * block_bytes)


def _check_layout(tensors: list[Tensor], alignment: int, room: int) -> None:
    """Names differ; data lies in the file one tensor after the other, aligned, as llama.cpp wants it."""
    if len({tensor.name for tensor in tensors}) < len(tensors):
        raise Problem("Two tensors bear the same name.")
    end = 0
    for tensor in tensors:
        if tensor.offset != end:
            raise Problem(f"The data of tensor '{tensor.name:.60}' begins at {tensor.offset:,}, not at {end:,}.")
        end = tensor.offset + -(-tensor.size // alignment) * alignment
    missing = tensors[-1].offset + tensors[-1].size - room
    if missing > 0:
        raise Problem(f"The file is cut short: {missing:,} bytes of its tensors are missing.")


class _Reader:
    """A place in the header, and the bounds on what may be read from there."""

    def __init__(self, data: bytes, file_size: int) -> None:
        self.bytes = data
        self.data = memoryview(data)
        self.file_size = file_size
        self.place = 0
        self.strings = 0
        self.deadline = time.thread_time() + MAX_SECONDS  # not the clock: a busy machine makes no file hostile

    def take(self, count: int, what: str) -> memoryview:
        """`count` bytes, uncopied. Raises Problem behind the end."""
        end = self.place + count
        if end > len(self.data):
            if len(self.data) < self.file_size:
                raise Problem(f"The header is larger than {MAX_HEADER // 2**20} MB: no real model's is.")
            raise Problem(f"The file ends inside its header, in {what}.")
        taken = self.data[self.place : end]
        self.place = end
        return taken

    def number(self, form: str) -> Any:
        """One little-endian number."""
        return struct.unpack("<" + form, self.take(struct.calcsize("<" + form), "a number"))[0]

    def text(self, limit: int, what: str) -> str:
        """One string of at most `limit` bytes."""
        length = self.number("Q")
        if length > limit:
            raise Problem(f"The header holds {what} of {length:,} bytes; at most {limit:,} are read.")
        try:
            return str(self.take(length, what), "utf-8")
        except UnicodeDecodeError as error:
            raise Problem(f"The header holds {what} that is not UTF-8.") from error

    def value(self, kind: int, key: str) -> Any:
        """One metadata value: a number, a string, a list, or a LongArray."""
        if time.thread_time() > self.deadline:
            raise Problem(f"The header took longer than {MAX_SECONDS:g} s to read.")
        if kind == STRING:
            return self.text(MAX_STRING, f"a text for '{key:.60}'")
        if kind in _FIXED:
            return self.number(_FIXED[kind])
        if kind != _ARRAY:
            raise Problem(f"The value of '{key:.60}' has type {kind}, which GGUF does not know.")
        inner, length = self.number("I"), self.number("Q")
        if inner == STRING:
            return self._string_array(length, key)
        if inner not in _FIXED:
            raise Problem(f"The array '{key:.60}' holds values of type {inner}; only numbers and texts are read.")
        form = _FIXED[inner]
        raw = self.take(length * _SIZES[inner], f"the array '{key:.60}'")
        if length <= SHORT_ARRAY:
            return list(struct.unpack(f"<{length}{form}", raw))
        numbers = array(form, raw)
        ends = (min(numbers), max(numbers)) if form in "BbHhIiQq" else None
        return LongArray(inner, length, ends=ends)

    def _string_array(self, length: int, key: str) -> Any:
        self.strings += length
        if self.strings > MAX_STRINGS:
            raise Problem(f"The arrays of texts hold over {MAX_STRINGS:,} entries (at '{key:.60}').")
        if length <= SHORT_ARRAY:
            return [self.text(MAX_STRING, f"a text in '{key:.60}'") for _ in range(length)]
        if key != VOCABULARY:
            self._walk_strings(length, key, None)
            return LongArray(STRING, length)
        if length > MAX_VOCABULARY:
            raise Problem(f"The vocabulary has {length:,} tokens; at most {MAX_VOCABULARY:,} are read.")
        seen: set[bytes] = set()
        self._walk_strings(length, key, seen)
        return LongArray(STRING, length, distinct=len(seen) == length, newline=b"<0x0A>" in seen)

    def _walk_strings(self, length: int, key: str, seen: set[bytes] | None) -> None:
        """Go over `length` strings, and into `seen` with each. The hot loop of a real header."""
        data, place, end = self.bytes, self.place, len(self.data) - 8
        unpack = struct.Struct("<Q").unpack_from
        for index in range(length):
            if place > end:
                break
            after = place + 8 + unpack(data, place)[0]
            if seen is not None:
                seen.add(data[place + 8 : after])
            place = after
            if not index & 0xFFF and time.thread_time() > self.deadline:
                raise Problem(f"The header took longer than {MAX_SECONDS:g} s to read.")
        else:
            if place <= len(data):
                self.place = place
                return
        self.take(len(data) + 1, f"the array '{key:.60}'")  # says where the file ends
