"""Every question to every arm, through core.ask; what comes back is appended row by row. Knows no score.

Rows are raw: the reply, the passages, the times. They can be scored again without asking again. A run that was stopped
goes on after the rows it has.
"""

import dataclasses
import hashlib
import json
import random
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from types import MappingProxyType
from typing import Any, Final, Protocol

import msgspec
from msgspec import Struct, field

from core import arms, ask, records
from core.arms import DEFAULT, Arm, Search
from core.engine import Sampling
from core.errors import Problem
from core.evaluation import scoring
from core.evaluation.quantities import tokens
from core.evaluation.questions import TICKET, Question, marked, slugs
from core.evaluation.variants import NearMisses, Variant
from core.records import ArmRecord, ModelIdentity, Timing, Tokens
from core.text import one_line

Row = dict[str, Any]  # a Reply as it is stored
MOST_WHOLE_DOCUMENTS: Final = 4  # a question on more documents than that (counting) has no "right passages" to give
AT_ONCE_FAR: Final = 4  # answers in flight at endpoints
AHEAD: Final = 64  # replies among which a model with room looks for its next one
TIMED: Final = 8  # questions whose answers are given alone, for their times, before the rest is asked at once
CLOSED_ONLY: Final = (TICKET,)  # classes for which passages make no sense


class Seen(Struct, frozen=True, kw_only=True):
    """A passage that an arm was given. `heading`: None in rows of before headings were kept."""

    document: str = ""
    text: str = ""
    title: str = ""
    heading: str | None = None
    score: float | None = None


class Reply(Struct, frozen=True, kw_only=True):
    """One reply, raw: to question `number` by the arm of this name. `model`: the SHA-256 of the model's file.

    `repeat`: how often the arm had been asked this question before.
    `dropped`: passages that did not fit the prompt. Rows of older versions know no `prompt` and no `identity`.
    """

    number: int
    arm: str
    repeat: int = 0
    reply: str = ""
    passages: tuple[Seen, ...] = ()
    problem: str | None = None
    finish: str | None = None
    timing: Timing = field(default_factory=Timing)
    tokens: Tokens = field(default_factory=Tokens)
    model: str | None = None
    prompt: str = ""
    dropped: int = 0
    identity: ModelIdentity | None = None


@dataclass(frozen=True)
class Lane:
    """Answers that share room: so many of them are made at a time."""

    name: str
    room: int


ALONE: Final = Lane("alone", 1)


class Chunks(Protocol):
    """What the run needs of the knowledge base beyond querying: the sections of a document."""

    def chunks(self, path: str, version: int | None = None, snapshot: str | None = None) -> Sequence[Any]: ...


@dataclass(frozen=True)
class Options:
    """How to run a set. `snapshot`: the documents' day, and the day on which answers must be right (None: current).

    `until`: two arms; the run ends as soon as their difference is decided; questions come in an order drawn by `seed`.
    `variants`: arms that read other passages than the project's own search gives them.
    """

    arms: tuple[Arm, ...] = DEFAULT
    snapshot: str | None = None
    device: str = "auto"
    until: tuple[str, str] | None = None
    seed: int = 0
    variants: tuple[Variant, ...] = ()

    @property
    def most_arms(self) -> int:
        """How many arms it may have: one that is asked at several shares of wrong passages counts once."""
        return arms.MOST_ARMS + sum(variant.wrong > 0 for variant in self.variants)

    def settings(
        self, arm: Arm, question: Question, perfect: tuple[str, ...], repeat: int = 0, *, beside: bool = False
    ) -> ask.Settings:
        """The settings under which core.ask puts one question to one arm; each repeat has a seed of its own."""
        seed = (arm.sampling.seed + repeat) % 2**32
        arm = replace(arm, sampling=replace(arm.sampling, seed=seed))
        dated = replace(arm, search=replace(arm.search, snapshot=self.snapshot)) if self.snapshot else arm
        way = "together" if beside else "one at a time"
        return ask.Settings((dated,), way, self.device, task=question.cls, perfect=perfect, beside=beside)


def options_from(given: dict[str, Any]) -> Options:
    """Options as they were stored, of this version or one whose arms were texts with one search for all."""
    if not given["arms"] or not isinstance(given["arms"][0], str):
        return msgspec.convert(given, Options)
    search = Search(given["top_k"], given["mode"])
    sampling = Sampling(given["temperature"], seed=given["seed"], max_tokens=given["max_tokens"])
    old = [
        replace(arm, search=search, sampling=sampling, pinned=given.get("pinned") if arm.context == "pinned" else None)
        for arm in arms.parse_all(given["arms"])
    ]
    return Options(tuple(old), given["snapshot"], given["device"])


