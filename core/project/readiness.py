"""What a project has, what it still lacks, and what already works with it. Pure; knows no store and no screen."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from core.project.values import Project


@dataclass(frozen=True)
class Facts:
    """What lies beside a project's own text. `missing`: a model's id -> why it cannot be loaded yet."""

    documents: int = 0
    questions: int = 0
    missing: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Part:
    """One part of a project: whether it is there, in one sentence, and the page where it is made."""

    name: str
    there: bool
    says: str
    page: str
    optional: bool = False


@dataclass(frozen=True)
class State:
    """A project's parts in the order in which one makes them, and what works now."""

    parts: tuple[Part, ...]
    works: tuple[str, ...]

    @property
    def lacks(self) -> tuple[Part, ...]:
        """What is not there and is needed for something."""
        return tuple(part for part in self.parts if not part.there and not part.optional)


def state(project: Project, facts: Facts) -> State:
    """How far a project is."""
    titles = {model.id: model.title for model in project.models}
    ready = [model for model in project.models if model.id not in facts.missing]
    reading = [arm for arm in project.arms if arm.retrieves]
    usable = [arm for arm in project.arms if arm.model in {model.id for model in ready}]
    parts = (
        Part("documents", bool(facts.documents), _documents(facts.documents, len(reading)), "documents"),
        Part("instruction", True, "The instruction can be used as it is." if _own(project) else NEUTRAL, "setup"),
        Part("models", bool(ready), _models(titles, facts.missing), "setup"),
        Part("arms", bool(project.arms), _arms(project), "setup"),
        Part("questions", bool(facts.questions), _questions(facts.questions), "setup"),
        Part("checks", bool(project.checks), _checks(len(project.checks)), "setup", optional=True),
    )
    works = ["The calculator and the advisor: they need nothing of the project."]
    if facts.documents:
        works.append("Trying questions on the documents: which passages are found.")
    if usable:
        works.append(f"The playground, with {_count(len(usable), 'arm')}.")
    if usable and facts.questions:
        works.append(f"The evaluation, with {_count(facts.questions, 'question')}.")
    return State(parts, tuple(works))


NEUTRAL = "The instruction is the neutral one that every project begins with: put your own words there."


def _own(project: Project) -> bool:
    return project.instruction != Project("x", "x").instruction


def _count(number: int, word: str) -> str:
    return f"{number:,} {word}{'' if number == 1 else 's'}"


def _documents(number: int, reading: int) -> str:
    if number:
        return f"{_count(number, 'document')}."
    return "No documents yet" + (f": {_count(reading, 'arm')} with retrieval will find nothing." if reading else ".")


def _models(titles: Mapping[str, str], missing: Mapping[str, str]) -> str:
    if not titles:
        return "No model yet: nothing can answer."
    waiting = " ".join(f"{titles[name]}: {why}" for name, why in missing.items() if name in titles)
    return f"{_count(len(titles), 'model')}: {', '.join(titles.values())}." + (f" {waiting}" if waiting else "")


def _arms(project: Project) -> str:
    if not project.arms:
        return "No arms yet: say which model answers with which context."
    return f"{_count(len(project.arms), 'arm')}: {', '.join(project.title_of(arm) for arm in project.arms)}."


def _questions(number: int) -> str:
    return f"{_count(number, 'question')}." if number else "No questions yet: nothing can be evaluated."


def _checks(number: int) -> str:
    return f"{_count(number, 'check')}." if number else "No checks of its own: replies count as right or wrong alone."
