"""Chat forms to choose from for a file that has no template, or a wrong one. Data; knows no model and renders nothing.

Each is the public form of a family of models, written in our own words, with the strings at which its answers end.
"""

from dataclasses import dataclass
from typing import Final

from core.errors import Problem
from core.text import one_line


@dataclass(frozen=True)
class ChatForm:
    """`source`: a Jinja template over `messages`. `stop`: strings that end an answer and are not part of it."""

    source: str
    stop: tuple[str, ...]


def _form(each: str, turn: str, stop: tuple[str, ...], before: str = "") -> ChatForm:
    """`each`: how a message `m` is written; `turn`: what stands before the model's words."""
    end = "{{ '' }}"  # Jinja would drop a template's last newline
    return ChatForm(before + "{% for m in messages %}" + each + "{% endfor %}" + turn + end, stop)


_ROLE: Final = "{% if m['role'] == 'system' %}"
_USER: Final = "{% elif m['role'] == 'user' %}"
_ELSE: Final = "{% else %}"
_END: Final = "{% endif %}"
_TEXT: Final = "{{ m['content'] }}"

FORMS: Final = {
    "chatml": _form(
        "<|im_start|>{{ m['role'] }}\n" + _TEXT + "<|im_end|>\n", "<|im_start|>assistant\n",
        ("<|im_end|>", "<|im_start|>"),
    ),
    "llama-3": _form(
        "<|start_header_id|>{{ m['role'] }}<|end_header_id|>\n\n" + _TEXT + "<|eot_id|>",
        "<|start_header_id|>assistant<|end_header_id|>\n\n", ("<|eot_id|>",), "{{ bos_token }}",
    ),
    "llama-2": _form(
        _ROLE + "[INST] <<SYS>>\n" + _TEXT + "\n<</SYS>>\n\n"
        + _USER + "{% if not (loop.previtem and loop.previtem['role'] == 'system') %}[INST] {% endif %}"
        + _TEXT + " [/INST]" + _ELSE + " " + _TEXT + " {{ eos_token }}" + _END,
        "", ("[INST]",), "{{ bos_token }}",
    ),
    "gemma": _form(
        "<start_of_turn>{{ 'model' if m['role'] == 'assistant' else 'user' }}\n" + _TEXT
        + "<end_of_turn>\n",
        "<start_of_turn>model\n", ("<end_of_turn>",), "{{ bos_token }}",
    ),
    "phi-3": _form(
        "<|{{ m['role'] }}|>\n" + _TEXT + "<|end|>\n", "<|assistant|>\n",
        ("<|end|>", "<|user|>"),
    ),
    "zephyr": _form(
        "<|{{ m['role'] }}|>\n" + _TEXT + "{{ eos_token }}\n", "<|assistant|>\n", ("<|user|>",)
    ),
    "vicuna": _form(
        _ROLE + _TEXT + "\n\n" + _USER + "USER: " + _TEXT + "\n"
        + _ELSE + "ASSISTANT: " + _TEXT + "{{ eos_token }}\n" + _END,
        "ASSISTANT:", ("USER:",),
    ),
    "alpaca": _form(
        _ROLE + _TEXT + "\n\n" + _USER + "### Instruction:\n" + _TEXT + "\n\n"
        + _ELSE + "### Response:\n" + _TEXT + "\n\n" + _END,
        "### Response:\n", ("### Instruction:",),
    ),
    "question-answer": _form(
        _ROLE + _TEXT + "\n\n" + _USER + "Question: " + _TEXT + "\n"
        + _ELSE + "Answer: " + _TEXT + "\n\n" + _END,
        "Answer:", ("\nQuestion:",),
    ),
}  # fmt: skip


def form(name: str) -> ChatForm:
    """The form of that name. Raises Problem."""
    if name not in FORMS:
        raise Problem(f"There is no chat template '{one_line(name, 40)}'. Templates: {', '.join(FORMS)}.")
    return FORMS[name]
