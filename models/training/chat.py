"""The chats that training, benchmarks and cards read: the bundled project's own instruction. Knows no tokens."""

from collections.abc import Sequence

from core.project import bundled
from core.project.instruction import Message

PROJECT = "brightwater"


def messages(
    question: str, passages: Sequence[str] | None = None, *, task: str = "answer", pinned: str | None = None
) -> tuple[Message, ...]:
    """The chat for one question. `task`: a class of question with an instruction of its own, such as "ticket"."""
    return bundled.all_bundled()[PROJECT].instruction_for(task).messages(question, passages or (), pinned=pinned)
