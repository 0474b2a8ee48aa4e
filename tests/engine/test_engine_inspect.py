"""`python -m core inspect`: the description, the verdict, and one line on what must not be loaded."""

import json
from pathlib import Path

import pytest

from core.__main__ import main
from tests.engine import tiny


def test_a_sound_file_is_described_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tiny.write(tmp_path / "sound.gguf")
    assert main(["inspect", str(path), "--json", "--context", "256"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert {"architecture", "parameters", "quantization_mix", "trained_context", "tokenizer", "chat_template"} <= set(
        found
    )
    assert {"template_sha256", "license", "compatibility", "estimated_memory", "verdict", "sha256"} <= set(found)
    assert (found["verdict"], found["context"]) == ("may be loaded", 256)
    assert [entry["fits"] for entry in found["compatibility"]] == [False, False]  # the bundled adapters are for others


def test_a_file_without_licence_and_template_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inspect", str(tiny.write(tmp_path / "bare.gguf", template=None)), "--json"]) == 0
    assert "No chat template" in json.loads(capsys.readouterr().out)["notes"][0]


@pytest.mark.parametrize("content", [b"", b"GGUF", b"not a model\n\n\n", b"GGUF" + b"\xff" * 100])
def test_a_bad_file_is_one_line_and_status_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes
) -> None:
    path = tmp_path / "bad.gguf"
    path.write_bytes(content)
    assert main(["inspect", str(path), "--json"]) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1 and "bad.gguf must not be loaded" in err


def test_another_hash_than_expected_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tiny.write(tmp_path / "other.gguf")
    assert main(["inspect", str(path), "--sha256", "0" * 64]) == 2
    assert "SHA-256" in capsys.readouterr().err


@pytest.mark.parametrize("context", ["0", "-5", "99999999999", "many"])
def test_an_impossible_context_is_refused(tmp_path: Path, context: str) -> None:
    assert main(["inspect", str(tiny.write(tmp_path / "x.gguf")), "--context", context]) == 2
