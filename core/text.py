"""Making untrusted text harmless where Markdown is drawn. Knows nothing of who draws it."""

import re
from collections.abc import Mapping, Sequence

_SPECIAL = re.compile(r"([\\`*_{}\[\]()#+\-.!|<>~$:&@/])")
# Markdown makes links out of bare addresses even where every letter is escaped; an invisible joiner breaks them.
_ADDRESS = re.compile(r"(?i)(?<=:)(?=//)|(?<=www)(?=\.)|(?<=@)")
_JOINER = "\u2060"
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def plain(text: str) -> str:
    """`text` so that Streamlit's Markdown shows it letter for letter: no links, images, HTML, maths or icons."""
    return _SPECIAL.sub(r"\\\1", _ADDRESS.sub(_JOINER, _CONTROL.sub("\ufffd", text)))


def grid(rows: Sequence[Mapping[str, str]]) -> str:
    """Rows with the same keys as a Markdown table, names and cells letter for letter on one line each; "" for none."""
    if not rows:
        return ""
    lines = [list(rows[0]), *(list(row.values()) for row in rows)]
    written = ["| " + " | ".join(plain(one_line(cell)) for cell in line) + " |" for line in lines]
    return "\n".join([written[0], "|" + " --- |" * len(lines[0]), *written[1:]])


def one_line(text: str, limit: int = 300) -> str:
    """`text` on one line, cut to `limit` characters: for logs, labels and error messages."""
    flat = " ".join(_CONTROL.sub("\ufffd", text).split())
    return flat if len(flat) <= limit else flat[: limit - 1] + "…"
