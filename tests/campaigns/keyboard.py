"""By keyboard alone: ask, stop, predict, vote, reveal, edit, save, undo, and the story's scenes. No mouse is touched.

    python tests/campaigns/keyboard.py [--write]

Each step is reached as a person without a mouse would: by Tab from where one stands (the first Tab of a page offers to
skip to its main part), by Enter and Space, and by the shortcuts that the page names. Counts the presses. Where focus
went is read from the browser, and a control that has the focus without showing it is a fault.
Needs the models of the state folder RR_HOME; works on a copy of links. With --write the result is kept (keyboard.json).
"""

import argparse
import re
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Page, expect, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from core import paths  # noqa: E402
from core.project import bundled  # noqa: E402
from tests.browser.conftest import CHROMIUM, FLAGS, Server, Watch  # noqa: E402
from tests.browser.test_slice import main  # noqa: E402
from tests.campaigns.keeping import Keeper  # noqa: E402

RESULT = Path(__file__).with_name("keyboard.json")
WAIT = 900_000  # ms: a busy machine, on which this may be paused
MOST_TABS = 150
QUESTION = "How much does the Tidal Press cost?"
STORY = bundled.all_bundled()["brightwater"].story
# The name of what has the focus, and whether the browser draws it otherwise than without.
FOCUS = """() => {
  const one = document.activeElement;
  const name = one.getAttribute('aria-label') || (one.labels && one.labels[0] || one).innerText || '';
  const ring = (node) => node && (getComputedStyle(node).outlineStyle !== 'none'
    || getComputedStyle(node).boxShadow !== 'none' || getComputedStyle(node).borderColor);
  return [name.trim().split('\\n')[0], Boolean(ring(one) || ring(one.parentElement))];
}"""


class Hands:
    """Someone at the keyboard: what was pressed is counted, and which focus could not be seen is noted."""

    def __init__(self, page: Page) -> None:
        self.page, self.presses = page, 0
        self.unseen: list[str] = []

    def press(self, key: str) -> None:
        self.page.keyboard.press(key)
        self.presses += 1

    def to(self, name: str) -> None:
        """Tab until what has the focus bears this name (a pattern); from the top again after the page's end."""
        for _ in range(MOST_TABS):
            self.press("Tab")
            said, shown = self.page.evaluate(FOCUS)
            if re.match(name, said):
                if not shown:
                    self.unseen.append(said)
                return
        raise AssertionError(f"{MOST_TABS} times Tab do not reach {name}")

    def enter(self, name: str, key: str = "Enter") -> None:
        self.to(name)
        self.press(key)
        self.rest()

    def both(self, first: str, second: str) -> None:
        """Turn two choices of one group over: Tab leads into the group, the arrow keys lead on within it."""
        self.to(f"{first}|{second}")
        if re.match(second, self.page.evaluate(FOCUS)[0]):
            self.press("ArrowLeft")
        for key in ("Enter", "ArrowRight", "Enter"):
            self.press(key)
            self.rest()

    def rest(self) -> None:
        self.page.wait_for_timeout(700)
        app = self.page.get_by_test_id("stApp")
        expect(app).to_have_attribute("data-test-script-state", "notRunning", timeout=WAIT)


def arrive(hands: Hands) -> None:
    """The playground is there, with its models; past the navigation into its main part."""
    body = main(hands.page)
    expect(body.get_by_role("button", name="Ask", exact=True)).to_be_visible(timeout=WAIT)
    expect(body.get_by_text("Other panes and pages already work.")).to_have_count(0, timeout=WAIT)
    hands.rest()
    hands.to("Skip to main content")
    hands.press("Enter")


def write(hands: Hands, question: str) -> None:
    """Into the question, the text."""
    hands.to("Question")
    hands.press("Control+a")
    hands.page.keyboard.type(question)
    hands.press("Control+Enter")
    hands.rest()


