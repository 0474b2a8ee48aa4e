"""Laws of projects: ids, read-only bundled ones, undo for a day, nothing of one in another."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import paths, runtime
from core.arms import Arm
from core.errors import Problem
from core.opening import project_of
from core.project import Model, Project, bundled, whole
from core.project.projects import Projects, as_values, from_values
from core.project.readiness import Facts, state
from core.retrieval import Settings
from core.runtime import Runtime
from tests.project.made import ASKED, FULL, evaluation, fill, run, seen

BUNDLED = next(iter(bundled.all_bundled().values()))


@pytest.fixture
def here() -> Iterator[Runtime]:
    yield runtime.get()
    runtime.close()


@pytest.mark.parametrize(
    "title", ["A", "  Ünïcode → 日本 ", "../../etc", "x" * 80, "'; DROP TABLE projects; --", "a\nb"]
)
def test_a_title_gives_an_id_that_is_free_and_safe(here: Runtime, title: str) -> None:
    made = [here.projects.create(title) for _ in range(3)]
    assert len({one.id for one in made}) == 3
    assert all(one.id.isascii() and "/" not in one.id and "." not in one.id for one in made)
    assert len({here.base_file(one).parent for one in made}) == 1
    assert [here.projects.get(one.id).title for one in made] == [made[0].title] * 3


@pytest.mark.parametrize("title", ["", "   ", "x" * 81])
def test_a_title_is_needed_and_short(here: Runtime, title: str) -> None:
    with pytest.raises(Problem, match="title"):
        here.projects.create(title)
    assert here.projects.all() == list(bundled.all_bundled().values())


def test_many_threads_make_projects_of_one_title(here: Runtime) -> None:
    projects = here.projects
    threads = [threading.Thread(target=projects.create, args=("Same",)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len([one for one in projects.all() if one.title == "Same"]) == 8


def test_bundled_projects_are_read_only(here: Runtime) -> None:
    for change in (
        lambda: here.projects.save(BUNDLED),
        lambda: here.projects.change(BUNDLED.id, title="Mine"),
        lambda: whole.delete(here, BUNDLED),
        lambda: here.questions.save(BUNDLED, here.questions.names(BUNDLED)[0], ASKED),
    ):
        with pytest.raises(Problem, match=r"bundled|read-only"):
            change()
    assert here.projects.get(BUNDLED.id) == BUNDLED


def test_a_project_is_what_was_put_in(here: Runtime) -> None:
    made = here.projects.create(FULL.title, FULL)
    assert from_values(as_values(made) | {"id": "new"}, "here") == FULL
    changed = here.projects.change(made.id, title="Other", pinned="")
    assert (changed.id, changed.title, changed.pinned, changed.models) == (made.id, "Other", "", FULL.models)


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        ({"id": "a", "titel": "b", "title": "a"}, "Did you mean 'title'"),
        ({"id": "a"}, "'title' is missing"),
        ({"id": "A B", "title": "a"}, "small letters"),
        ({"id": "a", "title": 7}, "must be a text"),
        ({"id": "a", "title": "a", "models": {"x": 1}}, "must be a list"),
        ({"id": "a", "title": "a", "models": [{"id": "m", "title": "M", "file": "f", "colour": "red"}]}, "colour"),
        ({"id": "a", "title": "a", "arms": [{"model": "nobody"}]}, "no model"),
        ({"id": "a", "title": "a", "checks": [{"name": "c", "kind": "smell", "value": "x"}]}, "must be one of"),
    ],
)
def test_unknown_keys_and_wrong_types_are_refused(raw: dict[str, object], message: str) -> None:
    with pytest.raises(Problem, match=message):
        from_values(raw, "The project")


def test_what_was_deleted_comes_back_for_a_day_and_then_is_gone(here: Runtime) -> None:
    clock = [datetime(2026, 1, 1, tzinfo=UTC)]
    erased: list[str] = []
    projects = Projects(here.store, lambda: clock[0], erased.append)
    made = fill(here)
    before = seen(here, made)
    projects.delete(made.id)
    assert made.id not in [one.id for one in projects.all()]
    assert [one.id for one in projects.deleted()] == [made.id]
    with pytest.raises(Problem, match="no project"):
        projects.get(made.id)
    assert projects.create(made.title).id != made.id  # its id is not free while it can come back
    clock[0] += timedelta(hours=23)
    assert projects.purge() == []
    assert seen(here, projects.restore(made.id)) == before
    projects.delete(made.id)
    clock[0] += timedelta(hours=25)
    assert projects.purge() == [made.id]
    for table, column in (("runs", "project"), ("question_sets", "project")):
        assert here.store.read(f"SELECT 1 FROM {table} WHERE {column} = ?", (made.id,)) == []
    assert here.store.read("SELECT 1 FROM jobs") == here.store.read("SELECT 1 FROM job_rows") == []
    with pytest.raises(Problem, match="cannot be brought back"):
        projects.restore(made.id)


def test_a_purge_takes_the_documents_of_the_purged_alone(here: Runtime) -> None:
    gone, stays = fill(here), here.projects.create("Stays")
    here.knowledge(stays).add("a.md", "# A\n\nWords.")
    whole.delete(here, gone)
    here.store.write(lambda db: db.execute("UPDATE projects SET deleted = '2001-01-01' WHERE id = ?", (gone.id,)))
    runtime.close()
    again = runtime.get()
    assert [one.id for one in again.projects.all()] == [BUNDLED.id, stays.id]
    assert [path.name for path in paths.knowledge_dir().iterdir() if path.suffix == ".sqlite3"] == ["stays.sqlite3"]


def test_a_new_project_never_finds_documents_that_a_killed_one_left(here: Runtime) -> None:
    left = here.base_file(Project("mine", "Mine"))
    other = here.projects.create("Other")
    here.knowledge(other).add("secret.md", "# Secret\n\nWords.")
    here.base_store(other).close()
    left.write_bytes(here.base_file(other).read_bytes())  # placed, then killed before the row was kept
    made = here.projects.create("Mine")
    assert made.id == "mine"
    assert here.knowledge(made).documents() == []


def test_a_duplicate_takes_all_but_results_along(here: Runtime) -> None:
    made = fill(here)
    copy = whole.duplicate(here, made)
    was, now = seen(here, made), seen(here, copy)
    assert copy.title == f"{made.title} (copy)"
    assert (now.pop("runs"), now.pop("evaluations")) == ([], [])
    assert was.pop("runs") and was.pop("evaluations")
    assert now == was
    assert [p.document for p in here.knowledge(copy).query("zeppelin", mode="sparse").passages] == ["setup.md"]
    here.knowledge(copy).update("setup.md", "# Setup\n\nAnother word.")
    here.questions.delete(copy, "mine")
    here.projects.change(copy.id, pinned="changed")
    assert seen(here, here.projects.get(made.id)) | {"runs": 0, "evaluations": 0} == was | {"runs": 0, "evaluations": 0}


def test_a_bundled_project_is_duplicated_with_its_snapshots_and_edits(here: Runtime) -> None:
    copy = whole.duplicate(here, BUNDLED, "Copy")
    assert not copy.bundled and copy.snapshots == BUNDLED.snapshots
    knowledge = here.knowledge(copy)
    files = {name: len(list(folder.rglob("*.md"))) for name, folder in bundled.documents(BUNDLED).items()}
    assert {name: len(knowledge.documents(name)) for name in copy.snapshots} == files
    assert here.questions.names(copy) == sorted(here.questions.names(BUNDLED))
    assert copy.arms == BUNDLED.arms and copy.instruction == BUNDLED.instruction and copy.story == BUNDLED.story
    edited = knowledge.documents()[0]
    knowledge.update(edited.path, "# Edited\n\nThe zeppelin.")
    second = whole.duplicate(here, copy)
    assert "zeppelin" in here.knowledge(second).text(edited.path)
    assert "zeppelin" not in here.knowledge(second).text(edited.path, snapshot=copy.snapshots[0])
    assert bundled.documents(copy) == {}  # nothing is read from the repository for it any more


def test_results_of_one_project_are_not_shown_in_another(here: Runtime) -> None:
    one, two = here.projects.create("One", FULL), here.projects.create("Two", FULL)
    here.stored_runs.save(run(one))
    evaluation(here, one)
    assert here.stored_runs.history(two.id) == [] and here.stored_runs.latest(two.id) == []
    from core import evaluate

    assert evaluate.jobs(here, two) == []
    with pytest.raises(Problem, match="project"):
        here.runs.record("abcdef012345", two.id)


def test_an_address_without_a_project_is_about_that_of_its_result_or_none(here: Runtime) -> None:
    other = here.jobs.wait(here.jobs.start("prepare", lambda job: {}).id, 20)  # a job of no project
    mine = here.jobs.wait(here.jobs.start("finetune", lambda job: {}, parameters={"project": "mine"}).id, 20)
    for query in ({}, {"run": "nothing"}, {"evaluation": "nothing"}, {"evaluation": other.id}, {"finetune": "../x"}):
        assert project_of(here, query) is None
    assert project_of(here, {"finetune": mine.id}) == "mine"


def test_answers_over_documents_split_otherwise_are_other_answers(here: Runtime) -> None:
    made = here.projects.create("Mine")
    here.knowledge(made).add("a.md", "# A\n\nThe fee is 47 dollars.")
    reading, closed = (Arm("base", "retrieval"),), (Arm("base"),)
    before = [here.identities(made, reading), here.identities(made, closed)]
    here.knowledge(made).configure(Settings(chunk_size=20, overlap=0))  # an evaluation must not take up the old replies
    assert here.identities(made, reading) != before[0] and here.identities(made, closed) == before[1]


def test_an_empty_project_says_what_it_lacks_and_what_works() -> None:
    empty = state(Project("a", "A"), Facts())
    assert [part.name for part in empty.lacks] == ["documents", "models", "arms", "questions"]
    assert len(empty.works) == 1 and "calculator" in empty.works[0]
    full = state(FULL, Facts(documents=3, questions=2))
    assert full.lacks == () and len(full.works) == 4
    waiting = state(FULL, Facts(3, 2, {"small": "not fetched", "tuned": "not fetched"}))
    assert [part.name for part in waiting.lacks] == ["models"] and "not fetched" in waiting.lacks[0].says
    no_documents = state(FULL, Facts(questions=1))
    assert "find nothing" in no_documents.lacks[0].says


@given(st.integers(0, 3), st.integers(0, 3), st.booleans(), st.booleans())
def test_every_part_is_there_or_lacking_and_said(documents: int, asked: int, models: bool, here_: bool) -> None:
    project = FULL if models else Project("a", "A")
    found = state(project, Facts(documents, asked, {} if here_ else {"small": "x", "tuned": "x"}))
    assert all(part.says.endswith(".") or part.says for part in found.parts)
    assert {part.name for part in found.lacks} <= {part.name for part in found.parts if not part.optional}
    assert any("playground" in line for line in found.works) == (models and here_)
    assert any("evaluation" in line for line in found.works) == (models and here_ and asked > 0)


def test_a_model_that_is_not_here_is_named(here: Runtime) -> None:
    made = here.projects.create("A", Project("a", "A", models=(Model("m", "My model", "not-there"),)))
    lacking = {part.name: part.says for part in whole.state_of(here, made).lacks}
    assert "My model" in lacking["models"] and "not-there" in lacking["models"]
