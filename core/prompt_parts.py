"""Of what a prompt's tokens are: instruction, history, passages, question. Counted on demand; knows no screen.

Each part is counted as the model's tokenizer splits it by itself, so that at a border one token may belong to either
side; what is left over (instruction, examples, the chat form's own signs) counts as the instruction.
"""

from collections.abc import Callable
from dataclasses import replace

from core.project import Project
from core.records import ArmRecord, PromptParts, RunRecord

Count = Callable[[str, str], int | None]  # model id, text -> tokens; None where they cannot be counted (an endpoint)


def with_parts(project: Project, record: RunRecord, count: Count) -> RunRecord:
    """The run, each arm that has a prompt with its parts."""
    instruction = project.instruction_for(record.settings.task)
    chosen = {arm.name: arm for arm in record.settings.arms}

    def parted(arm: ArmRecord) -> ArmRecord:
        if arm.tokens.prompt is None or not arm.prompt:
            return arm
        texts = [passage.text for passage in arm.passages]
        turns = [(turn.question, turn.answer) for turn in arm.history]
        last = instruction.messages(record.question, texts, arm=chosen.get(arm.arm), history=turns)[-1]["content"]
        sizes = [
            count(arm.model_id, text) for text in (record.question, last, *(part for turn in turns for part in turn))
        ]
        if any(size is None for size in sizes):
            return arm
        question, whole, *history = [size or 0 for size in sizes]
        passages = max(whole - question, 0) if texts else 0
        rest = max(arm.tokens.prompt - question - passages - sum(history), 0)
        return replace(arm, parts=PromptParts(rest, sum(history), passages, question))

    return replace(record, arms=tuple(map(parted, record.arms)))
