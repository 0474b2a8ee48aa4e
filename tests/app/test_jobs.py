"""Jobs: progress, cancel, append-only results, one job a key, and taking over from a process that died."""

import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from core import jobs as jobs_module
from core.errors import Problem
from core.jobs import MIGRATIONS, Jobs
from core.paths import ROOT
from core.store import Store

WAIT_S = 120.0


@pytest.fixture
def store(tmp_path):
    made = Store(tmp_path / "db.sqlite3", MIGRATIONS)
    yield made
    made.close()


@pytest.fixture
def jobs(store):
    made = Jobs(store)
    yield made
    made.close()


def age(store, job_id, seconds):
    """Make the owner look unheard of for `seconds`."""
    store.write(lambda db: db.execute("UPDATE jobs SET heartbeat = heartbeat - ? WHERE id = ?", (seconds, job_id)))


def orphan(store, kind, seconds, *, key=None, rows=(), parameters="{}"):
    """A running job of a process that is gone."""

    def add(db):
        db.execute(
            "INSERT INTO jobs (id, kind, key, state, progress, message, created, heartbeat, owner, parameters) "
            "VALUES ('orphan', ?, ?, 'running', 0.4, 'half way', 1, ?, 'elsewhere:1:x', ?)",
            (kind, key, time.time() - seconds, parameters),
        )
        for n, body in enumerate(rows, 1):
            db.execute("INSERT INTO job_rows VALUES ('orphan', ?, ?)", (n, body))

    store.write(add)


def test_a_job_ends_done_with_its_result_and_rows_in_order(jobs):
    def work(job):
        for n in range(5):
            job.append({"n": n})
            job.progress(n / 5, f"row {n}")
        return {"rows": 5}

    ended = jobs.wait(jobs.start("count", work).id, WAIT_S)
    assert (ended.state, ended.progress, ended.result) == ("done", 1.0, {"rows": 5})
    assert jobs.rows(ended.id) == [{"n": n} for n in range(5)]


def test_progress_is_seen_while_the_job_runs(jobs):
    said, go_on = threading.Event(), threading.Event()

    def work(job):
        job.progress(0.25, "a quarter")
        said.set()
        go_on.wait(WAIT_S)

    job = jobs.start("slow", work)
    assert said.wait(WAIT_S)
    seen = jobs.get(job.id)
    assert (seen.state, seen.progress, seen.message) == ("running", 0.25, "a quarter")
    go_on.set()
    assert jobs.wait(job.id, WAIT_S).state == "done"


@pytest.mark.parametrize("done, shown", [(-1.0, 0.0), (7.0, 1.0)])
def test_progress_stays_between_0_and_1(jobs, done, shown):
    seen = []

    def work(job):
        job.progress(done, "odd")
        seen.append(jobs.get(job.id).progress)

    jobs.wait(jobs.start("odd", work).id, WAIT_S)
    assert seen == [shown]


def test_cancel_reaches_the_work_and_ends_the_job(jobs):
    def work(job):
        while not job.cancelled:
            job.progress(0.5, "going on")

    job = jobs.start("endless", work)
    jobs.cancel(job.id)
    assert jobs.wait(job.id, WAIT_S).state == "cancelled"


def test_a_problem_becomes_the_message_of_a_failed_job(jobs):
    def work(job):
        job.append({"kept": True})
        raise Problem("The disk is full. Free some space.")

    ended = jobs.wait(jobs.start("fails", work).id, WAIT_S)
    assert (ended.state, ended.message) == ("failed", "The disk is full. Free some space.")
    assert jobs.rows(ended.id) == [{"kept": True}]


def test_an_error_in_the_program_is_not_swallowed(jobs, caplog):
    ended = jobs.wait(jobs.start("buggy", lambda job: 1 / 0).id, WAIT_S)
    assert ended.state == "failed"
    assert "ZeroDivisionError" in ended.message
    assert "ZeroDivisionError" in caplog.text


def test_a_result_that_is_no_json_fails_the_job(jobs):
    assert jobs.wait(jobs.start("odd", lambda job: object()).id, WAIT_S).state == "failed"


def test_the_same_key_gives_the_running_job_and_a_new_one_afterwards(jobs):
    go_on = threading.Event()
    first = jobs.start("fetch", lambda job: go_on.wait(WAIT_S), key="models")
    assert jobs.start("fetch", lambda job: None, key="models").id == first.id
    assert jobs.start("fetch", lambda job: None, key="other").id != first.id
    go_on.set()
    jobs.wait(first.id, WAIT_S)
    assert jobs.start("fetch", lambda job: None, key="models").id != first.id


