"""The mean of two adapters: between them, its ends the adapters themselves, unlike ones refused."""

import numpy as np
import pytest

from core.errors import Problem
from models.training import average, export

NAME = "blk.0.attn_q.weight.lora_a"


def adapter(folder, seed, rank=4, alpha=8.0):
    folder.mkdir()
    rng = np.random.default_rng(seed)
    matrices = {NAME: rng.normal(size=(rank, 16)).astype(np.float16)}
    metadata = {"general.license": "apache-2.0", "derivation.source_file": f"{seed}.gguf"}
    export.write_adapter(matrices, alpha, metadata, folder / "adapter.gguf")
    return folder / "adapter.gguf", matrices[NAME]


def test_the_ends_are_the_adapters_and_the_middle_their_mean(tmp_path):
    (first, a), (second, b) = adapter(tmp_path / "a", 1), adapter(tmp_path / "b", 2)
    ends = [average.mean(first, second, weight)[0][NAME] for weight in (0, 1)]
    assert (ends[0] == a).all() and (ends[1] == b).all() and not (a == b).all()
    middle, alpha, metadata = average.mean(first, second, 0.5)
    assert np.allclose(middle[NAME], (a.astype(float) + b) / 2, atol=2e-3)
    assert alpha == 8 and metadata == {"general.license": "apache-2.0", "derivation.source_file": "2.gguf"}


@pytest.mark.parametrize("other", [{"rank": 8}, {"alpha": 9.0}])
def test_adapters_that_do_not_fit_are_refused(tmp_path, other):
    (first, _), (second, _) = adapter(tmp_path / "a", 1), adapter(tmp_path / "b", 2, **other)
    with pytest.raises(Problem, match="differ in rank, alpha or layers"):
        average.mean(first, second, 0.5)


def test_bad_input_is_one_line_and_exit_status_2(tmp_path, capsys):
    file, _ = adapter(tmp_path / "a", 1)
    with pytest.raises(Problem, match="between 0 and 1"):
        average.mean(file, file, 1.5)
    (tmp_path / "b").mkdir()
    with pytest.raises(Problem, match="b holds no adapter"):
        average.mean(file, tmp_path / "b" / "adapter.gguf", 0.5)
    arguments = [str(tmp_path / "a"), str(tmp_path / "b"), "--weight", "0.5", "--out", str(tmp_path / "out")]
    assert average.main(arguments) == 2
    assert "not the output folder of a finished run" in capsys.readouterr().err
