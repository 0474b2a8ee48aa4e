"""The one place for colours, marks and names in charts. Streamlit's own look lies in .streamlit/config.toml."""

import plotly.graph_objects as go

from core.approaches import APPROACHES, NAMES

# Okabe and Ito's palette: told apart with every common kind of colour blindness.
PALETTE = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00")
GREY = "#8A8F98"

APPROACH_NAMES = {name: words.capitalize() for name, words in NAMES.items()}
APPROACH_COLORS = dict(zip(APPROACHES, ("#56B4E9", "#0072B2", "#E69F00", "#009E73"), strict=True))
# A second channel beside colour, so that charts read in grey print too.
APPROACH_DASHES = dict(zip(APPROACHES, ("dot", "solid", "dash", "dashdot"), strict=True))
APPROACH_SYMBOLS = dict(zip(APPROACHES, ("diamond", "circle", "square", "triangle-up"), strict=True))

ARM_NAMES = {
    "base": "Base",
    "base+retrieval": "Base + retrieval",
    "fine-tuned": "Fine-tuned",
    "fine-tuned+retrieval": "Fine-tuned + retrieval",
    "base+pinned": "Base + pinned text",
    "base+perfect": "Base + the right passages",
    "fine-tuned+perfect": "Fine-tuned + the right passages",
}
ARM_COLORS = {
    "base": "#56B4E9",
    "base+retrieval": "#0072B2",
    "fine-tuned": "#E69F00",
    "fine-tuned+retrieval": "#009E73",
    "base+pinned": "#CC79A7",
    "base+perfect": "#0072B2",
    "fine-tuned+perfect": "#D55E00",
}


def finish(figure: go.Figure, *, title: str | None = None, height: int = 360) -> go.Figure:
    """Give `figure` the house look: no background of its own (so light and dark both work), legend above, as drawn."""
    figure.update_layout(
        title={"text": title, "y": 0.98, "yanchor": "top"} if title else None,
        height=height,
        margin={"l": 8, "r": 8, "t": 76 if title else 44, "b": 8},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        legend={"orientation": "h", "yanchor": "bottom", "y": 1.02, "x": 0, "traceorder": "normal"},
        colorway=list(PALETTE),
    )
    return figure
