"""The committed adapter: small, licensed, and the same model under PyTorch, llama.cpp, at run time and merged."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from gguf import GGUFReader

from core.paths import ROOT
from core.weights import manifest, merge

ADAPTER = ROOT / "models" / "adapter" / "brightwater.gguf"
GOLDEN = json.loads((ROOT / "models" / "adapter" / "golden_logits.json").read_text(encoding="utf-8"))
HELPER = Path(__file__).with_name("llama_logits.py")


def logprobs(model, adapter=None):
    """Top token and log-probabilities (prompts, 20) of the golden ids."""
    asked = {"prompts": [g["tokens"] for g in GOLDEN], "ids": [g["ids"] for g in GOLDEN]}
    command = [sys.executable, str(HELPER), str(model), *([str(adapter)] if adapter else [])]
    done = subprocess.run(command, input=json.dumps(asked), capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads(done.stdout)
    return found["top"], np.array(found["logprobs"])


def gap(first, second):
    """Mean absolute difference of the log-probabilities of the golden ids (natural logarithm)."""
    return float(np.abs(first - second).mean())


GOLDEN_LOGPROBS = np.array([g["logprobs"] for g in GOLDEN])
SURE = GOLDEN_LOGPROBS[:, 0] - GOLDEN_LOGPROBS[:, 1] > 1  # prompts whose likeliest token rounding cannot change
GOLDEN_TOP = np.array([g["ids"][0] for g in GOLDEN])


def test_the_adapter_is_small_and_names_base_licence_and_changes():
    assert ADAPTER.stat().st_size < 12_000_000
    reader = GGUFReader(ADAPTER)
    notes = {f.name: f.contents() for f in reader.fields.values()}
    assert notes["general.license"] == "apache-2.0"
    assert notes["general.base_model.0.name"] == "SmolLM2-135M-Instruct"
    assert notes["derivation.changes"]
    base = manifest.load().models["base"].source.files[0]
    assert notes["derivation.base_sha256"] == base.sha256
    assert len(reader.tensors) == 30 * 7 * 2  # A and B of seven linear layers in thirty blocks


@pytest.fixture(scope="session")
def source(weights):
    return weights["base"].parent / manifest.load().models["base"].source.files[0].name


@pytest.fixture(scope="session")
def over_the_source(source):
    """The adapter at run time over the very weights it was trained on."""
    return logprobs(source, ADAPTER)


@pytest.fixture(scope="session")
def merged(weights):
    return logprobs(weights["fine-tuned"])


def test_llama_cpp_agrees_with_the_golden_logits_of_training(over_the_source):
    """Only llama.cpp's rounded activations lie between: a permutation or scale gone wrong shows at once."""
    top, found = over_the_source
    assert SURE.sum() >= 5
    assert (np.array(top) == GOLDEN_TOP)[SURE].all()
    assert gap(found, GOLDEN_LOGPROBS) < 0.2  # measured 0.10


def test_the_adapter_changes_the_model(source):
    """The comparison above would see a missing adapter."""
    _, found = logprobs(source)
    assert gap(found, GOLDEN_LOGPROBS) > 2  # measured 4.9


def test_merged_file_and_adapter_at_run_time_agree_up_to_quantization(over_the_source, merged, weights):
    """Merged Q8_0 against the adapter at run time over the Q8_0 base and over the Q4_1 source."""
    _, at_run_time = logprobs(weights["base"], ADAPTER)
    assert (np.array(merged[0]) == GOLDEN_TOP)[SURE].all()
    assert gap(merged[1], at_run_time) < 0.3  # measured 0.15
    assert gap(merged[1], over_the_source[1]) < 0.35  # measured 0.18


def test_a_derived_file_says_what_it_was_made_of(weights):
    notes = {f.name: f.contents() for f in GGUFReader(weights["fine-tuned"]).fields.values()}
    assert notes["derivation.adapter_sha256"] == merge.sha256(ADAPTER)
    assert notes["derivation.base_license"] == "apache-2.0"
    assert "LoRA" in notes["derivation.changes"]
