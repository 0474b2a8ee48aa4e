"""300 questions in a row in one tab, a worker killed every 30: memory, handles, and whether anything is lost.

    python tests/campaigns/stage_endurance.py --models FOLDER [--questions 300] [--every 30] [--write]

One pane (the demo's base, closed book) of a project of its own, asked through the playground in one tab of a real
browser. Every so often a story is asked for instead of a sum, and the model's worker is killed as soon as the first
words of the answer stand on the page. Nothing is lost when every question stands in the history, each with an answer or
with a plain line that says what happened to it; a kill counts when that line stands beside the words there were. Memory
(resident, of the app without its workers, MB) is compared between the end of the first 60 questions, by which all that
is made once has been made, and the end; open handles likewise, by medians of three measures. With --write the result is
kept in stage_endurance.json while it grows.
"""

import argparse
import os
import signal
import sqlite3
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from playwright.sync_api import Page, expect, sync_playwright  # noqa: E402

from core import paths, records, runtime  # noqa: E402
from core.arms import Arm  # noqa: E402
from core.engine import Sampling  # noqa: E402
from core.project import Model  # noqa: E402
from tests.browser.conftest import CHROMIUM, FLAGS, Server  # noqa: E402
from tests.campaigns.keeping import Keeper  # noqa: E402

RESULT = Path(__file__).with_name("stage_endurance.json")
WAIT = 120_000  # ms
WARM = 60  # questions until everything that is made once has been made
PART = "one tab"
MOST_TOKENS = 120  # of a story; a sum is said in some ten
WRITING = """() => { const said = document.querySelector('.st-key-panes [data-testid="stText"]');
  const main = document.querySelector('[data-testid="stMainBlockContainer"]');
  return said && said.textContent.trim() && main.textContent.includes('writing'); }"""


def prepare(home: Path) -> str:
    """A project with one pane and short answers; gives its id."""
    os.environ["RR_HOME"] = str(home)
    try:
        here = runtime.get()
        made = here.projects.create("Endurance")
        short = Arm("base", sampling=Sampling(max_tokens=MOST_TOKENS))
        here.projects.change(made.id, models=(Model("base", "Base", "base"),), arms=(short,))
        return made.id
    finally:
        runtime.close()


def workers(server: Server) -> list[int]:
    """The ids of the model processes below the app."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            parent = (entry / "stat").read_text().rpartition(")")[2].split()[1]
            line = (entry / "cmdline").read_bytes().decode().split("\0")
        except (OSError, IndexError, ValueError):
            continue
        if (
            entry.name.isdigit()
            and int(parent) == server.process.pid
            and any(one.endswith("worker.py") for one in line)
        ):
            found.append(int(entry.name))
    return found


def measured(server: Server, page: Page) -> dict[str, float]:
    """Memory and handles of the app, and the tab's heap."""
    proc = Path("/proc") / str(server.process.pid)
    resident = int((proc / "statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
    heap = page.evaluate("() => performance.memory ? performance.memory.usedJSHeapSize / 1e6 : 0")
    handles, threads = len(list((proc / "fd").iterdir())), len(list((proc / "task").iterdir()))
    return {"app_mb": round(resident, 1), "handles": handles, "threads": threads, "tab_heap_mb": round(heap, 1)}


def change(handles: list[int]) -> float:
    """From the first three measures to the last three, medians: a browser opens and closes connections at any time."""
    return statistics.median(handles[-3:]) - statistics.median(handles[:3]) if handles else 0


def ask(page: Page, question: str, before: str, server: Server, kill: bool) -> str:
    """One question through the page; gives the run's id in the address."""
    main = page.get_by_test_id("stMainBlockContainer")
    box = main.get_by_label("Question", exact=True)
    box.fill(question)
    box.press("Control+Enter")
    main.get_by_role("button", name="Ask", exact=True).click()
    page.wait_for_url(lambda url: "run=" in url and before not in url if before else "run=" in url, timeout=WAIT)
    if kill:
        page.wait_for_function(WRITING, timeout=WAIT, polling=20)
        for worker in workers(server):
            os.kill(worker, signal.SIGKILL)
    expect(main.get_by_role("heading", name=question)).to_be_visible(timeout=WAIT)
    expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning", timeout=WAIT)
    return page.url.partition("run=")[2].partition("&")[0]


def kept(project: str) -> dict[str, Any]:
    """What stands in the history: how many runs, answered or said to have failed."""
    with sqlite3.connect(f"file:{paths.database()}?mode=ro", uri=True) as db:
        runs = [records.run_from(row[0]) for row in db.execute("SELECT body FROM runs WHERE project = ?", (project,))]
    arms = [arm for run in runs for arm in run.arms]
    said = [arm.problem for arm in arms if arm.problem]
    return {
        "kept": len(runs),
        "questions": len({run.question for run in runs}),
        "answered": sum(bool(arm.answer) and not arm.problem for arm in arms),
        "said_to_have_failed": len(said),
        "of_these_within_an_answer": sum(bool(arm.problem and arm.answer.strip()) for arm in arms),
        "neither": sum(not arm.answer and not arm.problem for arm in arms),
        "as": sorted(set(said))[:3],
    }


def main() -> int:
    """See the module's text."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--models", type=Path, required=True)
    options.add_argument("--questions", type=int, default=300)
    options.add_argument("--every", type=int, default=30)
    options.add_argument("--write", action="store_true")
    given = options.parse_args()
    keeper = Keeper(RESULT if given.write else None)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        home = Path(folder)
        (home / "models").symlink_to(given.models.resolve())
        project = prepare(home)
        server = Server(home)
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[*FLAGS, "--enable-precise-memory-info"])
        try:
            page = browser.new_page(viewport={"width": 1440, "height": 900})
            page.set_default_timeout(WAIT)
            page.goto(f"{server.url}/playground?project={project}")
            keeper.begin(PART)
            began, run, killed, at = time.monotonic(), "", 0, {}
            for number in range(1, given.questions + 1):
                kill = number % given.every == 0
                killed += kill
                text = f"Tell a long story about the year {1700 + number}." if kill else f"What is {number} plus 1?"
                run = ask(page, text, run, server, kill)
                if number % 20 == 0 or number == given.questions:
                    at[number] = now = measured(server, page)
                    first = at[min(WARM, max(at))]
                    found = {"asked": number, "killed": killed, "at": at, **kept(project)} | {
                        "memory_change": round(now["app_mb"] / first["app_mb"] - 1, 4),
                        "handles_change": change([one["handles"] for asked, one in at.items() if asked >= WARM]),
                        "seconds_a_question": round((time.monotonic() - began) / number, 2),
                    }
                    keeper.keep(PART, found, f"{number} of {given.questions}" if number < given.questions else None)
        finally:
            browser.close()
            server.stop()
    lost = found["questions"] != given.questions or found["neither"] or found["of_these_within_an_answer"] != killed
    return 1 if lost or found["memory_change"] > 0.03 or found["handles_change"] > 0 else 0


if __name__ == "__main__":
    raise SystemExit(main())
