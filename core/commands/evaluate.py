"""`python -m core evaluate --questions FILE --json`: the arms over a question set, with intervals and causes.

Stopped, it goes on where it was when called again with the same questions, options and models (`--fresh` does not).
"""

import time
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from core import ask, runtime
from core.commands import emit, log, parser
from core.errors import Problem
from core.evaluation import jobs, questions
from core.evaluation.questions import Question
from core.evaluation.run import Options
from core.evaluation.statistics import stated
from core.text import one_line

POLL_S = 0.5


def main(argv: list[str]) -> int:
    """Evaluate; exit status 0 when at least one reply came back, 1 when none did."""
    given = _arguments(argv)
    asked = [question for path in given.questions for question in questions.read(path)]
    settings = Options(
        arms=tuple(dict.fromkeys(part.strip() for part in given.arms.split(",") if part.strip())),
        snapshot=given.snapshot,
        top_k=given.top_k,
        mode=given.mode,
        max_tokens=given.max_tokens,
        seed=given.seed,
        pinned=_pinned(given.pinned) if given.pinned else Options.pinned,
    )
    chosen = jobs.limited(asked, given.limit, given.seed)
    jobs.check(chosen, settings)
    try:
        result = _evaluate(chosen, settings, fresh=given.fresh)
    finally:
        runtime.close()
    if given.json:
        emit(result)
    else:
        print("\n".join(table(result)))
    return 0 if any(row["reply"] for row in result["rows"]) else 1


def _arguments(argv: list[str]) -> Namespace:
    options = parser("evaluate", "A question set through several arms.")
    options.epilog = (
        "A file has the fields question, answer, variants, documents, class; lists are separated by '|'. A question "
        "without an answer expects the model to abstain. Called again alike, it goes on where it stopped."
    )
    options.add_argument("--questions", required=True, type=Path, action="append", help="a .csv or .jsonl (repeatable)")
    options.add_argument("--arms", default=",".join(ask.ARMS), help=f"of {', '.join(ask.ARMS + ask.OPTIONAL_ARMS)}")
    options.add_argument("--snapshot", default=None, help="training-day or today (default: the current documents)")
    options.add_argument("--limit", type=int, default=None, help="at most N questions a class, drawn by --seed")
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--top-k", type=int, default=Options.top_k)
    options.add_argument("--mode", default=Options.mode, choices=("hybrid", "dense", "sparse"))
    options.add_argument("--max-tokens", type=int, default=Options.max_tokens)
    options.add_argument("--pinned", type=Path, default=None, help="a text file: the prompt of base+pinned")
    options.add_argument("--fresh", action="store_true", help="ask everything anew, also what is known")
    return options.parse_args(argv)


def _evaluate(chosen: Sequence[Question], settings: Options, *, fresh: bool) -> dict[str, Any]:
    here = runtime.get()
    try:
        here.prepare(settings.arms, lambda done, text: log(f"{done:4.0%} {text}"), lambda: False)
    except Problem as problem:
        log(f"not everything is there: {one_line(problem.message, 500)}")  # the arms that can answer still do
    job = jobs.start(here, chosen, settings, fresh=fresh)
    begun, shown = time.monotonic(), 0.0
    while (job := here.jobs.get(job.id)).active:
        if time.monotonic() - shown > 5:
            shown = time.monotonic()
            left = (shown - begun) * (1 - job.progress) / job.progress if job.progress else 0.0
            log(f"{job.progress:4.0%} {job.message}" + (f", about {left / 60:.1f} min left" if job.progress else ""))
        time.sleep(POLL_S)
    if job.state != "done":
        raise Problem(job.message or f"The evaluation was {job.state}.")
    return jobs.result(here, job.id)


def table(result: dict[str, Any]) -> list[str]:
    """The accuracies as lines of text: one an arm and class."""
    lines = [f"{'arm':<22}{'class':<16}{'right':>12}  {'accuracy':>8} ± standard error"]
    for arm, found in result["arms"].items():
        for cls, score in found["classes"].items():
            share = f"{score['right']}/{score['n']}"
            lines.append(f"{arm:<22}{cls:<16}{share:>12}  {stated(score):>8}")
    for name, split in result["effects"].items():
        for part in ("fine_tune", "retrieval", "interaction"):
            gap = split[part]
            lines.append(
                f"{name}: {part.replace('_', '-')} {gap['difference']:+.1%} "
                f"({gap['low']:+.1%} to {gap['high']:+.1%}): {gap['verdict']}"
            )
    return lines


def _pinned(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")[: ask.MAX_QUESTION]
    except (OSError, UnicodeDecodeError) as error:
        raise Problem(f"The file for --pinned cannot be read: {one_line(str(error), 200)}") from error
