"""The ASGI application: `python -m streamlit run app.py` starts it.

It holds what concerns every page at once: security headers, sign-in, room for new visitors, and the lifespan in which
workers and store are closed.
The pages themselves start at pages/main.py.
"""

import gc
import os
import sys
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import streamlit as st
from starlette.middleware import Middleware
from starlette.responses import HTMLResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

ROOT = Path(__file__).resolve().parent
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from core import access, addresses, handles, limits, runtime, serving  # noqa: E402  (needs the path above)
from core.errors import Problem  # noqa: E402
from core.sign_in import SignIn  # noqa: E402

handles.few_heaps()

HEADERS = {
    # Charts need inline scripts and styles; nothing may be fetched from another host, so no text can leak by an image.
    "content-security-policy": "default-src 'self'; img-src 'self' data: blob:; connect-src 'self'; "
    "script-src 'self' 'unsafe-inline' 'wasm-unsafe-eval'; style-src 'self' 'unsafe-inline'; font-src 'self' data:; "
    "worker-src 'self' blob:; object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'self'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
}


class SecurityHeaders:
    """Adds HEADERS to every HTTP response."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                extra = [(name.encode(), value.encode()) for name, value in HEADERS.items()]
                message = {**message, "headers": [*message.get("headers", []), *extra]}
            await send(message)

        await self.app(scope, receive, with_headers)


WAIT_S = 10
WAIT = f"""<!doctype html><html lang="en"><meta charset="utf-8"><meta http-equiv="refresh" content="{WAIT_S}">
<title>Retrieve or Retrain</title><body style="font-family: sans-serif; max-width: 40em; margin: 4em auto">
<h1>Please wait a moment</h1><p>This server has as many open pages as it can hold. This page tries again every
{WAIT_S} seconds; it opens as soon as somebody closes one.</p></body></html>"""


class RoomForVisitors:
    """Asks whoever opens a page to wait while the process is about to run out of file handles."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app = self.app
        if scope["type"] == "http" and b"text/html" in dict(scope["headers"]).get(b"accept", b"") and handles.crowded():
            app = HTMLResponse(WAIT, 503, {"retry-after": str(WAIT_S)})
        await app(scope, receive, send)


def warm() -> None:
    """What the first visitor's first page needs is imported and opened while nobody waits, and what the others need
    after it; Plotly loads much when first used."""
    from core import glossary, overview  # noqa: F401
    from core.charts.overview import range_chart
    from pages.draw import curtain, look, present, project  # noqa: F401

    range_chart(overview.ranges("Latency"), "").to_json()
    with suppress(Problem, OSError):  # a state folder that cannot be used is for the pages to say
        runtime.get().projects.all()
    with suppress(ImportError):  # the dashboard alone
        import pages.draw.evaluation_views  # noqa: F401  (pandas, charts, tables)
    # Streamlit collects all garbage after every run of a page: what was loaded here stays, and need not be looked at.
    gc.collect()
    gc.freeze()


@asynccontextmanager
async def lifespan(_app: object) -> AsyncIterator[None]:
    """Workers must not outlive the server: SIGTERM ends the lifespan, and the lifespan ends them."""
    os.umask(0o077)  # questions, documents and logs are for the owner of the process only
    handles.raise_limit()
    runtime.serve(ASKS)
    import pandas  # noqa: F401  (Plotly takes for whole what another thread has half imported: before any page then)

    threading.Thread(target=warm, name="warm", daemon=True).start()
    yield
    runtime.close()


def asks() -> bool:
    """Whether secrets.toml has people sign in at a provider. Raises Problem when it cannot be read."""
    if not any(Path(file).exists() for file in st.config.get_option("secrets.files")):
        return False
    try:
        return "auth" in st.secrets
    except (OSError, ValueError, RuntimeError) as error:
        raise Problem(f"secrets.toml cannot be read ({type(error).__name__}): mend it, or take it away.") from None


try:
    GATE, ASKS = access.gate(os.environ), asks()
    if GATE or ASKS:  # others' projects name addresses: no key of this server goes where nobody said that it may
        os.environ.setdefault(addresses.KEYS, "")
    limits.check()
    addresses.allowed()
except Problem as problem:  # nobody may come in by a mistake in the settings
    raise SystemExit(problem.message) from None

app = st.App(
    ROOT / "pages" / "main.py",
    routes=serving.ROUTES,
    middleware=[Middleware(SecurityHeaders), Middleware(SignIn, gate=GATE), Middleware(RoomForVisitors)],
    lifespan=lifespan,
)
