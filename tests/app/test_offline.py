"""After the first fetch nothing needs a network: the four arms answer with every outside connection refused."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

CUT = """
import socket

def refuse(self, address):
    if self.family != socket.AF_UNIX and address[0] not in ("127.0.0.1", "::1", "localhost"):
        raise OSError(101, "Network is unreachable (cut by the test)")
    return real(self, address)

real, socket.socket.connect = socket.socket.connect, refuse
def resolve(*args, **kwargs):
    raise socket.gaierror(-3, "no name resolution (cut by the test)")
socket.getaddrinfo = resolve
"""


@pytest.fixture
def cut(tmp_path: Path) -> dict[str, str]:
    """An environment in which no Python process reaches beyond this machine."""
    (tmp_path / "sitecustomize.py").write_text(CUT)
    return os.environ | {"PYTHONPATH": str(tmp_path), "PIP_NO_INDEX": "1", "HF_HUB_OFFLINE": "1"}


def test_the_cut_really_cuts(cut: dict[str, str]) -> None:
    code = "import urllib.request; urllib.request.urlopen('http://192.0.2.1/', timeout=5)"
    done = subprocess.run([sys.executable, "-c", code], env=cut, capture_output=True, text=True, check=False)
    assert "cut by the test" in done.stderr


def test_four_arms_answer_without_a_network(cut: dict[str, str], real_state: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "core", "ask", "What is the capital of France?", "--json", "--max-tokens", "24"],
        cwd=ROOT,
        env=cut | {"RR_HOME": str(real_state)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    record = json.loads(done.stdout)
    assert record["question"] == "What is the capital of France?"
    assert [arm["arm"] for arm in record["arms"]] == ["base", "base+retrieval", "fine-tuned", "fine-tuned+retrieval"]
    for arm in record["arms"]:
        assert arm["answer"].strip() and arm["prompt"] and arm["model"]["file_sha256"], arm
        assert arm["timing"]["ttft_total"] >= arm["timing"]["ttft_engine"] > 0
        assert arm["tokens"]["prompt"] > 0 and 0 < arm["tokens"]["output"] <= 24
        assert not arm["timing"]["contended"]
        assert bool(arm["passages"]) == arm["arm"].endswith("+retrieval")
        assert all({"document", "score", "text"} <= set(passage) for passage in arm["passages"])
    base, tuned = record["arms"][0]["model"], record["arms"][2]["model"]
    assert base["file_sha256"] != tuned["file_sha256"]
    assert base["quantization"] == tuned["quantization"] and base["template_sha256"] == tuned["template_sha256"]
