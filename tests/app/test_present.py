"""Presenter mode: one switch, kept in session and address; nothing typed is lost; large charts."""

from collections.abc import Iterator
from pathlib import Path

import plotly.graph_objects as go
import pytest
from streamlit.testing.v1 import AppTest

from core import theme
from core.marks import Mark
from core.records import ArmRecord
from pages.draw import panes

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch) -> Iterator[AppTest]:
    from core import runtime

    monkeypatch.setenv("PIP_NO_INDEX", "1")
    yield AppTest.from_file(str(ROOT / "pages" / "main.py"), default_timeout=120)
    runtime.close()


def keys(app: AppTest) -> set[str]:
    assert not app.exception, app.exception[0].message
    return {str(one.key) for one in app.button}


def test_the_switch_is_kept_while_pages_change_and_what_was_typed_off_stage_stays(app: AppTest) -> None:
    app.switch_page("playground.py").run()
    app.text_input(key="max_tokens").set_value("7").run()
    app.button(key="present_on").click().run()
    assert app.query_params["present"] == ["1"] or app.query_params["present"] == "1"
    assert "present_off" in keys(app) and "present_on" not in keys(app)
    assert app.text_input(key="max_tokens").value == "7"
    app.query_params.clear()  # as a page change does
    app.switch_page("compare.py").run()
    assert "present_off" in keys(app) and "present" in app.query_params
    app.button(key="present_off").click().run()
    assert "present_on" in keys(app) and "present" not in app.query_params


@pytest.mark.parametrize(("said", "presents"), [("2x2", True), ("pane", True), ("3x3", False), ("", False)])
def test_a_link_opens_presenting_and_an_unknown_layout_does_not(said: str, presents: bool, app: AppTest) -> None:
    app.query_params["present"] = said
    app.run()
    assert ("present_off" in keys(app)) is presents


def test_a_chart_for_the_last_row_has_large_type_and_the_same_data() -> None:
    plain = go.Figure(go.Scatter(x=[1, 2], y=[3, 4], text=["a", "b"], mode="markers+text"))
    large = theme.enlarge(theme.finish(go.Figure(plain), height=200), 20)
    assert large.layout.xaxis.tickfont.size == large.layout.legend.font.size == large.data[0].textfont.size == 20
    assert large.layout.height > 200 and list(large.data[0].y) == [3, 4]


def test_the_right_pane_is_looked_at_first_and_before_any_is_judged_the_best_informed() -> None:
    contexts = ("closed", "retrieval", "closed", "retrieval")
    arms = [ArmRecord(arm=str(at), state="done", context=context) for at, context in enumerate(contexts)]
    right, wrong = Mark("right", True, ""), Mark("wrong", False, "")
    assert panes.best(arms) == 3 and panes.best(arms[::2]) == 0
    assert panes.best(arms, [wrong, None, right, right]) == 3
    assert panes.best(arms, [wrong, wrong, None, wrong]) == 3
