"""Up to four scenarios side by side, and the shelf of those kept beside the current one. Knows no page."""

from collections.abc import Mapping, Sequence
from typing import Any

from core.approaches import NAMES
from core.calculator.inputs import Scenario, check, every, words
from core.calculator.model import evaluate_cached
from core.calculator.verdict import money, percent
from core.errors import Problem
from core.text import one_line

MOST = 4


def keep(shelf: Sequence[Mapping[str, Any]], name: str, scenario: Scenario) -> list[dict[str, Any]]:
    """The shelf with `scenario` on it under `name`; a kept name is replaced. Raises Problem when it is full."""
    label = one_line(name, 40).strip()
    if not label:
        raise Problem("Give the scenario a name to keep it under.")
    others = [dict(one) for one in shelf if one["name"] != label]
    if len(others) >= MOST - 1:
        raise Problem(f"Four scenarios can be compared, the current one and {MOST - 1} kept ones. Remove one first.")
    return [*others, {"name": label, **scenario.section()}]


def shelf_of(section: Mapping[str, Any]) -> tuple[list[dict[str, Any]], list[str]]:
    """The kept scenarios in a `calculator` section, and notes on what could not be used; never raises."""
    raw = section.get("others", [])
    if not isinstance(raw, list):
        return [], ["others: not a list of scenarios; left out."]
    kept: list[dict[str, Any]] = []
    notes: list[str] = [f"others: only {MOST - 1} are kept."] if len(raw) > MOST - 1 else []
    for at, one in enumerate(raw[: MOST - 1], start=1):
        if not isinstance(one, Mapping):
            notes.append(f"others, number {at}: not a scenario; left out.")
            continue
        scenario, wrong = check(one)
        name = one_line(str(one.get("name", "")), 40) or f"scenario {at}"
        notes += [f"{name}: {note}" for note in wrong]
        kept.append({"name": name, **scenario.section()})
    return kept, notes


def side_by_side(scenarios: Mapping[str, Scenario]) -> list[dict[str, str]]:
    """One row a line of comparison, one column a scenario: verdict, figures, then every input that differs."""
    outcomes = {name: evaluate_cached(scenario) for name, scenario in scenarios.items()}
    rows = []
    for title, of in (("Recommended", "recommended"), ("Cheapest", "cheapest")):
        chosen = {name: getattr(outcome, of) for name, outcome in outcomes.items()}
        rows.append({"": title, **{name: NAMES.get(one, "none") for name, one in chosen.items()}})
    for approach, label in NAMES.items():
        cells: dict[str, str] = {}
        for name, outcome in outcomes.items():
            result = outcome.results.get(approach)
            cells[name] = "does not fit" if outcome.fits[approach].allowed else "ruled out"
            if result is not None:
                cost = money(result.total["p50"], scenarios[name])
                cells[name] = (
                    f"{cost}; cheapest in {percent(result.cheapest)}; p95 {result.latency['p95']:,.0f} ms; "
                    f"accuracy {result.accuracy['p50']:.1f} %"
                )
        rows.append({"": label, **cells})
    for name, one in every().items():
        values = {label: words(name, scenario.value(name)) for label, scenario in scenarios.items()}
        if len(set(values.values())) > 1:
            rows.append({"": one.label, **values})
    return rows
