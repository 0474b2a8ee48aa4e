"""The calculator's pictures: outcome in, Plotly figure out. Knows colours and axes, no formulas and no page.

Every figure carries what it says in words (`alt(figure)`), for screen readers and for print.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from core.approaches import APPROACHES
from core.calculator.breakeven import Crossing
from core.calculator.compass import NONE_MEETS
from core.calculator.draws import middle
from core.calculator.flips import Bar, Map
from core.calculator.inputs import Scenario, every, short
from core.calculator.model import Outcome, Result
from core.evidence import figures
from core.theme import (
    APPROACH_COLORS,
    APPROACH_DASHES,
    APPROACH_NAMES,
    APPROACH_SYMBOLS,
    GREY,
    LIMIT,
    PART_COLORS,
    finish,
)

TARGET = {"color": LIMIT, "dash": "dash"}
HERE = {"showarrow": True, "arrowhead": 2, "arrowcolor": "black", "font": {"color": "black"}, "bgcolor": "white"}
HATCHES = ("", "/", "\\", "x", "-", "|", "+", ".")


def alt(figure: go.Figure) -> str:
    """The figure in words."""
    meta = figure.layout.meta
    return str(meta["alt"]) if meta else ""


def cumulative_cost(scenario: Scenario, outcome: Outcome) -> go.Figure:
    """Cumulative cost by month: median line, 5th to 95th percentile as a band, break-even of the medians marked."""
    figure, money = go.Figure(), scenario.words["currency"]
    for name, result in outcome.results.items():
        months = list(range(len(result.months["p50"])))
        color = APPROACH_COLORS[name]
        figure.add_scatter(
            x=months + months[::-1],
            y=result.months["p95"] + result.months["p5"][::-1],
            fill="toself",
            fillcolor=_faint(color),
            line={"width": 0},
            hoverinfo="skip",
            showlegend=False,
            legendgroup=name,
        )
        figure.add_scatter(
            x=months,
            y=result.months["p50"],
            name=APPROACH_NAMES[name],
            legendgroup=name,
            mode="lines",
            line={"color": color, "dash": APPROACH_DASHES[name], "width": 3},
            hovertemplate=f"month %{{x}}: %{{y:,.3s}} {money}<extra>{APPROACH_NAMES[name]}</extra>",
        )
    for month, amount, text in _median_crossings(outcome.results):
        figure.add_scatter(
            x=[month],
            y=[amount],
            mode="markers+text",
            marker={"symbol": "x", "size": 11, "color": GREY},
            text=[f"{month:.1f} months"],
            textposition="top center",
            showlegend=False,
            hovertemplate=f"{text}: month %{{x:.1f}}, %{{y:,.3s}} {money}<extra></extra>",
        )
    if budget := _budget(scenario):
        figure.add_hline(y=budget, line=TARGET, annotation_text=f"budget {short(budget)} {money}")
    figure.update_xaxes(title="months after launch")
    figure.update_yaxes(title=f"cumulative cost, {money}", rangemode="tozero")
    totals = [f"{APPROACH_NAMES[name]} {result.total['p50']:,.0f}" for name, result in outcome.results.items()]
    return _said(figure, f"Cumulative cost in {scenario.words['currency']}, medians at the end: {', '.join(totals)}.")


def cost_by_part(scenario: Scenario, outcome: Outcome) -> go.Figure:
    """Mean cost a query, stacked by part, one bar an approach."""
    results = outcome.results
    parts = list(dict.fromkeys(part for result in results.values() for part in result.parts))
    asked = all(result.per_query is not None for result in results.values())
    unit = f"{scenario.words['currency']} {'a query' if asked else 'in all (no queries)'}"
    figure = go.Figure()
    for at, part in enumerate(parts):
        figure.add_bar(
            y=[APPROACH_NAMES[name] for name in results],
            x=[result.parts.get(part, 0.0) for result in results.values()],
            orientation="h",
            name=part,
            marker=_bar(at),
            hovertemplate=f"{part}: %{{x:,.3~g}} {unit}<extra>%{{y}}</extra>",
        )
    figure.update_layout(barmode="stack")
    figure.update_xaxes(title=f"{unit}, mean")
    sums = [f"{APPROACH_NAMES[name]} {sum(result.parts.values()):.3g}" for name, result in results.items()]
    return _said(figure, f"Mean cost a query by part; sums: {', '.join(sums)}.", height=440)


def tornado(scenario: Scenario, middle: float, bars: Sequence[Bar], what: str) -> go.Figure:
    """Which range moves `what` most: one bar an input from its low to its high end."""
    shown, money = list(reversed(bars)), scenario.words["currency"]
    figure = go.Figure()
    for end, color, hatch in (("low", PART_COLORS[3], ""), ("high", PART_COLORS[4], "/")):
        figure.add_bar(
            y=[every()[bar.name].label for bar in shown],
            x=[getattr(bar, end) - middle for bar in shown],
            base=middle,
            orientation="h",
            name=f"{end} end of the range",
            marker={
                "color": color,
                "pattern": {"shape": hatch, "fillmode": "overlay", "fgcolor": "white", "solidity": 0.2},
            },
            customdata=[[_value(scenario, bar.name, end), getattr(bar, end)] for bar in shown],
            hovertemplate="%{y} at %{customdata[0]}: %{customdata[1]:,.3s} " + money + "<extra></extra>",
        )
    figure.add_vline(x=middle, line={"color": GREY, "dash": "dot"})
    figure.update_layout(barmode="overlay")
    figure.update_xaxes(title=f"{what}, {money}")
    names = [every()[bar.name].label for bar in bars[:3]]
    return _said(figure, f"Tornado of {what}; widest: {', '.join(names)}.", height=160 + 28 * len(bars))


def recommendation_map(found: Map, scenario: Scenario) -> go.Figure:
    """The recommended approach over two inputs, with the share of draws in which it is the cheapest eligible one."""
    kinds, (x, y) = [*APPROACHES, NONE_MEETS], (every()[found.x_name], every()[found.y_name])
    colors = [*(APPROACH_COLORS[name] for name in APPROACHES), "#C9CDD2"]
    scale = [[(at + edge) / len(kinds), color] for at, color in enumerate(colors) for edge in (0, 1)]
    figure = go.Figure(
        go.Heatmap(
            x=[short(value) for value in found.x],
            y=[short(value) for value in found.y],
            z=[[kinds.index(name) for name in row] for row in found.winner],
            zmin=-0.5,
            zmax=len(kinds) - 0.5,
            colorscale=scale,
            text=[[f"{share:.0%}" if share else "" for share in row] for row in found.share],
            texttemplate="%{text}",
            textfont={"size": 9},
            colorbar={
                "tickvals": list(range(len(kinds))),
                "ticktext": [*(APPROACH_NAMES[name] for name in APPROACHES), "None meets every target"],
            },
            customdata=[[APPROACH_NAMES.get(name, name) for name in row] for row in found.winner],
            hovertemplate=f"{x.label} %{{x}} {x.unit}<br>{y.label} %{{y}} {y.unit}<br>%{{customdata}}, the cheapest "
            "in %{text} of draws<extra></extra>",
        )
    )
    here = [_place(grid, middle(name, scenario.ranges[name])) for name, grid in ((x.name, found.x), (y.name, found.y))]
    figure.add_annotation(x=here[0], y=here[1], text="<b>you are here</b>", **HERE)
    figure.update_xaxes(title=f"{x.label} ({x.unit})", type="category", nticks=8)
    figure.update_yaxes(title=f"{y.label} ({y.unit})", type="category", nticks=8)
    seen = [APPROACH_NAMES.get(name, name) for name in dict.fromkeys(name for row in found.winner for name in row)]
    return _said(figure, f"Recommended approach over {x.label} and {y.label}: {', '.join(seen)} occur.", height=520)


def latency(scenario: Scenario, outcome: Outcome) -> go.Figure:
    """Mean latency by part, with p50, p95 and p99 of requests (median draw) and the target; D2's ranges beside."""
    results = outcome.results
    names = [APPROACH_NAMES[name] for name in results]
    parts = list(dict.fromkeys(part for result in results.values() for part in result.latency_parts))
    figure = go.Figure()
    for at, part in enumerate(parts):
        figure.add_bar(
            y=names,
            x=[result.latency_parts.get(part, 0.0) for result in results.values()],
            orientation="h",
            name=part,
            marker=_bar(at),
            hovertemplate=f"{part}: %{{x:,.0f}} ms<extra>%{{y}}</extra>",
        )
    first = scenario.words["latency_measure"] == "ttft"
    measure = {name: (result.ttft if first else result.latency) for name, result in results.items()}
    for rank, symbol in (("p50", "line-ns-open"), ("p95", "diamond"), ("p99", "x")):
        figure.add_scatter(
            y=names,
            x=[measure[name][rank] for name in results],
            mode="markers",
            name=f"{rank} {'TTFT' if first else 'total'}",
            marker={"symbol": symbol, "size": 12, "color": GREY, "line": {"width": 2}},
            hovertemplate=f"{rank} of requests: %{{x:,.0f}} ms<extra>%{{y}}</extra>",
            error_x=_p95_range(results, measure) if rank == "p95" else None,
        )
    for name in ("fine-tuning", "retrieval"):
        low, high = figures.get(f"D2.latency.{name}").range
        if name in results:
            figure.add_scatter(
                y=[APPROACH_NAMES[name]] * 2,
                x=[low, high],
                mode="lines",
                line={"color": GREY, "width": 4},
                name="D2's total (no output length stated)",
                legendgroup="D2",
                showlegend=name == "retrieval",
                hovertemplate=f"D2: {low:.0f} to {high:.0f} ms<extra></extra>",
            )
    target = scenario.number("latency_target")
    figure.add_vline(x=target, line=TARGET, annotation_text=f"target {target:,.0f} ms")
    figure.update_layout(barmode="stack")
    figure.update_xaxes(title="ms; bars: means of the parts; marks: requests in the median draw, p95 with its range")
    said = [f"{APPROACH_NAMES[name]} {values['p95']:,.0f} ms" for name, values in measure.items()]
    return _said(figure, f"Latency, p95: {', '.join(said)}; target {target:,.0f} ms.", height=420)


