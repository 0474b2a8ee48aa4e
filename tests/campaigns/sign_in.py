"""Two people sign in at a provider of ours, in real browsers, and try to get at each other's private project.

    PYTHONPATH=FOLDER_WITH_AUTHLIB python tests/campaigns/sign_in.py [--write]

The whole of Streamlit's st.login: redirect, consent, code with PKCE, signed token, cookie, sign-out. Then: links to a
project, run, evaluation and job of the other's; forged, cut and foreign cookies; a handover while a page is open; a
person renamed at the provider. With --write the result is kept in sign_in.json. Needs core/requirements-oidc.txt.
"""

import argparse
import base64
import hashlib
import json
import os
import secrets
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import uvicorn
from joserfc import jwt
from joserfc.jwk import RSAKey
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests.browser.conftest import CHROMIUM, FLAGS  # noqa: E402
from tests.campaigns.keeping import Keeper  # noqa: E402

CLIENT, PASSWORD = "rr", secrets.token_urlsafe(24)
TITLE, MARKS = "Takeover of Umbrella", ("Umbrella", "zeppelin", "Which word")
RUN, EVALUATION = "aaaaaaaaaaaa", "bbbbbbbbbbbb"
COOKIE = "_streamlit_user"
WAIT_MS = 180_000  # a machine shared with other work


class Provider:
    """An OpenID provider on localhost: asks who one is, believes it, and checks everything that the client sends."""

    def __init__(self, port: int) -> None:
        self.issuer, self.key = f"http://127.0.0.1:{port}", RSAKey.generate_key(2048, {"kid": "one"})
        self.people = {
            name: {"sub": name, "email": f"{name}@example.org", "name": name.title()} for name in ("ann", "bob")
        }
        self.codes: dict[str, dict[str, str]] = {}
        self.exchanged = 0
        routes = [
            Route("/.well-known/openid-configuration", self.about),
            Route("/keys", lambda _: JSONResponse({"keys": [self.key.as_dict(private=False)]})),
            Route("/authorize", self.authorize),
            Route("/token", self.token, methods=["POST"]),
        ]
        config = uvicorn.Config(Starlette(routes=routes), host="127.0.0.1", port=port, log_level="error")
        self.server = uvicorn.Server(config)
        threading.Thread(target=self.server.run, daemon=True).start()

    def about(self, _request: Request) -> Response:
        return JSONResponse(
            {
                "issuer": self.issuer, "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token", "jwks_uri": f"{self.issuer}/keys",
                "response_types_supported": ["code"], "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["RS256"], "code_challenge_methods_supported": ["S256"],
            }
        )  # fmt: skip

    def authorize(self, request: Request) -> Response:
        given = dict(request.query_params)
        if (who := given.pop("as", None)) is None:
            links = (f'<p><a href="?{urlencode(given | {"as": one})}">{one}</a></p>' for one in self.people)
            return HTMLResponse("<h1>Who are you?</h1>" + "".join(links).replace("&", "&amp;"))
        code = secrets.token_urlsafe(16)
        self.codes[code] = given | {"who": who}
        return RedirectResponse(f"{given['redirect_uri']}?{urlencode({'code': code, 'state': given['state']})}")

    async def token(self, request: Request) -> Response:
        form = await request.form()
        asked = self.codes.pop(str(form["code"]))  # a code is good once
        digest = hashlib.sha256(str(form["code_verifier"]).encode()).digest()
        assert base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == asked["code_challenge"], "PKCE"
        basic = base64.b64decode(request.headers["authorization"].partition(" ")[2]).decode()
        assert basic == f"{CLIENT}:{PASSWORD}", "client"
        assert form["redirect_uri"] == asked["redirect_uri"], "redirect"
        now = int(time.time())
        claims = {"iss": self.issuer, "aud": CLIENT, "iat": now, "exp": now + 300, "nonce": asked["nonce"]}
        signed = jwt.encode({"alg": "RS256", "kid": "one"}, claims | self.people[asked["who"]], self.key)
        self.exchanged += 1
        return JSONResponse({"access_token": "x", "token_type": "Bearer", "expires_in": 300, "id_token": signed})


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def app(home: Path, provider: Provider, port: int) -> Iterator[str]:
    """The app, which asks everybody to sign in at the provider."""
    url, file = f"http://127.0.0.1:{port}", home / "secrets.toml"
    file.write_text(
        f'[auth]\nredirect_uri = "{url}/oauth2callback"\ncookie_secret = "{secrets.token_urlsafe(32)}"\n'
        f'client_id = "{CLIENT}"\nclient_secret = "{PASSWORD}"\n'
        f'server_metadata_url = "{provider.issuer}/.well-known/openid-configuration"\n'
    )
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.headless=true"]
    command += [f"--server.port={port}", f"--secrets.files={file}"]
    log = (home / "log.txt").open("wb")
    environment = os.environ | {"RR_HOME": str(home), "PIP_NO_INDEX": "1"}
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
    try:
        until = time.monotonic() + 300
        while time.monotonic() < until:
            try:
                with urllib.request.urlopen(f"{url}/healthz", timeout=5):
                    break
            except OSError:
                time.sleep(0.5)
        yield url
    finally:
        process.terminate()
        process.wait(30)


