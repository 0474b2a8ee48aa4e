"""Is a reply right, in voice, an abstention, a valid ticket? Rules outside any model. Knows no arm and no statistics.

A reply is right when it states an accepted answer. Words must stand in it as whole words in order. Of numbers, the
first one of the answer's unit must be the accepted one, so that a reply listing several prices does not pass. Numbers
that the question itself holds are not counted as stated; where it asks "how many units" or names a unit ("in weeks"), a
lone bare number is, and where the answer is a price, a reply that is nothing but its number. A denial just before the
answer is seen ("not made of brass"); one that is farther away, in another sentence or in a clause before ("If you do
not agree, ...") is not, nor one that was asked for ("What must I not do?"). An answer that is yes or no is stated by
that word, or by a sentence about what was asked, with or without a denial.
"""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from core import checks
from core.evaluation.quantities import Quantity, Token, in_unit, tokens
from core.project import Project

_ABSTAINS: Final = re.compile(
    r"(could|can|did|was|were|am|are|is)( ?n[o']t|not)( be)?( able to)? (find|found|see|locate|determine)"
    r"|(do|does|did)( ?n[o']t|not) (\w+ )?(know|mention|specify|provide|contain|include|say|state)"
    r"|(do|does|did)( ?n[o']t|not) have (any |enough |the )?(information|detail|answer|data|access|ability)"
    r"|(is|are|was)( ?n[o']t|not) (\w+ )?(mentioned|specified|provided|stated|given|available|in (our|the|your) \w+)"
    r"|no (information|mention|answer|such|details?) |unable to|(i'm|i am) (sorry|afraid)|not sure|unknown to",
    re.IGNORECASE,
)
_UNSAID: Final = re.compile(rf"(?:{_ABSTAINS.pattern})\s+(?:that|whether|if)\b[^.!?\n]*", re.IGNORECASE)
_DENIALS: Final = ("not", "never", "cannot", "without", "nor", "neither")
_TURNS: Final = ("but", "instead", "rather", "however", "only")  # what follows is no longer denied
_ENDS: Final = re.compile(  # what ends a denial's reach: a sentence, and a clause of a condition or a reason
    r"[.!?](?=\s)|\b(?:if|when|unless|while|although|though|because|since|once)\b[^,.;!?]*,", re.IGNORECASE
)
_ASKS_DENIED: Final = re.compile(
    r"\b(?:what|which|who|where|when|how)\b[^.!?]*\b(?:not|never|cannot|\w+n[’']t)\b[^.!?]*\?", re.IGNORECASE
)
_REACH: Final = 5  # words
_DETERMINERS: Final = ("a", "an", "the", "my", "your", "his", "her", "its", "our", "their")  # one is as good as another
_YES_NO: Final = re.compile(r"\W*(?:(?:the |my )?answer (?:[^.:]{0,80} )?is\W+)?(yes|no)\b(?!\.\s*\d)", re.IGNORECASE)
_ANSWER: Final = re.compile(r"\bthe answer (?:to [^.:]{1,80} )?is:?\W{1,4}(yes|no)\b", re.IGNORECASE)
_MONEY: Final = ("$", "€", "£")
_NEGATIVE: Final = (*_DENIALS, "no", "none", "nothing", "nobody")
_CONDITION: Final = re.compile(r"(?<=\w)\W+(?:if|unless|until)\b", re.IGNORECASE)
_SENTENCE: Final = re.compile(r"(?<=[.!?])\s+|\n+")
_ASKED: Final = 0.5  # of the question's words that a sentence must hold to be about it
SMALL: Final = frozenset(
    re.findall(
        r"\w+",
        "a an the is are was were be do does did can could will would has have had of in on at to for by with from and "
        "or it its this that what which who how",
    )
)
_CITED: Final = re.compile(r"\[(\d{1,3})\]")


@dataclass(frozen=True)
class Voice:
    """A house voice that a rule can check: how a reply begins and ends."""

    opening: str
    closing: str = ""

    @classmethod
    def of(cls, project: Project) -> "Voice | None":
        """The voice that a project's checks ask for, if any."""
        voices = [check for check in project.checks if check.kind == "voice"]
        return cls(voices[0].value, voices[0].closing) if voices else None

    def heard(self, reply: str) -> bool:
        """Whether a reply begins and ends in this voice, with something said in between."""
        return checks.voice(reply, self.opening, self.closing)


def right(reply: str, accepted: Iterable[str], question: str = "") -> bool:
    """Whether a reply states one of the accepted answers. What it says is not said ("do not say that") it does not."""
    reply = _UNSAID.sub(" ", reply)
    said, asked = _clauses(reply), _quantities(tokens(question))
    return any(_states(reply, said, answer, asked, question) for answer in accepted if answer.strip())


def near(reply: str, accepted: Iterable[str]) -> bool:
    """Whether the reply holds an accepted number at all: bare, in another currency, or after other numbers."""
    said = _quantities(tokens(reply))
    return any(_close(one, wanted) for answer in accepted for wanted in _quantities(tokens(answer)) for one in said)


