"""Claims about the store: a change is whole or absent, whoever else is writing or dying."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import psutil
import pytest

from core.errors import Problem
from core.paths import NAME
from core.store import Migration, Store

ROOT = Path(__file__).resolve().parents[2]
TABLE = [Migration("one", "CREATE TABLE t (a INTEGER); CREATE TABLE u (b TEXT);")]


@pytest.fixture
def store(tmp_path: Path):
    opened = Store(tmp_path / "x.sqlite3", TABLE)
    yield opened
    opened.close()


def count(store: Store) -> int:
    return store.read("SELECT count(*) AS n FROM t")[0]["n"]


def test_a_change_that_raises_leaves_nothing(store: Store) -> None:
    def half(db: sqlite3.Connection) -> None:
        db.execute("INSERT INTO t VALUES (1)")
        raise KeyError("half way")

    with pytest.raises(KeyError):
        store.write(half)
    assert count(store) == 0
    store.write(lambda db: db.execute("INSERT INTO t VALUES (2)"))
    assert count(store) == 1


def test_many_threads_and_two_processes_lose_nothing(store: Store) -> None:
    other = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sys; from pathlib import Path; from core.store import *\n"
            "s = Store(Path(sys.argv[1]), [Migration('one', '')])\n"
            "[s.write(lambda db: db.execute('INSERT INTO t VALUES (9)')) for _ in range(50)]; s.close()",
            str(store.path),
        ],
        cwd=ROOT,
    )

    def writer() -> None:
        for _ in range(25):
            store.write(lambda db: db.execute("INSERT INTO t VALUES (1)"))

    threads = [threading.Thread(target=writer) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert other.wait() == 0
    assert count(store) == 150


def test_data_version_changes_when_another_connection_commits(store: Store) -> None:
    before = store.data_version()
    store.write(lambda db: db.execute("INSERT INTO t VALUES (1)"))
    assert store.data_version() != before
    assert store.data_version() == store.data_version()


def test_kill_in_the_middle_of_a_change_leaves_nothing_of_it(tmp_path: Path) -> None:
    path = tmp_path / "k.sqlite3"
    child = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sys, os; from pathlib import Path; from core.store import *\n"
            "s = Store(Path(sys.argv[1]), [Migration('one', 'CREATE TABLE t (a INTEGER);')])\n"
            "s.write(lambda db: db.execute('INSERT INTO t VALUES (1)'))\n"
            "def change(db):\n"
            "    db.execute('INSERT INTO t VALUES (2)'); print('half', flush=True); sys.stdin.read()\n"
            "s.write(change)",
            str(path),
        ],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert child.stdout is not None and child.stdout.readline() == b"half\n"
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    store = Store(path, [Migration("one", "")])
    assert [row["a"] for row in store.read("SELECT a FROM t")] == [1]
    store.close()


def test_migrations_run_once_and_a_newer_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "m.sqlite3"
    Store(path, TABLE).close()
    Store(path, [*TABLE, Migration("two", "CREATE TABLE v (c TEXT);")]).close()
    with pytest.raises(Problem, match="newer version"):
        Store(path, TABLE)


@pytest.mark.parametrize(
    ("name", "advice"), [("no.sqlite3", "Move it away"), (f"{NAME}.sqlite3", "python -m core state repair")]
)
def test_a_file_that_is_no_database_is_a_problem_with_advice(tmp_path: Path, name: str, advice: str) -> None:
    (tmp_path / name).write_bytes(b"not a database at all" * 100)
    with pytest.raises(Problem, match=advice):
        Store(tmp_path / name, TABLE)


def test_a_database_that_breaks_while_it_is_open_is_a_problem_at_each_change(tmp_path: Path) -> None:
    path = tmp_path / f"{NAME}.sqlite3"
    store = Store(path, TABLE)
    store.write(lambda db: db.executemany("INSERT INTO u VALUES (?)", [("x" * 3000,) for _ in range(50)]))
    store.close()
    with path.open("r+b") as file:
        file.seek(4096 * 10)
        file.write(b"\xff" * 4096 * 20)
    store = Store(path, TABLE)
    for _ in range(2):  # the writer lives on
        with pytest.raises(Problem, match="core state repair"):
            store.write(lambda db: db.execute("DELETE FROM u"))
    with pytest.raises(Problem, match="core state repair"):
        store.read("SELECT sum(length(b)) FROM u")
    store.close()


def test_a_closed_store_says_so(tmp_path: Path) -> None:
    store = Store(tmp_path / "c.sqlite3", TABLE)
    store.close()
    store.close()
    with pytest.raises(Problem, match="closed"):
        store.write(lambda db: None)


FULL = """
import json, resource, sys
from pathlib import Path
from core.errors import Problem
from core.store import Migration, Store

