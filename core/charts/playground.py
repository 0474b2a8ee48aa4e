"""Charts of one run. Data in, Plotly figure out; knows nothing of the page."""

from collections.abc import Sequence

import plotly.graph_objects as go

from core.charts.evaluation import label
from core.records import ArmRecord
from core.theme import PART_COLORS, finish

PARTS = (
    ("embed", "Embed", PART_COLORS[1], ""),
    ("search", "Search", PART_COLORS[2], "/"),
    ("queue", "Queue", PART_COLORS[5], "."),
    ("prefill", "Prefill", PART_COLORS[4], ""),
    ("decode", "Decode", PART_COLORS[3], "\\"),
)


def latency_chart(arms: Sequence[ArmRecord]) -> go.Figure:
    """Milliseconds of each arm, stacked by part; arms without a result are left out."""
    timed = [arm for arm in arms if arm.timing.total is not None]
    figure = go.Figure()
    for key, name, color, pattern in PARTS:
        figure.add_bar(
            y=[label(arm.title) for arm in timed],
            x=[getattr(arm.timing, key) or 0.0 for arm in timed],
            name=name,
            orientation="h",
            marker={"color": color, "pattern": {"shape": pattern}},
            hovertemplate="%{y}: " + name + " %{x:.0f} ms<extra></extra>",
        )
    figure.update_layout(barmode="stack")
    figure.update_xaxes(title="ms", rangemode="tozero")
    figure.update_yaxes(autorange="reversed")
    return finish(figure, height=300)
