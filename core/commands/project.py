"""`python -m core project ACTION ...`: the projects of this machine without a browser, and one built in a script.

create, duplicate, rename, delete, restore, owner, people; export, import;
set, model, arms, check, suggest, story, questions
"""

import argparse
import os
import sys
import tempfile
from argparse import Namespace
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, get_args

from core import records, runtime, story, tomlfile
from core.commands import Parser, emit, log, parser
from core.errors import Problem
from core.evaluation import questions
from core.evidence import bills
from core.project import Check, FreeText, Model, Project, Scene, Suggestion, whole
from core.project.instruction import LONGEST
from core.project.owners import Holding
from core.project.projects import as_values, from_values
from core.project.values import CheckKind
from core.project.zipped import ENDING
from core.retrieval import leftovers
from core.text import one_line

Result = dict[str, Any] | list[Any]


def main(argv: list[str]) -> int:
    """Run one action; exit status 0. Raises Problem."""
    given = _arguments(argv)
    try:
        result = ACTIONS[given.action](given)
    finally:
        runtime.close()
    if given.json:
        emit(result)
    return 0


def _arguments(argv: list[str]) -> Namespace:
    options = parser("project", "What one studies: documents, instruction, models, arms, questions and checks.")
    actions = options.add_subparsers(dest="action", required=True, metavar="ACTION")

    def action(name: str, about: str, *, project: bool = True) -> Parser:
        made: Parser = actions.add_parser(name, help=about, description=about)
        made.add_argument("--json", action="store_true", help="print one JSON document on standard output")
        if project:
            made.add_argument("id", help="the project's id, as 'list' shows it")
        return made

    action("list", "every project", project=False).add_argument("--deleted", action="store_true", help="also those")
    action("show", "what a project holds, what it lacks and what already works")
    create = action("create", "a new project, empty or as a file says", project=False)
    create.add_argument("title")
    create.add_argument("--from", dest="source", type=Path, metavar="TOML", help="a project.toml to begin with")
    for name, about in (
        ("duplicate", "a copy with documents, models, arms, questions and checks, without results"),
        ("rename", "another title; the id stays"),
    ):
        action(name, about).add_argument("title", nargs=None if name == "rename" else "?", default="")
    action("delete", "take a project away; 'restore' brings it back for a day")
    action("restore", "bring a deleted project back")
    give = action("owner", "whose a project is, where people sign in; this command sees and settles all projects")
    one = give.add_mutually_exclusive_group()
    one.add_argument("--to", metavar="PERSON", help="the address, or the id that 'people' shows")
    one.add_argument("--everyone", action="store_true", help="nobody's, so everyone's")
    give.add_argument("--share", action=argparse.BooleanOptionalAction, help="whether the owner shares it")
    action("people", "who has signed in here", project=False)
    export = action("export", f"write ID{ENDING}: project, documents, questions and results, no weights")
    export.add_argument("--to", type=Path, default=None, metavar="FILE")
    export.add_argument("--without-results", action="store_true", help="leave runs and evaluations out")
    taken = action("import", "a new project out of such a file", project=False)
    taken.add_argument("file", type=Path)
    taken.add_argument("--title", default="")
    change = action("set", "single values; texts come from files, - is standard input")
    change.add_argument("--title")
    change.add_argument("--about")
    change.add_argument("--instruction-file", type=Path, metavar="FILE", help="the instruction without passages")
    change.add_argument("--passages-instruction-file", type=Path, metavar="FILE", help="the instruction with passages")
    change.add_argument("--pinned-file", type=Path, metavar="FILE", help="what arms with pinned text read")
    change.add_argument("--dollars-per-hour", type=float)
    change.add_argument("--free-text", metavar="METRIC=T", help="answers longer than a value: right from T; none: off")
    model = action("model", "list the models; add, replace or remove one")
    one = model.add_mutually_exclusive_group()
    one.add_argument("--add", metavar="NAME", help="its id in the project; one that is there is replaced")
    one.add_argument("--remove", metavar="NAME")
    model.add_argument("--file", default="", help="a GGUF's path, or an id of 'core fetch --list'")
    model.add_argument("--title", default="", help="its name for people")
    for name in ("base", "adapter", "template", "endpoint", "key-variable"):
        model.add_argument(f"--{name}", default=None)
    model.add_argument("--offer", default=None, help="an endpoint's entry in the price catalogue: see 'core prices'")
    model.add_argument("--stop", action="append", default=[], metavar="TEXT")
    arms = action("arms", "list the arms, or say which there are")
    arms.add_argument("--set", dest="names", metavar="NAMES", help="comma-separated, MODEL or MODEL+CONTEXT")
    check = action("check", "list the checks; add, replace or remove one")
    one = check.add_mutually_exclusive_group()
    one.add_argument("--add", metavar="NAME")
    one.add_argument("--remove", metavar="NAME")
    check.add_argument("--kind", choices=get_args(CheckKind))
    check.add_argument("--value", default="")
    check.add_argument("--closing", default="", help="how a reply ends (kind voice)")
    check.add_argument("--class", dest="classes", action="append", default=[], help="only questions of this class")
    check.add_argument("--not", dest="negated", action="store_true", help="replies must not")
    suggest = action("suggest", "list the suggested questions; add or remove one")
    one = suggest.add_mutually_exclusive_group()
    one.add_argument("--add", metavar="LABEL")
    one.add_argument("--remove", metavar="LABEL")
    suggest.add_argument("--question", default="")
    suggest.add_argument("--shows", default="", help="what to look at in the answers")
    told = action("story", "list the scenes; put a story in from TOML, or take it away")
    one = told.add_mutually_exclusive_group()
    one.add_argument(
        "--file", type=Path, metavar="TOML", help="[[story]] tables as in a project.toml; - is standard input"
    )
    one.add_argument("--clear", action="store_true")
    asked = action("questions", "list the question sets; put one in, or remove one")
    one = asked.add_mutually_exclusive_group()
    one.add_argument("--set", metavar="NAME")
    one.add_argument("--remove", metavar="NAME")
    asked.add_argument("--file", type=Path, help="a .csv or .jsonl, - for JSONL on standard input")
    return options.parse_args(argv)


