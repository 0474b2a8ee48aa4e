"""Downloads a source from a model hub: `ENDPOINT/REPOSITORY/resolve/REVISION/PATH`, resumed where it broke off.

Knows HTTP (redirects, ranges, truncation) and nothing of models. Public files only: no token is read or sent.
Proxies and certificates are those of the environment, as for any Python program (https_proxy, SSL_CERT_FILE).
"""

import http.client
import json
import os
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.text import one_line
from core.weights.manifest import File
from core.weights.sources import CHUNK, Meter, Request, Unavailable, check_cancelled, is_disk_full, pause, sha256

TIMEOUT_S = 30.0
ATTEMPTS = 4  # in a row without a new byte
PAUSE_S = 1.0


class _Broken(Exception):
    """The connection ended early; what has arrived is kept."""


@dataclass(frozen=True)
class _Part:
    """An unfinished download: the bytes so far, and the ETag that says of which version they are."""

    path: Path

    @property
    def note(self) -> Path:
        return self.path.with_name(self.path.name + ".json")

    def etag(self) -> str | None:
        try:
            found = json.loads(self.note.read_text(encoding="utf-8")).get("etag")
        except (OSError, ValueError, AttributeError):
            return None
        return found if isinstance(found, str) else None

    def size(self) -> int:
        return self.path.stat().st_size if self.path.exists() else 0

    def drop(self) -> None:
        self.path.unlink(missing_ok=True)
        self.note.unlink(missing_ok=True)


class _Redirect(urllib.request.HTTPRedirectHandler):
    """Follow redirects to web addresses, but never from https down to http."""

    def redirect_request(self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Any:
        scheme = newurl.partition(":")[0].lower()
        if scheme != "https" and (scheme != "http" or req.full_url.startswith("https:")):
            raise Unavailable("it redirects to an address that is not encrypted, or no web address")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def download(request: Request) -> str:
    """Bring every file of the source, verified, into `request.stage`. Raises Unavailable or Cancelled."""
    endpoint = (os.environ.get("HF_ENDPOINT") or request.hub).rstrip("/")
    if not endpoint.startswith(("https://", "http://")):
        raise Unavailable("no hub address: HF_ENDPOINT must start with https://")
    for file in request.source.files:
        way = request.way
        path = urllib.parse.quote(f"{way.repository}/resolve/{way.revision}/{file.hub or file.name}")
        part = _Part(request.parts / f"{file.name}.part")
        _complete(f"{endpoint}/{path}", file, part, request)
        _verify(file, part)
        part.note.unlink(missing_ok=True)
        part.path.replace(request.stage / file.name)
    return f"{request.way.repository} at {request.way.revision} from {endpoint}"


def _complete(url: str, file: File, part: _Part, request: Request) -> None:
    """Fetch until the file is whole; give up after some attempts that brought nothing new."""
    failures = 0
    while True:
        before = part.size()
        try:
            return _transfer(url, file, part, request)
        except urllib.error.HTTPError as error:
            error.close()
            if error.code == 416 and before:  # the part is longer than the file, or of another version
                part.drop()
            elif error.code not in (408, 429, 500, 502, 503, 504):
                raise Unavailable(
                    f"{file.hub or file.name}: HTTP {error.code} {one_line(str(error.reason), 60)}"
                ) from error
            reason = f"HTTP {error.code}"
        except (_Broken, OSError, http.client.HTTPException) as error:
            if isinstance(error, OSError) and is_disk_full(error):
                raise  # the disk, not the network
            reason = one_line(str(getattr(error, "reason", error)), 120)
        failures = 0 if part.size() > before else failures + 1
        if failures >= ATTEMPTS:
            raise Unavailable(f"{file.hub or file.name}: {reason}")
        pause(PAUSE_S * failures, request)


def _transfer(url: str, file: File, part: _Part, request: Request) -> None:
    """One connection: append from where the part ends if the server still has that version, else start anew."""
    have, etag = part.size(), part.etag()
    headers = {"User-Agent": "retrieve-or-retrain", "Accept-Encoding": "identity"}
    if have and etag:
        headers |= {"Range": f"bytes={have}-", "If-Range": etag}
    opener = urllib.request.build_opener(_Redirect)
    with opener.open(urllib.request.Request(url, headers=headers), timeout=TIMEOUT_S) as answer:
        if answer.status != 206 or not str(answer.headers.get("Content-Range", "")).startswith(f"bytes {have}-"):
            have = 0
        length = answer.headers.get("Content-Length")
        total = have + int(length) if length is not None and length.isdigit() else None
        if total is not None and total != file.size:
            raise Unavailable(f"{file.name} is {total:,} bytes there, the manifest says {file.size:,}")
        new = answer.headers.get("ETag")
        if new and not new.startswith("W/"):
            part.note.write_text(json.dumps({"etag": new, "url": url}), encoding="utf-8")
        meter = Meter(file.size, have)
        with part.path.open("ab" if have else "wb") as out:
            while chunk := answer.read(min(CHUNK, file.size + 1 - have)):
                check_cancelled(request)
                out.write(chunk)
                have += len(chunk)
                request.progress(min(1.0, have / file.size), f"Downloading {file.name} · {meter(have)}")
    if have < file.size:
        raise _Broken(f"the connection ended after {have:,} of {file.size:,} bytes")
    if have > file.size:
        part.drop()
        raise Unavailable(f"{file.name} is longer there than the manifest says")


def _verify(file: File, part: _Part) -> None:
    if file.sha256 is not None and sha256(part.path) != file.sha256:
        part.drop()
        raise Unavailable(f"{file.name} has another SHA-256 there than the manifest names; it was deleted")
