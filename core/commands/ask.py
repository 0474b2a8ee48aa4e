"""`python -m core ask "..." --json`: the playground's arms without a browser."""

import sys
from argparse import Namespace
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from core import ask, audience, passages, records, run_file, runtime
from core.arms import Arm
from core.commands import Parser, emit, log, parser, with_project
from core.errors import Problem
from core.records import PassageChoice, Use
from core.text import one_line

if TYPE_CHECKING:
    from core.retrieval import KnowledgeBase


def main(argv: list[str]) -> int:
    """Ask one question; exit status 0 when at least one arm answered, 1 when none did."""
    options = with_project(parser("ask", "One question to several arms."))
    options.add_argument("question", help="the question; - reads it from standard input")
    options.add_argument("--way", default="one at a time", choices=ask.WAYS)
    options.add_argument("--device", default="auto", choices=("auto", "cpu", "gpu"))
    options.add_argument("--gpu-layers", type=int, default=None)
    passage_options(options)
    options.add_argument("--pinned", default=None, help="text put into the prompt of arms with pinned text")
    options.add_argument("--html", type=Path, metavar="FILE", help="the run as one HTML file to read, print and send")
    options.add_argument(
        "--predict", action="append", default=[], metavar="ARM=HANDS", help="kept with the run: who expects it right"
    )
    options.add_argument("--blind", type=int, default=None, metavar="SEED", help="kept: the page shows unnamed panes")
    arm_options(options)
    options.add_argument("--repeats", type=int, default=1, help="ask each arm so often, whole prompts, rising seeds")
    options.add_argument("--follow", metavar="RUN", help="go on with an earlier run's conversation")
    options.add_argument("--prompt-parts", action="store_true", help="count each prompt's tokens by part")
    options.add_argument("--confidence", action="store_true", help="the probability of each token of the answers")
    options.add_argument(
        "--instruction", action="append", default=[], metavar="ARM=TEXT", help="instead of the project's, for one arm"
    )
    given = options.parse_args(argv)
    question = sys.stdin.read(ask.MAX_QUESTION + 1) if given.question == "-" else given.question
    ask.checked(question, ask.Settings())
    written = passages.parse(read_text(given.passages), given.passages) if given.passages else ()
    try:
        here = runtime.get()
        project = here.projects.get(given.project)
        chosen = tuple(changed(arm, given, given.pinned) for arm in project.choose(given.arms.split(",")))
        chosen = instructed(chosen, given.instruction, given.confidence)
        settings = ask.Settings(
            chosen,
            given.way,
            given.device,
            given.gpu_layers,
            choices=written,
            repeats=given.repeats,
            predicted=audience.hands_of(given.predict, chosen),
            blind=given.blind,
        )
        ask.checked(question, settings)
        try:
            here.prepare(project, chosen, lambda done, text: log(f"{done:4.0%} {text}"), lambda: False)
        except Problem as problem:
            log(f"not everything is there: {one_line(problem.message, 500)}")  # the arms that can answer still do
        settings = replace(settings, choices=placed(written, given, lambda: here.knowledge(project)))
        ask.checked(question, settings)
        if given.follow:
            settings = ask.going_on(settings, here.runs.record(given.follow, project.id))
        record = here.ask(project, question, settings, watched=False).wait().record()
        if given.prompt_parts:
            record = here.with_prompt_parts(project, record)
        if given.html:
            write_text(given.html, run_file.of(here, project, record))
    finally:
        runtime.close()
    if given.json:
        emit(records.plain(record))
    else:
        for arm in record.arms:
            print(f"[{arm.title}] {arm.problem or arm.answer}")
    for arm in record.arms:
        if arm.problem:
            log(f"{arm.title}: {one_line(arm.problem, 500)}")
    return 0 if any(arm.finish for arm in record.arms) else 1