# -- the projects ------------------------------------------------------------------------------------------------------


def _list(given: Namespace) -> Result:
    projects = runtime.get().projects
    for left in leftovers.waiting(runtime.get().store):
        log(f"vectors of an erased project wait to be deleted when the app starts: {left}")
    rows = [_row(project) for project in projects.all()]
    rows += [_row(project) | {"deleted": True} for project in projects.deleted()] if given.deleted else []
    for row in rows if not given.json else []:
        kind = "bundled" if row["bundled"] else "deleted" if row.get("deleted") else f"changed {row['changed'][:10]}"
        kind += "" if not row["owner"] else ", shared" if row["shared"] else ", private"
        print(f"{row['id']:<28} {row['title']}  ({kind})")
    return rows


def _row(project: Project) -> dict[str, Any]:
    names = ("id", "title", "about", "bundled", "made", "changed", "owner", "shared")
    return {name: getattr(project, name) for name in names}


def _show(given: Namespace) -> Result:
    here = runtime.get()
    project = here.projects.get(given.id)
    found = whole.state_of(here, project)
    if not given.json:
        print(f"{project.title} ({project.id}{', bundled and read-only' if project.bundled else ''})")
        for part in found.parts:
            mark = "ok" if part.there else "optional" if part.optional else "lacks"
            print(f"  {mark:<9} {part.name:<12} {part.says}")
        print("\n".join(f"  works     {line}" for line in found.works))
    sets = {name: len(here.questions.read(project, name)) for name in here.questions.names(project)}
    return _row(project) | {
        "project": as_values(project),
        "question_sets": sets,
        "parts": [records.plain(part) for part in found.parts],
        "lacks": [part.name for part in found.lacks],
        "works": list(found.works),
    }


def _create(given: Namespace) -> Result:
    like = None
    if given.source:
        where = one_line(given.source.name, 80)
        raw = tomlfile.loads(_text(given.source, 2_000_000), where)
        like = from_values({**raw, "id": "new", "title": given.title}, where)
        if like.bundled or like.folder or like.snapshots:
            raise Problem(f"{where}: 'bundled', 'folder' and 'snapshots' are the app's to set. Leave them out.")
    return _said(runtime.get().projects.create(given.title, like), "made")


def _duplicate(given: Namespace) -> Result:
    here = runtime.get()
    return _said(whole.duplicate(here, here.projects.get(given.id), given.title), "made")


def _rename(given: Namespace) -> Result:
    return _said(runtime.get().projects.change(given.id, title=given.title), "renamed")


def _delete(given: Namespace) -> Result:
    here = runtime.get()
    project = here.projects.get(given.id)
    whole.delete(here, project)
    log(f"For a day it can be brought back: python -m core project restore {project.id}")
    return _said(project, "deleted")


def _restore(given: Namespace) -> Result:
    return _said(runtime.get().projects.restore(given.id), "restored")


def _owner(given: Namespace) -> Result:
    here = runtime.get()
    project = here.projects.get(given.id)
    before = after = Holding(project.owner, project.shared)
    if given.to or given.everyone:
        after = replace(after, owner=here.people.find(given.to).id if given.to else "")
    if given.share is not None:
        if not after.owner:
            raise Problem("A project without an owner is everyone's: give it to somebody first (--to PERSON).")
        after = replace(after, shared=given.share)
    if after != before:
        project = here.projects.settle(project.id, before, after)
    if not given.json:
        whose = here.people.get(project.owner).title if project.owner else "everyone"
        print(f"{whose}{', shared' if project.owner and project.shared else ''}")
    return _row(project)


