"""`python -m core COMMAND ...`: finds the command's module and turns a Problem into one line and exit status 2."""

import importlib
import os
import sys

from core.commands import BAD_INPUT, log
from core.errors import Problem
from core.text import one_line

COMMANDS = {
    "project": "the projects: list, make, change, duplicate, export, import",
    "ask": "one question, four arms: base and fine-tuned, each without and with retrieval",
    "whatif": "which answers change when a document says something else; it is restored",
    "story": "the guided story: scenes on the live models, each claim checked",
    "evaluate": "the same arms over a question set, with intervals and causes",
    "votes": "what people said of answers: list, add, export",
    "report": "an evaluation that was made: as text, JSON or one HTML file",
    "judge": "a model as judge over an evaluation's answers, apart from the rules",
    "sweep": "retrieval settings over a question set, without a model",
    "propose": "question-answer pairs from a project's documents, to be reviewed",
    "finetune": "a model of the project trained on its questions or your rows, stopped and gone on with",
    "calculate": "cost, latency and accuracy of the four approaches",
    "decide": "from a brief to a recommendation and a decision record to sign",
    "prices": "the price catalogue, and taking in a newer list",
    "advise": "a recommendation from a few answers",
    "inspect": "what a GGUF file holds, and whether it may be loaded",
    "fetch": "the model files: list, fetch, derive, choose",
    "merge": "one GGUF out of a base and a LoRA adapter",
    "schema": "the JSON Schema of the commands' output",
    "runs": "every run and evaluation: list, show, tag, again, delete, export",
    "state": "check, back up, restore and repair what the app keeps",
    "index": "build, update, list and query a knowledge base",
}
READER_LEFT = 141  # what a shell shows for a program that SIGPIPE ended: 128 + 13


def main(argv: list[str]) -> int:
    """Run one command and give its exit status: 0 done, 2 bad input, 130 interrupted, 141 nobody reads (`| head`)."""
    try:
        try:
            return _run(argv)
        finally:
            sys.stdout.flush()
    except BrokenPipeError:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        for stream in (sys.stdout, sys.stderr):  # what they still hold is flushed at exit and must not fail again
            os.dup2(nowhere, stream.fileno())
        return READER_LEFT


def _run(argv: list[str]) -> int:
    if not argv or argv[0] in ("-h", "--help"):
        lines = [f"  {name:<10} {about}" for name, about in COMMANDS.items()]
        print("usage: python -m core COMMAND [--json] ...\n" + "\n".join(lines))
        return 0 if argv else BAD_INPUT
    try:
        if argv[0] not in COMMANDS:
            raise Problem(f"There is no command '{one_line(argv[0], 40)}'. Commands: {', '.join(COMMANDS)}")
        status: int = importlib.import_module(f"core.commands.{argv[0]}").main(argv[1:])
        return status
    except Problem as problem:
        log(f"error: {one_line(problem.message, 1000)}")
        return BAD_INPUT
    except KeyboardInterrupt:
        log("stopped")
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
