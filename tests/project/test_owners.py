"""Projects have owners: what is one person's alone is not there for anybody else, by any way, in the same words.

Two people and a machine, through the app's own interfaces: core/view.py as the pages hold it, and the pages themselves.
"""

import ast
import io
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from core import evaluate, history, judge, limits, runtime, view, votes
from core.ask import Parts
from core.commands import project as command
from core.engine import ModelSpec
from core.errors import Problem
from core.evaluation.run import Options
from core.opening import project_of
from core.project import Model, Project, whole
from core.project.owners import NOBODY, Holding, person
from core.project.projects import MIGRATIONS, Projects
from core.runtime import Runtime
from core.store import Store
from core.view import View
from tests.evaluation.scripted import Books, Script
from tests.given import BRIGHTWATER, settings
from tests.project.made import ASKED, evaluation, fill, run

ROOT = Path(__file__).resolve().parents[2]
ANN = {"iss": "https://id.example", "sub": "1", "email": "ann@example.org", "name": "Ann", "email_verified": True}
BOB = {"iss": "https://id.example", "sub": "2", "email": "bob@example.org", "name": "Bob"}
RUN, EVALUATION, JOB = "aaaaaaaaaaaa", "bbbbbbbbbbbb", "cccccccccccc"
TITLE = "Takeover of Umbrella"
MARKS = ("Umbrella", "umbrella", "zeppelin", "Which word")  # of its title, id, documents, questions, answers


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Iterator[Runtime]:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setattr(Runtime, "prepare_in_background", lambda here, project, retry=False: None)
    yield runtime.get()
    runtime.close()


def seen_by(machine: Runtime, claims: dict[str, Any]) -> View:
    """What somebody with these claims sees, noted as a page does."""
    who = person(claims)
    machine.people.note(who)
    return View(machine, who)


@pytest.fixture
def ann(machine: Runtime) -> View:
    return seen_by(machine, ANN)


@pytest.fixture
def bob(machine: Runtime) -> View:
    return seen_by(machine, BOB)


@pytest.fixture
def secret(machine: Runtime, ann: View) -> Project:
    """Ann's private project, with documents, questions, a run, an evaluation and a job."""
    made = fill(machine, TITLE)  # its run and evaluation have ids that are written everywhere
    holding = Holding(person(ANN).id, shared=False)
    made = machine.projects.settle(made.id, Holding(), holding)
    machine.stored_runs.save(run(made, RUN))
    evaluation(machine, made, EVALUATION)
    return made


# -- the law -----------------------------------------------------------------------------------------------------------


