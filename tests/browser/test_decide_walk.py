"""A manager's walk: from the overview to a signed-off record in at most 20 clicks, nothing asked twice; the clicks are
counted, at a desk's and a telephone's width."""

import time
from pathlib import Path

import pypdf
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.conftest import Server

pytestmark = pytest.mark.browser
WAIT = 60_000  # ms: a first visit on a busy machine
BRIEF = (
    "A support assistant for our telecom: 12,000 questions a month over 900 articles of 700k tokens in all. Tariffs "
    "change weekly. Every answer must cite its source; a brand voice is wanted. 2 engineers, 40,000 USD in the first "
    "year, launch in 8 weeks. The model costs 0.40 / 1.60 USD a million tokens."
)


class Walk:
    """Clicks and fields filled in, counted and noted."""

    def __init__(self, page: Page) -> None:
        self.page, self.main = page, page.get_by_test_id("stMainBlockContainer")
        self.clicks: list[str] = []

    def click(self, what: str, target: Locator) -> None:
        self.settled()
        target.click()
        self.clicks.append(what)

    def fill(self, what: str, target: Locator, text: str) -> None:
        self.click(what, target)
        target.fill(text)

    def settled(self) -> None:
        app = self.page.get_by_test_id("stApp")
        expect(app).to_have_attribute("data-test-script-state", "notRunning", timeout=WAIT)


@pytest.mark.parametrize("width", [1440, 390])
def test_a_manager_walks_from_the_overview_to_a_signed_record(
    browser: Browser, server: Server, width: int, tmp_path: Path
) -> None:
    context = browser.new_context(viewport={"width": width, "height": 844}, accept_downloads=True)
    page = context.new_page()
    page.set_default_timeout(WAIT)
    page.goto(server.url)
    walk = Walk(page)
    started = time.monotonic()
    walk.click("Decide in three minutes", walk.main.get_by_role("link", name="Decide in three minutes"))
    walk.fill("the brief", walk.main.locator(".st-key-decide_text textarea"), BRIEF)
    walk.click("Read it", walk.main.get_by_role("button", name="Read it"))
    for wanted in (
        "12,000",
        "700,000 tokens",
        "Facts change weekly",
        "2 engineers",
        "40,000 USD",
        "8 weeks",
        "0.4 USD",
    ):
        expect(walk.main.get_by_test_id("stCheckbox").filter(has_text=wanted)).to_have_count(1)
    expect(walk.main.get_by_text("Every answer must cite its source").first).to_be_visible()
    walk.click("Confirm and compute", walk.main.get_by_role("button", name="Confirm and compute"))
    verdict = walk.main.locator(".st-key-decide_verdict h2")
    expect(verdict).to_contain_text("Retrieval", timeout=WAIT)
    expect(walk.main.locator(".st-key-decide_short")).to_contain_text("first year")
    expect(walk.main.get_by_text("retires on 2027-01-14").first).to_be_visible()
    walk.fill("title", walk.main.get_by_label("Decision", exact=True), "Telecom assistant")
    walk.fill("owner", walk.main.get_by_label("Owner"), "Ana Ruiz")
    walk.fill("signed off by", walk.main.get_by_label("Signed off by"), "Ben Okafor")
    walk.click("Sign off", walk.main.get_by_role("button", name="Sign off"))
    expect(walk.main.get_by_text("Signed off by Ben Okafor")).to_be_visible()
    walk.settled()
    answer = walk.main.locator(".st-key-decide_short p").last.bounding_box()
    assert answer["y"] >= page.get_by_test_id("stHeader").bounding_box()["height"]  # not cut off by the bar at the top
    with page.expect_download() as got:
        walk.click("Decision record (HTML)", walk.main.get_by_role("button", name="Decision record (HTML)"))
    seconds = time.monotonic() - started
    got.value.save_as(tmp_path / "decision.html")
    print(f"\n{width} px: {len(walk.clicks)} clicks, {seconds:.0f} s: {', '.join(walk.clicks)}")
    assert len(walk.clicks) <= 20
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    look_at_the_record(page, tmp_path / "decision.html")
    context.close()


def look_at_the_record(page: Page, file: Path) -> None:
    """Signed, small, no wider than a telephone, and printed as one page and an appendix."""
    assert file.stat().st_size < 300_000
    page.goto(file.as_uri())
    for text in ("Telecom assistant", "Ana Ruiz", "Signed off by Ben Okafor", "Measure next", "What would flip it"):
        expect(page.get_by_text(text).first).to_be_visible()
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.pdf(path=file.with_suffix(".pdf"), prefer_css_page_size=True)
    first, second, *_ = pypdf.PdfReader(file.with_suffix(".pdf")).pages
    assert "by Ben Okafor" in first.extract_text() and second.extract_text().startswith("Appendix")