def applies(arm: Arm, question: Question) -> bool:
    """Whether an arm can be asked a question at all."""
    if question.cls in CLOSED_ONLY:
        return arm.context == "closed"
    return arm.context != "perfect" or 0 < len(question.documents) <= MOST_WHOLE_DOCUMENTS


def key(questions: Sequence[Question], options: Options, models: object) -> str:
    """Names a run: the same questions, options and models give the same key, so a stopped run can go on."""
    asked = dataclasses.asdict(options)
    if not options.variants:
        del asked["variants"]  # the key of an older version's run is still its key
    for variant in asked.get("variants", ()):
        if not variant["embedder"]:
            del variant["embedder"]
    if any(arm.context == "perfect" for arm in options.arms):
        asked["right passages"] = "with their lead"  # those of an older version went without: another run
    parts = [[q.row() for q in questions], asked, models]
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()[:16]


def run(
    questions: Sequence[Question],
    options: Options,
    parts: ask.Parts,
    append: Callable[[Row], None],
    *,
    done: Iterable[Row] = (),
    progress: Callable[[float, str], None] = lambda _share, _text: None,
    cancelled: Callable[[], bool] = lambda: False,
    bases: Mapping[str, Callable[[], ask.Retrieves]] = MappingProxyType({}),
) -> None:
    """Ask what `done` does not hold yet; each finished row goes to `append` at once. `bases`: arm -> the documents it
    searches instead of the project's.

    Arms take turns by question, so that a stopped run has all arms on the same questions; an arm's repeats of it follow
    each other. Where the models compute several answers in less time, the first questions' are given alone, for their
    times, and the rest at once, marked contended. A failing arm gives a row with its `problem`. Raises Problem on what
    cannot be asked.
    """
    known = {place_of(row) for row in done}
    arms.check(options.arms, options.most_arms)
    wrong = {variant.arm: variant.wrong for variant in options.variants}
    places = order(questions, options.seed) if options.until else range(len(questions))
    todo = [
        (n, arm, repeat)
        for n in places
        for arm in options.arms
        if applies(arm, questions[n])
        for repeat in range(arm.repeats)
    ]
    for question in questions:
        ask.checked(question.question, options.settings(options.arms[0], question, ()))

    def row(number: int, arm: Arm, repeat: int, *, alone: bool) -> Row | None:
        if (number, arm.name, repeat) in known:
            return None
        question, knowledge = questions[number], bases.get(arm.name, parts.knowledge)
        here = replace(parts, knowledge=_with_misses(knowledge, question, options, wrong.get(arm.name, 0.0)))
        return _row(number, question, arm, repeat, options, here, alone=alone)

    lanes = _lanes(questions, options, parts)
    timed = _timed(todo, options, parts) if lanes else len(todo)
    made = chain(
        _rows(todo[:timed], partial(row, alone=True), {arm.name: ALONE for arm in options.arms}),
        _rows(todo[timed:], partial(row, alone=False), lanes),
    )
    for place in range(len(todo)):
        if cancelled():
            return
        if new := next(made):
            append(new)
        progress((place + 1) / len(todo), f"{place + 1} of {len(todo)} replies")


def _lanes(questions: Sequence[Question], options: Options, parts: ask.Parts) -> dict[str, Lane]:
    """What each arm's answers share the room of: its model, or all endpoints together. None where answers come one at a
    time: where times are part of being right, or where more at a time are no gain."""
    timed = any(one.max_ms is not None for question in questions for one in question.graders)
    if timed or any(check.kind == "max-ms" for check in parts.project.checks):
        return {}
    far = {model.id for model in parts.project.models if model.endpoint}
    here = {arm.model for arm in options.arms} - far
    try:
        rooms = {model: parts.engine.rows(replace(parts.spec(model), device=options.device)) for model in sorted(here)}
    except Problem:  # its own arms will say so
        return {}
    if 1 in rooms.values():
        return {}
    lanes = {model: Lane(model, room) for model, room in rooms.items()} | dict.fromkeys(far, Lane("", AT_ONCE_FAR))
    return {arm.name: lanes[arm.model] for arm in options.arms}


def _timed(todo: Sequence[tuple[int, Arm, int]], options: Options, parts: ask.Parts) -> int:
    """How many of the first answers are given alone, so that their times are those of an answer."""
    if all(model.endpoint for model in parts.project.models if model.id in {arm.model for arm in options.arms}):
        return 0
    first = list(dict.fromkeys(number for number, _, _ in todo))[:TIMED]
    return sum(number in first for number, _, _ in todo)


