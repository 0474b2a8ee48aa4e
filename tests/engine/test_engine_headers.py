"""The check before loading: sound files pass, broken ones are refused in one line, cheaply."""

import os
import random
import struct
from pathlib import Path

import pytest

from core.engine import check, gguf_header, host
from core.errors import Problem
from tests.engine import tiny
from tests.engine.mutations import KINDS, Kind


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.write(tmp_path_factory.mktemp("tiny") / "tiny.gguf")


@pytest.fixture(scope="module")
def header_bytes(sound: Path) -> bytes:
    return sound.read_bytes()[: gguf_header.read(sound).data_start]


def test_a_sound_file_passes_and_is_described(sound: Path) -> None:
    header = gguf_header.read(sound)
    check.check(header)
    found = check.describe(sound, header)
    assert (found["architecture"], found["vocabulary"], found["quantization"]) == ("llama", 259, "F32")
    assert found["parameters"] == sum(tensor.size for tensor in tiny.weights().values())
    assert found["template_sha256"] == gguf_header.text_sha256(tiny.TEMPLATE)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.caught == "header"], ids=lambda kind: kind.name)
def test_a_broken_header_is_refused_in_one_plain_line(kind: Kind, sound: Path, tmp_path: Path) -> None:
    path = kind.make(sound, tmp_path)
    with pytest.raises(Problem) as caught:
        check.check(gguf_header.read(path))
    assert "\n" not in caught.value.message and len(caught.value.message) < 300


def test_random_flips_raise_nothing_but_problems(header_bytes: bytes, sound: Path) -> None:
    random_, size = random.Random(5), sound.stat().st_size
    refused = 0
    for _ in range(500):
        damaged = bytearray(header_bytes)
        for _ in range(random_.randint(1, 8)):
            damaged[random_.randrange(len(damaged))] ^= 1 << random_.randrange(8)
        try:
            check.check(gguf_header.parse(bytes(damaged), size))
        except Problem as problem:
            refused += 1
            assert "\n" not in problem.message
    assert refused > 250


@pytest.mark.parametrize("size", [0, 3, 4, 8, 23, 24, 100, 1000])
def test_a_file_cut_short_is_refused(sound: Path, tmp_path: Path, size: int) -> None:
    path = tmp_path / "cut.gguf"
    path.write_bytes(sound.read_bytes()[:size])
    with pytest.raises(Problem):
        gguf_header.read(path)


def test_the_last_byte_of_the_data_must_be_there(sound: Path, tmp_path: Path) -> None:
    path = tmp_path / "cut.gguf"
    path.write_bytes(sound.read_bytes()[:-40])
    with pytest.raises(Problem, match="cut short"):
        gguf_header.read(path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes with names are POSIX's")
def test_a_pipe_a_folder_and_nothing_are_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", tmp_path, tmp_path / "nothing", Path("/dev/zero"), Path("a\0b")):
        with pytest.raises(Problem):
            gguf_header.read(path)


def test_the_memory_estimate_grows_with_the_context(sound: Path) -> None:
    header = gguf_header.read(sound)
    small, large = check.memory(header, 256), check.memory(header, 512)
    assert large - small == 2 * 256 * (2 * 2 * 2 * 16 * 2)  # sequences, tokens; layers, heads, K and V, width, bytes


def test_gpu_layers_follow_the_memory_and_the_wish() -> None:
    assert host.gpu_layers("auto", None, 30, 3_000, None) == 0
    assert host.gpu_layers("cpu", None, 30, 3_000, 10**10) == 0
    assert host.gpu_layers("auto", None, 30, 10**9, 10**11) == 31
    assert host.gpu_layers("auto", 7, 30, 10**9, 10**11) == 7
    assert host.gpu_layers("gpu", 99, 30, 10**9, 10**11) == 31
    half = host.gpu_layers("auto", None, 31, 10**10, host.GPU_RESERVE + 5 * 10**9)
    assert half == 16
    assert host.gpu_layers("auto", None, 31, 10**10, 0) == 0
    with pytest.raises(Problem, match="GPU"):
        host.gpu_layers("gpu", None, 30, 3_000, None)


@pytest.mark.parametrize(
    ("device", "wanted", "layers", "tried"),
    [
        ("auto", None, 31, [31, 15, 0]),
        ("gpu", None, 31, [31, 15]),
        ("auto", None, 1, [1, 0]),
        ("auto", 20, 20, [20]),
        ("auto", None, 0, [0]),
    ],
)
def test_a_gpu_without_room_is_tried_with_fewer_layers_unless_their_number_was_given(
    device: str, wanted: int | None, layers: int, tried: list[int]
) -> None:
    assert host.attempts(device, wanted, layers) == tried


def test_a_huge_array_length_costs_nothing(header_bytes: bytes) -> None:
    place = header_bytes.index(b"tokenizer.ggml.tokens") + len(b"tokenizer.ggml.tokens") + 8
    for length in (2**64 - 1, 2**63, 2**32, 10**6):
        damaged = header_bytes[:place] + struct.pack("<Q", length) + header_bytes[place + 8 :]
        with pytest.raises(Problem):
            gguf_header.parse(damaged, len(damaged))
