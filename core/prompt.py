"""The prompt of every arm, from the one prompt file. Knows no chat template: that is the model's own.

The order is instruction, passages, question: so a second question over the same passages reuses their prefix.
"""

import tomllib
from collections.abc import Sequence
from functools import cache
from typing import Any

from core.paths import ROOT

Message = dict[str, str]  # {"role": "system" | "user" | "assistant", "content": ...}


@cache
def _texts() -> dict[str, Any]:
    return tomllib.loads((ROOT / "core" / "prompt.toml").read_text(encoding="utf-8"))


def messages(
    question: str, passages: Sequence[str] | None = None, *, task: str = "answer", pinned: str | None = None
) -> tuple[Message, ...]:
    """The chat for one question.

    `passages`: best first, numbered from 1; None or empty leaves the block out.
    `pinned`: text put into the instruction by hand (the prompt-only arm). `task`: "answer" or "ticket".
    """
    texts = _texts()[task]
    system = texts.get("system_with_passages", texts["system"]) if passages else texts["system"]
    system += f"\n{pinned}" if pinned else ""
    if passages:
        numbered = "\n".join(
            texts["passage"].replace("{number}", str(number)).replace("{text}", text)
            for number, text in enumerate(passages, 1)
        )
        user = texts["passages"].replace("{passages}", numbered)
        user += texts["question_with_passages"].replace("{question}", question)
    else:
        user = texts["question"].replace("{question}", question)
    return ({"role": "system", "content": system}, {"role": "user", "content": user})
