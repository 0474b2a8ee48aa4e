"""What a monitoring system may know, as Prometheus text: counts, times and bytes; no text, no name, no address.

Answers are counted as they end; all else is read when it is asked for. Knows records and counts, and no part that made
them. `RR_METRICS=0` switches it off.
"""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from core.records import ArmRecord

OUTCOMES: Final = ("stop", "length", "cancelled", "failed", "other")
SOURCES: Final = ("interactive", "evaluation")
TTFT_S: Final = (0.05, 0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60, 120)
TOTAL_S: Final = (0.25, 0.5, 1, 2, 4, 8, 15, 30, 60, 120, 300)


def wanted() -> bool:
    """Whether metrics are shown."""
    return os.environ.get("RR_METRICS", "1") != "0"


@dataclass(frozen=True)
class Now:
    """The process at one moment. `workers`: Engine.status. `far`: answers under way at endpoints. `jobs`: by kind.

    `store`: whether the database can be read.
    """

    store: bool
    workers: Sequence[Mapping[str, Any]] = ()
    far: int = 0
    jobs: Mapping[str, int] = field(default_factory=dict)


class Metrics:
    """The counts of one process. Safe to call from any thread."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)  # the app's memory, processor time and open files, where Linux tells
        self._answers = Counter(
            "rr_answers", "Answers that ended, by outcome.", ["outcome", "source"], registry=self._registry
        )
        self._ttft = Histogram(
            *("rr_ttft_seconds", "From the question to the first token, of complete answers."),
            *(["source"],),
            buckets=TTFT_S,
            registry=self._registry,
        )
        self._total = Histogram(
            *("rr_answer_seconds", "From the question to the end, of complete answers."),
            *(["source"],),
            buckets=TOTAL_S,
            registry=self._registry,
        )
        for source in SOURCES:  # a rate needs a beginning at zero
            self._ttft.labels(source)
            self._total.labels(source)
            for outcome in OUTCOMES:
                self._answers.labels(outcome, source)

    def note(self, answers: Iterable[ArmRecord], background: bool) -> None:
        """Count answers that ended. `background`: an evaluation asked them."""
        source = SOURCES[background]
        for one in answers:
            ended = outcome(one)
            self._answers.labels(ended, source).inc()
            if ended in ("stop", "length"):
                for kept, milliseconds in ((self._ttft, one.timing.ttft_total), (self._total, one.timing.total)):
                    if milliseconds is not None:
                        kept.labels(source).observe(milliseconds / 1000)

    def text(self, now: Now) -> bytes:
        """All of it, in Prometheus' text format."""
        shown = CollectorRegistry()
        shown.register(_Read(now))
        return generate_latest(self._registry) + generate_latest(shown)


def outcome(answer: ArmRecord) -> str:
    """How an answer ended: one of OUTCOMES."""
    if answer.problem is not None or answer.finish is None:
        return "failed"
    return answer.finish if answer.finish in OUTCOMES else "other"


@dataclass(frozen=True, eq=False)  # registered as itself
class _Read(Collector):
    """What is read at the moment it is asked for."""

    now: Now

    def collect(self) -> Iterator[Metric]:
        now, workers = self.now, self.now.workers
        alive = [one for one in workers if "pid" in one]
        yield GaugeMetricFamily("rr_store_up", "1 while the database can be read.", int(now.store))
        yield GaugeMetricFamily("rr_queue_length", "Answers that wait for a worker.", _sum(workers, "queued"))
        flight = GaugeMetricFamily("rr_answers_in_flight", "Answers being computed.", labels=["where"])
        flight.add_metric(["worker"], _sum(workers, "answering"))
        flight.add_metric(["endpoint"], now.far)
        yield flight
        yield GaugeMetricFamily("rr_workers", "Model workers alive.", len(alive))
        yield GaugeMetricFamily("rr_worker_memory_bytes", "Memory of all model workers.", _sum(alive, "memory"))
        yield CounterMetricFamily("rr_worker_deaths", "Workers that died unasked.", _sum(workers, "died"))
        jobs = GaugeMetricFamily("rr_jobs_active", "Jobs queued or running, by kind.", labels=["kind"])
        for kind in sorted({"evaluate", *now.jobs}):
            jobs.add_metric([kind], now.jobs.get(kind, 0))
        yield jobs


def _sum(workers: Iterable[Mapping[str, Any]], name: str) -> int:
    return sum(one.get(name) or 0 for one in workers)
