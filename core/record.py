"""The decision record: one HTML file with verdict, figures, charts, inputs and sources. Needs no network; prints well.

Everything that is not ours (names, origins, currency) is escaped. Knows no page.
"""

from datetime import date
from html import escape

import plotly.graph_objects as go

from core.approaches import NAMES
from core.calculator import cares, flips
from core.calculator.approaches import accuracy_over_time
from core.calculator.inputs import Scenario
from core.calculator.model import Outcome, evaluate_cached
from core.calculator.tables import inputs_table, summary
from core.calculator.verdict import verdict
from core.charts import calculator as charts
from core.errors import Problem
from core.evidence import figures

STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #17202A; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.6rem } h2 { font-size: 1.2rem; margin-top: 2rem; border-bottom: 1px solid #ccc }
table { border-collapse: collapse; width: 100%; font-size: .85rem } td, th { border-bottom: 1px solid #ddd;
padding: .25rem .5rem; text-align: left; vertical-align: top } .verdict { font-size: 1.15rem; font-weight: 600 }
figure { margin: 1rem 0; break-inside: avoid } figcaption { font-size: .85rem; color: #555 } tr { break-inside: avoid }
@media print { body { margin: 0; max-width: none } h2 { break-after: avoid } .modebar { display: none } }
"""


def decision_record(
    scenario: Scenario, title: str = "Decision record", link: str = "", made: date | None = None
) -> str:
    """The standalone HTML document. `made` is the date on it, today when not given."""
    outcome = evaluate_cached(scenario)
    said = verdict(scenario, outcome)
    day = (made or date.today()).isoformat()
    parts = [
        f"<h1>{escape(title)}</h1><p>Made {day} with Retrieve or Retrain, seed {scenario.number('seed'):.0f}, "
        f"{scenario.number('draws'):,.0f} draws.</p>",
        f'<p class="verdict">{escape(said.headline)}</p>{_list(said.lines)}',
        f"<h2>What would flip it</h2>{_list(said.flips)}",
        f"<h2>Doubts</h2>{_list(said.doubts)}" if said.doubts else "",
        f"<h2>The four approaches</h2>{_table(summary(scenario, outcome))}",
        "<h2>Charts</h2>" + _charts(scenario, outcome) if outcome.results else "",
        "<h2>Where the documents' figures need care</h2>"
        + _table([{"Point": care.title, "What to know": care.text} for care in cares.every()]),
        f"<h2>Inputs</h2>{_table(inputs_table(scenario))}",
        f"<h2>Sources</h2>{_list([source.words() for source in figures.sources().values()])}",
        f"<h2>Scenario</h2><p>Link parameter: <code style='word-break:break-all'>s={escape(link)}</code></p>"
        if link
        else "",
    ]
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head><body>{''.join(parts)}</body></html>"
    )


def _charts(scenario: Scenario, outcome: Outcome) -> str:
    pictures: list[tuple[str, go.Figure]] = [
        ("Cumulative cost", charts.cumulative_cost(scenario, outcome)),
        ("Break-even volumes", charts.break_even(outcome.crossings)),
        ("Cost a query by part", charts.cost_by_part(scenario, outcome)),
        ("Latency by part", charts.latency(scenario, outcome)),
        ("Accuracy over time", charts.accuracy_over_time(scenario, *accuracy_over_time(scenario))),
        ("Cost, latency and accuracy", charts.trade_off(scenario, outcome)),
    ]
    if outcome.cheapest:
        name = outcome.recommended or outcome.cheapest
        what = f"total cost of {NAMES[name]}"
        pictures.append(("What drives it", charts.tornado(scenario, *flips.tornado(scenario, name), what)))
    return "".join(_figure(title, picture, first=at == 0) for at, (title, picture) in enumerate(pictures))


def _figure(title: str, picture: go.Figure, first: bool) -> str:
    picture.update_layout(template="plotly_white")
    drawn = picture.to_html(full_html=False, include_plotlyjs=first, config={"displaylogo": False, "responsive": True})
    said = escape(charts.alt(picture))
    return f'<figure role="img" aria-label="{said}">{drawn}<figcaption>{escape(title)}. {said}</figcaption></figure>'


def _list(lines: tuple[str, ...] | list[str]) -> str:
    return f"<ul>{''.join(f'<li>{escape(line)}</li>' for line in lines)}</ul>"


def _table(rows: list[dict[str, str]]) -> str:
    if not rows:
        raise Problem("There is nothing to put into this table.")
    names = list(dict.fromkeys(name for row in rows for name in row))
    head = "".join(f"<th>{escape(name)}</th>" for name in names)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(row.get(name, ''))}</td>" for name in names) + "</tr>" for row in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
