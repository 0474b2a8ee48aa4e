"""One HTML file that needs no script and no network: the style of all of them, and the templates of those drawn by one.

    style.css             the style, also of the decision record
    base.html             the frame;  pieces.html: what templates share
    evaluation.html       an evaluation's report;  run.html: a playground run

Everything that is put in is escaped by Jinja2 unless it is a `Markup` of ours. Knows no model and no screen.
"""

import re
from functools import cache
from pathlib import Path
from typing import Any, Final

from core.text import one_line

HERE: Final = Path(__file__).resolve().parent
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


@cache
def style() -> str:
    """The style sheet: light, readable at 390 pixels, printable."""
    return (HERE / "style.css").read_text(encoding="utf-8")


def render(template: str, **data: Any) -> str:
    """The document that a template of this folder makes of `data`; texts of users and models are escaped."""
    return str(_environment().get_template(template).render(style=style(), **data))


def shown(text: Any, most: int = 2_000) -> str:
    """A text as it may stand in a document: no control or direction characters, at most so many characters."""
    safe = _CONTROL.sub("\ufffd", str(text))
    return safe if len(safe) <= most else safe[: most - 1] + "…"


def points(gap: Any) -> str:
    """A difference in points with its interval: "+23 (+9 to +37)"."""
    return f"{100 * gap.difference:+.0f} ({100 * gap.low:+.0f} to {100 * gap.high:+.0f})"


@cache
def _environment() -> Any:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    made = Environment(
        loader=FileSystemLoader(HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    made.filters |= {"shown": shown, "line": one_line, "points": points}
    return made
