"""Folders, zips and uploads: every file is counted, paths are kept, and nothing outside is read."""

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import Problem
from core.retrieval import sources
from core.retrieval.selection import Selection, lines
from tests.retrieval import hostile

NAMES = st.text(st.sampled_from("aAé./\\ :"), min_size=1, max_size=12).map(lambda name: name + ".md")


def paths(listing: sources.Listing) -> list[str]:
    return [entry.path for entry in listing.entries]


def names(rows: tuple[tuple[str, str], ...]) -> list[str]:
    return [name for name, _ in rows]


def tree(root: Path, *files: str) -> Path:
    for name in files:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(f"words of {name}")
    return root


def test_three_files_of_one_name_in_three_folders_are_three_documents(tmp_path: Path) -> None:
    root = tree(tmp_path, "index.md", "a/index.md", "a/b/index.md")
    assert paths(sources.folder(root)) == ["a/b/index.md", "a/index.md", "index.md"]
    packed = hostile.archive((name, b"words") for name in ("index.md", "a/index.md", "a/b/index.md"))
    assert paths(sources.archive(packed, "x.zip", into="guide")) == [
        *("guide/a/b/index.md", "guide/a/index.md", "guide/index.md")
    ]


@given(st.lists(NAMES, max_size=8))
@settings(max_examples=200, deadline=None)
def test_every_file_is_counted_once_and_no_path_twice(files: list[str]) -> None:
    listing = sources.uploads((name, b"words") for name in files)
    assert listing.files + listing.ignored == len(files)
    assert len(set(paths(listing))) == len(listing.entries)
    assert not any(path.startswith("/") or ".." in path.split("/") for path in paths(listing))


def test_hidden_files_and_junk_stay_out_until_taken_back_in(tmp_path: Path) -> None:
    root = tree(tmp_path, "a.md", ".git/b.md", "node_modules/x/c.md", ".hidden.md", "app.min.js", "docs/d.md")
    found = sources.folder(root)
    assert (paths(found), found.files, found.ignored) == (["a.md", "docs/d.md"], 2, 4)
    assert "node_modules/x/c.md" in paths(sources.folder(root, Selection(exclude=("!node_modules/",))))


@pytest.mark.parametrize(
    ("include", "exclude", "left"),
    [
        (("*.md",), (), ["a.md", "docs/b.md", "docs/old/d.md"]),
        (("docs/",), (), ["docs/b.md", "docs/c.py", "docs/old/d.md"]),
        (("/*.md",), (), ["a.md"]),
        ((), ("old/",), ["a.md", "docs/b.md", "docs/c.py"]),
        ((), ("docs/*", "!docs/c.py"), ["a.md", "docs/c.py"]),
        (("*.md",), ("docs/**/d.md",), ["a.md", "docs/b.md"]),
    ],
)
def test_patterns_mean_what_they_mean_in_a_gitignore(tmp_path: Path, include, exclude, left: list[str]) -> None:
    root = tree(tmp_path, "a.md", "docs/b.md", "docs/c.py", "docs/old/d.md")
    assert paths(sources.folder(root, Selection(include, exclude))) == left


@pytest.mark.parametrize("pattern", ["x" * 201, "*a" * 7, "!"])
def test_a_pattern_that_cannot_be_used_is_refused_by_name(pattern: str) -> None:
    with pytest.raises(Problem, match="pattern"):
        Selection((pattern,))


def test_patterns_are_typed_one_a_line_or_with_commas() -> None:
    assert lines("*.md, docs/\n\n !x.md ") == ("*.md", "docs/", "!x.md")


def test_links_special_files_and_foreign_types_are_named_not_followed(tmp_path: Path) -> None:
    root = tree(tmp_path / "root", "a.md", "app.exe")
    tree(tmp_path / "outside", "secret.md")
    (root / "file.md").symlink_to(tmp_path / "outside" / "secret.md")
    (root / "folder").symlink_to(tmp_path / "outside")
    (root / "empty.md").touch()
    os.mkfifo(root / "pipe.md")
    found = sources.folder(root)
    assert paths(found) == ["a.md"]
    assert sorted(names(found.skipped)) == ["app.exe", "empty.md", "file.md", "folder", "pipe.md"]


def test_a_name_that_two_files_would_share_is_a_failure_and_not_silent(tmp_path: Path) -> None:
    root = tree(tmp_path, "caf\u00e9.md", "cafe\u0301.md", "a?.md", "a.md")
    found = sources.folder(root)
    assert (len(found.entries), len(found.failed), found.files) == (2, 2, 4)
    assert all("second document" in why for _, why in found.failed)
    two = sources.given([tree(tmp_path / "x", "i.md"), tree(tmp_path / "y", "i.md")])
    assert (paths(two), names(two.failed)) == (["i.md"], ["i.md"])


@pytest.mark.parametrize(("name", "data"), list(hostile.refused_archives()), ids=lambda case: str(case)[:16])
def test_a_hostile_zip_is_refused_in_one_line(name: str, data: bytes) -> None:
    with pytest.raises(Problem) as refused:
        sources.archive(data, name)
    assert name in refused.value.message and "\n" not in refused.value.message


@pytest.mark.parametrize(("name", "data"), list(hostile.bad_members()), ids=lambda case: str(case)[:16])
def test_a_zips_bad_member_fails_alone(base, name: str, data: bytes) -> None:
    planned = base.plan(sources.archive(data, "x.zip"))
    assert planned.plan.added == ("good.md",)
    assert [file.replace("\\", "/") for file in names(planned.plan.failed)] == [name.replace("\\", "/")]
    base.carry_out(planned)
    assert base.text("good.md") == "good words"


def test_a_link_in_a_zip_is_not_read() -> None:
    found = sources.archive(hostile.linked_archive(), "x.zip")
    assert (paths(found), names(found.skipped)) == (["a.md"], ["passwd.md"])


def test_zips_with_unmarked_utf8_names_and_backslashes_keep_their_paths() -> None:
    packed = bytearray(hostile.archive([("docs\\caf\u00e9.md", b"words")]))
    for mark in (b"PK\x03\x04", b"PK\x01\x02"):
        at = packed.index(mark) + (6 if mark[2] == 3 else 8)
        packed[at + 1] &= ~8  # the bit that says the name is UTF-8
    assert paths(sources.archive(bytes(packed), "x.zip")) == ["docs/caf\u00e9.md"]


def test_a_zip_inside_a_zip_is_no_document() -> None:
    inner = hostile.archive([("a.md", b"words")])
    found = sources.archive(hostile.archive([("inner.zip", inner), ("b.md", b"words")]), "x.zip")
    assert (paths(found), names(found.skipped)) == (["b.md"], ["inner.zip"])
