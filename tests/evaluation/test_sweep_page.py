"""The sweep as a job and on its page: heat map, the setting put into the project, the model on what differs."""

import json
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from streamlit.testing.v1 import AppTest

from core import evaluate, runtime, sweep
from core.__main__ import main
from core.arms import parse_all
from core.charts import sweep as charts
from core.errors import Problem
from core.evaluation.questions import Question
from core.evaluation.sweeps import Grid
from core.project import Model, Project
from core.retrieval import KnowledgeBase
from core.retrieval.schema import MIGRATIONS
from core.retrieval.values import BUNDLED, Embedding, Vector
from core.runtime import Runtime
from core.schema import Swept
from core.store import Store
from tests.evaluation.scripted import Script, parts
from tests.retrieval.fake import HashEmbedder

ROOT = Path(__file__).resolve().parents[2]
WORDS = ("anchor", "beacon", "candle", "dynamo", "engine", "funnel", "gasket", "hammer")
TEXT = "# {0}\n\nThe {0} is an object of the yard. Many ask for it. {1}\n\nThe {0} weighs {2} kg.\n"
FILLER = "Yards hold objects of all kinds, and objects are asked for. " * 6
ASKED = [Question(f"How many kg has the {word}?", f"{n + 3} kg", "own") for n, word in enumerate(WORDS)]
GRID = Grid(k=(1, 4), weight=(0.7,), splitter=("headings", "sentences"), chunk_size=(64, 160))


class Dull(HashEmbedder):
    """Finds every text alike."""

    def embed(self, text: str) -> Vector:
        return super().embed("word")


def known(choice: Embedding) -> tuple[HashEmbedder, None] | None:
    """The embedders that there are: the bundled one, and one that is no use."""
    return {"": (HashEmbedder(), None), "dull": (Dull(identity="dull"), None)}.get(choice.file)


@pytest.fixture
def project(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Project]:
    """A project of the user's own, eight documents in its base, models scripted."""
    store = Store(tmp_path / "base.sqlite3", MIGRATIONS)
    base = KnowledgeBase(store, discover=known)
    for n, word in enumerate(WORDS):
        base.add(f"{word}.md", TEXT.format(word, FILLER, n + 3))
    script = Script({("small+passages", "*"): "It is 3 kg."})
    monkeypatch.setattr(Runtime, "knowledge", lambda here, project: base)
    monkeypatch.setattr(Runtime, "parts", lambda here, project: parts(script, base))  # type: ignore[arg-type]
    monkeypatch.setattr(Runtime, "prepare_in_background", lambda here, project, retry=False: None)
    here = runtime.get()
    made = here.projects.create("Yard", Project("new", "Yard", models=(Model("small", "Small", "base"),)))
    made = here.projects.change(made.id, arms=parse_all(("small", "small+retrieval")))
    here.questions.save(made, "yard", ASKED)
    yield made
    runtime.close()
    store.close()


def swept(project: Project) -> str:
    here = runtime.get()
    job = sweep.start(here, project, ASKED, GRID, sweep.arm_of(project))
    assert here.jobs.wait(job.id, 60).state == "done", here.jobs.get(job.id).message
    return job.id


def test_a_sweep_is_a_job_that_can_be_stopped_and_says_what_it_cannot_do(project: Project) -> None:
    here = runtime.get()
    found = sweep.as_json(here, swept(project))
    assert len(found["scored"]) == 9  # the grid's and the present one
    assert found["present"]["setting"]["k"] == 3 and found["questions"] == 8
    other = sweep.start(here, project, ASKED[:4], GRID, sweep.arm_of(project))
    here.jobs.cancel(other.id)
    assert here.jobs.wait(other.id, 60).state in ("cancelled", "done")
    with pytest.raises(Problem, match="an answer to look for"):
        sweep.start(here, project, [Question("Who?", "", "no-document")], GRID, sweep.arm_of(project))
    with pytest.raises(Problem, match="Unknown snapshot"):
        sweep.start(here, project, ASKED, GRID, sweep.arm_of(project), "yesterday")
    with pytest.raises(Problem, match="does not retrieve"):
        sweep.arm_of(project, "small")
    with pytest.raises(Problem, match="no sweep"):
        sweep.result(here, here.jobs.start("index", lambda _: None).id)


def test_the_page_shows_a_sweep_by_its_address_and_puts_its_setting_into_the_project(project: Project) -> None:
    here, job_id = runtime.get(), swept(project)
    found = sweep.result(here, job_id)
    assert found.present is not None and found.cheapest.setting != found.present.setting
    figure = charts.heat_map(found, *charts.varied(found)[:2])
    assert max(value for line in figure.data[0].z for value in line if value is not None) == found.best.value("hit")
    app = AppTest.from_file(str(ROOT / "pages" / "main.py"), default_timeout=120)
    app.query_params["project"] = project.id
    app.run()
    app.switch_page("evaluation.py")
    app.query_params["sweep"] = job_id
    app.run()
    assert not app.exception, app.exception[0].message
    shown = {frame.key or number: frame.value for number, frame in enumerate(app.dataframe)}
    assert any(len(frame) == len(found.scored) and "hit@k" in frame.columns for frame in shown.values())
    app.button(key="sweep_use").click().run()
    assert not app.exception, app.exception[0].message
    changed = here.projects.get(project.id).arm("small+retrieval").search
    wanted = found.cheapest.setting
    assert (changed.top_k, changed.mode) == (wanted.k, wanted.mode)
    now = here.knowledge(project).settings
    assert (now.splitter, now.chunk_size) == (wanted.splitter, wanted.chunk_size)


