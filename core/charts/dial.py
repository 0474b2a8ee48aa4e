"""The chart of the wrong-corpus dial. Data in, Plotly figure out; knows nothing of the page."""

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from core.charts.evaluation import SYMBOLS, label
from core.evaluation.records import Report
from core.theme import arm_color, finish

PANELS = (("accuracy", "right"), ("abstained", "declined"))


def dial_chart(report: Report) -> go.Figure:
    """Right and declined answers of each arm over the share of wrong passages, with 95 % intervals."""
    figure = make_subplots(1, 2, subplot_titles=[f"{said} answers" for _, said in PANELS], shared_yaxes=True)
    for place, arm in enumerate(dict.fromkeys(point.arm for point in report.dial)):
        own, title = [point for point in report.dial if point.arm == arm], label(report.titles.get(arm, arm))
        for column, (name, said) in enumerate(PANELS, 1):
            shares = [getattr(point, name) for point in own]
            figure.add_scatter(
                row=1,
                col=column,
                x=[point.wrong for point in own],
                y=[share.accuracy for share in shares],
                name=title,
                legendgroup=arm,
                showlegend=column == 1,
                mode="lines+markers",
                marker={"color": arm_color(place), "symbol": SYMBOLS[place % len(SYMBOLS)], "size": 9},
                line={"color": arm_color(place)},
                error_y={
                    "type": "data",
                    "symmetric": False,
                    "array": [share.high - share.accuracy for share in shares],
                    "arrayminus": [share.accuracy - share.low for share in shares],
                    "thickness": 1.2,
                    "width": 3,
                },
                hovertemplate=title + f": %{{y:.0%}} {said} at %{{x:.0%}} wrong<extra></extra>",
            )
    figure.update_xaxes(title="near misses", tickformat=".0%", range=[-0.05, 1.05])
    figure.update_yaxes(tickformat=".0%", range=[0, 1.02])
    figure = finish(figure, height=400)
    below = {"orientation": "h", "yanchor": "top", "y": -0.22, "x": 0}  # above are the titles
    return figure.update_layout(legend=below)
