"""`python -m core calculate`: the calculator page's results without the page. Knows arguments, not formulas."""

from pathlib import Path

from core import scenario as envelope
from core.calculator import inputs
from core.calculator.report import report
from core.commands import emit, log, parser
from core.errors import Problem


def main(argv: list[str]) -> int:
    """Print the verdict (or, with --json, everything); exit status 0. Raises Problem on bad input."""
    arguments = parser("calculate", "Cost, latency, accuracy and time of four approaches to one use case.")
    arguments.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a range is low..high")
    arguments.add_argument("--scenario", type=Path, metavar="FILE", help="a saved scenario (JSON)")
    arguments.add_argument("--link", metavar="TEXT", help="the s=... part of a shared link")
    arguments.add_argument("--preset", default="documents", help=f"one of {', '.join(inputs.presets())}")
    arguments.add_argument("--list", action="store_true", help="every input with unit, default, source and help")
    options = arguments.parse_args(argv)
    if options.list:
        _print_inputs(options.json)
        return 0
    found = report(_scenario(options.preset, options.scenario, options.link, options.set))
    if options.json:
        emit(found)
    else:
        said = found["verdict"]
        print("\n".join([said["headline"], *said["lines"], *said["doubts"]]))
        for title, part in (("Risk", "risks"), ("Would flip it", "flips"), ("Measure first", "first")):
            print("".join(f"{title}: {line}\n" for line in said[part]), end="")
    return 0


def _scenario(preset: str, file: Path | None, link: str | None, changes: list[str]) -> inputs.Scenario:
    """The preset, or the file or link, with --set on top. A field that cannot be used is a Problem, not a guess."""
    scenario = inputs.from_preset(preset)
    if file is not None or link is not None:
        scenario = _saved(file, link)
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
