"""core.weights.merge on small made-up GGUFs: exact arithmetic, metadata kept, atomic, clear refusals."""

import hashlib
import json
import shutil
import subprocess
import sys
from collections import namedtuple

import gguf
import numpy as np
import pytest
from gguf import GGMLQuantizationType as Type
from gguf import GGUFReader, GGUFWriter

from core.__main__ import main
from core.errors import Problem
from core.weights import merge

RNG = np.random.default_rng(0)
SHAPES = {
    "token_embd.weight": (96, 64),
    "blk.0.attn_q.weight": (64, 64),
    "blk.0.ffn_down.weight": (64, 128),
    "blk.0.attn_norm.weight": (64,),
}


def write_base(path, kind=Type.F32, architecture="llama", shapes=SHAPES):
    writer = GGUFWriter(path, architecture)
    writer.add_name("Tiny")
    writer.add_license("apache-2.0")
    writer.add_block_count(1)
    writer.add_array("tokenizer.ggml.tokens", ["a", "b", "ç"])
    writer.add_array("tokenizer.ggml.token_type", [1, 1, 3])
    writer.add_bool("tokenizer.ggml.add_bos_token", False)
    values = {}
    for name, shape in shapes.items():
        value = RNG.standard_normal(shape).astype(np.float32)
        target = kind if len(shape) == 2 else Type.F32
        stored = gguf.quants.quantize(value, target)
        writer.add_tensor(name, stored, raw_dtype=target)
        values[name] = gguf.quants.dequantize(stored, target)
    finish(writer)
    return values


def write_adapter(path, pairs, alpha=8.0, architecture="llama", kind="adapter", **notes):
    writer = GGUFWriter(path, architecture)
    writer.add_string("general.type", kind)
    writer.add_string("adapter.type", "lora")
    writer.add_float32("adapter.lora.alpha", alpha)
    for key, value in notes.items():
        writer.add_string(key.replace("__", "."), value)
    for name, (a, b) in pairs.items():
        writer.add_tensor(f"{name}.lora_a", a)
        writer.add_tensor(f"{name}.lora_b", b)
    finish(writer)


def names(folder):
    return [path.name for path in folder.iterdir()]


def finish(writer):
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def read(path):
    reader = GGUFReader(path)
    fields = {f.name: f.contents() for f in reader.fields.values()}
    tensors = {t.name: gguf.quants.dequantize(np.asarray(t.data), t.tensor_type) for t in reader.tensors}
    kinds = {t.name: Type(t.tensor_type) for t in reader.tensors}
    return fields, tensors, kinds


def pair(name="blk.0.attn_q.weight", rank=4):
    rows, columns = SHAPES[name]
    return (
        RNG.standard_normal((rank, columns)).astype(np.float32),
        RNG.standard_normal((rows, rank)).astype(np.float32),
    )


@pytest.fixture
def base(tmp_path):
    path = tmp_path / "base.gguf"
    values = write_base(path)
    return path, values


def test_merging_adds_alpha_over_rank_times_b_a(base, tmp_path):
    path, values = base
    a, b = pair()
    write_adapter(tmp_path / "adapter.gguf", {"blk.0.attn_q.weight": (a, b)}, alpha=8.0)
    merge.merge(path, tmp_path / "adapter.gguf", tmp_path / "out.gguf", "F32")
    _, tensors, _ = read(tmp_path / "out.gguf")
    np.testing.assert_allclose(
        tensors["blk.0.attn_q.weight"], values["blk.0.attn_q.weight"] + 2.0 * b @ a, rtol=1e-5, atol=1e-5
    )
    for name in set(values) - {"blk.0.attn_q.weight"}:
        assert np.array_equal(tensors[name], values[name])


def test_an_adapter_of_zeros_changes_nothing_but_the_quantization(base, tmp_path):
    path, _ = base
    a, b = pair()
    write_adapter(tmp_path / "adapter.gguf", {"blk.0.attn_q.weight": (a, 0 * b)})
    merge.merge(path, tmp_path / "adapter.gguf", tmp_path / "merged.gguf")
    merge.requantize(path, tmp_path / "plain.gguf")
    _, merged, _ = read(tmp_path / "merged.gguf")
    _, plain, _ = read(tmp_path / "plain.gguf")
    assert all(np.array_equal(merged[name], plain[name]) for name in plain)


