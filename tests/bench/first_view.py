"""How soon a page shows its first text and its first chart, beside a trivial Streamlit app with one Plotly chart.

    python tests/bench/first_view.py [--visits 15] [--servers 3] [--page overview] [--pages history ...] [--write]

    first text    at most 1.3 of the trivial app's
    first chart   at most 1.5 of the trivial app's
    layout shift  of our own (what moved stands in the page's main part) under 0.05, on every page

Both sides in one run and in turns, each visit in a browser without a cache; medians. A server's first visit is counted
apart: there Python still imports. Nothing else should run. The models are those of the state folder (RR_HOME); no
question is asked.
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from core import paths  # noqa: E402
from tests.browser.conftest import CHROMIUM, FLAGS, Server  # noqa: E402
from tests.browser.test_slice import PAGES  # noqa: E402

RESULT = Path(__file__).with_name("first_view.json")
TRIVIAL = """import plotly.graph_objects as go
import streamlit as st

st.title("Trivial")
st.plotly_chart(go.Figure(go.Scatter(x=[1, 2, 3], y=[2, 3, 1])))
"""
QUIET = {"STREAMLIT_BROWSER_GATHER_USAGE_STATS": "false"}  # as ours
LIMITS = {"first text": 1.3, "first chart": 1.5}
SHIFT = 0.05
REST_MS = 1500  # what moves later than this after the script's end is not the page's arrival

# Notes the moment of the first frame in which each is there, and how far what had been drawn moved.
EYE = """(() => {
  const seen = window.seen = {text: null, chart: null, all: 0, own: 0, moved: []};
  const main = () => document.querySelector('[data-testid="stMainBlockContainer"]');
  const look = () => {
    const found = main();
    if (seen.text === null && found && found.textContent.trim()) seen.text = performance.now();
    if (seen.chart === null && document.querySelector('.js-plotly-plot .main-svg .trace'))
      seen.chart = performance.now();
    requestAnimationFrame(look);
  };
  look();
  new PerformanceObserver((list) => list.getEntries().forEach((one) => {
    if (one.hadRecentInput) return;
    seen.all += one.value;
    const own = one.sources.map((source) => source.node).filter((node) => node && main() && main().contains(node));
    if (!own.length) return;
    seen.own += one.value;
    const at = (rect) => `${Math.round(rect.y)}+${Math.round(rect.height)}`;
    seen.moved.push([one.value, Math.round(one.startTime), one.sources.filter((source) => own.includes(source.node))
      .map((source) => [source.node.nodeType === 1 ? source.node : source.node.parentElement, source])
      .map(([node, source]) => `${node.dataset.testid || node.className} ${node.textContent.slice(0, 40)} `
        + `${at(source.previousRect)} to ${at(source.currentRect)}`)]);
  })).observe({type: 'layout-shift', buffered: true});
})()"""


def visit(browser: Browser, url: str, *, chart: bool = True, width: int = 1440) -> dict[str, Any]:
    """One visit with an empty cache: ms to the first text and chart since the navigation began, and what moved."""
    context = browser.new_context(viewport={"width": width, "height": 900})
    try:
        page = context.new_page()
        page.set_default_timeout(120_000)
        page.add_init_script(EYE)
        page.goto(url, wait_until="commit")
        page.wait_for_function("() => window.seen.text !== null" + (" && window.seen.chart !== null" if chart else ""))
        page.wait_for_selector('[data-testid="stApp"][data-test-script-state="notRunning"]')
        page.wait_for_timeout(REST_MS)
        found: dict[str, Any] = page.evaluate("window.seen")
        return found
    finally:
        context.close()


def times(browser: Browser, name: str, visits: int, servers: int, folder: Path) -> list[dict[str, Any]]:
    """First text and chart of both sides: on a server's first visit, and on those after it."""
    took: dict[tuple[str, str, str], list[float]] = {}
    trivial = folder / "trivial.py"
    trivial.write_text(TRIVIAL)
    for number in range(servers):
        # The other side is asked first every second time.
        both = [("ours", Server(folder / f"home-{number}")), ("trivial", Server(folder, QUIET, trivial))]
        try:
            for turn in range(-(-visits // servers) + 1):
                when = "first visit" if turn == 0 else "later visits"
                for side, server in both if (number + turn) % 2 else reversed(both):
                    path = "" if side == "trivial" or name == "overview" else name
                    found = visit(browser, f"{server.url}/{path}")
                    for what in ("text", "chart"):
                        took.setdefault((when, f"first {what}", side), []).append(found[what])
        finally:
            for _, server in both:
                server.stop()
        print(f"server {number + 1} of {servers}, load {os.getloadavg()[0]:.1f}", file=sys.stderr)
    rows = []
    for when in ("first visit", "later visits"):
        for what, limit in LIMITS.items():
            ours, other = took[when, what, "ours"], took[when, what, "trivial"]
            middle, beside = statistics.median(ours), statistics.median(other)
            rows.append(
                {
                    "when": when,
                    "what": what,
                    "ours_ms": round(middle),
                    "ours_range_ms": [round(min(ours)), round(max(ours))],
                    "trivial_ms": round(beside),
                    "trivial_range_ms": [round(min(other)), round(max(other))],
                    "ratio": round(middle / beside, 2),
                    "limit": limit,
                    "n": len(ours),
                }
            )
    return rows


def shifts(browser: Browser, folder: Path, pages: list[str]) -> list[dict[str, Any]]:
    """Each page's layout shift on a warm server, at a desk's and a telephone's width."""
    home = folder / "home"  # the user's models, by a link: pages that need them would fetch them
    home.mkdir()
    (home / "models").symlink_to(paths.weights_dir())
    server, rows = Server(home), []
    try:
        for name in pages:
            for width in (1440, 390):
                found = visit(browser, f"{server.url}/{name}", chart=False, width=width)
                found = visit(browser, f"{server.url}/{name}", chart=False, width=width)
                rows.append(
                    {"page": name, "width": width, "own": round(found["own"], 3), "all": round(found["all"], 3)}
                )
                print(f"{name} {width}: {found['own']:.3f}", *found["moved"], sep="\n    ", file=sys.stderr)
    finally:
        server.stop()
    return rows


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--visits", type=int, default=15)
    options.add_argument("--servers", type=int, default=3)
    options.add_argument("--page", choices=PAGES, default="overview")
    options.add_argument("--pages", nargs="*", choices=PAGES, default=list(PAGES), help="whose layout shift")
    options.add_argument("--only", choices=("times", "shifts"))
    options.add_argument("--write", action="store_true", help=f"keep the result in {RESULT.name}")
    given = options.parse_args()
    found: dict[str, Any] = {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "page": given.page,
        "load_before": round(os.getloadavg()[0], 2),
    }
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        if given.only != "shifts":
            found["times"] = times(browser, given.page, given.visits, given.servers, Path(folder))
        if given.only != "times":
            found["shifts"] = shifts(browser, Path(folder), given.pages)
        browser.close()
    found |= {"load_after": round(os.getloadavg()[0], 2), "seconds": round(time.monotonic() - began)}
    print("| when | what | ours ms | trivial ms | ratio | at most |\n|---|---|---|---|---|---|")
    for row in found.get("times", []):
        print(
            f"| {row['when']} (n={row['n']}) | {row['what']} | {row['ours_ms']} | {row['trivial_ms']} | "
            f"{row['ratio']} | {row['limit']} |"
        )
    for row in found.get("shifts", []):
        if row["own"] >= SHIFT:
            print(f"moves too far: {row['page']} at {row['width']} px: {row['own']}")
    if given.write:
        RESULT.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