def test_fifty_starts_at_once_with_one_key_run_once(jobs):
    go_on, ran = threading.Event(), []

    def work(job):
        ran.append(job.id)
        go_on.wait(WAIT_S)

    started = []
    threads = [threading.Thread(target=lambda: started.append(jobs.start("k", work, key="x").id)) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    go_on.set()
    assert len(set(started)) == 1
    jobs.wait(started[0], WAIT_S)
    assert ran == started[:1]


def test_two_processes_with_one_key_share_one_job(store, jobs):
    """Two Jobs over one file behave as two processes do: nothing but the database joins them."""
    other = Jobs(store)
    go_on = threading.Event()
    first = jobs.start("fetch", lambda job: go_on.wait(WAIT_S), key="models")
    assert other.start("fetch", lambda job: None, key="models").id == first.id
    go_on.set()
    other.close()


def test_another_process_can_cancel(store, jobs, monkeypatch):
    monkeypatch.setattr(jobs_module, "HEARTBEAT_S", 0.05)
    owner, other = Jobs(store), jobs
    stopped = threading.Event()

    def work(job):
        while not job.cancelled:
            stopped.wait(0.01)

    job = owner.start("endless", work)
    other.cancel(job.id)
    assert owner.wait(job.id, WAIT_S).state == "cancelled"
    owner.close()


def test_a_live_job_is_never_taken_over(store, jobs):
    jobs.register("resumable", lambda job: None)
    orphan(store, "resumable", seconds=jobs_module.STALE_S - 5)
    assert jobs.recover() == []
    assert jobs.get("orphan").owner == "elsewhere:1:x"


def test_a_stale_job_of_a_registered_kind_goes_on_where_it_was(store, jobs):
    def work(job):
        for n in range(len(job.rows()), job.parameters["until"]):
            job.append({"n": n})

    jobs.register("resumable", work)
    orphan(store, "resumable", 60, rows=['{"n": 0}', '{"n": 1}'], parameters='{"until": 5}')
    assert [job.id for job in jobs.recover()] == ["orphan"]
    assert jobs.wait("orphan", WAIT_S).state == "done"
    assert jobs.rows("orphan") == [{"n": n} for n in range(5)]


def test_a_stale_job_of_an_unknown_kind_is_set_down_as_interrupted(store, jobs):
    orphan(store, "unknown", 60, rows=['{"n": 0}'])
    jobs.recover()
    ended = jobs.get("orphan")
    assert ended.state == "interrupted"
    assert "again" in ended.message
    assert jobs.rows("orphan") == [{"n": 0}]


def test_of_many_recoverers_one_gets_the_job(store):
    ran = []
    many = [Jobs(store) for _ in range(8)]
    for one in many:
        one.register("resumable", lambda job: ran.append(job.id))
    orphan(store, "resumable", 60)
    threads = [threading.Thread(target=one.recover) for one in many]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for one in many:
        one.wait("orphan", WAIT_S)
        one.close()
    assert ran == ["orphan"]


def test_a_stale_holder_of_a_key_does_not_block_a_new_start(store, jobs):
    orphan(store, "fetch", 60, key="models")
    started = jobs.start("fetch", lambda job: None, key="models")
    assert started.id != "orphan"
    assert jobs.get("orphan").state == "interrupted"


def test_a_job_that_was_taken_over_can_no_longer_add_rows_and_is_told_to_stop(store, jobs):
    """A laptop that slept: the first process wakes up after another one took its job."""
    running, taken, raised, told = threading.Event(), threading.Event(), [], []

    def work(job):
        running.set()
        taken.wait(WAIT_S)
        try:
            job.append({"from": "first"})
        except Problem as problem:
            raised.append(problem.message)
        job.progress(0.9, "still here")
        told.append(job.cancelled)

    job = jobs.start("resumable", work)
    assert running.wait(WAIT_S)
    other = Jobs(store)
    other.register("resumable", lambda again: again.append({"from": "second"}))
    age(store, job.id, 60)
    other.recover()
    other.wait(job.id, WAIT_S)
    taken.set()
    jobs.wait(job.id, WAIT_S)
    assert raised and told == [True]
    assert jobs.get(job.id).state == "done"
    assert jobs.rows(job.id) == [{"from": "second"}]
    other.close()


def test_close_hands_a_resumable_job_to_the_next_process_at_once(store):
    def work(job):
        job.append({"n": len(job.rows())})
        if len(job.rows()) < 2:
            while not job.cancelled:
                time.monotonic()

    first = Jobs(store)
    first.register("resumable", work)
    job = first.start("resumable")
    while not first.rows(job.id):
        pass
    first.close()
    second = Jobs(store)
    second.register("resumable", work)
    second.recover()
    assert second.wait(job.id, WAIT_S).state == "done"
    assert second.rows(job.id) == [{"n": 0}, {"n": 1}]
    second.close()


def test_close_sets_other_jobs_down_as_interrupted_and_refuses_new_ones(store):
    one = Jobs(store)

    def work(job):
        while not job.cancelled:
            time.monotonic()

    job = one.start("endless", work)
    one.close()
    assert one.get(job.id).state == "interrupted"
    with pytest.raises(Problem, match="shutting down"):
        one.start("endless", work)


def test_an_unknown_id_is_a_problem(jobs):
    with pytest.raises(Problem, match="no job"):
        jobs.get("nonsense'; DROP TABLE jobs")


def test_an_unregistered_kind_cannot_be_started_by_name(jobs):
    with pytest.raises(Problem, match="by name"):
        jobs.start("unknown")


def test_list_gives_one_kind_newest_first(jobs):
    ids = [jobs.start("a", lambda job: None).id for _ in range(3)]
    jobs.start("b", lambda job: None)
    assert [job.id for job in jobs.list("a")] == ids[::-1]
    assert len(jobs.list()) == 4


KILLED = """
import sys
from pathlib import Path
from core.jobs import MIGRATIONS, Jobs
from core.store import Store
def work(job):
    n = len(job.rows())
    while True:
        job.append({"n": n}); n += 1
        print(n, flush=True)
jobs = Jobs(Store(Path(sys.argv[1]), MIGRATIONS))
jobs.wait(jobs.start("endless", work).id)
"""


def test_after_kill_9_every_reported_row_is_there_and_the_job_is_resumed(tmp_path):
    path = tmp_path / "db.sqlite3"
    child = subprocess.Popen([sys.executable, "-c", KILLED, str(path)], stdout=subprocess.PIPE, text=True, cwd=ROOT)
    reported = [int(child.stdout.readline()) for _ in range(20)][-1]
    os.kill(child.pid, signal.SIGKILL if hasattr(signal, "SIGKILL") else signal.SIGTERM)
    rest = child.communicate()[0].split()
    reported = int(rest[-1]) if rest else reported
    store = Store(path, MIGRATIONS)
    jobs = Jobs(store)
    (job,) = jobs.list()
    rows = jobs.rows(job.id)
    assert rows == [{"n": n} for n in range(len(rows))]
    assert reported <= len(rows) <= reported + 1
    jobs.register("endless", lambda again: again.append({"n": len(again.rows())}))
    assert job.stale, "a process that is known to be dead need not be waited for"
    jobs.recover()
    assert jobs.wait(job.id, WAIT_S).state == "done"
    assert len(jobs.rows(job.id)) == len(rows) + 1
    jobs.close()
    store.close()


def test_a_list_can_be_taken_with_long_parameters_counted_and_rows_by_their_values(jobs):
    def work(job):
        for n in range(6):
            job.append({"n": n, "arm": "ab"[n % 2]})

    ended = jobs.wait(jobs.start("count", work, parameters={"asked": [1, 2, 3], "name": "x"}).id, WAIT_S)
    (head,) = jobs.heads("count", "asked")
    assert head.parameters == {"asked": 3, "name": "x"} and (head.id, head.state) == (ended.id, "done")
    assert jobs.get(ended.id).parameters["asked"] == [1, 2, 3]
    assert jobs.count(ended.id) == 6 and jobs.count("none") == 0
    assert jobs.rows_where(ended.id, arm="b") == [{"n": n, "arm": "b"} for n in (1, 3, 5)]
    assert jobs.rows_where(ended.id, arm="b", n=3) == [{"n": 3, "arm": "b"}] and not jobs.rows_where(ended.id, n=9)
    jobs.delete(ended.id, "2026-11-29T00:00:00+00:00")
    assert jobs.heads("count", "asked") == []
