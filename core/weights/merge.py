"""Write a whole quantized GGUF from a base GGUF: re-quantized, or merged with a LoRA adapter.

NumPy and the `gguf` package only. Works tensor by tensor, so memory stays near the size of the largest tensor.
It knows the GGUF container and the LoRA sum `W + alpha / r * B @ A`; it knows nothing about where files come from
(`core.weights.catalog`), how an adapter was trained (`models.training`) or how a file is served (`core.engine`).
`python -m core merge` is its command.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gguf
import numpy as np
from gguf import GGMLQuantizationType as Type
from gguf import GGUFReader, GGUFValueType, GGUFWriter, LlamaFileType, ReaderTensor

from core.errors import Problem
from core.weights.sources import disk_full, is_disk_full

TOOL = "core.weights.merge 1"
KEY = "derivation."  # metadata of ours: source hash, recipe, tool, changes

# Name of the quantization -> tensor type and the file type that llama.cpp reads.
QUANTIZATIONS: dict[str, tuple[Type, LlamaFileType]] = {
    "F32": (Type.F32, LlamaFileType.ALL_F32),
    "F16": (Type.F16, LlamaFileType.MOSTLY_F16),
    "BF16": (Type.BF16, LlamaFileType.MOSTLY_BF16),
    "Q8_0": (Type.Q8_0, LlamaFileType.MOSTLY_Q8_0),
    "Q5_1": (Type.Q5_1, LlamaFileType.MOSTLY_Q5_1),
    "Q5_0": (Type.Q5_0, LlamaFileType.MOSTLY_Q5_0),
    "Q4_1": (Type.Q4_1, LlamaFileType.MOSTLY_Q4_1),
    "Q4_0": (Type.Q4_0, LlamaFileType.MOSTLY_Q4_0),
    "Q4_0_M": (Type.Q4_0, LlamaFileType.MOSTLY_Q4_0),
}
# Embedding and output weights suffer most from few bits; llama.cpp keeps more there, and so do we. A mix keeps
# attention and the way out of the feed-forward layers at Q8_0 too: what a fine-tune knows by heart is lost there first.
WIDE = {"token_embd.weight", "output.weight"}
MIXES = ("Q4_0_M",)
WIDE_IN_A_MIX = (".attn_", ".ffn_down.")

Progress = Callable[[float], None]
Cancelled = Callable[[], bool]


@dataclass(frozen=True)
class Derived:
    """What was written: identity of the file and of what it was made from (hashes are SHA-256, hexadecimal)."""

    path: Path
    sha256: str
    source_sha256: str
    adapter_sha256: str | None
    quantization: str
    recipe: str
    tool: str = TOOL


@dataclass(frozen=True)
class Adapter:
    """A LoRA adapter in memory: per base tensor A (r, in) and B (out, r), float32, rows in GGUF order."""

    architecture: str
    alpha: float
    pairs: dict[str, tuple[np.ndarray, np.ndarray]]
    base_sha256: str | None

    def delta(self, name: str) -> np.ndarray | None:
        """The dense change (out, in) of tensor `name`, or None when the adapter leaves it alone."""
        pair = self.pairs.get(name)
        if pair is None:
            return None
        a, b = pair
        product: np.ndarray = b @ a
        return np.float32(self.alpha / a.shape[0]) * product


def requantize(
    source: Path,
    out: Path,
    quantization: str = "Q8_0",
    metadata: Mapping[str, str] | None = None,
    progress: Progress | None = None,
    cancelled: Cancelled | None = None,
) -> Derived:
    """Write `source` to `out` with its 2-D weights in `quantization`; everything else and all metadata kept.

    `metadata`: extra string entries. `progress` gets the share done, 0 to 1. Raises `Problem` when the source is
    missing or not a GGUF model, the quantization is unknown, the disk is full, or `cancelled()` turns true; then
    `out` is untouched and nothing is left behind.
    """
    return _derive(Path(source), None, Path(out), quantization, metadata, progress, cancelled)


def merge(
    base: Path,
    adapter: Path,
    out: Path,
    quantization: str = "Q8_0",
    metadata: Mapping[str, str] | None = None,
    progress: Progress | None = None,
    cancelled: Cancelled | None = None,
) -> Derived:
    """Write `base` + LoRA `adapter` to `out`: dequantize, add `alpha / r * B @ A`, quantize.

    The adapter is a GGUF whose rows are already in GGUF order (q and k permuted for llama). Arguments and errors as
    `requantize`; also a `Problem` when the adapter belongs to another base, architecture or shape.
    """
    return _derive(Path(base), Path(adapter), Path(out), quantization, metadata, progress, cancelled)


def read_adapter(path: Path) -> Adapter:
    """Read a LoRA adapter GGUF. Raises `Problem` when it is missing, broken, or no LoRA adapter."""
    reader = _open(path, "adapter")
    if _field(reader, "general.type") != "adapter" or _field(reader, "adapter.type") != "lora":
        raise Problem(f"{path.name} is not a LoRA adapter: give an adapter GGUF as models.training.run writes it.")
    alpha = _field(reader, "adapter.lora.alpha")
    halves: dict[str, dict[str, np.ndarray]] = {}
    for tensor in reader.tensors:
        name, _, side = tensor.name.rpartition(".lora_")
        if side not in ("a", "b"):
            raise Problem(f"{path.name}: unexpected tensor {tensor.name!r} in a LoRA adapter.")
        halves.setdefault(name, {})[side] = _dense(tensor)
    if not halves or alpha is None:
        raise Problem(f"{path.name}: the adapter holds no LoRA tensors or no alpha.")
    pairs = {}
    for name, half in halves.items():
        if set(half) != {"a", "b"} or half["a"].shape[0] != half["b"].shape[1]:
            raise Problem(f"{path.name}: the LoRA pair of {name!r} is incomplete or its ranks differ.")
        if name == "token_embd.weight":
            raise Problem(f"{path.name}: adapters of the embedding table cannot be merged.")
        pairs[name] = (half["a"], half["b"])
    return Adapter(
        str(_field(reader, "general.architecture")), float(alpha), pairs, _field(reader, KEY + "base_sha256")
    )


def sha256(path: Path) -> str:
    """SHA-256 of a file, hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _derive(
    source: Path,
    adapter_path: Path | None,
    out: Path,
    quantization: str,
    metadata: Mapping[str, str] | None,
    progress: Progress | None,
    cancelled: Cancelled | None,
) -> Derived:
    if quantization not in QUANTIZATIONS:
        raise Problem(f"Unknown quantization {quantization!r}: choose one of {', '.join(QUANTIZATIONS)}.")
    target, file_type = QUANTIZATIONS[quantization]
    reader = _open(source, "model")
    if _field(reader, "general.type") == "adapter":
        raise Problem(f"{source.name} is an adapter, not a model: give the base model first.")
    source_hash = sha256(source)
    adapter = adapter_hash = None
    if adapter_path is not None:
        adapter, adapter_hash = read_adapter(adapter_path), sha256(adapter_path)
        _check_fit(reader, source, source_hash, adapter, adapter_path)
    recipe = f"{'merge with a LoRA adapter' if adapter else 'no change of weights'}, 2-D weights as {quantization}"

    plan = [(tensor, _target_type(tensor, target, quantization in MIXES)) for tensor in reader.tensors]
    _check_space(out, sum(_nbytes(tensor, kind) for tensor, kind in plan))
    with _replacing(out) as temporary:
        writer = _writer(reader, temporary)
        notes = _notes(reader, source, source_hash, adapter_path, adapter_hash, recipe) | dict(metadata or {})
        for key, value in notes.items():
            writer.add_key_value(key, value, GGUFValueType.STRING)
        writer.add_key_value("general.file_type", int(file_type), GGUFValueType.UINT32)
        writer.add_key_value("general.quantization_version", gguf.GGML_QUANT_VERSION, GGUFValueType.UINT32)
        try:
            _write_tensors(writer, plan, adapter, progress, cancelled)
        finally:
            writer.close()
        file_hash = sha256(temporary)
    return Derived(out, file_hash, source_hash, adapter_hash, quantization, recipe)


