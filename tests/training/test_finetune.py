"""Fine-tunes of a project: rows and what is set aside, the job around its process, and the model that comes of it."""

import json
import shlex
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import jsonschema
import pytest
from streamlit.testing.v1 import AppTest

from core import finetune, finetune_rows, paths, runtime, schema
from core.errors import Problem
from core.evaluation.questions import Question
from core.finetune_rows import Row
from core.jobs import Job
from core.project import Instruction, Project, editing, whole
from core.project.projects import Projects
from models.training import samples
from tests.engine import tiny
from tests.given import BRIGHTWATER

ROOT = Path(__file__).resolve().parents[2]
FAKE = Path(__file__).with_name("fake_trainer.py")
ROWS = tuple(Row(f"What is {n}?", f"It is {n}.") for n in range(20))


@pytest.fixture
def mine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Project]:
    """A project with a tiny base, an instruction of its own and 20 questions; the training program is the fake one."""
    monkeypatch.setenv("RR_MODELS", str(tmp_path))
    monkeypatch.setenv("RR_TRAINER", shlex.join([sys.executable, str(FAKE)]))
    tiny.write(tmp_path / "small.gguf")
    here = runtime.get()
    made = here.projects.create("My tool")
    made = editing.with_model(made, "small", "Small")
    made = here.projects.change(made.id, models=made.models, arms=made.arms, instruction=Instruction("Say it short."))
    here.questions.save(made, "facts", [Question(row.prompt, row.completion, "own") for row in ROWS])
    yield made
    runtime.close()


def run(project: Project, rows: tuple[Row, ...] = ROWS, **options: object) -> Job:
    here = runtime.get()
    return here.jobs.wait(finetune.start(here, project, "small", rows, "facts", **options).id, 60)  # type: ignore[arg-type]


def held(project: Project) -> Job:
    """A fine-tune that has made its checkpoint and waits."""
    here = runtime.get()
    rows = (*ROWS, Row("HOLD", "HOLD", group=ROWS[0].prompt))
    job = finetune.start(here, project, "small", tuple(rows), "facts")
    tick = threading.Event()
    while not any(row.get("step") == 5 for row in here.jobs.rows(job.id)):
        assert here.jobs.get(job.id).active
        tick.wait(0.05)
    return job


def test_what_comes_of_it_is_a_model_with_its_base_and_two_arms(mine: Project) -> None:
    here = runtime.get()
    asked = here.questions.read(mine, "facts")
    job = run(mine, finetune_rows.of_questions(asked), held=0.2, title="Tuned")
    assert job.state == "done", job.message
    project = here.projects.get(mine.id)
    model = project.model("tuned")
    assert (model.base, model.file) == ("small", "small") and Path(model.adapter or "").is_file()
    assert [arm.name for arm in project.arms if arm.model == "tuned"] == ["tuned", "tuned+retrieval"]
    aside = here.questions.read(project, "facts (held out)")
    trained = samples.read_jsonl(paths.training_dir() / job.parameters["training"] / "rows.jsonl")
    assert len(aside) == 4 and len(trained) == 16
    assert not {q.question for q in aside} & {sample.prompt[-1]["content"] for sample in trained}
    assert runtime.spec(project, "tuned").adapter == Path(model.adapter or "")
    last = finetune.progress(here, finetune.training(here, project, job.id))[-1]
    assert last == {"held_out_exact": 0.5, "held_out_loss": 1.2345}


def test_the_rows_carry_the_projects_own_instruction(mine: Project, tmp_path: Path) -> None:
    row = Row("Which port?", "7431\u2028open", passages=("The port is 7431.",))
    (tmp_path / "rows.jsonl").write_text(finetune_rows.dumps(mine, [row]), encoding="utf-8")
    (sample,) = samples.read_jsonl(tmp_path / "rows.jsonl")
    assert sample.prompt == mine.instruction.messages("Which port?", ["The port is 7431."])
    assert sample.completion == "7431\u2028open"


def test_stopped_it_goes_on_from_its_checkpoint(mine: Project) -> None:
    here = runtime.get()
    job = held(mine)
    name = job.parameters["training"]
    with pytest.raises(Problem, match="running on this machine already"):
        finetune.start(here, mine, "small", ROWS, "facts")
    finetune.stop(here, mine, name)
    assert here.jobs.wait(job.id, 30).state == "cancelled"
    found = finetune.training(here, mine, name)
    assert found.resumable and (found.folder / "checkpoint.pt").is_file()
    assert here.projects.get(mine.id).models == mine.models
    again = here.jobs.wait(finetune.resume(here, mine, job.id).id, 60)
    assert again.state == "done", again.message
    steps = [row["step"] for row in finetune.progress(here, finetune.training(here, mine, name)) if "step" in row]
    assert steps == list(range(1, 11))
    with pytest.raises(Problem, match="nothing to go on with"):
        finetune.resume(here, mine, name)
    with pytest.raises(Problem, match="remove the model first"):
        finetune.discard(here, mine, name)


