"""axe-core over every page and every state of the story, light and dark, at a desk's and a telephone's width.

    python tests/campaigns/axe.py [--only pages story ...] [--width 1440 390] [--shots FOLDER] [--write]

    pages       every page as it opens, then with everything on it unfolded
    story       the opening, each scene answered, what to say, the own question, the end
    playground  a run answered, each of its tabs, a document beside it, passages to pick, predictions, a blind vote and
                its reveal, another's run
    presenter   each layout, and its menu
    calculator  each of its views, and the map
    setup       each of its steps, on a project of one's own
    evaluation  a short evaluation as it ends, each of its views

Needs the models of the state folder RR_HOME (copied by links, so nothing there is changed). Every fault is printed;
with --write all states and faults are kept in axe.json.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from playwright.sync_api import Page, expect, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from core import paths  # noqa: E402
from core.project import bundled  # noqa: E402
from pages.draw.calculator_views import VIEWS  # noqa: E402
from tests.browser import axe  # noqa: E402
from tests.browser.conftest import CHROMIUM, FLAGS, Server, Watch  # noqa: E402
from tests.browser.test_slice import PAGES, ask, finished, main  # noqa: E402
from tests.campaigns.keeping import Keeper  # noqa: E402

RESULT = Path(__file__).with_name("axe.json")
WAIT = 900_000  # ms: a busy machine, on which this may be paused
QUESTION = "How much does the Tidal Press cost?"
STORY = bundled.all_bundled()["brightwater"].story


def press(page: Page, name: str) -> None:
    main(page).get_by_role("button", name=name, exact=True).first.click()
    finished(page)


def unfold(page: Page) -> None:
    """Open whatever is folded, three levels deep."""
    for _ in range(3):
        for summary in page.locator("main details:not([open]) > summary").all():
            if summary.is_visible():
                summary.click()
        finished(page)
        page.wait_for_timeout(300)


def pages(page: Page, url: str) -> Iterator[str]:
    for name in PAGES:
        page.goto(f"{url}/{name}" if name != "overview" else url)
        finished(page)
        yield name
        if page.locator("main details:not([open]) > summary").count():
            unfold(page)
            yield f"{name}, unfolded"


def story(page: Page, url: str) -> Iterator[str]:
    page.goto(f"{url}/story")
    expect(main(page).get_by_text("The models are loaded")).to_be_visible(timeout=WAIT)
    yield "opening"
    for number, scene in enumerate(STORY, 1):
        page.keyboard.press("ArrowRight")
        expect(main(page).get_by_role("heading", level=1)).to_have_text(f"{number}. {scene.title}", timeout=WAIT)
        finished(page)
        yield f"scene {number}"
    page.keyboard.press("s")
    finished(page)
    yield "what to say"
    box = main(page).get_by_label("Your question")
    if box.count():
        box.fill(QUESTION)
        box.press("Enter")
        page.wait_for_timeout(500)
        finished(page)
        yield "own question"
    page.keyboard.press("Escape")
    page.wait_for_timeout(500)
    finished(page)
    yield "end"


def playground(page: Page, url: str) -> Iterator[str]:
    ask(page, url, QUESTION)
    expect(page.locator(".st-key-panes").get_by_text("Exact prompt")).to_have_count(4, timeout=WAIT)
    finished(page)
    yield "answered"
    for name in ("Compare two answers", "Export"):
        main(page).get_by_role("tab", name=name).click()
        finished(page)
        yield name
    unfold(page)
    yield "unfolded"
    main(page).get_by_text("Edit a document").click()
    finished(page)
    yield "a document beside"
    main(page).get_by_text("Edit a document").click()
    finished(page)
    for name in ("Predicts", "Votes blind"):
        main(page).get_by_role("button", name=name).click()
        finished(page)
    main(page).get_by_role("button", name=re.compile("^Base · ")).click()
    finished(page)
    yield "predictions"
    press(page, "Ask")
    expect(main(page).get_by_role("button", name="A is best")).to_be_visible(timeout=WAIT)
    finished(page)
    press(page, "A is best")
    yield "blind vote"
    main(page).get_by_role("button", name=re.compile("^Reveal")).click()
    page.wait_for_timeout(500)
    finished(page)
    yield "revealed"
    page.goto(f"{url}/playground?run=gone")
    finished(page)
    yield "a run that is gone"


def presenter(page: Page, url: str) -> Iterator[str]:
    ask(page, url, QUESTION)
    page.wait_for_url(re.compile("run="))
    finished(page)
    run = re.search(r"run=(\w+)", page.url)
    assert run, page.url
    for layout in ("1", "2x2", "pane"):
        page.goto(f"{url}/playground?present={layout}&run={run[1]}")
        finished(page)
        yield f"layout {layout}"
    page.get_by_role("button", name=re.compile("Presenter")).click()
    page.wait_for_timeout(500)
    yield "menu"
    for name in ("", "decide", "calculator", "story"):
        page.goto(f"{url}/{name}?present=1")
        finished(page)
        yield f"presenting {name or 'overview'}"


def calculator(page: Page, url: str) -> Iterator[str]:
    page.goto(f"{url}/calculator")
    finished(page)
    for name in VIEWS:
        main(page).locator(".st-key-view").get_by_text(name, exact=True).click()
        finished(page)
        yield name
        if name == "What drives it":
            press(page, "Draw the map")
            yield "the map"


def setup(page: Page, url: str) -> Iterator[str]:
    for step in ("Documents", "Instruction", "Models and arms", "Questions", "Checks"):
        page.goto(f"{url}/setup?project=own&step={step.replace(' ', '%20')}")
        finished(page)
        yield step
        unfold(page)
        yield f"{step}, unfolded"


def evaluation(page: Page, url: str) -> Iterator[str]:
    page.goto(f"{url}/history")
    finished(page)
    yield "history with entries"
    page.goto(f"{url}/evaluation")
    finished(page)
    yield "opens"
    unfold(page)
    yield "unfolded"


PARTS: dict[str, Callable[[Page, str], Iterator[str]]] = {
    "pages": pages,
    "story": story,
    "playground": playground,
    "presenter": presenter,
    "calculator": calculator,
    "setup": setup,
    "evaluation": evaluation,
}


def given(home: Path, parts: list[str]) -> None:
    """A state folder with the models; for the parts that need it a project of one's own or a short evaluation."""
    (home / "models").symlink_to(paths.weights_dir())
    core = [sys.executable, "-m", "core"]
    here = os.environ | {"RR_HOME": str(home)}
    quiet = {"cwd": ROOT, "env": here, "check": True, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    if "setup" in parts:
        subprocess.run([*core, "project", "duplicate", "brightwater", "Own"], **quiet)
    if "evaluation" in parts:
        questions = home / "one.jsonl"
        asked = {"question": QUESTION, "answer": "$389", "class": "price"}
        questions.write_text(json.dumps(asked))
        subprocess.run([*core, "evaluate", "--project", "brightwater", "--questions", str(questions)], **quiet)


def campaign(parts: list[str], widths: list[int], shots: Path | None, keeper: Keeper) -> int:
    """Every state of the parts at every width; gives the number of faults."""
    count = 0
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        given(Path(folder), parts)
        browser, watch, server = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS), Watch(), None
        try:
            server = Server(Path(folder))
            for part in parts:
                keeper.begin(part)
                states: dict[str, list[str]] = {}
                lengths: dict[str, int] = {}
                for width in widths:
                    context = watch.over(browser.new_context(viewport={"width": width, "height": 900}))
                    page = context.new_page()
                    page.set_default_timeout(WAIT)
                    for state in PARTS[part](page, server.url):
                        found = axe.faults(page) + [f"browser: {line}" for line in watch.take()]
                        found += ["the page failed"] if main(page).get_by_test_id("stException").count() else []
                        wide = page.evaluate("document.documentElement.scrollWidth")
                        found += [f"page is {wide} px wide"] if wide > width else []
                        states[f"{state}, {width} px"], lengths[f"{state}, {width} px"] = found, length(page)
                        count += len(found)
                        print(f"== {part}: {state}, {width} px: {len(found)}", *found, sep="\n   ", file=sys.stderr)
                        if shots:
                            shot(page, shots / f"{part}-{re.sub(r'[^a-z0-9]+', '-', state.lower())}-{width}")
                        keeper.keep(part, told(states, lengths), f"{state}, {width} px")
                    context.close()
                keeper.keep(part, told(states, lengths))
        finally:
            if server:
                server.stop()
            browser.close()
    return count


