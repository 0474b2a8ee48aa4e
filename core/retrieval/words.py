"""A question turned into a query of SQLite's word index (FTS5, BM25). Knows no documents."""

import re

MOST_TERMS = 48  # of one question: more only costs time

# Words that say nothing about the subject; left in a query they cost a third of its time and blur the ranking.
STOP_WORDS = frozenset(
    """a about after all also am an and any are as at be because been before being between both but by can could did do
    does doing done each for from get give had has have having he her here hers him his how i if in into is it its just
    let like may me might more most much must my need no nor not now of off on once only or other our ours out over own
    please same she should so some such tell than that the their theirs them then there these they this those through
    to too under until up us very was we were what when where which while who whom whose why will with would you your
    yours""".split()  # noqa: SIM905
)

_TERM = re.compile(r"\S+")
_LETTERS = re.compile(r"[^\W_]+")


def terms(question: str) -> list[str]:
    """The words of `question` worth searching, stop words and repetitions left out, in order."""
    found: dict[str, None] = {}
    for term in _TERM.findall(question.lower()):
        parts = _LETTERS.findall(term)
        if any(part not in STOP_WORDS and part != "s" for part in parts):
            found[" ".join(parts)] = None
    return list(found)


def match_expression(question: str) -> str | None:
    """The FTS5 expression: any of the terms, "BW-2041" as a phrase. None: nothing left to search."""
    found = terms(question)[:MOST_TERMS]
    return " OR ".join(f'"{term}"' for term in found) if found else None


def shown(body: str, title: str, where: str, lead: str = "") -> str:
    """What a model reads of a passage: its document's first sentence, then itself.

    Where it stands goes before that when its own words do not name its subject.
    """
    text = f"{lead} {body.lstrip()}" if lead else body
    return text if set(terms(title)) & set(terms(body)) else f"{where}\n{text}"
