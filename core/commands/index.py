"""`python -m core index ...`: build, update, list and query a knowledge base without a browser.

With `--project` it is that project's base, and an open app sees every change at its next question; with `--db` it is a
file of its own, of no project. `build` and `update` show a plan and carry it out; they remove nothing without --prune.
`move` brings the vectors to a Chroma server and back, `embedder` changes what makes them; the words stay here.
Exit status 1: some files could not be taken; all others were.
"""

import dataclasses
import os
import time
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from core import addresses, runtime
from core.commands import emit, log, parser
from core.errors import Problem
from core.records import FIRST_PROJECT
from core.retrieval import KnowledgeBase, filters, sources
from core.retrieval.parsing import LARGEST_FILE, parse, too_large
from core.retrieval.selection import Selection
from core.retrieval.values import MODES, SPLITTERS, Change, Embedding, Place, Plan, Settings, Sync
from core.retrieval.versions import clean_path
from core.store import Store
from core.text import one_line

ABOUT = "Build, update, list and query a knowledge base in one SQLite file."
HERE = "here"


def main(argv: list[str]) -> int:
    """Run one action and give its exit status."""
    options = parser("index", ABOUT)
    actions = options.add_subparsers(dest="action", required=True, metavar="ACTION")
    for name, about in (
        ("build", "index folders, zips and files into a new or an existing base"),
        ("update", "the same, existing base"),
    ):
        _sources(_action(actions, name, f"{about}: only what changed is indexed; nothing is removed without --prune"))
    add = _action(actions, "add", "add or replace single documents")
    add.add_argument("file", type=Path, nargs="+")
    add.add_argument("--as", dest="name", help="the document's path in the base (one file only)")
    _action(actions, "list", "the documents, with versions and passages").add_argument("--search", default="")
    for name, about in (
        ("delete", "take documents out; 'restore' brings it back"),
        ("restore", "undo delete or edits"),
    ):
        _action(actions, name, about).add_argument("document", nargs="+")
    settings = _action(actions, "settings", "how documents are split and searched; what is given is changed")
    settings.add_argument("--splitter", choices=SPLITTERS)
    settings.add_argument("--chunk-size", type=int, metavar="TOKENS")
    settings.add_argument("--overlap", type=int, metavar="TOKENS")
    settings.add_argument("--weight", type=float, help="share of the vectors in hybrid mode, 0 to 1")
    settings.add_argument("--threshold", type=float, help="least cosine similarity, 0 to 1")
    query = _action(actions, "query", "the best passages for a question")
    query.add_argument("question")
    query.add_argument("--top-k", type=int, default=3)
    query.add_argument("--mode", choices=MODES, default="hybrid")
    query.add_argument("--hops", type=int, default=1, help="2: a second hop adds up to two passages")
    query.add_argument("--weight", type=float, default=None, help="share of the vectors in hybrid mode, 0 to 1")
    query.add_argument("--threshold", type=float, default=None, help="least cosine similarity, 0 to 1")
    query.add_argument("--folder", default=None, help="only documents in this folder of the base")
    query.add_argument(
        "--metadata", action="append", default=[], metavar="NAME=VALUE", help="only documents with it; repeatable"
    )
    query.add_argument("--snapshot", default=None, help="as of a snapshot, such as today or training-day")
    move = _action(actions, "move", "bring the vectors to a Chroma server, or back here; nothing is embedded again")
    _vectors(move, required=True)
    move.add_argument("--anew", action="store_true", help="with 'here': give the server up and embed again")
    embedder = _action(actions, "embedder", "what embeds this base, or another one for it: its plan, then that")
    chosen = embedder.add_mutually_exclusive_group()
    chosen.add_argument("--bundled", action="store_true", help="the bundled embedder again")
    chosen.add_argument("--endpoint", metavar="URL", help="an OpenAI-compatible address, like http://127.0.0.1:8000/v1")
    chosen.add_argument("--file", help="a GGUF embedder, by its id in 'core fetch --list' or its path")
    embedder.add_argument("--name", default="", help="what the endpoint knows the model by")
    embedder.add_argument("--key-variable", default="", metavar="NAME", help="the variable that holds its key")
    embedder.add_argument("--before-question", default="", metavar="TEXT", help="what it wants before a question")
    embedder.add_argument("--before-passage", default="", metavar="TEXT", help="what it wants before a passage")
    embedder.add_argument("--dry-run", action="store_true", help="only say what would happen")
    given = options.parse_args(argv)
    if given.action != "build":
        _must_exist(given.db)
    elif gone := [place for place in given.source if not place.exists()]:
        raise Problem(f"There is no folder, zip or file '{one_line(str(gone[0]), 200)}'.")
    try:
        with _Base(given) as base:
            result = ACTIONS[given.action](base, given)
    finally:
        runtime.close()
    if given.json:
        emit(result)
    return 1 if isinstance(result, dict) and result.get("failed") else 0