def ways(project: Project) -> dict[str, Callable[[View], object]]:
    """Every way to a project that a page has: what is asked of a view."""
    say = votes.vote(votes.Place("run", RUN), "Q", ("a", "b"), "tie")
    sampled = settings(("base",))
    return {
        "open": lambda here: here.projects.get(project.id),
        "change": lambda here: here.projects.change(project.id, title="Mine"),
        "save": lambda here: here.projects.save(project),
        "delete": lambda here: whole.delete(here, project),
        "restore": lambda here: here.projects.restore(project.id),
        "settle": lambda here: here.projects.settle(
            project.id, Holding(project.owner, project.shared), Holding(person(BOB).id)
        ),
        "duplicate": lambda here: whole.duplicate(here, project),
        "export": lambda here: whole.export(here, project, io.BytesIO()),
        "state": lambda here: whole.state_of(here, project),
        "documents": lambda here: here.knowledge(project),
        "base": lambda here: here.base_store(project),
        "questions": lambda here: here.questions.read(project, "mine"),
        "sets": lambda here: here.questions.names(project),
        "keep questions": lambda here: here.questions.save(project, "mine", ASKED),
        "remove questions": lambda here: here.questions.delete(project, "mine"),
        "ask": lambda here: here.ask(project, "Which word?", sampled),
        "parts": lambda here: here.parts(project),
        "identities": lambda here: here.identities(project, ()),
        "prepare": lambda here: here.prepare(project, (), lambda done, text: None, lambda: False),
        "prepare documents": lambda here: here.prepare_documents(project, lambda done, text: None, lambda: False),
        "prepare behind": lambda here: here.prepare_in_background(project),
        "passages": lambda here: here.right_passages(project, "Which word?", None),
        "prompt parts": lambda here: here.with_prompt_parts(project, run(project)),
        "run": lambda here: here.runs.record(RUN, project.id),
        "run as another's": lambda here: here.runs.record(RUN, "brightwater"),
        "kept run": lambda here: here.stored_runs.get(RUN),
        "keep a run": lambda here: here.stored_runs.save(run(project)),
        "delete a run": lambda here: here.stored_runs.delete(project.id, RUN, "2026-01-01"),
        "runs": lambda here: here.stored_runs.latest(project.id),
        "find runs": lambda here: here.stored_runs.find(project.id),
        "past runs": lambda here: here.runs.history(project.id),
        "run before": lambda here: here.runs.before(run(project, "ffffffffffff")),
        "history": lambda here: history.entries(here, project),
        "label": lambda here: history.label(
            here, project, history.Entry("run", RUN, "", "", ""), "a name of mine", ("tag",)
        ),
        "evaluation": lambda here: evaluate.result(here, EVALUATION),
        "metrics": lambda here: evaluate.measured(here, EVALUATION),
        "go on": lambda here: evaluate.again(here, EVALUATION),
        "repeat": lambda here: evaluate.repeated(here, EVALUATION),
        "evaluate": lambda here: evaluate.start(here, project, ASKED, Options(project.arms[:1])),
        "judge": lambda here: judge.start(here, EVALUATION, "small", ("small",)),
        "job": lambda here: here.jobs.get(EVALUATION),
        "rows": lambda here: here.jobs.rows(EVALUATION),
        "count": lambda here: here.jobs.count(EVALUATION),
        "some rows": lambda here: here.jobs.rows_where(EVALUATION, number=0),
        "kept report": lambda here: here.reports(EVALUATION, 4, repr(project)),
        "cancel": lambda here: here.jobs.cancel(EVALUATION),
        "delete a job": lambda here: here.jobs.delete(EVALUATION, "2026-01-01"),
        "wait": lambda here: here.jobs.wait(EVALUATION, 0.1),
        "start a job": lambda here: here.jobs.start("upload", lambda job: None, parameters={"project": project.id}),
        "votes": lambda here: here.votes.all(project.id),
        "vote": lambda here: here.votes.save(project.id, say),
        "take back": lambda here: here.votes.delete(project.id, say.id),
    }


def refusal(here: View, way: Callable[[View], object]) -> str:
    with pytest.raises(Problem) as raised:
        way(here)
    return raised.value.message


def test_nobody_else_gets_to_a_private_project_by_any_way(machine: Runtime, bob: View, secret: Project) -> None:
    before = everything(machine)
    said = {name: refusal(bob, way) for name, way in ways(secret).items()}
    assert everything(machine) == before
    for name, text in said.items():
        assert not any(mark in text.replace(secret.id, "") for mark in MARKS), (name, text)
    # The same words as for what has never been: what is asked for is all that differs.
    for project_id, run_id, job_id in ((secret.id, RUN, EVALUATION), ("never-made", "9" * 12, "8" * 12)):
        texts = [
            refusal(bob, lambda here, one=project_id: here.projects.get(one)),
            refusal(bob, lambda here, one=run_id: here.runs.record(one, "brightwater")),
            refusal(bob, lambda here, one=job_id: here.jobs.get(one)),
        ]
        plain = [text.replace(one, "X") for text, one in zip(texts, (project_id, run_id, job_id), strict=True)]
        assert plain == [
            "There is no project 'X'. Projects: brightwater.",
            "There is no such run here: its link was made on another machine, or its data was removed.",
            "There is no job 'X'.",
        ]


