"""Small stand-ins for model files: a manifest over files of a few kilobytes, a wheel that holds them, and a hub."""

import hashlib
import http.server
import threading
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import pytest

from core.weights.catalog import Catalog
from core.weights.manifest import File, Manifest, Model, Source, Way

DISTRIBUTION, VERSION = "tiny-model", "1.0"
WHEEL = "tiny_model-1.0-py3-none-any.whl"


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@dataclass
class Tiny:
    """A source of two files with random content, and every way to get it."""

    contents: dict[str, bytes]
    folder: Path
    wheel: Path = field(init=False)

    def __post_init__(self):
        self.folder.mkdir(parents=True, exist_ok=True)
        self.wheel = self.folder / WHEEL
        with zipfile.ZipFile(self.wheel, "w") as archive:
            for name, data in self.contents.items():
                archive.writestr(f"tiny_model/{name}", data)
            info = "tiny_model-1.0.dist-info"
            archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {DISTRIBUTION}\nVersion: {VERSION}\n")
            archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
            archive.writestr(f"{info}/RECORD", "")

    def way(self, kind: str, **other: object) -> Way:
        data = self.wheel.read_bytes()
        values = {"distribution": DISTRIBUTION, "version": VERSION, "sha256": sha(data), "size": len(data)}
        return Way(kind, **(values | {"repository": "someone/tiny", "revision": "abc123"} | other))

    def source(self, *ways: Way, pinned: bool = True) -> Source:
        files = tuple(
            File(name, len(data), sha(data) if pinned else None, f"tiny_model/{name}", name)
            for name, data in self.contents.items()
        )
        return Source("tiny", "Tiny", "Apache-2.0", "nobody", files, ways)

    def catalog(self, weights: Path, *ways: Way, hub: str = "", folders: tuple[Path, ...] = (), pinned: bool = True):
        """A catalog with one model, `base`, that is the source's first file as it is."""
        weights.mkdir(parents=True, exist_ok=True)
        source = self.source(*ways, pinned=pinned)
        model = Model(
            id="base",
            pair="default",
            role="base",
            name="Tiny",
            source=source,
            file=source.files[0].name,
            quantization="F32",
            context=64,
            memory=1,
        )
        return Catalog(Manifest(hub, {"tiny": source}, {"base": model}), weights, folders)


@pytest.fixture
def tiny(tmp_path) -> Tiny:
    random = Random(7)
    return Tiny({"tiny.gguf": random.randbytes(300_000), "vocab.txt": random.randbytes(2_000)}, tmp_path / "copies")


@pytest.fixture
def shelf(tiny, tmp_path) -> Path:
    """A folder of the user's own with copies of the files."""
    folder = tmp_path / "shelf"
    folder.mkdir()
    for name, data in tiny.contents.items():
        (folder / name).write_bytes(data)
    return folder


@pytest.fixture
def own_pip(tiny, monkeypatch):
    """pip as it is, configured to know only the folder with the tiny wheel."""
    for name in ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS", "PIP_CERT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tiny.folder))
    return monkeypatch


class Hub:
    """A server with the hub's URLs: /resolve/ redirects to a storage address that knows ranges and ETags.

    `script`: what each request to the storage does, in order; when used up, requests are answered rightly.
    "cut N" breaks off after N bytes, "status S" answers S, "whole" ignores the range, "changed" serves a new version.
    """

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.script: list[str] = []
        self.ranges: list[str | None] = []
        self.asked: list[str] = []
        hub = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                hub.answer(self)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def answer(self, request: http.server.BaseHTTPRequestHandler) -> None:
        self.asked.append(request.path)
        repository, mark, rest = request.path.partition("/resolve/")
        if mark:
            return self._redirect(request, f"{repository.lstrip('/')}/{rest}")
        data = self.files.get(request.path.removeprefix("/storage/"))
        if data is None:
            return request.send_error(404)
        self.ranges.append(request.headers.get("Range"))
        return self._send(request, data, self.script.pop(0) if self.script else "")

    def _redirect(self, request, key: str) -> None:
        if key not in self.files:
            return request.send_error(404)
        request.send_response(302)
        request.send_header("Location", f"/storage/{key}")
        request.send_header("Content-Length", "0")
        return request.end_headers()

    def _send(self, request, data: bytes, act: str) -> None:
        if act.startswith("status"):
            return request.send_error(int(act.split()[1]))
        etag = '"two"' if act == "changed" else '"one"'
        start = 0
        wanted = request.headers.get("Range")
        if wanted and act != "whole" and request.headers.get("If-Range") == etag:
            start = int(wanted.removeprefix("bytes=").rstrip("-"))
            if start >= len(data):
                return request.send_error(416)
        request.send_response(206 if start else 200)
        request.send_header("ETag", etag)
        request.send_header("Content-Length", str(len(data) - start))
        if start:
            request.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        request.end_headers()
        stop = start + int(act.split()[1]) if act.startswith("cut") else len(data)
        request.wfile.write(data[start:stop])
        request.close_connection = True
        return None


@pytest.fixture
def hub(tiny, monkeypatch):
    from core.weights import hub as client

    monkeypatch.setattr(client, "PAUSE_S", 0.0)
    monkeypatch.delenv("HF_ENDPOINT", raising=False)
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    made = Hub()
    made.files = {f"someone/tiny/abc123/{name}": data for name, data in tiny.contents.items()}
    yield made
    made.server.shutdown()
    made.server.server_close()
