"""The outcome and the inputs as rows of words, for pages, record and overview. Knows no chart and no page."""

from core.approaches import NAMES
from core.calculator.inputs import Scenario, every, words
from core.calculator.model import Outcome
from core.calculator.report import origin
from core.calculator.verdict import duration, money, percent, rounded


def summary(scenario: Scenario, outcome: Outcome) -> list[dict[str, str]]:
    """One row an approach: what it costs, how fast, right, fresh and soon it is."""
    rows = []
    for name, fits in outcome.fits.items():
        result = outcome.results.get(name)
        row = {"Approach": NAMES[name].capitalize()}
        if not fits.allowed:
            rows.append({**row, "Total cost": "ruled out by a requirement"})
            continue
        if result is None:
            rows.append({**row, "Total cost": f"prompt too long, by {fits.over_by:,.0f} tokens"})
            continue
        total, right, delay = result.total, result.accuracy, (result.delay_mean["p50"], result.delay_longest["p50"])
        missed = [aim for aim, met in result.meets.items() if not met]
        rows.append(
            {
                **row,
                "Total cost": f"{money(total['p50'], scenario)} ({rounded(total['p5'])} to {rounded(total['p95'])})",
                "First year": f"{money(result.first_year['p50'], scenario)} ({rounded(result.first_year['p5'])} to "
                f"{rounded(result.first_year['p95'])})",
                "A month": money(result.month["p50"], scenario),
                "A query": money(result.per_query["p50"], scenario) if result.per_query else "no queries",
                "A right answer": money(result.per_right["p50"], scenario) if result.per_right else "none",
                "Wrong answers": rounded(result.wrong_answers["p50"])
                + (f", {money(result.wrong_cost['p50'], scenario)}" if result.wrong_cost else ""),
                "Cheapest in": percent(result.cheapest),
                "TTFT p95": f"{result.ttft['p95']:,.0f} ms",
                "Total p50 / p95 / p99": " / ".join(f"{value:,.0f}" for value in result.latency.values()) + " ms",
                "p95 between": f"{rounded(result.latency_range['p5'])} and {rounded(result.latency_range['p95'])} ms",
                "Within target": percent(result.within_target),
                "Accuracy": f"{right['p50']:.1f} % ({right['p5']:.1f} to {right['p95']:.1f})",
                "Stale answers": f"{result.stale['p50']:.1f} %",
                "Change right after": f"{duration(delay[0])} (at most {duration(delay[1])})",
                "Launch in": f"{result.weeks['p50']:.1f} weeks",
                "Vendor's exit": f"{percent(result.exit.chance)}, {money(result.exit.mean, scenario)} on average"
                if result.exit
                else "none on own weights",
                "Energy": f"{rounded(result.energy['p50'])} kWh"
                + (f" ({result.query_energy['p50']:.2g} Wh a query)" if result.query_energy else ""),
                "Carbon": f"{rounded(result.carbon['p50'])} kg CO2e"
                + (f" ({result.query_carbon['p50']:.2g} g a query)" if result.query_carbon else ""),
                "Net value": money(result.net_value["p50"], scenario) if result.net_value else "not asked",
                "Targets": "all met" if not missed else f"misses {', '.join(missed)}",
            }
        )
    return rows


def inputs_table(scenario: Scenario) -> list[dict[str, str]]:
    """Every input with its value and where that comes from."""
    return [
        {"Input": one.label, "Value": words(name, scenario.value(name)), "Source": origin(scenario, name), "Name": name}
        for name, one in every().items()
    ]
