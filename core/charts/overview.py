"""Range charts for the overview. Data in, Plotly figure out."""

from collections.abc import Sequence

import plotly.graph_objects as go

from core.overview import Range
from core.theme import APPROACH_COLORS, APPROACH_NAMES, APPROACH_SYMBOLS, finish


def range_chart(ranges: Sequence[Range], title: str) -> go.Figure:
    """Each range as a line between its two ends; colour and mark tell the approach."""
    figure = go.Figure()
    seen: set[str] = set()
    labels = list(dict.fromkeys(one.label for one in ranges))
    for one in ranges:
        name = APPROACH_NAMES[one.approach]
        row = labels.index(one.label) + (0.16 if one.approach == "fine-tuning" else -0.16)
        figure.add_scatter(
            x=[one.low, one.high],
            y=[row, row],
            mode="lines+markers+text",
            name=name,
            legendgroup=name,
            showlegend=name not in seen,
            text=[f"{one.low:g} ", f" {one.high:g}"],
            textposition=["middle left", "middle right"],
            cliponaxis=False,
            line={"color": APPROACH_COLORS[one.approach], "width": 6},
            marker={"symbol": APPROACH_SYMBOLS[one.approach], "size": 12, "color": APPROACH_COLORS[one.approach]},
            hovertemplate=f"{name}, {one.label}: {one.low:g} to {one.high:g} {one.unit} [{one.source}]<extra></extra>",
        )
        seen.add(name)
    low, high = min(one.low for one in ranges), max(one.high for one in ranges)
    margin = 0.12 * (high - low)
    figure.update_xaxes(title=ranges[0].unit, range=[low - margin, high + margin])
    figure.update_yaxes(tickvals=list(range(len(labels))), ticktext=labels, range=[len(labels) - 0.4, -0.6])
    return finish(figure, title=title, height=140 + 90 * len(labels))
