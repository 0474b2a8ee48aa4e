"""Signs of life of another process, from psutil: processor time, memory, whether it is stopped. Knows no worker.

Where the system does not tell, or the process is gone, the answers are None or False.
"""

import psutil

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


def processor_time(process: psutil.Process) -> float | None:
    """Seconds of processor a process has used in all its threads."""
    try:
        used = process.cpu_times()
    except psutil.Error:
        return None
    return float(used.user + used.system)


def is_stopped(process: psutil.Process) -> bool:
    """Whether a signal holds the process up."""
    try:
        return process.status() in (psutil.STATUS_STOPPED, psutil.STATUS_TRACING_STOP)
    except psutil.Error:
        return False


def resident(process: psutil.Process) -> int | None:
    """Bytes of memory a process holds now, mapped weights included."""
    try:
        return int(process.memory_info().rss)
    except psutil.Error:
        return None