def test_the_owner_gets_there_by_the_same_ways(ann: View, secret: Project) -> None:
    """Else the test above would hold for ways that always fail."""
    harmless = (
        "open", "state", "documents", "base", "questions", "sets", "parts", "identities", "prepare", "run", "kept run",
        "runs", "find runs", "past runs", "run before", "history", "label", "evaluation", "metrics", "job", "rows",
        "wait", "votes", "vote", "start a job", "export", "duplicate", "change", "keep a run", "prepare behind",
    )  # fmt: skip
    for name in harmless:
        ways(secret)[name](ann)


def everything(machine: Runtime) -> dict[str, Any]:
    tables = ("projects", "question_sets", "runs", "jobs", "job_rows", "votes", "labels")
    return {table: [tuple(row) for row in machine.store.read(f"SELECT * FROM {table}")] for table in tables}


def test_lists_links_and_counts_hold_nothing_of_it(machine: Runtime, bob: View, secret: Project) -> None:
    assert [project.id for project in bob.projects.all()] == ["brightwater"]
    assert bob.jobs.heads(evaluate.KIND, "questions") == [] and evaluate.names(bob, secret) == {}
    assert bob.projects.deleted() == [] and bob.jobs.list() == [] and bob.jobs.list(evaluate.KIND) == []
    assert bob.runs.live(RUN) is None and bob.runs.project_of(RUN) is None
    assert all(
        project_of(bob, {name: one}) is None for name in ("run", "evaluation", "finetune") for one in (RUN, EVALUATION)
    )
    assert bob.projects.create(TITLE).id != f"{secret.id}-2"  # an id does not tell that the title was taken
    measured = machine.metrics.text(machine.now()).decode()
    assert not any(mark in measured for mark in (*MARKS, "ann", "Ann", secret.owner))


def test_a_new_method_cannot_be_forgotten() -> None:
    """Whatever a part of the runtime offers, its view says for itself, or goes through what does."""
    through = {"change", "unknown", "votes", "marks", "causes"}
    pairs = [
        (kind, kind.__base__)
        for kind in vars(view).values()
        if isinstance(kind, type) and kind.__module__ == view.__name__
    ]
    assert len(pairs) == 7
    for kind, part in pairs:
        offered = {name for name in vars(part) if not name.startswith("_")}
        assert offered - through <= set(vars(kind)), (kind.__name__, offered - through - set(vars(kind)))


def test_pages_hold_a_view_and_nothing_else() -> None:
    for file in (ROOT / "pages").rglob("*.py"):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        calls = {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
        whole_one = {"runtime.get"} & calls or {"Runtime"} & calls
        assert not whole_one or file.name == "project.py", file
        assert not {"here.store.read", "here.store.write"} & calls, file


# -- the pages ---------------------------------------------------------------------------------------------------------


def page(name: str, claims: dict[str, Any], **query: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / "pages" / "main.py"), default_timeout=120)
    app.user = {**claims, "is_logged_in": True}
    app.query_params.update(query)
    app.run().switch_page(f"{name}.py")
    app.query_params.update(query)
    return app.run()


def shown(app: AppTest) -> str:
    """All that a page sent to the browser."""
    assert not app.exception, app.exception[0].message
    return str([node.proto for node in [*app.main, *app.sidebar] if hasattr(node, "proto")])


def keys(app: AppTest) -> set[str | None]:
    return {button.key for button in app.button}


def test_no_page_and_no_link_shows_it_to_somebody_else(machine: Runtime, bob: View, secret: Project) -> None:
    links = {
        "overview": {"project": secret.id},
        "setup": {"project": secret.id},
        "projects": {},
        "history": {"project": secret.id},
        "playground": {"run": RUN},
        "evaluation": {"evaluation": EVALUATION},
        "documents": {"job": EVALUATION, "project": secret.id},
    }
    for name, query in links.items():
        asked = [secret.id] if "project" in query else []  # what he named himself may be said back
        text = shown(page(name, BOB, **query))
        assert [mark for mark in MARKS if mark in text and mark not in str(asked)] == [], name
    assert "Umbrella" in shown(page("projects", ANN))
    assert "zeppelin" in shown(page("playground", ANN, run=RUN))


