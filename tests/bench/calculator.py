"""How long the calculator takes: the model for growing numbers of draws, and the page in a real browser.

    python tests/bench/calculator.py            model only
    python tests/bench/calculator.py --browser  also: a widget change in Chromium until verdict and charts are new
    python tests/bench/calculator.py --brief    10,000 draws and the browser alone: what has a goal, in two minutes

Prints one JSON object with what was measured and the target beside each other: 10,000 draws of four approaches, with
requests, queue, vendor's exit, energy, weights and what to measure first, in 120 ms; linear in draws (time per draw at
100,000 against 10,000); verdict new in 400 ms, charts in 900 ms. `cpu_ms` is the process's own time over its threads,
`wall_ms` the clock's: they part when the machine is busy with something else (`load_1_minute` says how busy).
"""

import argparse
import json
import os
import statistics
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from core.calculator import approaches, flips, inputs, model, verdict  # noqa: E402

REPEATS = 9
TARGETS = {10_000: 120}


def timed(work, repeats: int = REPEATS) -> dict[str, float]:
    """Median wall and processor milliseconds of `work()` after one warm-up, and the best wall time."""
    work()
    walls, cpus = [], []
    for _ in range(repeats):
        wall, cpu = time.perf_counter(), time.process_time()
        work()
        walls.append((time.perf_counter() - wall) * 1000)
        cpus.append((time.process_time() - cpu) * 1000)
    return {
        "wall_ms": round(statistics.median(walls), 1),
        "wall_best_ms": round(min(walls), 1),
        "cpu_ms": round(statistics.median(cpus), 1),
    }


def base_scenario() -> inputs.Scenario:
    """One in which all four approaches are priced, over 36 months."""
    base = inputs.from_preset("policy-bot").replace({"horizon": 36})
    assert all(fit.fits for fit in approaches.fit(base).values()), "all four approaches must be priced"
    return base


def the_model() -> dict[str, object]:
    """4 approaches x 36 months with all percentiles, by number of draws; then verdict, tornado and map."""
    base = base_scenario()
    by_draws = {}
    for draws in (1_000, 10_000, 30_000, 100_000):
        scenario = base.replace({"draws": draws})
        by_draws[draws] = timed(lambda scenario=scenario: model.evaluate(scenario)) | {"target_ms": TARGETS.get(draws)}
    outcome = model.evaluate(base)
    return {
        "draws": by_draws,
        "time_per_draw_100k_over_10k": round(by_draws[100_000]["cpu_ms"] / by_draws[10_000]["cpu_ms"] / 10, 3),
        "verdict_with_flips": timed(lambda: verdict.verdict(base, outcome)),
        "tornado": timed(lambda: flips.tornado(base, "retrieval", "fine-tuning")),
        "map_20x20_200": timed(lambda: flips.recommendation_map(base, "queries", "corpus_tokens"), 3),
        "map_20x20_500": timed(lambda: flips.recommendation_map(base, "queries", "corpus_tokens", draws=500), 3),
    }


WATCH = """(view) => {
  window.since = performance.now(); window.verdictAt = null; window.chartAt = null;
  const words = () => document.querySelector('.st-key-verdict h2')?.textContent;
  const lines = () => [...document.querySelectorAll('.js-plotly-plot')].map(p =>
      JSON.stringify((p.data || []).map(t => Array.from(t.y || []).slice(-3)))).join();
  const oldWords = words(), oldLines = lines();
  const look = () => {
    if (!window.verdictAt && words() !== oldWords) window.verdictAt = performance.now() - window.since;
    if (!window.chartAt && lines() !== oldLines && lines()) window.chartAt = performance.now() - window.since;
    if (!(window.verdictAt && window.chartAt)) requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
}"""


def the_page() -> dict[str, object]:
    """Milliseconds from pressing Enter in a number field to a new verdict and new charts on the screen."""
    import importlib.util
    import tempfile

    from playwright.sync_api import sync_playwright

    spec = importlib.util.spec_from_file_location("browser_conftest", ROOT / "tests" / "browser" / "conftest.py")
    shared = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(shared)
    server = shared.Server(Path(tempfile.mkdtemp()))
    verdicts, charts = [], []
    try:
        with sync_playwright() as playwright:
            page = playwright.chromium.launch(executable_path=shared.CHROMIUM, args=shared.FLAGS).new_page()
            page.set_default_timeout(120_000)
            page.goto(f"{server.url}/calculator")
            page.locator(".js-plotly-plot").first.wait_for()
            page.wait_for_timeout(2000)
            field = page.locator(".st-key-calculator_queries_low input")
            for value in (40_000, 60_000, 90_000, 45_000, 70_000, 120_000, 50_000):  # each is another headline
                field.fill(str(value))
                page.evaluate(WATCH)
                field.press("Enter")
                while not page.evaluate("!!(window.verdictAt && window.chartAt)"):  # the page forbids eval in itself
                    page.wait_for_timeout(50)
                verdicts.append(page.evaluate("window.verdictAt"))
                charts.append(page.evaluate("window.chartAt"))
                page.wait_for_timeout(800)
    finally:
        server.stop()
    return {
        "verdict_ms": round(statistics.median(verdicts[1:])),
        "verdict_target_ms": 400,
        "charts_ms": round(statistics.median(charts[1:])),
        "charts_target_ms": 900,
        "verdict_all": [round(one) for one in verdicts],
        "charts_all": [round(one) for one in charts],
    }


if __name__ == "__main__":
    options = argparse.ArgumentParser()
    options.add_argument("--browser", action="store_true")
    options.add_argument("--brief", action="store_true")
    given = options.parse_args()
    found: dict[str, object] = {"cores": os.cpu_count(), "load_1_minute": os.getloadavg()[0]}
    if given.brief:
        base = base_scenario()
        found["model"] = {"draws": {10_000: timed(lambda: model.evaluate(base)) | {"target_ms": TARGETS[10_000]}}}
    else:
        found["model"] = the_model()
    if given.browser or given.brief:
        found["page"] = the_page()
    print(json.dumps(found, indent=1))
