"""Why a worker ended, in words: its exit status and the end of its log. Knows no worker."""

import signal
from pathlib import Path

from core.text import one_line

TAIL_BYTES = 4000
TAIL_CHARACTERS = 400
OUT_OF_MEMORY = 12  # the exit status of a worker that could not get memory for its own data (ENOMEM)
OWN_MAKING = ("SIGSEGV", "SIGABRT", "SIGBUS", "SIGFPE", "SIGILL")  # the file's or llama.cpp's doing, not the system's


def death(status: int, killed_for: str | None) -> tuple[str, bool]:
    """The cause in words, and whether the worker brought it on itself. `status` as `subprocess` gives it."""
    if killed_for is not None:
        return killed_for, False
    if status == OUT_OF_MEMORY:
        return "it ran out of memory", True
    if status >= 0:
        return f"it stopped with status {status}", status != 0
    try:
        name = signal.Signals(-status).name
    except ValueError:
        name = f"signal {-status}"
    if name == "SIGKILL":
        return "it was killed from outside, perhaps for want of memory (SIGKILL)", False
    return f"it crashed ({name})", name in OWN_MAKING


def tail(log: Path) -> str:
    """The last words of a worker's log, on one line, "" when it said nothing."""
    try:
        with log.open("rb") as file:
            file.seek(0, 2)
            file.seek(max(file.tell() - TAIL_BYTES, 0))
            text = file.read().decode("utf-8", "replace")
    except OSError:
        return ""
    flat = one_line(text, TAIL_BYTES)
    return flat if len(flat) <= TAIL_CHARACTERS else "…" + flat[-TAIL_CHARACTERS:]
