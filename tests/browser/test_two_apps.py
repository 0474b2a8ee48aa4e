"""Two running apps on one state folder: both show the same documents and runs, whoever made them, and neither fails."""

import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from core.project.projects import Projects
from core.retrieval import KnowledgeBase
from core.runtime import open_base, open_store
from tests.browser.conftest import Server
from tests.browser.test_slice import SAID
from tests.given import BRIGHTWATER

WAIT = 180_000  # ms: two apps prepare themselves on a busy machine


@pytest.fixture
def home(real_home: Path, tmp_path: Path) -> Path:
    """A state folder with the real models and nothing else yet."""
    made = tmp_path / "home"
    made.mkdir()
    (made / "models").symlink_to(real_home / "models")
    store = open_store(made / "retrieve-or-retrain.sqlite3")
    Projects(store).create("Mine", BRIGHTWATER)  # its models and arms, without a document
    store.close()
    return made


@pytest.fixture
def two(browser: Browser, home: Path, fresh_server: Callable[..., Server]) -> Iterator[tuple[Page, Page]]:
    """A page of each of two apps, opened at once, so that both find the folder empty."""
    servers = fresh_server(home), fresh_server(home)
    contexts = [browser.new_context(base_url=one.url, viewport={"width": 1440, "height": 900}) for one in servers]
    pages = tuple(context.new_page() for context in contexts)
    for page in pages:
        page.set_default_timeout(WAIT)
        page.goto("/documents?project=mine", wait_until="commit")
    yield pages
    for context in contexts:
        context.close()


def main(page: Page) -> Locator:
    return page.get_by_test_id("stMainBlockContainer")


def settled(page: Page) -> None:
    """Nothing runs any more, and nothing is wrong on the page."""
    expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning", timeout=WAIT)
    assert main(page).get_by_test_id("stException").count() == 0
    assert main(page).get_by_test_id("stAlertContentError").all_inner_texts() == []


def answers(page: Page) -> list[str]:
    return page.locator(".st-key-panes").locator(SAID).all_inner_texts()


def counted(page: Page) -> str:
    """What the documents page says there is, once the demo's documents are read and every passage has its vector."""
    line = main(page).get_by_text(re.compile(r"^[1-9]\d* documents? now, [\d,]+ passages? over all versions\.$"))
    for _ in range(60):
        page.goto("/documents?project=mine")
        settled(page)
        if line.count():
            return line.inner_text()
        page.wait_for_timeout(2000)
    raise AssertionError(main(page).inner_text())


def test_two_apps_on_one_folder_show_the_same(two: tuple[Page, Page], home: Path) -> None:
    first, second = two
    for page in two:
        settled(page)
    first.goto("/documents?project=mine&tab=Add")
    main(first).get_by_label("Or paste a text under this name").fill("notes/zeppelin.md")
    main(first).get_by_label("Text (Markdown headings become sections)").fill("The zeppelin mooring fee is 77 thalers.")
    main(first).get_by_role("button", name="Add this text").click()
    expect(main(first).get_by_text("1 document now")).to_be_visible(timeout=WAIT)
    more = counted(first)
    assert more.startswith("1 document now")
    assert counted(second) == more
    second.goto("/documents?project=mine&document=notes/zeppelin.md")
    expect(main(second).get_by_text("77 thalers").first).to_be_visible(timeout=WAIT)

    for page, question in ((first, "What is the zeppelin mooring fee?"), (second, "Who builds the Tidal Press?")):
        page.goto("/playground?project=mine")
        box = main(page).get_by_label("Question", exact=True)
        box.fill(question)
        box.press("Control+Enter")
        settled(page)
        main(page).get_by_role("button", name="Ask", exact=True).click()
    for page in two:
        expect(page.locator(".st-key-panes").get_by_text("Exact prompt")).to_have_count(4, timeout=WAIT)
        expect(page).to_have_url(re.compile(r"[?&]run="), timeout=WAIT)
        settled(page)
    runs = {re.search(r"run=(\w+)", page.url).group(1): answers(page) for page in two}
    assert len(runs) == 2
    for other, (run, shown) in zip(reversed(two), runs.items(), strict=True):  # each app shows the other's run
        other.goto(f"/playground?project=mine&run={run}")
        expect(other.locator(".st-key-panes").get_by_text("Exact prompt")).to_have_count(4, timeout=WAIT)
        settled(other)
        assert answers(other) == shown
    for page in two:
        page.goto("/playground?project=mine")
        earlier = main(page).get_by_test_id("stExpander").filter(has_text="Earlier runs")
        expect(earlier).to_be_visible(timeout=WAIT)
        settled(page)
        earlier.locator("summary").click()
        for _ in range(10):  # the list closes again when the expander still moves
            page.wait_for_timeout(1000)
            earlier.get_by_role("combobox").click()
            with suppress(PlaywrightTimeout):
                page.get_by_role("option").first.wait_for(timeout=5000)
                break
        expect(page.get_by_role("option")).to_have_count(2, timeout=20_000)
        expect(page.get_by_role("option").filter(has_text="zeppelin mooring fee")).to_have_count(1, timeout=WAIT)

    base = open_base(home / "knowledge" / "mine.sqlite3")  # a third program reads the same
    assert len(KnowledgeBase(base).documents()) == 1
    base.close()
    store = open_store(home / "retrieve-or-retrain.sqlite3")
    assert {row["id"] for row in store.read("SELECT id FROM runs WHERE project = 'mine'")} == set(runs)
    store.close()
