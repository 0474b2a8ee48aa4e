"""`python -m core report RUN --html FILE`: an evaluation that was made, as JSON, one HTML file, or one whole reply."""

from argparse import Namespace
from pathlib import Path
from typing import Any

from core import evaluate, records, runtime
from core.commands import emit, log, parser, with_project
from core.commands.ask import write_text
from core.errors import Problem
from core.evaluation import tables
from core.evaluation.records import Report
from core.evaluation.repeats import sentences
from core.evaluation.sheet import headline
from core.text import one_line


def main(argv: list[str]) -> int:
    """Say what an evaluation found."""
    given = _arguments(argv)
    try:
        here = runtime.get()
        found = evaluate.result(here, _named(here, given.run, given.project))
        if given.reply:
            number, _, arm = given.reply.partition(":")
            whole = evaluate.whole(here, found.id, _number(number), arm)
            _say(given, records.plain(whole), [f"{name}: {value}" for name, value in records.plain(whole.row).items()])
            return 0
        if given.html:
            write_html(given.html, found)
        several, tuned = evaluate.varied(here, found)
        also = {"beside": evaluate.beside(here, found), "repeats": several, "trainings": tuned}
        made = {**records.plain(found), "gates": [], **{name: records.plain(each) for name, each in also.items()}}
        _say(given, made, [headline(found), *tables.decisions(found), *sentences(several, tuned, found.titles)])
    finally:
        runtime.close()
    return 0


def write_html(path: Path, found: Report) -> None:
    """The evaluation as one self-contained HTML file. Raises Problem when it cannot be written."""
    text = evaluate.html(runtime.get(), found)
    write_text(path, text)
    log(f"written: {one_line(str(path), 200)} ({len(text.encode()) / 1000:.0f} kB)")


def _arguments(argv: list[str]) -> Namespace:
    about = "An evaluation that was made: what it found, as text, JSON or one HTML file."
    options = with_project(parser("report", about))
    options.add_argument("run", help="an evaluation's id, or 'latest': the newest of --project")
    options.add_argument("--html", type=Path, metavar="FILE", help="one file to read, print and send")
    options.add_argument("--reply", metavar="NUMBER:ARM", help="one reply with all that is kept of it")
    return options.parse_args(argv)


def _named(here: runtime.Runtime, run: str, project: str) -> str:
    if run != "latest":
        return run
    names = evaluate.names(here, here.projects.get(project))
    if not names:
        raise Problem(
            f"The project '{project}' has no evaluation yet. See: python -m core evaluate --project {project}"
        )
    return next(iter(names))


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
