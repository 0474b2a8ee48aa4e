"""`python -m core votes list|export|add|delete|calibrate`: what people said of answers, and what it adds up to."""

import json
import sys
from argparse import Namespace
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import msgspec

from core import evaluate, hand, runtime, votes
from core.commands import emit, log, parser, with_project
from core.errors import Problem
from core.evaluation.preferences import preferences
from core.runtime import Runtime
from core.text import one_line
from core.votes import Said, Vote

WAYS = ("list", "export", "add", "delete", "calibrate")


def main(argv: list[str]) -> int:
    """List, export, add or delete; exit status 0."""
    given = _arguments(argv)
    try:
        here = runtime.get()
        project = here.projects.get(given.project)
        told: dict[str, Any] = {"project": project.id}
        if given.way == "add":
            says = _read(given.what)
            here.votes.save(project.id, *says)
            told["added"] = len(says)
        if given.way == "delete":
            if not here.votes.delete(project.id, given.what):
                raise Problem(f"There is no vote '{one_line(given.what, 40)}' in this project.")
            told["deleted"] = 1
        if given.way == "calibrate":
            told |= _calibrated(here, given)
        _print(given, told, here.votes.all(project.id, given.source))
    finally:
        runtime.close()
    return 0


def _print(given: Namespace, told: Mapping[str, Any], says: list[Said]) -> None:
    found = preferences([say for say in says if isinstance(say, Vote)])
    if given.json:
        emit({**told, "votes": [votes.row(say) for say in says], "preferences": asdict(found), "said": found.sentences})
    elif given.way == "export":
        print(votes.as_csv(says), end="")
    else:
        kinds = [f"{sum(isinstance(say, of) for say in says)} of kind {kind}" for kind, of in votes.KINDS.items()]
        print("\n".join([", ".join(kinds), f"both bad: {found.both_bad.count}", *found.sentences]))


def _calibrated(here: Runtime, given: Namespace) -> dict[str, Any]:
    """Answers to be marked by hand, in the form that `add` takes once `right` is set, and what the marks say so far."""
    if not given.source:
        raise Problem("Calibrate which evaluation? Give --source ID.")
    found = evaluate.result(here, given.source)
    rows = hand.to_mark(found, given.metric, given.count, given.seed)
    to_mark = [
        {
            "kind": "mark",
            "place": msgspec.to_builtins(hand.place_of(found, row)),
            "question": row.question,
            "arm": row.arm,
            "expected": row.expected,
            "reply": row.reply,
            "right": None,
        }
        for row in rows
    ]
    said = hand.agreements(here, found)
    causes = hand.cause_agreement(found.rows, here.votes.causes(found.project, found.id))
    for one in said:
        least = "" if one.threshold is None else f" from {one.threshold:.2f} on" + " (fitted)" * one.fitted
        log(f"{one.title}{least}: {one.agreement.sentence}")
    return {"to_mark": to_mark, "agreement": [asdict(one) for one in said], "causes": asdict(causes)}


def _arguments(argv: list[str]) -> Namespace:
    options = with_project(parser("votes", "What people said of answers: votes, marks, causes."))
    options.epilog = "add: JSON lines, or what --json prints. A second say on one thing replaces the first."
    options.add_argument("way", choices=WAYS)
    options.add_argument("what", nargs="?", default="-", help="add: a file, - for standard input; delete: an id")
    options.add_argument("--metric", default="token_f1", help="calibrate: spread the answers over its values")
    options.add_argument("--count", type=int, default=30, help="calibrate: answers to be marked")
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--source", metavar="ID", help="only of this run or evaluation")
    return options.parse_args(argv)


def _read(source: str) -> list[Said]:
    """The votes of a file: a JSON list, an object with `votes`, or one object a line."""
    try:
        data = sys.stdin.buffer.read(votes.MOST_BYTES + 1) if source == "-" else Path(source).read_bytes()
        text = data.decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise Problem(f"{one_line(source, 120)} cannot be read: {one_line(str(error), 120)}.") from error
    if len(data) > votes.MOST_BYTES:
        raise Problem(f"More than {votes.MOST_BYTES // 10**6} MB of votes are not taken at once.")
    try:
        found = json.loads(text)
        rows = found.get("votes", [found]) if isinstance(found, dict) else found
    except (ValueError, RecursionError):
        rows = [_line(line, number) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
    if not isinstance(rows, list) or not rows:
        raise Problem("There is no vote to add: JSON objects are wanted, one a line.")
    return [votes.read(row, f"Vote {number}") for number, row in enumerate(rows, 1)]


def _line(line: str, number: int) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError) as error:
        raise Problem(f"Line {number} is not JSON. One object a line is wanted.") from error