def _close(said: Quantity, wanted: Quantity) -> bool:
    """12 weeks are not 12 months in another format: only a sign of money, or a missing unit, is a matter of format."""
    if said.unit == wanted.unit and said.value == wanted.value:
        return True
    loose = "" in (said.unit, wanted.unit) or {said.unit, wanted.unit} <= set(_MONEY)
    return loose and said.written == wanted.written


def holds(text: str, accepted: Iterable[str]) -> bool:
    """Whether a passage holds an accepted answer anywhere (not only first)."""
    said = tokens(text)
    return any(in_order(said, tokens(answer)) for answer in accepted if answer.strip())


def abstains(reply: str) -> bool:
    """Whether a reply says that it does not know or that the documents do not say."""
    return bool(_ABSTAINS.search(reply.replace("’", "'")))


def mentions(reply: str, fact: str) -> bool:
    """Whether a reply names a fact among others, undenied: unlike an answer, a number need not come first."""
    said = _clauses(reply)
    return any(_affirmed(said, wanted) for wanted in _spellings(fact) if wanted)


def says_yes(reply: str, question: str) -> bool | None:
    """Whether a reply to a yes-or-no question says yes; None when it says neither.

    By its first word, or by "the answer is" wherever it says so, else by its first sentence that is about the question:
    one with a denial that the question does not hold, before any condition, says no. "No, the documents do not say"
    says neither.
    """
    if found := _YES_NO.match(reply):
        rest = reply[found.end() :]
        return None if abstains(rest) and not about(rest, question) else found[1].lower() == "yes"
    stated = {word.lower() for word in _ANSWER.findall(reply)}
    if len(stated) == 1:
        return stated == {"yes"}
    if abstains(reply):
        return None
    for sentence in _SENTENCE.split(reply):
        if about(sentence, question):
            said = [word for word in tokens(_CONDITION.split(sentence)[0]) if isinstance(word, str)]
            asked = tokens(question)
            return not any((word in _NEGATIVE or word.endswith("n't")) and word not in asked for word in said)
    return None


def about(text: str, question: str) -> bool:
    """Whether a text holds at least half of the words that a question asks with."""
    asked = {word for word in tokens(question) if isinstance(word, str)} - SMALL
    return bool(asked) and len(asked & set(tokens(text))) >= _ASKED * len(asked)


def touches(text: str, question: str) -> bool:
    """Whether some sentence of a text, wrapped over lines or not, is about a question."""
    return any(about(sentence, question) for sentence in re.split(r"(?<=[.!?])\s+|\n\s*\n", text))


def yes_or_no(answer: str) -> bool:
    """Whether an answer is yes or no, and nothing else."""
    return answer.strip(" .!").lower() in ("yes", "no")


def _clauses(reply: str) -> tuple[Token, ...]:
    """A reply's tokens, with a turn where a denial's reach ends."""
    return tokens(_ENDS.sub(lambda found: f"{found.group()} {_TURNS[0]} ", reply))


def _spellings(answer: str) -> list[tuple[Token, ...]]:
    """An answer as tokens; of a name in camel case also its parts ("RedisLock", "Redis lock")."""
    parts = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", answer) if re.fullmatch(r"[A-Za-z]{4,}", answer.strip()) else answer
    return [tokens(answer)] if parts == answer else [tokens(answer), tokens(parts)]


def _states(reply: str, said: Sequence[Token], answer: str, asked: list[Quantity], question: str) -> bool:
    if yes_or_no(answer):
        return says_yes(reply, question) is (answer.strip(" .!").lower() == "yes")
    wanted = tokens(answer)
    if not wanted:
        return _holds_sign(reply, re.escape(answer.strip()))
    if re.fullmatch(r"\d+\.\d*0", answer):  # a version: Python 3.10 is not 3.1
        return bool(re.search(rf"(?<![\d.]){re.escape(answer)}(?!\d|\.\d)", reply))
    if re.fullmatch(r"[A-Za-z]{1,2}", answer):  # a chemical symbol: "He" is not "he"
        return bool(re.search(rf"(?<!\w){answer}(?!\w)", reply))
    if len(wanted) == 1 and isinstance(wanted[0], Quantity):
        if wanted[0].unit in _MONEY and len(said) == 1:  # "18" to "What does shipping cost?"
            return isinstance(said[0], Quantity) and said[0].unit in ("", wanted[0].unit) and _close(said[0], wanted[0])
        return _first(in_unit(_quantities(said), question), wanted[0], asked)
    if _counts(said, wanted, question):
        return True
    affirmed = in_order if _ASKS_DENIED.search(question) else _affirmed
    whole_only = len(wanted) == 1 or answer.startswith("-")
    if whole_only and in_order(tokens(question), wanted):  # "feature flags" of the question are no "features"
        name = re.escape(answer.strip().lstrip("-"))  # of a flag: whole, or its name between quotation marks
        whole = rf"(?<!\w){re.escape(answer.strip())}(?!\w)|[\"'`“‘]{name}[\"'`”’]"
        return bool(re.search(whole, reply, re.IGNORECASE)) and affirmed(said, wanted)
    return any(affirmed(said, one) for one in _spellings(answer))


