"""What an answer is worth at a glance: right, stale, invented, declined. Rules outside any model; know no screen.

Where a question set or a suggested question says what is right, the answer is held against it; else against the
passages it was given: what of its numbers and names stands in none of them. A document may have been changed since the
set was written, so a value that the passages hold is never called invented.

Wrong is what is not right though passages were read; why, rules can seldom tell. Invented is what had no source:
without passages whatever stands in place of what is right, an answer where no document holds one, and where nobody
knows what is right a number, a name or a quotation that stands in nothing it read.
"""

import difflib
import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final, Literal

from core.evaluation import metrics, scoring
from core.evaluation.quantities import Quantity, Token, tokens
from core.evaluation.questions import ABSTAIN, Question
from core.project import Project
from core.records import ArmRecord
from core.text import one_line

Kind = Literal["right", "stale", "invented", "declined", "wrong", "grounded", "unknown"]
WORDS: Final[dict[Kind, str]] = {
    "right": "right",
    "stale": "stale",
    "invented": "invented",
    "declined": "declined",
    "wrong": "wrong",
    "grounded": "from its passages",
    "unknown": "cannot be checked",
}


_SORRY: Final = re.compile(
    r"\b(?:(?:i|we)(?:'m| am|'re| are) (?:\w+ )?(?:sorry|afraid)|sorry|(?:i|we|my|our) apologi[sz]es?|apologies)\b"
    r"(?: (?:about|for|to hear)\b[^.!?,;:]*)?[\s,;:]*(?:but\b|that\b)?[\s,;:]*",
    re.IGNORECASE,
)
_REFUSES: Final = re.compile(
    r"\b(?:ca(?:n't|nnot|n not)|could(?:n't| not)|won't|(?:un|not )able to|not (?:equipped|designed|allowed) to) "
    r"(?:\w+ )?(?:help|assist|answer|provide|tell|give|offer|comment|say|share)\b|\bleave that to\b",
    re.IGNORECASE,
)
_OFFERS: Final = re.compile(
    r"\b(?:happy|glad|here|ready|pleased|designed) to (?:help|assist)\b|\bhesitate to\b"
    r"|\bhow (?:can|may) i (?:help|assist)\b|\bi can (?:help|assist|provide|offer|add)\b",
    re.IGNORECASE,
)
_QUOTED: Final = re.compile(r"[\"“]([^\"“”\n]{3,80})[\"”]")
_NEW: Final = 2 / 3  # of an answer's words that its passages do not hold: then it is its own
_FEW: Final = 2  # words: too few to say whose they are
_ALIKE: Final = 0.85  # of difflib's ratio: "espreso" is a misspelt espresso, "Brightmark" no Brightwater
_YES_NO: Final = (("yes",), ("no",))
_PIECE: Final = re.compile(r"(?<=[.!?])\s+|\n+|[:;]\s+|, (?=but\b|however\b|though\b|yet\b)", re.IGNORECASE)


@dataclass(frozen=True)
class Mark:
    """`kind`, `good` (None: neither), and `why` in words: what decided it; `words`: what of the answer did."""

    kind: Kind
    good: bool | None
    why: str
    words: tuple[str, ...] = ()


@lru_cache(maxsize=4_096)  # a page asks for those of all sets at every redraw
def key(question: str) -> str:
    """A question without case, punctuation and spacing: how two of them are the same."""
    return " ".join(re.findall(r"\w+", question.casefold()))


def known(project: Project, sets: Sequence[Sequence[Question]]) -> dict[str, Question]:
    """Key -> question whose answer the project knows: suggested ones and those of its sets, the first of each."""
    found: dict[str, Question] = {}
    for one in project.suggestions:
        if one.answer or one.cls:
            found[key(one.question)] = Question(
                one.question, one.answer, one.cls or "own", one.variants, one.documents, values=dict(one.values)
            )
    for question in (question for each in sets for question in each):
        first = found.setdefault(key(question.question), question)
        if question.documents and not first.documents:
            found[key(question.question)] = replace(first, documents=question.documents)
    return found


