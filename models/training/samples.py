"""A training sample: a chat and the answer it should get. Knows the model's chat template; knows no company."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.errors import Problem
from core.project.instruction import Message
from models.training.chat import messages

from .packing import Tokens


@dataclass(frozen=True)
class Sample:
    """`prompt`: the chat up to the answer; `completion`: the answer; `kind`: what it teaches."""

    prompt: tuple[Message, ...]
    completion: str
    kind: str = "own"


Group = tuple[Sample, ...]  # samples that share a context, packed together


def tokens(sample: Sample, tokenizer: Any, limit: int) -> Tokens:
    """The sample in token ids, its completion closed by the end-of-turn token. Raises `Problem` over `limit` tokens."""
    text = tokenizer.apply_chat_template(list(sample.prompt), add_generation_prompt=True, tokenize=False)
    prompt = tokenizer(text, add_special_tokens=False).input_ids
    completion = [*tokenizer(sample.completion, add_special_tokens=False).input_ids, tokenizer.eos_token_id]
    if len(prompt) + len(completion) > limit:
        raise Problem(
            f"A sample has {len(prompt) + len(completion)} tokens, the limit is {limit}: {sample.completion[:60]!r}"
        )
    return Tokens(tuple(prompt), tuple(completion))


def read_jsonl(path: Path) -> list[Sample]:
    """The user's own data: one JSON object a line with `prompt` and `completion` (strings), optionally `passages`.

    Or with `messages`, a whole chat whose last message is the assistant's: what is trained then is that chat's own
    instruction. Raises `Problem` naming the line that cannot be used.
    """
    if not path.is_file():
        raise Problem(f"No data file at {path}.")
    samples = []
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError as error:
        raise Problem(f"{path.name} is not UTF-8 text (byte {error.start}).") from error
    for number, line in enumerate(lines, 1):
        if line.strip():
            samples.append(_sample(line, f"{path.name}, line {number}"))
    if not samples:
        raise Problem(f"{path.name} holds no samples: one JSON object a line with prompt and completion.")
    return samples


def _sample(line: str, where: str) -> Sample:
    try:
        row = json.loads(line)
    except ValueError as error:
        raise Problem(f"{where}: not JSON ({error}).") from error
    if isinstance(row, dict) and "messages" in row:
        return _chat(row["messages"], where)
    prompt, completion = (row.get("prompt"), row.get("completion")) if isinstance(row, dict) else (None, None)
    if not (isinstance(prompt, str) and prompt.strip() and isinstance(completion, str) and completion.strip()):
        raise Problem(f"{where}: needs the strings prompt and completion, both not empty.")
    passages: Sequence[str] = row.get("passages") or ()
    if not (isinstance(passages, list | tuple) and all(isinstance(text, str) for text in passages)):
        raise Problem(f"{where}: passages must be a list of strings.")
    return Sample(messages(prompt, passages), completion)


def _chat(chat: Any, where: str) -> Sample:
    whole = isinstance(chat, list) and len(chat) > 1 and all(isinstance(turn, dict) for turn in chat)
    if not (whole and all(isinstance(turn.get(key), str) for turn in chat for key in ("role", "content"))):
        raise Problem(f"{where}: messages must be a list of at least two objects with the strings role and content.")
    *prompt, last = [{"role": turn["role"], "content": turn["content"]} for turn in chat]
    if last["role"] != "assistant" or not last["content"].strip():
        raise Problem(f"{where}: the last message must be the assistant's, and not empty.")
    return Sample(tuple(prompt), last["content"])
