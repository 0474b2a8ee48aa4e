"""`python -m core state check | backup | restore | repair`: the state folder looked after."""

import dataclasses
from argparse import Namespace
from pathlib import Path
from typing import Any

from core import commands, paths, state
from core.commands import emit, log

BROKEN = 1  # exit status of `check` when something is


def main(argv: list[str]) -> int:
    """Run one action: 0 all is well, 1 `check` found a broken database, 2 bad input."""
    options = commands.parser("state", "check, back up, restore and repair what the app keeps")
    actions = options.add_subparsers(dest="action", required=True, metavar="ACTION")
    for name, about in (
        ("check", "every database's integrity, orphans and sizes; changes nothing"),
        ("backup", "all databases into one new file, while the app may run"),
        ("restore", "a backup in the place of today's databases, which are set aside"),
        ("repair", "broken databases built anew from what can be read, the broken ones set aside"),
    ):
        action = actions.add_parser(name, help=about, description=about)
        action.add_argument("--json", action="store_true", help="print one JSON object on standard output")
        if name in ("backup", "restore"):
            action.add_argument("file", type=Path)
    given = options.parse_args(argv)
    result, status = {"check": _check, "backup": _backup, "restore": _restore, "repair": _repair}[given.action](given)
    if given.json:
        emit(result)
    return status


def _check(given: Namespace) -> tuple[dict[str, Any], int]:
    report = state.check(paths.state_dir())
    for file in report.databases:
        log(f"{'broken' if file.problems else 'sound'}  {file.name}  {file.bytes / 1e6:,.1f} MB")
        for problem in file.problems:
            log(f"        {problem}")
    for name in report.orphans:
        log(f"orphan  {name}")
    log(", ".join(f"{name} {size / 1e6:,.1f} MB" for name, size in report.sizes.items()))
    log(f"{report.free / 1e9:,.1f} GB free in {report.folder}")
    if not report.sound:
        log("To mend it, with the broken file set aside: python -m core state repair")
    return {**dataclasses.asdict(report), "sound": report.sound}, 0 if report.sound else BROKEN


def _backup(given: Namespace) -> tuple[dict[str, Any], int]:
    listed = state.backup(paths.state_dir(), given.file)
    log(f"{len(listed['files'])} databases in {given.file}. Model files are not in it: they can be fetched again.")
    return listed, 0


def _restore(given: Namespace) -> tuple[dict[str, Any], int]:
    listed = state.restore(paths.state_dir(), given.file)
    log(f"{len(listed['files'])} databases of {listed['made']} are in place; what was there is in {state.ASIDE}.")
    return listed, 0


def _repair(given: Namespace) -> tuple[dict[str, Any], int]:
    done = state.repair(paths.state_dir())
    for each in done:
        lost = ", ".join(f"{count} of {table}" for table, count in each.lost.items())
        log(f"{each.name}: {sum(each.kept.values()):,} rows kept, lost: {lost or 'none that could be counted'}")
        log(f"        the broken file is in {each.set_aside}")
    if not done:
        log("Every database is sound; leftovers of killed processes are removed.")
    return {"repaired": [dataclasses.asdict(each) for each in done]}, 0