def _holds_sign(reply: str, sign: str) -> bool:
    """Whether a reply names a sign without letters: between quotation marks, on a line of its own, or after a word. At
    the head of a line it is markup, or an example."""
    return bool(re.search(rf"(?m)[\"'`“‘]{sign}[\"'`”’]|^{sign}\.?$|(?<=[\w:,]\s){sign}(?![^\s.,;!?)])", reply))


def _first(said: list[Quantity], wanted: Quantity, asked: list[Quantity]) -> bool:
    """Whether the first number of the wanted kind is the wanted one."""
    if wanted.unit:
        same = [quantity.value for quantity in said if quantity.unit == wanted.unit]
        known = {quantity.value for quantity in asked if quantity.unit == wanted.unit}
        target = wanted.value
    else:
        same = [quantity.written for quantity in said]
        known = {quantity.written for quantity in asked}
        target = wanted.written
    if target in known:  # "20 minus 10 is 10": it must come last
        return bool(same) and same[-1] == target
    new = [value for value in same if value not in known]
    return bool(new) and new[0] == target


def _counts(said: Sequence[Token], wanted: Sequence[Token], question: str) -> bool:
    """Whether a reply to "how many" ends with the count alone: "54" for "54 units"."""
    count, *things = wanted
    if not (isinstance(count, Quantity) and not count.unit and things and "how many" in question.lower()):
        return False
    return bool(said) and said[-1] == count and len(_quantities(said)) == 1 and not _quantities(things)


def _quantities(found: Sequence[Token]) -> list[Quantity]:
    return [token for token in found if isinstance(token, Quantity)]


def in_order(said: Sequence[Token], wanted: Sequence[Token]) -> bool:
    """Whether all of `wanted` stand in `said`, one after the other."""
    return any(True for _ in _places(said, wanted))


def _places(said: Sequence[Token], wanted: Sequence[Token]) -> Iterator[int]:
    size = len(wanted)
    for at in range(len(said) - size + 1 if size else 0):
        if all(_same(a, b) for a, b in zip(said[at : at + size], wanted, strict=True)):
            yield at


def _affirmed(said: Sequence[Token], wanted: Sequence[Token]) -> bool:
    """Whether `wanted` stands somewhere that no denial just before it reaches ("does not fall back to X")."""
    if any(_denies(word) for word in wanted):
        return in_order(said, wanted)
    return any(not _denied(said[max(0, at - _REACH) : at]) for at in _places(said, wanted))


def _denied(before: Sequence[Token]) -> bool:
    turns = [place for place, word in enumerate(before) if word in _TURNS]
    return any(_denies(word) for word in before[turns[-1] + 1 if turns else 0 :])


def _denies(word: Token) -> bool:
    return isinstance(word, str) and (word in _DENIALS or word.endswith("n't"))


def _same(said: Token, wanted: Token) -> bool:
    if isinstance(said, Quantity) and isinstance(wanted, Quantity):
        return (
            said.value == wanted.value and said.unit == wanted.unit if wanted.unit else said.written == wanted.written
        )
    return said == wanted or (said in _DETERMINERS and wanted in _DETERMINERS)


# -- citations -------------------------------------------------------------------------------------------------------


def cited(reply: str) -> list[int]:
    """The passage numbers that a reply cites, in order."""
    return [int(number) for number in _CITED.findall(reply)]


def cites_existing(reply: str, passages: int) -> bool:
    """Whether a reply cites, and only passages that exist."""
    numbers = cited(reply)
    return bool(numbers) and all(1 <= number <= passages for number in numbers)


def cites_right(reply: str, passages: Sequence[str], accepted: Iterable[str]) -> bool:
    """Whether a cited passage holds an accepted answer."""
    answers = tuple(accepted)
    return any(1 <= n <= len(passages) and holds(passages[n - 1], answers) for n in cited(reply))


# -- tickets ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class TicketScore:
    """`valid`: one JSON object of the schema and nothing else. `class_right`, `all_right` imply valid."""

    valid: bool
    class_right: bool
    all_right: bool


def ticket(reply: str, expected: str, labels: Iterable[str]) -> TicketScore:
    """Score a ticket: the same keys as the expected one, all values texts, the class among `labels`."""
    wanted: dict[str, Any] = json.loads(expected)
    try:
        made = json.loads(reply.strip())
    except (ValueError, RecursionError):
        return TicketScore(False, False, False)
    valid = (
        isinstance(made, dict)
        and set(made) == set(wanted)
        and all(isinstance(value, str) for value in made.values())
        and made["class"] in set(labels)
    )
    if not valid:
        return TicketScore(False, False, False)
    return TicketScore(True, made["class"] == wanted["class"], made == wanted)
