"""One build of a knowledge base at a time, whichever process does it. Knows no documents."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from core.errors import Problem

LOOK_S = 0.2


@contextmanager
def one_at_a_time(base: Path, waiting: Callable[[], bool] | None = None) -> Iterator[None]:
    """Hold the right to bring the base at `base` in step with a source. Raises Problem while somebody else does.

    `waiting`: wait for the other one, until that says stop.
    """
    from filelock import FileLock, Timeout

    lock = FileLock(base.with_name(f"{base.name}.lock"), mode=0o600, thread_local=False)
    while not lock.is_locked:
        try:
            lock.acquire(timeout=0 if waiting is None else LOOK_S)
        except Timeout:
            if waiting is None or waiting():
                raise Problem(
                    f"Another update of the knowledge base {base.name} is under way. Wait until it has ended, then try "
                    "again."
                ) from None
    try:
        yield
    finally:
        lock.release()
