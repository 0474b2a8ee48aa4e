"""The documents page without a browser: each view draws, and its buttons do what they say."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import TextArea

from core import runtime
from core.arms import Arm, Search
from core.project.values import Model
from core.retrieval import KnowledgeBase
from tests.retrieval import hostile

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


def paths() -> set[str]:
    return {document.path for document in knowledge().documents()}


def send(app: AppTest, files: list) -> AppTest:
    """Upload, and wait until it is said what would change."""
    app.file_uploader[0].set_value(files)
    return finish(press(app, "See what would change"))


def finish(app: AppTest) -> AppTest:
    """Wait for the job in the address, then draw again."""
    job = app.query_params["job"]
    runtime.get().jobs.wait(job if isinstance(job, str) else job[0], PATIENCE_S)
    return app.run()


def press(app: AppTest, label: str) -> AppTest:
    next(button for button in app.button if button.label == label).click()
    return app.run()


def pasted(app: AppTest) -> TextArea:
    return next(box for box in app.text_area if box.label.startswith("Text"))


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
    next(box for box in page.text_input if "under this name" in box.label).input("notes/tea.md")
    pasted(page).input("# Tea\n\nMatcha comes from Uji.")
    press(page, "Add this text")
    assert knowledge().query("matcha", 1, "sparse").passages[0].document == "notes/tea.md"
    assert any(note.value.startswith("4 documents now") for note in page.caption), "counted anew"
    assert not pasted(page).value, "an empty form for the next"


def test_a_pasted_text_that_is_refused_stays_to_be_mended(page: AppTest) -> None:
    page.query_params["tab"] = "Add"
    page.run()
    next(box for box in page.text_input if "under this name" in box.label).input("../..")
    pasted(page).input("Matcha comes from Uji.")
    press(page, "Add this text")
    assert page.error and not page.exception
    assert pasted(page).value == "Matcha comes from Uji."


def test_uploads_run_as_a_job_with_one_line_each(page: AppTest) -> None:
    page.query_params["tab"] = "Add"
    page.run()
    send(page, [("tea.txt", b"Matcha comes from Uji.", "text/plain"), ("bad.txt", b"\x00" * 50, "")])
    table = page.dataframe[0].value
    assert list(table["file"]) == ["bad.txt", "tea.txt"]
    assert "binary file" in table["result"][0]
    assert knowledge().count() == 3, "looking changes nothing"
    finish(press(page, "Do it"))
    assert knowledge().query("matcha", 1, "sparse").passages[0].document == "tea.txt"
    assert any("1 added" in note.value and "1 could not" in note.value for note in page.warning)
    press(page, "Add more")
    assert page.file_uploader
    assert not page.exception


def test_a_zip_keeps_its_paths_and_removes_only_when_ticked(page: AppTest) -> None:
    page.query_params["tab"] = "Add"
    page.run()
    packed = hostile.archive(
        [
            ("shipping.md", b"# Shipping\n\nNew."),
            ("a/index.md", b"one"),
            ("b/index.md", b"two"),
            ("c/index.md", b"three"),
        ]
    )
    send(page, [("docs.zip", packed, "application/zip")])
    assert any("4 files: 3 would be added, 1 changed" in text.value.replace("\\", "") for text in page.markdown)
    finish(press(page, "Do it"))
    assert paths() >= {"a/index.md", "b/index.md", "c/index.md", "policies/returns.md"}
    press(page, "Add more")
    send(page, [("docs.zip", packed, "application/zip")])
    next(box for box in page.checkbox if "Remove the 2 documents" in box.label).check().run()
    finish(press(page, "Do it"))
    assert paths() == {"shipping.md", "a/index.md", "b/index.md", "c/index.md"}
    assert not page.exception


def test_a_hostile_zip_is_one_line_on_the_page(page: AppTest) -> None:
    page.query_params["tab"] = "Add"
    page.run()
    page.file_uploader[0].set_value([("bomb.zip", hostile.bomb_archive(), "application/zip")])
    press(page, "See what would change")
    assert any("unpack" in error.value for error in page.error)
    assert (knowledge().count(), list(page.exception)) == (3, [])


def test_several_marked_documents_go_after_one_confirmation(page: AppTest) -> None:
    def several() -> None:
        from core import runtime
        from core.retrieval.values import CURRENT, DELETED
        from pages.draw.document_list import draw_several

        here = runtime.get()
        base = here.knowledge(here.projects.get("mine"))
        chosen = ["shipping.md", "policies/returns.md"]
        draw_several(base, chosen, CURRENT if base.named(chosen[0]) else DELETED)

    app = AppTest.from_function(several, default_timeout=PATIENCE_S).run()
    assert paths() >= {"shipping.md", "policies/returns.md"}
    press(app, "Yes, delete 2")
    assert paths() == {"policies/warranty.md"}
    press(app, "Restore 2 documents")
    assert paths() >= {"shipping.md", "policies/returns.md"}
    assert not app.exception


def test_thousands_are_listed_a_page_at_a_time(page: AppTest) -> None:
    for number in range(205):
        knowledge().add(f"many/{number:03}.md", "word")
    page.run()
    assert len(page.dataframe[0].value) == 100
    assert any("1 to 100 of 208" in note.value for note in page.caption)
    page.query_params["document"] = "many/204.md"
    page.run()
    assert any("many" in note.value and "204" in note.value for note in page.caption), "named in the address"
    assert not page.exception


def test_what_was_tuned_becomes_the_arms_way_to_search(page: AppTest) -> None:
    here = runtime.get()
    model = Model("base", "Base", "base")
    here.projects.change("mine", models=(model,), arms=(Arm("base"), Arm("base", "retrieval")))
    page.query_params["tab"] = "Try and tune"
    page.run()
    page.slider(key="try_k").set_value(7)
    page.radio(key="try_mode").set_value("sparse")
    page.text_input(key="try_folder").input("policies")
    page.text_input(key="try_metadata").input("type=md").run()
    press(page, "Use for the arms with retrieval")
    kept = here.projects.get("mine").arms
    assert kept[0].search == Search()
    assert kept[1].search == Search(7, "sparse", 0.7, 0.0, "policies", (("type", "md"),))
    assert kept[1].search.filters == {"type": "md", "folder": "policies"}
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