def _p95_range(results: Mapping[str, Result], measure: Mapping[str, Mapping[str, float]]) -> dict[str, Any]:
    """How uncertain the p95 is: 5 to 95 % of draws."""
    ranges = [(measure[name]["p95"], one.latency_range) for name, one in results.items()]
    return {
        "type": "data",
        "symmetric": False,
        "array": [max(0.0, one["p95"] - at) for at, one in ranges],
        "arrayminus": [max(0.0, at - one["p5"]) for at, one in ranges],
        "color": GREY,
        "thickness": 1,
    }


def accuracy_over_time(scenario: Scenario, months: Sequence[float], curves: Mapping[str, Sequence[float]]) -> go.Figure:
    """Accuracy by month: fine-tuning falls between retrains, the others follow a change."""
    figure = go.Figure()
    for name, values in curves.items():
        figure.add_scatter(
            x=months,
            y=values,
            name=APPROACH_NAMES[name],
            mode="lines",
            line={"color": APPROACH_COLORS[name], "dash": APPROACH_DASHES[name], "width": 3},
            hovertemplate="month %{x:.1f}: %{y:.1f} %<extra>" + APPROACH_NAMES[name] + "</extra>",
        )
    target = scenario.number("accuracy_target")
    figure.add_hline(y=target, line=TARGET, annotation_text=f"target {target:g} %")
    figure.update_xaxes(title="months after launch; every input at the middle of its range")
    figure.update_yaxes(title="accuracy, %")
    ends = [f"{APPROACH_NAMES[name]} {min(values):.1f} to {max(values):.1f} %" for name, values in curves.items()]
    return _said(figure, f"Accuracy over time: {', '.join(ends)}; target {target:g} %.")


