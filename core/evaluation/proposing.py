"""Question-answer pairs proposed from documents: answers found by rules, questions written by a model, then checked.

Pure: knows neither engine nor store; who writes and who answers closed book are given as functions. The rules make a
pair checkable, not good: a person reviews it, and until then every result says that nobody has.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import zip_longest
from pathlib import Path
from typing import Final, Protocol

from core import tomlfile
from core.evaluation import scoring
from core.evaluation.questions import Question, slug
from core.project.instruction import Message, filled

ORIGIN: Final = "proposed"
LONGEST_ANSWER: Final = 60  # characters
MOST_WORDS: Final = 25  # of a question
A_FACT: Final = 2  # answers tried of one sentence
STRANGE: Final = 0.25  # share of a question's content words that its passage need not hold
ALIKE: Final = 0.7  # share of the content words from which two questions are the same one
_LINK: Final = re.compile(r"!?\[([^\]]*)\](?:\([^)]*\)|\[[^\]]*\])")
_FENCED: Final = re.compile(r"(```|~~~).*?(\1|\Z)", re.DOTALL)
_PARAGRAPH: Final = re.compile(r"\n\s*\n|\n(?=\s*(?:[-*+]|\d+\.) )")
_SENTENCE: Final = re.compile(r"(?<=[.!?])\s+(?=[\"'`(A-Z0-9])")
_UNREADABLE: Final = re.compile(r"[<>|{}\[\]\\]|https?:|\.\. ")
_ANSWERS: Final = (
    re.compile(r"`([^`\n]{1,60})`"),
    re.compile(r"[\"“]([^\"“”\n]{2,60})[\"”]"),
    re.compile(r"(?<![\w./-])([$€£]?\d+(?:[.,:]\d+)*(?:\s?%|\s[a-z]+)?)(?![\w-])"),
    re.compile(r"(?<=[a-z,] )((?:[A-Z][\w.-]*\w)(?: (?:[A-Z][\w.-]*\w|\d+))*)"),
)
_KINDS: Final = (  # how a question begins or what it asks for, and what its answer must then hold
    (
        re.compile(r"\b(how (many|much|long|often|far|old|large|big)|number|version|year|date|when)\b", re.I),
        re.compile(r"\d"),
    ),
    (re.compile(r"\bwho(se|m)?\b(?! or what)", re.I), re.compile(r"^[^\W\d_a-z]")),
    (re.compile(r"\bcommand\b", re.I), re.compile(r"[a-z]")),
)
_WORD: Final = re.compile(r"[^\W_]+")
_CLOCK: Final = re.compile(r"\d{1,2}[:.]\d{2}(?: ?[ap]\.?m\.?)?")
_ANSWER: Final = re.compile(r"[\w$€£.-](?:.*[\w)%+*])?", re.DOTALL)
_NUMBERED: Final = re.compile(r"\b[A-Z]\w*\s$")  # "Python 3": the number is part of the name
_POINTERS: Final = re.compile(
    r"\b(this|these|those|the (?:text|passage|document|fact|sentence|subject|answer))\b", re.I
)


class Piece(Protocol):
    """What is needed of a passage."""

    @property
    def title(self) -> str: ...
    @property
    def heading(self) -> str: ...
    @property
    def body(self) -> str: ...


@dataclass(frozen=True)
class Candidate:
    """An answer that stands in a passage, and its sentence. `place`: the document, with the section's slug."""

    place: str
    subject: str
    fact: str
    answer: str
    passage: str

    @property
    def opening(self) -> str:
        """How a question with this answer begins: a small model keeps to the point when it is told."""
        if _CLOCK.fullmatch(self.answer):
            return "At what time"
        number, _, unit = self.answer.partition(" ")
        if re.fullmatch(r"[\d.,]+", number):
            return f"How many {unit}" if unit else "Which number"
        if self.answer[:1] in "$€£":
            return "How much"
        return "Who or what" if self.answer[:1].isupper() else "What"


