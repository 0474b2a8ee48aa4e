"""File handles: how many this process may have, how many it has, whether another session may begin. Knows no session.
And memory's heaps, of which as few: both are what a server that runs for weeks uses up.

A browser's tab costs a connection, a thread and the database connections of that thread; at the limit nothing can be
opened any more, not even the app's own scripts. So the limit is raised as far as the system lets us, and a new visitor
is asked to wait before it is reached.
"""

import ctypes
import sys
from contextlib import suppress
from pathlib import Path

MOST = 65_536  # enough for any machine; some systems' hard limit is a billion, and some libraries walk through it
SPARE = 128  # kept for those who are already here: files of pages, databases, workers
HEAPS = 2
MAPPED = 1_000_000  # bytes: what is larger is mapped by itself and given back when freed
TRIMMED = 128 * 1024  # bytes free at a heap's end: more is given back
ARENA_MAX, MMAP_THRESHOLD, TRIM_THRESHOLD = -8, -3, -1  # glibc's malloc.h
FOLDERS = ("/proc/self/fd", "/dev/fd")  # Linux, macOS: one entry a handle


def raise_limit() -> None:
    """Take as many handles as the system gives."""
    if sys.platform == "win32":
        return
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST if hard == resource.RLIM_INFINITY else min(hard, MOST)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def few_heaps() -> None:
    """Let all threads share two heaps of the C library, and have it give back what is free (glibc; elsewhere nothing
    happens). To be called before there are threads.

    A page's every redraw is a thread of its own. By default each may get a heap of its own, up to eight a core, and
    none gives back what it once held; what counts as large rises with the largest block freed so far.
    """
    with suppress(OSError, AttributeError):
        mallopt = ctypes.CDLL(None).mallopt
        for what, value in ((ARENA_MAX, HEAPS), (MMAP_THRESHOLD, MAPPED), (TRIM_THRESHOLD, TRIMMED)):
            mallopt(what, value)


def limit() -> int | None:
    """How many handles this process may have; None where nobody says."""
    if sys.platform == "win32":
        return None
    import resource

    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return None if soft == resource.RLIM_INFINITY else soft


def used() -> int | None:
    """How many it has; None where nobody says."""
    for folder in map(Path, FOLDERS):
        if folder.is_dir():
            return sum(1 for _ in folder.iterdir())
    return None


def crowded() -> bool:
    """Whether a new session has to wait."""
    try:
        most, now = limit(), used()
    except OSError:  # not even a folder can be listed any more
        return True
    return most is not None and now is not None and now > most - SPARE
