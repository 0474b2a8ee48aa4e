"""Every page runs, also where llama.cpp and LlamaIndex are not installed."""

import importlib.metadata
import subprocess
import sys
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

ROOT = Path(__file__).resolve().parents[2]
PAGES = (
    "overview",
    "decide",
    "advisor",
    "calculator",
    "compare",
    "story",
    "playground",
    "evaluation",
    "history",
    "documents",
    "setup",
    "finetune",
    "model_files",
    "projects",
)

BLOCKED = """
import sys
for name in sys.argv[1].split(","):
    sys.modules[name] = None
from streamlit.testing.v1 import AppTest
app = AppTest.from_file(sys.argv[2], default_timeout=120).run()
for page in sys.argv[3:]:
    app.switch_page(f"{page}.py").run()
    assert not app.exception, (page, app.exception[0].message, app.exception[0].stack_trace)
    assert app.title, page
    if page == "playground":
        app.run()
        assert any("need llama" in shown.value for shown in app.error), [shown.value for shown in app.error]
"""


@pytest.fixture
def closed_runtime():
    from core import runtime

    yield
    runtime.close()


@pytest.mark.parametrize("page", PAGES)
def test_page_runs_on_a_fresh_state_folder(page: str, closed_runtime: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")  # nothing is fetched: the page must run before the models are there
    app = AppTest.from_file(str(ROOT / "pages" / "main.py"), default_timeout=120).run()
    app.switch_page(f"{page}.py").run()
    assert not app.exception, app.exception[0].message
    assert app.title


def beyond_the_dashboard() -> list[str]:
    """The modules of what requirements.txt names beyond the dashboard; jinja2 is Streamlit's too."""
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    named = {line.split("==")[0].lower().replace("_", "-") for line in lines if "==" in line} - {"jinja2"}
    found = importlib.metadata.packages_distributions().items()
    return [module for module, whose in found if any(one.lower().replace("_", "-") in named for one in whose)]


def test_every_page_runs_with_what_the_dashboard_requires(tmp_path: Path) -> None:
    blocked = beyond_the_dashboard()
    assert {"llama_cpp", "gguf", "sacrebleu"} <= set(blocked)
    done = subprocess.run(
        [sys.executable, "-c", BLOCKED, ",".join([*blocked, "llama_index"]), str(ROOT / "pages" / "main.py"), *PAGES],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        env={"RR_HOME": str(tmp_path), "PATH": "/usr/bin:/bin", "PIP_NO_INDEX": "1"},
    )
    assert done.returncode == 0, done.stderr[-3000:]


def test_playground_without_models_says_what_to_do(closed_runtime: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    app = AppTest.from_file(str(ROOT / "pages" / "main.py"), default_timeout=120).run()
    app.switch_page("playground.py").run()
    app.text_area[0].set_value("").run()
    app.button(key="ask").click().run()
    assert "empty" in app.error[0].value
