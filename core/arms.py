"""An arm: one model under one way of giving it context. Plain data; knows no engine, no project and no screen.

Written `base`, `base+pinned`, `base+retrieval`, `fine-tuned+perfect`: the model's id in its project, and the context.
No other module takes such a text apart.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Literal, get_args

from core.engine import Sampling
from core.errors import Problem
from core.text import one_line

Context = Literal["closed", "pinned", "retrieval", "perfect"]
CONTEXTS: Final[tuple[Context, ...]] = get_args(Context)
MOST_ARMS: Final = 8
MOST_FILTERS: Final = 10
CONTEXT_WORDS: Final = {"closed": "", "pinned": "pinned text", "retrieval": "retrieval", "perfect": "right passages"}
MODEL_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_LIMITS: Final = (
    ("temperature", 0.0, 2.0),
    ("top_p", 0.0, 1.0),
    ("min_p", 0.0, 1.0),
    ("repeat_penalty", 0.0, 2.0),
    ("top_k", 0, 1000),
    ("seed", 0, 2**32 - 1),
    ("max_tokens", 1, 4096),
)


@dataclass(frozen=True)
class Search:
    """How an arm finds its passages. `weight` and `threshold`: None takes the knowledge base's own (see its Settings).

    `folder`: only documents in it or below. `metadata`: (name, value), only documents with all of them. `snapshot`: a
    dated view of the documents, None for the current one. `hops`: with 2 a second hop adds up to two passages.
    """

    top_k: int = 3
    mode: str = "hybrid"
    weight: float | None = None
    threshold: float | None = None
    folder: str = ""
    metadata: tuple[tuple[str, str], ...] = ()
    snapshot: str | None = None
    hops: int = 1

    @property
    def filters(self) -> dict[str, str] | None:
        """Folder and metadata as the knowledge base takes them."""
        return {**dict(self.metadata), **({"folder": self.folder} if self.folder.strip("/ ") else {})} or None


@dataclass(frozen=True)
class Arm:
    """One model under one context. `label`: its name where two arms share both; else the name is `model+context`.

    `system`, `system_with_passages`: instead of the project's instruction, None keeps it. `pinned`: the text that the
    context `pinned` puts into the instruction. `repeats`: how often an evaluation asks each question.
    """

    model: str = "base"
    context: Context = "closed"
    label: str = ""
    system: str | None = None
    system_with_passages: str | None = None
    pinned: str | None = None
    search: Search = field(default_factory=Search)
    sampling: Sampling = field(default_factory=Sampling)
    repeats: int = 1

    @property
    def name(self) -> str:
        """What tells it from the other arms of its project."""
        return self.label or self.id

    @property
    def id(self) -> str:
        """`model`, or `model+context`."""
        return self.model if self.context == "closed" else f"{self.model}+{self.context}"

    @property
    def retrieves(self) -> bool:
        """Whether it searches the knowledge base."""
        return self.context == "retrieval"

    @property
    def has_passages(self) -> bool:
        """Whether its model reads passages, found or given."""
        return self.context in ("retrieval", "perfect")


def parse(text: str) -> Arm:
    """The arm written `model` or `model+context`. Raises Problem."""
    model, plus, context = text.strip().partition("+")
    if plus and context not in CONTEXTS:
        raise Problem(f"Unknown arm {one_line(text, 80)}: the context must be one of {', '.join(CONTEXTS)}.")
    if not MODEL_ID.fullmatch(model):
        raise Problem(
            f"Unknown arm {one_line(text, 80) or '(none)'}. Write it MODEL or MODEL+CONTEXT, as base+retrieval."
        )
    return Arm(model, context or "closed")  # type: ignore[arg-type]  # checked just above


def parse_all(texts: Iterable[str]) -> tuple[Arm, ...]:
    """Each text's arm, in order."""
    return tuple(parse(text) for text in texts)


DEFAULT: Final = parse_all(("base", "base+retrieval", "fine-tuned", "fine-tuned+retrieval"))


def with_search(arms: Sequence[Arm], search: Search) -> tuple[Arm, ...]:
    """`arms`, those that retrieve with `search`; each keeps its own dated view of the documents."""
    return tuple(
        replace(arm, search=replace(search, snapshot=arm.search.snapshot)) if arm.retrieves else arm for arm in arms
    )


def check(arms: Sequence[Arm], most: int = MOST_ARMS) -> None:
    """Raises Problem on arms that cannot be run together."""
    if not arms:
        raise Problem("No arm is chosen: choose at least one.")
    if len(arms) > most:
        raise Problem(f"{len(arms)} arms are too many; at most {most} run together.")
    names = [arm.name for arm in arms]
    if double := [name for name in names if names.count(name) > 1]:
        raise Problem(f"Two arms are named '{one_line(double[0], 60)}': give each a name of its own.")
    for arm in arms:
        _check_one(arm)


def _check_one(arm: Arm) -> None:
    if not MODEL_ID.fullmatch(arm.model) or arm.context not in CONTEXTS:
        raise Problem(f"Unknown arm {one_line(arm.id, 80)}.")
    if not 1 <= arm.search.top_k <= 20:
        raise Problem(f"top-k must lie between 1 and 20, not {arm.search.top_k}.")
    if arm.search.hops not in (1, 2):
        raise Problem(f"hops must be 1 or 2, not {arm.search.hops}.")
    if len(arm.search.metadata) > MOST_FILTERS:
        raise Problem(f"{len(arm.search.metadata)} metadata filters are too many; at most {MOST_FILTERS} are taken.")
    for name in ("weight", "threshold"):
        share = getattr(arm.search, name)
        if share is not None and not 0 <= share <= 1:
            raise Problem(f"{name} must lie between 0 and 1, not {share}.")
    if not 1 <= arm.repeats <= 20:
        raise Problem(f"repeats must lie between 1 and 20, not {arm.repeats}.")
    for name, low, high in _LIMITS:
        value = getattr(arm.sampling, name)
        if not low <= value <= high:  # also false for NaN
            raise Problem(f"{name.replace('_', ' ')} must lie between {low} and {high}, not {value}.")
