"""What the playground suggests asking, and what each question shows. Knows the demo company by its questions only."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core.ask import MAX_QUESTION, OPTIONAL_ARMS


@dataclass(frozen=True)
class Suggestion:
    """A question for the stage. `shows`: what to look at in the four answers."""

    label: str
    question: str
    shows: str


SUGGESTIONS = (
    Suggestion(
        "A price that changed",
        "How much does the Tidal Press cost?",
        "The price changed after the training day. Retrieval reads today's; the fine-tune alone remembers the old one; "
        "the base alone can only guess.",
    ),
    Suggestion(
        "A fact that did not change",
        "Which material is the Quarry Grinder made of?",
        "The fine-tune learnt it, retrieval finds it, the base alone cannot know it.",
    ),
    Suggestion(
        "No document answers it",
        "Who is the goalkeeper of the Brightwater football team?",
        "Watch who admits not knowing and who makes something up.",
    ),
    Suggestion(
        "Voice",
        "I had to wait for a week and nobody wrote back.",
        "Only the fine-tune speaks in the company's voice: prompts ask for it, weights keep to it.",
    ),
    Suggestion(
        "General knowledge",
        "What is the capital of France?",
        "Has the fine-tune forgotten what its base knows? It should not.",
    ),
)


@dataclass(frozen=True)
class Opening:
    """How a link asks the playground to open. A link is untrusted: what cannot be used is left out."""

    question: str = ""
    shows: str = ""
    extra_arms: tuple[str, ...] = ()


def opening(section: Mapping[str, Any]) -> Opening:
    """The `playground` section of a scenario, checked."""
    question, arms = section.get("question"), section.get("extra_arms")
    text = question[:MAX_QUESTION] if isinstance(question, str) else ""
    known = tuple(arm for arm in OPTIONAL_ARMS if isinstance(arms, list) and arm in arms)
    return Opening(text, next((one.shows for one in SUGGESTIONS if one.question == text), ""), known)
