"""The whole answer to a scenario as plain data: what the command prints, the page downloads and the record shows."""

import csv
import io
from dataclasses import asdict
from typing import Any

from core import scenario as envelope
from core.approaches import NAMES
from core.calculator import flips as moves
from core.calculator.inputs import Scenario, every, plain_value
from core.calculator.model import evaluate_cached
from core.calculator.verdict import verdict
from core.evidence import figures


def report(scenario: Scenario) -> dict[str, Any]:
    """Scenario, verdict, outcome and flips as JSON values; the same scenario gives the same report, digit for digit."""
    outcome = evaluate_cached(scenario)
    return {
        "scenario": {"version": envelope.VERSION, "calculator": scenario.section()},
        "verdict": asdict(verdict(scenario, outcome)),
        "recommended": outcome.recommended,
        "possible": list(outcome.choice.possible),
        "too_close": outcome.choice.close,
        "cheapest": outcome.cheapest,
        "fits": {name: asdict(one) for name, one in outcome.fits.items()},
        "results": {name: asdict(one) for name, one in outcome.results.items()},
        "break_even": [asdict(one) for one in outcome.crossings],
        "flips": [asdict(one) for one in moves.flips(scenario)] if outcome.cheapest else [],
        "switches": [asdict(one) for one in moves.switches(scenario)] if outcome.cheapest else [],
        "stability": asdict(outcome.stability) if outcome.stability else None,
        "measure_first": [asdict(one) for one in outcome.worth],
        "worth_of_everything": outcome.worth_of_everything,
        "by_value": outcome.by_value,
        "currency": scenario.words["currency"],
        "inputs": [input_row(scenario, name) for name in every()],
        "sources": [source.words() for source in figures.sources().values()],
    }


def input_row(scenario: Scenario, name: str) -> dict[str, Any]:
    """One input with its value, unit and where the value comes from."""
    one, value = every()[name], scenario.value(name)
    return {
        "name": name,
        "label": one.label,
        "value": plain_value(value),
        "unit": one.unit,
        "origin": origin(scenario, name),
    }


def origin(scenario: Scenario, name: str) -> str:
    """Where an input's present value comes from: a measurement, the default's source, or the user."""
    one = every()[name]
    if name in scenario.origins:
        return scenario.origins[name]
    if scenario.value(name) != one.default:
        return "set here" if scenario.preset == "documents" else f"set here or by the preset '{scenario.preset}'"
    if one.source in figures.load():
        figure = figures.get(one.source)
        return f"{figure.source}, {figure.place}: {figure.words()} ({figure.evidence})"
    return one.source


def as_csv(scenario: Scenario) -> str:
    """The cumulative cost by month and approach (5th, 50th, 95th percentile) as CSV."""
    outcome = evaluate_cached(scenario)
    columns = [(name, p) for name, result in outcome.results.items() for p in result.months]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["month", *(f"{NAMES[name]} {p} ({scenario.words['currency']})" for name, p in columns)])
    for month in range(int(scenario.number("horizon")) + 1):
        writer.writerow([month, *(outcome.results[name].months[p][month] for name, p in columns)])
    return text.getvalue()
