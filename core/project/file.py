"""One file that takes a project along: its form, written and read. Knows no store, no state folder and no model file.

    archive.toml         the form's version, settings, question sets, and each model's hash and where to get it
    project.toml         the project itself, as models/*/project.toml
    documents.jsonl      one line a document and view: path, view, metadata, origin, date
    documents/VIEW/PATH  the text that the view ("current", a snapshot's name, "deleted") has of it
    questions/N.jsonl    one question set a file
    runs.jsonl           one run a line
    evaluations/ID.jsonl one evaluation: what it was started with, then a reply a line
    votes.jsonl          what people said of answers, one a line; left out where nobody said anything

A file from elsewhere is untrusted: what does not fit the form is refused in one line (zipped.py bounds the sizes).
"""

import json
import re
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, BinaryIO, Final, TypeVar

import msgspec
import tomli_w

from core import ask, records, scenario, votes
from core.errors import Problem
from core.evaluation import questions
from core.evaluation.questions import Question
from core.project import sets
from core.project.projects import as_values, from_values
from core.project.values import Project
from core.project.zipped import MOST_MEMBERS, MOST_PACKED, MOST_UNPACKED, Members, text_of, wrong
from core.records import RunRecord, Timing, Tokens
from core.retrieval.transfer import Kept
from core.retrieval.values import MODES, Settings
from core.retrieval.versions import LONGEST_TEXT, clean_path, clean_text
from core.text import one_line
from core.votes import Said

T = TypeVar("T")
VERSION: Final = 1
MOST_RUNS: Final = 20_000
MOST_EVALUATIONS: Final = 1_000
MOST_OF_A_KIND: Final = 200  # tasks, suggestions, scenes
ENDED: Final = ("done", "cancelled", "failed")  # how an answer can end
_VIEW: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_RESULT_ID: Final = re.compile(r"[0-9a-f]{6,40}")


@dataclass(frozen=True)
class ModelFile:
    """What a model of the project is, so that it can be had again. `model`: its id in the project; `file`: its name."""

    model: str
    file: str
    sha256: str = ""
    licence: str = ""
    get: str = ""  # what to type or where to look


@dataclass(frozen=True)
class SetFile:
    """A question set's name and the member that holds it."""

    name: str
    file: str


@dataclass(frozen=True)
class Archive:
    """What `archive.toml` says."""

    version: int
    made: str = ""
    retrieval: Settings = field(default_factory=Settings)
    sets: tuple[SetFile, ...] = ()
    models: tuple[ModelFile, ...] = ()


@dataclass(frozen=True)
class PassageBrief:
    """A passage as an evaluation keeps it."""

    document: str
    text: str


@dataclass(frozen=True)
class Reply:
    """What every row of an evaluation must hold; more may be in it."""

    number: int
    arm: str
    reply: str
    passages: tuple[PassageBrief, ...]
    problem: str | None
    finish: str | None = None
    timing: Timing | None = None
    tokens: Tokens | None = None
    model: str | None = None


@dataclass(frozen=True)
class Evaluation:
    """An evaluation that ended. `parameters`, `rows`: as the job keeps them. `created`: seconds since the epoch."""

    id: str
    state: str
    message: str
    created: float
    parameters: dict[str, Any]
    result: Any = None
    rows: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True)
class Contents:
    """All that a project's file holds. `documents` is read once, one text at a time."""

    project: Project
    documents: Iterable[Kept]
    retrieval: Settings = field(default_factory=Settings)
    sets: Mapping[str, Sequence[Question]] = field(default_factory=dict)
    runs: Sequence[RunRecord] = ()
    evaluations: Sequence[Evaluation] = ()
    models: Sequence[ModelFile] = ()
    votes: Sequence[Said] = ()


# -- writing -----------------------------------------------------------------------------------------------------------


