"""The overview's charts: ranges, and what was measured. Data in, Plotly figure out."""

from collections.abc import Sequence

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from core.charts.evaluation import error_bars
from core.overview import Measured, Range, arm_words
from core.theme import APPROACH_COLORS, APPROACH_NAMES, APPROACH_SYMBOLS, PART_COLORS, finish

SHOWN = ("static", "changed", "no-document")  # classes of the measured chart, from the top
PAIR_LOOKS = ((PART_COLORS[2], "diamond"), (PART_COLORS[4], "circle"))


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


def measured_chart(found: Sequence[Measured]) -> go.Figure:
    """What each pair had right, one panel a class of questions, one line an arm, with 95 % intervals."""
    figure = make_subplots(rows=len(SHOWN), shared_xaxes=True, subplot_titles=SHOWN, vertical_spacing=0.09)
    for pair, (color, symbol) in zip(found, PAIR_LOOKS, strict=False):
        name = f"{pair.pair.capitalize()} pair"
        for row, cls in enumerate(SHOWN, 1):
            shares = [share for share in pair.shares if share.cls == cls]
            figure.add_scatter(
                x=[share.accuracy for share in shares],
                y=[arm_words(share.arm) for share in shares],
                name=name,
                legendgroup=name,
                showlegend=row == 1,
                offsetgroup=name,
                mode="markers",
                orientation="h",  # grouped along the arms
                marker={"color": color, "symbol": symbol, "size": 10},
                error_x=error_bars([(share.accuracy, share) for share in shares]),
                hovertemplate=f"{name}, %{{y}}, {cls}: %{{x:.0%}}<extra></extra>",
                row=row,
                col=1,
            )
    figure.update_layout(scattermode="group")
    figure.update_xaxes(tickformat=".0%", range=[-0.02, 1.02])
    figure.update_xaxes(title="answers right, with 95 % interval", row=len(SHOWN))
    figure.update_yaxes(autorange="reversed")
    # Two lines of legend on a telephone, above the first panel's title.
    return finish(figure, height=600).update_layout(margin_t=96, legend_y=1.07)
