"""The story in a real browser on real models, from the opening to its end by keyboard alone."""

from playwright.sync_api import Page, expect

from core.project import bundled
from tests.browser import axe
from tests.browser.conftest import Server

STORY = bundled.all_bundled()["brightwater"].story
WAIT = 120_000  # ms: a busy machine


def test_the_story_is_stepped_by_keyboard_and_every_claim_comes_true(page: Page, server: Server) -> None:
    page.goto(f"{server.url}/story")
    main, app = page.get_by_test_id("stMainBlockContainer"), page.get_by_test_id("stApp")
    expect(main.get_by_text("The models are loaded")).to_be_visible(timeout=WAIT)
    for number, scene in enumerate(STORY, 1):
        page.keyboard.press("ArrowRight")
        expect(main.get_by_role("heading", level=1)).to_have_text(f"{number}. {scene.title}", timeout=WAIT)
        if scene.claims:
            expect(main.get_by_text("As told:")).to_be_visible(timeout=WAIT)
        expect(app).to_have_attribute("data-test-script-state", "notRunning", timeout=WAIT)
        expect(main.get_by_role("button", name="Restore the documents")).to_have_count(1 if scene.document else 0)
        assert main.get_by_test_id("stException").count() == 0
        if scene.document:  # the fullest of them
            assert axe.faults(page) == []
    page.keyboard.press("ArrowLeft")
    expect(main.get_by_text("As told:")).to_be_visible(timeout=WAIT)
    page.keyboard.press("s")
    expect(main.get_by_text(STORY[-2].say)).to_be_visible(timeout=WAIT)
    # What is said stands above the keys, and comes before them.
    expect(app).to_have_attribute("data-test-script-state", "notRunning", timeout=WAIT)
    page.keyboard.press("Escape")
    expect(main.get_by_role("heading", level=1)).to_have_text("Story", timeout=WAIT)
    expect(main.get_by_role("button", name="Restore the documents")).to_have_count(0)
    page.goto(f"{server.url}/story?scene=3")
    expect(main.get_by_role("button", name="Restore the documents")).to_be_visible(timeout=WAIT)
    other = page.context.new_page()
    page.close()  # in the scene whose change stands
    other.goto(f"{server.url}/compare")
    expect(other.get_by_text("its change was taken back: products/tidal-press.md")).to_be_visible(timeout=WAIT)
