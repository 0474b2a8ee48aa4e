"""A newcomer's first minutes in a real browser, on documents nobody here wrote: own words in, cited answers out."""

import importlib.metadata
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from core.runtime import Runtime
from tests.browser.conftest import Server

PACKAGES = (
    "uvicorn", "starlette", "jinja2", "platformdirs", "msgspec", "pypdf", "jsonschema", "filelock", "hypothesis",
    "plotly",
)  # fmt: skip
DEMO = re.compile("brightwater|tidal press|happy brewing|coffee", re.IGNORECASE)
# Every page about the project; Projects and Model files are about the machine, which has the demo too.
PAGES = ("overview", "decide", "advisor", "calculator", "compare", "playground", "evaluation", "setup", "documents")
QUESTION = "Which protocols does Uvicorn currently support?"
MOST_CLICKS = 12
WORDS = 240_000  # ms: a loaded machine is slow


@pytest.fixture
def home(real_home: Path, tmp_path: Path) -> Path:
    """A fresh state folder with the real models."""
    made = tmp_path / "home"
    made.mkdir()
    (made / "models").symlink_to(real_home / "models")
    return made


@pytest.fixture
def documents(tmp_path: Path) -> list[Path]:
    """The descriptions of ten installed packages, as files."""
    folder = tmp_path / "descriptions"
    folder.mkdir()
    made = []
    for name in PACKAGES:
        metadata = importlib.metadata.metadata(name)
        text = metadata.get("Description") or str(metadata.get_payload())
        file = folder / f"{name}.md"
        file.write_text(f"# {name}\n\n{metadata['Summary']}\n\n{text}", encoding="utf-8")
        made.append(file)
    return made


class Newcomer:
    """Someone with a mouse, whose clicks are counted."""

    def __init__(self, page: Page) -> None:
        self.page, self.clicks = page, 0
        self.main = page.get_by_test_id("stMainBlockContainer")

    def rest(self) -> None:
        """Wait until the page stands still."""
        expect(self.page.get_by_test_id("stApp")).to_have_attribute(
            "data-test-script-state", "notRunning", timeout=WORDS
        )

    def click(self, target: Locator) -> None:
        target.click()
        self.clicks += 1
        self.rest()

    def press(self, name: str) -> None:
        self.click(self.main.get_by_role("button", name=name, exact=True))

    def step(self, name: str) -> None:
        self.click(self.main.get_by_role("radiogroup", name="Step").get_by_text(name, exact=True))

    def type(self, label: str, text: str) -> None:
        box = self.main.get_by_label(label, exact=True)
        box.fill(text)
        box.press("Control+Enter")
        self.rest()


def shown(page: Page) -> str:
    """All that the page says, also in the fields."""
    page.get_by_test_id("stMainBlockContainer").wait_for()
    fields = [one.input_value() for one in page.locator("main input, main textarea").all() if one.is_visible()]
    return "\n".join([page.get_by_test_id("stMainBlockContainer").inner_text(), *fields])


def test_from_nothing_to_cited_answers_in_twelve_clicks_and_not_a_word_of_the_demo(
    page: Page, home: Path, documents: list[Path], fresh_server: Callable[..., Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    url = fresh_server(home).url
    someone = Newcomer(page)
    page.goto(f"{url}/setup")
    someone.rest()

    someone.type("A project of your own", "Web tools")
    someone.press("New project")
    expect(someone.main.get_by_text("No documents yet")).to_be_visible(timeout=WORDS)
    someone.main.locator("input[type=file]").first.set_input_files(documents)
    someone.clicks += 1  # the file dialog
    someone.press("Add these files")
    expect(someone.main.get_by_text("10 added, 0 not added")).to_be_visible(timeout=WORDS)

    someone.step("Instruction")
    instruction = (
        "You explain Python packages. Answer from the passages alone, in one sentence, and cite the passage as [1]."
    )
    someone.type("With passages", instruction)
    expect(someone.main.get_by_text(instruction).first).to_be_visible()
    someone.press("Save the instruction")
    expect(someone.main.get_by_role("button", name="Save the instruction", exact=True)).to_be_disabled(timeout=WORDS)

    someone.step("Models and arms")
    someone.press("Add this model")
    expect(someone.main.get_by_text("Up to 8.", exact=False)).to_be_visible(timeout=WORDS)
    someone.click(page.get_by_test_id("stSidebarNav").get_by_role("link", name="Playground"))
    expect(someone.main.get_by_role("heading", name="Playground")).to_be_visible(timeout=WORDS)
    someone.type("Question", QUESTION)
    someone.press("Ask")
    panes = page.locator(".st-key-panes")
    expect(panes.get_by_text("Exact prompt")).to_have_count(2, timeout=WORDS)
    assert someone.clicks <= MOST_CLICKS, someone.clicks

    passages = panes.get_by_text(re.compile(r"\d passages"))
    passages.click()
    expect(panes.get_by_text("uvicorn.md", exact=False).first).to_be_visible()
    expect(panes.get_by_text("HTTP/1.1", exact=False).first).to_be_visible()
    panes.get_by_text("Exact prompt").last.click()
    expect(panes.get_by_text(instruction, exact=False).first).to_be_visible()
    assert not DEMO.search(shown(page))
    main_export(page, someone)
    for name in PAGES:
        page.goto(f"{url}/{name if name != 'overview' else ''}?project=web-tools")
        someone.rest()
        assert not DEMO.search(shown(page)), (name, DEMO.search(shown(page)))
    for step in ("Documents", "Instruction", "Models and arms", "Questions", "Checks"):
        page.goto(f"{url}/setup?project=web-tools&step={step.replace(' ', '%20')}")
        someone.rest()
        assert not DEMO.search(shown(page)), step
    monkeypatch.setenv("RR_HOME", str(home))
    here = Runtime()
    try:
        (run,) = here.stored_runs.latest("web-tools")
        assert not DEMO.search(run.arms[0].prompt + run.arms[1].prompt) and instruction in run.arms[1].prompt
        assert not DEMO.search(json.dumps([row["body"] for row in here.store.read("SELECT body FROM projects")]))
    finally:
        here.close()


def main_export(page: Page, someone: Newcomer) -> None:
    """Every file of the run's export tab."""
    someone.main.get_by_role("tab", name="Export").click()
    for name in ("JSON", "CSV", "Markdown"):
        with page.expect_download() as download:
            someone.main.get_by_role("button", name=name, exact=True).click()
        text = Path(download.value.path()).read_text(encoding="utf-8")
        assert QUESTION.rstrip("?") in text.replace("\\", "") and not DEMO.search(text), name
