"""Claims about the store: a change is whole or absent, whoever else is writing or dying."""

import os
import signal
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from core.errors import Problem
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


def test_a_file_that_is_no_database_is_a_problem_with_advice(tmp_path: Path) -> None:
    path = tmp_path / "no.sqlite3"
    path.write_bytes(b"not a database at all" * 100)
    with pytest.raises(Problem, match="Move it away"):
        Store(path, TABLE)


def test_a_closed_store_says_so(tmp_path: Path) -> None:
    store = Store(tmp_path / "c.sqlite3", TABLE)
    store.close()
    store.close()
    with pytest.raises(Problem, match="closed"):
        store.write(lambda db: None)