def place_of(row: Row) -> tuple[int, str, int]:
    """Which answer a stored row is: question, arm, repeat (rows of older versions know none)."""
    return row["number"], row["arm"], row.get("repeat", 0)


def _rows(
    todo: Sequence[tuple[int, Arm, int]], make: Callable[[int, Arm, int], Row | None], lanes: Mapping[str, Lane]
) -> Iterator[Row | None]:
    """The rows as they come, in each lane as many made at a time as it has room for; a faster one gets ahead a little,
    so that it does not wait for the slower."""
    left = list(todo)
    with ThreadPoolExecutor(sum(lane.room for lane in set(lanes.values())) or 1, "evaluate") as pool:
        making: dict[Future[Row | None], Lane] = {}
        while True:
            busy = Counter(making.values())
            for each in left[:AHEAD]:
                lane = lanes[each[1].name]
                if busy[lane] < lane.room:
                    left.remove(each)
                    making[pool.submit(make, *each)] = lane
                    busy[lane] += 1
            if not making:
                return
            for ended in wait(making, return_when=FIRST_COMPLETED).done:
                del making[ended]
                yield ended.result()


def _with_misses(
    knowledge: Callable[[], ask.Retrieves], question: Question, options: Options, wrong: float
) -> Callable[[], ask.Retrieves]:
    if not wrong:
        return knowledge
    return lambda: NearMisses(knowledge(), question, question.expected(options.snapshot), wrong, options.seed)


def order(questions: Sequence[Question], seed: int) -> list[int]:
    """The questions' numbers in random order, one a fact before the rest: each new fact is a new independent look."""
    numbers = list(range(len(questions)))
    random.Random(seed).shuffle(numbers)
    first: dict[str, int] = {}
    for number in numbers:
        first.setdefault(questions[number].group, number)
    kept = set(first.values())
    return [*first.values(), *(number for number in numbers if number not in kept)]


def _row(
    number: int, question: Question, arm: Arm, repeat: int, options: Options, parts: ask.Parts, *, alone: bool
) -> Row:
    perfect: tuple[str, ...] = ()
    if arm.context == "perfect":
        try:
            perfect = right_passages(question, parts.knowledge(), options.snapshot)  # type: ignore[arg-type]
        except Problem as missing:
            return dict(records.plain(Reply(number=number, arm=arm.name, repeat=repeat, problem=missing.message)))
    settings = options.settings(arm, question, perfect, repeat, beside=not alone)
    asking = ask.Run(question.question, settings, parts, owner=parts.project.id, background=True)
    return dict(records.plain(_reply(number, arm, repeat, asking.start().wait().record().arms[0], alone=alone)))


def _reply(number: int, arm: Arm, repeat: int, made: ArmRecord, *, alone: bool) -> Reply:
    passages = tuple(
        Seen(document=p.document, text=p.text, title=p.title, heading=p.heading, score=p.score) for p in made.passages
    )
    return Reply(
        number=number,
        arm=arm.name,
        repeat=repeat,
        reply=made.answer,
        passages=passages,
        problem=made.problem,
        finish=made.finish,
        timing=made.timing if alone else replace(made.timing, contended=True),
        tokens=made.tokens,
        model=made.model.file_sha256 if made.model else None,
        prompt=made.prompt,
        dropped=made.passages_dropped,
        identity=made.model,
    )


def right_passages(question: Question, knowledge: Chunks, snapshot: str | None) -> tuple[str, ...]:
    """The sections of the question's documents that hold its answer, one a document; a document that does not hold it
    (the first of a two-document question) gives all its sections. Of a marked section (`setup.md#install`) only its own
    are looked at. Each reads as retrieval would give it. Raises Problem when a document or a marked section is not
    there."""
    accepted = question.expected(snapshot)
    asked = set(tokens(question.question))
    made: list[str] = []
    for mark in question.documents:
        path, heading = marked(mark)
        found = knowledge.chunks(path, snapshot=snapshot)
        chunks = [chunk for chunk in found if not heading or heading in slugs(chunk.title, chunk.heading)]
        if not chunks and found:
            raise Problem(f"'{one_line(path, 120)}' has no section '{one_line(heading, 80)}'.")
        holding = [chunk for chunk in chunks if scoring.holds(chunk.body, accepted)]
        if holding:
            made.append(max(holding, key=lambda chunk: len(asked & set(tokens(chunk.body)))).shown)
        else:
            made += [chunk.shown for chunk in chunks[:MOST_WHOLE_DOCUMENTS]]
    return tuple(made)
