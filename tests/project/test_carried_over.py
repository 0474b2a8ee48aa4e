"""The state of the last version without projects, opened by this one: all of it is there, also after kill -9."""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from core import evaluate, runtime
from core.project import migrate
from core.retrieval import transfer
from core.runtime import Runtime
from tests.project import older

ROOT = Path(__file__).resolve().parents[2]
KILLS = 20
# Opens the state folder, counting steps: lines of the migration and the store, and work inside SQLite's statements.
# At step N (0: never) the process kills itself; the number of steps is printed.
OPEN = """
import os, signal, sqlite3, sys
from core import paths, runtime, store
from core.project import migrate
steps, last = 0, int(sys.argv[1])
files = {migrate.__file__, store.__file__}

def step(*_):
    global steps
    steps += 1
    if steps == last:
        os.kill(os.getpid(), signal.SIGKILL)

def lines(frame, event, _arg):
    if frame.f_code.co_filename not in files:
        return None
    if event == "line":
        step()
    return lines

class Counted(sqlite3.Connection):
    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        self.set_progress_handler(step, 200)

connect = sqlite3.connect
sqlite3.connect = lambda *args, **options: connect(*args, factory=Counted, **options)
import threading
threading.settrace(lines)
sys.settrace(lines)
runtime.get().store
sys.settrace(None)
print(steps)
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An old state folder."""
    made = tmp_path / "old"
    made.mkdir()
    older.write(made)
    monkeypatch.setenv("RR_HOME", str(made))
    yield made
    runtime.close()


def opened(home: Path, kill_at: int) -> subprocess.CompletedProcess[str]:
    env = os.environ | {"RR_HOME": str(home)}
    return subprocess.run(
        [sys.executable, "-c", OPEN, str(kill_at)], cwd=ROOT, env=env, capture_output=True, text=True, check=False
    )


def whole(here: Runtime) -> dict[str, Any]:
    """All that came out of the old state."""
    demo, mine = here.projects.get("brightwater"), here.projects.get(migrate.MINE)
    found: dict[str, Any] = {}
    for project in (demo, mine):
        base = here.knowledge(project)
        db = here.base_store(project)
        found[project.id] = {
            "texts": {(one.view, one.path, one.text, one.origin) for one in transfer.texts(here.base_file(project))},
            "versions": {
                path: len(base.versions(path)) for (path,) in map(tuple, db.read("SELECT path FROM documents"))
            },
            "counts": base.counts(),
            "words": len(db.read("SELECT rowid FROM words WHERE words MATCH 'costs OR mooring OR tax'")),
            "check": db.read("PRAGMA integrity_check")[0][0],
        }
        db.write(lambda db: db.execute("INSERT INTO words (words) VALUES ('integrity-check')"))
    found["runs"] = [run.id for run in here.stored_runs.latest(demo.id)]
    found["evaluations"] = [(job.id, len(here.jobs.rows(job.id))) for job in evaluate.jobs(here, demo)]
    return found


EXPECTED = {
    "runs": [older.RUN],
    "evaluations": [(older.EVALUATION, 2)],
}


def check(found: dict[str, Any]) -> None:
    demo, mine = found["brightwater"], found[migrate.MINE]
    assert {name: found[name] for name in EXPECTED} == EXPECTED
    assert {path for view, path, *_ in demo["texts"] if view == "today"} == set(older.DEMO)
    assert {path for view, path, *_ in demo["texts"] if view == "training-day"} == set(older.DEMO)
    assert {path for view, path, *_ in demo["texts"] if view == "current"} == set(older.DEMO) - {older.DEMO[4]}
    assert [path for view, path, *_ in demo["texts"] if view == "deleted"] == [older.DEMO[4]]
    assert ("current", older.DEMO[3], "# Shop 3\n\nEdited: the zeppelin costs $99.\n", "edited") in demo["texts"]
    assert {(view, path, origin) for view, path, _, origin in mine["texts"]} == {
        ("current", older.MINE[0], "edited"),
        ("current", older.MINE[1], "upload"),
    }
    assert mine["versions"] == {older.MINE[0]: 2, older.MINE[1]: 1}
    assert (demo["counts"], mine["counts"]) == ((61, 61), (3, 3))
    assert (demo["words"], mine["words"]) == (61, 3)  # each base counts its own words alone
    assert demo["check"] == mine["check"] == "ok"


