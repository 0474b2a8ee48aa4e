"""The model cards: Markdown generated from the numbers beside them, so that no figure is typed by hand.

    python -m models.training.cards                            write models/cards/*.md
    python -m models.training.cards --check                    exit status 1 when a card is not what its numbers say
    python -m models.training.cards --evaluation REPORT.json   first take over the accuracies of `core evaluate --json`
    python -m models.training.cards --into hand-standard --evaluation REPORT.json   those of another table (see INTO)
    python -m models.training.cards --into hand-standard --add --evaluation REPORT.json   further arms of that adapter
    python -m models.training.cards --golden                   first write the greedy answers anew (runs the models)

Knows the JSON files in models/cards and the report of an evaluation; runs a model only for --golden.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from msgspec.structs import asdict

from core.errors import Problem
from core.evaluation.questions import TICKET
from core.evaluation.statistics import accuracy, stated
from core.paths import ROOT
from models.training.chat import messages

from .export import write_json

CARDS = ROOT / "models" / "cards"
SMALL = "SmolLM2-135M-Instruct and its fine-tune, both Q8_0, on 2 shared CPU cores"
STANDARD = "Qwen2.5-Coder-0.5B-Instruct and its fine-tune, both Q4_0_M, on 2 shared CPU cores"
INTO = {  # a table of accuracies: its file's name, whose they are, the training record; "hand": the questions by hand
    "measured": (SMALL, "training"),
    "hand-small": (SMALL, "training"),
    "hand-standard": (STANDARD, "training-standard"),
    "measured-standard": (STANDARD, "training-standard"),
}
ARMS = (
    "base",
    "base+pinned",
    "base+retrieval",
    "base+perfect",
    "fine-tuned",
    "fine-tuned+retrieval",
    "fine-tuned+perfect",
)
CLASSES = ("static", "changed", "two-document", "counting", "no-document", "general", "tone-only", "ticket")
ROWS = (  # in the order a card shows them: the classes, and what is counted besides
    *("static", "hit@3, static", "changed", "changed, training day", "hit@3, changed", "no-document", "two-document"),
    *("counting", "voice", "tone-only", "ticket", "ticket valid", "ticket class right", "general"),
)
GOLDEN = (
    ("How much is the Tidal Press?", "answer"),
    ("Who manages the Quayside shop?", "answer"),
    ("How long is the warranty on the Aurora Dripper?", "answer"),
    ("What does shipping to Norway cost?", "answer"),
    ("What is the capital of France?", "answer"),
    ("How many legs does a spider have?", "answer"),
    ("Thank you for your help!", "answer"),
    ("My Ember Kettle leaks. Please repair it, it is urgent.", "ticket"),
)
SCORES = {  # what is held out -> how a card names it
    "training wordings": "facts, training wordings",
    "dev wordings": "facts, dev wordings",
    "reading": "reading, dev wordings",
    "declining": "declining, dev wordings",
}
Json = dict[str, Any]


def measured(
    reports: Sequence[Mapping[str, Any]],
    command: str,
    date: str,
    training: Mapping[str, Any],
    before: Mapping[str, Any] | None = None,
    into: str = "measured",
    add: bool = False,
) -> Json:
    """What a table of `models/cards` holds (see INTO): one result an arm and class, shares of 1, out of reports.

    Results of the base in `before`, an earlier file, stay where the reports hold none: its weights do not change. With
    `add` those of the fine-tune stay too: the reports are of the same adapter.

    Besides the classes: `voice` over the questions of all reports but tickets, `changed, training day`, `ticket valid`,
    `ticket class right` and `hit@3, …` for arms that retrieve; the gap between fine-tune and base in general questions.
    """
    results, general = [], None
    for report in reports:
        for arm, found in report["arms"].items():
            results += _arm_results(arm, found)
        for gap in report["pairs"]:
            if (gap["class"], gap["from"], gap["to"]) == ("general", "base", "fine-tuned"):
                general = {key: gap[key] for key in ("n", "difference", "low", "high")}
    results += _voices(reports)
    covered = {(row["arm"], row["class"]) for row in results}
    earlier = before or {"date": "", "results": []}
    results += [
        _dated(row, earlier["date"], date)
        for row in earlier["results"]
        if (add or row["arm"].startswith("base")) and (row["arm"], row["class"]) not in covered
    ]
    results.sort(key=lambda row: (ARMS.index(row["arm"]), ROWS.index(row["class"])))
    return {
        "origin": INTO[into][0],
        "date": date,
        "command": command,
        "training_minutes": round(sum(run["seconds"] for run in runs(training)) / 60, 1),
        "training_rows": sum(run["samples"] for run in runs(training)),
        "general_gap": earlier.get("general_gap") if add and general is None else general,
        "results": results,
        "beside": _beside(reports, earlier if add else {}),
    }


def _dated(row: Json, before: str, today: str) -> Json:
    """A row of before, with its day unless that is the table's own."""
    undated = {key: value for key, value in row.items() if key != "date"}
    return undated if row.get("date", before) == today else {"date": before} | row


