"""A run as it is kept, exported and drawn: typed, and the one place that reads and writes its JSON. Runs nothing.

`VERSION` stands in every record. Records written before there was one (their arms were texts, their project the demo)
are read as well.
"""

from dataclasses import dataclass, field
from typing import Any, Final, Literal

import msgspec

from core.arms import Arm, Search, parse
from core.engine import Sampling
from core.errors import Problem

VERSION: Final = 2
FIRST_PROJECT: Final = "brightwater"  # what every run was about before there were projects
Use = Literal["found", "pinned", "out"]


@dataclass(frozen=True)
class Timing:
    """Milliseconds, None where there is none. `ttft_total`: from the click; `ttft_engine`: from the worker's start."""

    ttft_total: float | None = None
    ttft_engine: float | None = None
    embed: float | None = None
    search: float | None = None
    queue: float | None = None
    prefill: float | None = None
    decode: float | None = None
    total: float | None = None
    load: float | None = None
    cold: bool = False
    contended: bool = False

    @property
    def retrieval(self) -> float | None:
        """Embedding and search together; None where nothing was searched."""
        return None if self.embed is None else self.embed + (self.search or 0.0)


@dataclass(frozen=True)
class Tokens:
    """Counts of one answer. `prompt_reused`: of the prompt, what an earlier one had already computed. `copied`: of the
    output, what stood so in the prompt or in an earlier answer, was guessed from there and confirmed by the model."""

    prompt: int | None = None
    prompt_reused: int | None = None
    output: int | None = None
    copied: int | None = None


@dataclass(frozen=True)
class Rates:
    """Tokens a second; None where too short to say."""

    prefill_per_s: float | None = None
    decode_per_s: float | None = None


@dataclass(frozen=True)
class ModelIdentity:
    """Exactly which model answered, and how it ran."""

    id: str = ""
    architecture: str | None = None
    quantization: str | None = None
    file_sha256: str | None = None
    template_sha256: str | None = None
    source_sha256: str | None = None
    recipe: str | None = None
    adapter_sha256: str | None = None
    context: int | None = None
    device: str | None = None
    threads: int | None = None
    gpu_layers: int | None = None
    kind: str | None = None
    batching: bool | None = None
    guessing: bool | None = None
    canary: str | None = None
    note: str | None = None
    peak_memory: int | None = None


@dataclass(frozen=True)
class PassageRecord:
    """One passage an arm was given. `document` is empty for a passage given by hand.

    `pinned`: a person put it there, and `score` is 0 where the search had not found it; `as_found`: its own words,
    where a person edited them for this question. `linked`: of a second hop, the words that led there.
    """

    document: str = ""
    text: str = ""
    score: float = 1.0
    title: str = ""
    heading: str = ""
    start: int | None = None
    end: int | None = None
    chunk: int | None = None
    similarity: float | None = None
    bm25: float | None = None
    pinned: bool = False
    as_found: str = ""
    linked: str = ""


@dataclass(frozen=True)
class PassageChoice:
    """What a person decided about one passage before asking (see core/passages.py): its use, and other words for it.

    `text`: as it was found, or as a person wrote it (then `document` is empty).
    """

    document: str
    text: str
    use: Use = "found"
    edited: str = ""
    title: str = ""
    heading: str = ""
    start: int | None = None
    end: int | None = None


@dataclass(frozen=True)
class RetrievalRecord:
    """How passages were searched: the mode really used, and what a person should know."""

    mode: str
    note: str | None = None


@dataclass(frozen=True)
class Prefill:
    """Prompt tokens read so far."""

    done: int = 0
    total: int = 0


@dataclass(frozen=True)
class TokenRecord:
    """One token of an answer and the natural logarithm of the probability that the model gave it."""

    text: str
    logprob: float


@dataclass(frozen=True)
class TurnRecord:
    """An earlier question of a conversation and what the arm answered."""

    question: str
    answer: str


@dataclass(frozen=True)
class PromptParts:
    """Of what a prompt's tokens are (see core/prompt_parts.py). `instruction`: with examples and the chat form."""

    instruction: int
    history: int
    passages: int
    question: int


@dataclass(frozen=True)
class RepeatRecord:
    """One of several answers of an arm to the same question, each with its whole prompt read.

    `number`: from 0, and by how much its seed is higher than the arm's.
    """

    number: int = 0
    answer: str = ""
    problem: str | None = None
    finish: str | None = None
    timing: Timing = field(default_factory=Timing)
    tokens: Tokens = field(default_factory=Tokens)
    rates: Rates = field(default_factory=Rates)


