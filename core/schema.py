"""The JSON Schema of every command's output, as types: what `python -m core schema` prints. Knows no command's code.

An output that is an object carries `version`; it is raised whenever a field is renamed or taken away, or its meaning
changes. Fields may be added without. Inside, records of a run and of an evaluation are typed
whole; others are typed by their outer fields.
"""

from typing import Any, Final, NotRequired, TypedDict

import msgspec

from core.evaluation.beside import Beside
from core.evaluation.gates import Gate
from core.evaluation.judging import Judged, Verdict
from core.evaluation.records import Metrics, Report
from core.evaluation.repeats import Components, Trainings
from core.records import RunRecord

VERSION: Final = 1
Object = dict[str, Any]


class Evaluation(Report, frozen=True, kw_only=True):
    """`evaluate`, `report`: arms by name, pairs of arms worth comparing, the effect split by class, one row a reply."""

    version: int
    gates: tuple[Gate, ...]
    metrics: Metrics | None = None
    beside: tuple[Beside, ...] = ()
    repeats: tuple[Components, ...] = ()
    trainings: tuple[Trainings, ...] = ()


class Voted(TypedDict):
    """`votes`: everything said, and what the votes between answers add up to."""

    version: int
    project: str
    votes: list[Object]
    preferences: Object
    said: list[str]
    to_mark: NotRequired[list[Object]]
    agreement: NotRequired[list[Object]]
    causes: NotRequired[Object]
    added: NotRequired[int]
    deleted: NotRequired[int]


class Judging(Judged, frozen=True, kw_only=True):
    """`judge`: a judge's verdicts and what they add up to, apart from every figure by rules."""

    version: int
    id: str
    evaluation: str
    state: str
    said: list[str]
    rows: list[Verdict]


class Planned(TypedDict):
    """`evaluate --plan`: replies and seconds (low, high), what all questions decide and what those of each class do."""

    version: int
    questions: int
    replies: int
    seconds: list[float]
    time: str
    sentence: str
    whole: Object
    classes: list[Object]


class Swept(TypedDict):
    """`sweep`: every setting tried, best first, with hit@k, MRR, tokens and the paired gain over the present one."""

    version: int
    id: str
    project: str
    state: str
    arm: str
    snapshot: str | None
    sentence: str
    measure: str
    questions: int
    facts: int
    scored: list[Object]
    best: Object
    cheapest: Object
    present: Object | None


class Calculation(TypedDict):
    """`calculate`: the verdict in words, results by approach, what would flip it, what to measure first."""

    version: int
    scenario: Object
    verdict: Object
    recommended: str | None
    possible: list[str]
    too_close: bool
    cheapest: str | None
    fits: Object
    results: dict[str, Object]
    break_even: list[Object]
    flips: list[Object]
    switches: list[Object]
    stability: Object
    measure_first: list[Object]
    worth_of_everything: float | None
    by_value: str | None
    currency: str
    inputs: list[Object]
    sources: list[str]
    calibrated: list[Object]


class Advice(TypedDict):
    """`advise`: the recommendation, all that adds up to the scores, what would flip it, what was read of a text."""

    version: int
    verdict: str
    confidence: float
    confidence_word: str
    confidence_means: str
    why_undecided: str
    runner_up: str | None
    scores: dict[str, float]
    constraints: list[Object]
    start: Object
    floor: float
    trace: list[Object]
    flips: list[Object]
    must_give: list[Any]
    unknown: list[str]
    sensitivity: Object
    order: list[Object]
    measure: list[str]
    checklist: list[Object]
    answers: dict[str, str]
    link: str
    prefilled: list[Object]
    numbers: list[Object]
    unread: list[Any]


class Decision(TypedDict):
    """`decide`: what was read of a brief, and the recommendation."""

    version: int
    read: list[Object]
    answers: dict[str, str]
    not_understood: list[Any]
    headline: str
    approach: str | None
    numbers: list[Object]
    ruled_out: Object
    flips: list[str]
    risks: list[str]
    measure_next: list[str]
    evaluations: list[Object]
    link: str


class Prices(TypedDict):
    """`prices`: the catalogue."""

    version: int
    note: str
    offers: list[Object]


class Shown(TypedDict):
    """`project show`: the project's own text, whose it is ("": everyone's), its parts, what it lacks and what works."""

    version: int
    id: str
    title: str
    about: str
    bundled: bool
    made: str
    changed: str
    owner: str
    shared: bool
    project: Object
    question_sets: Object
    parts: list[Object]
    lacks: list[str]
    works: list[str]


class History(TypedDict):
    """`runs`: runs and evaluations, newest first; of one (`show`, `export`) `body`, and `differs`: what differs now.

    `started`: the id of what `again` began.
    """

    version: int
    project: str
    entries: list[Object]
    differs: NotRequired[list[str]]
    body: NotRequired[Object]
    started: NotRequired[str]