def _sources(made: Any) -> None:
    made.add_argument("source", type=Path, nargs="+", help="folders, zips, files; their paths are kept")
    made.add_argument("--into", default="", metavar="FOLDER", help="a folder of the base, compared and changed alone")
    for name, about in (
        ("include", "only files that match, as in a .gitignore; repeatable"),
        ("exclude", "no files that match; '!PATTERN' takes hidden files or junk back in; repeatable"),
    ):
        made.add_argument(f"--{name}", action="append", default=[], metavar="PATTERN", help=about)
    _vectors(made)
    made.add_argument("--prune", action="store_true", help="also remove the documents that the sources do not hold")
    made.add_argument("--dry-run", action="store_true", help="only say what would happen")


def _vectors(made: Any, *, required: bool = False) -> None:
    made.add_argument(
        "--vectors", default=None, required=required, metavar="URL", help="where they lie: 'here', or a Chroma server"
    )
    made.add_argument("--key-variable", default="", metavar="NAME", help="the variable that holds the server's key")


def _place(given: Namespace) -> Place | None:
    return None if given.vectors == HERE else Place(given.vectors.rstrip("/"), given.key_variable)


def _action(actions: Any, name: str, about: str) -> Any:
    made = actions.add_parser(name, help=about, description=about)
    made.add_argument("--json", action="store_true", help="print one JSON object on standard output")
    place = made.add_mutually_exclusive_group()
    place.add_argument("--db", type=Path, default=None, help="a base in a file of its own, of no project")
    place.add_argument("--project", default=FIRST_PROJECT, metavar="ID", help="the project whose documents these are")
    made.add_argument("--words-only", action="store_true", help="no embedder: BM25 alone")
    return made


class _Base:
    """The knowledge base named on the command line, open for one action."""

    def __init__(self, given: Namespace) -> None:
        self._own: Store | None = None
        self._scratch: TemporaryDirectory[str] | None = None
        if given.db is None:
            here = runtime.get()
            project = here.projects.get(given.project)
            if project.bundled and given.action in ("build", "update", "add"):
                raise Problem(f"'{project.title}' is bundled: its documents come with it. Give --project of your own.")
            store = here.base_store(project)
        else:
            store = self._own = runtime.open_base(self._place(given))
        self._base = KnowledgeBase(store) if given.words_only else runtime.open_knowledge(store, _engine(given.action))

    def _place(self, given: Namespace) -> Path:
        """The file; to say what would happen to one that is not there yet, an empty one elsewhere."""
        place: Path = given.db
        if getattr(given, "dry_run", False) and not place.exists():
            self._scratch = TemporaryDirectory()
            place = Path(self._scratch.name) / "base.sqlite3"
        return place

    def __enter__(self) -> KnowledgeBase:
        return self._base

    def __exit__(self, *_: object) -> None:
        if self._own is not None:
            self._own.close()
        if self._scratch is not None:
            self._scratch.cleanup()


def _engine(action: str) -> Any:
    """The engine, its embedder's file fetched where the action embeds; without one, words alone are used."""
    if action in ("build", "update", "add", "restore", "settings", "query", "move", "embedder"):
        from core.weights import catalog

        try:
            catalog.ensure("embedder", lambda done, text: log(f"{done:4.0%} {text}"))
        except Problem as problem:
            log(problem.message)
    return runtime.get().engine


def _must_exist(db: Path | None) -> None:
    if db is not None and not db.is_file():
        raise Problem(f"There is no knowledge base {db}. Make one: python -m core index build FOLDER --db {db}")


def _build(base: KnowledgeBase, given: Namespace) -> dict[str, Any]:
    began, progress = time.perf_counter(), _progress()
    chosen = Selection(tuple(given.include), tuple(given.exclude))
    with base.alone():
        planned = base.plan(sources.given(given.source, chosen, given.into), into=given.into, progress=progress)
        _log_plan(planned.plan, given.prune)
        if given.dry_run:
            return _planned(planned.plan, given.prune)
        if given.vectors is not None:
            base.move(_place(given), progress)
        done = base.carry_out(planned, prune=given.prune, progress=progress)
    for name, why in done.failed[len(planned.plan.failed) :]:
        log(f"failed {one_line(name, 120)}: {one_line(why)}")
    chunks, embedded = base.counts()
    seconds = time.perf_counter() - began
    log(
        f"Done: {done.added} added, {done.updated} updated, {done.deleted} removed, {done.kept} kept, "
        f"{len(done.failed)} failed; {done.embedded} passages embedded in {seconds:.1f} s"
    )
    if embedded < chunks:
        log(f"{chunks - embedded} of {chunks} passages have no vector: they are found by their words alone.")
    counted = {"passages": chunks, "passages_embedded": embedded, "seconds": round(seconds, 3)}
    return dataclasses.asdict(done) | _reasons(done) | {"dry_run": False} | counted


