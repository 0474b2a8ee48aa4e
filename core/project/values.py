"""What a project holds, as plain data, checked. Knows no storage, no model file and no screen."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from core import addresses, arms, checks
from core.arms import Arm
from core.errors import Problem
from core.project.instruction import Instruction
from core.text import one_line

ID: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,47}")
LONGEST_TITLE: Final = 80
MOST_MODELS: Final = 6
MOST_CHECKS: Final = 20
MOST_SCENES: Final = 20
LONGEST_LINE, LONGEST_SPEECH = 500, 2_000  # characters of a scene's question, edit, answer; of what is said and seen
CheckKind = Literal["voice", "contains", "regex", "json-schema", "label", "max-words", "max-ms"]


@dataclass(frozen=True)
class Model:
    """A model of the project. `file`: what the catalog knows it by (its id, a role, or the path of a GGUF).

    `base`: the project's model that it was fine-tuned from; only such a model has a fine-tuning effect. `adapter`: the
    path of a LoRA GGUF over `file`. `endpoint`: the address of an OpenAI-compatible server, where `file` is the name
    the server knows it by; `key_variable`: the environment variable that holds its key; `offer`: its entry in the price
    catalogue, so that its answers have a cost.
    """

    id: str
    title: str
    file: str
    base: str | None = None
    adapter: str | None = None
    template: str | None = None
    stop: tuple[str, ...] = ()
    endpoint: str | None = None
    key_variable: str | None = None
    offer: str | None = None


@dataclass(frozen=True)
class Check:
    """A rule of the project's own for every reply, or for those of some `classes` of question.

    `value` by kind: voice: how a reply begins (`closing`: and ends); contains: a text; regex: a regular expression;
    json-schema: a schema; label: the allowed labels, separated by |; max-words, max-ms: a number. `negated`: must not.
    What each means is in core.checks.
    """

    name: str
    kind: CheckKind
    value: str = ""
    closing: str = ""
    classes: tuple[str, ...] = ()
    negated: bool = False


@dataclass(frozen=True)
class FreeText:
    """How answers longer than a value are scored: right when `metric` (a likeness of core/evaluation/metrics.py)
    reaches `threshold`, for questions of facts without graders whose answer has more than `words` words."""

    metric: str = "token_f1"
    threshold: float = 0.5
    words: int = 6


@dataclass(frozen=True)
class Suggestion:
    """A question for the stage. `shows`: what to look at in the answers.

    `answer`, `variants`, `documents` (where it stands), `values` (snapshot -> answer), `cls`: what is right, as in a
    question set; empty: not known.
    """

    label: str
    question: str
    shows: str = ""
    answer: str = ""
    variants: tuple[str, ...] = ()
    values: dict[str, str] = field(default_factory=dict)
    cls: str = ""
    documents: tuple[str, ...] = ()


@dataclass(frozen=True)
class Scene:
    """One scene of the guided story: a question, what to say, an edit before it, and what each arm should do.

    `question`: empty, the audience asks its own. `document`, `old`, `new`: the words of a document that become others
    while the scene lasts; `answer`: what is right then, where it is not what the project knows. `claims`: arm -> kinds
    of core/marks.py, voice or no-voice, separated by spaces; the arms it names are on stage, all when it names none.
    """

    title: str
    question: str = ""
    say: str = ""
    look: str = ""
    document: str = ""
    old: str = ""
    new: str = ""
    answer: str = ""
    claims: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Project:
    """All that one studies, but for documents, question sets and results, which are kept beside it.

    `tasks`: a class of question -> its own instruction. `snapshots`: dated views of the bundled documents, today's
    first. `pinned`: what arms with the context "pinned" put into the prompt. `folder`: where a bundled project's files
    lie. `made`, `changed`: UTC, ISO 8601.
    """

    id: str
    title: str
    about: str = ""
    instruction: Instruction = field(default_factory=Instruction)
    tasks: dict[str, Instruction] = field(default_factory=dict)
    models: tuple[Model, ...] = ()
    arms: tuple[Arm, ...] = ()
    checks: tuple[Check, ...] = ()
    free_text: FreeText | None = None
    suggestions: tuple[Suggestion, ...] = ()
    story: tuple[Scene, ...] = ()
    pinned: str = ""
    dollars_per_hour: float = 0.10
    scenario: dict[str, Any] = field(default_factory=dict)
    snapshots: tuple[str, ...] = ()
    folder: str = ""
    bundled: bool = False
    owner: str = ""
    shared: bool = True
    made: str = ""
    changed: str = ""

    def model(self, model_id: str) -> Model:
        """The model of that id. Raises Problem."""
        for model in self.models:
            if model.id == model_id:
                return model
        known = ", ".join(model.id for model in self.models) or "none yet"
        raise Problem(f"This project has no model '{one_line(model_id, 60)}'. Models: {known}.")

    @property
    def bases(self) -> dict[str, str | None]:
        """Model -> the one it was fine-tuned from, if any."""
        return {model.id: model.base for model in self.models}

    def arm(self, name: str) -> Arm:
        """The project's arm of that name, or the one that `MODEL+CONTEXT` writes. Raises Problem."""
        for arm in self.arms:
            if arm.name == name:
                return arm
        made = arms.parse(name)
        self.model(made.model)
        return made

    def choose(self, names: Iterable[str] = ()) -> tuple[Arm, ...]:
        """The arms of these names, all of the project's when none is named. Raises Problem."""
        wanted = [name for name in names if name.strip()]
        chosen = tuple(self.arm(name.strip()) for name in wanted) or self.arms
        arms.check(chosen)
        return chosen

    def every_arm(self) -> tuple[Arm, ...]:
        """The project's arms, then every other one that its models and the contexts make."""
        names = {arm.name for arm in self.arms}
        further = [Arm(model.id, context) for model in self.models for context in arms.CONTEXTS]
        return (*self.arms, *(arm for arm in further if arm.name not in names))

    def title_of(self, arm: Arm) -> str:
        """An arm's name for people: "SmolLM2 135M + retrieval"."""
        if arm.label:
            return arm.label
        model = next((model.title for model in self.models if model.id == arm.model), arm.model)
        words = arms.CONTEXT_WORDS[arm.context]
        return f"{model} + {words}" if words else model

    def instruction_for(self, task: str) -> Instruction:
        """The instruction of a class of question."""
        return self.tasks.get(task, self.instruction)

    def check(self) -> None:
        """Raises Problem, naming what is wrong, on a project that cannot be used."""
        if not ID.fullmatch(self.id):
            raise Problem("A project's id is made of small letters, digits and hyphens, at most 48.")
        if not self.title.strip() or len(self.title) > LONGEST_TITLE:
            raise Problem(f"A project needs a title of at most {LONGEST_TITLE} characters.")
        for instruction in (self.instruction, *self.tasks.values()):
            instruction.check()
        _check_models(self.models)
        if self.arms:
            arms.check(self.arms)
            for arm in self.arms:
                self.model(arm.model)
        if self.free_text and not (0 < self.free_text.threshold <= 1 and 0 <= self.free_text.words <= 1_000):
            raise Problem("The threshold for free text lies above 0 and at most at 1, its words between 0 and 1,000.")
        if self.free_text:
            from core.evaluation import graders

            graders.similar(self.free_text.metric, self.free_text.threshold)
        _check_scenes(self.story)
        if len(self.checks) > MOST_CHECKS:
            raise Problem(f"{len(self.checks)} checks are too many; at most {MOST_CHECKS} are taken.")
        names = [check.name for check in self.checks]
        if double := [name for name in names if names.count(name) > 1]:
            raise Problem(f"Two checks are named '{one_line(double[0], 60)}': give each a name of its own.")
        for check in self.checks:
            checks.usable(check)


