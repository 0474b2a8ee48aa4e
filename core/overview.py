"""The trade-off at a glance: a table from the documents' figures, and the bundled models' measured accuracies.

Chooses which figures stand in which cell. Holds no number of its own and knows nothing of how it is drawn.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from core import arms, paths
from core.errors import Problem
from core.evaluation.beside import Beside
from core.evaluation.statistics import stated
from core.evidence import figures
from core.theme import APPROACH_NAMES

if TYPE_CHECKING:  # imported where a table is made: the first page shows none until somebody opens one
    import pandas as pd

NOT_STATED = "not stated"
COLUMNS = ("retrieval", "fine-tuning", "hybrid", "prompt")

# Criterion -> approach -> figures. What no document puts a figure on stays "not stated".
ROWS: dict[str, dict[str, tuple[str, ...]]] = {
    "Cost up front": {"retrieval": ("D2.setup-cost.retrieval",), "fine-tuning": ("D2.training-cost",)},
    "Extra cost per query": {
        "retrieval": ("D2.query-cost.retrieval",),
        "fine-tuning": ("D2.query-premium.fine-tuning",),
    },
    "Latency": {"retrieval": ("D2.latency.retrieval",), "fine-tuning": ("D2.latency.fine-tuning",)},
    "Accuracy, changing data": {
        "retrieval": ("D2.accuracy-dynamic.retrieval",),
        "fine-tuning": ("D2.accuracy-dynamic.fine-tuning",),
    },
    "Accuracy, static data": {
        "retrieval": ("D2.accuracy-static.retrieval",),
        "fine-tuning": ("D2.accuracy-static.fine-tuning",),
    },
    "Freshness: time to update": {
        "retrieval": ("D2.update-time.retrieval", "D3.update-time.retrieval"),
        "fine-tuning": ("D2.update-time.fine-tuning",),
    },
    "Voice and format": {
        "retrieval": ("D0.behavior.retrieval",),
        "fine-tuning": ("D0.behavior.fine-tuning", "D1.style.fine-tuning"),
    },
    "Can cite its source": {
        "retrieval": ("D2.attribution.retrieval",),
        "fine-tuning": ("D2.attribution.fine-tuning",),
    },
}

DERIVED = ("Total cost", "Total p50 / p95 / p99", "Accuracy", "Launch in")


@dataclass(frozen=True)
class Range:
    """One bar of a range chart: low and high in `unit`, and the id of the document it comes from."""

    label: str
    approach: str
    low: float
    high: float
    unit: str
    source: str


class Share(msgspec.Struct, frozen=True, rename={"cls": "class"}):
    """What an arm had right of `n` questions of a class: shares of 1, `low` to `high` a 95 % interval."""

    arm: str
    cls: str
    n: int
    accuracy: float
    standard_error: float | None
    low: float
    high: float

    def words(self) -> str:
        """As a table's cell."""
        return f"{stated(msgspec.structs.asdict(self), 0)} (n={self.n})"


@dataclass(frozen=True)
class Measured:
    """A pair's accuracies by arm and class of question; `caption` says how and when.

    `beside`: what the documents and papers state of the same, and whether the pair's run meets it.
    """

    pair: str
    shares: tuple[Share, ...]
    caption: str
    beside: tuple[Beside, ...]


PAIRS = {"small": "hand-small.json", "standard": "hand-standard.json"}  # pair -> its table, of questions by hand


def measured() -> tuple[Measured, ...]:
    """What models/cards holds of each pair that was measured. Raises Problem on a broken file."""
    files = {pair: paths.ROOT / "models" / "cards" / name for pair, name in PAIRS.items()}
    return tuple(_measured(pair, path) for pair, path in files.items() if path.exists())


def _measured(pair: str, path: Path) -> Measured:
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        shares = msgspec.convert(raw["results"], tuple[Share, ...])
        caption = f"Accuracy ± standard error. {raw['origin']}, {raw['date']}: {raw['command']}"
        told = msgspec.convert(raw.get("beside", []), tuple[Beside, ...])
    except (ValueError, KeyError, TypeError) as error:
        raise Problem(f"{path.name} is broken ({error!r}); restore it from the repository.") from error
    return Measured(pair, shares, caption, told)


CLASSES = ("static", "changed", "changed, training day", "no-document", "voice")


