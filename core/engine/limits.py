"""What a file and a worker may do: checks before loading, memory, processors, life. Knows headers, no llama.cpp."""

import ctypes
import os
import signal
import sys
from pathlib import Path
from typing import Any

from core.engine.gguf_header import Header, LongArray, Tensor, read
from core.errors import Problem

EMBEDDERS = ("bert", "nomic-bert", "jina-bert-v2")


def check(header: Header) -> None:
    """Raises Problem when the file must not be loaded."""
    if not header.architecture:
        raise Problem("The header names no architecture.")


def check_adapter(path: Path, base: Header) -> Header:
    """The header of a LoRA for `base`. Raises Problem when it is none."""
    header = read(path)
    if header.values.get("general.type") != "adapter":
        raise Problem(f"{path.name} is no adapter.")
    return header


def describe(header: Header) -> dict[str, Any]:
    """A model's identity as far as its header tells."""
    values = header.values
    return {
        "architecture": header.architecture,
        "quantization": quantization(header.tensors),
        "source_sha256": values.get("rr.source_sha256"),
        "recipe": values.get("rr.recipe"),
    }


def quantization(tensors: tuple[Tensor, ...]) -> str:
    """The type that holds most of the weights' bytes."""
    held: dict[str, int] = {}
    for tensor in tensors:
        held[tensor.kind] = held.get(tensor.kind, 0) + tensor.size
    return max(held, key=lambda kind: held[kind])


def processors() -> int:
    """Processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def gpu_layers(device: str, wanted: int | None, header: Header, offload: bool) -> int:
    """Layers for the GPU: none without one, all when asked for none in particular."""
    if device == "cpu" or not offload:
        return 0
    return header.own("block_count") + 1 if wanted is None else wanted


def bound_memory(header: Header, context: int) -> None:
    """Later."""


def peak_memory() -> int:
    """The most memory this process has held, in bytes, mapped weights included."""
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def die_with_parent() -> None:
    """Linux: have the kernel end this process with the thread that started it. Elsewhere end of file does."""
    if sys.platform == "linux":
        parent = os.getppid()
        ctypes.CDLL(None).prctl(1, signal.SIGKILL, 0, 0, 0)  # PR_SET_PDEATHSIG
        if os.getppid() != parent:
            os._exit(0)


_ = LongArray
