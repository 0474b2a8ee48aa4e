"""This machine and this process: processors, memory, GPU layers, and how a worker dies. Knows no llama.cpp."""

import contextlib
import ctypes
import os
import signal
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil

from core.errors import Problem

SPARE_BYTES = 4 * 2**30  # address space beside what a model is estimated to need: libraries, stacks, arenas
LOAD_WAIT = 10.0
GPU_RESERVE = 512 * 2**20  # bytes of a GPU's memory left to others


def processors() -> int:
    """Processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def free_memory() -> int:
    """Bytes that can be had without swapping, the control group's limit included (which psutil does not know)."""
    room, bound = int(psutil.virtual_memory().available), _cgroup_room()
    return room if bound is None else min(room, bound)


def bound_memory(needed: int) -> None:
    """Refuse (Problem) what does not fit the free memory; else let this process take twice what it should need."""
    free = free_memory()
    if needed > free:
        raise Problem(
            f"it needs about {needed / 1e9:.1f} GB of memory and {free / 1e9:.1f} GB are free: take a smaller context "
            "or model, or unload another"
        )
    if sys.platform == "linux":
        import resource

        bound, (_, given) = 2 * needed + SPARE_BYTES, resource.getrlimit(resource.RLIMIT_AS)
        bound = bound if given == resource.RLIM_INFINITY else min(bound, given)  # a limit from outside stays
        resource.setrlimit(resource.RLIMIT_AS, (bound, bound))


def no_core_dumps() -> None:
    """A crash must not write gigabytes."""
    if os.name == "posix":
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def gpu_layers(device: str, wanted: int | None, layers: int, needed: int, free: int | None) -> int:
    """Layers to put on the GPU. `free`: bytes of GPU memory, None without a GPU. Raises Problem when asked for in vain.

    Automatic: all, or as many as the free memory holds when every layer takes the same of what is `needed` (bytes:
    weights, keys, values and work space). The output counts as a layer.
    """
    if free is None:
        if device == "gpu" or wanted:
            raise Problem("llama-cpp-python is built here without GPU support: see the README for how to get it")
        return 0
    if device == "cpu":
        return 0
    if wanted is not None:
        return min(wanted, layers + 1)
    return max(0, min(layers + 1, int((free - GPU_RESERVE) / (needed / (layers + 1)))))


def attempts(device: str, wanted: int | None, layers: int) -> list[int]:
    """How many layers to try on the GPU, one after the other while it has no room. What was asked for is tried alone;
    automatically half of them is tried next and then, unless the GPU was asked for, none."""
    if wanted is not None or layers == 0:
        return [layers]
    fewer = [layers // 2] if layers > 1 else []
    return [layers, *fewer, *([0] if device != "gpu" else [])]


@contextlib.contextmanager
def loading() -> Iterator[None]:
    """One worker of this user loads at a time: what the first tokens show of the machine must not be another's load.
    After LOAD_WAIT seconds it goes on regardless: a large file takes its time."""
    from filelock import FileLock, Timeout

    lock = FileLock(Path(tempfile.gettempdir()) / f"retrieve-or-retrain-loading-{os.getuid()}.lock")
    with contextlib.suppress(Timeout, OSError):
        lock.acquire(timeout=LOAD_WAIT)
    try:
        yield
    finally:
        lock.release()


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


def _cgroup_room() -> int | None:
    folder = Path("/sys/fs/cgroup")
    try:
        limit = (folder / "memory.max").read_text().strip()
        return None if limit == "max" else int(limit) - int((folder / "memory.current").read_text())
    except (OSError, ValueError):
        return None