def _cells(found: Measured) -> dict[tuple[str, str], str]:
    return {(share.arm, share.cls): share.words() for share in found.shares}


def side_by_side(found: Sequence[Measured]) -> list[dict[str, str]]:
    """One row a class of questions and arm, one column a pair: what a larger base changes."""
    cells = {one.pair: _cells(one) for one in found}
    keys = dict.fromkeys((share.cls, share.arm) for one in found for share in one.shares)
    order = [*CLASSES, *(cls for cls, _ in keys if cls not in CLASSES)]
    return [
        {"Questions": cls, "Arm": arm_words(arm)}
        | {f"{pair.capitalize()} pair": of.get((arm, cls), "—") for pair, of in cells.items()}
        for cls, arm in sorted(keys, key=lambda key: order.index(key[0]))
    ]


def stated_elsewhere(found: Sequence[Measured]) -> list[dict[str, str]]:
    """One row a figure and arm it is about, one column a pair: what a source states, and whether the run meets it."""
    runs = {one.pair: {(row.figures, row.arm): row for row in one.beside} for one in found}
    return [
        {"What": f"{row.label[:1].upper()}{row.label[1:]} ({row.arm})", "Source states": f"{row.states} [{_id(row)}]"}
        | {f"{pair.capitalize()} pair": _run(of[key]) if key in of else "—" for pair, of in runs.items()}
        for key, row in {key: row for of in runs.values() for key, row in of.items()}.items()
    ]


def sources_elsewhere(found: Sequence[Measured]) -> list[str]:
    """The sources of those figures, one line each."""
    return sorted({row.source for one in found for row in one.beside})


def _run(row: Beside) -> str:
    return f"{row.share:.0%} ({row.run_low:.0%} to {row.run_high:.0%}, n={row.n}): {row.agreement}"


def _id(row: Beside) -> str:
    return row.source.partition(":")[0]


def arm_words(arm: str) -> str:
    """`fine-tuned+perfect` as people read it: fine-tuned + right passages."""
    parsed = arms.parse(arm)
    context = arms.CONTEXT_WORDS[parsed.context]
    return f"{parsed.model} + {context}" if context else parsed.model


def readme_table() -> str:
    """The measured tables as the README shows them (a test holds the two together). Empty when nothing was measured."""
    rows = []
    for found in measured():
        cells = _cells(found)
        for arm in dict.fromkeys(share.arm for share in found.shares):
            line = " | ".join(cells.get((arm, cls), "—") for cls in CLASSES)
            rows.append(f"| {found.pair} | {arm_words(arm)} | {line} |")
    head = [f"| pair | arm | {' | '.join(CLASSES)} |", "|---" * (len(CLASSES) + 2) + "|"]
    return "\n".join([*head, *rows]) if rows else ""


def glance() -> "pd.DataFrame":
    """One row a criterion, one column an approach, each cell with its source's id."""
    import pandas as pd

    rows = [
        {"Criterion": criterion} | {APPROACH_NAMES[name]: _cell(cells.get(name, ())) for name in COLUMNS}
        for criterion, cells in ROWS.items()
    ]
    return pd.DataFrame(rows).set_index("Criterion")


def derived() -> "pd.DataFrame":
    """The calculator's own default scenario for all four approaches: our derivation from the same figures."""
    import pandas as pd

    from core.calculator import inputs, tables
    from core.calculator.model import evaluate_cached

    scenario = inputs.defaults()
    rows = tables.summary(scenario, evaluate_cached(scenario))
    return pd.DataFrame(rows).set_index("Approach")[list(DERIVED)].fillna("—")


def ranges(*criteria: str) -> list[Range]:
    """The numeric figures of these criteria, for a chart."""
    found = []
    for criterion in criteria:
        for approach, ids in ROWS[criterion].items():
            figure = figures.get(ids[0])
            low, high = figure.range
            found.append(Range(criterion, approach, low, high, figure.unit, figure.source))
    return found


def citations() -> list[str]:
    """The sources behind the table, one line each."""
    used = {figures.get(one).source for cells in ROWS.values() for ids in cells.values() for one in ids}
    return [figures.sources()[name].words() for name in sorted(used)]


def _cell(ids: tuple[str, ...]) -> str:
    stated = [figures.get(one) for one in ids]
    return "; ".join(f"{figure.words()} [{figure.source}]" for figure in stated) or NOT_STATED