def ask(hands: Hands, question: str, *, wait: bool = True) -> None:
    """The question, and the button."""
    write(hands, question)
    hands.to("Ask")
    hands.press("Enter")
    if wait:
        hands.rest()


def playground(hands: Hands, url: str) -> dict[str, int]:
    """Every step on the playground, with the presses up to its end."""
    page, took = hands.page, {}
    body = main(page)
    page.goto(f"{url}/playground")
    arrive(hands)
    ask(hands, QUESTION)
    expect(page.locator(".st-key-panes").get_by_text("Exact prompt")).to_have_count(4, timeout=WAIT)
    hands.rest()
    took["ask"] = hands.presses
    page.reload()
    arrive(hands)
    ask(hands, "Write a very long story about the sea, in many chapters.", wait=False)
    expect(body.get_by_text("writing …").first).to_be_visible(timeout=WAIT)
    hands.press("Escape")
    hands.rest()
    expect(page.locator(".st-key-panes").get_by_text("stopped").first).to_be_visible(timeout=WAIT)
    took["stop"] = hands.presses
    page.goto(f"{url}/playground")
    arrive(hands)
    write(hands, QUESTION)
    hands.both("Predicts", "Votes blind")
    hands.enter("Base · 0")
    took["predict"] = hands.presses
    hands.enter("Ask")
    expect(body.get_by_role("button", name="A is best")).to_be_visible(timeout=WAIT)
    hands.rest()
    hands.enter("A is best")
    expect(body.get_by_text("Votes: 1")).to_be_visible(timeout=WAIT)
    took["vote"] = hands.presses
    hands.press("v")
    hands.rest()
    expect(body.get_by_text("Found best").first).to_be_visible(timeout=WAIT)
    took["reveal"] = hands.presses
    hands.both("Predicts", "Votes blind")
    hands.enter("Edit a document", "Space")
    hands.to("Its text")
    hands.press("Control+End")
    page.keyboard.type(" Typed by hand.")
    took["edit"] = hands.presses
    hands.enter("Save and ask again")
    expect(body.get_by_role("button", name="Undo the last edit")).to_be_enabled(timeout=WAIT)
    expect(page.locator(".st-key-panes").get_by_text("Exact prompt")).to_have_count(4, timeout=WAIT)
    hands.rest()
    took["save and ask again"] = hands.presses
    hands.enter("Undo the last edit")
    took["undo"] = hands.presses
    return took


def story(hands: Hands, url: str) -> dict[str, int]:
    """From the opening through every scene and out."""
    page = hands.page
    page.goto(f"{url}/story")
    expect(main(page).get_by_text("The models are loaded")).to_be_visible(timeout=WAIT)
    hands.presses = 0
    for number, scene in enumerate(STORY, 1):
        hands.press("ArrowRight")
        expect(main(page).get_by_role("heading", level=1)).to_have_text(f"{number}. {scene.title}", timeout=WAIT)
        hands.rest()
    hands.press("Escape")
    expect(main(page).get_by_role("heading", level=1)).to_have_text("Story", timeout=WAIT)
    return {"through all scenes and out": hands.presses}


def start() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--write", action="store_true", help=f"keep the result in {RESULT.name}")
    keeper = Keeper(RESULT if options.parse_args().write else None)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        (Path(folder) / "models").symlink_to(paths.weights_dir())
        browser, watch = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS), Watch()
        server = Server(Path(folder))
        try:
            for part in (playground, story):
                keeper.begin(part.__name__)
                context = watch.over(browser.new_context(viewport={"width": 1440, "height": 900}))
                page = context.new_page()
                page.set_default_timeout(WAIT)
                hands = Hands(page)
                took = part(hands, server.url)
                found = {"presses_until": took, "focus_not_seen": hands.unseen, "browser": watch.take()}
                context.close()
                keeper.keep(part.__name__, found)
        finally:
            server.stop()
            browser.close()


if __name__ == "__main__":
    start()
