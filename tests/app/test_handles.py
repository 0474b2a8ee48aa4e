"""File handles: the limit is raised, and who comes when they run out is asked to wait while others go on."""

import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from core import handles

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = """
import json, os, resource, sys
sys.path.insert(0, ".")
from core import handles
hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (200, min(hard, 900)))
handles.raise_limit()
raised = handles.limit()
calm = handles.crowded()
from starlette.testclient import TestClient
import app
async def inner(scope, receive, send):
    from starlette.responses import PlainTextResponse
    await PlainTextResponse("page")(scope, receive, send)
client = TestClient(app.RoomForVisitors(inner))
pages = [client.get("/", headers={"accept": "text/html"}).status_code]
taken = [os.open(os.devnull, os.O_RDONLY) for _ in range(raised - handles.used() - 60)]
pages.append(client.get("/", headers={"accept": "text/html"}).status_code)
waiting = client.get("/", headers={"accept": "text/html"})
pages.append(client.get("/static/x.js", headers={"accept": "*/*"}).status_code)
for number in taken:
    os.close(number)
pages.append(client.get("/", headers={"accept": "text/html"}).status_code)
print(json.dumps({"raised": raised, "hard": min(hard, 900), "calm": calm, "pages": pages, "text": waiting.text,
                  "retry": waiting.headers["retry-after"]}))
"""


def test_a_visitor_waits_when_handles_run_out_and_comes_in_when_there_are_some_again() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["raised"] == found["hard"] and found["calm"] is False
    assert found["pages"] == [200, 503, 200, 200]
    assert "tries again" in found["text"] and found["retry"] == "10"


def test_threads_share_few_heaps_and_a_system_without_them_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[int, int]] = []
    monkeypatch.setattr(
        handles.ctypes, "CDLL", lambda _name: SimpleNamespace(mallopt=lambda *given: asked.append(given))
    )
    handles.few_heaps()
    assert asked[0] == (handles.ARENA_MAX, 2) and (handles.MMAP_THRESHOLD, handles.MAPPED) in asked
    monkeypatch.setattr(handles.ctypes, "CDLL", lambda _name: SimpleNamespace())
    handles.few_heaps()