def _people(given: Namespace) -> Result:
    rows = [records.plain(one) for one in runtime.get().people.all()]
    return _shown(given, rows, "id", "address", "name")


def _export(given: Namespace) -> Result:
    here = runtime.get()
    project = here.projects.get(given.id)
    target = given.to or Path(f"{project.id}{ENDING}")
    try:
        handle, name = tempfile.mkstemp(prefix=".export-", dir=target.resolve().parent)
        try:
            with os.fdopen(handle, "w+b") as out:
                whole.export(here, project, out, results=not given.without_results)
            Path(name).replace(target)
        finally:
            Path(name).unlink(missing_ok=True)
    except OSError as error:
        raise Problem(f"{one_line(str(target), 200)} cannot be written ({error.strerror}).") from error
    log(f"wrote {target}, {target.stat().st_size / 1e3:,.0f} kB")
    return {"id": project.id, "file": str(target), "bytes": target.stat().st_size}


def _import(given: Namespace) -> Result:
    here = runtime.get()
    try:
        with given.file.open("rb") as source:
            project, notes = whole.take_in(here, source, given.title)
    except OSError as error:
        raise Problem(f"{one_line(str(given.file), 200)} cannot be read ({error.strerror}).") from error
    for note in notes:
        log(note)
    said = _said(project, "made")
    here.knowledge(project).catch_up()  # at least its words, so that the next command finds its passages
    return {**said, "notes": notes}


def _said(project: Project, what: str) -> dict[str, Any]:
    log(f"{what}: {project.id} ({one_line(project.title, 80)})")
    return _row(project)


# -- what a project holds ----------------------------------------------------------------------------------------------


def _set(given: Namespace) -> Result:
    projects = runtime.get().projects
    project = projects.get(given.id)
    changed: dict[str, Any] = {
        name: value
        for name in ("title", "about", "dollars_per_hour")
        if (value := getattr(given, name)) is not None
    }  # fmt: skip
    texts = {
        "system": given.instruction_file,
        "system_with_passages": given.passages_instruction_file,
    }
    words = {name: _text(file, LONGEST).strip() for name, file in texts.items() if file}
    if words:
        changed["instruction"] = replace(project.instruction, **words)  # type: ignore[arg-type]
    if given.pinned_file:
        changed["pinned"] = _text(given.pinned_file, LONGEST).strip()
    if given.free_text:
        changed["free_text"] = _free_text(given.free_text)
    if not changed:
        raise Problem("Nothing to set: name at least one value. See: python -m core project set --help")
    return _said(projects.change(project.id, **changed), "changed")


def _free_text(said: str) -> FreeText | None:
    """`token_f1=0.5`, or `none`."""
    metric, _, threshold = said.partition("=")
    try:
        return None if said == "none" else FreeText(metric, float(threshold))
    except ValueError as error:
        raise Problem(f"--free-text is METRIC=THRESHOLD or none, not '{one_line(said, 60)}'.") from error


def _model(given: Namespace) -> Result:
    projects = runtime.get().projects
    project = projects.get(given.id)
    if given.add:
        if given.offer:
            bills.offer(given.offer)
        made = Model(
            given.add, given.title or given.add, _model_file(given), given.base, _path(given.adapter, "adapter"),
            given.template, tuple(given.stop), given.endpoint, given.key_variable, given.offer,
        )  # fmt: skip
        project = projects.change(project.id, models=_with(project.models, made, "id"))
    elif given.remove:
        project.model(given.remove)
        left = tuple(model for model in project.models if model.id != given.remove)
        arms = tuple(arm for arm in project.arms if arm.model != given.remove)
        project = projects.change(project.id, models=left, arms=arms)
    return _shown(given, [records.plain(one) for one in project.models], "id", "file")


def _model_file(given: Namespace) -> str:
    """A path made absolute, so that it is found from any folder; an id as it is."""
    name: str = given.file
    if not name:
        raise Problem("--file is missing: a GGUF's path, or an id of 'python -m core fetch --list'.")
    if given.endpoint or not (os.sep in name or name.endswith(".gguf")):
        return name
    return str(_path(name, "file"))


def _path(name: str | None, option: str) -> str | None:
    if name is None:
        return None
    file = Path(name).expanduser()
    if not file.is_file():
        raise Problem(f"--{option}: there is no file {one_line(name, 200)}.")
    return str(file.resolve())


