"""The documents' and published figures beside a run: does its 95 % interval meet what they state? Pure.

Which figure is held against which arm and which questions stands in `HELD`; the figures themselves, with their sources,
in core/evidence/figures.toml. Their questions and methods differ from a run's, so agreement is no proof of either.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from msgspec import Struct

from core.evaluation import statistics
from core.evaluation.records import Report, Row
from core.evaluation.report import NOT_FACTS
from core.evidence import figures
from core.project import Project
from core.text import one_line

STATIC: Final = "static"
CHANGED: Final = "changed"
MEETS, ABOVE, BELOW, FEW = "meets it", "above it", "below it", "too few to say"
WIDE: Final = 0.5  # an interval as wide as this meets nearly anything


class Beside(Struct, frozen=True, kw_only=True):
    """One figure and this run. Shares of 1; `low`, `high`: what the source states; `run_low`, `run_high`: 95 %."""

    figures: tuple[str, ...]
    source: str
    states: str
    label: str
    low: float
    high: float
    arm: str
    n: int
    share: float
    run_low: float
    run_high: float
    agreement: str


@dataclass(frozen=True)
class Held:
    """Figures (their whole span counts), the arms they are about, and which of an arm's rows are counted, as what.

    `tuned`: whether the arm's model is a fine-tune. `of`: the rows to look at, given the base's closed-book rows by
    question; `seen`: what is counted among them.
    """

    figures: tuple[str, ...]
    tuned: bool
    contexts: tuple[str, ...]
    of: Callable[[Row, dict[int, bool]], bool]
    seen: Callable[[Row], bool] = lambda row: row.right


def _stays(row: Row, _: dict[int, bool]) -> bool:
    return row.cls != CHANGED


def _moved(row: Row, _: dict[int, bool]) -> bool:
    return row.cls == CHANGED


def _any(_: Row, __: dict[int, bool]) -> bool:
    return True


def _new(row: Row, closed: dict[int, bool]) -> bool:
    return closed.get(row.number) is False


def _known(row: Row, closed: dict[int, bool]) -> bool:
    return closed.get(row.number) is True


def _p1(column: str) -> tuple[str, ...]:
    return tuple(f"P1.current-events.{model}.{column}" for model in ("mistral-7b", "llama2-7b", "orca2-7b"))


HELD: Final = (
    Held(("D2.accuracy-static.retrieval",), False, ("retrieval",), _stays),
    Held(("D2.accuracy-static.fine-tuning",), True, ("closed",), _stays),
    Held(("D2.accuracy-dynamic.retrieval",), False, ("retrieval",), _moved),
    Held(("D2.accuracy-dynamic.fine-tuning",), True, ("closed",), _moved),
    Held(_p1("base"), False, ("closed",), _any),
    Held(_p1("base-rag"), False, ("retrieval",), _any),
    Held(_p1("ft"), True, ("closed",), _any),
    Held(_p1("ft-rag"), True, ("retrieval",), _any),
    Held(("P7.unused-oracle",), False, ("perfect",), _new, lambda row: not row.right),
    Held(("P7.destroyed",), False, ("perfect", "retrieval"), _known, lambda row: not row.right),
)


def beside(report: Report, project: Project) -> tuple[Beside, ...]:
    """One entry a figure and arm of the run that it can be held against."""
    bases = project.bases
    facts = [row for row in report.rows if not row.problem and row.cls not in NOT_FACTS and row.expected]
    closed: dict[str, dict[int, bool]] = {}
    for row in facts:
        if row.context == "closed":
            closed.setdefault(row.model, {})[row.number] = row.right
    found = []
    for held in HELD:
        for arm in report.arms:
            rows = [row for row in facts if row.arm == arm]
            if rows and rows[0].context in held.contexts and bool(bases.get(rows[0].model)) == held.tuned:
                of = [row for row in rows if held.of(row, closed.get(row.model, {}))]
                if of:
                    found.append(_one(held, report.titles.get(arm, arm), of))
    return tuple(found)


def _one(held: Held, title: str, rows: Sequence[Row]) -> Beside:
    known = [figures.get(name) for name in held.figures]
    scale = 100 if known[0].unit == "%" else 1
    low, high = (pick(one.range[end] for one in known) / scale for end, pick in ((0, min), (1, max)))
    share = statistics.accuracy([held.seen(row) for row in rows], [row.group for row in rows])
    source = figures.sources()[known[0].source]
    states = known[0].words() if len(known) == 1 else f"{low:.0%} to {high:.0%} ({len(known)} models)"
    return Beside(
        figures=held.figures,
        source=source.words(),
        states=states,
        label=known[0].label if len(known) == 1 else f"{known[0].quantity}: {known[0].label.rsplit(', ', 1)[-1]}",
        low=low,
        high=high,
        arm=title,
        n=share.n,
        share=share.accuracy,
        run_low=share.low,
        run_high=share.high,
        agreement=agreement((low, high), (share.low, share.high)),
    )


def agreement(states: tuple[float, float], run: tuple[float, float]) -> str:
    """How a run's 95 % interval stands to what a source states, both from low to high, shares of 1."""
    if run[1] < states[0]:
        return BELOW
    if run[0] > states[1]:
        return ABOVE
    return FEW if run[1] - run[0] >= WIDE else MEETS


def table(found: Iterable[Beside]) -> list[dict[str, str]]:
    """The entries as rows for people, each with its citation."""
    return [
        {
            "What": one.label,
            "Source states": one.states,
            "This run": f"{one.share:.0%} ({one.run_low:.0%} to {one.run_high:.0%}, n={one.n}), {one.arm}",
            "The run": one.agreement,
            "Source": one_line(one.source, 200),
        }
        for one in found
    ]
