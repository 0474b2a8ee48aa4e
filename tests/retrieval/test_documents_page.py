"""The documents page without a browser: each view draws, and its buttons do what they say."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core import runtime
from core.retrieval import KnowledgeBase

PAGE = Path(__file__).resolve().parents[2] / "pages" / "documents.py"
PATIENCE_S = 120  # a loaded machine


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch, folder: Path):
    """The page over three documents, words only, nothing being fetched."""
    runtime.close()
    here = runtime.get()
    project = here.projects.create("Mine")
    here.knowledge(project).sync_folder(folder)
    monkeypatch.setattr(runtime.Runtime, "prepare_in_background", lambda self, project, retry=False: None)
    app = AppTest.from_file(str(PAGE), default_timeout=PATIENCE_S)
    app.query_params["project"] = project.id
    yield app
    runtime.close()


def knowledge() -> KnowledgeBase:
    here = runtime.get()
    return here.knowledge(here.projects.get("mine"))


def press(app: AppTest, label: str) -> AppTest:
    next(button for button in app.button if button.label == label).click()
    return app.run()


def test_a_document_named_in_the_address_opens_and_saves(page: AppTest) -> None:
    page.query_params["document"] = "shipping.md"
    page.run()
    assert not page.exception
    box = next(area for area in page.text_area if "Norway" in area.value)
    box.input(box.value.replace("$19", "$25"))
    press(page, "Save and index")
    assert "$25" in knowledge().text("shipping.md")
    assert not page.exception


def test_delete_and_restore_by_button(page: AppTest) -> None:
    page.query_params["document"] = "shipping.md"
    page.run()
    press(page, "Delete")
    assert "shipping.md" not in {document.path for document in knowledge().documents()}
    next(box for box in page.selectbox if box.label == "As of").select("deleted").run()
    press(page, "Restore")
    assert "shipping.md" in {document.path for document in knowledge().documents()}


def test_the_test_question_shows_numbered_scored_passages(page: AppTest) -> None:
    page.query_params["tab"] = "Try and tune"
    page.run()
    page.text_input(key="test_question-mine").input("parcels to Norway").run()
    assert not page.exception
    shown = " ".join(element.value for element in page.markdown)
    assert "**[1]** shipping" in shown and "score **1.00**" in shown
    assert ":orange-background[Norway]" in shown
    assert any("BM25" in note.value for note in page.info)


def test_pasted_text_becomes_a_document(page: AppTest) -> None:
    page.query_params["tab"] = "Add"
    page.run()
    page.text_input[0].input("notes/tea.md")
    page.text_area[0].input("# Tea\n\nMatcha comes from Uji.")
    press(page, "Add this text")
    assert knowledge().query("matcha", 1, "sparse").passages[0].document == "notes/tea.md"


def test_uploads_run_as_a_job_with_one_line_each(page: AppTest) -> None:
    page.query_params["tab"] = "Add"
    page.run()
    page.file_uploader[0].set_value(
        [("tea.txt", b"Matcha comes from Uji.", "text/plain"), ("bad.txt", b"\x00" * 50, "")]
    )
    press(page, "Add these files")
    job = page.query_params["job"]
    runtime.get().jobs.wait(job if isinstance(job, str) else job[0], PATIENCE_S)
    page.run()
    table = page.dataframe[0].value
    assert list(table["file"]) == ["tea.txt", "bad.txt"]
    assert "binary file" in table["result"][1]
    assert not page.exception


def test_the_freshness_view_changes_deletes_and_restores(page: AppTest) -> None:
    page.query_params["tab"] = "Freshness demo"
    page.run()
    page.selectbox(key="fresh_document").select("shipping.md").run()
    press(page, "Delete it")
    assert knowledge().query("parcels Norway", 3, "sparse").passages == ()
    press(page, "Restore")
    assert knowledge().query("parcels Norway", 1, "sparse").passages
    assert not page.exception