def test_the_model_is_asked_where_two_settings_differ_each_with_its_own_passages(project: Project) -> None:
    here, job_id = runtime.get(), swept(project)
    found = sweep.result(here, job_id)
    split = here.knowledge(project).settings
    other = next(one.setting for one in reversed(found.scored) if one.setting.split.splitter != split.splitter)
    few = sweep.differing(here, job_id, other)
    assert few
    job = sweep.ask_model(here, project, job_id, other)
    assert here.jobs.wait(job.id, 60).state == "done", here.jobs.get(job.id).message
    made = evaluate.result(here, job.id)
    hits = {arm: [row.hit for row in made.rows if row.arm == arm] for arm in made.arms}
    present, swept_arm = hits.values()
    assert all(a != b for a, b in zip(present, swept_arm, strict=True))
    assert here.knowledge(project).settings == split


def test_asked_from_the_page_the_model_s_answers_stay_on_it(project: Project) -> None:
    here, job_id = runtime.get(), swept(project)
    app = AppTest.from_file(str(ROOT / "pages" / "main.py"), default_timeout=120)
    app.query_params["project"] = project.id
    app.run()
    app.switch_page("evaluation.py")
    app.query_params["sweep"] = job_id
    app.run()
    chosen = app.selectbox(key="sweep_chosen")
    for option in chosen.options:  # the first that differs from the present setting
        app.selectbox(key="sweep_chosen").set_value(option).run()
        if not app.button(key="sweep_ask").disabled:
            break
    app.button(key="sweep_ask").click().run()
    assert not app.exception, app.exception[0].message
    turned = app.segmented_control(key="section").proto
    assert turned.set_value  # the browser keeps what it shows of a widget, unless it is told another value
    started = evaluate.jobs(here, project)[0].id
    assert here.jobs.wait(started, 60).state == "done"
    app.run()
    assert app.segmented_control(key="section").value == "Answers of the arms" and "sweep" not in app.query_params
    assert any("where two retrieval" in heading.value for heading in app.header)


def test_an_embedder_is_an_axis_and_the_base_keeps_its_own(project: Project) -> None:
    here, arm = runtime.get(), sweep.arm_of(project)
    grid = Grid(k=(1,), mode=("dense",), splitter=("headings",), chunk_size=(160,), embedder=("", BUNDLED, "dull"))
    job = sweep.start(here, project, ASKED, grid, arm)
    assert here.jobs.wait(job.id, 60).state == "done", here.jobs.get(job.id).message
    found = {one.setting.title: one for one in sweep.result(here, job.id).scored if one.setting.mode == "dense"}
    (own, dull) = sorted(found.values(), key=lambda one: one.setting.embedder)  # the bundled one is the base's own
    assert own.hit.accuracy > dull.hit.accuracy and dull.setting.title.endswith("embedded by dull")
    assert here.knowledge(project).embedding == Embedding() and charts.varied(sweep.result(here, job.id))
    asked = sweep.ask_model(here, project, job.id, dull.setting)
    assert here.jobs.wait(asked.id, 60).state == "done", here.jobs.get(asked.id).message
    other = list(evaluate.result(here, asked.id).arms)[1]
    seen = [row for row in evaluate.result(here, asked.id).rows if row.arm == other]
    assert len({row.documents for row in seen}) == 1  # it finds every question alike
    indexing = sweep.apply(here, project, dull.setting)
    assert indexing and here.jobs.wait(indexing.id, 60).state == "done"
    assert here.knowledge(project).embedding.file == "dull"
    nowhere = sweep.start(here, project, ASKED, Grid(embedder=("nowhere",)), arm)
    assert "nowhere is not to be had" in here.jobs.wait(nowhere.id, 60).message


def test_the_command_prints_a_sweep_as_its_schema_says(
    project: Project, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Runtime, "prepare_documents", lambda *_: None)  # the embedder is a test's own
    asked = ["sweep", "--project", project.id, "--set", "yard", "--k", "1,4", "--weight", "0.7"]
    assert (
        main([*asked, "--splitter", "headings", "--chunk-size", "64", "--embedder", f"{BUNDLED},dull", "--json"]) == 0
    )
    made = json.loads(capsys.readouterr().out)
    found = msgspec.convert(made, Swept)
    assert (found["state"], found["questions"], len(found["scored"])) == ("done", 8, 5)  # four, and the present one
    assert made["cheapest"]["setting"]["k"] in (1, 3, 4) and found["sentence"] in made["sentence"]
    assert {one["setting"]["embedder"] for one in made["scored"]} == {"", "dull"}
    assert main([*asked, "--mode", "sparse"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("setting") and "sparse" in lines[1] and lines[-1].startswith("The cheapest setting")


@pytest.mark.parametrize(
    ("given", "said"),
    [(["--k", "one"], "no list of numbers"), (["--k", ","], "at least one value of k"), (["--mode", "psychic"], "mode"),
     (["--k", "99"], "between 1 and 20"), (["--chunk-size", "0"], "size"), (["--set", "none"], "none"),
     (["--arm", "magic"], "magic"), (["--project", "nowhere"], "no project")],
)  # fmt: skip
def test_a_sweep_of_bad_input_is_one_line_and_status_2(
    given: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["sweep", "--set", "static", "--json", *given]) == 2
    streams = capsys.readouterr()
    assert not streams.out and said in streams.err and len(streams.err.strip().splitlines()) == 1