def mark(arm: ArmRecord, question: str, expected: Question | None, snapshot: str | None = None) -> Mark | None:
    """The mark of a finished answer; None for one that failed, was stopped or is empty. `expected`: what is right."""
    if arm.problem or arm.finish not in ("stop", "length") or not arm.answer.strip():
        return None
    texts = tuple(passage.text for passage in arm.passages)
    read = (*texts, arm.prompt) if texts else ()  # its instruction as well
    if declines(arm.answer, question, _values(expected, snapshot)):
        return _declined(expected, texts, snapshot)
    absent = _absent(question, arm.answer, read)
    if expected is None or not (expected.answer or expected.cls == ABSTAIN):
        return _stale(arm.answer, question, expected, ()) or _by_passages(question, arm.answer, texts, read, absent)
    right = accepted(expected, snapshot)
    if scoring.right(arm.answer, right, question) or _bare(arm.answer, question, right):
        return Mark("right", True, f"states {one_line(right[0], 60)}", right)
    stale = _stale(arm.answer, question, expected, right) if right else None
    return stale or _evades(arm.answer, absent) or _missed(question, arm.answer, right, texts, read, absent)


def accepted(expected: Question | None, snapshot: str | None = None) -> tuple[str, ...]:
    """What counts as right, where that is known."""
    return tuple(expected.expected(snapshot)) if expected is not None and expected.answer else ()


def places(text: str, words: Iterable[str]) -> list[tuple[int, int]]:
    """Where some of `words` stand in a text, in order and apart; of a value written otherwise, its number."""
    found: list[tuple[int, int]] = []
    for word in filter(str.strip, words):
        written = r"\s+".join(map(re.escape, word.split()))
        number = re.search(r"\d[\d.,]*\d|\d", word)
        for pattern in (written, *([re.escape(number[0])] if number else [])):
            spans = [one.span() for one in re.finditer(rf"(?<![\w.,]){pattern}(?!\w|[.,]\d)", text, re.IGNORECASE)]
            if spans:
                found += spans
                break
    apart: list[tuple[int, int]] = []
    for start, end in sorted(found, key=lambda span: (span[0], -span[1])):
        if not apart or start >= apart[-1][1]:
            apart.append((start, end))
    return apart


def _absent(question: str, answer: str, read: Sequence[str]) -> list[str]:
    """The numbers, names and quoted words of an answer that stand neither in what it read nor in the question.

    A name that is but misspelt is none of them, nor is a yes or no.
    """
    known = tokens(" \n".join((*read, question)))
    quoted = [text for text in _QUOTED.findall(answer) if not scoring.in_order(known, tokens(text))]
    absent = metrics.absent(metrics.Case(question, answer, passages=tuple(read))) + quoted
    words = {token for token in known if isinstance(token, str)}
    return [text for text in dict.fromkeys(absent) if tokens(text)[:1] not in _YES_NO and not _misspelt(text, words)]


def _misspelt(name: str, words: Collection[str]) -> bool:
    """Whether all of a name was read, but for words of nearly the same letters."""
    new = [token for token in tokens(name) if token not in words]
    return bool(new) and all(isinstance(one, str) and difflib.get_close_matches(one, words, 1, _ALIKE) for one in new)


def _evades(answer: str, absent: Sequence[str]) -> Mark | None:
    """An answer that offers help and states next to nothing: no invention, and no answer either."""
    text = answer.replace("’", "'")
    if absent or not _OFFERS.search(text):
        return None
    pieces = [piece.strip() for piece in _PIECE.split(text) if piece]
    said = [piece for piece in pieces if not (piece.endswith("?") or _OFFERS.search(piece))]
    if sum(map(len, said)) > len(text) / 2:
        return None
    return Mark("wrong", False, "offers help instead of an answer")


def _bare(answer: str, question: str, accepted: Sequence[str]) -> bool:
    """Whether the only number of an answer is the accepted one, whose unit the question names: years? "3"."""
    said = [token for token in tokens(answer) if isinstance(token, Quantity)]
    for text in accepted:
        found = re.fullmatch(r"(\d[\d.,]*) ?([a-z]+)", text.strip().lower())
        wanted = tokens(text)
        if found and set(tokens(found[2])) <= set(tokens(question)) and len(wanted) == 1:
            return [(one.written, one.unit) for one in said] == [(_written(wanted[0]), "")]
    return False


def _written(token: Token) -> float:
    return token.written if isinstance(token, Quantity) else -1.0


def declines(answer: str, question: str, values: Sequence[str] = ()) -> bool:
    """Whether an answer says that it does not know, and answers nothing.

    An apology alone is none: "Sorry for the wait. It costs $389." answers. One that says so and then answers all the
    same, in another sentence or after "but", answers as well: where that part states one of the `values` or is about
    the question.
    """
    text = answer.replace("’", "'")
    apologised = _SORRY.search(text) is not None
    pieces = [piece for piece in _PIECE.split(_SORRY.sub("", text)) if re.search(r"\w", piece)]
    rest = [piece for piece in pieces if not (scoring.abstains(piece) or _REFUSES.search(piece))]
    if len(rest) == len(pieces):
        return apologised and not rest
    said = [piece for piece in rest if not piece.rstrip().endswith("?")]
    return not any(scoring.right(piece, values, question) or scoring.about(piece, question) for piece in said)


