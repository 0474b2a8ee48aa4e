"""Nobody comes in without the shared secret, where one is set: the one door before pages, files and websocket.

An ASGI middleware. The sign-in page stands at whatever address was asked for and posts to it, so that it knows no base
path; every redirect is relative. `/healthz` is open; `/metrics` also takes the secret as a bearer token. A websocket is
asked when it is opened: one that is open stays so until its tab is closed.
"""

import math
import time
from html import escape
from typing import Final
from urllib.parse import parse_qs, quote

from starlette.requests import ClientDisconnect, HTTPConnection, Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from core import access

MOST_BYTES: Final = 4_096  # of a form
FORM: Final = "application/x-www-form-urlencoded"
OPEN, MEASURED, LEAVE = "/healthz", "/metrics", "/sign-out"
FRESH: Final = {"cache-control": "no-store"}
PAGE: Final = """<!doctype html><html lang="en"><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>Retrieve or Retrain</title>
<style>:root {{ color-scheme: light dark }}
input, button {{ font: inherit; padding: .4em .6em; max-width: 100% }}</style>
<body style="font-family: sans-serif; max-width: 30em; margin: 4em auto; padding: 0 1em">
<h1>Retrieve or Retrain</h1><form method="post">{body}</form></body></html>"""
ASK: Final = """<p><label for="secret">This server asks for its shared secret.</label></p>
<p><input id="secret" name="secret" type="password" autocomplete="current-password" required autofocus>
<button>Sign in</button></p><p role="alert">{said}</p>"""
GO: Final = "<p>You are signed in on this browser.</p><p><button>Sign out</button></p>"


class SignIn:
    """Asks for the gate's secret; passes everything on where there is no gate."""

    def __init__(self, app: ASGIApp, gate: access.Gate | None) -> None:
        self._app, self._gate = app, gate
        self._attempts = access.Attempts()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        gate, kind = self._gate, scope["type"]
        if gate is None or kind == "lifespan" or (kind == "http" and scope["path"] == OPEN):
            await self._app(scope, receive, send)
        elif gate.holds(HTTPConnection(scope).cookies.get(access.COOKIE, "")):
            left = _signed_in(Request(scope)) if kind == "http" else None
            await (left or self._app)(scope, receive, send)
        elif kind == "http":
            answer = await self._stranger(gate, Request(scope, receive))
            await (answer or self._app)(scope, receive, send)
        elif kind == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008})
        else:
            raise RuntimeError(f"not HTTP and no websocket: {kind}")

    async def _stranger(self, gate: access.Gate, request: Request) -> Response | None:
        """What somebody without a token gets; None: what was asked for."""
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        if request.scope["path"] == MEASURED and scheme.lower() == "bearer":
            return self._refusal(gate, request, given.encode("latin-1").decode("utf-8", "replace"))
        if not _posted(request):
            return _asked(request)
        refused = self._refusal(gate, request, await _secret(request))
        if refused is not None:
            return refused
        answer = RedirectResponse(_here(request), 303, FRESH)
        secure = "https" in (request.url.scheme, request.headers.get("x-forwarded-proto"))
        answer.set_cookie(
            access.COOKIE, gate.token(), access.HOURS * 3600, httponly=True, samesite="lax", secure=secure
        )
        return answer

    def _refusal(self, gate: access.Gate, request: Request, given: str) -> Response | None:
        """None when that is the secret. Whoever has to wait is not even compared."""
        address, now = request.client.host if request.client else "", time.monotonic()
        seconds = math.ceil(self._attempts.wait(address, now))
        if seconds:
            return _asked(request, f"Too many attempts. Wait {seconds} s.", 429, {"retry-after": str(seconds)})
        if gate.opens(given):
            self._attempts.right(address)
            return None
        self._attempts.wrong(address, now)
        return _asked(request, "That is not the secret.")


def _signed_in(request: Request) -> Response | None:
    """What this module answers to somebody who is signed in; None: what was asked for."""
    leaving = request.scope["path"].endswith(LEAVE)
    if leaving and request.method == "GET":
        return HTMLResponse(PAGE.format(body=GO), headers=FRESH)
    if not _posted(request):
        return None
    answer = RedirectResponse("./" if leaving else _here(request), 303, FRESH)  # else: signed in in another tab
    if leaving:
        answer.delete_cookie(access.COOKIE, httponly=True, samesite="lax")
    return answer


def _posted(request: Request) -> bool:
    return request.method == "POST" and request.headers.get("content-type", "").startswith(FORM)


async def _secret(request: Request) -> str:
    """The form's secret; empty when there is none, or more than a form can hold."""
    body = b""
    try:
        async for part in request.stream():
            body += part
            if len(body) > MOST_BYTES:
                return ""
    except ClientDisconnect:
        return ""
    return parse_qs(body.decode("utf-8", "replace")).get("secret", [""])[0]


def _asked(request: Request, said: str = "", status: int = 401, headers: dict[str, str] | None = None) -> Response:
    """The sign-in page, or a line to what is no browser's page."""
    more = FRESH | (headers or {})
    if "text/html" in request.headers.get("accept", ""):
        return HTMLResponse(PAGE.format(body=ASK.format(said=escape(said))), status, more)
    return PlainTextResponse(f"{said or 'Sign in first.'}\n", status, more)


def _here(request: Request) -> str:
    """The address that was asked for, relative: it cannot lead to another host."""
    # Not from request.url, which believes what a client says of the host.
    last, query = request.scope["path"].rpartition("/")[2], request.scope["query_string"].decode("latin-1")
    return f"./{quote(last)}" + (f"?{query}" if query else "")
