"""The heat map of a sweep. Data in, Plotly figure out; knows nothing of the page."""

from typing import Any

import plotly.graph_objects as go

from core.charts.evaluation import label
from core.evaluation.sweeps import AXES, Scored, Sweep
from core.theme import SEQUENTIAL, finish

TITLES = {
    "k": "top-k",
    "mode": "mode",
    "weight": "share of the vectors",
    "threshold": "threshold",
    "splitter": "splitter",
    "chunk_size": "chunk size, tokens",
    "embedder": "embedder",
}


def varied(found: Sweep) -> list[str]:
    """The axes along which the settings differ, the one with most values first."""
    counts = {axis: len({getattr(one.setting, axis) for one in found.scored}) for axis in AXES}
    return sorted((axis for axis in AXES if counts[axis] > 1), key=lambda axis: -counts[axis])


def heat_map(found: Sweep, across: str, down: str) -> go.Figure:
    """The measure by two axes; of several settings in one cell the best. The cells of note say what they are."""
    cells: dict[tuple[Any, Any], Scored] = {}
    for one in found.scored:  # best first
        cells.setdefault((getattr(one.setting, across), getattr(one.setting, down)), one)
    columns, rows = sorted({place[0] for place in cells}), sorted({place[1] for place in cells})
    grid = [[cells.get((column, row)) for column in columns] for row in rows]
    figure = go.Figure(
        go.Heatmap(
            x=[_name(column) for column in columns],
            y=[_name(row) for row in rows],
            z=[[None if one is None else one.value(found.measure) for one in line] for line in grid],
            text=[["" if one is None else _text(one, found) for one in line] for line in grid],
            customdata=[["" if one is None else _hover(one) for one in line] for line in grid],
            texttemplate="%{text}",
            hovertemplate="%{customdata}<extra></extra>",
            colorscale=list(SEQUENTIAL),
            colorbar={"tickformat": ".0%", "title": {"text": "hit@k" if found.measure == "hit" else "MRR"}},
            xgap=2,
            ygap=2,
        )
    )
    figure.update_xaxes(title=TITLES[across], type="category", showgrid=False)
    figure.update_yaxes(title=TITLES[down], type="category", showgrid=False)
    return finish(figure, height=150 + 72 * len(rows))


def _name(value: object) -> str:
    """A value of an axis as Plotly may draw it; no embedder named is the project's own."""
    return label(str(value)) or "the project's own"


def _text(one: Scored, found: Sweep) -> str:
    """A cell's share, and what it is: the two that the sweep names, and the present setting."""
    names = [
        name
        for name, other in (("best", found.best), ("cheapest", found.cheapest), ("now", found.present))
        if other is not None and other.setting == one.setting
    ]
    return "<br>".join([f"{one.value(found.measure):.0%}", *names])


def _hover(one: Scored) -> str:
    return (
        f"{one.setting.title}<br>hit@k {one.hit.accuracy:.1%} ({one.hit.low:.0%} to {one.hit.high:.0%})<br>"
        f"MRR {one.mrr[1]:.2f} ({one.mrr[0]:.2f} to {one.mrr[2]:.2f})<br>{one.tokens:.0f} tokens of passages"
    )
