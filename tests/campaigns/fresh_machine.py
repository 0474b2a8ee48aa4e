"""A fresh machine: README's run command in a new environment, then the playground until four panes have answered.

    python tests/campaigns/fresh_machine.py [--pair standard] [--question "..."] [--write]

A clone of this repository, an empty state folder, a new virtual environment; packages come from whatever pip is set up
to ask, not from its cache, as do the models. Without --pair the machine chooses one. Chromium opens the playground as
soon as the server answers and asks again every few seconds, as long as the panes say that models are being fetched.
Nothing else should run. With --write the result is kept beside this file.
"""

import argparse
import itertools
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import venv
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from playwright.sync_api import Page, sync_playwright  # noqa: E402

from core.weights import catalog, choice  # noqa: E402
from tests.browser.conftest import CHROMIUM, FLAGS, Server  # noqa: E402
from tests.campaigns.keeping import Keeper  # noqa: E402

RESULT = Path(__file__).with_name("fresh_machine.json")
WAIT_S, AGAIN_S = 1800, 5
QUESTION = "How much does the Tidal Press cost?"


def install() -> list[str]:
    """The first half of README's run command. Its second starts the server, as the tests' own class does."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    found = re.search(r"^(python -m pip install \S+ \S+) && python -m streamlit run app.py$", text, re.MULTILINE)
    assert found, "README.md has no run command"
    return found[1].split()


def megabytes(folder: Path) -> int:
    """What the files below a folder take."""
    return round(sum(file.lstat().st_size for file in folder.rglob("*") if file.is_file()) / 1e6)


def answered(page: Page, url: str, question: str) -> None:
    """Ask until four panes have answered."""
    page.goto(f"{url}/playground")
    main = page.get_by_test_id("stMainBlockContainer")
    box = main.get_by_label("Question", exact=True)
    box.wait_for(timeout=WAIT_S * 1000)
    deadline = time.monotonic() + WAIT_S
    while time.monotonic() < deadline:
        box.fill(question)
        box.press("Control+Enter")
        page.wait_for_timeout(1000)
        main.get_by_role("button", name="Ask", exact=True).click(timeout=WAIT_S * 1000)
        page.wait_for_timeout(AGAIN_S * 1000)
        panes = page.locator(".st-key-panes")
        while panes.get_by_text(re.compile("writing …|reading|waiting")).count():
            page.wait_for_timeout(200)
        if panes.get_by_text("Exact prompt").count() == 4:
            return
    raise AssertionError(f"no four answers within {WAIT_S} s")


def walked(folder: Path, question: str, pair: str | None) -> dict[str, Any]:
    """The seconds of each step, the megabytes of what is there afterwards, and which models answered."""
    app, home, made = folder / "app", folder / "home", folder / "venv"
    subprocess.run(["git", "clone", "-q", str(ROOT), str(app)], check=True)
    marks = [("", time.monotonic())]
    venv.create(made, with_pip=True)
    python = str(made / "bin" / "python")
    fresh = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
    subprocess.run([python, *install()[1:], "-q"], cwd=app, check=True, env=fresh | {"PIP_NO_CACHE_DIR": "1"})
    marks.append(("install", time.monotonic()))
    chosen = catalog.default().pair(pair) if pair else None
    names = {"base": chosen.base, "fine-tuned": chosen.fine_tuned or ""} if chosen else {}
    extra = {choice.VARIABLES[role]: name for role, name in names.items()}
    server = Server(home, {"PATH": f"{made / 'bin'}:{os.environ['PATH']}"} | extra, app / "app.py", python)
    marks.append(("server", time.monotonic()))
    try:
        with sync_playwright() as play:
            browser = play.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
            page = browser.new_page(viewport={"width": 1440, "height": 1000})
            answered(page, server.url, question)
            browser.close()
    finally:
        server.stop()
    marks.append(("four answers", time.monotonic()))
    seconds = {name: round(at - before[1]) for before, (name, at) in itertools.pairwise(marks)}
    return {
        "seconds": seconds,
        "minutes": round((marks[-1][1] - marks[0][1]) / 60, 1),
        "megabytes": {"environment": megabytes(made), "models": megabytes(home / "models")},
        "models": sorted(file.name for file in (home / "models").glob("*.gguf")),
    }


def main() -> None:
    """See the module's text."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--pair", choices=("small", "standard"))
    options.add_argument("--question", default=QUESTION)
    options.add_argument("--write", action="store_true")
    given = options.parse_args()
    keeper, name = Keeper(RESULT if given.write else None), f"{given.pair or 'chosen'} pair"
    folder = Path(tempfile.mkdtemp())
    try:
        keeper.begin(name)
        found = walked(folder, given.question, given.pair)
        keeper.keep(name, found)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
