"""A cold presenter's walk in a real browser: from `/` over the story's opening to its last scene, by keyboard, timed.

    python tests/campaigns/stage_walk.py --models FOLDER [--name "small pair"] [--shots FOLDER] [--write]

The app is started cold on an empty state folder that holds fetched models. Next is pressed as soon as a scene has said
whether it came true. `still_s` is the longest stretch in which nothing on the page moved (neither text nor Streamlit's
running sign, which is an animation). With --shots every scene is kept as a picture at 1440, 1024 and 390 px, light and
dark, in a second walk that is not timed. With --write the result is kept in stage_walk.json, under its name.
"""

import argparse
import os
import re
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from playwright.sync_api import Page, expect, sync_playwright  # noqa: E402

from core.project import bundled  # noqa: E402
from tests.browser.conftest import CHROMIUM, FLAGS, Server  # noqa: E402
from tests.browser.test_slice import SAID  # noqa: E402
from tests.campaigns.keeping import Keeper  # noqa: E402

RESULT = Path(__file__).with_name("stage_walk.json")
WAIT = 900_000  # ms: a busy machine, on which this may be paused
STORY = bundled.all_bundled()["brightwater"].story
OWN = "How much does the Ember Kettle weigh?"
WATCH = """() => {
  window.moved = [performance.now()];
  const note = () => window.moved.push(performance.now());
  new MutationObserver(note).observe(document.body, {childList: true, subtree: true, characterData: true,
                                                     attributes: true});
  const signs = '[data-testid="stStatusWidget"], [data-testid="stSpinner"]';
  setInterval(() => { if (document.querySelector(signs)) note(); }, 200);
}"""
STILL = """() => { const at = [...window.moved, performance.now()]; window.moved = [performance.now()];
  return Math.max(...at.slice(1).map((one, n) => one - at[n])) / 1000; }"""


def walk(page: Page, url: str, keeper: Keeper | None, name: str) -> None:
    """From the overview to the end of the story, each step with how long it took and stood still."""
    main, steps = page.get_by_test_id("stMainBlockContainer"), []
    began = last = time.monotonic()

    def step(what: str) -> None:
        nonlocal last
        now = time.monotonic()
        steps.append({"step": what, "seconds": round(now - last, 1), "still_s": round(page.evaluate(STILL), 1)})
        last = now
        if keeper:
            keeper.keep(name, _found(steps, now - began), what)

    page.goto(url)
    page.evaluate(WATCH)
    expect(main.get_by_text("Watch the story")).to_be_visible(timeout=WAIT)
    step("overview")
    main.get_by_text("Watch the story").click()
    expect(main.get_by_text("The models are loaded")).to_be_visible(timeout=WAIT)
    step("opening, models loaded")
    for number, scene in enumerate(STORY, 1):
        page.keyboard.press("ArrowRight")
        expect(main.get_by_role("heading", level=1)).to_have_text(f"{number}. {scene.title}", timeout=WAIT)
        if not scene.question:
            box = main.get_by_label("Your question")
            box.fill(OWN)
            box.press("Enter")
        _answered(page, bool(scene.claims))
        step(f"scene {number}: {'as told' if main.get_by_text('As told:').count() else 'said'}")
    page.keyboard.press("Escape")
    expect(main.get_by_role("heading", level=1)).to_have_text("Story", timeout=WAIT)
    step("end")
    if keeper:
        keeper.keep(name, _found(steps, time.monotonic() - began))


def _answered(page: Page, claims: bool) -> None:
    main = page.get_by_test_id("stMainBlockContainer")
    if claims:
        expect(main.get_by_text("As told:").or_(main.get_by_text("Different this time:")).first).to_be_visible(
            timeout=WAIT
        )
    else:
        expect(main.locator(".st-key-panes").locator(SAID).first).to_have_text(re.compile(r"\w"), timeout=WAIT)
    page.wait_for_timeout(300)  # the script that this began
    expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning", timeout=WAIT)


def _found(steps: list[dict[str, Any]], seconds: float) -> dict[str, Any]:
    still = max(steps, key=lambda one: one["still_s"])
    return {"walk_s": round(seconds, 1), "longest_still_s": still["still_s"], "in": still["step"], "steps": steps}


def shoot(page: Page, url: str, folder: Path, scheme: str) -> None:
    """Every scene as pictures, three widths each; the run of a scene stays the same while the width changes."""
    main = page.get_by_test_id("stMainBlockContainer")
    for number, scene in enumerate(STORY, 1):
        page.set_viewport_size({"width": 1440, "height": 900})
        page.goto(f"{url}/story?scene={number}")
        expect(main.get_by_role("heading", level=1)).to_have_text(f"{number}. {scene.title}", timeout=WAIT)
        if scene.question:
            _answered(page, bool(scene.claims))
        for width, height in ((1440, 900), (1024, 768), (390, 844)):
            page.set_viewport_size({"width": width, "height": height})
            page.wait_for_timeout(700)
            page.screenshot(path=folder / f"scene{number}-{width}-{scheme}.png", full_page=width == 390)


def main() -> int:
    """See the module's text."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--models", type=Path, required=True)
    options.add_argument("--name", default="small pair")
    options.add_argument("--shots", type=Path)
    options.add_argument("--write", action="store_true")
    given = options.parse_args()
    keeper = Keeper(RESULT if given.write else None)
    os.environ.pop("RR_HOME", None)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        (Path(folder) / "models").symlink_to(given.models.resolve())
        keeper.begin(given.name)
        server = Server(Path(folder))
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        try:
            page = browser.new_page(viewport={"width": 1440, "height": 900})
            page.set_default_timeout(WAIT)
            walk(page, server.url, keeper, given.name)
            page.close()
            for scheme in ("light", "dark") if given.shots else ():
                given.shots.mkdir(parents=True, exist_ok=True)
                page = browser.new_page(color_scheme=scheme)
                shoot(page, server.url, given.shots, scheme)
                page.close()
        finally:
            browser.close()
            server.stop()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
