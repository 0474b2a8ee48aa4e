"""`python -m core index ...`: build, update, list and query a knowledge base without a browser.

With `--project` it is that project's base, and an open app sees every change at its next question; with `--db` it is a
file of its own, of no project.
"""

import dataclasses
import time
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path
from typing import Any

from core import runtime
from core.commands import emit, log, parser
from core.errors import Problem
from core.records import FIRST_PROJECT
from core.retrieval import KnowledgeBase
from core.retrieval.parsing import LARGEST_FILE, parse, too_large
from core.retrieval.values import MODES
from core.store import Store
from core.text import one_line

ABOUT = "Build, update, list and query a knowledge base in one SQLite file."


def main(argv: list[str]) -> int:
    """Run one action and give its exit status."""
    options = parser("index", ABOUT)
    actions = options.add_subparsers(dest="action", required=True, metavar="ACTION")
    for name, about in (
        ("build", "index FOLDER into a new or an existing base"),
        ("update", "the same, existing base"),
    ):
        _action(actions, name, f"{about}: only what changed is read again").add_argument("folder", type=Path)
    add = _action(actions, "add", "add or replace single documents")
    add.add_argument("file", type=Path, nargs="+")
    add.add_argument("--as", dest="name", help="the document's path in the base (one file only)")
    _action(actions, "list", "the documents, with versions and passages").add_argument("--search", default="")
    for name, about in (
        ("delete", "take a document out; 'restore' brings it back"),
        ("restore", "undo delete or edits"),
    ):
        _action(actions, name, about).add_argument("document")
    query = _action(actions, "query", "the best passages for a question")
    query.add_argument("question")
    query.add_argument("--top-k", type=int, default=3)
    query.add_argument("--mode", choices=MODES, default="hybrid")
    query.add_argument("--weight", type=float, default=None, help="share of the vectors in hybrid mode, 0 to 1")
    query.add_argument("--threshold", type=float, default=None, help="least cosine similarity, 0 to 1")
    query.add_argument("--folder", default=None, help="only documents in this folder of the base")
    query.add_argument("--snapshot", default=None, help="as of a snapshot, such as today or training-day")
    given = options.parse_args(argv)
    if given.action != "build":
        _must_exist(given.db)
    elif not given.folder.is_dir():
        raise Problem(f"There is no folder '{one_line(str(given.folder), 200)}'.")
    try:
        with _Base(given) as base:
            result = ACTIONS[given.action](base, given)
    finally:
        runtime.close()
    if given.json:
        emit(result)
    return 0


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
        if given.db is None:
            here = runtime.get()
            project = here.projects.get(given.project)
            if project.bundled and given.action in ("build", "update", "add"):
                raise Problem(f"'{project.title}' is bundled: its documents come with it. Give --project of your own.")
            store = here.base_store(project)
        else:
            store = self._own = runtime.open_base(given.db)
        self._base = KnowledgeBase(store) if given.words_only else runtime.open_knowledge(store, _engine(given.action))

    def __enter__(self) -> KnowledgeBase:
        return self._base

    def __exit__(self, *_: object) -> None:
        if self._own is not None:
            self._own.close()


def _engine(action: str) -> Any:
    """The engine, its embedder's file fetched where the action embeds; without one, words alone are used."""
    if action in ("build", "update", "add", "restore", "query"):
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
    began = time.perf_counter()
    done = base.sync_folder(given.folder, progress=_progress())
    for name, why in done.skipped:
        log(f"left out {one_line(name, 120)}: {one_line(why)}")
    chunks, embedded = base.counts()
    seconds = time.perf_counter() - began
    log(
        f"{done.added} added, {done.updated} updated, {done.unchanged} unchanged, {done.deleted} deleted; "
        f"{done.embedded} passages embedded in {seconds:.1f} s"
    )
    if embedded < chunks:
        log(f"{chunks - embedded} of {chunks} passages have no vector: they are found by their words alone.")
    counted = {"passages": chunks, "passages_embedded": embedded, "seconds": round(seconds, 3)}
    return dataclasses.asdict(done) | {"skipped": dict(done.skipped)} | counted


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
    read = [(given.name or file.name, *_parsed(file)) for file in given.file]  # all of them readable, or none is added
    changes = [base.add(name, text, metadata={"type": kind}) for name, text, kind in read]
    for change in changes:
        log(f"{change.kind} {one_line(change.path, 120)}: {change.chunks} passages in {change.total_ms:.0f} ms")
    return [dataclasses.asdict(change) for change in changes]


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


def _delete(base: KnowledgeBase, given: Namespace) -> dict[str, Any]:
    return dataclasses.asdict(base.delete(given.document))


def _restore(base: KnowledgeBase, given: Namespace) -> dict[str, Any]:
    return dataclasses.asdict(base.restore(given.document))


def _query(base: KnowledgeBase, given: Namespace) -> dict[str, Any]:
    found = base.query(
        given.question,
        given.top_k,
        given.mode,
        weight=given.weight,
        threshold=given.threshold,
        snapshot=given.snapshot,
        filters=None if given.folder is None else {"folder": given.folder},
    )
    if found.note:
        log(found.note)
    if not given.json:
        for number, passage in enumerate(found.passages, 1):
            print(f"[{number}] {passage.score:.3f} {passage.document}\n{passage.text}\n")
    return {
        "question": given.question,
        "mode": found.mode,
        "note": found.note,
        "timing": {"embed": found.embed_ms, "search": found.search_ms},
        "passages": [dataclasses.asdict(passage) for passage in found.passages],
    }


ACTIONS: dict[str, Callable[[KnowledgeBase, Namespace], Any]] = {
    "build": _build,
    "update": _build,
    "add": _add,
    "list": _list,
    "delete": _delete,
    "restore": _restore,
    "query": _query,
}
