"""What a GGUF file holds and whether it may be loaded: one answer for the command and the page. Loads nothing."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from core.engine import check, gguf_header
from core.engine.gguf_header import Header
from core.errors import Problem

NO_TEMPLATE = "No chat template in the file: a plain one of ours would be used."


def inspect(
    path: Path, context: int = 2048, others: Sequence[Path] = (), expected: str | None = None, *, with_hash: bool = True
) -> dict[str, Any]:
    """The file's description, as plain values. Raises Problem when it must not be loaded.

    `others`: for a model, adapters that might fit it; for an adapter, models that it might fit. `expected`: the SHA-256
    the file should have. `with_hash` reads the whole file, at about 1 GB/s.
    """
    try:
        return _inspect(path, context, others, expected, with_hash)
    except Problem as problem:
        raise Problem(f"{path.name or path} must not be loaded: {problem.message}") from problem


def is_adapter(header: Header) -> bool:
    """Whether the file is a LoRA and no model."""
    return header.values.get("general.type") == "adapter"


def _inspect(path: Path, context: int, others: Sequence[Path], expected: str | None, with_hash: bool) -> dict[str, Any]:
    header = gguf_header.read(path)
    found = _adapter(path, header) if is_adapter(header) else _model(path, header, context)
    digest = gguf_header.sha256(path) if with_hash or expected else None
    if expected and digest != expected:
        raise Problem(f"Its SHA-256 is {digest}, not {expected} as it should be: damaged, or another file.")
    found |= {"sha256": digest, "sha256_known": bool(expected), "compatibility": _compatibility(header, others)}
    return found


def _model(path: Path, header: Header, context: int) -> dict[str, Any]:
    check.check(header)
    found = check.describe(path, header)
    context = min(context, found["trained_context"])
    notes = [NO_TEMPLATE] if found["kind"] == "chat" and found["chat_template"] is None else []
    notes += [] if found["license"] else ["The file names no licence."]
    return found | {
        "context": context,
        "estimated_memory": check.memory(header, context),
        "verdict": "may be loaded",
        "notes": notes,
    }


def _adapter(path: Path, header: Header) -> dict[str, Any]:
    check.check_lora(header)
    return {
        "file": path.name,
        "bytes": header.file_size,
        "architecture": header.architecture,
        "kind": "adapter",
        "name": header.values.get("general.name"),
        "license": header.values.get("general.license"),
        "parameters": sum(tensor.elements for tensor in header.tensors),
        "quantization_mix": check.mix(header.tensors),
        "alpha": header.values["adapter.lora.alpha"],
        "ranks": sorted({tensor.shape[1] for tensor in header.tensors if tensor.name.endswith(".lora_a")}),
        "verdict": "an adapter: to be loaded over a model it fits",
        "notes": [],
    }


def _compatibility(header: Header, others: Sequence[Path]) -> list[dict[str, Any]]:
    """Whether adapter and model fit each other, for each of `others`."""
    found = []
    for path in others:
        try:
            other = gguf_header.read(path)
            adapter, base = (header, other) if is_adapter(header) else (other, header)
            check.check_adapter(adapter, base)
            found.append({"file": path.name, "fits": True, "reason": None})
        except Problem as problem:
            found.append({"file": path.name, "fits": False, "reason": problem.message})
    return found