def test_a_program_that_is_killed_goes_on_and_does_not_give_its_last_line_for_a_reason(mine: Project) -> None:
    here = runtime.get()
    job = run(mine, (*ROWS, Row("KILL", "KILL", group=ROWS[0].prompt)))
    assert job.state == "failed" and "killed (signal 9)" in job.message and "step" not in job.message
    assert here.jobs.wait(finetune.resume(here, mine, job.id).id, 60).state == "done"


def test_an_erased_projects_fine_tunes_go_and_a_duplicates_adapter_stays(mine: Project) -> None:
    now, here = datetime.now(UTC), runtime.get()
    first, second = run(mine, title="One"), run(mine, title="Two")
    made = here.projects.get(mine.id)
    other = here.projects.create("Other", replace(made, models=made.models[:2], arms=made.arms[:2]))  # it has "One"
    one, two = (paths.training_dir() / job.parameters["training"] for job in (first, second))
    whole.delete(here, made)
    for hours in (23, 25):
        runtime.close()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(
                Projects.__init__, "__defaults__", (lambda hours=hours: now + timedelta(hours=hours), lambda _id: None)
            )
            assert [p.id for p in runtime.get().projects.deleted()] == ([mine.id] if hours == 23 else [])
        assert one.is_dir() and two.is_dir() == (hours == 23)
    here = runtime.get()
    assert Path(here.projects.get(other.id).models[1].adapter or "").is_file()
    here.projects.create("My tool")  # takes the id of the one that is gone
    assert one.is_dir()
    finetune.erase(other.id, [])
    assert not one.exists()


def test_a_deleted_project_comes_back_with_its_fine_tune(mine: Project) -> None:
    here = runtime.get()
    job = run(mine)
    whole.delete(here, here.projects.get(mine.id))
    runtime.close()
    here = runtime.get()
    back = here.projects.restore(mine.id)
    assert Path(back.models[-1].adapter or "").is_file() and finetune.training(here, back, job.id).job.state == "done"


@pytest.mark.parametrize("running", [True, False])
def test_cancelled_it_leaves_nothing(mine: Project, running: bool) -> None:
    here = runtime.get()
    job = held(mine)
    if not running:
        finetune.stop(here, mine, job.id)
        here.jobs.wait(job.id, 30)
    finetune.discard(here, mine, job.parameters["training"])
    assert list(paths.training_dir().iterdir()) == []
    assert finetune.trainings(here, mine) == [] and here.jobs.list(finetune.KIND) == []
    assert here.projects.get(mine.id) == mine and here.questions.names(mine) == ["facts"]


def test_a_program_that_fails_says_why(mine: Project) -> None:
    job = run(mine, (*ROWS, Row("FAIL", "FAIL", group=ROWS[0].prompt)))
    assert job.state == "failed" and "A sample has 9000 tokens" in job.message
    assert finetune.training(runtime.get(), mine, job.id).resumable