def _arms(given: Namespace) -> Result:
    projects = runtime.get().projects
    project = projects.get(given.id)
    if given.names is not None:
        chosen = tuple(project.arm(name.strip()) for name in given.names.split(",") if name.strip())
        project = projects.change(project.id, arms=chosen)
    return _shown(given, [{"name": arm.name, **records.plain(arm)} for arm in project.arms], "name", "context")


def _check(given: Namespace) -> Result:
    projects = runtime.get().projects
    project = projects.get(given.id)
    if given.add:
        if not given.kind:
            raise Problem(f"--kind is missing: one of {', '.join(get_args(CheckKind))}.")
        made = Check(given.add, given.kind, given.value, given.closing, tuple(given.classes), given.negated)
        project = projects.change(project.id, checks=_with(project.checks, made, "name"))
    elif given.remove:
        project = projects.change(project.id, checks=_without(project.checks, given.remove, "name"))
    return _shown(given, [records.plain(one) for one in project.checks], "name", "kind", "value")


def _suggest(given: Namespace) -> Result:
    projects = runtime.get().projects
    project = projects.get(given.id)
    if given.add:
        if not given.question.strip():
            raise Problem("--question is missing: the text that is asked.")
        made = Suggestion(given.add, given.question, given.shows)
        project = projects.change(project.id, suggestions=_with(project.suggestions, made, "label"))
    elif given.remove:
        project = projects.change(project.id, suggestions=_without(project.suggestions, given.remove, "label"))
    return _shown(given, [records.plain(one) for one in project.suggestions], "label", "question")


@dataclass(frozen=True)
class _Story:
    """What a story's file holds."""

    story: tuple[Scene, ...] = ()


def _story(given: Namespace) -> Result:
    here = runtime.get()
    project = here.projects.get(given.id)
    if given.file or given.clear:
        scenes: tuple[Scene, ...] = ()
        if given.file:
            where = one_line(given.file.name, 80) or "standard input"
            scenes = tomlfile.build(tomlfile.loads(_text(given.file, 200_000), where), _Story, where).story
            story.check(replace(project, story=scenes))
        project = here.projects.change(project.id, story=scenes)
    for note in story.notes(project, here.knowledge(project)):
        log(note)
    return _shown(given, [records.plain(one) for one in project.story], "title", "question")


def _questions(given: Namespace) -> Result:
    here = runtime.get()
    project = here.projects.get(given.id)
    if given.set:
        if given.file is None:
            raise Problem("--file is missing: a .csv or .jsonl, or - for JSONL on standard input.")
        if str(given.file) == "-":
            asked = questions.parse(sys.stdin.buffer.read(questions.MOST_BYTES + 1), "standard input.jsonl")
        else:
            asked = questions.read(given.file)
        here.questions.save(project, given.set, asked)
    elif given.remove:
        here.questions.read(project, given.remove)
        here.questions.delete(project, given.remove)
    rows = [
        {"set": name, "questions": len(here.questions.read(project, name))} for name in here.questions.names(project)
    ]
    return _shown(given, rows, "set", "questions")


def _with(there: tuple[Any, ...], made: Any, key: str) -> tuple[Any, ...]:
    """`there` with `made` in the place of what has its key, else at the end."""
    name = getattr(made, key)
    if any(getattr(one, key) == name for one in there):
        return tuple(made if getattr(one, key) == name else one for one in there)
    return (*there, made)


def _without(there: tuple[Any, ...], name: str, key: str) -> tuple[Any, ...]:
    left = tuple(one for one in there if getattr(one, key) != name)
    if len(left) == len(there):
        raise Problem(f"There is none named '{one_line(name, 60)}'.")
    return left


def _shown(given: Namespace, rows: list[dict[str, Any]], *columns: str) -> Result:
    for row in rows if not given.json else []:
        print("  ".join(one_line(str(row[name]), 100) for name in columns))
    return rows


def _text(file: Path, most: int) -> str:
    """A file's text, or standard input's. Raises Problem."""
    try:
        if str(file) == "-":
            text = sys.stdin.read(most + 1)
        else:
            with file.open(encoding="utf-8") as stream:
                text = stream.read(most + 1)
    except (OSError, UnicodeDecodeError) as error:
        raise Problem(f"{one_line(str(file), 200)} cannot be read ({one_line(str(error), 120)}).") from error
    if len(text) > most:
        raise Problem(f"{one_line(str(file), 200)} has more than {most:,} characters. Shorten it.")
    return text


ACTIONS: dict[str, Callable[[Namespace], Result]] = {
    "list": _list,
    "show": _show,
    "create": _create,
    "duplicate": _duplicate,
    "rename": _rename,
    "delete": _delete,
    "restore": _restore,
    "owner": _owner,
    "people": _people,
    "export": _export,
    "import": _import,
    "set": _set,
    "model": _model,
    "arms": _arms,
    "check": _check,
    "suggest": _suggest,
    "story": _story,
    "questions": _questions,
}