@pytest.mark.parametrize("kind", ["Q8_0", "Q5_1", "Q4_1", "Q4_0", "F16", "BF16"])
def test_requantized_weights_stay_within_half_a_step(base, tmp_path, kind):
    path, values = base
    merge.requantize(path, tmp_path / "out.gguf", kind)
    _, tensors, kinds = read(tmp_path / "out.gguf")
    assert kinds["blk.0.attn_q.weight"].name == kind
    step = {"Q8_0": 127, "Q5_1": 15, "Q4_1": 7, "Q4_0": 7, "F16": 2000, "BF16": 200}[kind]
    for name in ("blk.0.attn_q.weight", "blk.0.ffn_down.weight"):
        blocks = np.abs(values[name]).reshape(-1, 32).max(axis=1, keepdims=True)
        error = np.abs(tensors[name] - values[name]).reshape(-1, 32)
        assert (error <= blocks / step + 1e-6).all()


def test_norms_stay_exact_and_the_embedding_keeps_eight_bits(base, tmp_path):
    path, values = base
    merge.requantize(path, tmp_path / "out.gguf", "Q4_0")
    _, tensors, kinds = read(tmp_path / "out.gguf")
    assert np.array_equal(tensors["blk.0.attn_norm.weight"], values["blk.0.attn_norm.weight"])
    assert kinds["token_embd.weight"] == Type.Q8_0


