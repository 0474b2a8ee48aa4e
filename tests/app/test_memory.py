"""A session that asks question after question keeps nothing of those before."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core import runtime
from core.ask import Parts
from core.engine import ModelSpec
from core.retrieval import KnowledgeBase
from core.runtime import Runtime
from tests.evaluation.scripted import Script
from tests.given import BRIGHTWATER

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def playground(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[AppTest]:
    """Four panes, two of which read a document; every model's reply is its own name."""
    store = runtime.open_base(tmp_path / "base.sqlite3")
    knowledge = KnowledgeBase(store)
    knowledge.add("prices.md", "# Prices\n\nThe kettle costs $389. It is number 17 of 20.")
    script = Script({(kind, "*"): kind for kind in ("base", "base+passages", "fine-tuned", "fine-tuned+passages")})
    arms = tuple(replace(arm, search=replace(arm.search, mode="sparse")) for arm in BRIGHTWATER.arms)
    parts = Parts(
        replace(BRIGHTWATER, arms=arms), script, lambda: knowledge, lambda model: ModelSpec(model, Path(model))
    )
    monkeypatch.setattr(Runtime, "parts", lambda here, _project: parts)
    monkeypatch.setattr(Runtime, "prepare_in_background", lambda here, _project, retry=False: None)
    yield AppTest.from_file(str(ROOT / "pages" / "main.py"), default_timeout=120).run().switch_page("playground.py")
    runtime.close()
    store.close()


def ask(app: AppTest, number: int) -> int:
    """Ask one more question; how many widgets Streamlit knows in this session."""
    app.text_area[0].set_value(f"What does kettle {number} cost?").run()
    app.button(key="ask").click().run()
    assert not app.exception, app.exception[0].message
    assert sum("fine-tuned" in one.value for one in app.text) >= 2
    return len(app.session_state._state._state._new_widget_state.widget_metadata)


def test_no_widget_of_an_earlier_question_is_kept(playground: AppTest) -> None:
    app = playground.run()
    ask(app, 1)
    second = ask(app, 2)  # by now there are earlier runs, and a last answer to compare with
    assert ask(app, 3) == second
    assert ask(app, 4) == second
