"""The converted embedder: its tensors and vocabulary are the source's, its vectors those of the reference."""

import json
from pathlib import Path

import numpy as np
import pytest
from gguf import GGMLQuantizationType, GGUFReader
from safetensors.numpy import save_file

from core.engine import Engine
from core.errors import Problem
from core.weights import catalog, embedder

GOLDEN = json.loads(Path(__file__).with_name("embedder_golden.json").read_text(encoding="utf-8"))["rows"]
pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    made = Engine(log_folder=tmp_path_factory.mktemp("logs"))
    yield made
    made.close()


@pytest.mark.parametrize("row", GOLDEN, ids=range(len(GOLDEN)))
def test_vectors_agree_with_the_reference_forward_pass(real_state, engine, row):
    vector = engine.embed(catalog.spec("embedder"), row["text"])
    assert vector.shape == (384,)
    assert float(vector @ np.asarray(row["vector"])) >= 0.998


def test_near_texts_are_nearer_than_far_ones(real_state, engine):
    """The golden vectors could agree by a constant: order must be that of meaning, too."""
    spec = catalog.spec("embedder")
    ask, near, far = (
        engine.embed(spec, text)
        for text in ("How do I get my money back?", "Refunds are paid within a week.", "The pump needs a new seal.")
    )
    assert ask @ near > ask @ far + 0.1


@pytest.mark.parametrize("row", GOLDEN, ids=range(len(GOLDEN)))
def test_token_counts_agree_with_the_reference_tokenizer(real_state, engine, row):
    """The engine counts the text's own tokens; the reference adds [CLS] and [SEP]."""
    assert engine.tokens(catalog.spec("embedder"), row["text"]) == len(row["tokens"]) - 2


def test_quantized_weights_stay_within_half_a_step_of_the_source(real_state):
    from safetensors.numpy import load_file

    folder = catalog.default().weights
    source = load_file(folder / "all-MiniLM-L6-v2.safetensors")["encoder.layer.3.intermediate.dense.weight"]
    tensors = {tensor.name: tensor for tensor in GGUFReader(catalog.spec("embedder").path).tensors}
    blocks = np.asarray(tensors["blk.3.ffn_up.weight"].data).reshape(-1, 34)
    scale = blocks[:, :2].copy().view(np.float16).astype(np.float32)
    values = blocks[:, 2:].view(np.int8) * scale
    assert np.all(np.abs(values - source.reshape(-1, 32)) <= 0.5001 * scale + np.abs(source.reshape(-1, 32)) * 2e-3)
    assert tensors["blk.3.ffn_up.bias"].tensor_type == GGMLQuantizationType.F32


def test_the_vocabulary_is_whole_and_in_order(real_state):
    path = catalog.vocab()
    assert path is not None
    words = path.read_text(encoding="utf-8").splitlines()
    tokens = GGUFReader(catalog.spec("embedder").path).get_field("tokenizer.ggml.tokens").contents()
    assert [embedder._phantom_space(word) for word in words] == tokens


def weights(**changed: np.ndarray) -> dict[str, np.ndarray]:
    tensors = {
        "embeddings.word_embeddings.weight": np.zeros((6, 384), np.float32),
        "embeddings.position_embeddings.weight": np.zeros((512, 384), np.float32),
    }
    return tensors | changed


@pytest.mark.parametrize(
    "tensors, vocabulary, said",
    [
        (weights(), "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n", "does not fit"),
        (weights(), "a\nb\nc\nd\ne\nf\n", "special tokens"),
        (
            weights(**{"embeddings.position_embeddings.weight": np.zeros((128, 384), np.float32)}),
            "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nx\n",
            "positions",
        ),
    ],
)
def test_other_weights_or_vocabularies_are_refused(tmp_path, tensors, vocabulary, said):
    save_file(tensors, tmp_path / "w.safetensors")
    (tmp_path / "vocab.txt").write_text(vocabulary)
    with pytest.raises(Problem, match=said):
        embedder.convert(tmp_path / "w.safetensors", tmp_path / "vocab.txt", tmp_path / "out.gguf")


def test_a_file_that_is_no_safetensors_is_a_problem(tmp_path):
    (tmp_path / "w").write_bytes(b"\xff" * 100)
    (tmp_path / "vocab.txt").write_text("x")
    with pytest.raises(Problem, match="safetensors"):
        embedder.convert(tmp_path / "w", tmp_path / "vocab.txt", tmp_path / "out.gguf")
