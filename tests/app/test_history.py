"""History: found by words and tags, held against today, deleted and brought back, erased after its day."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core import history, identity, jobs, records, runs, runtime
from core.__main__ import main
from core.errors import Problem
from core.evaluation.run import Options
from core.jobs import Job
from core.project import Project
from core.records import ArmRecord, Identity, RunRecord, RunSettings
from core.runtime import Runtime
from core.store import Store
from tests.given import BRIGHTWATER

ROOT = Path(__file__).resolve().parents[2]


def run(run_id: str, made: str, question: str, answer: str, **more: object) -> RunRecord:
    arm = BRIGHTWATER.arms[0]
    said = ArmRecord(arm.name, "done", "Base", answer=answer, finish="stop")
    return RunRecord(run_id, made, question, RunSettings((arm,), "together"), True, (said,), **more)  # type: ignore[arg-type]


@pytest.fixture
def here() -> Iterator[Runtime]:
    made = runtime.get()
    now = Identity("aaaa", {"base": ""}, {})
    made.stored_runs.save(run("a" * 12, "2026-01-01T10:00:00+00:00", 'What is "oak"?', "A tree.", identity=now))
    made.stored_runs.save(run("b" * 12, "2026-01-02T10:00:00+00:00", "What is elm?", "Größe of a tree."))
    options = {"questions": [{"question": "Is it oak?", "answer": "yes", "class": "own"}], "name": "the gate"}
    parameters = {"project": BRIGHTWATER.id, "options": records.plain(Options()), "before": [], **options}
    job = Job("c" * 12, "evaluate", None, "done", 1.0, "", 1_767_400_000.0, 0.0, "x:1:y", parameters, None)
    made.store.write(lambda db: jobs.insert_ended(db, job, []))
    yield made
    runtime.close()


def ids(found: list[history.Entry]) -> list[str]:
    return [one.id[0] for one in found]


def test_runs_and_evaluations_are_found_by_words_names_and_tags_newest_first(here: Runtime) -> None:
    project = BRIGHTWATER
    assert ids(history.entries(here, project)) == ["c", "b", "a"]
    assert ids(history.entries(here, project, "OAK")) == ["c", "a"]
    assert ids(history.entries(here, project, '"oak"')) == ["a"]
    assert ids(history.entries(here, project, "Größe")) == ["b"]
    assert ids(history.entries(here, project, kind="evaluation")) == ["c"]
    assert history.entries(here, replace(project, id="other")) == []
    history.label(here, project, history.find(here, project, "b" * 12), " For the board ", ["#Demo", "demo", "q1"])
    found = history.find(here, project, "b" * 12)
    assert (found.name, found.tags) == ("For the board", ("demo", "q1"))
    assert ids(history.entries(here, project, "the BOARD")) == ["b"]
    assert ids(history.entries(here, project, tag="q1")) == ["b"] and not history.entries(here, project, tag="q2")


@pytest.mark.parametrize("tags", [" ".join(f"t{n}" for n in range(11)), "x" * 31, "a\x00b"])
def test_tags_that_cannot_be_kept_are_a_problem(tags: str) -> None:
    with pytest.raises(Problem):
        history.tags_of(tags)


def test_a_deleted_run_is_no_longer_the_one_before(here: Runtime) -> None:
    here.stored_runs.save(run("d" * 12, "2026-01-03T10:00:00+00:00", 'What is "oak"?', "A tree, again."))
    last = here.stored_runs.get("d" * 12)
    before = here.stored_runs.before(last)
    assert before is not None and before.id == "a" * 12
    history.delete(here, BRIGHTWATER, [history.find(here, BRIGHTWATER, "a" * 12)])
    assert here.stored_runs.before(last) is None


def test_deleted_is_gone_everywhere_comes_back_and_is_erased_after_its_day(here: Runtime) -> None:
    project = BRIGHTWATER
    both = [one for one in history.entries(here, project) if one.id[0] in "bc"]
    history.delete(here, project, both)
    assert ids(history.entries(here, project)) == ["a"] and ids(history.entries(here, project, deleted=True)) == [
        "c",
        "b",
    ]
    assert [row["id"][0] for row in here.runs.history(project.id)] == ["a"] and not here.jobs.list("evaluate")
    assert [one.id[0] for one in here.stored_runs.latest(project.id)] == ["a"]
    with pytest.raises(Problem, match="deleted"):
        here.stored_runs.get("b" * 12)
    assert history.purge(here) == 0
    history.delete(here, project, both[:1], back=True)
    assert ids(history.entries(here, project)) == ["c", "a"]
    assert history.purge(here, datetime.now(UTC) + timedelta(days=2)) == 1
    assert history.entries(here, project, deleted=True) == [] and ids(history.entries(here, project)) == ["c", "a"]


def test_a_run_of_another_project_is_not_deleted(here: Runtime) -> None:
    here.stored_runs.delete("other", "a" * 12, "2026-01-01")
    assert here.stored_runs.get("a" * 12).question


def test_what_differs_now_names_models_instruction_documents_and_settings(here: Runtime) -> None:
    then = Identity("i", {"base": "1", "tuned": "2"}, {"a.md": 1, "b.md": 1, "c.md": 4})
    assert identity.differences(then, then) == []
    now = Identity("j", {"base": "9", "tuned": ""}, {"a.md": 2, "c.md": 4, "d.md": 5})
    said = identity.differences(then, now)
    assert said[0] == "the instruction has changed" and "another file" in said[1] and "not here" in said[2]
    assert said[3:] == ["1 document changed: a.md", "1 document gone: b.md", "1 document new: d.md"]
    assert identity.differences(then, Identity("i", then.models, {"*": 7})) == ["the documents have changed"]
    assert "not known" in identity.differences(None, now)[0]
    entry = history.find(here, BRIGHTWATER, "a" * 12)
    assert history.differs(here, BRIGHTWATER, entry) == ["the instruction has changed"]
    changed = replace(BRIGHTWATER.arms[0], sampling=replace(BRIGHTWATER.arms[0].sampling, temperature=0.5))
    project = replace(BRIGHTWATER, arms=(changed,))
    assert any("settings of this arm" in line for line in history.differs(here, project, entry))


def test_many_documents_are_kept_as_one_sum_that_tells_a_change(here: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    standing = {f"{n}.md": 1 for n in range(identity.MOST_DOCUMENTS + 1)}

    class Knowledge:
        def standing(self, view: str) -> dict[str, int]:
            return dict(standing)

    monkeypatch.setattr(Runtime, "knowledge", lambda self, project: Knowledge())
    arms = [arm for arm in BRIGHTWATER.arms if arm.retrieves]
    before = identity.of(here, BRIGHTWATER, arms)
    standing["0.md"] = 2
    after = identity.of(here, BRIGHTWATER, arms)
    assert set(before.documents) == {"*"} and identity.differences(before, after) == ["the documents have changed"]


def test_two_runs_are_compared_arm_by_arm(here: Runtime) -> None:
    (both,) = history.compare(here.stored_runs.get("a" * 12), here.stored_runs.get("b" * 12))
    assert (both.before, both.after, both.same) == ("A tree.", "Größe of a tree.", False)


def test_an_older_database_gets_the_column_and_keeps_its_runs(tmp_path: Path) -> None:
    old = Store(tmp_path / "x.sqlite3", runs.MIGRATIONS[:2])
    record = run("d" * 12, "2026-01-01T10:00:00+00:00", "Old?", "Yes.")
    old.write(lambda db: runs.insert(db, record))
    old.close()
    new = Store(tmp_path / "x.sqlite3", runs.MIGRATIONS)
    assert runs.StoredRuns(new).get("d" * 12) == record
    new.close()


def test_the_command_lists_tags_shows_and_deletes(here: Runtime, capsys: pytest.CaptureFixture[str]) -> None:
    def told(*argv: str) -> dict:
        assert main(["runs", *argv, "--json"]) == 0
        return json.loads(capsys.readouterr().out)

    assert [one["id"][0] for one in told("list", "--text", "tree")["entries"]] == ["b", "a"]
    assert told("tag", "a" * 12, "--tags", "x y")["entries"][0]["tags"] == ["x", "y"]
    shown = told("show", "a" * 12)
    assert shown["body"]["question"] == 'What is "oak"?' and shown["differs"]
    told("delete", "a" * 12)
    assert "a" not in [one["id"][0] for one in told("list")["entries"]]
    told("restore", "a" * 12)
    assert "a" in [one["id"][0] for one in told("list")["entries"]]
    assert main(["runs", "show", "nothing"]) == main(["runs", "delete"]) == 2


def test_the_page_lists_and_brings_back(here: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    project: Project = BRIGHTWATER
    history.delete(here, project, [history.find(here, project, "a" * 12)])
    app = AppTest.from_file(str(ROOT / "pages" / "main.py"), default_timeout=120).run()
    app.switch_page("history.py").run()
    assert not app.exception, app.exception[0].message
    assert app.title[0].value == "History" and len(app.dataframe[0].value) == 2
    assert [one.label for one in app.expander if "Deleted" in one.label] == ["Deleted: 1, kept for a day"]
    app.text_input(key="history_text").set_value("elm").run()
    assert list(app.dataframe[0].value["what"]) == ["What is elm?"]


def test_a_runs_whole_address_stands_beside_its_files_with_name_project_and_date(here: Runtime) -> None:
    entry = next(one for one in history.entries(here, BRIGHTWATER) if one.id[0] == "a")
    history.label(here, BRIGHTWATER, entry, "Oak again", [])
    app = AppTest.from_file(str(ROOT / "pages" / "main.py"), default_timeout=120)
    app.switch_page("playground.py")
    app.query_params["run"] = entry.id
    app.query_params["present"] = "1"
    app.run()
    assert not app.exception
    told = next(one.value for one in app.caption if "Oak again" in one.value)
    assert told.replace("\\", "") == "Oak again · Brightwater (demo) · 2026-01-01 10:00 UTC"
    assert [one.value for one in app.code if "run=" in one.value] == [
        f"?run={entry.id}"
    ]  # as nobody's browser knows it
