"""Ways to break a GGUF file: the kinds of the hostile campaign, and of the quick test over the header check.

A Kind turns a sound file into a broken one. `caught` says who must refuse it: "header" (the check before loading) or
"later" (the hash, the loader, the canary or nobody).
"""

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from core.engine import gguf_header
from tests.engine import tiny

U32, I32, F32, BOOL, STRING, ARRAY, U64, F64 = 4, 5, 6, 7, 8, 9, 10, 12
_FORMS = {0: "B", 1: "b", 2: "H", 3: "h", U32: "I", I32: "i", F32: "f", BOOL: "?", U64: "Q", 11: "q", F64: "d"}


@dataclass(frozen=True)
class Kind:
    """One way to break a file. `make(sound, folder)` gives the broken file's path."""

    name: str
    make: Callable[[Path, Path], Path]
    caught: str = "header"


@dataclass
class Raw:
    """A GGUF taken apart, to be put together wrongly. Values: (key, type, encoded bytes); tensors as in the header."""

    version: int
    values: list[tuple[bytes, int, bytes]]
    tensors: list[dict[str, Any]]
    data: bytes
    magic: bytes = b"GGUF"
    counts: tuple[int | None, int | None] = (None, None)

    def index(self, key: str) -> int:
        return next(place for place, (name, _, _) in enumerate(self.values) if name == key.encode())

    def put(self, key: str, kind: int, value: bytes) -> None:
        """Replace a value, or add it."""
        entry = (key.encode(), kind, value)
        places = [place for place, (name, _, _) in enumerate(self.values) if name == key.encode()]
        if places:
            self.values[places[0]] = entry
        else:
            self.values.append(entry)

    def drop(self, key: str) -> None:
        del self.values[self.index(key)]

    def tensor(self, name: str) -> dict[str, Any]:
        return next(tensor for tensor in self.tensors if tensor["name"] == name.encode())

    def encode(self) -> bytes:
        tensor_count, pair_count = self.counts
        made = self.magic + struct.pack("<I", self.version)
        made += struct.pack("<Q", len(self.tensors) if tensor_count is None else tensor_count)
        made += struct.pack("<Q", len(self.values) if pair_count is None else pair_count)
        for key, kind, value in self.values:
            made += struct.pack("<Q", len(key)) + key + struct.pack("<I", kind) + value
        for tensor in self.tensors:
            made += struct.pack("<Q", len(tensor["name"])) + tensor["name"]
            made += struct.pack("<I", tensor.get("rank", len(tensor["shape"])))
            made += b"".join(struct.pack("<Q", extent) for extent in tensor["shape"])
            made += struct.pack("<IQ", tensor["kind"], tensor["offset"])
        return made + b"\0" * (-len(made) % 32) + self.data


def take_apart(path: Path) -> Raw:
    """Read a sound file, by the product's own reader where it says where things are."""
    whole, header = path.read_bytes(), gguf_header.read(path)
    reader = gguf_header._Reader(whole, len(whole))
    reader.place = 24
    values = []
    for _ in header.values:
        key = reader.text(256, "a key").encode()
        kind = reader.number("I")
        begin = reader.place
        reader.value(kind, "x")
        values.append((key, kind, whole[begin : reader.place]))
    kinds = {label: number for number, (label, _, _) in gguf_header.TENSOR_TYPES.items()}
    tensors = [
        {"name": t.name.encode(), "shape": list(t.shape), "kind": kinds[t.kind], "offset": t.offset}
        for t in header.tensors
    ]
    return Raw(header.version, values, tensors, whole[header.data_start :])


def text(value: str | bytes) -> bytes:
    data = value.encode() if isinstance(value, str) else value
    return struct.pack("<Q", len(data)) + data


def number(kind: int, value: Any) -> bytes:
    return struct.pack("<" + _FORMS[kind], value)


def texts(values: list[str]) -> bytes:
    return struct.pack("<IQ", STRING, len(values)) + b"".join(text(value) for value in values)


def numbers(kind: int, values: list[Any]) -> bytes:
    return struct.pack("<IQ", kind, len(values)) + b"".join(number(kind, value) for value in values)