def _values(expected: Question | None, snapshot: str | None) -> tuple[str, ...]:
    """What counts as right, and what did on earlier days."""
    return () if expected is None else (*expected.expected(snapshot), *expected.values.values())


def _stale(answer: str, question: str, expected: Question | None, accepted: Sequence[str]) -> Mark | None:
    for day, value in expected.values.items() if expected else ():
        if value not in accepted and scoring.right(answer, (value,), question):
            why = f"states {one_line(value, 60)}, the value of the {day.replace('-', ' ')}"
            return Mark("stale", False, why, (value,))
    return None


def _declined(expected: Question | None, texts: Sequence[str], snapshot: str | None) -> Mark:
    if expected is None or (expected.values and not expected.answer):  # nobody knows what is right now
        return Mark("declined", None, "says that it does not know")
    if not expected.answer:
        return Mark("declined", True, "no document answers this, and it says so")
    before_it = any(scoring.holds(text, expected.expected(snapshot)) for text in texts)
    return Mark("declined", False, "the answer lay before it" if before_it else "says that it does not know")


def _by_passages(question: str, answer: str, texts: Sequence[str], read: Sequence[str], absent: Sequence[str]) -> Mark:
    if not texts:
        return Mark("unknown", None, "nothing here says what is right")
    if absent:
        return Mark("invented", False, f"in no passage: {one_line(', '.join(absent), 80)}", tuple(absent))
    if _own_words(question, answer, read) or not _theirs(question, answer, texts):
        return Mark("unknown", None, "hardly in the words of its passages, and no number or name to check")
    return Mark("grounded", None, "every number and name stands in its passages")


def _words(answer: str) -> list[Token]:
    """The words and numbers of an answer that say something."""
    return [token for token in tokens(answer) if token not in scoring.SMALL and (token,) not in _YES_NO]


def _theirs(question: str, answer: str, texts: Sequence[str]) -> bool:
    """Whether an answer adds to the question anything that stands in its passages."""
    read, asked = set(tokens(" \n".join(texts))), tokens(question)
    said = " ".join(piece for piece in _PIECE.split(answer) if not piece.rstrip().endswith("?"))
    return any(token in read for token in _words(said) if token not in asked)


def _own_words(question: str, answer: str, read: Sequence[str]) -> bool:
    """Whether nearly all words of an answer, whose numbers were looked for, are neither read nor asked."""
    known, said = set(tokens(" \n".join((*read, question)))), _words(answer)
    new = [token for token in said if isinstance(token, str) and token not in known]
    return len(new) > max(_NEW * len(said), _FEW)


def _missed(
    question: str,
    answer: str,
    accepted: Sequence[str],
    texts: Sequence[str],
    read: Sequence[str],
    absent: Sequence[str],
) -> Mark:
    """An answer that does not state what is right (`accepted`; empty: no document answers the question)."""
    nobody = "no document answers this, and it does not say so"
    right = one_line(accepted[0], 60) if accepted else ""
    if set(_words(answer)) <= set(tokens(question)) and not {"yes", "no"} & set(tokens(answer)):
        return Mark("wrong", False, "says nothing that was not asked")
    if not texts:
        return Mark("invented", False, f"closed book, and not {right}" if right else nobody)
    nowhere = f"in no passage: {one_line(', '.join(absent), 80)}" if absent else ""
    own = _own_words(question, answer, read)
    if not right:
        answered = scoring.about(answer, question) or scoring.says_yes(answer, question) is not None
        return Mark("invented" if absent or own or answered else "wrong", False, nowhere or nobody, tuple(absent))
    if absent or own:
        return Mark("wrong", False, f"not {right}; {nowhere or 'hardly in the words of its passages'}", tuple(absent))
    if any(scoring.holds(text, accepted) for text in texts):
        return Mark("wrong", False, f"does not state {right}, which its passages hold")
    if _same_kind(answer, accepted[0]) and _theirs(question, answer, texts):  # the document may have been changed
        return Mark("grounded", None, f"its passages do not hold {right}")
    return Mark("wrong", False, f"does not state {right}; nor do its passages")


def _same_kind(answer: str, accepted: str) -> bool:
    """Whether an answer could state another value in place of an accepted one: one in its unit, where that has any."""
    units = {token.unit for token in tokens(accepted) if isinstance(token, Quantity)}
    return units <= {token.unit for token in tokens(answer) if isinstance(token, Quantity)}