def test_an_owner_shares_and_hands_over_on_the_page(machine: Runtime, ann: View, bob: View, secret: Project) -> None:
    app = page("projects", ANN)
    app.button(f"share-{secret.id}").click().run()
    assert machine.projects.get(secret.id).shared and bob.projects.get(secret.id)
    assert keys(page("projects", BOB)) & {f"{what}-{secret.id}" for what in ("share", "delete", "open")} == {
        f"open-{secret.id}"
    }
    app.text_input(f"to-{secret.id}").set_value(" BOB@example.org ")
    next(button for button in app.button if button.label == "Hand over").click().run()
    assert not app.exception and machine.projects.get(secret.id).owner == person(BOB).id
    assert "now belongs to Bob" in app.success[0].value
    assert f"share-{secret.id}" not in keys(app) and f"share-{secret.id}" in keys(page("projects", BOB))


def test_somebody_who_has_not_signed_in_gets_no_page(machine: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime, "_asks", True)  # as at the start; then the settings went
    app = AppTest.from_file(str(ROOT / "pages" / "main.py"), default_timeout=120).run()
    assert [button.label for button in app.button] == ["Sign in"] and not app.title


# -- sharing, handing over, people -------------------------------------------------------------------------------------


def test_in_a_shared_project_all_work_and_the_owner_settles(machine: Runtime, ann: View, bob: View) -> None:
    mine = ann.projects.create("Shared")
    now = Holding(mine.owner, mine.shared)
    assert now == Holding(person(ANN).id, shared=False)
    ann.projects.settle(mine.id, now, replace(now, shared=True))
    assert bob.projects.change(mine.id, about="By Bob").owner == person(ANN).id
    bob.questions.save(mine, "bob's", ASKED)
    for change in (
        lambda: bob.projects.delete(mine.id),
        lambda: bob.projects.settle(mine.id, replace(now, shared=True), Holding(person(BOB).id)),
        lambda: bob.projects.save(replace(bob.projects.get(mine.id), owner=person(BOB).id, shared=False)) and 1 / 0,
    ):
        with pytest.raises((Problem, ZeroDivisionError)):
            change()
    assert machine.projects.holding(mine.id) == replace(now, shared=True)
    whole.delete(ann, mine)
    assert bob.projects.deleted() == [] and [one.id for one in ann.projects.deleted()] == [mine.id]
    with pytest.raises(Problem, match="owner"):
        bob.projects.restore(mine.id)
    assert ann.projects.restore(mine.id).id == mine.id


def test_what_was_handed_over_closes_in_a_page_that_is_open(machine: Runtime, ann: View, bob: View) -> None:
    mine = ann.projects.create("Going")
    evaluation(machine, mine, EVALUATION)
    now = Holding(mine.owner, shared=False)
    going, go = threading.Event(), threading.Event()

    def work(job: Any) -> dict[str, str]:
        going.set()
        assert go.wait(60)
        return {"title": ann.machine.projects.get(mine.id).title}

    job = ann.jobs.start("upload", work, parameters={"project": mine.id})
    assert going.wait(60)
    ann.projects.settle(mine.id, now, Holding(person(BOB).id, shared=False))
    go.set()
    for name, way in ways(mine).items():  # with the project as the open page still holds it
        if name not in ("run", "run as another's", "kept run"):
            assert refusal(ann, way), name
    assert bob.jobs.wait(job.id, 60).result == {"title": "Going"}  # what was under way goes on, for its new owner
    assert bob.projects.get(mine.id).owner == person(BOB).id
    with pytest.raises(Problem, match="meanwhile"):
        machine.projects.settle(mine.id, now, Holding(person(ANN).id))  # two tabs: the second one lost