def _check_scenes(scenes: tuple[Scene, ...]) -> None:
    """The form of a story; whether it can be told by this project's arms is in core/story.py."""
    if len(scenes) > MOST_SCENES:
        raise Problem(f"{len(scenes)} scenes are too many; a story has at most {MOST_SCENES}.")
    for number, scene in enumerate(scenes, 1):
        if not scene.title.strip() or len(scene.title) > LONGEST_TITLE:
            raise Problem(f"Scene {number} needs a title of at most {LONGEST_TITLE} characters.")
        name = f"The scene '{one_line(scene.title, 60)}'"
        for field_name in ("question", "document", "old", "new", "answer", "say", "look"):
            most = LONGEST_SPEECH if field_name in ("say", "look") else LONGEST_LINE
            if len(getattr(scene, field_name)) > most:
                raise Problem(f"{name}: '{field_name}' has more than {most:,} characters. Shorten it.")
        if len(scene.claims) > arms.MOST_ARMS or any(len(arm + kinds) > 200 for arm, kinds in scene.claims.items()):
            raise Problem(f"{name} claims something of too many arms, or at too great length.")


def _check_models(models: tuple[Model, ...]) -> None:
    if len(models) > MOST_MODELS:
        raise Problem(f"{len(models)} models are too many; a project has at most {MOST_MODELS}.")
    ids = [model.id for model in models]
    for model in models:
        if not arms.MODEL_ID.fullmatch(model.id):
            raise Problem(f"A model's id is letters, digits, dots and hyphens, not '{one_line(model.id, 60)}'.")
        if ids.count(model.id) > 1:
            raise Problem(f"Two models have the id '{model.id}'.")
        if not model.file:
            raise Problem(f"The model '{model.id}' names no file.")
        if model.base is not None and (model.base not in ids or model.base == model.id):
            raise Problem(f"The model '{model.id}' names a base that the project does not have: {model.base}.")
        if model.endpoint is not None:
            check_endpoint(model)
            if model.offer and len(model.offer) > LONGEST_TITLE:
                raise Problem(f"The model '{model.id}' names a price that is no entry of a catalogue.")
        elif model.offer:
            raise Problem(f"The model '{model.id}' runs here: only one at an endpoint has a price by the token.")


def check_endpoint(model: Model) -> None:
    """Raises Problem on an endpoint that cannot be asked: its address, its name there, its key's variable."""
    addresses.check(model.endpoint or "")
    if not model.file.strip():
        raise Problem(f"The model '{model.id}' needs the name by which its server knows it.")
    addresses.check_variable(model.key_variable)
    if model.adapter or model.template:
        raise Problem(f"'{one_line(model.title, 60)}' is at an endpoint, which has its own adapters and template.")
