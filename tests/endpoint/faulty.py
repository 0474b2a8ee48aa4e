"""A proxy on 127.0.0.1 before a chat completions server: it delays, cuts, limits and lies, as the plan says.

The plan names a fault for a model and a question; each is used up at the first request, but those that end in "always".
"""

import http.client
import json
import threading
import time
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any

from tests.endpoint.running import running

SURVIVED = ("late", "dripping", "refused once", "limited once", "closed once", "packed once", "twice told")
FATAL = (
    *("mute", "stalled", "cut", "reset", "unfinished", "limited always", "broken always", "garbage", "half a line"),
    *("an error told", "an empty stream", "a page", "wrong shapes", "moved", "forbidden", "unknown"),
)
FAULTS = (*SURVIVED, *FATAL)
LATE_S = 0.3


@dataclass
class Proxy:
    """`plan`: (model, last message) -> fault. `done`: faults that were really played."""

    url: str = ""
    plan: dict[tuple[str, str], str] = field(default_factory=dict)
    done: list[str] = field(default_factory=list)
    gate: threading.Event = field(default_factory=threading.Event)


def handler(proxy: Proxy, upstream: str) -> type[BaseHTTPRequestHandler]:
    there = urllib.parse.urlsplit(upstream)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None: ...

        def do_GET(self) -> None:
            self.refuse(404, "no list")

        def do_POST(self) -> None:
            data = self.rfile.read(int(self.headers["Content-Length"]))
            body = json.loads(data)
            asked = (body["model"], str(body["messages"][-1]["content"]))
            fault = proxy.plan.get(asked, "")
            if fault and not fault.endswith("always"):
                del proxy.plan[asked]
            if fault:
                proxy.done.append(fault)
            with suppress(OSError, http.client.HTTPException):
                self.play(fault, data)

        def play(self, fault: str, data: bytes) -> None:
            status = {
                "refused once": 503, "limited once": 429, "limited always": 429, "broken always": 500, "moved": 307,
                "forbidden": 403, "unknown": 404,
            }.get(fault)  # fmt: skip
            if status:
                return self.refuse(status, f"{fault}.", **{"retry-after-ms": "1", "Location": "http://127.0.0.1:9/"})
            if fault == "closed once":
                self.close_connection = True
                return None
            if fault == "mute":
                proxy.gate.wait()
                return None
            if fault == "late":
                time.sleep(LATE_S)
            if fault in ("an empty stream", "garbage", "half a line", "a page", "wrong shapes", "packed once"):
                return self.lie(fault)
            return self.forward(fault, data)

        def refuse(self, status: int, message: str, **headers: str) -> None:
            said = json.dumps({"error": {"message": message}}).encode()
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def begin(self, kind: str = "text/event-stream", **headers: str) -> None:
            self.send_response(200)
            for name, value in {"Content-Type": kind, "Transfer-Encoding": "chunked", **headers}.items():
                self.send_header(name, value)
            self.end_headers()

        def part(self, data: bytes) -> None:
            self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
            self.wfile.flush()

        def lie(self, fault: str) -> None:
            packed = {"Content-Encoding": "gzip"} if fault == "packed once" else {}
            self.begin("text/html" if fault == "a page" else "text/event-stream", **packed)
            said = {
                "garbage": b"data: {nonsense\n\n",
                "half a line": b'data: {"choices": [{"ind',
                "a page": b"<html>Welcome</html>",
                "wrong shapes": b'data: {"choices": {"0": "no"}, "usage": [1], "model": 7}\n\n',
            }.get(fault)
            if said:
                self.part(said)
            self.part(b"")

        def forward(self, fault: str, data: bytes) -> None:
            """The server's own answer, event by event, up to where the fault comes."""
            link = http.client.HTTPConnection(there.hostname or "", there.port, timeout=60)
            headers = {"Content-Type": "application/json"}
            link.request("POST", f"{there.path}/chat/completions", data, headers)
            reply = link.getresponse()
            if reply.status != 200:
                self.send_response(reply.status)
                said = reply.read()
                self.send_header("Content-Length", str(len(said)))
                self.end_headers()
                self.wfile.write(said)
                return
            self.begin()
            sent = 0
            for line in reply:
                words = b'"content":' in line.replace(b" ", b"") and b'"content":""' not in line.replace(b" ", b"")
                if fault == "dripping":
                    for at in range(0, len(line), 40):
                        self.part(line[at : at + 40])
                else:
                    self.part(line)
                if fault == "twice told" and line.startswith(b"data: [DONE]"):
                    self.part(b"\n\ndata: [DONE]\n")
                sent += words
                if sent and self.breaks(fault):
                    link.close()
                    return
            self.part(b"")
            link.close()

        def breaks(self, fault: str) -> bool:
            """After the first words: whether the answer ends here."""
            if fault == "stalled":
                proxy.gate.wait()
            elif fault == "reset":
                self.connection.shutdown(2)
            elif fault == "unfinished":
                self.part(b"")
            elif fault == "an error told":
                self.part(b'\ndata: {"error": {"message": "out of memory", "code": 500}}\n\n')
                self.part(b"")
            elif fault != "cut":
                return False
            self.close_connection = True
            return True

    return Handler


@contextmanager
def between(upstream: str) -> Iterator[Proxy]:
    """The proxy, running before the server at `upstream`."""
    made = Proxy()
    with running(handler(made, upstream), made.gate) as made.url:
        yield made


def is_plain(line: Any) -> bool:
    """One line that a person can read."""
    return isinstance(line, str) and 10 < len(line) < 600 and "\n" not in line and "Traceback" not in line
