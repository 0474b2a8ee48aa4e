"""A real llama_cpp.server with two tiny language models and, where its file is given, an embedder; one process."""

import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from core.project import Project
from tests.engine import tiny
from tests.retrieval.chroma_run import free_port

START_S = 180


@dataclass
class Served:
    """`url`: with /v1."""

    url: str
    process: subprocess.Popen[bytes]
    known: dict[tuple[str, str], str] = field(default_factory=dict)

    def answer(self, shown: Project, model: str, question: str) -> str:
        """What the server answers when nobody stands between: asked plainly, not through the app's client."""
        if (model, question) not in self.known:
            arm = shown.arm(model)
            chat = list(shown.instruction.messages(question, (), arm=arm, pinned=None))
            body = {"model": model, "messages": chat, "temperature": 0, "seed": 0, "stream": True}
            body["max_tokens"] = arm.sampling.max_tokens
            text = ""
            with httpx.stream("POST", f"{self.url}/chat/completions", json=body, timeout=START_S) as reply:
                for line in reply.iter_lines():
                    if line.startswith("data: {"):
                        text += json.loads(line[6:])["choices"][0]["delta"].get("content") or ""
            self.known[model, question] = text
        return self.known[model, question]


@contextmanager
def running(folder: Path, embedder: Path | None = None) -> Iterator[Served]:
    """The server, started on a free port with a configuration file in `folder`, and ended."""
    port = free_port()
    common = {"n_ctx": tiny.CONTEXT, "n_threads": 1, "n_threads_batch": 1, "verbose": False}
    models = [
        {"model": str(tiny.write(folder / f"{name}.gguf", seed=seed)), "model_alias": name, **common}
        for name, seed in (("base", 1), ("tuned", 2))
    ]
    if embedder is not None:
        models.append({"model": str(embedder), "model_alias": "embedder", "embedding": True, **common})
    chosen = {"host": "127.0.0.1", "port": port, "interrupt_requests": False, "models": models}
    (folder / "server.json").write_text(json.dumps(chosen))
    environment = {**os.environ, "CONFIG_FILE": str(folder / "server.json")}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "llama_cpp.server"], stdout=log, stderr=log, cwd=folder, env=environment
        )
    try:
        end = time.monotonic() + START_S
        while process.poll() is None and time.monotonic() < end:
            with suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/v1/models", timeout=2):
                break
            time.sleep(0.2)
        else:
            raise RuntimeError((folder / "log").read_text(errors="replace")[-2000:])
        yield Served(f"http://127.0.0.1:{port}/v1", process)
    finally:
        process.kill()
        process.wait()
