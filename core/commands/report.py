"""`python -m core report RUN --html FILE`: an evaluation that was made, as JSON, one HTML file, or one whole reply."""

from argparse import Namespace
from pathlib import Path
from typing import Any

from core import evaluate, records, runtime
from core.commands import emit, log, parser
from core.commands.ask import write_text
from core.errors import Problem
from core.evaluation import tables
from core.evaluation.records import Report
from core.evaluation.sheet import headline
from core.text import one_line


def main(argv: list[str]) -> int:
    """Say what an evaluation found."""
    given = _arguments(argv)
    try:
        here = runtime.get()
        found = evaluate.result(here, _named(given.run))
        if given.reply:
            number, _, arm = given.reply.partition(":")
            whole = evaluate.whole(here, found.id, _number(number), arm)
            _say(given, records.plain(whole), [f"{name}: {value}" for name, value in records.plain(whole.row).items()])
            return 0
        if given.html:
            write_html(given.html, found)
        held = records.plain(evaluate.beside(here, found))
        _say(given, {**records.plain(found), "gates": [], "beside": held}, [headline(found), *tables.decisions(found)])
    finally:
        runtime.close()
    return 0


def write_html(path: Path, found: Report) -> None:
    """The evaluation as one self-contained HTML file. Raises Problem when it cannot be written."""
    text = evaluate.html(runtime.get(), found)
    write_text(path, text)
    log(f"written: {one_line(str(path), 200)} ({len(text.encode()) / 1000:.0f} kB)")


def _arguments(argv: list[str]) -> Namespace:
    options = parser("report", "An evaluation that was made: what it found, as text, JSON or one HTML file.")
    options.add_argument("run", help="an evaluation's id, or 'latest'")
    options.add_argument("--html", type=Path, metavar="FILE", help="one file to read, print and send")
    options.add_argument("--reply", metavar="NUMBER:ARM", help="one reply with all that is kept of it")
    return options.parse_args(argv)


def _named(run: str) -> str:
    if run != "latest":
        return run
    jobs = runtime.get().jobs.list(evaluate.KIND)
    if not jobs:
        raise Problem("No evaluation has been made yet.")
    return jobs[0].id


def _number(text: str) -> int:
    try:
        return int(text)
    except ValueError as error:
        raise Problem(f"--reply takes NUMBER:ARM, such as 3:base+retrieval, not '{one_line(text, 40)}'.") from error


def _say(given: Namespace, made: dict[str, Any], lines: list[str]) -> None:
    if given.json:
        emit(made)
    else:
        print("\n".join(lines))
