"""Several answers of one arm to one question: median and spread of their times, and whether they differ. No screen."""

import statistics
from collections.abc import Iterable
from dataclasses import dataclass

from core.records import ArmRecord


@dataclass(frozen=True)
class Spread:
    """Median, least and most of some values."""

    median: float
    low: float
    high: float


@dataclass(frozen=True)
class Repeated:
    """`n` answers that came to their end, `failed` others, `different` texts among them.

    `ttft` in ms from the click, `decode` in tokens/s, each over the warm answers that measured one; None where none
    did. `cold`: the TTFT of each answer that came right after its model was loaded, which neither of them holds.
    """

    n: int
    failed: int
    different: int
    ttft: Spread | None
    decode: Spread | None
    cold: tuple[float | None, ...] = ()


def of(arm: ArmRecord) -> Repeated | None:
    """What an arm's repeats say; None where it was asked once. Cold answers stand apart from the times."""
    if len(arm.repeats) < 2:
        return None
    ended = [one for one in arm.repeats if one.problem is None and one.finish in ("stop", "length")]
    warm = [one for one in ended if not one.timing.cold]
    return Repeated(
        len(ended),
        len(arm.repeats) - len(ended),
        len({one.answer for one in ended}),
        _spread(one.timing.ttft_total for one in warm),
        _spread(one.rates.decode_per_s for one in warm),
        tuple(one.timing.ttft_total for one in ended if one.timing.cold),
    )


def _spread(values: Iterable[float | None]) -> Spread | None:
    known = [value for value in values if value is not None]
    return Spread(statistics.median(known), min(known), max(known)) if known else None