def instructed(arms: tuple[Arm, ...], texts: list[str], confidence: bool) -> tuple[Arm, ...]:
    """The arms with an instruction of their own where one is given (ARM=TEXT). Raises Problem."""
    own = {}
    for text in texts:
        name, equals, words = text.partition("=")
        if not equals or name.strip() not in {arm.name for arm in arms}:
            known = ", ".join(arm.name for arm in arms)
            raise Problem(f"--instruction is written ARM=TEXT, with an arm of {known}; not '{one_line(text, 60)}'.")
        own[name.strip()] = words
    return tuple(
        replace(
            arm,
            sampling=replace(arm.sampling, logprobs=confidence),
            system=own.get(arm.name, arm.system),
            system_with_passages=own.get(arm.name, arm.system_with_passages),
        )
        for arm in arms
    )


def passage_options(options: Parser) -> None:
    """Adds what is decided about passages before asking."""
    options.add_argument("--pin", action="append", default=[], metavar="DOCUMENT[#SECTION]", help="read it first")
    options.add_argument("--exclude", action="append", default=[], metavar="DOCUMENT[#SECTION]", help="leave it out")
    options.add_argument(
        "--passages", metavar="FILE", help="pinned, left out and edited passages: a JSON list, or an earlier run"
    )


def placed(
    written: tuple[PassageChoice, ...], given: Namespace, knowledge: Callable[[], "KnowledgeBase"]
) -> tuple[PassageChoice, ...]:
    """The choices of the file, then those of the places named. Raises Problem on a place that there is not."""
    made = list(written)
    uses: tuple[tuple[Use, list[str]], ...] = (("pinned", given.pin), ("out", given.exclude))
    for use, places in uses:
        for place in places:
            made += passages.at(knowledge(), place, use)
    return tuple(made)


def write_text(path: Path, text: str) -> None:
    """Writes a file. Raises Problem."""
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise Problem(f"{one_line(str(path), 120)} cannot be written: {error.strerror}.") from error


def read_text(path: str) -> str:
    """A file's text. Raises Problem."""
    try:
        return Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Problem(f"{one_line(path, 200)} cannot be read: {one_line(str(error), 120)}.") from error


def arm_options(options: Parser) -> None:
    """Adds which arms are asked, and what is set for all of them."""
    options.add_argument("--arms", default="", help="comma-separated; MODEL or MODEL+CONTEXT (default: the project's)")
    options.add_argument("--top-k", type=int, default=None)
    options.add_argument("--mode", default=None, choices=("hybrid", "dense", "sparse"))
    options.add_argument("--hops", type=int, default=None, help="2: a second hop adds up to two passages; default: 1")
    options.add_argument("--folder", default=None, help="only passages from this folder of the documents")
    options.add_argument("--snapshot", default=None, help="a dated view of the documents; default: the current one")
    options.add_argument("--temperature", type=float, default=None)
    options.add_argument("--max-tokens", type=int, default=None)
    options.add_argument("--seed", type=int, default=None)
    options.add_argument("--top-p", type=float, default=None)
    options.add_argument("--token-top-k", type=int, default=None, help="of tokens; --top-k is of passages")
    options.add_argument("--min-p", type=float, default=None)
    options.add_argument("--repeat-penalty", type=float, default=None)
    options.add_argument(
        "--stop", action="append", default=None, metavar="TEXT", help="ends an answer; may be repeated"
    )


def changed(arm: Arm, given: Namespace, pinned: str | None) -> Arm:
    """The arm with what the command line sets for all."""
    search = {name: getattr(given, name) for name in ("top_k", "mode", "folder", "snapshot", "hops")}
    names = ("temperature", "max_tokens", "seed", "top_p", "min_p", "repeat_penalty")
    sampling = {name: getattr(given, name) for name in names} | {"top_k": given.token_top_k}
    sampling["stop"] = tuple(given.stop) if given.stop else None
    return replace(
        arm,
        pinned=pinned or arm.pinned,
        search=replace(arm.search, **{name: value for name, value in search.items() if value is not None}),
        sampling=replace(arm.sampling, **{name: value for name, value in sampling.items() if value is not None}),
    )