def write(out: BinaryIO, contents: Contents, made: str) -> None:
    """Write a project's file. Raises Problem when it would be larger than what is read back."""
    named = [(SetFile(name, f"questions/{n}.jsonl"), asked) for n, (name, asked) in enumerate(contents.sets.items(), 1)]
    archive = Archive(VERSION, made, contents.retrieval, tuple(one for one, _ in named), tuple(contents.models))
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("archive.toml", tomli_w.dumps(records.plain(archive)))
        packed.writestr("project.toml", tomli_w.dumps(as_values(replace(contents.project, owner=""))))
        listed = []
        for one in contents.documents:
            packed.writestr(f"documents/{one.view}/{one.path}", one.text)
            listed.append({name: getattr(one, name) for name in ("view", "path", "metadata", "origin", "made")})
        packed.writestr("documents.jsonl", _lines(listed))
        for one_set, asked in named:
            packed.writestr(one_set.file, _lines(question.row() for question in asked))
        packed.writestr("runs.jsonl", _lines(records.plain(run) for run in contents.runs))
        for found in contents.evaluations:
            head = records.plain(replace(found, rows=()))
            packed.writestr(f"evaluations/{found.id}.jsonl", _lines([head, *found.rows]))
        if contents.votes:
            packed.writestr("votes.jsonl", _lines(votes.row(say) for say in contents.votes))
        infos = packed.infolist()
    if len(infos) > MOST_MEMBERS or sum(one.file_size for one in infos) > MOST_UNPACKED or out.tell() > MOST_PACKED:
        raise Problem(
            f"The project is too large for one file (at most {MOST_MEMBERS:,} parts and {MOST_UNPACKED // 10**6} MB): "
            "leave the results out."
        )


def _lines(rows: Iterable[Any]) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


# -- reading -----------------------------------------------------------------------------------------------------------


def read(source: BinaryIO) -> Contents:
    """A project's file, checked; `source` must stay open until its documents were read.

    Raises Problem on anything that is not such a file, or that is larger than can be taken.
    """
    members = Members(source)
    archive = members.toml("archive.toml", Archive)
    if archive.version != VERSION:
        raise Problem(f"The project file is of version {archive.version}, this app reads version {VERSION}: update it.")
    project = _project(members)
    asked: dict[str, Sequence[Question]] = {}
    for one in archive.sets:
        if sets.checked_name(one.name) != one.name or one.name in asked:
            raise wrong("archive.toml", f"the set '{one_line(one.name, 60)}' is named twice or not by a name")
        if not re.fullmatch(r"questions/[0-9]{1,4}\.jsonl", one.file):
            raise wrong("archive.toml", f"'{one_line(one.file, 60)}' cannot hold a question set")
        asked[one.name] = questions.parse(members.take(one.file, questions.MOST_BYTES), one.file)
    if len(asked) > sets.MOST_SETS:
        raise Problem(f"The project file holds {len(asked)} question sets; at most {sets.MOST_SETS} are taken.")
    runs = [_run(line, n) for n, line in enumerate(members.lines("runs.jsonl", MOST_RUNS), 1)]
    found = [name for name in members.left() if name.startswith("evaluations/")]
    if len(found) > MOST_EVALUATIONS:
        raise Problem(f"The project file holds {len(found)} evaluations; at most {MOST_EVALUATIONS} are taken.")
    evaluations = [_evaluation(members, name) for name in found]
    for ids in ([run.id for run in runs], [one.id for one in evaluations]):
        if len(set(ids)) < len(ids):
            raise Problem("The project file holds two results of one id.")
    said = _votes(members)
    documents = _documents(members)
    views = {one["view"] for one in documents}
    if strange := set(project.snapshots) - views:
        raise wrong("project.toml", f"there is no document of the snapshot '{one_line(min(strange), 40)}'")
    if more := members.left():
        raise Problem(f"The project file holds '{one_line(more[0], 80)}', which is no part of a project.")
    return Contents(
        project, _texts(members, documents), archive.retrieval, asked, runs, evaluations, archive.models, said
    )  # fmt: skip


