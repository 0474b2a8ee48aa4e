"""The first page answers at once: one sentence, one chart, a start for each user; the tables stand behind it."""

import subprocess
import sys
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core import runtime

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def app() -> AppTest:
    made = AppTest.from_file(str(ROOT / "pages" / "main.py"), default_timeout=120).run()
    runtime.close()
    return made


def test_every_table_stands_behind_its_label_and_one_chart_before_them(app: AppTest) -> None:
    assert not app.exception and [one.value for one in app.title] == ["Retrieve or Retrain"]
    assert not app.header and not app.subheader  # no heading is skipped: there is only one
    labels = [one.label for one in app.expander]
    tables = [
        "The trade-off at a glance",
        "All four, computed",
        "Measured with the bundled models: what a larger base changes",
        "The same, as the documents and a paper state it",
    ]
    assert labels == [*tables, "What the words mean", "Sources"]
    assert len(app.get("plotly_chart")) == 1 and not app.dataframe and not app.table  # nothing behind is drawn yet
    for one in labels:
        app.session_state[f"behind-{one}"] = True
    app.run()
    runtime.close()
    assert not app.exception
    behind = sum(len(one.dataframe) + len(one.table) for one in app.expander)
    assert behind == len(app.dataframe) + len(app.table) == 6  # both pairs, twice
    charts = app.get("plotly_chart")
    assert len(charts) == 2 and sum(len(one.get("plotly_chart")) for one in app.expander) == 1


def test_the_first_view_waits_for_no_table() -> None:
    """pandas is most of what a server's first visitor would wait for."""
    script = """
import sys
from streamlit.testing.v1 import AppTest
seen = AppTest.from_file("pages/main.py", default_timeout=120).run()
assert not seen.exception and seen.get("plotly_chart")
print("pandas" in sys.modules)
"""
    found = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=240)
    assert found.stdout.strip() == "False", found.stderr[-2000:]


def test_each_of_three_users_has_a_start(app: AppTest) -> None:
    links = {link.proto.page for link in app.get("page_link")}
    assert links == {"decide", "story", "playground", "setup"}