def test_a_person_is_who_the_provider_says_whatever_they_are_called(machine: Runtime, ann: View, bob: View) -> None:
    mine = ann.projects.create("Mine")
    renamed = seen_by(machine, ANN | {"email": "ann.smith@example.org", "name": "Ann Smith"})
    assert renamed.projects.get(mine.id) and machine.people.find("ann.smith@example.org").id == mine.owner
    heir_of_the_address = seen_by(machine, ANN | {"sub": "3"})  # the address was given to somebody else
    other_provider = seen_by(machine, ANN | {"iss": "https://other.example"})
    for somebody in (heir_of_the_address, other_provider):
        assert mine.id not in [project.id for project in somebody.projects.all()]
    with pytest.raises(Problem, match="2 people"):
        machine.people.find("ann@example.org")
    with pytest.raises(Problem, match="Nobody"):
        machine.people.find("ann@example.or")
    assert person(ANN | {"email_verified": False}).address == ""


@pytest.mark.parametrize("claims", [{}, {"iss": "x"}, {"sub": "1"}, {"iss": "", "sub": ""}, {"iss": 1, "sub": ["a"]}])
def test_claims_that_name_nobody_are_nobody_s(claims: dict[str, Any]) -> None:
    with pytest.raises(Problem, match="provider"):
        person(claims)


def test_without_sign_in_all_is_as_it_was_and_what_is_private_stays_so(machine: Runtime, secret: Project) -> None:
    alone = View(machine, NOBODY, "a tab")
    mine = alone.projects.create("Mine")
    assert (mine.id, mine.owner, mine.shared) == ("mine", "", True)
    alone.projects.save(replace(mine, models=(Model("own", "Own", "/anywhere/own.gguf"),)))
    assert secret.id not in [project.id for project in alone.projects.all()]
    whole.delete(alone, mine)
    assert alone.projects.restore(mine.id).title == "Mine"
    alone.allow_models()


def test_projects_of_before_there_were_owners_are_everyone_s(tmp_path: Path, ann: View) -> None:
    before = Store(tmp_path / "old.sqlite3", MIGRATIONS[:1])
    row = ("old", "Old", "", '{"id": "old", "title": "Old", "owner": "", "shared": true}', "", "")
    before.write(lambda db: db.execute("INSERT INTO projects VALUES (?, ?, ?, ?, ?, ?, NULL)", row))
    before.close()
    after = Store(tmp_path / "old.sqlite3", MIGRATIONS)
    assert Projects(after).holding("old") == Holding() and Projects(after).get("old").shared
    after.close()
    everyones = ann.machine.projects.create("Everyone's")
    with pytest.raises(Problem, match="everyone's"):  # nobody takes it for themselves
        ann.projects.settle(everyones.id, Holding(), Holding(ann.person.id))


# -- what may be named, how much, by whom ------------------------------------------------------------------------------


def test_who_signed_in_names_no_file_of_the_server(ann: View, machine: Runtime, tmp_path: Path) -> None:
    mine = ann.projects.create("Mine")
    for model in (
        Model("x", "X", "/etc/passwd"),
        Model("x", "X", "../../secret.gguf"),
        Model("x", "X", "base", adapter=str(tmp_path / "adapter.gguf")),
    ):
        with pytest.raises(Problem, match="Model files"):
            ann.projects.save(replace(mine, models=(model,)))
        with pytest.raises(Problem, match="Model files"):
            ann.projects.create("Another", replace(mine, models=(model,)))
    tuned = replace(mine, models=(Model("x", "X", "base", adapter=str(tmp_path / "adapter.gguf")),))
    machine.projects.save(tuned)  # as a fine-tune does
    assert ann.projects.change(mine.id, title="Renamed").models == tuned.models
    assert whole.duplicate(ann, ann.projects.get(mine.id)).models == tuned.models


def test_model_files_are_changed_by_those_who_are_named(ann: View, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Problem, match="RR_ADMINS"):
        ann.jobs.start("fetch", lambda job: None)
    monkeypatch.setenv("RR_ADMINS", "zoe@example.org, ANN@example.org")
    assert ann.jobs.wait(ann.jobs.start("fetch", lambda job: None).id).state == "done"
    with pytest.raises(RuntimeError, match="no project"):
        ann.jobs.start("upload", lambda job: None)