def _log_plan(plan: Plan, prune: bool) -> None:
    for name, why in plan.failed:
        log(f"failed {one_line(name, 120)}: {one_line(why)}")
    for name, why in plan.skipped:
        log(f"left out {one_line(name, 120)}: {one_line(why)}")
    missing = ""
    if plan.missing:
        missing = f", {len(plan.missing)} to remove" if prune else f", {len(plan.missing)} not in it stay (--prune)"
    log(
        f"Plan: {plan.files} files: {len(plan.added)} to add, {len(plan.updated)} changed, {len(plan.unchanged)} "
        f"unchanged, {len(plan.failed)} failed, {len(plan.skipped)} no documents{missing}"
        + (f"; left out by patterns: {plan.ignored}" if plan.ignored else "")
    )


def _planned(plan: Plan, prune: bool) -> dict[str, Any]:
    """A plan under the same names as what is done, and the documents by name."""
    gone, kept = (plan.missing, ()) if prune else ((), plan.missing)
    named = {"added": plan.added, "updated": plan.updated, "unchanged": plan.unchanged, "deleted": gone, "kept": kept}
    counted = {name: len(paths) for name, paths in named.items()}
    whole = {"files": plan.files, "ignored": plan.ignored, "complete": plan.complete, "dry_run": True}
    return whole | counted | _reasons(plan) | {"documents": named}


def _reasons(found: Plan | Sync) -> dict[str, Any]:
    return {
        name: [{"file": file, "why": why} for file, why in rows]
        for name, rows in (("failed", found.failed), ("skipped", found.skipped))
    }


def _progress() -> Callable[[float, str], None]:
    """Report at most once a second."""
    last = time.monotonic()

    def report(done: float, text: str) -> None:
        nonlocal last
        if time.monotonic() - last >= 1.0:
            last = time.monotonic()
            log(f"{done:4.0%} {one_line(text, 100)}")

    return report


def _add(base: KnowledgeBase, given: Namespace) -> list[dict[str, Any]]:
    if given.name and len(given.file) > 1:
        raise Problem("--as names one document: give one file.")
    names = [given.name or _name(file) for file in given.file]
    if double := [name for name in names if names.count(name) > 1]:
        raise Problem(f"Two files would be the document '{one_line(double[0], 120)}'. Nothing was added: rename one.")
    read = [(name, *_parsed(file)) for name, file in zip(names, given.file, strict=True)]  # all readable, or none added
    changes = [base.add(name, text, metadata={"type": kind}) for name, text, kind in read]
    for change in changes:
        log(f"{change.kind} {one_line(change.path, 120)}: {change.chunks} passages in {change.total_ms:.0f} ms")
    return [dataclasses.asdict(change) for change in changes]


def _name(file: Path) -> str:
    """A file's path below the current folder, as `build .` would name it; elsewhere its bare name."""
    place = Path(os.path.normpath(Path.cwd() / file))
    return clean_path(place.relative_to(Path.cwd()).as_posix() if place.is_relative_to(Path.cwd()) else place.name)


def _parsed(file: Path) -> tuple[str, str]:
    try:
        size = file.stat().st_size
        if size > LARGEST_FILE:
            raise Problem(too_large(file.name, size))
        parsed = parse(file.name, file.read_bytes())
    except OSError as error:
        raise Problem(f"'{one_line(str(file), 120)}' cannot be read ({error.strerror}).") from error
    return parsed.text, parsed.type


def _list(base: KnowledgeBase, given: Namespace) -> list[dict[str, Any]]:
    found = base.documents(search=given.search)
    if not given.json:
        for document in found:
            print(f"{document.path}  {document.chunks} passages, {document.versions} versions, {document.state}")
    return [dataclasses.asdict(document) for document in found]


def _delete(base: KnowledgeBase, given: Namespace) -> list[dict[str, Any]]:
    return _logged(base.delete_all(given.document))


def _restore(base: KnowledgeBase, given: Namespace) -> list[dict[str, Any]]:
    return _logged([base.restore(document) for document in dict.fromkeys(given.document)])


