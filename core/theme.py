"""The one place for colours, marks and names in charts. Streamlit's own look lies in .streamlit/config.toml."""

import plotly.graph_objects as go

from core.approaches import APPROACHES, NAMES

# Okabe and Ito's palette: told apart with every common kind of colour blindness.
PALETTE = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00")
GREY = "#8A8F98"
SEQUENTIAL = ("#EAF3FA", "#86BAE0", "#0072B2")  # little to much, as chartSequentialColors in .streamlit/config.toml

APPROACH_NAMES = {name: words.capitalize() for name, words in NAMES.items()}
APPROACH_COLORS = dict(zip(APPROACHES, ("#56B4E9", "#0072B2", "#E69F00", "#009E73"), strict=True))
# A second channel beside colour, so that charts read in grey print too.
APPROACH_DASHES = dict(zip(APPROACHES, ("dot", "solid", "dash", "dashdot"), strict=True))
APPROACH_SYMBOLS = dict(zip(APPROACHES, ("diamond", "circle", "square", "triangle-up"), strict=True))

# Of what something consists (parts of a cost or of a time, causes): none of them is an approach's or stands for one.
PART_COLORS = ("#882255", "#E79F97", "#8C6D46", "#B8A93A", "#6F4E9C", "#5B6470", "#C4BCB0")
LIMIT = "#B03A2E"  # targets and budgets, always dashed

ARM_COLORS = ("#56B4E9", "#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#8A8F98", "#000000")


TOOLS = 36  # pixels at the right for Plotly's tools


def arm_color(place: int) -> str:
    """The colour of a project's arm by its place among them."""
    return ARM_COLORS[place % len(ARM_COLORS)]


def finish(figure: go.Figure, *, title: str | None = None, height: int = 360) -> go.Figure:
    """Give `figure` the house look: no background of its own (so light and dark both work), legend above, as drawn."""
    scaled = any(trace.type == "heatmap" for trace in figure.data)
    figure.update_layout(
        title={"text": title, "y": 0.98, "yanchor": "top"} if title else None,
        height=height,
        margin={"l": 8, "r": 8 if scaled else TOOLS, "t": 76 if title else 44, "b": 8},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        legend={"orientation": "h", "yanchor": "bottom", "y": 1.02, "x": 0, "traceorder": "normal"},
        colorway=list(PALETTE),
        # Beside the drawing: across the top the tools hid the legend. A colour scale has that side, and no legend.
        modebar={"orientation": "h" if scaled else "v", "bgcolor": "rgba(0,0,0,0)"},
    )
    return figure


def enlarge(figure: go.Figure, size: int = 20) -> go.Figure:
    """Type of `size` pixels for the last row of a room, with room for it."""
    figure.update_layout(font_size=size, legend_font_size=size, title_font_size=size + 4)
    figure.update_layout(height=int(1.35 * (figure.layout.height or 360)), margin_t=96)
    for axes in (figure.update_xaxes, figure.update_yaxes):
        axes(tickfont_size=size, title_font_size=size)
    figure.for_each_trace(lambda trace: trace.update(textfont_size=size), selector={"type": "scatter"})
    figure.for_each_trace(lambda trace: trace.update(textfont_size=size), selector={"type": "bar"})
    return figure
