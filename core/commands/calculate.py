"""`python -m core calculate`: the calculator page's results without the page. Knows arguments, not formulas."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from core import calibration, runtime
from core import scenario as envelope
from core.calculator import calibrate, inputs
from core.calculator.report import report
from core.commands import emit, keep, log, of_project, parser, with_project
from core.errors import Problem

DEFAULT: Final = "documents"  # the preset one begins with


def main(argv: list[str]) -> int:
    """Print the verdict (or, with --json, everything); exit status 0. Raises Problem on bad input."""
    arguments = parser("calculate", "Cost, latency, accuracy and time of four approaches to one use case.")
    arguments.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a range is low..high")
    arguments.add_argument("--scenario", type=Path, metavar="FILE", help="a saved scenario (JSON)")
    arguments.add_argument("--link", metavar="TEXT", help="the s=... part of a shared link")
    arguments.add_argument("--preset", help=f"one of {', '.join(inputs.presets())} (default: {DEFAULT})")
    arguments.add_argument("--list", action="store_true", help="every input with unit, default, source and help")
    arguments.add_argument(
        "--calibrate", action="store_true", help="take what the project's evaluations and runs measured"
    )
    arguments.add_argument("--with-demo", action="store_true", help="with --calibrate: also the bundled demo's card")
    arguments.add_argument("--keep", action="store_true", help="keep the scenario, as it is then, with --project")
    options = with_project(arguments).parse_args(argv)
    if options.list:
        _print_inputs(options.json)
        return 0
    before = of_project(options.project)
    scenario = _scenario(options.preset, options.scenario, options.link, before)
    taken = _measured(options.project, demo=options.with_demo) if options.calibrate else []
    scenario = _with(calibrate.apply(scenario, taken), options.set)
    if options.keep:
        keep(options.project, {**before, "calculator": scenario.section()})
    found = {**report(scenario), "calibrated": [asdict(one) for one in taken]}
    for one in taken:
        log(f"calibrated: {one.name}: {inputs.words(one.name, one.value)} ({one.origin})")
    if options.json:
        emit(found)
    else:
        said = found["verdict"]
        print("\n".join([said["headline"], *said["lines"], *said["doubts"]]))
        for title, part in (("Risk", "risks"), ("Would flip it", "flips"), ("Measure first", "first")):
            print("".join(f"{title}: {line}\n" for line in said[part]), end="")
    return 0


def _measured(project_id: str, *, demo: bool) -> list[calibrate.Change]:
    """What the page's Calibrate takes for this project."""
    try:
        here = runtime.get()
        found = calibration.measured(here, here.projects.get(project_id))
    finally:
        runtime.close()
    taken = [*found.own, *(found.demo if demo else ())]
    if not taken:
        log("calibrated: nothing is measured in this project yet; evaluate its questions first.")
    return taken


def _scenario(preset: str | None, file: Path | None, link: str | None, before: Mapping[str, Any]) -> inputs.Scenario:
    """The file or link, or the preset, or what the project keeps. Raises Problem on a field that is no use."""
    if file is not None or link is not None:
        return _saved(file, link)
    if preset is None and before.get("calculator"):
        return inputs.check(before["calculator"])[0]
    return inputs.from_preset(preset or DEFAULT)


def _with(scenario: inputs.Scenario, changes: Sequence[str]) -> inputs.Scenario:
    """The scenario with --set on top."""
    for change in changes:
        name, equals, value = change.partition("=")
        if not equals:
            raise Problem(f"--set takes NAME=VALUE, not '{change[:60]}'.")
        scenario = scenario.replace({name.strip(): value.strip()})
    return scenario


def _saved(file: Path | None, link: str | None) -> inputs.Scenario:
    if file is not None:
        try:
            with file.open("rb") as stream:
                data = stream.read(envelope.MAX_BYTES + 1)
        except OSError as error:
            raise Problem(f"--scenario: {file} cannot be read ({error.strerror}).") from error
        found, notes = envelope.loads(data, "scenario")
    else:
        found, notes = envelope.decode((link or "").rpartition("s=")[2])
    scenario, wrong = inputs.check(found.get("calculator", {}))
    versions = [note for note in [*notes, *wrong] if note.startswith("version:")]
    bad = [note for note in [*notes, *wrong] if note not in versions]
    if bad:
        raise Problem(bad[0] if len(bad) == 1 else f"{bad[0]} And {len(bad) - 1} more.")
    for note in versions:
        log(note)
    return scenario


def _print_inputs(as_json: bool) -> None:
    entries = [one.describe() for one in inputs.every().values()]
    if as_json:
        emit(entries)
        return
    for one in entries:
        print(f"{one['name']}: {one['default']} {one['unit']}. {one['label']}. {one['help']} [{one['source']}]")
