"""The standard pair, really: llama.cpp, PyTorch and our merging agree about it. The one module that fetches it.

qwen2 has biases on q, k and v, keeps the rows of q and k in order, and stores its output table beside the input table:
a wrong order, scale or table shows at once in the log-probabilities.
"""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from gguf import GGUFReader

from core.errors import Problem
from core.paths import ROOT
from core.weights import catalog, manifest, merge
from tests.conftest import _missing

ALONE = json.loads(Path(__file__).with_name("standard_golden.json").read_text(encoding="utf-8"))
ADAPTER = ROOT / "models" / "adapter" / "brightwater-standard.gguf"
TUNED = json.loads((ROOT / "models" / "adapter" / "golden_logits-standard.json").read_text(encoding="utf-8"))
HELPER = Path(__file__).with_name("llama_logits.py")
BASE, FINE_TUNED = "qwen2.5-coder-0.5b-instruct", "qwen2.5-coder-0.5b-brightwater"
# Mean over the 20 likeliest tokens. Found: base 0.35, fine-tune 0.65 (as Q8_0 0.11); without the adapter 4.5.
FOUR_BITS = 1.0
pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def pair(real_home):
    """The files of base and fine-tune; made here, unless RR_TEST_HOME has them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RR_HOME", str(real_home))
        try:
            return [catalog.ensure(name).path for name in (BASE, FINE_TUNED)]
        except Problem as problem:
            _missing(f"the standard pair is not to be had: {problem.message}")


@pytest.fixture(scope="module")
def shipped(pair):
    """The file that both are made from."""
    return pair[0].parent / manifest.load().models[BASE].source.files[0].name


def found(golden, model, adapter=None):
    """The top tokens and the log-probabilities (prompts, 20) of the golden ids."""
    asked = {"prompts": [row["tokens"] for row in golden], "ids": [row["ids"] for row in golden]}
    command = [sys.executable, str(HELPER), str(model), *([str(adapter)] if adapter else [])]
    done = subprocess.run(command, input=json.dumps(asked), capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]
    answer = json.loads(done.stdout)
    return answer["top"], np.array(answer["logprobs"])


def gap(golden, logprobs):
    return float(np.abs(logprobs - np.array([row["logprobs"] for row in golden])).mean())


def agrees(golden, got, limit):
    top, logprobs = got
    wanted = np.array([row["logprobs"] for row in golden])
    sure = wanted[:, 0] - wanted[:, 1] > 1
    assert sure.sum() >= 2
    assert (np.array(top) == np.array([row["ids"][0] for row in golden]))[sure].all()
    assert gap(golden, logprobs) < limit, gap(golden, logprobs)


def test_the_file_as_shipped_is_the_same_model_in_llama_cpp_and_pytorch(shipped):
    assert merge.sha256(shipped) == manifest.load().models[BASE].source.files[0].sha256
    agrees(ALONE, found(ALONE, shipped), 0.2)


def test_the_served_copy_of_the_base_is_the_same_model(pair):
    agrees(ALONE, found(ALONE, pair[0]), FOUR_BITS)


def test_the_adapter_at_run_time_is_the_model_that_was_trained(shipped):
    agrees(TUNED, found(TUNED, shipped, ADAPTER), 0.3)
    assert gap(TUNED, found(TUNED, shipped)[1]) > 1  # the comparison would see a missing adapter


def test_merged_by_numpy_it_is_the_same_model(pair):
    agrees(TUNED, found(TUNED, pair[1]), FOUR_BITS)
    kinds = {tensor.name: tensor.tensor_type.name for tensor in GGUFReader(pair[1]).tensors}
    assert kinds["blk.0.ffn_up.weight"] == "Q4_0" and kinds["blk.0.attn_q.bias"] == "F32"
    assert {kinds[f"{name}.weight"] for name in ("output", "token_embd", "blk.0.ffn_down", "blk.0.attn_q")} == {"Q8_0"}


def test_the_adapter_is_small_and_names_base_licence_and_changes(shipped):
    assert ADAPTER.stat().st_size < 20_000_000
    notes = {field.name: field.contents() for field in GGUFReader(ADAPTER).fields.values()}
    assert notes["general.license"] == "apache-2.0" and notes["derivation.changes"]
    assert notes["general.base_model.0.name"] == "Qwen2.5-Coder-0.5B-Instruct"
    assert notes["derivation.base_sha256"] == merge.sha256(shipped)
