"""The decision record as files: one HTML document that needs no script and no network, or Markdown.

Knows the record's blocks (record.py), not what they say. Everything in them is escaped.
"""

import re
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from core.calculator.inputs import Scenario
from core.charts.bars import numbers
from core.paper import style
from core.record import Block, Decision, content
from core.text import one_line


def html(scenario: Scenario, decision: Decision) -> str:
    """The record as one HTML file, under 300 kB; reads at 390 pixels, prints to one page plus appendix."""
    body = "".join(_html(block) for block in content(scenario, decision))
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(decision.title)}</title><style>{style()}</style></head>"
        f"<body><main><section>{body}</section></main></body></html>"
    )


def markdown(scenario: Scenario, decision: Decision) -> str:
    """The same record as Markdown."""
    return "\n\n".join(filter(None, (_markdown(block) for block in content(scenario, decision)))) + "\n"


def _html(block: Block) -> str:
    if block.kind == "break":
        return '</section><section class="appendix">'
    if block.kind == "bars":
        return f'<div class="bars">{block.bars}</div>'
    if block.kind == "list":
        return f"<ul>{''.join(f'<li>{escape(line)}</li>' for line in block.lines)}</ul>"
    if block.kind == "numbers":
        return numbers(block.rows)
    if block.kind == "sign":
        owner, signer, day = block.lines
        signed = f"Signed off by {signer}, {day}" if signer else ""
        return (
            f'<div class="sign"><div><b>{escape(owner)}</b><span>Owner, date</span></div>'
            f"<div><b>{escape(signed)}</b><span>Signed off, date</span></div></div>"
        )
    if block.kind == "table":
        return _html_table(block.rows)
    tag = {"title": "h1", "heading": "h2"}.get(block.kind, "p")
    kind = f' class="{block.kind}"' if tag == "p" else ""
    return f"<{tag}{kind}>{escape(block.text)}</{tag}>"


def _html_table(rows: Sequence[Mapping[str, str]]) -> str:
    """A table whose cells carry their column's name, so that a narrow screen can stack them."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    head = "".join(f"<th>{escape(name)}</th>" for name in names)
    body = "".join(
        "<tr>" + "".join(f'<td data-name="{escape(name)}">{escape(row.get(name, ""))}</td>' for name in names) + "</tr>"
        for row in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _markdown(block: Block) -> str:
    if block.kind == "break":
        return "---"
    if block.kind == "list":
        return "\n".join(f"- {_escaped(line)}" for line in block.lines)
    if block.kind in ("table", "numbers"):
        return _markdown_table(block.rows)
    if block.kind == "sign":
        owner, signer, day = block.lines
        signed = f"Signed off by {signer}, {day}" if signer else "Signed off: ____________________, date: __________"
        return f"Owner: {_escaped(owner) or '____________________'}\n\n{_escaped(signed)}"
    marks = {"title": "# ", "heading": "## ", "strong": "**"}.get(block.kind, "")
    end = "**" if block.kind == "strong" else ""
    return f"{marks}{_escaped(one_line(block.text, 5000))}{end}" if block.text else ""


def _escaped(text: str) -> str:
    """`text` that Markdown shows letter for letter: no emphasis, link, picture, HTML or table of its own."""
    return re.sub(r"([\\`*_\[\]<>|#~])", r"\\\1", text)


def _markdown_table(rows: Sequence[Mapping[str, str]]) -> str:
    names = list(dict.fromkeys(name for row in rows for name in row))

    def line(cells: Sequence[Any]) -> str:
        return f"| {' | '.join(_escaped(one_line(str(cell), 500)) for cell in cells)} |"

    return "\n".join([line(names), "|" + "---|" * len(names), *(line([row.get(n, "") for n in names]) for row in rows)])
