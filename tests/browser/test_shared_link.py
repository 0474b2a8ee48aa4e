"""One link carries the answers from the advisor to the calculator and the playground, also into another browser."""

import re
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import Browser, Page, expect

from core import scenario
from tests.browser.conftest import Server
from tests.browser.test_slice import finished, main
from tests.given import BRIGHTWATER


def shared(url: str) -> dict:
    """The scenario in an address, as the app reads it."""
    whole, notes = scenario.decode(parse_qs(urlsplit(url).query)[scenario.PARAMETER][0])
    assert not notes
    return whole


def test_the_link_from_advisor_to_calculator_to_playground_survives_a_copy(
    browser: Browser, page: Page, server: Server
) -> None:
    page.goto(f"{server.url}/advisor")
    finished(page)
    main(page).get_by_text("Describe your use case in your own words").click()
    box = main(page).get_by_role("textbox", name="Description")
    box.fill("Prices change daily, answers must sound like us, 3 million questions a month.")
    box.press("Control+Enter")
    finished(page)
    main(page).get_by_role("button", name="Read it").click()
    main(page).get_by_role("button", name="Use what is ticked").click()
    expect(main(page).get_by_text("Recommendation: Hybrid")).to_be_visible()
    finished(page)
    answers = shared(page.url)["advisor"]["answers"]
    assert answers == {"data-changes": "daily", "style": "strict", "volume": "high"}

    main(page).get_by_role("link", name=re.compile("to the calculator")).click()
    expect(main(page).get_by_role("heading", level=1)).to_have_text(re.compile("Calculator"))
    finished(page)
    copied = page.url

    elsewhere = browser.new_context(viewport={"width": 1440, "height": 900})
    fresh = elsewhere.new_page()
    fresh.set_default_timeout(120_000)
    fresh.goto(copied)
    expect(main(fresh).get_by_role("heading", level=1)).to_have_text(re.compile("Calculator"))
    finished(fresh)
    whole = shared(fresh.url)
    assert whole["advisor"]["answers"] == answers
    assert whole["calculator"]["inputs"]["queries"] == 3_000_000
    assert whole["calculator"]["origins"]["queries"] == "advisor: “3 million questions a month”"

    fresh.goto(copied.replace("/calculator", "/playground"))
    price = next(each.question for each in BRIGHTWATER.suggestions if each.label == "A price that changed")
    expect(main(fresh).get_by_label("Question", exact=True)).to_have_value(price)

    fresh.goto(copied.replace("/calculator", "/advisor"))
    expect(main(fresh).get_by_text("Recommendation: Hybrid")).to_be_visible()
    elsewhere.close()
