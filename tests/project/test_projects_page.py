"""The page: every project with what can be done with it; and two sessions with two projects, which never mix."""

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core import evaluate, runtime
from core.ask import Parts
from core.engine import ModelSpec
from core.evaluation.run import Options
from core.project import Instruction, Model, Project, whole
from core.project.zipped import ENDING
from core.runtime import Runtime
from pages.draw import project as session
from tests.evaluation.scripted import Script
from tests.project.made import ASKED, FULL, fill, seen

ROOT = Path(__file__).resolve().parents[2]
QUESTION = "What is the fee?"


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> Iterator[Runtime]:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setattr(Runtime, "prepare_in_background", lambda here, project, retry=False: None)
    yield runtime.get()
    runtime.close()


def page(name: str = "projects", **query: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / "pages" / "main.py"), default_timeout=120)
    for key, value in query.items():
        app.query_params[key] = value
    app.run()
    return opened(app, name, **query)


def opened(app: AppTest, name: str, view: str = "", **query: str) -> AppTest:
    app.switch_page(f"{name}.py")
    if view:
        app.session_state["evaluation_view"] = view
    for key, value in query.items():
        app.query_params[key] = value
    app.run()
    assert not app.exception, app.exception[0].message
    return app


def address(app: AppTest, name: str) -> str:
    """A value in the page's address."""
    value = app.query_params[name]
    return value if isinstance(value, str) else value[0]


def shown(app: AppTest) -> str:
    """Every text on the page."""
    kinds = (app.title, app.header, app.markdown, app.caption, app.text, app.error, app.warning, app.success)
    values = [one.value for kind in kinds for one in kind]
    values += [frame.value.to_string() for frame in (*app.table, *app.dataframe)]
    values += [str(option) for box in app.selectbox for option in box.options]
    return "\n".join([*values, *(area.value or "" for area in app.text_area)])


def test_a_project_is_made_renamed_duplicated_deleted_and_brought_back(here: Runtime) -> None:
    app = page()
    app.text_input(key="new_title").set_value("Moon <b>Office</b>")
    app.button(key="FormSubmitter:new_project-Create").click().run()
    assert not app.exception and not app.error
    assert address(app, "project") == "moon-b-office-b"
    assert "Still lacks: **documents, models, arms, questions**" in shown(app)
    assert "<b>" not in "".join(one.value.replace("\\<b\\>", "") for one in app.markdown)
    app.text_input(key="title-moon-b-office-b").set_value("Moon")
    app.button(key="FormSubmitter:rename-moon-b-office-b-Save").click().run()
    assert [one.title for one in here.projects.all()][1:] == ["Moon"]
    app.button(key="duplicate-moon-b-office-b").click().run()
    assert address(app, "project") == "moon-copy"
    app.button(key="delete-moon-copy").click().run()
    assert not app.error and address(app, "project") == "brightwater"
    assert [one.id for one in here.projects.all()][1:] == ["moon-b-office-b"]
    app.button(key="restore-moon-copy").click().run()
    assert address(app, "project") == "moon-copy"
    assert len(here.projects.all()) == 3


