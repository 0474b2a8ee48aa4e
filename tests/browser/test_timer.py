"""A timer that runs a page again must not take away the run that was asked for while its tick was under way."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, WebSocketRoute, expect

from tests.browser.conftest import Server


@pytest.fixture
def timed(tmp_path: Path, browser: Browser) -> Iterator[Server]:
    started = Server(tmp_path, script=Path(__file__).with_name("timed_page.py"))
    yield started
    for context in browser.contexts:
        context.close()
    started.stop()


def test_a_timer_keeps_the_address_that_the_browser_has_not_heard_of(timed: Server, browser: Browser) -> None:
    """The server's words are held back, so that the browser's ticks bring the address of before the click.

    On a busy machine this is also where a part's run overtakes the page's own words (`pages/draw/apart.py`): without a
    container of its own the part took the text's place in 15 of 40 runs, five of them at once.
    """
    page = browser.new_page()
    held: list[str | bytes] = []
    holding = False
    routes: list[WebSocketRoute] = []

    def over(route: WebSocketRoute) -> None:
        server = route.connect_to_server()
        routes.append(route)
        server.on_message(lambda message: held.append(message) if holding or held else route.send(message))

    page.route_web_socket("**/_stcore/stream", over)
    page.goto(timed.url)
    expect(page.get_by_text("Run none, first")).to_be_visible()
    holding = True
    page.get_by_role("button", name="Ask").click()
    page.wait_for_timeout(5_000)  # the ticks go on, and one of them runs the page again
    holding = False
    while held:  # what comes meanwhile waits behind: each message builds on those before
        routes[-1].send(held[0])
        held.pop(0)  # only now: while it is sent the next one may come, and must find that something is held
    expect(page.get_by_text("Run 1, again")).to_be_visible()
