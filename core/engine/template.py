"""A chat to prompt pieces by the model's own template. Trusts neither the template nor the texts; knows no tokens.

The template never sees the texts: it renders unique marks in their place, and the result is split at the marks. So the
template's own pieces may hold control tokens, and a user's text never can.

It runs in a worker, whose deadline and memory limit stop a template that loops or swells.
"""

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from jinja2 import TemplateError
from jinja2.ext import loopcontrols
from jinja2.sandbox import ImmutableSandboxedEnvironment

Message = dict[str, str]

CHOSEN_NOTE = "The chat template '{}' was chosen for this model, instead of one of its file."
FALLBACK_NOTE = "The file has no usable chat template; a plain one of ours is used, so answers may suffer."
MERGED_NOTE = "The model's template takes no system message: it was put before the user's text."
MAX_RENDERED = 1_000_000  # characters of template text around the marks


@dataclass(frozen=True)
class Piece:
    """A stretch of the prompt. `trusted`: from the template, so control tokens in it are meant."""

    text: str
    trusted: bool


@dataclass(frozen=True)
class Rendered:
    """The prompt in pieces, and a note when it is not simply what the model's template made."""

    pieces: tuple[Piece, ...]
    note: str | None = None

    @property
    def text(self) -> str:
        """The exact prompt, as text."""
        return "".join(piece.text for piece in self.pieces)


class ChatTemplate:
    """`source`: the Jinja template, or None. `bos`, `eos`: their texts. `note`: told with prompts."""

    def __init__(self, source: str | None, bos: str = "", eos: str = "", note: str | None = None) -> None:
        self._names, self._note = {"bos_token": bos, "eos_token": eos}, note
        self._compiled = None
        if source:
            environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True, extensions=[loopcontrols])
            environment.globals["raise_exception"] = _raise
            environment.globals["strftime_now"] = lambda form: datetime.now().strftime(form)
            try:
                self._compiled = environment.from_string(source)
            except (TemplateError, RecursionError, ValueError, OverflowError, MemoryError, TypeError):
                self._compiled = None

    def render(self, messages: Sequence[Message]) -> Rendered:
        """The prompt of a chat, up to where the model speaks."""
        if self._compiled is not None:
            pieces = self._try(messages)
            if pieces is not None:
                return Rendered(pieces, self._note)
            merged = _without_system(messages)
            pieces = self._try(merged) if merged != list(messages) else None
            if pieces is not None:
                return Rendered(pieces, MERGED_NOTE)
        return Rendered(_fallback(messages), FALLBACK_NOTE)

    def _try(self, messages: Sequence[Message]) -> tuple[Piece, ...] | None:
        marks = [f"\ue000{secrets.token_hex(8)}\ue001" for _ in messages]
        marked = [{**message, "content": mark} for message, mark in zip(messages, marks, strict=True)]
        assert self._compiled is not None
        try:
            made = self._compiled.render(messages=marked, add_generation_prompt=True, **self._names)
        except Exception:
            # A template is a foreign program: whatever it raises, the answer is the same - it cannot be used as it is.
            return None
        if len(made) > MAX_RENDERED or any(mark not in made for mark in marks):
            return None
        return _split(made, dict(zip(marks, (message["content"] for message in messages), strict=True)))


def _raise(message: str) -> None:
    raise TemplateError(message)


def _split(made: str, contents: dict[str, str]) -> tuple[Piece, ...]:
    pieces = []
    for part in re.split(f"({'|'.join(contents)})", made):
        pieces.append(Piece(contents[part], False) if part in contents else Piece(part, True))
    return tuple(piece for piece in pieces if piece.text)


def _without_system(messages: Sequence[Message]) -> list[Message]:
    """System text put in front of the first user message."""
    system = "\n\n".join(message["content"] for message in messages if message["role"] == "system")
    rest = [dict(message) for message in messages if message["role"] != "system"]
    if system and rest:
        rest[0]["content"] = f"{system}\n\n{rest[0]['content']}"
    return rest


def _fallback(messages: Sequence[Message]) -> tuple[Piece, ...]:
    pieces = []
    for message in messages:
        pieces += [Piece(f"{message['role'].capitalize()}: ", True), Piece(message["content"], False)]
        pieces.append(Piece("\n\n", True))
    return (*pieces, Piece("Assistant:", True))
