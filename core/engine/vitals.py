"""Signs of life of another process, from /proc: processor time, memory, whether it is stopped. Knows no worker.

Where the system does not tell (it is not Linux, or the process is gone), the answers are None or False.
"""

import os
from pathlib import Path

STARVED = 4  # a process that gets next to no processor has so many times as long


class Stopwatch:
    """How long a process has had since something happened, on a machine that may be too busy to run it.

    A process that hangs burns processor time; one that only waits its turn does not, and must not be taken for hung.
    `starved`: at the last look, the process had got next to no processor; what it has not done is not its own making.
    """

    def __init__(self) -> None:
        self.starved = False
        self._event, self._spent = -1.0, 0.0

    def since(self, event: float, now: float, spent: float | None) -> float:
        """Seconds since `event`: by the clock, but no more than was `spent` of processors, nor less than a quarter."""
        passed = now - event
        if spent is None:
            self.starved = False
            return passed
        if event != self._event:
            self._event, self._spent = event, spent
        used = spent - self._spent
        self.starved = used < passed / STARVED
        return min(passed, max(used, passed / STARVED))


def processor_time(pid: int) -> float | None:
    """Seconds of processor a process has used in all its threads."""
    fields = _stat(pid)
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK") if fields else None


def is_stopped(pid: int) -> bool:
    """Whether a signal holds the process up."""
    fields = _stat(pid)
    return bool(fields) and fields[0] in "tT"


def resident(pid: int) -> int | None:
    """Bytes of memory a process holds now, mapped weights included."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except (OSError, IndexError, ValueError):
        return None
    return pages * os.sysconf("SC_PAGE_SIZE")


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat from the state on (field 3 of proc(5))."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except (OSError, IndexError):
        return []
