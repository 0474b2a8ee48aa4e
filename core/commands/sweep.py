"""`python -m core sweep --project P --set S --json`: retrieval settings over a question set, without a model.

Every combination of the values given is tried beside the present setting, in a throw-away copy of the documents.
"""

from argparse import Namespace
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from core import evaluate, runtime, sweep
from core.commands import BAD_INPUT, emit, log, parser, with_project
from core.commands.evaluate import asked_of, waited
from core.errors import Problem
from core.evaluation.sweeps import AXES, Grid, Sweep
from core.retrieval.values import BUNDLED, MODES, SPLITTERS

T = TypeVar("T", int, float, str)
DEFAULT = Grid()


def main(argv: list[str]) -> int:
    """Sweep; exit status 0 when it came to its end."""
    given = _arguments(argv)
    try:
        here = runtime.get()
        project = here.projects.get(given.project)
        grid = Grid(**{axis: getattr(given, axis) for axis in AXES})
        grid.settings()
        asked = evaluate.limited(asked_of(here, project, given), given.limit, given.seed)
        arm = sweep.arm_of(project, given.arm)
        here.prepare_documents(project, lambda done, text: log(f"{done:4.0%} {text}"), lambda: False)
        job = waited(here, sweep.start(here, project, asked, grid, arm, given.snapshot), "sweep")
        found = sweep.result(here, job.id, given.measure)
        if given.apply:
            if indexing := sweep.apply(here, project, found.cheapest.setting):
                waited(here, indexing, "indexing")
            log(f"the project now retrieves by {found.cheapest.setting.title}")
        if given.json:
            emit(sweep.as_json(here, job.id, given.measure))
        else:
            print("\n".join(table(found)))
    finally:
        runtime.close()
    return 0 if job.state == "done" else BAD_INPUT


def table(found: Sweep) -> list[str]:
    """The settings as lines of text, best first."""
    lines = [f"{'setting':<52}{'hit@k':>7}  {'95 %':<14}{'MRR':>5}{'tokens':>8}  within the error"]
    for one in found.scored:
        span = f"{one.hit.low:.0%} to {one.hit.high:.0%}"
        within = "yes" if one.within else "no"
        lines.append(
            f"{one.setting.title:<52}{one.hit.accuracy:>7.1%}  {span:<14}{one.mrr[1]:>5.2f}{one.tokens:>8.0f}  {within}"
        )
    return [*lines, found.sentence]


def _arguments(argv: list[str]) -> Namespace:
    options = with_project(parser("sweep", "Retrieval settings over a question set, without a model."))
    options.add_argument("--questions", type=Path, action="append", default=[], help="a .csv or .jsonl, - for JSONL")
    options.add_argument("--set", action="append", default=[], metavar="NAME", help="a question set of the project")
    options.add_argument("--limit", type=int, default=None, help="at most N questions a class, drawn by --seed")
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--arm", default="", help="whose search is the present setting (default: the first that has)")
    options.add_argument("--snapshot", default=None, help="a dated view of the documents; default: the current one")
    values = "comma-separated"
    options.add_argument("--k", type=_listed(int), default=DEFAULT.k, help=values)
    options.add_argument("--mode", type=_listed(str), default=DEFAULT.mode, help=f"{values}: {', '.join(MODES)}")
    options.add_argument("--weight", type=_listed(float), default=DEFAULT.weight, help=f"{values}: the vectors' share")
    options.add_argument("--threshold", type=_listed(float), default=DEFAULT.threshold, help=values)
    options.add_argument(
        "--splitter", type=_listed(str), default=DEFAULT.splitter, help=f"{values}: {', '.join(SPLITTERS)}"
    )
    options.add_argument("--chunk-size", type=_listed(int), default=DEFAULT.chunk_size, help=f"{values}: tokens")
    told = f"{values}: a GGUF's id or path, {BUNDLED}; default: the project's own"
    options.add_argument("--embedder", type=_listed(str), default=DEFAULT.embedder, help=told)
    options.add_argument("--measure", choices=("hit", "mrr"), default="hit", help="what the best is the best of")
    options.add_argument("--apply", action="store_true", help="the cheapest within the error becomes the project's")
    return options.parse_args(argv)


def _listed(kind: Callable[[str], T]) -> Callable[[str], Sequence[T]]:
    def read(text: str) -> tuple[T, ...]:
        try:
            return tuple(kind(part.strip()) for part in text.split(",") if part.strip())
        except ValueError as error:
            raise Problem(f"'{text[:60]}' is no list of numbers separated by commas.") from error

    return read