@dataclass(frozen=True)
class Written:
    """A candidate's question as the model wrote it, and why it is not proposed ("": it is)."""

    candidate: Candidate
    question: str
    refused: str = ""

    def as_question(self) -> Question:
        """As a question of a set, not reviewed."""
        return proposal(self.question, self.candidate.answer, self.candidate.place)


def proposal(question: str, answer: str, place: str) -> Question:
    """A question of a set that nobody has reviewed."""
    return Question(question, answer, "own", (), (place,), origin=ORIGIN, reviewed=False)


@dataclass(frozen=True)
class _Example:
    subject: str
    fact: str
    answer: str
    opening: str
    question: str


@dataclass(frozen=True)
class _Prompt:
    system: str
    request: str
    examples: tuple[_Example, ...]
    empty_words: str
    asking_words: str
    vague_words: str


@cache
def _prompt() -> _Prompt:
    return tomlfile.read(Path(__file__).with_suffix(".toml"), _Prompt)


@cache
def _words(kind: str) -> frozenset[str]:
    return frozenset(getattr(_prompt(), f"{kind}_words").split())


def candidates(documents: Mapping[str, Iterable[Piece]]) -> list[Candidate]:
    """What could be asked of `documents` (path -> passages): one of each document in turn, so that few cover many."""
    each = [list(_of_document(path, pieces)) for path, pieces in documents.items()]
    return [one for turn in zip_longest(*each) for one in turn if one is not None]


def chat(candidate: Candidate) -> tuple[Message, ...]:
    """The fixed prompt in which a model writes the candidate's question."""
    prompt = _prompt()

    def user(one: Candidate | _Example) -> Message:
        values = {"subject": one.subject.split(" > ")[0], "fact": one.fact, "answer": one.answer}
        values["opening"] = one.opening
        return {"role": "user", "content": filled(prompt.request.strip(), values)}

    made: list[Message] = [{"role": "system", "content": prompt.system}]
    for one in prompt.examples:
        made += [user(one), {"role": "assistant", "content": one.question}]
    return (*made, user(candidate))


def propose(
    found: Sequence[Candidate],
    known: Iterable[Question],
    wanted: int,
    write: Callable[[Candidate], str],
    knows: Callable[[str], str],
) -> Iterator[Written]:
    """Every candidate's question in order, refused or not, until `wanted` are proposed.

    `write`: the model's words for `chat`. `knows`: its closed-book reply to a question, asked last of all rules.
    """
    asked = [question.question for question in known]
    proposed = 0
    for candidate in found:
        if proposed >= wanted:
            return
        question = tidy(write(candidate))
        refused = refusal(candidate, question, asked)
        if not refused and scoring.right(knows(question), [candidate.answer], question):
            refused = "the model knows it without the documents"
        if not refused:
            asked.append(question)
            proposed += 1
        yield Written(candidate, question, refused)


def tidy(reply: str) -> str:
    """The question in a model's reply: its first line up to the question mark."""
    line = next((line for line in reply.strip().splitlines() if line.strip()), "")
    line = re.sub(r"^(?:question|q)\s*:\s*", "", line.strip().strip("\"'*`"), flags=re.IGNORECASE)
    return " ".join(line.split("?")[0].split()) + "?" if "?" in line else " ".join(line.split())


def refusal(candidate: Candidate, question: str, asked: Iterable[str]) -> str:
    """Why a question is not proposed, "" when nothing speaks against it."""
    if candidate.answer not in candidate.passage:
        return "the answer does not stand in the passage"
    if not question.endswith("?"):
        return "no question"
    if len(question.split()) > MOST_WORDS:
        return "too long"
    if candidate.answer.casefold() in question.casefold() or scoring.holds(question, [candidate.answer]):
        return "the question holds its answer"
    if _POINTERS.search(question):
        return "it points at a text that is not there"
    words, subject = content(question), content(candidate.subject)
    if not words & (subject | _names(candidate.fact)):
        return "it does not name its subject"
    if not _related(words, content(candidate.fact) - subject):
        return "it does not ask for the fact"
    if words & _words("vague"):
        return "no short answer can say that"
    if len(words - content(candidate.passage) - subject - _words("asking")) > len(words) * STRANGE:
        return "it speaks of what the passage does not"
    if any(asks.search(question) and not fits.search(candidate.answer) for asks, fits in _KINDS):
        return "the answer is of another kind"
    if any(alike(question, other) for other in (*asked, *(one.question for one in _prompt().examples))):
        return "there is such a question already"
    return ""


