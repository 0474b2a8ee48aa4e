"""The headless twins of the pages, one module a command: `main(argv) -> exit status`. They know no formulas.

JSON goes to standard output, everything else to standard error; bad input is one line and exit status 2.
"""

import argparse
import json
import math
import sys
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

from core.errors import Problem

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


def emit(result: Mapping[str, Any] | Sequence[Any]) -> None:
    """Print `result` as one JSON document."""
    print(as_json(result))


def as_json(result: Mapping[str, Any] | Sequence[Any]) -> str:
    """`result` as one JSON document; what JSON cannot hold (NaN, infinity) becomes null."""
    return json.dumps(_finite(result), ensure_ascii=False, allow_nan=False)


def log(message: str) -> None:
    """One line for people, on standard error."""
    print(message, file=sys.stderr, flush=True)


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return value