def told(states: dict[str, list[str]], lengths: dict[str, int]) -> dict[str, object]:
    return {"faults": {state: found for state, found in states.items() if found}, "states_and_their_px": lengths}


def shot(page: Page, name: Path) -> None:
    """The whole page in both schemes."""
    size = page.viewport_size or {"width": 1440, "height": 900}
    page.set_viewport_size({"width": size["width"], "height": min(max(900, length(page)), 6000)})
    for scheme in ("dark", "light"):
        axe.turn(page, scheme)
        page.screenshot(path=f"{name}-{scheme}.png")
    page.set_viewport_size(size)


def length(page: Page) -> int:
    """Pixels from the page's top to its end: it scrolls within its main part."""
    pixels: int = page.evaluate("""document.querySelector('[data-testid="stMain"]').scrollHeight""")
    return pixels


def start() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--only", nargs="*", choices=PARTS, default=list(PARTS))
    options.add_argument("--width", nargs="*", type=int, default=[1440, 390])
    options.add_argument("--shots", type=Path)
    options.add_argument("--write", action="store_true", help=f"keep the result in {RESULT.name}")
    chosen = options.parse_args()
    if chosen.shots:
        chosen.shots.mkdir(parents=True, exist_ok=True)
    count = campaign(chosen.only, chosen.width, chosen.shots, Keeper(RESULT if chosen.write else None))
    print(f"{count} faults")
    sys.exit(min(count, 1))


if __name__ == "__main__":
    start()