def _kind(name: str, change: Callable[[Raw], None], caught: str = "header") -> Kind:
    def make(sound: Path, folder: Path) -> Path:
        raw = take_apart(sound)
        change(raw)
        path = folder / "broken.gguf"
        path.write_bytes(raw.encode())
        return path

    return Kind(name, make, caught)


def _bytes(name: str, change: Callable[[bytes], bytes], caught: str = "header") -> Kind:
    def make(sound: Path, folder: Path) -> Path:
        path = folder / "broken.gguf"
        path.write_bytes(change(sound.read_bytes()))
        return path

    return Kind(name, make, caught)


def _weights(name: str, change: Callable[[dict[str, np.ndarray]], None], caught: str = "later") -> Kind:
    def make(_sound: Path, folder: Path) -> Path:
        tensors = tiny.weights()
        change(tensors)
        return tiny.write(folder / "broken.gguf", tensors=tensors)

    return Kind(name, make, caught)


def _template(name: str, source: str) -> Kind:
    return Kind(f"template {name}", lambda _, folder: tiny.write(folder / "broken.gguf", template=source), "later")


def _kinds() -> Iterator[Kind]:
    yield from _containers()
    yield from _counts()
    yield from _metadata()
    yield from _tokenizers()
    yield from _tensors()
    yield from _damaged_weights()
    yield from _templates()


