"""A first-time user walks from a preset to a verdict, its reasons and a link, in a real browser; clicks are counted."""

import re

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser
expect.set_options(timeout=60_000)  # a first visit on a busy machine


class Walk:
    """Clicks, counted and noted."""

    def __init__(self, page) -> None:
        self.page = page
        self.main = page.get_by_test_id("stMainBlockContainer")
        self.clicks: list[str] = []

    def click(self, what: str, target) -> None:
        target.click()
        self.clicks.append(what)

    def verdict(self):
        return self.main.locator(".st-key-verdict h2")


def test_a_first_time_user_reaches_a_verdict_from_a_preset_in_two_clicks(page, server):
    page.goto(f"{server.url}/calculator")
    walk = Walk(page)
    expect(walk.verdict()).to_contain_text("Retrieval")  # a verdict is there before any click
    walk.click("open the use cases", walk.main.locator(".st-key-calculator_preset").get_by_role("combobox"))
    walk.click("pick one", page.get_by_role("option", name="Company policies in the brand's tone"))
    expect(walk.verdict()).to_contain_text("Prompt only: it meets every target")
    expect(walk.main.get_by_text("What would flip it").first).to_be_visible()
    assert len(walk.clicks) == 2
    walk.click("why", walk.main.get_by_text("The whole verdict"))
    expect(walk.main.get_by_text(re.compile("Retrieval overtakes prompt only at"))).to_be_visible()
    walk.click(
        "see the latency",
        walk.main.get_by_role("radio", name="Latency").or_(walk.main.get_by_role("button", name="Latency")).first,
    )
    expect(walk.main.locator(".js-plotly-plot").first).to_be_visible()
    assert "s=" in page.url  # the address is the link
    again = page.context.new_page()
    again.goto(page.url)
    expect(again.locator(".st-key-verdict h2")).to_contain_text("Prompt only: it meets every target")
    again.close()


def test_a_price_typed_into_the_low_ends_lifts_the_other_end_and_says_so_beside_the_field(page, server):
    page.goto(f"{server.url}/calculator")
    walk = Walk(page)
    expect(walk.verdict()).to_contain_text("Retrieval")
    walk.main.get_by_label("Search all").fill("tokens api price of a million")
    walk.main.get_by_label("Search all").press("Enter")
    for name, price in (("price_in", "0.4"), ("price_out", "1.6")):
        low, high = (walk.main.locator(f".st-key-calculator_{name}_{end} input") for end in ("low", "high"))
        low.fill(price)
        low.press("Enter")
        expect(walk.main.get_by_text(f"so both are {price} now")).to_be_visible()
        expect(low).to_have_value(price)
        expect(high).to_have_value(price)
    expect(walk.main.get_by_test_id("stAlert")).to_have_count(0)