def test_one_person_has_so_many_at_once(ann: View, bob: View, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RR_MOST_EVALUATIONS", "2")
    go = threading.Event()
    about = {"project": "brightwater"}
    try:
        started = [ann.jobs.start(kind, lambda job: go.wait(60), parameters=about) for kind in ("evaluate", "sweep")]
        with pytest.raises(Problem, match=r"2 evaluations and the like of yours.*RR_MOST_EVALUATIONS"):
            ann.jobs.start("judge", lambda job: None, parameters=about)
        ann.jobs.start("upload", lambda job: None, parameters=about)
        bob.jobs.start("judge", lambda job: None, parameters=about)
        ann.machine.jobs.start("judge", lambda job: None, parameters=about)  # a command has no limit
    finally:
        go.set()
    assert [ann.jobs.wait(job.id, 60).state for job in started] == ["done", "done"]
    ann.jobs.start("judge", lambda job: None, parameters=about)


def test_so_many_questions_at_once_of_a_person_whatever_the_tab(
    machine: Runtime, ann: View, bob: View, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = Script({("any", "*"): "Yes."}, free=0)  # nothing is answered before the gate opens
    monkeypatch.setattr(
        Runtime, "parts", lambda here, of: Parts(of, script, Books, lambda model: ModelSpec("any", Path("none.gguf")))
    )
    monkeypatch.setenv("RR_MOST_QUESTIONS", "2")
    asked = settings(("base",))
    one_more_tab = View(machine, ann.person, "another tab")
    going = [here.ask(BRIGHTWATER, "Is it?", asked, owner="a tab") for here in (ann, one_more_tab)]
    with pytest.raises(Problem, match=r"2 questions of yours.*RR_MOST_QUESTIONS"):
        ann.ask(BRIGHTWATER, "Is it?", asked, owner="as if somebody else's")
    going += [bob.ask(BRIGHTWATER, "Is it?", asked), machine.ask(BRIGHTWATER, "Is it?", asked)]
    script.gate.release(10)
    assert [run.wait(60).record().arms[0].answer for run in going] == ["Yes."] * 4
    assert ann.ask(BRIGHTWATER, "Is it?", asked).wait(60).record().finished


def test_a_limit_is_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    assert (limits.questions(), limits.evaluations()) == (8, 20)
    for text in ("0", "-1", "many", "1e3", "٣", "9" * 5000):
        monkeypatch.setenv("RR_MOST_QUESTIONS", text)
        with pytest.raises(Problem, match="RR_MOST_QUESTIONS"):
            limits.check()


# -- the command line --------------------------------------------------------------------------------------------------


def test_the_command_is_the_machine_s_owner_s(
    machine: Runtime, secret: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command.main(["people"]) == 0
    assert "ann@example.org" in capsys.readouterr().out
    command.main(["list"])
    assert f"{secret.id} " in (said := capsys.readouterr().out) and ", private)" in said
    command.main(["owner", secret.id, "--share"])
    assert runtime.get().projects.get(secret.id).shared
    command.main(["owner", secret.id, "--everyone"])
    assert runtime.get().projects.get(secret.id).owner == ""
    with pytest.raises(Problem, match="give it to somebody"):
        command.main(["owner", secret.id, "--no-share"])
    command.main(["owner", secret.id, "--to", "ANN@example.org", "--no-share"])
    assert runtime.get().projects.holding(secret.id) == Holding(person(ANN).id, shared=False)


def test_a_project_file_tells_nobody_whose_it_was_and_is_the_taker_s(ann: View, bob: View, secret: Project) -> None:
    out = io.BytesIO()
    whole.export(ann, secret, out)
    assert secret.owner.encode() not in out.getvalue()
    out.seek(0)
    taken, _ = whole.take_in(bob, out)
    assert (taken.owner, taken.shared) == (person(BOB).id, False)
    assert ann.projects.holding(taken.id) is None