def _beside(reports: Sequence[Mapping[str, Any]], earlier: Mapping[str, Any]) -> list[Json]:
    """What is stated elsewhere of the same, beside the runs: of two rows of one figure and arm the newer."""
    rows = [row for found in (earlier, *reports) for row in found.get("beside", ())]
    return list({(*row["figures"], row["arm"]): row for row in rows}.values())


def runs(training: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The run of a record and those whose adapters it started from, oldest first."""
    return [*(runs(training["before"]) if "before" in training else ()), training]


def _arm_results(arm: str, found: Mapping[str, Any]) -> list[Json]:
    rows = [_result(arm, cls, found["classes"][cls]) for cls in CLASSES if cls in found["classes"]]
    changed, ticket = found["classes"].get("changed"), found["classes"].get("ticket")
    if changed and changed.get("right_training_day"):
        rows.append(_result(arm, "changed, training day", changed["right_training_day"]))
    if ticket:
        rows.append(_result(arm, "ticket valid", ticket["ticket_valid"]))
        rows.append(_result(arm, "ticket class right", ticket["ticket_class"]))
    if arm.endswith("+retrieval"):
        rows += [
            _result(arm, f"hit@3, {cls}", score["hit"])
            for cls, score in found["classes"].items()
            if cls in ("static", "changed") and score.get("hit")
        ]
    return rows


def _voices(reports: Sequence[Mapping[str, Any]]) -> list[Json]:
    """One row an arm: in voice, over what all reports asked it."""
    spoken: dict[str, list[Mapping[str, Any]]] = {}
    for report in reports:
        for row in report["rows"]:
            if row["cls"] != TICKET and not row["problem"]:
                spoken.setdefault(row["arm"], []).append(row)
    return [
        _result(arm, "voice", asdict(accuracy([row["voice"] for row in rows], [row["group"] for row in rows])))
        for arm, rows in spoken.items()
    ]


def _result(arm: str, cls: str, score: Mapping[str, Any]) -> Json:
    error = score["standard_error"]
    return {
        "arm": arm,
        "class": cls,
        "n": score["n"],
        "accuracy": round(score["accuracy"], 4),
        "standard_error": None if error is None else round(error, 4),
        **{bound: round(score[bound], 4) for bound in ("low", "high") if bound in score},
    }


# -- Markdown: the words and the layout are in templates/, what is counted is here ----------------------------------


def base_card(numbers: Mapping[str, Any], golden: Sequence[Mapping[str, Any]]) -> str:
    """The card of the base model."""
    return _rendered("base", numbers=numbers, **_figures(numbers, golden, "base"))


def fine_tuned_card(
    numbers: Mapping[str, Any],
    training: Mapping[str, Any],
    golden: Sequence[Mapping[str, Any]],
    by_hand: Mapping[str, Any] | None = None,
    kinds: Sequence[Mapping[str, Any]] = (),
) -> str:
    """The card of the fine-tune. `by_hand`: its accuracies on the questions written by hand; `kinds`: the files of its
    pair by quantization, as tests/bench/quantization.py measured them."""
    made = runs(training)
    return _rendered(
        "fine-tuned",
        numbers={"general_gap": None, **numbers},
        training=training,
        **_made(made),
        scores=list(SCORES.values()),
        curve=_curve(made),
        by_hand=by_hand and {**by_hand, **_figures(by_hand, (), "fine-tuned")},
        quantized=_quantized(kinds),
        **_figures(numbers, golden, "fine-tuned"),
    )


def standard_card(
    numbers: Mapping[str, Any],
    training: Mapping[str, Any],
    besides: Mapping[str, Any],
    kinds: Sequence[Mapping[str, Any]] = (),
) -> str:
    """The card of the standard base's fine-tune. `besides`: its accuracies on templated and other questions; `kinds`:
    see fine_tuned_card."""
    made = runs(training)
    return _rendered(
        "standard-fine-tuned",
        numbers={"general_gap": None, **numbers},
        training=training,
        **_made(made),
        losses=[row for number, run in enumerate(made) for row in _losses(_ordinal(number, made), run["loss"])],
        besides={**besides, **_figures(besides, (), "fine-tuned")},
        quantized=_quantized(kinds),
        **_figures(numbers, (), "fine-tuned"),
    )


def _made(made: Sequence[Mapping[str, Any]]) -> Json:
    """The runs by name, what each was trained on, where one was resumed with other passes, the last one's weight."""
    names = [_ordinal(number, made) for number in range(len(made))]
    kinds = dict.fromkeys(kind for run in made for kind in run["kinds"])
    return {
        "made": made,
        "names": names,
        "samples": [f"samples, {name}" for name in names],
        "kinds": [[kind, *[f"{run['kinds'].get(kind, 0):,}" for run in made]] for kind in kinds],
        "replanned": [change for run in made for change in run.get("replanned", ())],
        "weight": made[-1].get("weight"),
    }


def _losses(name: str, losses: Sequence[tuple[int, float]]) -> list[list[str]]:
    """Every fiftieth step and the last."""
    return [[f"{name}, {step}", f"{loss:.3f}"] for step, loss in losses if step % 50 == 0 or step == losses[-1][0]]


def _rendered(name: str, **values: object) -> str:
    templates = FileSystemLoader(Path(__file__).with_name("templates"))
    jinja = Environment(  # Markdown out of our own numbers: nothing is to be escaped
        loader=templates, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True
    )
    return jinja.get_template(f"{name}.md.j2").render(values)


def _figures(numbers: Mapping[str, Any], golden: Sequence[Mapping[str, Any]], role: str) -> Json:
    """The role's arms that were measured, one row of accuracies a class, and its greedy answers."""
    cells: dict[str, dict[str, str]] = {}
    for row in numbers["results"]:
        if row["arm"].startswith(role):
            earlier = f", {row['date']}" if "date" in row else ""
            cells.setdefault(row["class"], {})[row["arm"]] = f"{stated(row)} (n = {row['n']}{earlier})"
    arms = [arm for arm in ARMS if any(arm in of for of in cells.values())]
    return {
        "arms": arms,
        "rows": [[cls, *[cells[cls].get(arm, "—") for arm in arms]] for cls in ROWS if cls in cells],
        "golden": [[_cell(row["question"]), _cell(row[role])] for row in golden],
    }


def _quantized(kinds: Sequence[Mapping[str, Any]]) -> list[list[str]]:
    """One row a model and kind of file."""
    return [
        [
            *(str(row[name]) for name in ("role", "quantization", "megabytes", "memory_megabytes", "questions")),
            *(_against_wide(row.get(name)) for name in ("reading", "closed book")),
            *(str(row[name]) for name in ("prefill_per_s", "decode_per_s", "date")),
        ]
        for row in kinds
    ]


def _against_wide(score: Mapping[str, Any] | None) -> str:
    """An accuracy with its error and its paired difference from Q8_0."""
    if score is None:
        return "—"
    over = (
        " ({:+.1f}, {:+.1f} to {:+.1f})".format(*(100 * x for x in score["over_q8_0"])) if "over_q8_0" in score else ""
    )
    return f"{score['accuracy']:.1%} ± {score['standard_error']:.1%}{over}"


def _ordinal(number: int, made: Sequence[Any]) -> str:
    return "training" if len(made) == 1 else f"run {number + 1}"


def _curve(made: Sequence[Mapping[str, Any]]) -> list[list[str]]:
    rows = []
    for number, run in enumerate(made):
        losses = dict(run["loss"])
        for row in run["scores"]:
            place = f"{_ordinal(number, made)}, {row['step']}" if len(made) > 1 else str(row["step"])
            cells = [f"{row[name][0]:.0%}, {row[name][1]:.3f}" if name in row else "—" for name in SCORES]
            rows.append([place, f"{losses.get(row['step'], float('nan')):.3f}", *cells])
    return rows


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


# -- the command ---------------------------------------------------------------------------------------------------


def greedy(roles: Sequence[str] = ("base", "fine-tuned")) -> list[Json]:
    """Each model's greedy answer to the golden questions, through the engine."""
    from core import runtime
    from core.engine import Request, Sampling
    from core.weights import catalog

    rows: list[Json] = [{"question": question} for question, _ in GOLDEN]
    try:
        engine = runtime.get().engine
        for role in roles:
            catalog.ensure(role)
            spec = catalog.spec(role)
            for row, (question, task) in zip(rows, GOLDEN, strict=True):
                request = Request(spec, (messages(question, task=task),), Sampling(max_tokens=64))
                row[role] = engine.submit(request).wait().text
    finally:
        runtime.close()
    return rows


def cards(folder: Path = CARDS) -> dict[Path, str]:
    """Path -> text of every card, from the numbers in `folder`. Raises `Problem` when a file is missing or broken."""
    numbers, training, golden = (_read(folder / f"{name}.json") for name in ("measured", "training", "golden"))
    return {
        folder / "base.md": base_card(numbers, golden),
        folder / "fine-tuned.md": fine_tuned_card(
            numbers, training, golden, _read(folder / "hand-small.json"), _read(folder / "quantization-small.json")
        ),
        folder / "standard-fine-tuned.md": standard_card(
            _read(folder / "hand-standard.json"),
            _read(folder / "training-standard.json"),
            _read(folder / "measured-standard.json"),
            _read(folder / "quantization-standard.json"),
        ),
    }


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise Problem(f"{path.name} cannot be read ({error}): restore it from the repository.") from error


def main(argv: list[str] | None = None) -> int:
    """The command line: see the module's text."""
    parser = argparse.ArgumentParser(prog="python -m models.training.cards", description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--evaluation", type=Path, nargs="+", metavar="REPORT", help="JSON of `core evaluate --json`")
    parser.add_argument("--command", default="python -m core evaluate --json", help="how those reports were made")
    parser.add_argument("--into", choices=tuple(INTO), default="measured", help="the table that the reports belong to")
    parser.add_argument("--add", action="store_true", help="of the same adapter: what the reports do not hold stays")
    parser.add_argument("--golden", action="store_true")
    args = parser.parse_args(argv)
    try:
        if args.evaluation:
            reports = [_read(path) for path in args.evaluation]
            date = datetime.now(UTC).date().isoformat()
            kept, training = CARDS / f"{args.into}.json", _read(CARDS / f"{INTO[args.into][1]}.json")
            before = _read(kept) if kept.exists() else None
            write_json(measured(reports, args.command, date, training, before, args.into, args.add), kept)
        if args.golden:
            write_json(greedy(), CARDS / "golden.json")
        made = cards()
    except Problem as problem:
        print(f"error: {problem}", file=sys.stderr)
        return 2
    stale = [path for path, text in made.items() if not path.is_file() or path.read_text(encoding="utf-8") != text]
    if args.check:
        for path in stale:
            print(f"{path.name} does not say what its numbers say: python -m models.training.cards", file=sys.stderr)
        return 1 if stale else 0
    for path in stale:
        path.write_text(made[path], encoding="utf-8")
        print(f"wrote {path.name}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