def trade_off(scenario: Scenario, outcome: Outcome) -> go.Figure:
    """Cost against p95 latency, accuracy as size and label; what another approach beats in all three is grey."""
    beaten, money = dominated(outcome.results), scenario.words["currency"]
    figure = go.Figure()
    for name, result in outcome.results.items():
        figure.add_scatter(
            x=[result.total["p50"]],
            y=[result.latency["p95"]],
            name=APPROACH_NAMES[name] + (" (dominated)" if name in beaten else ""),
            mode="markers+text",
            text=[f"{APPROACH_NAMES[name]}, {result.accuracy['p50']:.1f} %"],
            textposition="top center",
            marker={
                "symbol": APPROACH_SYMBOLS[name],
                "size": 10 + max(0.0, result.accuracy["p50"] - 50) / 2,
                "color": GREY if name in beaten else APPROACH_COLORS[name],
                "opacity": 0.5 if name in beaten else 1.0,
            },
            error_x={
                "type": "data",
                "symmetric": False,
                "array": [result.total["p95"] - result.total["p50"]],
                "arrayminus": [result.total["p50"] - result.total["p5"]],
                "color": GREY,
            },
            hovertemplate=f"%{{x:,.3s}} {money}, p95 %{{y:,.0f}} ms, {result.accuracy['p50']:.1f} % right"
            f"<extra>{APPROACH_NAMES[name]}</extra>",
        )
    target = scenario.number("latency_target")
    figure.add_hline(y=target, line=TARGET, annotation_text=f"target {target:,.0f} ms")
    if budget := _budget(scenario):
        figure.add_vline(x=budget, line=TARGET, annotation_text=f"budget {short(budget)} {money}")
    figure.update_xaxes(title=f"total cost, {money} (median, 5th to 95th percentile)", rangemode="tozero")
    figure.update_yaxes(title="p95 latency, ms", rangemode="tozero")
    kept = [APPROACH_NAMES[name] for name in outcome.results if name not in beaten]
    return _said(figure, f"Cost against latency and accuracy; not dominated: {', '.join(kept)}.", height=440)


