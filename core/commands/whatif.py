"""`python -m core whatif "..." --document PATH --old TEXT --new TEXT`: an edit as beside the playground's panes, and
back."""

from core import ask, living, marks, runtime
from core.commands import emit, log, parser, with_project
from core.commands.ask import arm_options, changed
from core.errors import Problem
from core.records import RunRecord, plain
from core.text import one_line


def main(argv: list[str]) -> int:
    """Ask, change a document, ask again, restore it; exit status 0 when an answer changed, 1 when none did."""
    options = with_project(parser("whatif", "Which answers would change if a document said something else."))
    options.add_argument("question")
    options.add_argument("--document", required=True, metavar="PATH", help="as `index list` names it")
    options.add_argument("--old", required=True, metavar="TEXT", help="the words of the document to be replaced")
    options.add_argument("--new", required=True, metavar="TEXT", help="the words in their place")
    options.add_argument("--way", default="together", choices=ask.WAYS)
    arm_options(options)
    given = options.parse_args(argv)
    ask.checked(given.question, ask.Settings())
    try:
        here = runtime.get()
        project = here.projects.get(given.project)
        chosen = tuple(changed(arm, given, None) for arm in project.choose(given.arms.split(",")))
        settings = ask.Settings(chosen, given.way)
        ask.checked(given.question, settings)
        try:
            here.prepare(project, chosen, lambda done, text: log(f"{done:4.0%} {text}"), lambda: False)
        except Problem as problem:
            log(f"not everything is there: {one_line(problem.message, 500)}")

        def once() -> RunRecord:
            return here.ask(project, given.question, settings, watched=False).wait().record()

        known = marks.known(project, [here.questions.read(project, name) for name in here.questions.names(project)])
        tried = living.attempt(here.knowledge(project), known, once, given.document, given.old, given.new)
    finally:
        runtime.close()
    if given.json:
        emit({"project": project.id, **plain(tried)})
    else:
        print(f"{tried.document}: {tried.saved.told}")
        for one in tried.arms:
            print(f"[{one.title}] {_words(one)}")
            print(f"   before: {one_line(one.before)}\n   after:  {one_line(one.after)}")
        print(tried.line)
    return 0 if any(one.changed for one in tried.arms) else 1


def _words(one: living.Outcome) -> str:
    changed = {True: "changed", False: "the same", None: "not to be compared"}[one.changed]
    worth = [mark.kind for mark in (one.mark_before, one.mark_after) if mark is not None]
    return f"{changed}, {' -> '.join(dict.fromkeys(worth))}" if worth else changed
