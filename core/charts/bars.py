"""Numbers and ranges as plain HTML: for a page's st.html and a document that needs no script. All is escaped.

Takes its text colour from where it stands, so it reads on light, dark and paper.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

TRACK = "position:relative;height:14px;border-radius:7px;background:rgba(128,140,152,.18);margin:3px 0 10px"
CARD = "flex:1 1 7.5rem;border:1px solid rgba(128,140,152,.4);border-radius:8px;padding:.5rem .75rem"
VALUE = "font-size:1.3rem;white-space:nowrap"
SMALL = "font-size:.8rem;opacity:.8"
LINE = "top:-3px;height:20px;border-left:2px dashed #D55E00"
KEY = "display:inline-block;height:.8em;border-left:2px dashed #D55E00"
PART = "position:absolute;border-radius"
EXACT = "print-color-adjust:exact;-webkit-print-color-adjust:exact"


@dataclass(frozen=True)
class Bar:
    """One range: `low` to `high` with a mark at `middle` (None: nothing to draw), `words` at its right, a `note` below.
    `faded` for what is not in the running: its bar, never its words."""

    label: str
    range: tuple[float, float, float] | None  # low, middle, high
    words: str
    color: str
    note: str = ""
    faded: bool = False


def ranges(bars: Sequence[Bar], limit: float | None = None, limit_words: str = "") -> str:
    """The bars over one scale that starts at 0; a limit is a vertical line through all of them."""
    ends = [one.range[2] for one in bars if one.range]
    most = max([*ends, (limit or 0) * 1.1, 1e-9])
    line = f'<i style="position:absolute;left:{(limit or 0) / most:.2%};{LINE}"></i>' if limit else ""
    rows = "".join(_row(one, most, line) for one in bars)
    foot = f'<div style="font-size:.8rem;opacity:.75"><i style="{KEY}"></i> {escape(limit_words)}</div>'
    return f'<div role="img" aria-label="{escape(_alt(bars))}">{rows}{foot if limit else ""}</div>'


def _row(one: Bar, most: float, line: str) -> str:
    drawn = ""
    if one.range:
        low, middle, high = (value / most for value in one.range)
        drawn = (
            f'<i style="{PART}:7px;left:{low:.2%};width:{max(high - low, 0.004):.2%};top:0;height:14px;'
            f'background:{one.color};opacity:.55;{EXACT}"></i>'
            f'<i style="{PART}:2px;left:calc({middle:.2%} - 2px);width:4px;top:-2px;height:18px;'
            f'background:{one.color};{EXACT}"></i>'
        )
    note = f'<div style="font-size:.8rem;opacity:.8">{escape(one.note)}</div>' if one.note else ""
    return (
        f'<div><div style="display:flex;justify-content:space-between;'
        f'gap:.75rem"><b>{escape(one.label)}</b><span style="text-align:right">{escape(one.words)}</span></div>{note}'
        f'<div style="{TRACK};{EXACT};opacity:{0.5 if one.faded else 1}">{drawn}{line}</div></div>'
    )


def numbers(rows: Sequence[Mapping[str, str]]) -> str:
    """Cards that wrap on a narrow screen, one a row: What, Value, Range and Target."""
    cards = "".join(
        f'<div style="{CARD}"><div style="{SMALL}">{escape(row["What"])}</div><b style="{VALUE}">'
        f'{escape(row["Value"])}</b><div style="{SMALL}">{escape(row["Range"])}</div>'
        f'<div style="{SMALL}">{escape(row["Target"])}</div></div>'
        for row in rows
    )
    return f'<div style="display:flex;gap:.75rem;flex-wrap:wrap;margin:.5rem 0">{cards}</div>'


def _alt(bars: Sequence[Bar]) -> str:
    return "; ".join(f"{one.label}: {one.words}" + (f", {one.note}" if one.note else "") for one in bars)