def core(home: Path, *argv: str) -> str:
    """A command of the machine's owner."""
    done = subprocess.run(
        [sys.executable, "-m", "core", *argv], cwd=ROOT, env=os.environ | {"RR_HOME": str(home)},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stdout


def seed(home: Path) -> str:
    """A project with documents, questions, a run and an evaluation; gives its id."""
    os.environ["RR_HOME"] = str(home)
    from core import runtime
    from tests.project.made import evaluation, fill, run

    here = runtime.get()
    made = fill(here, TITLE)
    here.stored_runs.save(run(made, RUN))
    evaluation(here, made, EVALUATION)
    runtime.close()
    return made.id


class Walk:
    """The whole of it; `found`: what was seen, in words and counts."""

    def __init__(self, browser: Browser, url: str, provider: Provider) -> None:
        self.browser, self.url, self.provider = browser, url, provider
        self.found: dict[str, Any] = {}

    def context(self, cookies: Any = ()) -> BrowserContext:
        made = self.browser.new_context(viewport={"width": 1440, "height": 900})
        made.set_default_timeout(WAIT_MS)
        if cookies:
            made.add_cookies(cookies)
        return made

    def sign_in(self, who: str) -> tuple[BrowserContext, Page]:
        context = self.context()
        page = context.new_page()
        link, out = page.get_by_role("link", name=who, exact=True), page.get_by_role("button", name="Sign out")
        for _ in range(5):  # the app gives the provider five seconds, which a loaded machine may need longer than
            page.goto(self.url)
            page.get_by_role("button", name="Sign in").click()
            link.or_(page.get_by_text("Authentication error")).wait_for()
            if link.is_visible():
                link.click()
                page.wait_for_url(f"{self.url}/**")
                page.get_by_role("button", name="Sign").first.wait_for()
                if out.is_visible():
                    return context, page
        raise AssertionError(f"{who} could not sign in")

    def read(self, page: Page, path: str) -> str:
        """What a page shows once it stands still; the address is no part of it."""
        page.goto(f"{self.url}/{path}")
        page.get_by_role("button", name="Sign").first.wait_for()  # in or out: the script has run so far
        still = "() => document.querySelector('[data-testid=stApp]').dataset.testScriptState === 'notRunning'"
        page.wait_for_function(still)
        page.wait_for_timeout(1000)
        page.wait_for_function(still)
        return page.locator("body").inner_text()


def marks_in(text: str) -> list[str]:
    return [mark for mark in MARKS if mark in text]


def go(walk: Walk, home: Path, project: str, keeper: Keeper) -> None:
    """One after the other; raises AssertionError where something is seen that must not be."""
    found = walk.found
    ann, page = walk.sign_in("ann")
    bob, other = walk.sign_in("bob")
    people = json.loads(core(home, "project", "people", "--json"))
    assert [one["address"] for one in people] == ["ann@example.org", "bob@example.org"]
    core(home, "project", "owner", project, "--to", "ann@example.org", "--no-share")
    found["signed in, code exchanged with PKCE"] = walk.provider.exchanged
    keeper.keep("walk", found, "two people signed in")
    links = [
        "projects", f"overview?project={project}", f"setup?project={project}", f"documents?project={project}",
        f"history?project={project}", f"playground?run={RUN}", f"playground?project={project}&run={RUN}",
        f"evaluation?evaluation={EVALUATION}", f"evaluation?project={project}&evaluation={EVALUATION}",
        f"documents?job={EVALUATION}", f"finetune?project={project}", f"calculator?project={project}",
        f"story?project={project}", f"decide?project={project}",
    ]  # fmt: skip
    for link in links:
        text = walk.read(other, link)
        assert "Sign out" in text and not marks_in(text), (link, marks_in(text))
        keeper.keep("walk", found, link)
    found["links of Ann's that Bob opened and saw nothing of"] = len(links)
    for link in ("projects", f"playground?run={RUN}"):
        assert marks_in(walk.read(page, link)), link
    found["links that Ann saw it by"] = 2
    walk.read(page, "projects")
    with page.expect_download() as waiting:
        page.get_by_test_id("stDownloadButton").last.get_by_role("button").click()
    assert waiting.value.path().stat().st_size > 1000
    keeper.keep("walk", found, "Ann saw and exported hers")
    forge(walk, ann, bob, [links[0], links[5]])
    with urllib.request.urlopen(f"{walk.url}/metrics") as answer:
        assert not marks_in(answer.read().decode())
    keeper.keep("walk", found, "forged cookies refused")

    # A page of Ann's stays open on the run while, in another tab, she hands the project to Bob.
    tab = ann.new_page()
    assert marks_in(walk.read(tab, f"playground?run={RUN}"))
    walk.read(page, "projects")
    page.get_by_role("button", name="Share").click()
    page.get_by_label("Their e-mail address").fill("bob@example.org")
    page.get_by_role("button", name="Hand over").click()
    page.get_by_text("now belongs to").wait_for()
    tab.get_by_role("button", name="Ask", exact=True).click()
    tab.get_by_text("There is no").first.wait_for()
    assert not marks_in(walk.read(page, f"playground?run={RUN}"))
    assert marks_in(walk.read(other, f"playground?run={RUN}"))
    found["handed over: Ann's open tab said"] = "There is no ..."
    keeper.keep("walk", found, "handed over")

    # Bob is renamed, signs out and in: it is still his. Somebody else gets his old address: it is not theirs.
    people = walk.provider.people
    people["bob"] |= {"email": "robert@example.org", "name": "Robert"}
    people["new"] = {"sub": "another", "email": "bob@example.org", "name": "Bob"}
    other.get_by_role("button", name="Sign out").click()
    other.get_by_role("button", name="Sign in").wait_for()
    assert "Sign out" not in walk.read(other, f"playground?run={RUN}")
    _, renamed = walk.sign_in("bob")
    assert marks_in(walk.read(renamed, "projects"))
    _, stranger = walk.sign_in("new")
    assert not marks_in(walk.read(stranger, f"projects?project={project}"))
    found["renamed person keeps the project, heir of the address does not see it"] = True


def forge(walk: Walk, ann: BrowserContext, bob: BrowserContext, links: list[str]) -> None:
    """Cookies that are not what the server gave: none of them is anybody's."""
    from streamlit.web.server.starlette.starlette_app_utils import create_signed_value

    hers = next(one for one in ann.cookies() if one["name"] == COOKIE)
    his = next(one for one in bob.cookies() if one["name"] == COOKIE)
    claims = {"iss": walk.provider.issuer, "sub": "ann", "is_logged_in": True, "origin": walk.url}
    body = hers["value"].strip('"')
    forged = {
        "unsigned": json.dumps(claims),
        "signed with another secret": create_signed_value("x" * 43, COOKIE, json.dumps(claims)).decode(),
        "signed with no secret": create_signed_value("", COOKIE, json.dumps(claims)).decode(),
        "cut": body[:-3],
        "one letter changed": body[:20] + ("A" if body[20] != "A" else "B") + body[21:],
        "her body, his signature": body[: len(body) // 2] + his["value"].strip('"')[len(body) // 2 :],
        "a token for a person": next(one for one in ann.cookies() if one["name"] == f"{COOKIE}_tokens")["value"],
        "empty": "",
    }
    for name, value in forged.items():
        context = walk.context([{**hers, "value": value}])
        text = "".join(walk.read(context.new_page(), link) for link in links)
        assert "Sign in" in text and "Sign out" not in text and not marks_in(text), name
        context.close()
    walk.found["forged cookies that let nobody in"] = list(forged)
    context = walk.context([hers])
    assert marks_in(walk.read(context.new_page(), "projects")), "her own cookie, whole, is the control"
    context.close()


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--write", action="store_true")
    given = options.parse_args()
    keeper = Keeper(Path(__file__).with_suffix(".json") if given.write else None)
    keeper.begin("walk")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        home, port = Path(folder), free_port()
        project, provider = seed(home), Provider(free_port())
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        with app(home, provider, port) as url:
            going = Walk(browser, url, provider)
            go(going, home, project, keeper)
        browser.close()
    keeper.keep("walk", going.found)


if __name__ == "__main__":
    main()
