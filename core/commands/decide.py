"""`python -m core decide`: the page "Decide" without the page: a brief in, numbers read, verdict and record out."""

from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

from core import brief, calibration, decide, record, record_files, runtime
from core import scenario as envelope
from core.advisor import handover
from core.calculator import inputs
from core.calculator.inputs import Scenario
from core.calculator.model import evaluate_cached
from core.calculator.verdict import headline, verdict
from core.commands import emit, log, parser
from core.errors import Problem


def main(argv: list[str]) -> int:
    """Print what was read, the verdict and the three numbers; write the record where asked. Raises Problem."""
    options = parser("decide", "From a brief to a recommendation and a decision record to sign.")
    options.add_argument("--text", default="", help="the brief; its numbers are taken as read, so check them")
    options.add_argument("--brief", type=Path, metavar="FILE", help="the same from a text file")
    options.add_argument("--link", default="", metavar="TEXT", help="the s=... part of a shared link to start from")
    options.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a range is low..high")
    options.add_argument("--other", default="", metavar="TEXT", help="the s=... part of a second scenario's link")
    for name in ("title", "owner", "signer"):
        options.add_argument(f"--{name}", default="", help="stands in the record")
    options.add_argument("--record", type=Path, metavar="FILE", help="write the decision record: .html or .md")
    options.add_argument("--project", default="", metavar="ID", help="its evaluations and runs stand in the record")
    given = options.parse_args(argv)
    whole, notes = envelope.decode(given.link.rpartition("s=")[2])
    scenario, wrong = inputs.check(whole.get("calculator", {}))
    answers, unread = handover.answers_in(whole.get("advisor", {}))
    said, lost = decide.kept(whole.get("decision", {}))
    text = _text(given.text, given.brief) or said.get("brief", "")
    found = brief.read(text if given.text or given.brief else "")
    answers |= found.answers
    scenario, refused = decide.put(scenario, found.answers, found.numbers)
    for change in given.set:
        name, equals, value = change.partition("=")
        if not equals:
            raise Problem(f"--set takes NAME=VALUE, not '{change[:60]}'.")
        scenario = scenario.replace({name.strip(): value.strip()})
    for note in [*notes, *wrong, *unread, *lost, *refused]:
        log(note)
    parts = {
        "calculator": scenario.section(),
        "advisor": {"answers": answers},
        "decision": _decision(said, given, text),
    }
    link = envelope.encode({name: part for name, part in parts.items() if part})
    names = parts["decision"]
    known = _measured(given.project) if given.project else calibration.Measured()
    made = record.Decision(
        measured=known.own,
        evaluations=known.headlines,
        title=names.get("title") or "Decision record",
        owner=names.get("owner", ""),
        signer=names.get("signer", ""),
        made=date.today(),
        brief=text,
        answers=answers,
        other=("The other scenario", _scenario(given.other)) if given.other else None,
        link=link,
    )
    if given.record:
        _write(given.record, scenario, made)
    result = _report(scenario, found, made)
    if given.json:
        emit(result)
    else:
        _show(result)
    return 0


def _measured(project_id: str) -> calibration.Measured:
    try:
        here = runtime.get()
        return calibration.measured(here, here.projects.get(project_id))
    finally:
        runtime.close()


def _text(text: str, file: Path | None) -> str:
    if file is None:
        return text
    try:
        with file.open(encoding="utf-8") as stream:
            return stream.read(brief.MAX_TEXT)
    except (OSError, UnicodeDecodeError) as error:
        raise Problem(f"--brief: {file} cannot be read as text.") from error


def _decision(said: dict[str, str], given: Any, text: str) -> dict[str, str]:
    """The envelope's section: what the link said, with what the command says over it."""
    typed = {name: getattr(given, name) for name in ("title", "owner", "signer")} | {"brief": text[: decide.MAX_TEXT]}
    return decide.kept({**said, **{name: value for name, value in typed.items() if value}})[0]


def _scenario(link: str) -> Scenario:
    whole, notes = envelope.decode(link.rpartition("s=")[2])
    scenario, wrong = inputs.check(whole.get("calculator", {}))
    if notes or wrong:
        raise Problem(f"--other: {[*notes, *wrong][0]}")
    return scenario


def _write(file: Path, scenario: Scenario, made: record.Decision) -> None:
    kinds = {".html": record_files.html, ".md": record_files.markdown}
    if file.suffix not in kinds:
        raise Problem(f"--record: the name must end in .html or .md, not '{file.suffix}'.")
    try:
        file.write_text(kinds[file.suffix](scenario, made), encoding="utf-8")
    except OSError as error:
        raise Problem(f"--record: {file} cannot be written ({error.strerror}).") from error
    log(f"decision record: {file}")


def _report(scenario: Scenario, found: brief.Brief, made: record.Decision) -> dict[str, Any]:
    outcome = evaluate_cached(scenario)
    return {
        "read": [{**asdict(one), "shown": one.shown} for one in found.numbers],
        "answers": dict(made.answers),
        "not_understood": list(found.left),
        "headline": headline(scenario, outcome),
        "approach": record.recommended(outcome),
        "numbers": record.numbers(scenario, outcome, record.recommended(outcome)),
        "ruled_out": record.ruled_out(scenario, outcome),
        "flips": list(verdict(scenario, outcome).flips),
        "risks": record.risks(scenario, outcome, made.made),
        "measure_next": record.measure_next(scenario, outcome, made.answers),
        "evaluations": [asdict(one) for one in made.evaluations],
        "link": made.link,
    }


def _show(result: dict[str, Any]) -> None:
    for one in result["read"]:
        print(f"read: {one['what']}: {one['shown']} (“{one['words']}”)")
    for text in result["not_understood"]:
        print(f"not understood: {text}")
    print(result["headline"])
    for row in result["numbers"]:
        print(f"{row['What']}: {row['Value']} ({row['Range']}; {row['Target']})")
    for title in ("flips", "risks", "measure_next"):
        for line in result[title][:3]:
            print(f"{title.replace('_', ' ')}: {line}")