def test_what_cannot_be_trained_is_refused_and_nothing_is_left(
    mine: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = runtime.get()
    other = tmp_path / "other.gguf"
    other.write_bytes((tmp_path / "small.gguf").read_bytes().replace(b"llama", b"mamba"))
    tiny.write(tmp_path / "bare.gguf", template=None)
    for file in ("other", "bare"):
        mine = editing.with_model(mine, file, file)
    mine = here.projects.change(mine.id, models=mine.models, arms=mine.arms)
    for base, why in (("other", "is a mamba model"), ("bare", "no chat template"), ("nobody", "no model 'nobody'")):
        with pytest.raises(Problem, match=why):
            finetune.start(here, mine, base, ROWS, "facts")
    good, bad = finetune.bases(mine)
    assert good == {"small": "Small"} and set(bad) == {"other", "bare"}
    with pytest.raises(Problem, match="bundled"):
        finetune.start(here, BRIGHTWATER, "base", ROWS, "facts")
    with pytest.raises(Problem, match="passes"):
        finetune.start(here, mine, "small", ROWS, "facts", passes=0)
    monkeypatch.delenv("RR_TRAINER")
    monkeypatch.setattr(finetune, "NEEDS", ("no_such_package",))
    with pytest.raises(Problem, match=r"pip install -r models/training/requirements\.txt"):
        finetune.start(here, mine, "small", ROWS, "facts")
    assert list(paths.training_dir().iterdir()) == [] and here.jobs.list(finetune.KIND) == []


@pytest.mark.parametrize("share", [0.05, 0.1, 0.3, 0.5])
def test_what_is_set_aside_is_whole_groups_and_never_trained_on(share: float) -> None:
    rows = tuple(Row(f"{n} {way}", "x", group=str(n)) for n in range(12) for way in "abc")
    trained, aside = finetune_rows.split(rows, share)
    assert sorted(row.prompt for row in (*trained, *aside)) == sorted(row.prompt for row in rows)
    assert trained and aside and not {row.group for row in trained} & {row.group for row in aside}
    assert share * len(rows) <= len(aside) + 1 < share * len(rows) + 4
    assert finetune_rows.split(rows, share) == (trained, aside)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "Between 4 and"),
        (b"{", "line 1 is not JSON"),
        (b"[" * 100_000, "line 1 is not JSON"),
        (b"[1]", "line 1: needs the texts"),
        (b'{"prompt": "a", "completion": " "}', "line 1: needs the texts"),
        (b'{"prompt": "a", "completion": "b", "passages": [1]}', "passages must be a list"),
        (json.dumps({"prompt": "a" * 9000, "completion": "b"}).encode(), "8,000 characters"),
        (b'{"prompt": "a", "completion": "b"}', "Between 4 and"),
        (b"\xff\xfe", "not UTF-8"),
        (b" " * 8_000_001, "larger than 8 MB"),
    ],
)
def test_hostile_rows_are_refused_with_their_line(data: bytes, why: str) -> None:
    with pytest.raises(Problem, match=why):
        finetune_rows.parse(data, "rows.jsonl")


def test_the_page_starts_it_and_shows_the_model_that_came_of_it(mine: Project) -> None:
    app = AppTest.from_file(str(ROOT / "pages" / "main.py"), default_timeout=120).run()
    app.switch_page("finetune.py")
    app.query_params["project"] = mine.id
    app.run()
    assert not app.exception and not app.error
    assert "18 rows to train on, 2 set aside" in "".join(one.value for one in app.markdown)
    assert "Say it short." in app.code[0].value
    app.button(key="finetune_start").click().run()
    here = runtime.get()
    (job,) = here.jobs.list(finetune.KIND)
    assert here.jobs.wait(job.id, 60).state == "done"
    app.run()
    assert not app.exception and "small-fine-tuned+retrieval" in app.success[0].value.replace("\\", "")


def test_the_page_names_the_line_to_install(mine: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RR_TRAINER")
    monkeypatch.setattr(finetune, "NEEDS", ("no_such_package",))
    app = AppTest.from_file(str(ROOT / "pages" / "main.py"), default_timeout=120).run()
    app.switch_page("finetune.py")
    app.query_params["project"] = mine.id
    app.run()
    assert not app.exception and app.code[0].value == finetune.INSTALL
    assert app.button(key="finetune_start").disabled


def test_the_command_trains_and_refuses(mine: Project, tmp_path: Path) -> None:
    def core(*options: str) -> subprocess.CompletedProcess[str]:
        line = [sys.executable, "-m", "core", "finetune", "--project", mine.id, *options]
        return subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=False)

    rows = [json.dumps({"prompt": row.prompt, "completion": row.completion}) for row in ROWS]
    (tmp_path / "mine.jsonl").write_text("\n".join(rows), encoding="utf-8")
    done = core("--base", "small", "--rows", str(tmp_path / "mine.jsonl"), "--json")
    assert done.returncode == 0, done.stderr
    made = json.loads(done.stdout)
    jsonschema.Draft202012Validator(schema.schema("finetune")).validate(made)
    assert set(made) == set(schema.Finetuned.__annotations__)
    assert made["base"] == "small" and made["arms"] == ["small-fine-tuned", "small-fine-tuned+retrieval"]
    for options in ([], ["--base", "small"], ["--base", "x", "--set", "facts"], ["--resume", "../.."]):
        refused = core(*options)
        assert refused.returncode == 2 and refused.stdout == ""
        assert len(refused.stderr.strip().splitlines()) == 1, refused.stderr


def test_the_real_program_ends_by_itself_while_its_parent_lives(tmp_path: Path) -> None:
    line = [sys.executable, "-m", "models.training.run", "--with-parent", "--base", str(tmp_path / "none.gguf")]
    with subprocess.Popen(line, cwd=ROOT, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        said = process.stderr.read()
        assert process.wait(60) == 2 and said.startswith("error: No base model"), said