@dataclass(frozen=True)
class ArmRecord:
    """One arm of a run, complete or so far. `arm`: its name; `model_id`, `context`: what it is; `title`: for people.

    `repeats`: where it was asked several times, every answer, of which the first is also `answer`. `confidence`: the
    answer's tokens, where they were asked for. `history`: the earlier turns that it read, the `history_dropped` oldest
    left out to fit. `parts`: of its prompt, where they were counted.
    """

    arm: str
    state: str
    title: str = ""
    model_id: str = ""
    context: str = "closed"
    answer: str = ""
    problem: str | None = None
    finish: str | None = None
    prompt: str = ""
    queue_position: int = 0
    prefill: Prefill = field(default_factory=Prefill)
    timing: Timing = field(default_factory=Timing)
    tokens: Tokens = field(default_factory=Tokens)
    rates: Rates = field(default_factory=Rates)
    model: ModelIdentity | None = None
    passages: tuple[PassageRecord, ...] = ()
    passages_dropped: int = 0
    passages_left_out: int = 0
    retrieval: RetrievalRecord | None = None
    repeats: tuple[RepeatRecord, ...] = ()
    confidence: tuple[TokenRecord, ...] = ()
    history: tuple[TurnRecord, ...] = ()
    history_dropped: int = 0
    parts: PromptParts | None = None

    @property
    def ended(self) -> bool:
        """Whether nothing more will come."""
        return bool(self.finish or self.problem)


@dataclass(frozen=True)
class RunSettings:
    """How the arms were run. `perfect`: how many right passages were given; `choices`: about passages, by a person.

    `follows`: the run whose conversation this one goes on with.
    `predicted`: arm -> hands of those who said before that it would be right. `blind`: the seed that shuffled unnamed
    panes, None where the panes had their names.
    """

    arms: tuple[Arm, ...]
    way: str
    device: str = "auto"
    gpu_layers: int | None = None
    task: str = ""
    perfect: int = 0
    choices: tuple[PassageChoice, ...] = ()
    repeats: int = 1
    follows: str = ""
    predicted: dict[str, int] = field(default_factory=dict)
    blind: int | None = None


@dataclass(frozen=True)
class Identity:
    """What answers depend on besides question and settings, so that a later day can tell what differs.

    `instruction` and `models` (by id): the first digits of a SHA-256, "" for a model that was not there. `documents`:
    path -> version; of very many one sum under "*".
    """

    instruction: str = ""
    models: dict[str, str] = field(default_factory=dict)
    documents: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class RunRecord:
    """One question to several arms of a project. `made`: UTC, ISO 8601. `identity`: None in runs of older versions."""

    id: str
    made: str
    question: str
    settings: RunSettings
    finished: bool
    arms: tuple[ArmRecord, ...]
    project: str = FIRST_PROJECT
    version: int = VERSION
    identity: Identity | None = None


def plain(record: Any) -> Any:
    """A record as JSON values."""
    return msgspec.to_builtins(record)


def dumps(record: Any) -> str:
    """A record as JSON."""
    return msgspec.json.encode(record).decode()


def run_from(text: str | bytes) -> RunRecord:
    """A stored run, of this version or an older one. Raises Problem when it is none."""
    try:
        raw = msgspec.json.decode(text)
        return msgspec.convert(raw if raw.get("version") else _upgraded(raw), RunRecord)
    except (msgspec.MsgspecError, AttributeError, KeyError, TypeError) as error:
        raise Problem(f"A stored run cannot be read ({error}).") from error


def _upgraded(raw: dict[str, Any]) -> dict[str, Any]:
    """A run of version 1: one search and one sampling for all arms, whose names were texts; no project."""
    old = raw["settings"]
    search = Search(old.get("top_k", 3), old.get("mode", "hybrid"), snapshot=old.get("snapshot"))
    sampling = Sampling(
        temperature=old.get("temperature", 0.0), seed=old.get("seed", 0), max_tokens=old.get("max_tokens", 128)
    )
    arms = [
        Arm(
            one.model,
            one.context,
            pinned=old.get("pinned") if one.context == "pinned" else None,
            search=search,
            sampling=sampling,
        )
        for one in map(parse, old["arms"])
    ]
    settings = {name: old.get(name) for name in ("way", "device", "gpu_layers", "perfect")}
    task = "" if old.get("task", "answer") == "answer" else old["task"]
    made = []
    for arm in raw["arms"]:
        one = parse(arm["arm"])
        made.append(arm | {"model": arm["model"] or None, "model_id": one.model, "context": one.context})
    settings |= {"arms": plain(arms), "task": task, "perfect": old.get("perfect") or 0}
    return raw | {"settings": settings, "arms": made, "version": VERSION, "project": FIRST_PROJECT}