def test_a_title_is_no_markdown_in_the_navigation(here: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    made = here.projects.create("![x](https://e.org/x.png) :red[M] *oon*")
    monkeypatch.setattr(session, "_wanted", lambda: made.id)
    shown = session.heading()
    assert (
        shown.replace("\\", "").replace("\u2060", "") == f"Project: {made.title}"
        and "![" not in shown
        and ":red[" not in shown
    )
    monkeypatch.setattr(session, "_wanted", lambda: "gone")
    assert session.heading() == "Project: Brightwater \\(demo\\)"


def test_a_title_that_cannot_be_used_is_said(here: Runtime) -> None:
    app = page()
    app.button(key="FormSubmitter:new_project-Create").click().run()
    assert "needs a title" in app.error[0].value and len(here.projects.all()) == 1


def test_the_bundled_project_is_complete_and_offers_neither_rename_nor_delete(here: Runtime) -> None:
    app = page()
    assert "81 documents" in shown(app) and "read-only" in shown(app)
    keys = {button.key for button in app.button}
    assert "duplicate-brightwater" in keys and "delete-brightwater" not in keys


def test_a_file_is_imported_and_opened(here: Runtime) -> None:
    made = fill(here)
    out = io.BytesIO()
    whole.export(here, made, out)
    app = page()
    app.file_uploader(key="project_file").set_value((f"x{ENDING}", out.getvalue(), "application/zip")).run()
    app.button(key="project_import").click().run()
    assert not app.exception and not app.error
    taken = here.projects.get(address(app, "project"))
    assert taken.id != made.id and seen(here, taken) == seen(here, made)
    assert "Imported" in app.success[0].value
    app.file_uploader(key="project_file").set_value(("x.zip", b"PK" * 50, "application/zip")).run()
    app.button(key="project_import").click().run()
    assert "no project file" in app.error[0].value


def test_what_the_page_exports_can_be_taken_in(here: Runtime) -> None:
    from pages.draw.projects import exported

    made = fill(here)
    assert seen(here, whole.take_in(here, io.BytesIO(exported(here, made)))[0]) == seen(here, made)


def test_a_link_opens_a_page_in_its_project(here: Runtime) -> None:
    made = fill(here)
    app = page("evaluation", project=made.id, evaluation="0123456789ab")
    assert not app.error and address(app, "project") == made.id
    assert "small+retrieval" in shown(app)
    app = page("playground", project=made.id, run="abcdef012345")
    assert r"kase\-:green-background[zeppelin] says" in shown(app)  # the word that decided stands out
    sources = [one.value for one in app.markdown if "open at its place" in one.value]
    assert sources and all(f"project={made.id}" in one for one in sources)
    app = page("documents", project=made.id, document="setup.md", at="9-20")
    assert "zeppelin" in shown(app) and "Tidal" not in shown(app)
    app = page("playground", project="brightwater", run="abcdef012345")
    assert "another project" in app.error[0].value
    for name, query in (("playground", {"run": "abcdef012345"}), ("evaluation", {"evaluation": "0123456789ab"})):
        app = page(name, **query)  # whoever shares the address of a result need not know its project
        assert not app.error and address(app, "project") == made.id
    app = page("projects", project="gone")
    assert "no project" in app.warning[0].value


# -- two sessions ------------------------------------------------------------------------------------------------------


@pytest.fixture
def script(here: Runtime, monkeypatch: pytest.MonkeyPatch) -> Script:
    """An engine that answers by project and model."""
    lines = {
        (f"{project}-{model}{passages}", "*"): f"{project} {model}{passages} answers"
        for project in ("moon", "sun")
        for model in ("moon-model", "sun-model")
        for passages in ("", "+passages")
    }
    made = Script(lines)

    def parts(here: Runtime, project: Project) -> Parts:
        return Parts(
            project,
            made,
            lambda: here.knowledge(project),
            lambda model: ModelSpec(f"{project.id}-{model}", Path("none.gguf")),
        )

    monkeypatch.setattr(Runtime, "parts", parts)
    return made


def planet(here: Runtime, name: str) -> Project:
    """A project in which everything says its name."""
    from core.arms import Arm

    models = (Model(f"{name}-model", f"{name} model", "base"),)
    arms = (Arm(f"{name}-model"), Arm(f"{name}-model", "retrieval"))
    instruction = Instruction(f"You are the {name} office.", f"You are the {name} office, reading.")
    like = Project("new", name, instruction=instruction, models=models, arms=arms, pinned=f"{name} pinned")
    made = here.projects.create(name, like)
    here.knowledge(made).add(f"{name}.md", f"# {name}\n\nThe fee of the {name} office is paid at the {name} gate.")
    here.questions.save(made, f"{name} set", ASKED[:1])
    return made


def test_two_sessions_with_two_projects_do_not_mix(here: Runtime, script: Script) -> None:
    names = ("moon", "sun")
    made = {name: planet(here, name) for name in names}
    apps = {name: page("playground", project=name) for name in names}
    for name in names:  # both forms are filled before either is sent
        apps[name].text_area(key=f"question-{name}-").set_value(QUESTION)
    for name in names:
        apps[name].button(key="ask").click().run()
        assert not apps[name].exception and not apps[name].error
    runs = {}
    for name, other in zip(names, reversed(names), strict=True):
        app = apps[name].run()
        text = shown(app)
        assert f"{name} {name}-model answers" in text and f"{name} {name}-model+passages answers" in text
        assert f"{other} {other}-model" not in text and f"{other}.md" not in text
        runs[name] = address(app, "run")
        assert address(app, "project") == name
        assert [row["id"] for row in here.runs.history(name)] == [runs[name]]
    assert len(script.requests) == 4
    for request in script.requests:
        name = request.model.id.split("-")[0]
        other = next(one for one in names if one != name)
        prompt = str(request.alternatives)
        assert f"the {name} office" in prompt and f"{other} office" not in prompt and f"{other} gate" not in prompt
    for name, other in zip(names, reversed(names), strict=True):
        assert "another project" in shown(opened(apps[name], "playground", project=name, run=runs[other]))
        text = shown(opened(apps[name], "documents", project=name))
        assert f"{name}.md" in text and f"{other}.md" not in text
        job = evaluate.start(here, made[name], ASKED[:1], Options(made[name].arms))
        assert here.jobs.wait(job.id, 60).state == "done"
        page_of = opened(apps[name], "evaluation", "Replies", project=name, evaluation=job.id)
        text = shown(page_of)
        assert f"{name} {name}-model answers" in text and f"{other} {other}" not in text
        assert "another project" in shown(opened(apps[other], "evaluation", project=other, evaluation=job.id))


def test_two_projects_of_one_title_are_told_apart(here: Runtime) -> None:
    first, second = here.projects.create("Same"), here.projects.create("Same")
    for project in (first, second):
        options = page("documents", project=project.id).selectbox(key=f"project_choice-{project.id}").options
        assert len(set(options)) == 3 and f"Same ({second.id})" in options


def test_a_scenario_stays_with_its_project(here: Runtime) -> None:
    for name in ("moon", "sun"):
        planet(here, name)
    app = page("calculator", project="moon")
    app.session_state["calculator"] = app.session_state["calculator"].replace({"queries": "7777"})
    app.run()
    moon = app.session_state["calculator"]
    app.selectbox(key="project_choice-moon").set_value("sun").run()
    assert not app.exception and address(app, "project") == "sun"
    assert app.session_state["calculator"] != moon
    app.selectbox(key="project_choice-sun").set_value("moon").run()
    assert app.session_state["calculator"] == moon
    here.projects.change("moon", scenario={"version": 3, "calculator": moon.section()})
    fresh = page("calculator", project="moon")
    assert fresh.session_state["calculator"] == moon
    assert page("calculator", project="sun").session_state["calculator"] != moon


def test_the_empty_project_shows_no_word_of_the_demo(here: Runtime) -> None:
    here.projects.create("Blank", Project("x", "Blank", models=FULL.models, arms=FULL.arms[:2]))
    for name in ("playground", "evaluation", "documents"):
        text = shown(page(name, project="blank"))
        assert not [word for word in ("Tidal", "Quarry", "Happy brewing") if word in text], name
        demo = [line for line in text.splitlines() if "Brightwater" in line and line != "Brightwater (demo)"]
        assert demo == [], (name, demo)
