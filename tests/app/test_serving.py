"""A server as those see it who watch over it and who come in: through the ASGI application, without a browser."""

import gc
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

import app
from core import ask, metrics, paths, runtime
from core.metrics import Metrics, Now
from core.records import ArmRecord, Timing
from tests.app import loops
from tests.given import BRIGHTWATER, settings

Samples = dict[tuple[str, tuple[str, ...]], float]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("RR_HOME", str(tmp_path / "home"))
    runtime.close()
    yield tmp_path / "home"
    runtime.close()


def get(path: str, **headers: str) -> httpx.Response:
    """One request to the whole application."""

    async def ask_it() -> httpx.Response:
        transport = httpx.ASGITransport(app.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://here") as client:
            return await client.get(path, headers=headers)

    return loops.run(ask_it())


def samples(text: str) -> Samples:
    return {
        (one.name, tuple(one.labels[name] for name in sorted(one.labels))): one.value
        for family in text_string_to_metric_families(text)
        for one in family.samples
    }


def test_health_is_ready_and_starts_no_engine(home: Path) -> None:
    found = get("/healthz")
    assert (found.status_code, found.json()) == (200, {"ready": True, "models_loaded": 0})
    assert "engine" not in runtime.get()._parts
    assert found.headers["x-content-type-options"] == "nosniff"


def test_health_says_that_the_store_cannot_be_opened_and_nothing_of_where_it_is(home: Path) -> None:
    home.mkdir()
    (home / f"{paths.NAME}.sqlite3").write_bytes(b"no database, but long enough to be one" * 100)
    found = get("/healthz")
    assert found.status_code == 503 and found.json()["ready"] is False
    assert str(home) not in found.text
    assert samples(get("/metrics").text)["rr_store_up", ()] == 0


def test_answers_are_counted_as_they_end(home: Path) -> None:
    kept = Metrics()
    answered = ArmRecord("a", "done", answer="x", finish="stop", timing=Timing(ttft_total=300.0, total=1500.0))
    kept.note([answered, ArmRecord("secret name", "failed", problem="secret text")], background=False)
    kept.note([ArmRecord("a", "cancelled", finish="cancelled", timing=Timing(total=9.0))], background=True)
    text = kept.text(Now(True)).decode()
    found = samples(text)
    assert found["rr_answers_total", ("stop", "interactive")] == 1
    assert found["rr_answers_total", ("failed", "interactive")] == 1
    assert found["rr_answers_total", ("cancelled", "evaluation")] == 1
    assert found["rr_answers_total", ("stop", "evaluation")] == 0
    assert found["rr_ttft_seconds_sum", ("interactive",)] == 0.3
    assert found["rr_answer_seconds_sum", ("interactive",)] == 1.5
    assert found["rr_ttft_seconds_bucket", ("0.25", "interactive")] == 0
    assert found["rr_ttft_seconds_bucket", ("0.5", "interactive")] == 1
    assert found["rr_answer_seconds_count", ("evaluation",)] == 0  # what was cancelled has no latency
    assert "secret" not in text


def test_what_is_read_is_what_the_engine_says() -> None:
    workers: list[dict[str, Any]] = [
        {"path": "/secret.gguf", "queued": 2, "died": 3},
        {"path": "/b", "queued": 1, "died": 1, "pid": 5, "id": "secret", "answering": 2, "memory": 700},
        {"path": "/c", "queued": 0, "died": 0, "pid": 6, "answering": 1, "memory": None},
    ]
    text = Metrics().text(Now(True, workers, 4, {"sweep": 2})).decode()
    found = samples(text)
    assert found["rr_queue_length", ()] == 3 and found["rr_worker_deaths_total", ()] == 4
    assert found["rr_answers_in_flight", ("worker",)] == 3 and found["rr_answers_in_flight", ("endpoint",)] == 4
    assert found["rr_workers", ()] == 2 and found["rr_worker_memory_bytes", ()] == 700
    assert found["rr_jobs_active", ("sweep",)] == 2 and found["rr_jobs_active", ("evaluate",)] == 0
    assert "secret" not in text


def test_the_app_counts_its_runs_and_a_command_does_not(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime, "_serving", True)
    here = runtime.get()
    parts = here.parts(BRIGHTWATER)
    ask.Run("Who?", settings(("base",), way="together"), parts).start().wait(30)  # no model here: it fails
    found = samples(get("/metrics").text)
    assert found["rr_answers_total", ("failed", "interactive")] == 1
    assert found["process_open_fds", ()] > 0 and found["process_resident_memory_bytes", ()] > 1e6
    monkeypatch.setattr(runtime, "_serving", False)
    runtime.close()
    ask.Run("Who?", settings(("base",)), runtime.get().parts(BRIGHTWATER)).start().wait(30)
    assert samples(get("/metrics").text)["rr_answers_total", ("failed", "interactive")] == 0


def test_jobs_are_counted_by_kind_while_they_run(home: Path) -> None:
    import threading

    gate = threading.Event()
    jobs = runtime.get().jobs
    job = jobs.start("sweep", lambda _job: gate.wait(30))
    assert samples(get("/metrics").text)["rr_jobs_active", ("sweep",)] == 1
    gate.set()
    jobs.wait(job.id, 30)
    assert ("rr_jobs_active", ("sweep",)) not in samples(get("/metrics").text)


def test_metrics_can_be_switched_off(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RR_METRICS", "0")
    assert not metrics.wanted() and get("/metrics").status_code == 404
    assert get("/healthz").status_code == 200


def test_no_page_meets_a_half_imported_pandas(tmp_path: Path) -> None:
    """Plotly takes what is among the loaded modules for whole; another thread may just be importing it."""
    code = (
        "import app, asyncio, sys\n"
        "async def served():\n"
        "    async with app.lifespan(None):\n"
        "        print(hasattr(sys.modules.get('pandas'), 'Series'))\n"
        "asyncio.run(served())"
    )
    home = os.environ | {"RR_HOME": str(tmp_path / "home")}
    done = subprocess.run([sys.executable, "-c", code], cwd=paths.ROOT, env=home, capture_output=True, text=True)
    assert done.stdout.strip() == "True", done.stderr


def test_what_a_server_has_loaded_is_not_looked_at_after_every_run_of_a_page(home: Path) -> None:
    before = gc.get_freeze_count()
    try:
        app.warm()
        assert gc.get_freeze_count() - before > 50_000  # Streamlit, Plotly, pandas
    finally:
        gc.unfreeze()
