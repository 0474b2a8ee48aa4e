"""The state folder: for its owner only, also when an older version made it for everybody."""

import os
from pathlib import Path

import pytest

from core import paths


def _mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "home"
    monkeypatch.setenv("RR_HOME", str(folder))
    return folder


def test_a_new_state_folder_and_its_parts_are_their_owners_only(home: Path) -> None:
    before = os.umask(0)
    try:
        made = [paths.state_dir(), paths.weights_dir(), paths.logs_dir(), paths.knowledge_dir()]
    finally:
        os.umask(before)
    assert [_mode(folder) for folder in made] == [0o700] * 4


def test_what_an_older_version_made_for_everybody_is_closed(home: Path, tmp_path: Path) -> None:
    (home / "models" / "deep").mkdir(parents=True)
    for name in (f"{paths.NAME}.sqlite3", f"{paths.NAME}.sqlite3-wal", "models/m.gguf", "models/deep/x.json"):
        (home / name).touch()
        (home / name).chmod(0o644)
    outside = tmp_path / "outside.gguf"
    outside.touch()
    outside.chmod(0o644)
    (home / "models" / "linked.gguf").symlink_to(outside)
    for folder in (home, home / "models", home / "models" / "deep"):
        folder.chmod(0o755)
    paths.state_dir()
    found = {str(path.relative_to(home)): _mode(path) for path in home.rglob("*") if not path.is_symlink()}
    assert _mode(home) == 0o700
    assert set(found.values()) == {0o700, 0o600}, found
    assert _mode(outside) == 0o644  # where a link leads is not ours


def test_a_folder_of_other_things_stays_as_it_is(home: Path) -> None:
    home.mkdir(mode=0o755)
    (home / "letter.txt").touch()
    (home / "letter.txt").chmod(0o644)
    paths.state_dir()
    assert (_mode(home), _mode(home / "letter.txt")) == (0o755, 0o644)
