"""kill -9 inside the project and migration code, 500 times: nothing acknowledged is lost, nothing is half there.

    python tests/campaigns/project_kills.py [--kills 500] [--seed 1] [--write]

Half the kills hit the first start over a state folder of the last version without projects, at random steps of the
migration: the next start must find all of it. The other half hit a process that works on its projects: creates,
duplicates, exports and takes in, renames, deletes, brings back, hands over, shares, adds, changes and removes documents
and question sets. What it does is drawn beforehand, so the parent knows what must be there after each action: after a
kill the state folder holds what was acknowledged, and the action under way whole or not at all. The next process goes
on in the same folder. Steps are lines of core/project, of the store and of the documents' transfer, and work inside
SQLite's statements. With --write the result is kept in project_kills.json while it grows.
"""

import argparse
import io
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from copy import deepcopy
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from core import paths, runtime  # noqa: E402
from core.evaluation import questions  # noqa: E402
from core.project import Project, whole  # noqa: E402
from core.project.owners import Holding  # noqa: E402
from core.retrieval import transfer  # noqa: E402
from core.runtime import Runtime  # noqa: E402
from tests.campaigns.keeping import Keeper  # noqa: E402
from tests.project import older  # noqa: E402
from tests.project.test_carried_over import check, opened  # noqa: E402
from tests.project.test_carried_over import whole as all_of  # noqa: E402

RESULT = Path(__file__).with_suffix(".json")
MOST = 8  # projects in a folder
ACTIONS = 60  # in a folder, then a fresh one
OFTEN = 3  # actions between two kills, about
WATCHED = tuple(str(ROOT / "core" / name) for name in ("project", "store.py", "retrieval/transfer.py"))
Model = dict[str, dict[str, Any]]  # title -> what is kept of it
Action = tuple[str, ...]


# -- what is done, as a plan -------------------------------------------------------------------------------------------


def planned(seed: int) -> tuple[list[Action], list[Model]]:
    """ACTIONS actions, and what must be there before the first and after each."""
    draw = random.Random(seed)
    actions: list[Action] = []
    models: list[Model] = [{}]
    for number in range(ACTIONS):
        now = deepcopy(models[-1])
        action = _drawn(draw, now, number)
        _apply(now, action)
        actions.append(action)
        models.append(now)
    return actions, models


def _drawn(draw: random.Random, now: Model, number: int) -> Action:
    live = [title for title, kept in now.items() if not kept["deleted"]]
    gone = [title for title, kept in now.items() if kept["deleted"]]
    if not live:
        return ("create", f"Project {number}")
    title = draw.choice(live)
    documents = sorted(now[title]["documents"])
    possible: list[Action] = [
        ("add", title, f"folder/doc {number}.md", f"# Doc {number}\n\n" + f"The pump costs ${number}. " * 40),
        ("rename", title, f"Title {number}"),
        ("questions", title, f"set {draw.randint(1, 3)}", str(draw.randint(1, 9))),
        ("owner", title, draw.choice(("ann", "bob"))),
        ("share", title),
    ]
    if documents:
        path = draw.choice(documents)
        possible += [("change", title, path, f"# Changed\n\nIt costs ${number} now.\n"), ("remove", title, path)]
    if len(now) < MOST:
        possible += [("create", f"Project {number}")]
        possible += [("duplicate", title, f"Copy {number}"), ("take along", title, f"Taken {number}")] * 3
    possible += [("delete", title)]
    possible += [("bring back", draw.choice(gone))] * 3 if gone else []
    return draw.choice(possible)


def _apply(now: Model, action: Action) -> None:
    """The same on the model."""
    kind, title, *rest = action
    if kind == "create":
        now[title] = {"documents": {}, "questions": {}, "owner": "", "shared": True, "deleted": False}
    elif kind in ("duplicate", "take along"):
        now[rest[0]] = deepcopy(now[title]) | {"owner": "", "shared": True}
    elif kind == "rename":
        now[rest[0]] = now.pop(title)
    elif kind in ("add", "change"):
        now[title]["documents"][rest[0]] = rest[1]
    elif kind == "remove":
        del now[title]["documents"][rest[0]]
    elif kind == "questions":
        now[title]["questions"][rest[0]] = int(rest[1])
    elif kind == "owner":
        now[title] |= {"owner": rest[0], "shared": False}
    elif kind == "share":
        now[title]["shared"] = True
    else:
        now[title]["deleted"] = kind == "delete"