def _write_tensors(
    writer: GGUFWriter,
    plan: list[tuple[ReaderTensor, Type]],
    adapter: Adapter | None,
    progress: Progress | None,
    cancelled: Cancelled | None,
) -> None:
    for tensor, kind in plan:
        shape = tuple(int(n) for n in reversed(tensor.shape))
        writer.add_tensor_info(tensor.name, shape, np.dtype(np.float32), _nbytes(tensor, kind), raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    for index, (tensor, kind) in enumerate(plan, 1):
        if cancelled is not None and cancelled():
            raise Problem("Cancelled: no file was written.")
        delta = adapter.delta(tensor.name) if adapter else None
        if delta is None and kind == tensor.tensor_type:
            writer.write_tensor_data(np.asarray(tensor.data))  # bit for bit
        else:
            weight = _dense(tensor)
            writer.write_tensor_data(gguf.quants.quantize(weight if delta is None else weight + delta, kind))
        if progress is not None:
            progress(index / len(plan))


def _target_type(tensor: ReaderTensor, target: Type, mixed: bool) -> Type:
    """Type in the new file: only 2-D weights change; rows that do not divide into blocks become F16."""
    source = Type(tensor.tensor_type)
    if len(tensor.shape) != 2 or not tensor.name.endswith(".weight"):
        return source
    wide = tensor.name in WIDE or (mixed and any(part in tensor.name for part in WIDE_IN_A_MIX))
    if wide and target not in (Type.F32, Type.F16, Type.BF16):
        target = Type.Q8_0
    block, _ = gguf.GGML_QUANT_SIZES[target]
    return target if int(tensor.shape[0]) % block == 0 else Type.F16


def _nbytes(tensor: ReaderTensor, kind: Type) -> int:
    block, size = gguf.GGML_QUANT_SIZES[kind]
    return int(tensor.n_elements) // int(block) * int(size)


def _dense(tensor: ReaderTensor) -> np.ndarray:
    """Float32 values of a tensor, shape (rows, columns)."""
    try:
        dense: np.ndarray = gguf.quants.dequantize(np.asarray(tensor.data), Type(tensor.tensor_type))
        return dense.astype(np.float32, copy=False)
    except NotImplementedError as error:
        raise Problem(
            f"Tensor {tensor.name!r} is stored as {tensor.tensor_type.name}, which cannot be read."
        ) from error


def _check_fit(reader: GGUFReader, source: Path, source_hash: str, adapter: Adapter, path: Path) -> None:
    architecture = _field(reader, "general.architecture")
    if adapter.architecture != architecture:
        raise Problem(f"{path.name} is for {adapter.architecture!r} models, {source.name} is {architecture!r}.")
    # A re-quantized copy carries its source's hash: the adapter fits that too.
    known = {source_hash, _field(reader, KEY + "source_sha256")}
    if adapter.base_sha256 and adapter.base_sha256 not in known:
        raise Problem(
            f"{path.name} was trained over another base (SHA-256 {adapter.base_sha256[:12]}…), not over {source.name} "
            f"({source_hash[:12]}…): merge it with that file."
        )
    tensors = {tensor.name: tensor for tensor in reader.tensors}
    for name, (a, b) in adapter.pairs.items():
        if name not in tensors:
            raise Problem(f"{path.name} changes {name!r}, which {source.name} does not have: it is for another base.")
        shape = tuple(int(n) for n in reversed(tensors[name].shape))
        if shape != (b.shape[0], a.shape[1]):
            raise Problem(
                f"{path.name}: {name!r} has shape {(b.shape[0], a.shape[1])}, {source.name} has {shape}: "
                "the adapter is for another base."
            )


def _notes(
    reader: GGUFReader, source: Path, source_hash: str, adapter: Path | None, adapter_hash: str | None, recipe: str
) -> dict[str, str]:
    """Derivation metadata: the base and its licence named, the changes stated (Apache-2.0, section 4)."""
    name = _field(reader, "general.name") or source.stem
    changes = "merged with a LoRA adapter and re-quantized" if adapter else "re-quantized"
    notes = {
        KEY + "source_file": source.name,
        KEY + "source_sha256": _field(reader, KEY + "source_sha256") or source_hash,
        KEY + "base_name": str(name),
        KEY + "base_license": str(_field(reader, "general.license") or "not stated by the base"),
        KEY + "recipe": recipe,
        KEY + "tool": f"{TOOL}, gguf {_package_version('gguf')}",
        KEY + "changes": f"Derived from {name}: weights {changes}.",
    }
    if adapter is not None and adapter_hash is not None:
        notes |= {KEY + "adapter_file": adapter.name, KEY + "adapter_sha256": adapter_hash}
    return notes


def _writer(reader: GGUFReader, path: Path) -> GGUFWriter:
    """A writer that already holds all metadata of `reader`."""
    writer = GGUFWriter(path, str(_field(reader, "general.architecture")))
    skip = {"general.architecture", "general.alignment", "general.file_type", "general.quantization_version"}
    for field in reader.fields.values():
        if field.name.startswith(("GGUF.", KEY)) or field.name in skip:
            continue
        sub_type = field.types[-1] if field.types[0] == GGUFValueType.ARRAY else None
        value = field.contents()
        if sub_type is not None and not value:
            continue
        writer.add_key_value(field.name, value, field.types[0], sub_type)
    return writer


def _open(path: Path, what: str) -> GGUFReader:
    if not path.is_file():
        raise Problem(f"No {what} file at {path}.")
    try:
        return GGUFReader(path)
    except Exception as error:  # the reader raises whatever the bytes lead it to
        raise Problem(f"{path.name} cannot be read as a GGUF {what}: {error}") from error


def _field(reader: GGUFReader, key: str) -> Any:
    field = reader.get_field(key)
    return None if field is None else field.contents()


def _package_version(name: str) -> str:
    from importlib.metadata import version

    return version(name)


def _check_space(out: Path, needed: int) -> None:
    out.parent.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(out.parent).free
    if free < needed + (8 << 20):
        raise Problem(f"Disk full: {out.name} needs {needed / 1e6:.0f} MB, {free / 1e6:.0f} MB are free.")


@contextmanager
def _replacing(out: Path) -> Iterator[Path]:
    """A temporary path beside `out` that replaces it on success and is removed otherwise."""
    handle, name = tempfile.mkstemp(prefix=f".{out.name}.", suffix=".part", dir=out.parent)
    os.close(handle)
    temporary = Path(name)
    temporary.chmod(0o644)  # mkstemp makes it private; a model file is not secret
    try:
        yield temporary
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        temporary.replace(out)
    except OSError as error:
        if is_disk_full(error):
            raise Problem(f"Cannot write {out.name}. {disk_full(out.parent).message}") from error
        raise Problem(f"Cannot write {out}: {error.strerror or error}.") from error
    finally:
        temporary.unlink(missing_ok=True)
