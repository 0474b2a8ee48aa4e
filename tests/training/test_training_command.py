"""The training command's own inputs: a user's JSONL, settings, learning rate. No PyTorch here."""

import json
import subprocess
import sys

import numpy as np
import pytest
from gguf import GGUFWriter

from core.errors import Problem
from core.paths import ROOT
from models.training import architecture, export, run, samples
from models.training.chat import messages
from models.training.settings import PRESETS, Settings, rate


def test_a_users_jsonl_becomes_chats_of_the_one_prompt(tmp_path):
    file = tmp_path / "mine.jsonl"
    rows = [{"prompt": "Hi?", "completion": "Ho."}, {"prompt": "Q", "completion": "A", "passages": ["one", "two"]}]
    file.write_text("\n".join(map(json.dumps, rows)) + "\n\n", encoding="utf-8")
    first, second = samples.read_jsonl(file)
    assert first.prompt == messages("Hi?") and first.completion == "Ho."
    assert second.prompt == messages("Q", ["one", "two"])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "no samples"),
        (b"\n\n", "no samples"),
        (b"{", "line 1: not JSON"),
        (b'{"prompt": "a", "completion": "b"}\n[]', "line 2: needs the strings"),
        (b'{"prompt": "a", "completion": 3}', "line 1: needs the strings"),
        (b'{"prompt": " ", "completion": "b"}', "line 1: needs the strings"),
        (b'{"prompt": "a", "completion": "b", "passages": "x"}', "passages must be a list"),
        (b'{"prompt": "a", "completion": "b", "passages": [1]}', "passages must be a list"),
        (b'{"messages": [{"role": "assistant", "content": "b"}]}', "at least two"),
        (b'{"messages": [{"role": "user", "content": "a"}, {"role": "user", "content": "b"}]}', "last message"),
        (b'{"messages": [{"role": "user", "content": 1}, {"role": "assistant", "content": "b"}]}', "strings role"),
        (b"\xff\xfe", "not UTF-8"),
    ],
)
def test_bad_data_is_refused_with_its_line(tmp_path, content, message):
    file = tmp_path / "bad.jsonl"
    file.write_bytes(content)
    with pytest.raises(Problem, match=message):
        samples.read_jsonl(file)


def test_a_missing_data_file_is_named(tmp_path):
    with pytest.raises(Problem, match="No data file"):
        samples.read_jsonl(tmp_path / "none.jsonl")


class Words:
    """A tokenizer for the test: one token a word, a chat template of its own."""

    eos_token_id = 0

    def apply_chat_template(self, chat, add_generation_prompt, tokenize):
        return " ".join(message["content"] for message in chat)

    def __call__(self, text, add_special_tokens):
        return type("Ids", (), {"input_ids": [len(word) for word in text.split()]})


def test_the_completion_ends_with_the_end_of_turn_and_long_samples_are_refused():
    sample = samples.Sample(({"role": "user", "content": "one three"},), "four")
    made = samples.tokens(sample, Words(), limit=10)
    assert (made.prompt, made.completion) == ((3, 5), (4, 0))
    with pytest.raises(Problem, match="limit is 3"):
        samples.tokens(sample, Words(), limit=3)


def test_the_learning_rate_rises_to_its_peak_and_falls_to_a_fiftieth():
    settings = Settings(learning_rate=1e-3, warm_up=0.1)
    rates = [rate(step, 200, settings) for step in range(200)]
    peak = rates.index(max(rates))
    assert rates[peak] == pytest.approx(1e-3) and 15 <= peak <= 21
    assert rates[: peak + 1] == sorted(rates[: peak + 1])
    assert rates[peak:] == sorted(rates[peak:], reverse=True)
    assert rates[-1] == pytest.approx(2e-5)


def test_presets_differ_in_size_only():
    assert PRESETS["cpu"].rank == PRESETS["gpu"].rank
    assert PRESETS["gpu"].tokens_per_step > PRESETS["cpu"].tokens_per_step


@pytest.mark.parametrize("heads", [1, 3, 9])
def test_rows_of_heads_come_back_from_the_gguf_order(heads):
    rows = np.arange(heads * 8 * 5.0).reshape(heads * 8, 5)
    assert (export.unpermute(export.permute(rows, heads), heads) == rows).all()
    assert not (export.permute(rows, heads) == rows).all()


def test_a_run_starts_only_from_a_finished_runs_folder(tmp_path):
    with pytest.raises(Problem, match=r"holds no adapter\.gguf"):
        run._start(None, tmp_path)
    (tmp_path / "adapter.gguf").touch()
    with pytest.raises(Problem, match=r"holds no training\.json"):
        run._start(None, tmp_path)


def gguf_of(path, kind):
    writer = GGUFWriter(path, kind)
    writer.add_tensor("token_embd.weight", np.zeros((4, 32), np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


@pytest.mark.parametrize("kind", ["llama", "qwen2", "gemma3"])
def test_the_architectures_that_can_be_trained_are_told_from_the_header(tmp_path, kind):
    assert architecture.of(gguf_of(tmp_path / "base.gguf", kind)) == kind


def test_a_folder_says_its_architecture_in_its_configuration(tmp_path):
    (tmp_path / "config.json").write_text('{"model_type": "gemma3_text"}')
    assert architecture.of(tmp_path) == "gemma3"


@pytest.mark.parametrize("text", [None, "{", "[]", '{"model_type": "bert"}', "{}"])
def test_other_bases_are_refused_in_one_line(tmp_path, text):
    if text is not None:
        (tmp_path / "config.json").write_text(text)
    with pytest.raises(Problem):
        architecture.of(tmp_path)
    with pytest.raises(Problem, match="'mamba' model: bases of llama, qwen2, gemma3"):
        architecture.of(gguf_of(tmp_path / "base.gguf", "mamba"))
    with pytest.raises(Problem, match="No base model"):
        architecture.of(tmp_path / "nothing.gguf")


def test_a_base_that_cannot_be_trained_is_refused_before_anything_heavy_is_imported(tmp_path):
    base = gguf_of(tmp_path / "base.gguf", "mamba")
    code = (
        "import sys; from models.training import run; status = run.main(sys.argv[1:]); "
        "print(status, [name for name in ('torch', 'transformers', 'llama_cpp') if name in sys.modules])"
    )
    command = [sys.executable, "-c", code, "--base", str(base), "--out", str(tmp_path / "out")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT, timeout=60)
    assert done.stdout.strip() == "2 []" and done.stderr.count("\n") == 1 and "'mamba'" in done.stderr
    assert not (tmp_path / "out").exists()


def test_the_standard_pair_has_a_schedule_of_its_own():
    small = run._settings(run._arguments([]))
    standard = run._settings(run._arguments(["--pair", "standard"]))
    assert standard.learning_rate < small.learning_rate and standard.passes < small.passes
    assert run._settings(run._arguments(["--pair", "standard", "--passes", "3"])).passes == 3