class State(TypedDict):
    """`state check`: each database with what was found, files of no project, sizes in bytes."""

    version: int
    folder: str
    databases: list[Object]
    orphans: list[str]
    sizes: Object
    free: int
    sound: bool


class Inspected(TypedDict):
    """`inspect`: what a GGUF file holds. `compatibility`: whether adapters fit."""

    version: int
    file: str
    bytes: int
    architecture: str | None
    kind: str
    name: str | None
    license: str | None
    parameters: int
    quantization: str
    quantization_mix: Object
    layers: int | None
    trained_context: int | None
    tokenizer: str | None
    pre_tokenizer: str | None
    vocabulary: int | None
    chat_template: str | None
    template_sha256: str | None
    source_sha256: str | None
    recipe: str | None
    adapter_sha256: str | None
    context: int | None
    estimated_memory: int | None
    verdict: str
    notes: list[str]
    sha256: str
    sha256_known: bool
    compatibility: list[Object]
    loaded: NotRequired[Object]


class Finetuned(TypedDict):
    """`finetune`: the model that came of it, its arms, and what was reported on the way."""

    version: int
    project: str
    training: str
    model: str
    base: str
    arms: list[str]
    adapter: str
    held_out_set: str
    minutes: float
    progress: list[Object]


class WhatIf(TypedDict):
    """`whatif`: the change, both runs whole, each arm before and after; whether the document is as it was."""

    version: int
    project: str
    document: str
    old: str
    new: str
    saved: Object
    before: RunRecord
    after: RunRecord
    arms: list[Object]
    restored: bool
    line: str


class Story(TypedDict):
    """`story`: the scenes as they went; `held`: no claim failed, null where nothing was asked (`--list`)."""

    version: int
    project: str
    scenes: list[Object]
    held: bool | None


class Proposals(TypedDict):
    """`propose`: how many pairs were proposed into `set`; `rows`: all that were written, with why refused."""

    version: int
    project: str
    proposed: int
    refused: int
    candidates: int
    set: str
    rows: list[Object]


class Merged(TypedDict):
    """`merge`: the file that was written, and out of what; hashes are SHA-256."""

    version: int
    path: str
    sha256: str
    source_sha256: str
    adapter_sha256: str | None
    quantization: str
    recipe: str
    tool: str


class Indexing(TypedDict):
    """`index settings`: how documents are split and searched, and how many passages have a vector."""

    version: int
    splitter: str
    chunk_size: int
    overlap: int
    weight: float
    threshold: float
    passages: int
    passages_embedded: int


class Built(TypedDict):
    """`index build`: counts of files, see Sync in `core/retrieval/values.py`; with --dry-run what they would be."""

    version: int
    files: int
    ignored: int
    complete: bool
    dry_run: bool
    added: int
    updated: int
    unchanged: int
    deleted: int
    kept: int
    failed: list[Object]
    skipped: list[Object]
    documents: NotRequired[Object]
    embedded: NotRequired[int]
    passages: NotRequired[int]
    passages_embedded: NotRequired[int]
    seconds: NotRequired[float]


class Queried(TypedDict):
    """`index query`: the best passages, best first. `timing` in ms."""

    version: int
    question: str
    mode: str
    note: str | None
    timing: Object
    passages: list[Object]


class Moved(TypedDict):
    """`index move`: where the vectors lie then. `vectors`: "here", or the server's address."""

    version: int
    vectors: str
    collection: str
    passages: int
    there: int
    here: int
    seconds: float


class Embedded(TypedDict):
    """`index embedder`: what embeds the base (see core.retrieval.values.Embedding), and what that meant or would."""

    version: int
    embedder: Object
    to_embed: int
    passages: int
    passages_embedded: int
    dry_run: bool


OUTPUTS: Final[dict[str, Any]] = {
    "ask": RunRecord,
    "whatif": WhatIf,
    "evaluate": Evaluation,
    "votes": Voted,
    "report": Evaluation,
    "judge": Judging,
    "evaluate --plan": Planned,
    "sweep": Swept,
    "finetune": Finetuned,
    "calculate": Calculation,
    "advise": Advice,
    "decide": Decision,
    "prices": Prices,
    "project show": Shown,
    "project list": list[Object],
    "runs": History,
    "state check": State,
    "inspect": Inspected,
    "fetch": list[Object],
    "story": Story,
    "propose": Proposals,
    "merge": Merged,
    "index build": Built,
    "index settings": Indexing,
    "index query": Queried,
    "index list": list[Object],
    "index move": Moved,
    "index embedder": Embedded,
}


def schema(command: str) -> dict[str, Any]:
    """The JSON Schema of one command's output, `$defs` included."""
    (made,), parts = msgspec.json.schema_components([OUTPUTS[command]], ref_template="#/$defs/{name}")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": command, **made, "$defs": parts}


def every() -> dict[str, Any]:
    """Command -> schema."""
    return {command: schema(command) for command in OUTPUTS}
