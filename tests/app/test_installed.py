"""A package that is half installed is told as not installed, before anything fails halfway."""

import sys
from pathlib import Path

import pytest

from core import installed, runtime
from core.errors import Problem
from core.retrieval import chroma


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of packages, before all others."""
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


def put(packages: Path, module: str, *, code: str | None = "", record: bool = True) -> None:
    """A package `rr_part-dist` with that module: its code (None: a folder alone) and its record."""
    folder = packages.joinpath(*module.split("."))
    folder.mkdir(parents=True)
    if code is not None:
        (folder / "__init__.py").write_text(code)
    if record:
        info = packages / "rr_part_dist-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: rr-part-dist\nVersion: 1.0\n")


@pytest.mark.parametrize("module", ["rr_part", "rr_shared.part"])
def test_a_whole_package_is_there_and_is_not_imported(packages: Path, module: str) -> None:
    put(packages, module, code="raise RuntimeError('imported')")
    assert installed.there(module, "rr-part-dist") and module not in sys.modules


@pytest.mark.parametrize(
    "left",
    [{"code": None}, {"record": False}, {"code": None, "record": False}],
    ids=["only its folder", "no record: interrupted", "a leftover folder"],
)
@pytest.mark.parametrize("module", ["rr_part", "rr_shared.part"])
def test_what_is_half_there_is_not(packages: Path, module: str, left: dict) -> None:
    put(packages, module, **left)
    assert not installed.there(module, "rr-part-dist")


@pytest.mark.parametrize("module", ["rr_none", "rr_none.part"])
def test_what_is_not_there_is_not(packages: Path, module: str) -> None:
    assert not installed.there(module, "rr-part-dist")


def test_models_say_what_is_lacking_when_only_another_package_s_share_of_a_folder_is_there(
    packages: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """llama_index is a folder of many packages: an integration may be there without its core."""
    put(packages, "rr_shared.integration")
    monkeypatch.setattr(runtime, "NEEDED", {"rr_shared.core": "rr-core", "rr_shared.integration": "rr-part-dist"})
    runtime.check_installed.cache_clear()
    with pytest.raises(Problem, match="need rr-core, not installed here"):
        runtime.check_installed()
    monkeypatch.setattr(runtime, "NEEDED", {"rr_shared.integration": "rr-part-dist"})
    runtime.check_installed()
    runtime.check_installed.cache_clear()


def test_chroma_s_packages_that_do_not_import_are_said_with_the_reason(
    packages: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(packages, "rr_part", code="import rr_piece_that_is_missing")
    monkeypatch.setattr(chroma, "NEEDED", {"rr_part": "rr-part-dist"})
    with pytest.raises(Problem, match=r"in part only \(ModuleNotFoundError: .*rr_piece_that_is_missing.*\)") as said:
        chroma.check_installed()
    assert "requirements-chroma.txt" in said.value.message
