"""While a page of the decision loads, what it has drawn stays where it is; its table fits beside the sidebar."""

import pytest
from playwright.sync_api import Browser, Page

from tests.bench.first_view import SHIFT, visit
from tests.browser.conftest import Server


@pytest.mark.parametrize("width", [1440, 390])
@pytest.mark.parametrize("name", ["decide", "advisor", "compare"])
def test_what_is_drawn_stays_where_it_is(browser: Browser, server: Server, name: str, width: int) -> None:
    visit(browser, f"{server.url}/{name}", chart=False, width=width)  # a server's first visitor waits for imports
    for _ in range(6):  # where other programs hold the processors a stylesheet may come late
        found = visit(browser, f"{server.url}/{name}", chart=False, width=width)
        if found["own"] < SHIFT:
            return
    raise AssertionError(found["moved"])


def test_the_table_of_criteria_is_not_cut_beside_the_sidebar(page: Page, server: Server) -> None:
    page.goto(f"{server.url}/compare")
    scroller = page.locator(".st-key-compare-table .dvn-scroller")
    scroller.wait_for()
    page.wait_for_timeout(500)
    assert scroller.evaluate("node => node.scrollWidth <= node.clientWidth")
