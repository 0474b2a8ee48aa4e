"""A project with a bit of everything, and what is compared of one."""

from dataclasses import replace
from typing import Any

from msgspec import structs

from core import jobs, records
from core.arms import Arm, Search, parse_all
from core.evaluate import KIND
from core.evaluation import questions
from core.evaluation.run import Options
from core.jobs import Job
from core.project import Check, Example, Instruction, Model, Project, Scene, Suggestion
from core.project.projects import as_values
from core.records import ArmRecord, PassageRecord, RetrievalRecord, RunRecord, RunSettings, Timing, Tokens
from core.retrieval import transfer
from core.runtime import Runtime

DOCUMENTS = {
    "setup.md": "# Setup\n\nInstall it with the word zeppelin.\n",
    "guides/deep/a b.md": "---\ntopic: käse\n---\n# Cheese\n\nA guide about cheese & <b>bold</b>.\n",
    "notes.txt": 'one line\nanother line {braces} "quotes" \u2028 end',
}
ASKED = questions.from_rows(
    [
        {"question": "Which word?", "answer": "zeppelin", "variants": ["the zeppelin"], "documents": ["setup.md"]},
        {"question": "Unknown?", "answer": "", "class": "no-document"},
    ]
)
FULL = Project(
    "new",
    'Käse & "Zeppelin"',
    about="All kinds\nof things",
    instruction=Instruction(system="Say it.\n", examples=(Example("a {question}", "b"),)),
    tasks={"ticket": Instruction(system="JSON only")},
    models=(Model("small", "Small", "base"), Model("tuned", "Tuned", "fine-tuned", base="small", stop=("\n",))),
    arms=(Arm("small", "closed"), Arm("small", "retrieval", search=Search(5, weight=0.25)), Arm("tuned", label="T")),
    checks=(Check("short", "max-words", "20"), Check("no html", "contains", "<b>", negated=True, classes=("own",))),
    suggestions=(Suggestion("One", "Which word?", "the word"),),
    story=(
        Scene(
            "A word",
            "Which word?",
            "Say it.",
            "Look.",
            "setup.md",
            "zeppelin",
            "balloon",
            "balloon",
            {"small+retrieval": "right"},
        ),
        Scene("Now you"),
    ),
    pinned="pinned text",
    dollars_per_hour=1.25,
    scenario={"version": 2, "calculator": {"values": {"queries": [20000.0, 80000.0]}}},
)


def fill(here: Runtime, title: str = FULL.title, like: Project = FULL) -> Project:
    """A project in the state folder, with documents (words alone), questions, a run and an evaluation."""
    project = here.projects.create(title, like)
    knowledge = here.knowledge(project)
    for path, text in DOCUMENTS.items():
        knowledge.add(path, text, metadata={"type": "markdown", "size": "7"})
    knowledge.delete("notes.txt")
    here.questions.save(project, "mine", ASKED)
    here.questions.save(project, "the / other: set", ASKED[:1])
    here.stored_runs.save(run(project))
    evaluation(here, project)
    return here.projects.get(project.id)


def run(project: Project, run_id: str = "abcdef012345", question: str = "Which word?") -> RunRecord:
    """A finished run over two arms."""
    passage = PassageRecord("setup.md", "Install it", 0.5, "Setup", "", 0, 10, 1)
    made = tuple(
        ArmRecord(arm.name, "done", project.title_of(arm), arm.model, arm.context, answer=f"{project.id} says zeppelin",
                  finish="stop", timing=Timing(1.5, total=20.25), tokens=Tokens(10, 0, 3), passages=(passage,),
                  retrieval=RetrievalRecord("hybrid"))
        for arm in project.arms[:2]
    )  # fmt: skip
    settings = RunSettings(project.arms[:2], "one at a time")
    return RunRecord(run_id, "2026-01-02T03:04:05+00:00", question, settings, True, made, project.id)


def evaluation(here: Runtime, project: Project, job_id: str = "0123456789ab") -> None:
    """An evaluation that ended."""
    options = Options(parse_all(("small", "small+retrieval")))
    given = {"project": project.id, "questions": [one.row() for one in ASKED], "options": records.plain(options)}
    row: dict[str, Any] = {"reply": "It is zeppelin.", "passages": [{"document": "setup.md", "text": "zeppelin"}]}
    row |= {"problem": None, "finish": "stop", "timing": records.plain(Timing(total=5.0))}
    rows = [{"number": n, "arm": arm, **row} for n in (0, 1) for arm in ("small", "small+retrieval")]
    job = Job(job_id, KIND, None, "done", 1.0, "4 of 4", 1e9, 1e9, "here:0:0", {**given, "before": []}, {"rows": 4})
    here.store.write(lambda db: jobs.insert_ended(db, job, rows))


def seen(here: Runtime, project: Project) -> dict[str, Any]:
    """All that a project is, without its id, dates of change and owner."""
    from core import evaluate

    apart = dict.fromkeys(("id", "title", "owner"), "")
    runs = here.stored_runs.latest(project.id)
    return {
        "project": as_values(replace(project, **apart)),
        "documents": sorted(transfer.texts(here.base_file(project)), key=lambda one: (one.view, one.path)),
        "settings": here.knowledge(project).settings,
        "questions": {name: here.questions.read(project, name) for name in here.questions.names(project)},
        "runs": [replace(one, id="", project="") for one in runs],
        "evaluations": [
            (job.state, job.message, job.result, structs.replace(evaluate.result(here, job.id), id="", project=""))
            for job in evaluate.jobs(here, project)
        ],
    }


def everything(here: Runtime) -> dict[str, Any]:
    """What lies in the state folder: rows of the store, files of the documents."""
    from core import paths

    tables = ("projects", "question_sets", "runs", "jobs", "job_rows")
    rows = {table: [tuple(row) for row in here.store.read(f"SELECT * FROM {table}")] for table in tables}
    return rows | {"files": sorted(path.name for path in paths.knowledge_dir().iterdir())}
