"""Charts of advisor and compare page: functions from data to a figure. They decide nothing."""

from collections.abc import Mapping

import plotly.graph_objects as go

from core import theme
from core.advisor.score import VERDICTS, Advice
from core.advisor.tables import VERDICT_NAMES
from core.evidence.handbook import Pipeline

NAMES = VERDICT_NAMES
COLORS = {**theme.APPROACH_COLORS, "undecided": theme.GREY, "none": theme.GREY}
PATTERNS = dict(zip(VERDICTS, ("", "/", "x", ".", "-", "|"), strict=True))  # beside colour, for grey prints
BOX, GAP = 1.0, 0.45  # heights of a step and of the arrow below it


def scores(advice: Advice) -> go.Figure:
    """Points of the four approaches; what a hard constraint excludes is hatched and says so."""
    names = list(reversed(advice.scores))
    out = [name in advice.excluded for name in names]
    points = [f"{advice.scores[name]:+.2f}{', ruled out' * gone}" for name, gone in zip(names, out, strict=True)]
    figure = go.Figure(
        go.Bar(
            orientation="h",
            y=[f"{NAMES[name]}<br>{words}" for name, words in zip(names, points, strict=True)],
            x=[advice.scores[name] for name in names],
            marker={
                "color": [theme.GREY if gone else COLORS[name] for name, gone in zip(names, out, strict=True)],
                "pattern": {"shape": ["/" if gone else "" for gone in out]},
            },
            hoverinfo="skip",
        )
    )
    figure.update_xaxes(title="points (prompt only is zero)", zeroline=True)
    return theme.finish(figure, height=260)


def sensitivity(shares: Mapping[float, Mapping[str, float]]) -> go.Figure:
    """How often each verdict wins when all weights vary: spread -> verdict -> share."""
    labels = [f"±{spread:.0%}" for spread in shares]
    figure = go.Figure()
    for verdict in VERDICTS:
        values = [100 * each[verdict] for each in shares.values()]
        if any(values):
            marker = {
                "color": COLORS[verdict],
                "pattern": {"shape": PATTERNS[verdict], "fillmode": "overlay", "solidity": 0.1},
            }
            figure.add_bar(
                x=labels,
                y=values,
                name=NAMES[verdict],
                marker=marker,
                texttemplate="%{y:.0f}",
                hovertemplate=f"{NAMES[verdict]}: %{{y:.0f}} % of draws<extra></extra>",
            )
    figure.update_layout(barmode="stack")
    figure.update_xaxes(title="every weight varied by up to")
    figure.update_yaxes(title="% of draws", range=[0, 100])
    return theme.finish(figure, height=330)


def pipeline(one: Pipeline) -> go.Figure:
    """The steps from question to answer as boxes, top to bottom."""
    figure = go.Figure()
    color = COLORS[one.approach]
    for number, step in enumerate(one.steps):
        top = -number * (BOX + GAP)
        figure.add_shape(type="rect", x0=0, x1=1, y0=top - BOX, y1=top, line={"color": color, "width": 2})
        figure.add_annotation(x=0.5, y=top - BOX / 2, text=_wrapped(step), showarrow=False)
        if number:
            figure.add_annotation(
                x=0.5, y=top, ax=0.5, ay=top + GAP, axref="x", ayref="y", showarrow=True, arrowhead=2, arrowcolor=color
            )
    figure.update_xaxes(visible=False, range=[-0.02, 1.02], fixedrange=True)
    figure.update_yaxes(visible=False, range=[-6 * (BOX + GAP) + GAP, 0.1], fixedrange=True)
    return theme.finish(figure, height=430)


def _wrapped(text: str, width: int = 26) -> str:
    lines = [""]
    for word in text.split():
        if lines[-1] and len(lines[-1]) + len(word) >= width:
            lines.append(word)
        else:
            lines[-1] = f"{lines[-1]} {word}".strip()
    return "<br>".join(lines)
