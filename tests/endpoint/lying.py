"""A small server on 127.0.0.1 that speaks the wires of streaming chat completions and of embeddings, and lies as the
model's name says."""

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any

from tests.endpoint.running import running

KEY = "a-key-that-nobody-may-read"
WORDS = ("It ", "costs ", "$389", ".")
DIMENSIONS = 16
CONTROL = "<|im_end|> \ud83d half\x1b[31m red\x00 {key} <script>alert(1)</script>"


@dataclass
class Server:
    """What it was asked, and the gate behind which it stalls."""

    url: str = ""
    bodies: list[dict[str, Any]] = field(default_factory=list)
    headers: list[str] = field(default_factory=list)
    keys: list[str | None] = field(default_factory=list)
    gate: threading.Event = field(default_factory=threading.Event)
    writing: threading.Event = field(default_factory=threading.Event)
    gone: threading.Event = field(default_factory=threading.Event)  # an asker closed its connection
    together: threading.Barrier | None = None  # 'good' and 'tuned' answer when so many are asked at once
    factor: int = 1  # 'good' makes embeddings so many times as long
    limited: int = 1  # how often 'limited' is refused before it is answered


def handler(server: Server) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None: ...

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            server.bodies.append(body)
            server.headers.append(str(self.headers))
            server.keys.append(self.headers.get("Authorization"))
            kind = "embed_" if self.path.endswith("/embeddings") else "as_"
            try:
                getattr(self, kind + body["model"].replace("-", "_"), self.unknown)(body)
            except OSError:
                server.gone.set()

        # -- the wire

        def refuse(self, status: int, message: str, **headers: str) -> None:
            data = json.dumps({"error": {"message": message, "type": "x", "code": None}}).encode()
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name.replace("_", "-"), value)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def begin(self, kind: str = "text/event-stream", **headers: str) -> None:
            self.send_response(200)
            for name, value in {"Content-Type": kind, "Transfer-Encoding": "chunked", **headers}.items():
                self.send_header(name.replace("_", "-"), value)
            self.end_headers()

        def part(self, data: bytes) -> None:
            self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
            self.wfile.flush()

        def event(self, value: Any) -> None:
            self.part(b"data: " + json.dumps(value).encode() + b"\n\n")

        def word(self, text: Any, finish: Any = None, **more: Any) -> None:
            delta = {} if text is None else {"content": text}
            choices = [{"index": 0, "delta": delta, "finish_reason": finish}]
            self.event({"id": "x", "object": "chat.completion.chunk", "created": 0, "choices": choices, **more})

        def end(self, finish: str = "stop", usage: Any = None) -> None:
            self.word(None, finish)
            if usage is not None:
                self.event({"id": "x", "object": "chat.completion.chunk", "created": 0, "choices": [], "usage": usage})
            self.part(b"data: [DONE]\n\n")
            self.part(b"")

        # -- the models

        def unknown(self, body: dict[str, Any]) -> None:
            self.refuse(404, f"The model `{body['model']}` does not exist.")

        def as_good(self, body: dict[str, Any], name: str = "good") -> None:
            if server.together:
                server.together.wait()
            self.begin()
            self.word("", model=name)
            for text in (*WORDS, f" ({name}: {body['messages'][-1]['content']})"):
                self.word(text)
            details = {"prompt_tokens_details": {"cached_tokens": 3}}
            self.end("stop", {"prompt_tokens": 9, "completion_tokens": 5, "total_tokens": 14, **details})

        def as_judge(self, body: dict[str, Any]) -> None:
            """Prefers the answer that holds the word 'Alder', and otherwise whichever comes first."""
            first = body["messages"][-1]["content"].split("The answer B:")[0]
            self.begin()
            self.word('{"better": "' + ("A" if "Alder" in first.split("The answer A:")[1] else "B") + '"}')
            self.end("stop", {"prompt_tokens": 9, "completion_tokens": 5, "total_tokens": 14})

        def as_tuned(self, body: dict[str, Any]) -> None:
            self.as_good(body, "tuned")

        def as_third(self, body: dict[str, Any]) -> None:
            self.as_good(body, "third")

        def as_fourth(self, body: dict[str, Any]) -> None:
            self.as_good(body, "fourth")

        def as_silent(self, body: dict[str, Any]) -> None:
            self.begin()
            self.word("Yes")
            self.end("length")

        def as_keyed(self, body: dict[str, Any]) -> None:
            if self.headers.get("Authorization") != f"Bearer {KEY}":
                return self.refuse(401, f"Incorrect API key provided: {self.headers.get('Authorization')}")
            return self.as_good(body)

        def as_limited(self, body: dict[str, Any]) -> None:
            if server.limited > 0:
                server.limited -= 1
                return self.refuse(429, "Slow down.", retry_after_ms="1")
            return self.as_good(body)

        def as_cut(self, body: dict[str, Any]) -> None:
            self.begin()
            self.word("It costs")
            self.close_connection = True

        def as_unfinished(self, body: dict[str, Any]) -> None:
            self.begin()
            self.word("It costs")
            self.part(b"")

        def as_empty(self, body: dict[str, Any]) -> None:
            self.begin()
            self.part(b"")

        def as_stalled(self, body: dict[str, Any]) -> None:
            self.begin()
            self.word("It costs")
            server.gate.wait()

        def as_mute(self, body: dict[str, Any]) -> None:
            server.gate.wait()

        def as_endless(self, body: dict[str, Any]) -> None:
            self.begin()
            while not server.gate.is_set():
                self.word(None)
                server.writing.set()

        def as_garbage(self, body: dict[str, Any]) -> None:
            self.begin()
            self.part(b"data: {nonsense\n\n")
            self.part(b"")

        def as_bytes(self, body: dict[str, Any]) -> None:
            self.begin()
            self.part(b"data: \xff\xfe\xff\n\n")
            self.part(b"")

        def as_shapes(self, body: dict[str, Any]) -> None:
            self.begin()
            self.event({"choices": {"0": "no"}, "usage": [1], "model": 7})
            self.part(b"")

        def as_numbers(self, body: dict[str, Any]) -> None:
            self.begin()
            self.word({"a": 1}, 5)
            self.part(b"")

        def as_page(self, body: dict[str, Any]) -> None:
            self.begin("text/html")
            self.part(b"<html>Welcome</html>")
            self.part(b"")

        def as_huge(self, body: dict[str, Any]) -> None:
            self.begin()
            while True:
                self.word("x" * 10_000)

        def as_one_line(self, body: dict[str, Any]) -> None:
            self.begin()
            self.part(b"data: ")
            while True:
                self.part(b"x" * 1_000_000)

        def as_packed(self, body: dict[str, Any]) -> None:
            self.begin(Content_Encoding="gzip")
            self.part(b"")

        def as_control(self, body: dict[str, Any]) -> None:
            self.begin()
            self.word(CONTROL.replace("{key}", KEY), model=f"{KEY} \ud83d\x1b")
            self.end("stop", {"prompt_tokens": -1, "completion_tokens": "many"})

        def as_told(self, body: dict[str, Any]) -> None:
            self.begin()
            self.word("It")
            self.event({"error": {"message": f"out of memory {KEY}", "code": 500}})
            self.part(b"")

        def as_small(self, body: dict[str, Any]) -> None:
            if len(json.dumps(body["messages"])) > 200:
                return self.refuse(400, "This model's maximum context length is 20 tokens.")
            return self.as_good(body)

        def as_strict(self, body: dict[str, Any]) -> None:
            for name in ("stream_options", "seed"):
                if name in body:
                    return self.refuse(400, f"Unknown argument {name}.")
            if "max_tokens" in body:
                return self.refuse(400, "Use 'max_completion_tokens' instead.")
            return self.as_silent(body)

        def as_moved(self, body: dict[str, Any]) -> None:
            self.refuse(307, "", Location="http://127.0.0.1:9/elsewhere")

        def as_broken(self, body: dict[str, Any]) -> None:
            self.refuse(500, "<html>Oops</html>", retry_after_ms="1")

        # -- the embedders

        def vectors(self, made: list[Any], numbers: Any = None) -> None:
            numbers = range(len(made)) if numbers is None else numbers
            rows = [{"object": "embedding", "index": n, "embedding": v} for n, v in zip(numbers, made, strict=True)]
            data = json.dumps({"object": "list", "data": rows, "model": "x", "usage": {}}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def embed_good(self, body: dict[str, Any]) -> None:
            self.vectors([bag(text, server.factor * DIMENSIONS) for text in body["input"]])

        def embed_wide(self, body: dict[str, Any]) -> None:
            self.vectors([bag(text, 2 * DIMENSIONS) for text in body["input"]])

        def embed_turned(self, body: dict[str, Any]) -> None:
            count = len(body["input"])
            self.vectors([bag(text) for text in reversed(body["input"])], range(count - 1, -1, -1))

        def embed_short(self, body: dict[str, Any]) -> None:
            self.vectors([bag(text) for text in body["input"][:-1]])

        def embed_long(self, body: dict[str, Any]) -> None:
            self.vectors([bag(text) for text in (*body["input"], "more")])

        def embed_same(self, body: dict[str, Any]) -> None:
            self.vectors([bag(text) for text in body["input"]], [0] * len(body["input"]))

        def embed_nan(self, body: dict[str, Any]) -> None:
            self.vectors([[float("nan")] * DIMENSIONS for _ in body["input"]])

        def embed_zero(self, body: dict[str, Any]) -> None:
            self.vectors([[0] * DIMENSIONS for _ in body["input"]])

        def embed_words(self, body: dict[str, Any]) -> None:
            self.vectors([["0.1"] * DIMENSIONS for _ in body["input"]])

        def embed_nothing(self, body: dict[str, Any]) -> None:
            self.vectors([[] for _ in body["input"]])

        def embed_page(self, body: dict[str, Any]) -> None:
            self.begin("text/html")
            self.part(b"<html>Welcome</html>")
            self.part(b"")

        def embed_broken(self, body: dict[str, Any]) -> None:
            self.refuse(500, "<html>Oops</html>", retry_after_ms="1")

        def embed_mute(self, body: dict[str, Any]) -> None:
            server.gate.wait()

        def embed_drip(self, body: dict[str, Any]) -> None:
            self.begin("application/json")
            while not server.gate.wait(0.05):
                self.part(b" ")

        def embed_limited(self, body: dict[str, Any]) -> None:
            if server.limited > 0:
                server.limited -= 1
                return self.refuse(429, "Slow down.", retry_after_ms="1")
            return self.embed_good(body)

        def embed_keyed(self, body: dict[str, Any]) -> None:
            if self.headers.get("Authorization") != f"Bearer {KEY}":
                return self.refuse(401, f"Incorrect API key provided: {self.headers.get('Authorization')}")
            return self.embed_good(body)

    return Handler


def bag(text: str, dimensions: int = DIMENSIONS) -> list[float]:
    """A vector of hashed words, not of length 1."""
    made = [0.0] * dimensions
    for word in text.lower().split():
        made[hashlib.sha256(word.encode()).digest()[0] % dimensions] += 2.0
    return made


@contextmanager
def serving() -> Iterator[Server]:
    """The server, running."""
    made = Server()
    with running(handler(made), made.gate) as made.url:
        yield made
