"""A real server and a real browser. Both are started once a session, on a free port, with the real models' folder.

No test passes in which the browser wrote an error into its console, or asked anybody but this machine.
"""

import os
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = os.environ.get("RR_CHROMIUM", "/usr/bin/chromium")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# Streamlit's own: below a page's address it looks for its server there first, is told 404, and looks one step higher.
GUESS = re.compile(r"http://127\.0\.0\.1:\d+/[a-z_]+/_stcore/(health|host-config)")
expect.set_options(timeout=60_000)  # a first visit on a busy machine
NOWHERE = ("data", "blob", "file", "about")  # addresses that no host is asked for


class Watch:
    """What went wrong in the browser's pages since it was last asked."""

    def __init__(self) -> None:
        self.faults: list[str] = []

    def over(self, context: BrowserContext) -> BrowserContext:
        context.on("console", self._said)
        context.on("weberror", lambda one: self.faults.append(f"error: {one.error}"))
        context.on("request", lambda one: self._asked(one.url))
        context.on("page", lambda page: page.on("websocket", lambda one: self._asked(one.url)))
        return context

    def take(self) -> list[str]:
        found, self.faults = self.faults, []
        return found

    def _said(self, message: ConsoleMessage) -> None:
        where = message.location["url"]
        if message.type == "error" and not ("404" in message.text and GUESS.fullmatch(where)):
            self.faults.append(f"console: {message.text} ({where})")

    def _asked(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in NOWHERE and parts.hostname != "127.0.0.1":
            self.faults.append(f"another host: {url}")


class Server:
    """One running app: ours, or the Streamlit script given, by this environment's Python or another's."""

    def __init__(
        self,
        home: Path,
        extra: dict[str, str] | None = None,
        script: Path = ROOT / "app.py",
        python: str = sys.executable,
    ) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.process = subprocess.Popen(
            [
                python,
                "-m",
                "streamlit",
                "run",
                str(script),
                "--server.headless=true",
                f"--server.port={self.port}",
            ],
            cwd=script.parent,
            env=os.environ | {"RR_HOME": str(home)} | (extra or {}),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self._until_healthy()

    def _until_healthy(self) -> None:
        deadline = time.monotonic() + 300  # a machine shared with other work
        while time.monotonic() < deadline:
            try:
                with urllib.request.urlopen(f"{self.url}/_stcore/health", timeout=2) as answer:
                    if answer.status == 200:
                        return
            except (urllib.error.URLError, OSError):
                pass
            assert self.process.poll() is None, "the server ended"
        raise AssertionError("the server did not become healthy within 300 s")

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError("SIGTERM did not end the server within 20 s") from None


@pytest.fixture(scope="session")
def watch() -> Watch:
    return Watch()


@pytest.fixture(scope="session")
def browser(watch: Watch) -> Iterator[Browser]:
    if not Path(CHROMIUM).exists():
        reason = f"no browser at {CHROMIUM}: install Debian's chromium or set RR_CHROMIUM"
        (pytest.fail if os.environ.get("RR_REQUIRE_ALL") else pytest.skip)(reason)
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        new_context = opened.new_context
        opened.new_context = lambda **given: watch.over(new_context(**given))  # whichever test opens one
        yield opened
        opened.close()


@pytest.fixture(autouse=True)
def _clean(watch: Watch) -> Iterator[None]:
    """Set up before and ended after all that a test opens."""
    watch.take()
    yield
    assert watch.take() == []


@pytest.fixture(scope="session")
def server(real_home: Path) -> Iterator[Server]:
    """The app with the real models."""
    started = Server(real_home)
    yield started
    started.stop()


@pytest.fixture
def fresh_server(real_home: Path, browser: Browser) -> Iterator[Callable[..., Server]]:
    """Starts further servers, each fresh: nothing has been visited yet. Their pages are closed before they end."""
    started: list[Server] = []

    def start(home: Path | None = None, **extra: str) -> Server:
        started.append(Server(home or real_home, extra))
        return started[-1]

    yield start
    for context in browser.contexts:
        context.close()
    for one in started:
        one.stop()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    opened = context.new_page()
    opened.set_default_timeout(60_000)
    yield opened
    context.close()
