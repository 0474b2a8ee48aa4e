"""What every test shares: a state folder of its own, the real model files, and no silent skips in CI."""

import importlib.util
import os
import sys
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

SHARED_STATE = os.environ.get("RR_TEST_HOME")  # a state folder with models already in it, to save fetching time
WORKER = "PYTEST_XDIST_WORKER" in os.environ  # each worker's base folder lies in the session's

EXTRAS = {"chroma": "chromadb", "llama_server": "sse_starlette"}  # marker -> a module of what it needs


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Tests of an extra that is not installed are deselected, by design: CI installs none. They are never skipped.
    So are those of a GPU where RR_TEST_GPU does not say that llama.cpp was built for one."""
    lacking = {marker for marker, module in EXTRAS.items() if importlib.util.find_spec(module) is None}
    lacking |= set() if os.environ.get("RR_TEST_GPU") else {"gpu"}
    out = [item for item in items if any(marker.name in lacking for marker in item.iter_markers())]
    if out:
        config.hook.pytest_deselected(items=out)
        items[:] = [item for item in items if item not in set(out)]


@pytest.fixture(autouse=True)
def _own_main(monkeypatch: pytest.MonkeyPatch) -> None:
    """Streamlit's AppTest leaves its page as the main module, which a process started later would run again."""
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])


@pytest.fixture(autouse=True)
def _own_state(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No test touches the user's own state folder, nor one that a test before it left open in this process."""
    monkeypatch.setenv("RR_HOME", str(tmp_path_factory.mktemp("home")))
    _close_runtime()
    yield
    _close_runtime()


def _close_runtime() -> None:
    """Close the process's runtime if a test made one; where nothing imported it there is none."""
    if "core.runtime" in sys.modules:
        sys.modules["core.runtime"].close()


@pytest.fixture(scope="session")
def real_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A state folder in which the bundled models are fetched and derived (once a session, or RR_TEST_HOME).

    pytest's workers share it: the catalog lets one process at a time make a model.
    """
    session = tmp_path_factory.getbasetemp()
    home = Path(SHARED_STATE) if SHARED_STATE else (session.parent if WORKER else session) / "models-home"
    before = os.environ.get("RR_HOME")
    os.environ["RR_HOME"] = str(home)
    try:
        from core.errors import Problem
        from core.weights import catalog

        try:
            for role in ("base", "fine-tuned", "embedder"):
                catalog.ensure(role)
        except Problem as problem:
            _missing(f"the model files are not to be had: {problem.message}")
    finally:
        if before is None:
            os.environ.pop("RR_HOME", None)
        else:
            os.environ["RR_HOME"] = before
    return home


@pytest.fixture
def real_state(real_home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """RR_HOME points at the folder that holds the real models."""
    monkeypatch.setenv("RR_HOME", str(real_home))
    return real_home


@pytest.fixture(scope="session")
def weights(real_home: Path) -> dict[str, Path]:
    """Role -> GGUF file of the bundled models."""
    before = os.environ.get("RR_HOME")
    os.environ["RR_HOME"] = str(real_home)
    try:
        from core.weights import catalog

        return {role: catalog.spec(role).path for role in ("base", "fine-tuned", "embedder")}
    finally:
        if before is None:
            os.environ.pop("RR_HOME", None)
        else:
            os.environ["RR_HOME"] = before


def _missing(reason: str) -> None:
    if os.environ.get("RR_REQUIRE_ALL"):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """In CI a skipped browser or real-model test is a failure."""
    report = yield
    if os.environ.get("RR_REQUIRE_ALL") and report.skipped:
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} was skipped: {report.longrepr}"
    return report