def test_a_mix_keeps_attention_and_the_way_out_of_the_feed_forward_layers_wide(tmp_path):
    shapes = {"blk.0.attn_q": Type.Q8_0, "blk.0.ffn_down": Type.Q8_0, "blk.0.ffn_up": Type.Q4_0, "output": Type.Q8_0}
    writer = GGUFWriter(tmp_path / "base.gguf", "llama")
    for name in shapes:
        writer.add_tensor(f"{name}.weight", np.ones((64, 64), dtype=np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    merge.requantize(tmp_path / "base.gguf", tmp_path / "out.gguf", "Q4_0_M")
    kinds = {
        tensor.name.removesuffix(".weight"): tensor.tensor_type for tensor in GGUFReader(tmp_path / "out.gguf").tensors
    }
    assert kinds == shapes


def test_weights_already_of_the_type_are_copied_bit_for_bit(tmp_path):
    write_base(tmp_path / "base.gguf", Type.Q8_0)
    merge.requantize(tmp_path / "base.gguf", tmp_path / "out.gguf", "Q8_0")
    before, after = (GGUFReader(tmp_path / name) for name in ("base.gguf", "out.gguf"))
    for old, new in zip(before.tensors, after.tensors, strict=True):
        assert (old.name, old.tensor_type) == (new.name, new.tensor_type)
        assert np.array_equal(np.asarray(old.data), np.asarray(new.data))


def test_metadata_is_kept_and_the_derivation_added(base, tmp_path):
    path, _ = base
    a, b = pair()
    write_adapter(tmp_path / "adapter.gguf", {"blk.0.attn_q.weight": (a, b)})
    made = merge.merge(path, tmp_path / "adapter.gguf", tmp_path / "out.gguf", metadata={"derivation.note": "ours"})
    before, after = read(path)[0], read(tmp_path / "out.gguf")[0]
    kept = {k: v for k, v in before.items() if not k.startswith("GGUF.")}
    assert kept.items() <= after.items()
    source, adapter, out = (
        hashlib.sha256((tmp_path / n).read_bytes()).hexdigest() for n in ("base.gguf", "adapter.gguf", "out.gguf")
    )
    assert (after["derivation.source_sha256"], after["derivation.adapter_sha256"]) == (source, adapter)
    assert (made.source_sha256, made.adapter_sha256, made.sha256) == (source, adapter, out)
    assert after["derivation.base_name"] == "Tiny" and after["derivation.base_license"] == "apache-2.0"
    assert "LoRA" in after["derivation.changes"] and after["derivation.note"] == "ours"
    assert after["general.file_type"] == 7


def test_a_requantized_copy_still_takes_the_adapter_of_its_source(base, tmp_path):
    path, _ = base
    digest = merge.sha256(path)
    write_adapter(tmp_path / "adapter.gguf", {"blk.0.attn_q.weight": pair()}, derivation__base_sha256=digest)
    merge.requantize(path, tmp_path / "copy.gguf")
    merge.merge(tmp_path / "copy.gguf", tmp_path / "adapter.gguf", tmp_path / "out.gguf")
    assert read(tmp_path / "out.gguf")[0]["derivation.source_sha256"] == digest


def refused(tmp_path, base, message, *pairs, **options):
    write_adapter(tmp_path / "adapter.gguf", dict(pairs), **options)
    with pytest.raises(Problem, match=message):
        merge.merge(base, tmp_path / "adapter.gguf", tmp_path / "out.gguf")
    assert not (tmp_path / "out.gguf").exists()


def test_an_adapter_for_another_base_is_refused(base, tmp_path):
    path, _ = base
    name, (a, b) = "blk.0.attn_q.weight", pair()
    refused(tmp_path, path, "another base", (name, (a, b)), derivation__base_sha256="0" * 64)
    refused(tmp_path, path, "'gemma' models", (name, (a, b)), architecture="gemma")
    refused(tmp_path, path, "has shape", (name, (a, b[:32])))
    refused(tmp_path, path, "does not have", ("blk.7.attn_q.weight", (a, b)))
    refused(tmp_path, path, "ranks differ", (name, (a[:2], b)))
    refused(tmp_path, path, "not a LoRA adapter", (name, (a, b)), kind="model")
    refused(tmp_path, path, "embedding table", ("token_embd.weight", (a, b)))
    refused(tmp_path, path, "no LoRA tensors")


def test_missing_broken_and_wrong_files_are_refused(base, tmp_path):
    path, _ = base
    broken = tmp_path / "broken.gguf"
    for content in (b"", b"GGUF", b"not a model at all", path.read_bytes()[:200]):
        broken.write_bytes(content)
        with pytest.raises(Problem, match="cannot be read"):
            merge.requantize(broken, tmp_path / "out.gguf")
    with pytest.raises(Problem, match="No model file"):
        merge.requantize(tmp_path / "nowhere.gguf", tmp_path / "out.gguf")
    with pytest.raises(Problem, match="Unknown quantization"):
        merge.requantize(path, tmp_path / "out.gguf", "Q9")
    write_adapter(tmp_path / "adapter.gguf", {"blk.0.attn_q.weight": pair()})
    with pytest.raises(Problem, match="is an adapter"):
        merge.requantize(tmp_path / "adapter.gguf", tmp_path / "out.gguf")


def test_cancelling_leaves_the_old_file_and_nothing_else(base, tmp_path):
    path, _ = base
    out = tmp_path / "made" / "out.gguf"
    out.parent.mkdir()
    out.write_text("old")
    done = []
    with pytest.raises(Problem, match="Cancelled"):
        merge.requantize(path, out, progress=done.append, cancelled=lambda: len(done) >= 2)
    assert done == [0.25, 0.5]
    assert out.read_text() == "old"
    assert names(out.parent) == ["out.gguf"]


def test_a_failing_progress_callback_leaves_nothing_behind(base, tmp_path):
    path, _ = base
    out = tmp_path / "made" / "out.gguf"

    def fail(done):
        raise RuntimeError("stop")

    with pytest.raises(RuntimeError):
        merge.requantize(path, out, progress=fail)
    assert names(out.parent) == []


def test_a_full_disk_is_told_before_anything_is_written(base, tmp_path, monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(100, 99, 1))
    with pytest.raises(Problem, match="Disk full"):
        merge.requantize(base[0], tmp_path / "made" / "out.gguf")
    assert names(tmp_path / "made") == []


def test_a_disk_that_fills_up_midway_is_told_and_cleaned_up(base, tmp_path):
    """A real ENOSPC-like failure: the file size limit of a child process."""
    code = (
        "import resource,signal,sys;signal.signal(signal.SIGXFSZ,signal.SIG_IGN);"
        "resource.setrlimit(resource.RLIMIT_FSIZE,(20000,20000));"
        "from core.__main__ import main;sys.exit(main(['merge', *sys.argv[1:]]))"
    )
    out = tmp_path / "made" / "out.gguf"
    result = subprocess.run(
        [sys.executable, "-c", code, "--requantize", str(base[0]), str(out), "--quantization", "F32"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 2
    assert "error: Cannot write" in result.stderr and "Traceback" not in result.stderr
    assert names(out.parent) == []


def test_the_command_prints_json_and_refuses_in_one_line(base, tmp_path, capsys):
    assert main(["merge", "--requantize", str(base[0]), str(tmp_path / "out.gguf"), "--quantization", "F16"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["sha256"] == merge.sha256(tmp_path / "out.gguf")
    assert main(["merge", str(base[0]), str(tmp_path / "none.gguf"), str(tmp_path / "x.gguf")]) == 2
    assert capsys.readouterr().err.splitlines()[-1].startswith("error: No adapter file")
