"""The README's commands, tree and numbers are what the repository really holds."""

import re
from importlib.metadata import distribution
from pathlib import Path

from core import overview
from core.__main__ import COMMANDS

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_measured_table_is_the_generated_one() -> None:
    assert overview.readme_table() in README, overview.readme_table()


def test_every_command_is_named() -> None:
    assert all(f"python -m core {name}" in README for name in COMMANDS)


def test_every_path_in_the_tree_exists() -> None:
    tree = README.split("## Where to change what")[1].split("```")[1]
    folder = [ROOT]
    for line in tree.strip().splitlines():
        depth = (len(line) - len(line.lstrip())) // 2
        names = [name for name in re.split(r"\s{2,}", line.strip())[0].split() if "/" in name or "." in name]
        assert names, line
        for name in names:
            assert (folder[depth] / name).exists(), name
        folder = [*folder[: depth + 1], folder[depth] / names[0]]


def test_every_pinned_dependency_is_explained() -> None:
    explained = README.split("## What each dependency is for")[1].split("##")[0].lower()
    for file in ("core/requirements-dashboard.txt", "core/requirements-endpoints.txt", "requirements.txt"):
        for line in (ROOT / file).read_text().splitlines():
            if "==" in line:
                name, version = line.split("==")
                assert name.lower() in explained, name
                assert distribution(name).version == version, f"{name} is not at its pin"
