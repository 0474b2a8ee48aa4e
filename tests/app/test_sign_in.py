"""The door: nothing behind it is reached without the secret, by page, file, upload or websocket."""

import hashlib
import runpy
from pathlib import Path
from typing import Any

import pytest
from itsdangerous import TimestampSigner
from starlette.middleware import Middleware
from starlette.testclient import TestClient
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocketDisconnect
from streamlit.testing.v1 import AppTest

import app
from core import access
from core.access import Attempts, Gate
from core.errors import Problem
from core.sign_in import SignIn
from tests.app import loops

ROOT = Path(__file__).resolve().parents[2]
SECRET = "correct horse ä"
HTML = {"accept": "text/html"}


async def _inside(scope: Scope, receive: Receive, send: Send) -> None:
    """What lies behind the door."""
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.send", "text": "inside"})
        return
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"inside"})


@pytest.fixture
def client() -> TestClient:
    return TestClient(SignIn(_inside, Gate(SECRET)), follow_redirects=False)


def sign_in(client: TestClient, at: str = "/", secret: str = SECRET, **headers: str) -> Any:
    return client.post(at, data={"secret": secret}, headers=HTML | headers)


PATHS = (
    *("/", "/playground?run=1", "/static/x.js", "/media/a.png", "/_stcore/health", "/_stcore/upload_file/a/b"),
    *("/healthz/", "/x/healthz", "//healthz", "/metrics", "/component/x/index.html", "/base/", "/sign-out", "/HEALTHZ"),
)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"])
def test_nothing_is_reached_without_the_secret(client: TestClient, path: str, method: str) -> None:
    found = client.request(method, f"http://testserver{path}", headers=HTML)
    assert found.status_code == 401 and "inside" not in found.text
    assert found.headers["cache-control"] == "no-store" and "set-cookie" not in found.headers


def test_health_is_open_and_the_page_asks_a_browser_only(client: TestClient) -> None:
    assert client.get("/healthz").text == "inside"
    assert "<form" in client.get("/", headers=HTML).text
    assert client.get("/static/x.js").text == "Sign in first.\n"


def test_the_websocket_is_refused_without_and_opened_with_the_cookie(client: TestClient) -> None:
    with pytest.raises(WebSocketDisconnect) as refused, client.websocket_connect("/_stcore/stream"):
        pass
    assert refused.value.code == 1008
    with pytest.raises(WebSocketDisconnect), client.websocket_connect("/healthz"):  # open to HTTP alone
        pass
    sign_in(client)
    with client.websocket_connect("/_stcore/stream") as socket:
        assert socket.receive_text() == "inside"


def test_the_right_secret_opens_where_one_wanted_to_go(client: TestClient) -> None:
    came = sign_in(client, "/base/playground?run=a%20b")
    assert (came.status_code, came.headers["location"]) == (303, "./playground?run=a%20b")
    cookie = came.headers["set-cookie"].lower()
    assert all(part in cookie for part in ("httponly", "samesite=lax", "max-age=43200", "path=/"))
    assert "secure" not in cookie and SECRET not in cookie
    assert client.get("/base/playground").text == client.get("/media/a.png").text == "inside"
    assert sign_in(client, "/story").status_code == 303  # from a tab that still asks


def test_a_redirect_stays_on_this_host(client: TestClient) -> None:
    async def ask(path: str) -> str:
        sent: list[Any] = []
        body = f"secret={SECRET.replace(' ', '+')}".encode()

        async def receive() -> Any:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        headers = [(b"content-type", b"application/x-www-form-urlencoded"), (b"host", b"here")]
        scope = {"type": "http", "method": "POST", "path": path, "query_string": b"", "headers": headers}
        await client.app(scope, receive, send)  # type: ignore[arg-type]
        return dict(sent[0]["headers"])[b"location"].decode()

    for path in ("//evil.example", "/\\evil.example", "//evil.example/%2f..", "/https://evil.example"):
        assert loops.run(ask(path)).startswith("./")


def test_behind_https_the_cookie_is_for_https_only(client: TestClient) -> None:
    assert "secure" in sign_in(client, **{"x-forwarded-proto": "https"}).headers["set-cookie"].lower()


@pytest.mark.parametrize("secret", ["", "wrong", SECRET[:-1], SECRET + "x", SECRET.upper(), "x" * 10_000, "\x00", "💥"])
def test_a_wrong_secret_is_refused(client: TestClient, secret: str) -> None:
    found = sign_in(client, secret=secret)
    assert found.status_code == 401 and "not the secret" in found.text and "set-cookie" not in found.headers
    assert client.get("/").status_code == 401


def test_attempts_are_slowed_also_right_ones_and_also_as_bearer(client: TestClient) -> None:
    for _ in range(access.FREE):
        assert client.get("/metrics", headers={"authorization": "Bearer wrong"}).status_code == 401
    slowed = sign_in(client)
    assert slowed.status_code == 429 and int(slowed.headers["retry-after"]) >= 1
    assert client.get("/metrics", headers={"authorization": f"Bearer {SECRET}".encode()}).status_code == 429  # type: ignore[dict-item]