def _containers() -> Iterator[Kind]:
    for magic in (b"GGML", b"FUGG", b"\0\0\0\0", b"PK\3\4", b"\x7fELF", b"gguf"):
        yield _kind(f"magic {magic!r}", lambda raw, magic=magic: setattr(raw, "magic", magic))
    for version in (0, 1, 4, 255, 2**31, 2**32 - 1, 0x03000000):
        yield _kind(f"version {version}", lambda raw, version=version: setattr(raw, "version", version))
    for part in range(20):
        yield _bytes(f"cut at {part}/20", lambda data, part=part: data[: len(data) * part // 20])
    yield _bytes("cut by 64 bytes", lambda data: data[:-64])
    yield _bytes("nothing but zeros", lambda data: b"\0" * len(data))
    yield _bytes("nothing but 0xff", lambda data: b"\xff" * len(data))
    yield _bytes("text", lambda data: b"this is no model\n" * 500)
    yield _bytes("html", lambda data: b"<!DOCTYPE html><title>404</title>" * 50)
    yield _bytes("a pointer of git-lfs", lambda data: b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n")
    yield _bytes("magic alone", lambda data: b"GGUF")
    yield _bytes("doubled", lambda data: data + data, "later")
    yield _bytes("trailing rubbish", lambda data: data + b"\xaa" * 1000, "later")


def _counts() -> Iterator[Kind]:
    huge = (2**16, 2**20, 2**31, 2**32, 2**48, 2**63, 2**64 - 1)
    for count in (0, *huge):
        yield _kind(f"{count} tensors", lambda raw, count=count: setattr(raw, "counts", (count, None)))
    for count in (0, 1, *huge):
        yield _kind(f"{count} values", lambda raw, count=count: setattr(raw, "counts", (None, count)))
    for length in (257, 2**16, 2**31, 2**63, 2**64 - 1):
        yield _bytes(
            f"first key of {length} bytes",
            lambda data, length=length: data[:24] + struct.pack("<Q", length) + data[32:],
        )
    for length in (2**20, 2**31, 2**32, 2**63, 2**64 - 1):
        for inner in (STRING, U32, 0, ARRAY, F64):
            body = struct.pack("<IQ", inner, length)
            yield _kind(
                f"array of {length} of type {inner}",
                lambda raw, body=body: raw.values.insert(0, (b"x", ARRAY, body)),
            )
    for kind in (13, 14, 255, 2**31, 2**32 - 1):
        yield _kind(f"value of type {kind}", lambda raw, kind=kind: raw.values.insert(0, (b"x", kind, b"\0" * 8)))
        body = struct.pack("<IQ", kind, 3) + b"\0" * 24
        yield _kind(f"array of type {kind}", lambda raw, body=body: raw.values.insert(0, (b"x", ARRAY, body)))
    for length in (2**23, 2**31, 2**63, 2**64 - 1):
        body = struct.pack("<Q", length)
        yield _kind(f"text of {length} bytes", lambda raw, body=body: raw.values.insert(0, (b"x", STRING, body)))
    yield _kind("key that is no UTF-8", lambda raw: raw.values.insert(0, (b"\xff\xfe", U32, b"\0" * 4)))
    yield _kind("text that is no UTF-8", lambda raw: raw.put("general.name", STRING, text(b"\xff\xfe\xc0")))
    yield _kind("the same key twice", lambda raw: raw.values.append(raw.values[0]))
    nested = struct.pack("<IQ", ARRAY, 1) * 2000 + struct.pack("<IQ", U32, 0)
    yield _kind("arrays nested 2000 deep", lambda raw: raw.values.insert(0, (b"x", ARRAY, nested)))
    for value in (0, 1, 3, 7, 33, 2**31, 2**32 - 1):
        yield _kind(
            f"alignment {value}", lambda raw, value=value: raw.put("general.alignment", U32, number(U32, value))
        )
    yield _kind("alignment as text", lambda raw: raw.put("general.alignment", STRING, text("32")))


def _metadata() -> Iterator[Kind]:
    whole = {
        "block_count": (0, 1, 3, 513, 2**31, 2**32 - 1),
        "context_length": (0, 2**31, 2**32 - 1),
        "embedding_length": (0, 1, 31, 33, 2**31, 2**32 - 1),
        "attention.head_count": (3, 33, 2**31, 2**32 - 1),
        "attention.head_count_kv": (3, 2**31, 2**32 - 1),
        "feed_forward_length": (2**31, 2**32 - 1),
        "rope.dimension_count": (7, 64, 2**31, 2**32 - 1),
        "expert_count": (2**31, 2**32 - 1),
        "expert_used_count": (1, 2**31),
    }
    for name, values in whole.items():
        key = f"llama.{name}"
        for value in values:
            yield _kind(f"{name} {value}", lambda raw, key=key, value=value: raw.put(key, U32, number(U32, value)))
        yield _kind(f"{name} negative", lambda raw, key=key: raw.put(key, I32, number(I32, -1)))
        yield _kind(f"{name} as text", lambda raw, key=key: raw.put(key, STRING, text("2")))
        yield _kind(f"{name} as fraction", lambda raw, key=key: raw.put(key, F32, number(F32, 2.0)))
        yield _kind(f"{name} as truth", lambda raw, key=key: raw.put(key, BOOL, number(BOOL, True)))
        wrong = numbers(U32, [2] * 7)
        yield _kind(f"{name} as list", lambda raw, key=key, wrong=wrong: raw.put(key, ARRAY, wrong))
    for name in ("block_count", "context_length", "embedding_length", "attention.head_count"):
        yield _kind(f"no {name}", lambda raw, name=name: raw.drop(f"llama.{name}"))
    epsilon = "llama.attention.layer_norm_rms_epsilon"
    for value in (float("nan"), float("inf"), -1.0, 0.0, 1.0, 1e30):
        yield _kind(f"epsilon {value}", lambda raw, value=value: raw.put(epsilon, F32, number(F32, value)))
    yield _kind("epsilon as text", lambda raw: raw.put(epsilon, STRING, text("1e-5")))
    for name in ("rope.freq_base", "rope.scaling.factor"):
        for value in (float("nan"), float("inf"), 0.0, -1.0):
            key = f"llama.{name}"
            yield _kind(f"{name} {value}", lambda raw, key=key, value=value: raw.put(key, F32, number(F32, value)))
    yield _kind("unknown rope scaling", lambda raw: raw.put("llama.rope.scaling.type", STRING, text("spiral")))
    for name in ("", "llamas", "../../etc", "llama\0", "LLAMA", "x" * 300):
        yield _kind(
            f"architecture {name[:10]!r}",
            lambda raw, name=name: raw.put("general.architecture", STRING, text(name)),
        )
    yield _kind("no architecture", lambda raw: raw.drop("general.architecture"))
    yield _kind("architecture as number", lambda raw: raw.put("general.architecture", U32, number(U32, 1)))
    for name in ("adapter", "vocab", "mmproj"):
        yield _kind(f"type {name}", lambda raw, name=name: raw.put("general.type", STRING, text(name)))


def _tokenizers() -> Iterator[Kind]:
    prefix = "tokenizer.ggml."
    for name in ("no_vocab", "none", "llama", "spm", "", "bert2"):
        yield _kind(f"tokenizer {name!r}", lambda raw, name=name: raw.put(f"{prefix}model", STRING, text(name)))
    for name in ("model", "tokens", "merges"):
        yield _kind(f"no tokenizer {name}", lambda raw, name=name: raw.drop(f"{prefix}{name}"))
    for count in (0, 1, 258, 260, 5000):
        body = texts([f"t{n}" for n in range(count)])
        yield _kind(f"{count} tokens", lambda raw, body=body: raw.put(f"{prefix}tokens", ARRAY, body))
    yield _kind("tokens as numbers", lambda raw: raw.put(f"{prefix}tokens", ARRAY, numbers(U32, [1] * 259)))
    yield _kind("merges as numbers", lambda raw: raw.put(f"{prefix}merges", ARRAY, numbers(U32, [1])))
    yield _kind("no merges in the list", lambda raw: raw.put(f"{prefix}merges", ARRAY, texts([])))
    for name in ("scores", "token_type"):
        body = numbers(F32 if name == "scores" else I32, [1] * 12)
        yield _kind(f"12 {name}", lambda raw, name=name, body=body: raw.put(f"{prefix}{name}", ARRAY, body))
    for value in (-1, 7, 2**31 - 1):
        body = numbers(I32, [value] * 259)
        yield _kind(f"token types {value}", lambda raw, body=body: raw.put(f"{prefix}token_type", ARRAY, body))
    for key in ("bos_token_id", "eos_token_id"):
        yield _kind(f"{key} as text", lambda raw, key=key: raw.put(f"{prefix}{key}", STRING, text("1")))
        for value in (259, 2**31, 2**32 - 1):
            change = number(U32, value)
            yield _kind(f"{key} {value}", lambda raw, key=key, c=change: raw.put(f"{prefix}{key}", U32, c), "later")
    yield _kind("add_bos as text", lambda raw: raw.put(f"{prefix}add_bos_token", STRING, text("yes")))
    yield _kind("unknown pre-tokenizer", lambda raw: raw.put(f"{prefix}pre", STRING, text("spiral")), "later")
    yield _kind("all tokens alike", lambda raw: raw.put(f"{prefix}tokens", ARRAY, texts(["a"] * 259)))
    yield _kind("empty tokens", lambda raw: raw.put(f"{prefix}tokens", ARRAY, texts([""] * 259)))
    yield _kind("a merge without a blank", lambda raw: raw.put(f"{prefix}merges", ARRAY, texts(["ab"])), "later")
    yield _kind("template as number", lambda raw: raw.put("tokenizer.chat_template", U32, number(U32, 1)))
    yield _kind("template of 1 MB", lambda raw: raw.put("tokenizer.chat_template", STRING, text("x" * 2**20)))


def _tensors() -> Iterator[Kind]:
    matrix, norm = "blk.0.attn_q.weight", "blk.0.attn_norm.weight"
    for kind in (4, 5, 9, 15, 24, 25, 26, 27, 28, 31, 36, 40, 255, 2**31, 2**32 - 1):
        yield _kind(f"type {kind}", lambda raw, kind=kind: raw.tensor(matrix).update(kind=kind))
    for kind in (1, 2, 8, 30):
        yield _kind(f"norm of type {kind}", lambda raw, kind=kind: raw.tensor(norm).update(kind=kind))
    for rank in (0, 5, 255, 2**31, 2**32 - 1):
        yield _kind(f"rank {rank}", lambda raw, rank=rank: raw.tensor(matrix).update(rank=rank))
    for shape in ([0, 32], [2**31, 1], [2**32, 2**32], [2**63, 2], [2**64 - 1, 1], [2**33, 2**33], [32, 0]):
        yield _kind(f"shape {shape}", lambda raw, shape=shape: raw.tensor(matrix).update(shape=shape))
    for shape in ([32, 31], [31, 32], [16, 64], [32], [32, 32, 2], [1, 1024]):
        yield _kind(f"wrong shape {shape}", lambda raw, shape=shape: raw.tensor(matrix).update(shape=shape), "later")
    for offset in (1, 31, 2**31, 2**63, 2**64 - 1, 2**64 - 32):
        yield _kind(f"offset {offset}", lambda raw, offset=offset: raw.tensor(matrix).update(offset=offset))
    yield _kind("two at the same place", lambda raw: raw.tensor(matrix).update(offset=0))
    yield _kind("two of the same name", lambda raw: raw.tensor(norm).update(name=matrix.encode()))
    yield _kind("no embeddings", lambda raw: raw.tensor("token_embd.weight").update(name=b"other"))
    yield _kind("embeddings the wrong way", lambda raw: raw.tensor("token_embd.weight").update(shape=[259, 32]))
    yield _kind(
        "a missing layer", lambda raw: [raw.tensors.remove(t) for t in list(raw.tensors) if b"blk.1" in t["name"]]
    )
    yield _kind("a layer too many", lambda raw: raw.tensor(matrix).update(name=b"blk.9.attn_q.weight"))
    yield _kind("a layer 2^40", lambda raw: raw.tensor(matrix).update(name=b"blk.1099511627776.attn_q.weight"))
    yield _kind("a name of 300 bytes", lambda raw: raw.tensor(matrix).update(name=b"x" * 300))
    yield _kind("a name that is no UTF-8", lambda raw: raw.tensor(matrix).update(name=b"\xff"))
    yield _kind("no layers", lambda raw: [raw.tensors.remove(t) for t in list(raw.tensors) if b"blk" in t["name"]])
    for name in ("attn_q", "attn_output", "ffn_down", "ffn_norm", "attn_norm"):
        full = f"blk.1.{name}.weight"
        yield _kind(f"no {name}", lambda raw, full=full: raw.tensors.remove(raw.tensor(full)), "later")
    yield _kind("no output norm", lambda raw: raw.tensors.remove(raw.tensor("output_norm.weight")), "later")


def _damaged_weights() -> Iterator[Kind]:
    for value in (float("nan"), float("inf"), -float("inf"), 0.0, 1e38):
        for name in ("token_embd.weight", "output_norm.weight", "blk.0.attn_q.weight", "output.weight"):
            yield _weights(f"{name} all {value}", lambda t, name=name, value=value: t[name].fill(value))
    for name in ("token_embd.weight", "output_norm.weight", "blk.1.ffn_down.weight"):
        yield _weights(f"one NaN in {name}", lambda t, name=name: t[name].reshape(-1).__setitem__(7, float("nan")))


def _templates() -> Iterator[Kind]:
    yield _template("power", "{{ 10**(10**9) }}")
    yield _template("giant text", "{{ 'a'*5000000000 }}")
    yield _template("giant list", "{{ [0]*5000000000 }}")
    yield _template("nested loops", "{% for a in range(99999) %}{% for b in range(99999) %}x{% endfor %}{% endfor %}")
    doubling = (
        "{% set ns = namespace(s='a') %}{% for i in range(99) %}{% set ns.s = ns.s + ns.s %}{% endfor %}{{ ns.s }}"
    )
    yield _template("doubling text", doubling)
    yield _template("recursion", "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}")
    yield _template("brackets", "{{ " + "(" * 3000 + "1" + ")" * 3000 + " }}")
    yield _template("attribute escape", "{{ ''.__class__.__mro__[1].__subclasses__() }}")
    yield _template("globals escape", "{{ cycler.__init__.__globals__.os.system('touch /tmp/escaped') }}")
    yield _template("import", "{% import 'os' as os %}")
    yield _template("format escape", "{{ '{0.__class__}'.format(1) }}")
    yield _template("raise", "{{ raise_exception('no') }}")
    yield _template("not a template", "{% if %}")
    yield _template("empty output", "{# nothing #}")
    yield _template("range overflow", "{{ range(10**30)|list }}")
    yield _template("centre", "{{ 'a'|center(5000000000) }}")


KINDS = tuple(_kinds())