def room(extra):  # no file may grow by more than that; None: as much as it likes
    size = max(file.stat().st_size for file in path.parent.iterdir()) + extra if extra is not None else hard
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))

def save(pairs, size):  # both tables or none
    def change(db):
        db.execute("INSERT INTO t VALUES (?)", (pairs,))
        db.execute("INSERT INTO u VALUES (?)", (str(pairs) + "x" * size,))
    store.write(change)

path, hard = Path(sys.argv[1]), resource.getrlimit(resource.RLIMIT_FSIZE)[1]
store = Store(path, [Migration("one", "CREATE TABLE t (a INTEGER); CREATE TABLE u (b TEXT);")])
save(0, 10)
room(int(sys.argv[2]))
saved, messages = [0], []
for number in range(1, 60):
    try:
        save(number, int(sys.argv[3]))
        saved.append(number)
    except Problem as problem:
        messages.append(problem.message)
seen = [row["a"] for row in store.read("SELECT a FROM t ORDER BY a")]
room(None)
save(1000, 10)  # room again: the same store goes on
store.close()
print(json.dumps({"saved": [*saved, 1000], "seen": seen, "messages": messages}))
"""


@pytest.mark.parametrize(
    ("room", "size"), [(0, 10), (20_000, 10), (50_000, 3_000), (3_000, 200_000)], ids=["none", "few", "some", "huge"]
)
def test_a_full_disk_is_a_problem_and_costs_only_what_it_refused(tmp_path: Path, room: int, size: int) -> None:
    path = tmp_path / "home" / "f.sqlite3"
    path.parent.mkdir()
    command = [sys.executable, "-c", FULL, str(path), str(room), str(size)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["messages"] and all("full" in text and str(path.parent) in text for text in found["messages"])
    assert all("make room" in text and "RR_HOME" in text for text in found["messages"])
    assert found["seen"] == found["saved"][:-1]  # a reader saw what was there while the disk was full
    store = Store(path, TABLE)
    assert [row["a"] for row in store.read("SELECT a FROM t ORDER BY a")] == found["saved"]
    pairs = [int(row["b"].rstrip("x")) for row in store.read("SELECT b FROM u ORDER BY rowid")]
    assert pairs == found["saved"]  # no change was kept by half
    assert store.read("PRAGMA integrity_check")[0][0] == "ok"
    store.close()


def test_a_disk_that_is_full_from_the_start_is_a_problem_not_a_broken_file(tmp_path: Path) -> None:
    path = tmp_path / "s.sqlite3"
    script = (
        "import resource, sys; from pathlib import Path; from core.errors import Problem; from core.store import *\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]),) * 2)\n"
        "try: Store(Path(sys.argv[1]), [Migration('one', 'CREATE TABLE t (a INTEGER); CREATE TABLE u (b TEXT);')])\n"
        "except Problem as problem: print(problem.message)"
    )
    for limit in ("0", "4096", "20000"):
        command = [sys.executable, "-c", script, str(path), limit]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert "full" in done.stdout and "Move it away" not in done.stdout, (limit, done.stdout)
    store = Store(path, TABLE)  # with room again it opens, whatever was left behind
    store.write(lambda db: db.execute("INSERT INTO t VALUES (1)"))
    assert count(store) == 1
    store.close()


def test_threads_that_ended_give_their_file_handles_back(store: Store) -> None:
    barrier = threading.Barrier(20)

    def redraw() -> None:
        assert count(store) == 0
        barrier.wait(30)

    for _ in range(15):  # 300 redraws, 20 at a time
        threads = [threading.Thread(target=redraw) for _ in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    held = [file.path for file in psutil.Process().open_files() if file.path.startswith(str(store.path))]
    assert len(held) <= 2 * 40 + 3  # two files a connection, of two rounds at most, and the shared one
    assert count(store) == 0


def test_the_database_and_what_sqlite_writes_beside_it_are_its_owners_only(store: Store) -> None:
    store.write(lambda db: db.execute("INSERT INTO t VALUES (1)"))
    modes = {file.name: file.stat().st_mode & 0o777 for file in store.path.parent.iterdir()}
    assert len(modes) >= 3 and set(modes.values()) == {0o600}, modes
