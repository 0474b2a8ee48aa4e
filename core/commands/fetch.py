"""`python -m core fetch [ID ...]`: makes models ready before the app needs them. Knows the command line only.

Without an id: the default pair and the embedder. Every file is hashed again, so this also finds and mends a damaged
one. Exit status 0 when all is ready, 2 otherwise; then every way that was tried is on standard error.
"""

import sys
from pathlib import Path
from typing import Any

from core.commands import emit, log, parser
from core.errors import Problem
from core.weights import catalog, choice, machine
from core.weights.catalog import Catalog


def main(argv: list[str]) -> int:
    """Run the command; gives the exit status. Raises Problem on bad input."""
    arguments = parser("fetch", "Makes models ready before the app needs them.")
    arguments.add_argument("ids", nargs="*", metavar="ID", help="models to make ready; see --list")
    arguments.add_argument("--from", dest="folder", type=Path, help="a folder to look into first, for working offline")
    arguments.add_argument(
        "--use",
        nargs="+",
        metavar="NAME",
        help="which models play: a pair's id, a base alone, or the ids or files of a base and its fine-tune",
    )
    arguments.add_argument(
        "--probe", action="store_true", help="measure whether this machine carries the standard pair"
    )
    arguments.add_argument("--list", action="store_true", help="show the models, with size, memory and licence")
    options = arguments.parse_args(argv)
    if options.folder and not options.folder.exists():
        raise Problem(f"There is no folder {options.folder}.")
    here = catalog.default((options.folder,) if options.folder else ())
    if options.list:
        _print(_listing(here), options.json)
        return 0
    if options.use:
        here.choose(*_players(here, options.use))
        _print([{"id": role, "plays": here.chosen(role) or "none"} for role in choice.VARIABLES], options.json)
        return 0
    if options.probe:
        return _probe(here, options.json)
    unknown = [name for name in options.ids if name not in here.manifest.models]
    if unknown:
        raise Problem(f"Unknown model {unknown[0]!r}. Known: {', '.join(here.manifest.models)}")
    return _fetch(here, options.ids or list(catalog.DEFAULT), options.json)


def _players(here: Catalog, names: list[str]) -> tuple[str, str | None]:
    """Base and fine-tuned, from a pair's id, a base alone, or both named."""
    if len(names) > 2:
        raise Problem("--use takes a pair's id, a base alone, or a base and its fine-tune.")
    pair = here.pair(names[0])
    if pair and len(names) == 1:
        return pair.base, pair.fine_tuned
    found = [str(Path(name).resolve()) if Path(name).is_file() else name for name in names]
    return found[0], found[1] if len(found) == 2 else None


def _probe(here: Catalog, as_json: bool) -> int:
    from core.engine import Engine

    engine = Engine()
    try:
        decision = here.measure_machine(engine)
    finally:
        engine.close()
    if as_json:
        emit({"pair": decision.pair, "reason": decision.reason, "measured": machine.as_json(here.weights)})
    else:
        print(f"{decision.pair}: {decision.reason}")
    return 0


def _fetch(here: Catalog, ids: list[str], as_json: bool) -> int:
    done: list[dict[str, Any]] = []
    failed = 0
    for name in ids:
        show = _Progress(name)
        try:
            spec = here.ensure(name, show, verify=True)
        except Problem as problem:
            show.end()
            log(f"error: {name}: {problem.message}")
            failed += 1
            continue
        show.end()
        done.append(here.identity(name) | {"path": str(spec.path), "size": spec.path.stat().st_size})
    _print(done, as_json)
    return 2 if failed else 0


def _listing(here: Catalog) -> list[dict[str, Any]]:
    rows = [
        {
            "id": model.id,
            "name": model.name,
            "pair": model.pair,
            "role": model.role,
            "ready": here.ready(model.id),
            "download": model.source.size,
            "memory": model.memory,
            "licence": model.source.licence,
            "attribution": model.source.attribution,
            "sha256": model.source.files[0].sha256,
        }
        for model in here.manifest.models.values()
    ]
    own = [{"id": item.id, "name": str(item.path), "ready": True, "size": item.size} for item in here.own()]
    return rows + own


def _print(rows: list[dict[str, Any]], as_json: bool) -> None:
    if as_json:
        emit(rows)
        return
    for row in rows:
        state = "" if "ready" not in row else "ready  " if row["ready"] else "missing"
        numbers = [
            f"{label} {row[key] / 1e6:,.0f} MB"
            for key, label in (("size", "file"), ("download", "download"), ("memory", "memory about"))
            if row.get(key)
        ]
        digest = row.get("file_sha256") or row.get("sha256")
        facts = [*numbers, row.get("licence") or "", f"SHA-256 {digest}" if digest else row.get("plays") or row["name"]]
        print(f"{row['id']:<28}{state} {', '.join(fact for fact in facts if fact)}")


class _Progress:
    """One line on standard error: rewritten in a terminal, else printed when the message changes."""

    def __init__(self, name: str) -> None:
        self.name, self.message, self.tty = name, "", sys.stderr.isatty()

    def __call__(self, done: float, message: str) -> None:
        if self.tty:
            print(f"\r\x1b[K{self.name}: {done:4.0%} {message}", end="", file=sys.stderr, flush=True)
        elif (what := message.partition(" · ")[0]) != self.message:
            print(f"{self.name}: {what}", file=sys.stderr, flush=True)
            self.message = what

    def end(self) -> None:
        if self.tty:
            print(file=sys.stderr)
