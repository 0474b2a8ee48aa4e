"""The bundled set over all arms through the page, in a browser: minutes, and the card's table beside what came out.

    RR_HOME=FOLDER_WITH_MODELS python tests/campaigns/evaluation_page.py [--limit 25] [--record]

A server of its own over the same model files, the demo's documents indexed before the clock starts. Chromium fills in
the form (documents of today, so many questions a class of the sets that the page proposes, all four arms), presses
Evaluate and waits for the table. Then each arm's share right in each class is held against the card
(models/cards/measured.json): reproduced when the two 95 % intervals meet. Nothing else should run.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from core import evaluate, paths  # noqa: E402
from core.evaluation.records import Report  # noqa: E402
from core.runtime import Runtime  # noqa: E402
from tests.browser.conftest import CHROMIUM, FLAGS, Server  # noqa: E402

CARD = ROOT / "models" / "cards" / "measured.json"
HOUR_MS = 3_600_000


def prepared(home: Path) -> None:
    """The models linked into a state folder, the demo's documents indexed there."""
    (home / "models").mkdir(parents=True)
    for file in paths.weights_dir().iterdir():
        if file.is_file():
            os.link(file, home / "models" / file.name)
    os.environ["RR_HOME"] = str(home)
    here = Runtime()
    project = here.projects.get("brightwater")
    here.prepare(project, project.arms, lambda _done, _text: None, lambda: False)
    here.close()


def through(page: Page, url: str, limit: int) -> tuple[str, float]:
    """Start an evaluation as a person does; its id, and the seconds until its table is there."""
    page.goto(f"{url}/evaluation")
    page.get_by_label("Questions a class, at most").fill(str(limit))
    page.get_by_label("Questions a class, at most").press("Enter")
    page.get_by_label("Documents of").click()
    page.get_by_role("option", name="today").click()
    page.get_by_text(f"{2 * limit} questions,").wait_for()
    began = time.monotonic()
    page.get_by_role("button", name="Evaluate", exact=True).click()
    page.wait_for_url("**evaluation=*")
    page.get_by_role("button", name="Stop", exact=True).wait_for()
    page.get_by_role("button", name="Stop", exact=True).wait_for(state="detached", timeout=HOUR_MS)
    page.locator('[data-testid="stMarkdown"] td').first.wait_for()
    return page.url.split("evaluation=")[1].split("&")[0], time.monotonic() - began


def beside(found: Report) -> list[dict[str, Any]]:
    """Each arm and class of the run beside the card's."""
    card = {(one["arm"], one["class"]): one for one in json.loads(CARD.read_text(encoding="utf-8"))["results"]}
    return [
        {
            "arm": arm,
            "class": cls,
            "run": f"{share.right} of {share.n} ({share.low:.0%} to {share.high:.0%})",
            "card": f"{was['accuracy']:.1%} of {was['n']} ({was['low']:.0%} to {was['high']:.0%})",
            "reproduced": share.low <= was["high"] and was["low"] <= share.high,
        }
        for arm, of in found.arms.items()
        for cls, share in of.classes.items()
        if (was := card.get((arm, cls)))
    ]


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--limit", type=int, default=25, help="questions a class, at most")
    options.add_argument("--record", action="store_true", help="write the result beside this file")
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        prepared(home)
        server = Server(home)
        try:
            with sync_playwright() as play:
                browser = play.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
                page = browser.new_page(viewport={"width": 1440, "height": 1000})
                page.set_default_timeout(300_000)
                job_id, seconds = through(page, server.url, given.limit)
                browser.close()
        finally:
            server.stop()
        here = Runtime()
        found = evaluate.result(here, job_id)
        here.close()
    table = beside(found)
    result = {
        "questions": found.questions,
        "replies": len(found.rows),
        "failed": sum(of.failed for of in found.arms.values()),
        "minutes": round(seconds / 60, 1),
        "reproduced": f"{sum(one['reproduced'] for one in table)} of {len(table)}",
        "table": table,
    }
    text = json.dumps(result, indent=1)
    print(text)
    if given.record:
        Path(__file__).with_suffix(".json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
