"""The headless twins of the pages, one module a command: `main(argv) -> exit status`. They know no formulas.

JSON goes to standard output, everything else to standard error; bad input is one line and exit status 2.
"""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

from core import export, scenario
from core.errors import Problem
from core.records import FIRST_PROJECT
from core.schema import VERSION

BAD_INPUT = 2


class Parser(argparse.ArgumentParser):
    """argparse, with one clear line instead of a usage page."""

    def error(self, message: str) -> NoReturn:
        raise Problem(f"{message}. See: python -m core {self.prog.rsplit(' ', 1)[-1]} --help")


def parser(command: str, about: str) -> Parser:
    """The argument parser of one command, with `--json` already in it."""
    made = Parser(prog=f"python -m core {command}", description=about)
    made.add_argument("--json", action="store_true", help="print one JSON object on standard output")
    return made


def with_project(made: Parser) -> Parser:
    """Adds `--project`: which project the command is about."""
    made.add_argument("--project", default=FIRST_PROJECT, metavar="ID", help="which project; see: core project list")
    return made


def emit(result: Mapping[str, Any] | Sequence[Any]) -> None:
    """Print `result` as one JSON document; an object carries its version (see core/schema.py)."""
    if isinstance(result, Mapping):
        result = {"version": VERSION, **result}
    print(export.one_document(result))


def log(message: str) -> None:
    """One line for people, on standard error."""
    print(message, file=sys.stderr, flush=True)


def of_project(project_id: str) -> dict[str, Any]:
    """The scenario that a project keeps, with what of it can be used. Raises Problem on a project that there is not."""
    from core import runtime
    from core.project import bundled

    try:
        known = bundled.all_bundled().get(project_id)  # needs no state folder
        kept = (known or runtime.get().projects.get(project_id)).scenario
    finally:
        runtime.close()
    found, notes = scenario.loads(json.dumps(kept), "project") if kept else (scenario.empty(), [])
    for note in notes:
        log(note)
    return found


def keep(project_id: str, whole: Mapping[str, Any]) -> None:
    """Keep a scenario with a project. Raises Problem, as on a bundled project."""
    from core import runtime

    try:
        runtime.get().projects.change(project_id, scenario=json.loads(scenario.dumps(whole)))
    finally:
        runtime.close()
