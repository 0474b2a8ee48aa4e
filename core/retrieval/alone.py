"""One folder at a time is brought into a knowledge base, whichever process does it. Knows no documents."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core.errors import Problem


@contextmanager
def one_at_a_time(base: Path) -> Iterator[None]:
    """Hold the right to bring a folder into the base at `base`. Raises Problem while somebody else does."""
    from filelock import FileLock, Timeout

    lock = FileLock(base.with_name(f"{base.name}.lock"), timeout=0, mode=0o600, thread_local=False)
    try:
        lock.acquire()
    except Timeout:
        raise Problem(
            f"Another update of the knowledge base {base.name} is under way. Wait until it has ended, then try again."
        ) from None
    try:
        yield
    finally:
        lock.release()