def _project(members: Members) -> Project:
    """The project of `project.toml`. What this machine decides (where its files lie) may not stand in it."""
    raw = members.table("project.toml")
    for name in ("folder", "bundled", "made", "changed", "owner"):
        if name in raw and (name != "owner" or raw[name] != ""):
            raise wrong("project.toml", f"unknown key '{name}'")
    try:
        project = from_values(raw, "The project file, project.toml")
    except (RecursionError, TypeError, ValueError, OverflowError) as error:
        raise wrong("project.toml", f"cannot be read ({one_line(str(error), 80)})") from error
    for name in ("tasks", "suggestions", "story", "snapshots"):
        if len(getattr(project, name)) > MOST_OF_A_KIND:
            raise wrong("project.toml", f"more than {MOST_OF_A_KIND} {name}")
    if not 0 <= project.dollars_per_hour <= 1e6:
        raise wrong("project.toml", "dollars_per_hour must lie between 0 and 1,000,000")
    if not all(_VIEW.fullmatch(name) for name in project.snapshots):
        raise wrong("project.toml", "a snapshot's name is small letters, digits and hyphens")
    try:
        text = json.dumps(project.scenario, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise wrong("project.toml, scenario", "values that a scenario cannot have") from error
    kept, notes = scenario.loads(text if project.scenario else scenario.dumps({}), "scenario", as_stated=True)
    if bad := [note for note in notes if not note.startswith("version:")]:
        raise wrong("project.toml", bad[0].rstrip("."))
    return replace(project, scenario=kept if project.scenario else {}, bundled=False, folder="", made="", changed="")


def _documents(members: Members) -> list[dict[str, Any]]:
    """The lines of `documents.jsonl`, each with its member claimed under "info"."""
    found = []
    for number, row in enumerate(members.lines("documents.jsonl", MOST_MEMBERS), 1):
        place = f"documents.jsonl, line {number}"
        if set(row) != {"view", "path", "metadata", "origin", "made"}:
            raise wrong(place, "view, path, metadata, origin and made are wanted, and nothing else")
        path, view, metadata = row["path"], row["view"], row["metadata"]
        if not isinstance(path, str) or clean_path(path) != path:
            raise wrong(place, "the path is no document's name")
        if not isinstance(view, str) or not _VIEW.fullmatch(view):
            raise wrong(place, "the view has no usable name")
        if not isinstance(row["origin"], str) or len(row["origin"]) > 40 or not _is_date(row["made"]):
            raise wrong(place, "origin or date cannot be used")
        if not isinstance(metadata, dict) or len(metadata) > 100 or not all(map(_is_plain, metadata.values())):
            raise wrong(place, "the metadata must be texts and numbers")
        info = members.claim(f"documents/{view}/{path}", LONGEST_TEXT * 4)
        found.append({**row, "info": info})
    return found


def _texts(members: Members, rows: Iterable[dict[str, Any]]) -> Iterator[Kept]:
    for row in rows:
        path = row["path"]
        text = clean_text(text_of(members.open(row["info"]), path), path)
        yield Kept(row["view"], path, text, row["metadata"], row["origin"], row["made"])


def _is_plain(value: object) -> bool:
    if isinstance(value, str):
        return len(value) <= 2_000
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e18


def _is_date(text: object) -> bool:
    try:
        return isinstance(text, str) and len(text) <= 40 and datetime.fromisoformat(text) is not None
    except ValueError:
        return False


def _run(raw: dict[str, Any], number: int) -> RunRecord:
    """A run that the pages can draw. Raises Problem."""
    place = f"runs.jsonl, line {number}"
    run = _made(place, lambda: records.run_from(msgspec.json.encode(raw)))
    if not _RESULT_ID.fullmatch(run.id) or not _is_date(run.made) or not run.finished:
        raise wrong(place, "no finished run with id and date")
    if not 1 <= len(run.arms) <= len(run.settings.arms):
        raise wrong(place, "its answers are not those of its arms")
    modes = {arm.retrieval.mode for arm in run.arms if arm.retrieval} | {arm.search.mode for arm in run.settings.arms}
    if {arm.state for arm in run.arms} - set(ENDED) or modes - set(MODES):
        raise wrong(place, "a state or a way of searching that there is not")
    chosen = run.settings
    ask.checked(run.question, ask.Settings(chosen.arms, chosen.way, chosen.device, choices=chosen.choices))
    return run


def _evaluation(members: Members, name: str) -> Evaluation:
    """An evaluation whose rows can be scored. Raises Problem."""
    lines = members.lines(name, questions.MOST_QUESTIONS * 8 * 20)
    made = _made(name, lambda: msgspec.convert(next(lines, None), Evaluation))
    if not _RESULT_ID.fullmatch(made.id) or name != f"evaluations/{made.id}.jsonl" or made.rows:
        raise wrong(name, "its first line is not the evaluation of that name")
    if made.state not in ("done", "failed", "cancelled", "interrupted") or not 0 <= made.created < 1e11:
        raise wrong(name, "an evaluation that ended is wanted, with its date")
    rows = tuple(lines)
    for row in rows:
        _made(name, lambda row=row: msgspec.convert(row, Reply))  # type: ignore[misc]
    return replace(made, message=one_line(made.message, 300), rows=rows)


def _votes(members: Members) -> list[Said]:
    """What people said; an older file holds nothing of it. Raises Problem."""
    if "votes.jsonl" not in members.left():
        return []
    return [
        votes.read(line, f"The project file, votes.jsonl, line {number},")
        for number, line in enumerate(members.lines("votes.jsonl", votes.MOST), 1)
    ]


def _made(place: str, make: Callable[[], T]) -> T:
    try:
        return make()
    except (Problem, msgspec.MsgspecError, AttributeError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise wrong(place, f"cannot be read ({one_line(str(error), 120)})") from error
