"""The text every arm reads: a project's instruction made into a chat. Knows no chat template: that is the model's own.

The order is instruction, passages, question: so a second question over the same passages reuses their prefix.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from core.arms import Arm
from core.errors import Problem

Message = dict[str, str]  # {"role": "system" | "user" | "assistant", "content": ...}
LONGEST: Final = 20_000  # characters of one text
MOST_EXAMPLES: Final = 20


@dataclass(frozen=True)
class Example:
    """A question and the reply wanted, shown to the model before the question it is asked."""

    question: str
    answer: str


@dataclass(frozen=True)
class Instruction:
    """`system`: closed book; `system_with_passages`: with passages (empty: the same text).

    Templates: `passages` holds {passages}, `passage` {number} and {text}, the questions {question}.
    """

    system: str = "Answer the question in one short sentence. If you do not know the answer, say so."
    system_with_passages: str = (
        "Answer the question from the passages alone, in one short sentence with the exact value and its unit. "
        "If they do not hold the answer, say that the documents do not say."
    )
    passages: str = "Passages:\n{passages}\n\n"
    passage: str = "[{number}] {text}"
    question: str = "{question}"
    question_with_passages: str = "Question: {question}"
    examples: tuple[Example, ...] = ()

    def check(self) -> None:
        """Raises Problem on a template that would lose the question or the passages, or a text that is too long."""
        for name, wanted in TEMPLATES.items():
            text = getattr(self, name)
            if missing := [word for word in wanted if word not in text]:
                raise Problem(f"The template '{name.replace('_', ' ')}' must hold {missing[0]}.")
        for name in ("system", "system_with_passages", *TEMPLATES):
            if len(getattr(self, name)) > LONGEST:
                raise Problem(f"'{name.replace('_', ' ')}' is longer than {LONGEST:,} characters. Shorten it.")
        if len(self.examples) > MOST_EXAMPLES:
            raise Problem(f"{len(self.examples)} examples are too many; at most {MOST_EXAMPLES} are taken.")

    def messages(
        self,
        question: str,
        passages: Sequence[str] = (),
        *,
        arm: Arm | None = None,
        pinned: str | None = None,
        history: Sequence[tuple[str, str]] = (),
    ) -> tuple[Message, ...]:
        """The chat for one question.

        `passages`: best first, numbered from 1; none leaves the block out. `arm`: its own texts replace these.
        `pinned`: text put below the instruction by hand (the prompt-only arm). `history`: earlier questions with the
        model's own answers, oldest first; without the passages they were answered from.
        """
        system = arm.system if arm and arm.system is not None else self.system
        if passages:
            own = arm.system_with_passages if arm else None
            system = own if own is not None else (self.system_with_passages or system)
        system += f"\n{pinned}" if pinned else ""
        chat = [{"role": "system", "content": system}] if system else []
        for asked, answer in (*((example.question, example.answer) for example in self.examples), *history):
            chat.append({"role": "user", "content": filled(self.question, {"question": asked})})
            chat.append({"role": "assistant", "content": answer})
        if not passages:
            return (*chat, {"role": "user", "content": filled(self.question, {"question": question})})
        numbered = "\n".join(
            filled(self.passage, {"number": str(number), "text": text}) for number, text in enumerate(passages, 1)
        )
        user = filled(self.passages, {"passages": numbered})
        user += filled(self.question_with_passages, {"question": question})
        return (*chat, {"role": "user", "content": user})


TEMPLATES: Final = {
    "passages": ("{passages}",),
    "passage": ("{text}",),
    "question": ("{question}",),
    "question_with_passages": ("{question}",),
}


def filled(template: str, values: Mapping[str, str]) -> str:
    """`template` with each {name} replaced once; braces in a value stay what they are."""
    pieces = [template]
    for name in values:
        pieces = [part for piece in pieces for part in _split(piece, "{" + name + "}")]
    return "".join(values.get(piece[1:-1], piece) if _is_mark(piece, values) else piece for piece in pieces)


def _split(text: str, mark: str) -> list[str]:
    before, found, after = text.partition(mark)
    return [before, found, *_split(after, mark)] if found else [text]


def _is_mark(piece: str, values: Mapping[str, str]) -> bool:
    return piece[:1] == "{" and piece[-1:] == "}" and piece[1:-1] in values