def test_documents_edits_runs_and_evaluations_are_all_there(home: Path) -> None:
    here = runtime.get()
    found = whole(here)
    check(found)
    run = here.stored_runs.get(older.RUN)
    assert [arm.name for arm in run.settings.arms] == older.ARMS and run.project == "brightwater"
    assert run.arms[1].passages[0].document == older.DEMO[1] and run.arms[1].timing.total == 4011.4
    report = evaluate.result(here, older.EVALUATION)
    assert list(report.arms) == older.ARMS[:2] and report.project == "brightwater"
    mine = here.projects.get(migrate.MINE)
    assert "Brightwater" not in mine.instruction.system + mine.pinned + "".join(one.value for one in mine.checks)
    runtime.close()
    assert whole(runtime.get()) == found  # opened again, it is the same
    assert sorted(path.name for path in (home / "knowledge").iterdir() if path.suffix != ".sqlite3-wal") != []


def test_without_documents_of_ones_own_there_is_no_such_project(home: Path) -> None:
    with closing(sqlite3.connect(home / older.FILE)) as db, db:
        db.execute("PRAGMA foreign_keys = ON")
        for path in older.MINE:
            db.execute("DELETE FROM views WHERE document = (SELECT id FROM documents WHERE path = ?)", (path,))
            db.execute("DELETE FROM documents WHERE path = ?", (path,))
    assert [project.id for project in runtime.get().projects.all()] == ["brightwater"]


def test_killed_at_any_point_it_is_whole_or_untouched(home: Path, tmp_path: Path) -> None:
    counted = shutil.copytree(home, tmp_path / "counted")
    done = opened(counted, 0)
    assert done.returncode == 0, done.stderr
    steps = int(done.stdout)
    assert steps > 200
    states = []
    for n in range(KILLS):
        at = 1 + n * (steps - 1) // (KILLS - 1)
        folder = shutil.copytree(home, tmp_path / f"killed-{n}")
        killed = opened(folder, at)
        assert killed.returncode == -signal.SIGKILL, (at, steps, killed.stderr)
        with closing(sqlite3.connect(folder / older.FILE)) as db:
            tables = {row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            assert db.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
            if "documents" in tables:  # untouched: all is where it was
                states.append("untouched")
                assert db.execute("SELECT count(*) FROM documents").fetchone()[0] == len(older.DEMO + older.MINE)
                assert db.execute("SELECT count(*) FROM embeddings").fetchone()[0] == 64
            else:
                states.append("whole")
                assert {"versions", "chunks", "views", "words"} & tables == set()
        os.environ["RR_HOME"] = str(folder)  # the next start, whatever the last one left
        try:
            check(whole(runtime.get()))
        finally:
            runtime.close()
        assert [path.name for path in (folder / "knowledge").iterdir() if "staging" in path.name] == []
    assert states == sorted(states) and states[0] == "untouched"


def test_an_old_run_and_an_old_evaluation_open_in_their_pages(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Runtime, "prepare_in_background", lambda here, project, retry=False: None)
    app = AppTest.from_file(str(ROOT / "pages" / "main.py"), default_timeout=120).run()
    app.switch_page("playground.py")
    app.query_params["run"] = older.RUN
    app.run()
    assert not app.exception and not app.error, (app.exception, app.error)
    assert "The old answer of fine-tuned+retrieval." in "".join(one.value for one in app.text)
    app.switch_page("evaluation.py")
    app.query_params["evaluation"] = older.EVALUATION
    app.run()
    assert not app.exception and not app.error, (app.exception, app.error)
    assert len(app.dataframe[0].value) == 2