def carry_out(here: Runtime, action: Action) -> None:
    """The same by the app's own interfaces."""
    kind, title, *rest = action
    if kind == "create":
        here.projects.create(title)
        return
    known = {one.title: one for one in (*here.projects.all(), *here.projects.deleted())}
    project = known[title]
    if kind == "duplicate":
        whole.duplicate(here, project, rest[0])
    elif kind == "take along":
        out = io.BytesIO()
        whole.export(here, project, out)
        whole.take_in(here, io.BytesIO(out.getvalue()), rest[0])
    elif kind == "rename":
        here.projects.change(project.id, title=rest[0])
    elif kind == "add":
        here.knowledge(project).add(rest[0], rest[1])
    elif kind == "change":
        here.knowledge(project).update(rest[0], rest[1])
    elif kind == "remove":
        here.knowledge(project).delete(rest[0])
    elif kind == "questions":
        here.questions.save(project, rest[0], asked(int(rest[1])))
    elif kind == "owner":
        here.projects.settle(project.id, Holding(project.owner, project.shared), Holding(rest[0], shared=False))
    elif kind == "share":
        here.projects.settle(project.id, Holding(project.owner, project.shared), Holding(project.owner, shared=True))
    elif kind == "delete":
        whole.delete(here, project)
    else:
        here.projects.restore(project.id)


def asked(count: int) -> tuple[questions.Question, ...]:
    return questions.from_rows([{"question": f"Question {n}?", "answer": str(n)} for n in range(count)])


def found(here: Runtime) -> Model:
    """What is there."""
    gone = {one.id for one in here.projects.deleted()}
    made: Model = {}
    for project in (*here.projects.all(), *here.projects.deleted()):
        if project.bundled:
            continue
        made[project.title] = {
            "documents": _documents(here, project),
            "questions": {name: len(here.questions.read(project, name)) for name in here.questions.names(project)},
            "owner": project.owner,
            "shared": project.shared,
            "deleted": project.id in gone,
        }
    return made


def _documents(here: Runtime, project: Project) -> dict[str, str]:
    db = here.base_store(project)
    if db.read("PRAGMA integrity_check")[0][0] != "ok":
        raise ValueError(f"the documents of {project.title} are damaged")
    db.write(lambda db: db.execute("INSERT INTO words (words) VALUES ('integrity-check')"))
    here.knowledge(project)
    return {one.path: one.text for one in transfer.texts(here.base_file(project)) if one.view == "current"}


# -- the child ---------------------------------------------------------------------------------------------------------


def child(seed: int, first: int, kill_at: int) -> None:
    """Carry the plan out from action `first`; say each; die at step `kill_at` (0: never)."""
    steps = 0

    def step(*_: object) -> None:
        nonlocal steps
        steps += 1
        if steps == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    def lines(frame: Any, event: str, _arg: object) -> Any:
        if not frame.f_code.co_filename.startswith(WATCHED):
            return None
        if event == "line":
            step()
        return lines

    class Counted(sqlite3.Connection):
        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **options)
            self.set_progress_handler(step, 200)

    connect = sqlite3.connect
    sqlite3.connect = lambda *args, **options: connect(*args, factory=Counted, **options)  # type: ignore[assignment]
    threading.settrace(lines)
    sys.settrace(lines)
    here = Runtime()
    actions, _ = planned(seed)
    for number in range(first, len(actions)):
        carry_out(here, actions[number])
        print(number + 1, steps, flush=True)
    sys.settrace(None)
    here.close()


def run(home: Path, seed: int, first: int, kill_at: int) -> tuple[int, int, int]:
    """(actions acknowledged, steps seen with the last of them, exit status)."""
    command = [sys.executable, __file__, "--child", str(seed), str(first), str(kill_at)]
    done = subprocess.run(
        command, cwd=ROOT, env=os.environ | {"RR_HOME": str(home)}, capture_output=True, text=True, check=False
    )
    if done.returncode not in (0, -signal.SIGKILL):
        raise RuntimeError(done.stderr[-2000:])
    said = [line.split() for line in done.stdout.splitlines() if line.endswith(tuple("0123456789"))]
    last = said[-1] if said else [str(first), "0"]
    return int(last[0]), int(last[1]), done.returncode


def look(home: Path) -> Model:
    """What the next start finds."""
    os.environ["RR_HOME"] = str(home)
    here = Runtime()
    try:
        if here.store.read("PRAGMA integrity_check")[0][0] != "ok":
            raise ValueError("the database is damaged")
        return found(here)
    finally:
        here.close()


# -- the two halves ----------------------------------------------------------------------------------------------------


