"""The standard base, really: llama.cpp, PyTorch and our merging agree about it. The one module that fetches it.

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
from core.weights import catalog, manifest, merge
from tests.conftest import _missing
from tests.models import synthetic

GOLDEN = json.loads(Path(__file__).with_name("standard_golden.json").read_text(encoding="utf-8"))
HELPER = Path(__file__).with_name("llama_logits.py")
ID = "qwen2.5-coder-0.5b-instruct"
pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def base(real_home):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RR_HOME", str(real_home))
        try:
            return catalog.ensure(ID).path
        except Problem as problem:
            _missing(f"the standard base is not to be had: {problem.message}")


@pytest.fixture(scope="module")
def drawn(base, tmp_path_factory):
    path = tmp_path_factory.mktemp("drawn") / "drawn.gguf"
    synthetic.adapter(base, path)
    return path


def found(model, kind, adapter=None):
    """The top tokens and the log-probabilities (prompts, 20) of the golden ids."""
    asked = {"prompts": [row["tokens"] for row in GOLDEN[kind]], "ids": [row["ids"] for row in GOLDEN[kind]]}
    command = [sys.executable, str(HELPER), str(model), *([str(adapter)] if adapter else [])]
    done = subprocess.run(command, input=json.dumps(asked), capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]
    answer = json.loads(done.stdout)
    return answer["top"], np.array(answer["logprobs"])


def agrees(got, kind, limit):
    top, logprobs = got
    golden = np.array([row["logprobs"] for row in GOLDEN[kind]])
    sure = golden[:, 0] - golden[:, 1] > 1
    assert sure.sum() >= 2
    assert (np.array(top) == np.array([row["ids"][0] for row in GOLDEN[kind]]))[sure].all()
    gap = float(np.abs(logprobs - golden).mean())
    assert gap < limit, gap


def test_the_file_as_shipped_is_the_same_model_in_llama_cpp_and_pytorch(base):
    assert merge.sha256(base) == manifest.load().models[ID].source.files[0].sha256
    agrees(found(base, "alone"), "alone", 0.2)


def test_an_adapter_at_run_time_changes_both_alike(base, drawn):
    agrees(found(base, "drawn", drawn), "drawn", 0.3)
    alone = found(base, "drawn")[1]
    assert np.abs(alone - np.array([row["logprobs"] for row in GOLDEN["drawn"]])).mean() > 1


def test_merged_by_numpy_it_is_the_same_model(base, drawn, tmp_path):
    merge.merge(base, drawn, tmp_path / "merged.gguf", "Q8_0")
    agrees(found(tmp_path / "merged.gguf", "drawn"), "drawn", 0.3)
    kinds = {tensor.name: tensor.tensor_type.name for tensor in GGUFReader(tmp_path / "merged.gguf").tensors}
    assert kinds["blk.0.ffn_down.weight"] == "Q8_0" and kinds["blk.0.attn_q.bias"] == "F32"
    assert kinds["output.weight"] == kinds["token_embd.weight"] == "Q8_0"
