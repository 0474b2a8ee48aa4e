"""What an evaluation says, as typed records: the report, its arms, pairs, effects and rows. Reads what was stored.

Knows the shapes and their JSON; scores nothing. A field of a newer version has a default, so that older reports read.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Struct, field

from core.errors import Problem
from core.evaluation.run import Options, Reply, options_from
from core.evaluation.sequential import Watched
from core.evaluation.statistics import Accuracy, Difference, Effects, Mean
from core.records import ModelIdentity, Timing, Tokens
from core.text import one_line

Metrics = dict[str, dict[str, dict[str, Mean]]]  # arm -> class -> metric


class Row(Struct, frozen=True, kw_only=True):
    """One reply with its scores.

    `right`: by the rule of its class or its question's graders (`grader` names it, `why` tells what it saw; `share`: of
    several facts or rules). `stale`: it states another snapshot's value. `near`: the accepted number stands in it, with
    another unit or after others. `hit`: a retrieved passage holds the answer (of several documents: each was retrieved;
    where a section is marked: a passage of it was), None when nothing was to be retrieved; `holding`: the numbers of
    those passages, from 1. `cites`: only passages that exist. `cause`: of a wrong reply, and why it was given. `cost`:
    dollars. `file_sha256`: of the model's file.
    """

    number: int
    repeat: int = 0
    question: str
    cls: str
    group: str
    arm: str
    model: str = ""
    context: str = "closed"
    expected: str
    reply: str
    problem: str | None
    right: bool
    reviewed: bool = True
    grader: str = ""
    share: float | None = None
    why: str = ""
    cause: str | None = None
    cause_why: str = ""
    voice: bool | None = None
    abstained: bool = False
    stale: bool = False
    near: bool = False
    hit: bool | None = None
    holding: tuple[int, ...] = ()
    cites: bool | None = None
    cites_right: bool | None = None
    documents: tuple[str, ...] = ()
    timing: Timing = field(default_factory=Timing)
    tokens: Tokens = field(default_factory=Tokens)
    finish: str | None = None
    file_sha256: str | None = None
    checks: dict[str, bool] = field(default_factory=dict)
    cost: float | None = None
    ticket_valid: bool | None = None
    ticket_class: bool | None = None
    right_training_day: bool | None = None
    right_today: bool | None = None


class ClassResult(Accuracy, frozen=True, kw_only=True):
    """An arm's accuracy in one class, and the shares of what else was scored there (None: does not apply)."""

    voice: Accuracy | None = None
    abstained: Accuracy | None = None
    stale: Accuracy | None = None
    hit: Accuracy | None = None
    cites: Accuracy | None = None
    cites_right: Accuracy | None = None
    ticket_valid: Accuracy | None = None
    ticket_class: Accuracy | None = None
    right_training_day: Accuracy | None = None
    right_today: Accuracy | None = None


class Cost(Struct, frozen=True):
    """Dollars of machine time: of all replies, and for each right one (None: none was right)."""

    total: float = 0.0
    per_right: float | None = None


class ArmResult(Struct, frozen=True, kw_only=True):
    """One arm over all classes. `failed`: replies that never came, and `problems` why. Times (ms), tokens: medians."""

    classes: dict[str, ClassResult]
    failed: int = 0
    problems: tuple[str, ...] = ()
    voice: Accuracy | None = None
    checks: dict[str, Accuracy] = field(default_factory=dict)
    causes: dict[str, int] = field(default_factory=dict)
    timing: dict[str, float | None] = field(default_factory=dict)
    tokens: dict[str, float | None] = field(default_factory=dict)
    cost: Cost = Cost()
    identity: ModelIdentity | None = None


class Settled(Difference, frozen=True, kw_only=True):
    """A paired difference with what it decides.

    `p`: McNemar's. `facts`: independent ones. `discordance`: share of questions that part the two. `decided`: gain,
    loss, or empty. `detectable`: the smallest difference so many facts decide, `needed`: how many decide this one.
    `watched`: the interval that holds at every look, so that a run may be stopped by it.
    """

    p: float = 1.0
    facts: int = 0
    discordance: float = 0.0
    decided: str = ""
    detectable: float | None = None
    needed: int | None = None
    watched: Watched = Watched(0, 0.0, -1.0, 1.0)


class Pair(Settled, frozen=True, kw_only=True, rename={"cls": "class", "first": "from", "second": "to"}):
    """What arm `second` gains over arm `first` in a class."""

    cls: str
    first: str
    second: str


class Split(Effects, frozen=True, kw_only=True):
    """The effect split of one fine-tuned model in one class."""

    model: str = ""


class Dialled(Struct, frozen=True, kw_only=True):
    """An arm with a share `wrong` of its passages swapped for near misses, over the questions of facts.

    `held`: the share of questions whose answer stood in the passages; `loss`: of accuracy against no wrong passage,
    paired; None at that share.
    """

    arm: str
    wrong: float
    accuracy: Accuracy
    abstained: Accuracy
    held: Accuracy
    loss: Difference | None = None


class Report(Struct, frozen=True, kw_only=True):
    """Everything that can be said of a run, complete or so far.

    `arms`, `titles`: by the arm's name; `effects`: by class; `dial`: where passages were swapped for near
    misses. `snapshot`: the day on which answers must be right.
    """

    id: str = ""
    project: str = ""
    name: str = ""
    made: str = ""
    state: str = ""
    options: Options | None = None
    questions: int = 0
    unreviewed: int = 0
    snapshot: str | None = None
    arms: dict[str, ArmResult]
    titles: dict[str, str] = field(default_factory=dict)
    pairs: tuple[Pair, ...] = ()
    effects: dict[str, Split] = field(default_factory=dict)
    rows: tuple[Row, ...]
    dial: tuple[Dialled, ...] = ()


def replies(rows: Sequence[Mapping[str, Any]]) -> list[Reply]:
    """A run's rows as they were stored, of this version or an older one. Raises Problem when they are none."""
    try:
        return msgspec.convert(rows, list[Reply])
    except msgspec.ValidationError as error:
        raise Problem(f"An evaluation's replies cannot be read ({one_line(str(error), 160)}).") from error


def report_from(text: str | bytes) -> Report:
    """A report as `core evaluate --json` wrote it, of this version or an older one. Raises Problem when it is none."""
    try:
        raw = msgspec.json.decode(text)
        if raw.get("options"):
            raw["options"] = options_from(raw["options"])
        return msgspec.convert(raw, Report)
    except (msgspec.MsgspecError, UnicodeError, AttributeError, KeyError, TypeError) as error:
        raise Problem(f"This is no evaluation's JSON ({one_line(str(error), 160)}).") from error