def projects(count: int, seed: int, folder: Path, tell: Callable[[dict[str, Any], str], None]) -> dict[str, Any]:
    """`count` kills of a process that works on its projects."""
    draw, wrong, hit, outcome = random.Random(seed), [], Counter[str](), Counter[str]()
    killed, folders, home = 0, 0, folder / "home-0"
    home.mkdir()
    at, a_action = 0, 3000.0
    actions, models = planned(seed)

    def result() -> dict[str, Any]:
        left = dict(sorted(outcome.items()))
        return {"kills": killed, "folders": folders + 1, "in": dict(sorted(hit.items())), "found": left, "wrong": wrong}

    while killed < count:
        kill_at = max(1, round(draw.random() * 2 * OFTEN * a_action))
        done, steps, status = run(home, seed + folders, at, kill_at)
        if done > at:
            a_action = 0.8 * a_action + 0.2 * steps / (done - at)
        if status:
            killed += 1
            under_way = actions[done][0] if done < len(actions) else "closing"
            hit[under_way] += 1
            try:
                there = look(home)
            except Exception as error:
                wrong.append(f"kill {killed} in {under_way}: {error!r}"[:300])
                there = models[done]
            after = models[min(done + 1, len(actions))]
            if there == after and after != models[done]:
                outcome["whole"] += 1
                done += 1
            elif there == models[done]:
                outcome["not there"] += 1
            else:
                wrong.append(f"kill {killed} in {actions[done]}: {_difference(there, models[done], after)}"[:600])
                done = len(actions)
        at = done
        if at >= len(actions):
            left = sum(1 for path in home.rglob(".staging-*") if not path.name.endswith(("-wal", "-shm", "-journal")))
            outcome["files in the making left behind"] += left
            shutil.rmtree(home)
            folders += 1
            home, at = folder / f"home-{folders}", 0
            home.mkdir()
            actions, models = planned(seed + folders)
        tell(result(), f"{killed} of {count} kills over the projects, {len(wrong)} wrong")
    return result()


def _difference(there: Model, before: Model, after: Model) -> str:
    changed = [title for title in there.keys() | before.keys() if there.get(title) != before.get(title)]
    return f"{changed}: {[there.get(t) for t in changed]}, not {[before.get(t) for t in changed]} nor {after.keys()}"


def migration(count: int, seed: int, folder: Path, tell: Callable[[dict[str, Any], str], None]) -> dict[str, Any]:
    """`count` kills of the first start over an older version's state."""
    old = folder / "old"
    old.mkdir()
    older.write(old)
    steps = int(opened(shutil.copytree(old, folder / "counted"), 0).stdout)
    draw, wrong, states = random.Random(seed), [], Counter[str]()

    def result(done: int) -> dict[str, Any]:
        return {"kills": done, "steps": steps, "left": dict(states), "wrong": wrong}

    for number in range(count):
        home, at = shutil.copytree(old, folder / "killed"), draw.randint(1, steps - 1)
        try:
            if opened(home, at).returncode != -signal.SIGKILL:
                wrong.append(f"step {at}: it was not killed")
            with closing(sqlite3.connect(home / older.FILE)) as db:
                tables = {row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
                if db.execute("PRAGMA integrity_check").fetchone()[0] != "ok":
                    wrong.append(f"step {at}: the database is damaged")
            states["untouched" if "documents" in tables else "carried over"] += 1
            os.environ["RR_HOME"] = str(home)
            check(all_of(runtime.get()))
            if left := [path.name for path in paths.knowledge_dir().iterdir() if "staging" in path.name]:
                wrong.append(f"step {at}: {left} left behind")
        except Exception as error:
            wrong.append(f"step {at}: {error!r}"[:300])
        finally:
            runtime.close()
            shutil.rmtree(home)
        tell(result(number + 1), f"{number + 1} of {count} kills over the migration, {len(wrong)} wrong")
    return result(count)


def main() -> int:
    """See the module's text."""
    if sys.argv[1:2] == ["--child"]:
        child(*map(int, sys.argv[2:]))
        return 0
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--kills", type=int, default=500)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--write", action="store_true")
    given = options.parse_args()
    keeper = Keeper(RESULT if given.write else None)
    wrong = 0
    for part, work in (("projects", projects), ("migration", migration)):
        keeper.begin(part)

        def tell(found: dict[str, Any], text: str, part: str = part) -> None:
            if keeper.due():
                keeper.keep(part, found, text)

        with tempfile.TemporaryDirectory() as folder:
            result = work(given.kills // 2, given.seed, Path(folder), tell)
        wrong += len(result["wrong"])
        keeper.keep(part, result)
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