def alike(one: str, other: str) -> bool:
    """Whether two questions are nearly the same one: by the share of their content words they have in common."""
    a, b = content(one), content(other)
    return bool(a | b) and len(a & b) / len(a | b) >= ALIKE


def content(text: str) -> set[str]:
    """The words of a text that carry its meaning, without plural s."""
    empty = _words("empty")
    words = (word.casefold() for word in _WORD.findall(text))
    return {word[:-1] if len(word) > 3 and word.endswith("s") else word for word in words if word not in empty}


def _of_document(path: str, pieces: Iterable[Piece]) -> Iterator[Candidate]:
    seen: set[tuple[str, str]] = set()
    for piece in pieces:
        heading = piece.heading.rsplit(" > ", 1)[-1]
        place = f"{path}#{slug(heading)}" if slug(heading) else path
        subject = f"{piece.title} > {piece.heading}" if piece.heading else piece.title
        for fact in sentences(piece.body):
            for answer in answers(fact, piece.body, subject):
                if (fact, answer) not in seen:  # passages overlap
                    seen.add((fact, answer))
                    yield Candidate(place, subject, fact, answer, piece.body)


def sentences(text: str) -> Iterator[str]:
    """The whole sentences of a text that read as prose: no code, badges, tables or addresses."""
    text = _FENCED.sub("\n\n", _LINK.sub(r"\1", text))
    for paragraph in _PARAGRAPH.split(text):
        lines = [line for line in paragraph.splitlines() if not line.lstrip().startswith("#")]
        flat = re.sub(r"\*\*|__|~~|``", lambda mark: "`" if mark[0] == "``" else "", " ".join(" ".join(lines).split()))
        flat = flat.lstrip("-*+> ")
        for sentence in _SENTENCE.split(flat):
            if 4 <= len(sentence.split()) <= 45 and sentence[-1:] in ".!" and not _UNREADABLE.search(sentence):
                yield sentence


def answers(fact: str, passage: str, subject: str) -> list[str]:
    """Short stretches of a sentence that can be an answer: code, quotes, numbers with their unit, names."""
    known, made = subject.casefold(), []
    for pattern in _ANSWERS:
        for found in pattern.finditer(fact):
            answer = _bare(found[1])
            fits = _ANSWER.fullmatch(answer) and answer.count("(") == answer.count(")")
            fits = fits and not (answer.isdigit() and _NUMBERED.search(fact[: found.start()]))
            fits = bool(fits) and 0 < len(answer) <= LONGEST_ANSWER and len(answer.split()) <= 6
            if fits and answer in passage and answer.casefold() not in known and answer not in made:
                made.append(answer)
    return made[:A_FACT]


def _bare(found: str) -> str:
    """An answer without signs around it, and without a word behind its number that is no unit."""
    answer = found.strip(" .,;:")
    number, _, unit = answer.partition(" ")
    return number if re.match(r"[$€£]?\d", number) and unit.casefold() in _words("empty") else answer


def _related(words: set[str], others: set[str]) -> bool:
    """Whether a word stands in both, also in another form ("designs", "designed")."""
    return any(one == two or (len(one) > 4 and one[:5] == two[:5]) for one in words for two in others)


def _names(fact: str) -> set[str]:
    """The content words of a sentence that are written as names or code: what it can be about beside its heading."""
    return content(" ".join(re.findall(r"`[^`]+`|\b[A-Z][\w-]+", fact)))
