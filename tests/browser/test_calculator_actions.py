"""What changes the calculator's verdict besides its presets, in a real browser: prices, a saved file, calibration."""

import re
from collections.abc import Callable
from contextlib import suppress
from datetime import date
from pathlib import Path

from playwright.sync_api import Locator, Page, expect
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from core import paths
from core import scenario as envelope
from core.calculator import calibrate, inputs, model, verdict
from core.evidence import prices
from core.records import dumps
from core.runtime import migrations
from core.store import Store
from tests.browser.conftest import Server
from tests.calculator.test_calculator_answers import RUN

WAIT = 90_000  # ms: a first visit on a busy machine
ROW = 35  # pixels of a table's header and of each row


def said(scenario: inputs.Scenario) -> str:
    """The verdict that core computes."""
    return verdict.headline(scenario, model.evaluate_cached(scenario))


def main(page: Page) -> Locator:
    return page.get_by_test_id("stMainBlockContainer")


def shows(page: Page, scenario: inputs.Scenario) -> None:
    """The page's verdict is core's of `scenario`."""
    expect(main(page).locator(".st-key-verdict h2")).to_have_text(said(scenario), timeout=WAIT)


def opened(page: Page, url: str) -> inputs.Scenario:
    """The calculator as a first visit finds it."""
    page.goto(f"{url}/calculator")
    shows(page, inputs.defaults())
    return inputs.defaults()


def settled(page: Page) -> None:
    """Nothing runs any more."""
    expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning", timeout=WAIT)


def view(page: Page, name: str) -> None:
    main(page).locator(".st-key-view").get_by_text(name, exact=True).click()


def test_another_price_of_tokens_is_another_verdict(page: Page, server: Server) -> None:
    before = opened(page, server.url)
    group, option = main(page).locator(".st-key-calculator_group"), page.get_by_role("option", name="Model and hosting")
    for _ in range(10):  # a list that opens while the page still draws its charts is closed again
        settled(page)
        group.get_by_role("combobox").click()
        with suppress(PlaywrightTimeout):
            option.click(timeout=5000)
            break
    high, low = (main(page).locator(f".st-key-calculator_price_in_{end} input") for end in ("high", "low"))
    settled(page)
    high.fill("60")
    high.press("Tab")
    low.fill("50")  # typed while the page still works on the other one
    page.wait_for_timeout(1500)
    low.press("Enter")
    after = before.replace({"price_in": [50, 60]})
    assert "Fine-tuning costs less" in said(after) and "Fine-tuning" not in said(before)
    shows(page, after)


def test_a_ticked_example_price_is_used_with_its_source(page: Page, server: Server) -> None:
    before = opened(page, server.url)
    view(page, "Prices")
    table = main(page).locator(".st-key-prices").get_by_test_id("stDataFrame")
    expect(table.locator("canvas").first).to_be_visible(timeout=WAIT)
    use = main(page).get_by_role("button", name="Use the ticked prices")
    expect(use).to_be_disabled(timeout=WAIT)
    rows = prices.rows(prices.shipped().values(), date.today())
    wanted = next(place for place, row in enumerate(rows) if row["Offer"] == "gpt-5.6-sol" and row["Low"] == 5)
    row = rows[wanted]
    table.click(position={"x": 20, "y": ROW * (wanted + 1.5)})
    page.keyboard.press("Space")
    expect(use).to_be_enabled(timeout=WAIT)
    use.click()
    after = before.replace({row["Input"]: row["Low"]})
    assert row["Low"] == row["High"] and said(after) != said(before)
    shows(page, after)
    expect(page).to_have_url(re.compile(r"[?&]s="), timeout=WAIT)
    found, notes = envelope.decode(re.search(r"[?&]s=([^&]+)", page.url).group(1))
    assert notes == [] and row["Offer"] in str(found["calculator"])  # the link holds where the price is from


def test_a_saved_file_brings_its_scenario_and_a_broken_one_is_said(page: Page, server: Server, tmp_path: Path) -> None:
    opened(page, server.url)
    saved = inputs.from_preset("policy-bot").replace({"hour_rate": [150, 190]})
    (tmp_path / "mine.json").write_text(envelope.dumps({"calculator": saved.section()}))
    (tmp_path / "broken.json").write_text('{"version": 1, "calculator": {"queries": ')
    view(page, "Save and share")
    loader = main(page).locator(".st-key-load input[type=file]")
    loader.set_input_files(tmp_path / "mine.json")
    assert said(saved) != said(inputs.from_preset("policy-bot")) != said(inputs.defaults())
    shows(page, saved)
    loader.set_input_files(tmp_path / "broken.json")
    expect(main(page).get_by_test_id("stAlert").first).to_be_visible(timeout=WAIT)
    expect(main(page).get_by_test_id("stException")).to_have_count(0)


def test_calibrating_puts_this_machines_figures_into_the_verdict(
    page: Page, fresh_server: Callable[..., Server], tmp_path: Path
) -> None:
    store = Store(tmp_path / "retrieve-or-retrain.sqlite3", migrations())
    row = (RUN.id, RUN.made, RUN.question, "one at a time", dumps(RUN), RUN.project)
    store.write(lambda db: db.execute("INSERT INTO runs VALUES (?, ?, ?, ?, ?, ?, NULL)", row))
    store.close()
    before = opened(page, fresh_server(tmp_path).url)
    view(page, "Calibrate")
    measured = calibrate.collect([RUN], paths.ROOT / "models" / "cards" / "measured.json")
    after = calibrate.apply(before, [one for one in calibrate.changes(measured) if "playground" in one.origin])
    assert said(after) != said(before)
    expect(main(page).get_by_text(said(after)).first).to_be_visible(timeout=WAIT)  # said before it is used
    main(page).get_by_role("button", name="Use the measured values").click()
    shows(page, after)
    main(page).get_by_role("button", name="Back to the use case as it was").click()
    shows(page, before)