def _logged(changes: list[Change]) -> list[dict[str, Any]]:
    for change in changes:
        log(f"{change.kind} {one_line(change.path, 120)}")
    return [dataclasses.asdict(change) for change in changes]


def _settings(base: KnowledgeBase, given: Namespace) -> dict[str, Any]:
    names = [field.name for field in dataclasses.fields(Settings)]
    changed = {name: getattr(given, name) for name in names if getattr(given, name) is not None}
    if changed:
        if "chunk_size" in changed and "overlap" not in changed:  # half a piece is the most
            changed["overlap"] = min(base.settings.overlap, max(0, given.chunk_size) // 2)
        base.configure(dataclasses.replace(base.settings, **changed))
        base.catch_up(_progress())
    made = dataclasses.asdict(base.settings)
    if not given.json:
        print("\n".join(f"{name:<11} {value}" for name, value in made.items()))
    chunks, embedded = base.counts()
    return made | {"passages": chunks, "passages_embedded": embedded}


def _query(base: KnowledgeBase, given: Namespace) -> dict[str, Any]:
    found = base.query(
        given.question,
        given.top_k,
        given.mode,
        weight=given.weight,
        threshold=given.threshold,
        snapshot=given.snapshot,
        filters=_filters(given),
        hops=given.hops,
    )
    if found.note:
        log(found.note)
    if not given.json:
        for number, passage in enumerate(found.passages, 1):
            hop = f"  second hop: {passage.linked}" if passage.linked else ""
            print(f"[{number}] {passage.score:.3f} {passage.document}{hop}\n{passage.text}\n")
    return {
        "question": given.question,
        "mode": found.mode,
        "note": found.note,
        "timing": {"embed": found.embed_ms, "search": found.search_ms},
        "passages": [dataclasses.asdict(passage) for passage in found.passages],
    }


def _move(base: KnowledgeBase, given: Namespace) -> dict[str, Any]:
    began, progress, place = time.perf_counter(), _progress(), _place(given)
    if given.anew and place is not None:
        raise Problem("--anew gives a server up: it goes with --vectors here.")
    with base.alone():
        if given.anew:
            log(f"{base.give_up_server():,} passages have no vector now: they are embedded again.")
            base.catch_up(progress)
        where = base.move(place, progress)
    chunks, embedded = base.counts()
    at = "here" if where.place is None else f"at {where.place.url}, collection {where.collection}"
    log(f"{embedded:,} of {chunks:,} passages have a vector, {at}. The words (BM25) and the texts are here.")
    return {
        "vectors": HERE if where.place is None else where.place.url,
        "collection": where.collection,
        "passages": chunks,
        "there": where.there,
        "here": where.here,
        "seconds": round(time.perf_counter() - began, 3),
    }


def _embedder(base: KnowledgeBase, given: Namespace) -> dict[str, Any]:
    chunks, embedded = base.counts()
    if not (given.bundled or given.endpoint or given.file):
        chosen, waiting, given.dry_run = base.embedding, chunks - embedded, True
        log(f"This base is embedded by {chosen.title}.")
    else:
        addresses.check_variable(given.key_variable)
        if given.endpoint:
            addresses.check(given.endpoint)
            addresses.check_pair(given.key_variable, given.endpoint)
        asked = Embedding(
            given.file or "", (given.endpoint or "").rstrip("/"), given.name, given.key_variable,
            given.before_question, given.before_passage,
        )  # fmt: skip
        if asked.url and not asked.name.strip():
            raise Problem("--endpoint wants --name too: what the server knows the model by.")
        chosen, waiting = base.plan_embedding(asked)
        log(
            f"Plan: {waiting:,} of {chunks:,} passages are embedded again by {chosen.title} ({chosen.dimensions} "
            "numbers each). Until then questions are searched by words alone."
        )
        if not given.dry_run:
            with base.alone():
                base.choose_embedding(chosen)
                base.catch_up(_progress())
    return {
        "embedder": dataclasses.asdict(chosen),
        "to_embed": waiting,
        "passages": chunks,
        "passages_embedded": base.counts()[1],
        "dry_run": bool(given.dry_run),
    }


def _filters(given: Namespace) -> dict[str, str]:
    found = dict(filters.pairs(given.metadata))
    return found if given.folder is None else found | {"folder": given.folder}


ACTIONS: dict[str, Callable[[KnowledgeBase, Namespace], Any]] = {
    "build": _build,
    "update": _build,
    "add": _add,
    "list": _list,
    "delete": _delete,
    "restore": _restore,
    "settings": _settings,
    "query": _query,
    "move": _move,
    "embedder": _embedder,
}
