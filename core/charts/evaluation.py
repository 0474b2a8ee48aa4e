"""Charts of an evaluation's report. Data in, Plotly figure out; knows nothing of the page."""

from collections.abc import Sequence
from typing import Any, Protocol

import plotly.graph_objects as go

from core.evaluation.records import Report
from core.text import one_line
from core.theme import GREY, PART_COLORS, arm_color, finish

SYMBOLS = ("circle", "diamond", "square", "triangle-up", "x", "star", "cross")
EFFECT_COLORS = (PART_COLORS[4], PART_COLORS[2], PART_COLORS[0])
EFFECTS = (("fine_tune", "Fine-tuning"), ("retrieval", "Retrieval"), ("interaction", "Both together"))


def accuracy_chart(report: Report) -> go.Figure:
    """Accuracy by class, one mark an arm, with its 95 % interval."""
    figure = go.Figure()
    for place, (arm, found) in enumerate(report.arms.items()):
        classes = found.classes
        scores = list(classes.values())
        figure.add_scatter(
            x=[score.accuracy for score in scores],
            y=[label(cls) for cls in classes],
            name=label(report.titles[arm]),
            mode="markers",
            orientation="h",  # grouped along the classes
            marker={"color": arm_color(place), "symbol": SYMBOLS[place % len(SYMBOLS)], "size": 10},
            error_x=error_bars([(score.accuracy, score) for score in scores]),
            hovertemplate=label(report.titles[arm]) + ", %{y}: %{x:.1%}<extra></extra>",
        )
    figure.update_layout(scattermode="group")
    figure.update_xaxes(title="answers right, with 95 % interval", tickformat=".0%", range=[-0.02, 1.02])
    figure.update_yaxes(autorange="reversed")
    rows = max((len(found.classes) for found in report.arms.values()), default=1)
    return finish(figure, height=150 + rows * (24 + 14 * len(report.arms)))


def effects_chart(report: Report) -> go.Figure:
    """The effect split by class: points gained, with 95 % intervals; grey where there are too few questions to tell."""
    figure = go.Figure()
    for place, (key, name) in enumerate(EFFECTS):
        gaps = [getattr(split, key) for split in report.effects.values()]
        settled = [gap.verdict in ("gain", "loss") for gap in gaps]
        look = {"color": EFFECT_COLORS[place], "symbol": SYMBOLS[place], "size": 11}
        legend = [label(cls) for cls in report.effects][:1]
        figure.add_scatter(x=[None], y=legend, name=name, mode="markers", orientation="h", marker=look)
        figure.add_scatter(
            x=[100 * gap.difference for gap in gaps],
            y=[label(cls) for cls in report.effects],
            name=name,
            mode="markers",
            orientation="h",  # grouped along the classes
            marker=look | {"color": [EFFECT_COLORS[place] if clear else GREY for clear in settled]},
            offsetgroup=key,
            showlegend=False,
            error_x=error_bars([(gap.difference, gap) for gap in gaps], 100) | {"color": GREY},
            text=[gap.verdict for gap in gaps],
            hovertemplate=name + ", %{y}: %{x:+.1f} points, %{text}<extra></extra>",
        )
    figure.add_vline(x=0, line={"color": GREY, "dash": "dot"})
    figure.update_layout(scattermode="group")
    figure.update_xaxes(title="points gained over the base")
    figure.update_yaxes(autorange="reversed", type="category")
    return finish(figure, height=170 + 48 * len(report.effects))


def causes_chart(report: Report) -> go.Figure:
    """Wrong answers by arm, stacked by cause."""
    arms = list(report.arms)
    causes = dict.fromkeys(cause for found in report.arms.values() for cause in found.causes)
    figure = go.Figure()
    colors, patterns = PART_COLORS, ("", "/", ".", "x", "\\", "-", "+", "|", "", "/")
    for place, cause in enumerate(causes):
        figure.add_bar(
            y=[label(report.titles[arm]) for arm in arms],
            x=[report.arms[arm].causes.get(cause, 0) for arm in arms],
            name=cause,
            orientation="h",
            marker={"color": colors[place % len(colors)], "pattern": {"shape": patterns[place % len(patterns)]}},
            hovertemplate="%{y}: %{x} wrong answers, " + cause + "<extra></extra>",
        )
    figure.update_layout(barmode="stack")
    figure.update_xaxes(title="wrong answers", rangemode="tozero")
    figure.update_yaxes(autorange="reversed")
    figure = finish(figure, height=180 + 34 * len(arms) + 22 * len(causes))
    return figure.update_layout(
        legend={"orientation": "h", "yanchor": "top", "y": -0.35, "x": 0}, margin={"l": 8, "r": 8, "t": 20, "b": 8}
    )


def label(text: str) -> str:
    """A user's class name as Plotly may draw it: Plotly takes tags for markup."""
    return one_line(text, 40).replace("<", "‹").replace(">", "›").replace("&", "+")


class Interval(Protocol):
    """What has two bounds."""

    @property
    def low(self) -> float: ...
    @property
    def high(self) -> float: ...


def error_bars(scores: Sequence[tuple[float, Interval]], times: float = 1.0) -> dict[str, Any]:
    """From each value to the bounds of its interval, all multiplied by `times`."""
    return {
        "type": "data",
        "symmetric": False,
        "array": [times * (score.high - middle) for middle, score in scores],
        "arrayminus": [times * (middle - score.low) for middle, score in scores],
        "thickness": 1.2,
        "width": 3,
    }
