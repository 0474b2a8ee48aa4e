"""`python -m core story --json`: the guided story from first to last scene, without a browser."""

from core import marks, runtime, story
from core.ask import Settings
from core.commands import emit, log, parser, with_project
from core.errors import Problem
from core.records import RunRecord, plain
from core.text import one_line


def main(argv: list[str]) -> int:
    """Play the scenes on the live models; exit status 0 when every claim came true, 1 when one did not."""
    options = with_project(parser("story", "The guided story: each scene's claims held against live answers."))
    options.add_argument("--question", default="", help="the audience's own, for the scene that leaves it open")
    options.add_argument("--list", action="store_true", help="the scenes as they are written; asks nothing")
    given = options.parse_args(argv)
    if given.list:
        return _list(given.project, as_json=given.json)
    try:
        here = runtime.get()
        project = here.projects.get(given.project)
        story.check(project)
        arms = tuple({arm.name: arm for scene in project.story for arm in story.arms(project, scene)}.values())
        try:
            here.prepare(project, arms, lambda done, text: log(f"{done:4.0%} {text}"), lambda: False)
        except Problem as problem:
            log(f"not everything is there: {one_line(problem.message, 500)}")
        sets = [here.questions.read(project, name) for name in here.questions.names(project)]

        def ask(question: str, settings: Settings) -> RunRecord:
            return here.ask(project, question, settings, watched=False).wait().record()

        known, knowledge = marks.known(project, sets), here.knowledge(project)
        played = story.play(project, knowledge, known, ask, given.question, lambda one: log(f"{one.title}: {one.line}"))
    finally:
        runtime.close()
    if given.json:
        emit({"project": project.id, "scenes": plain(played), "held": all(one.held is not False for one in played)})
    else:
        for number, one in enumerate(played, 1):
            print(f"{number}. {one.title}: {one.question}")
            for arm in one.outcomes:
                print(f"   [{arm.title}] {one_line(arm.problem or arm.answer)}")
            if one.line:
                print(f"   {one.line}")
    return 0 if all(one.held is not False for one in played) else 1


def _list(project_id: str, *, as_json: bool) -> int:
    """The scenes as they are written, and what will not go as written."""
    try:
        here = runtime.get()
        project = here.projects.get(project_id)
        story.check(project)
        for note in story.notes(project, here.knowledge(project)):
            log(note)
    finally:
        runtime.close()
    if as_json:
        emit({"project": project.id, "scenes": [plain(scene) for scene in project.story], "held": None})
    else:
        for number, scene in enumerate(project.story, 1):
            claims = ", ".join(f"{arm} {kinds}" for arm, kinds in scene.claims.items())
            change = f" [{scene.document}: {scene.old} -> {scene.new}]" if scene.document else ""
            print(one_line(f"{number}. {scene.title}: {scene.question or 'the audience asks'}{change} {claims}", 500))
    return 0