def test_metrics_take_the_secret_as_bearer_and_pages_do_not(client: TestClient) -> None:
    bearer: Any = {"authorization": f"Bearer {SECRET}".encode()}
    assert client.get("/metrics", headers=bearer).text == "inside"
    assert client.get("/", headers=bearer).status_code == client.get("/base/metrics", headers=bearer).status_code == 401


def test_signing_out_takes_the_cookie_away(client: TestClient) -> None:
    sign_in(client)
    assert "Sign out" in client.get("/base/sign-out").text and client.get("/").status_code == 200
    left = client.post("/base/sign-out", content=b"", headers={"content-type": "application/x-www-form-urlencoded"})
    assert (left.status_code, left.headers["location"]) == (303, "./")
    assert client.get("/").status_code == 401


def test_a_tampered_old_or_foreign_token_does_not_hold(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    gate = Gate(SECRET)
    token = gate.token()
    assert gate.holds(token) and gate.token() != token
    for place in range(len(token) - 1):  # of the last letter of base64, some bits say nothing
        assert not gate.holds(token[:place] + chr(ord(token[place]) ^ 1) + token[place + 1 :])
    assert not Gate("another secret").holds(token)
    assert not gate.holds(TimestampSigner(SECRET, digest_method=hashlib.sha256).sign("x").decode())  # another use
    for bad in ("", ".", "..", "a.b.c", "ä", token + "x"):
        assert not gate.holds(bad)
        assert client.get("/", headers={"cookie": f"{access.COOKIE}={bad}".encode()}).status_code == 401  # type: ignore[dict-item]
    now = TimestampSigner.get_timestamp(TimestampSigner("x"))
    monkeypatch.setattr(TimestampSigner, "get_timestamp", lambda _self: now + access.HOURS * 3600 - 60)
    assert gate.holds(token)
    monkeypatch.setattr(TimestampSigner, "get_timestamp", lambda _self: now + access.HOURS * 3600 + 60)
    assert not gate.holds(token)
    assert client.get("/", headers={"cookie": f"{access.COOKIE}={token}"}).status_code == 401


def test_only_the_secret_opens() -> None:
    gate = Gate(SECRET)
    assert gate.opens(SECRET) and gate.opens(f" {SECRET}\n")
    assert not any(gate.opens(bad) for bad in ("", SECRET[:-1], SECRET + "x", "\udc80", SECRET.replace("ä", "a\u0308")))


def test_waits_double_end_and_are_forgotten() -> None:
    tries = Attempts()
    for _ in range(access.FREE):
        assert tries.wait("a", 0) == 0
        tries.wrong("a", 0)
    assert (tries.wait("a", 0), tries.wait("a", 1), tries.wait("b", 0)) == (1, 0, 0)
    waits = []
    for _ in range(2_000):
        tries.wrong("a", 1)
        waits.append(tries.wait("a", 1))
    assert waits[:3] == [2, 4, 8] and waits[-1] == access.LONGEST_S
    tries.wrong("a", 2 + access.FORGOTTEN_S)
    assert tries.wait("a", 2 + access.FORGOTTEN_S) == 0
    for number in range(access.MOST + 5):
        tries.wrong(f"{number}", 5_000)
    assert len(tries._wrong) == access.MOST
    tries.right(f"{access.MOST}")
    assert len(tries._wrong) == access.MOST - 1


def test_a_server_that_was_meant_to_be_closed_never_opens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert access.gate({}) is None
    file = tmp_path / "secret"
    file.write_text(f"{SECRET}\n", encoding="utf-8")
    found = access.gate({"RR_SECRET_FILE": str(file), "RR_SECRET": "short"})
    assert found is not None and found.opens(SECRET) and SECRET not in repr(found)
    file.write_bytes(b"\xff" * 20)
    for bad in ({"RR_SECRET": ""}, {"RR_SECRET": "short"}, {"RR_SECRET_FILE": ""}, {"RR_SECRET_FILE": str(file)}):
        with pytest.raises(Problem):
            access.gate(bad)
    monkeypatch.setenv("RR_SECRET", "short")
    with pytest.raises(SystemExit, match="at least 12"):
        runpy.run_path(str(ROOT / "app.py"))


def test_the_application_has_the_door_before_everything_but_its_headers() -> None:
    layers = [layer.cls for layer in app.app._user_middleware]
    assert isinstance(app.app._user_middleware[0], Middleware)
    assert layers[:2] == [app.SecurityHeaders, SignIn]
    assert TestClient(SignIn(_inside, None)).get("/").text == "inside"  # without a secret nothing changes


def test_where_a_provider_is_configured_the_pages_ask_first() -> None:
    page = AppTest.from_file(str(ROOT / "pages" / "main.py"))
    page.user = {"is_logged_in": False}
    page.run(timeout=30)
    assert [button.label for button in page.button] == ["Sign in"] and not page.exception
    assert not page.title and not page.sidebar.selectbox