def dominated(results: Mapping[str, Result]) -> set[str]:
    """Approaches that another one beats or equals in median cost, p95 latency and median accuracy, and beats in one."""

    def key(name: str) -> tuple[float, float, float]:
        result = results[name]
        return result.total["p50"], result.latency["p95"], -result.accuracy["p50"]

    return {
        one
        for one in results
        for other in results
        if key(other) != key(one) and all(a <= b for a, b in zip(key(other), key(one), strict=True))
    }


def break_even(crossings: Sequence[Crossing]) -> go.Figure:
    """Break-even volumes as intervals on a log axis, one row a pair that has one."""
    figure = go.Figure()
    rows = [one for one in crossings if one.queries]
    for one in rows:
        values = one.queries or {}
        row = f"{APPROACH_NAMES[one.first]} / {APPROACH_NAMES[one.second]}"
        figure.add_scatter(
            x=[values["p5"], values["p50"], values["p95"]],
            y=[row] * 3,
            mode="lines+markers",
            line={"color": GREY, "width": 5},
            marker={"symbol": ["line-ns-open", "circle", "line-ns-open"], "size": 12, "color": GREY},
            showlegend=False,
            hovertemplate="%{x:,.3s} queries a month<extra></extra>",
        )
    figure.update_xaxes(
        type="log", title="queries a month at first, growing as set<br>median, and where 90 % of the draws lie"
    )
    said = "; ".join(f"{one.first} and {one.second} {(one.queries or {})['p50']:,.0f}" for one in rows)
    return _said(figure, f"Break-even volumes: {said or 'none'}.", height=160 + 44 * len(rows))


def _said(figure: go.Figure, text: str, height: int = 400) -> go.Figure:
    finish(figure, height=height)
    figure.update_layout(meta={"alt": text})
    return figure


def _median_crossings(results: Mapping[str, Result]) -> list[tuple[float, float, str]]:
    """(month, amount, text) where two median lines first cross."""
    found = []
    names = list(results)
    for at, one in enumerate(names):
        for other in names[at + 1 :]:
            a, b = results[one].months["p50"], results[other].months["p50"]
            for month in range(1, len(a)):
                before, now = a[month - 1] - b[month - 1], a[month] - b[month]
                if before * now < 0:
                    part = before / (before - now)
                    amount = a[month - 1] + part * (a[month] - a[month - 1])
                    text = f"{APPROACH_NAMES[one]} and {APPROACH_NAMES[other]} cost the same"
                    found.append((month - 1 + part, amount, text))
                    break
    return found


def _value(scenario: Scenario, name: str, end: str) -> str:
    value = scenario.ranges[name][0 if end == "low" else 1]
    return f"{short(value)} {every()[name].unit}"


def _bar(at: int) -> dict[str, Any]:
    """Colour and hatch of the part at this place: neighbours differ in both, so grey print can be read."""
    hatch = {
        "shape": HATCHES[at % len(HATCHES)],
        "fillmode": "overlay",
        "fgcolor": "white",
        "solidity": 0.2,
        "size": 10,
    }
    return {"color": PART_COLORS[at % len(PART_COLORS)], "pattern": hatch}


def _budget(scenario: Scenario) -> float:
    """The limit of the total cost in the scenario's currency; 0: none."""
    return scenario.number("budget_total") * scenario.number("exchange_rate")


def _place(grid: Sequence[float], value: float) -> float:
    """Where a value lies on an axis of categories: 0 at the first, a fraction between two."""
    return float(np.interp(value, grid, range(len(grid))))


def _faint(color: str) -> str:
    red, green, blue = (int(color[at : at + 2], 16) for at in (1, 3, 5))
    return f"rgba({red},{green},{blue},0.15)"
