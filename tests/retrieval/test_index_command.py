"""`python -m core index`: the same base without a browser."""

import json
from pathlib import Path

import pytest

from core.__main__ import main
from core.retrieval.alone import one_at_a_time
from tests.retrieval import hostile


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, object, str]:
    """(exit status, JSON on standard output or None, standard error)."""
    status = main(["index", *arguments])
    out, err = capsys.readouterr()
    return status, json.loads(out) if out.strip() else None, err


def test_build_query_delete_restore_list_on_one_file(capsys, folder: Path, tmp_path: Path) -> None:
    db = ["--db", str(tmp_path / "kb.sqlite3"), "--words-only", "--json"]
    status, built, _ = run(capsys, "build", str(folder), *db)
    assert (status, built["added"], built["passages"]) == (0, 3, 5)
    status, found, _ = run(capsys, "query", "parcels to Norway", "--top-k", "1", *db)
    assert (status, found["mode"], found["passages"][0]["document"]) == (0, "sparse", "shipping.md")
    assert {"document", "score", "text"} <= found["passages"][0].keys()
    (folder / "shipping.md").write_text("# Shipping\n\nParcels to Norway cost $1.\n")
    assert run(capsys, "update", str(folder), *db)[1]["updated"] == 1
    assert "$1" in run(capsys, "query", "parcels to Norway", "--top-k", "1", *db)[1]["passages"][0]["text"]
    assert run(capsys, "delete", "shipping.md", *db)[1][0]["kind"] == "deleted"
    assert run(capsys, "query", "parcels to Norway", *db)[1]["passages"] == []
    run(capsys, "restore", "shipping.md", *db)
    assert len(run(capsys, "list", *db)[1]) == 3
    (tmp_path / "tea.txt").write_text("Matcha is green.")
    assert run(capsys, "add", str(tmp_path / "tea.txt"), "--as", "drinks/tea.txt", *db)[1][0]["kind"] == "added"
    assert run(capsys, "query", "matcha", "--folder", "drinks", *db)[1]["passages"][0]["document"] == "drinks/tea.txt"


def test_a_build_shows_a_plan_and_prunes_only_when_told(capsys, folder: Path, tmp_path: Path) -> None:
    db = ["--db", str(tmp_path / "kb.sqlite3"), "--words-only", "--json"]
    status, planned, err = run(capsys, "build", str(folder), "--dry-run", *db)
    assert (status, planned["added"], planned["dry_run"], "3 to add" in err) == (0, 3, True, True)
    assert planned["documents"]["added"] == ["policies/returns.md", "policies/warranty.md", "shipping.md"]
    assert not (tmp_path / "kb.sqlite3").exists()
    built = run(capsys, "build", str(folder), *db)[1]
    assert all(built[name] == planned[name] for name in ("files", "added", "updated", "unchanged", "deleted", "kept"))
    (folder / "shipping.md").unlink()
    other = run(capsys, "update", str(folder), "--include", "policies/", "--exclude", "returns.md", *db)[1]
    assert (other["unchanged"], other["kept"], other["deleted"], other["ignored"]) == (1, 2, 0, 1)
    assert len(run(capsys, "list", *db)[1]) == 3
    assert run(capsys, "update", str(folder), "--prune", "--dry-run", *db)[1]["documents"]["deleted"] == ["shipping.md"]
    assert run(capsys, "update", str(folder), "--prune", *db)[1]["deleted"] == 1
    assert len(run(capsys, "list", *db)[1]) == 2


def test_an_empty_folder_prunes_nothing(capsys, folder: Path, tmp_path: Path) -> None:
    db = ["--db", str(tmp_path / "kb.sqlite3"), "--words-only", "--json"]
    run(capsys, "build", str(folder), *db)
    (tmp_path / "empty").mkdir()
    status, _, err = run(capsys, "update", str(tmp_path / "empty"), "--prune", *db)
    assert (status, "none of the 3 documents is removed" in err) == (2, True)
    assert len(run(capsys, "list", *db)[1]) == 3


def test_a_doubled_name_is_counted_and_ends_with_status_1(capsys, folder: Path, tmp_path: Path) -> None:
    db = ["--db", str(tmp_path / "kb.sqlite3"), "--words-only", "--json"]
    zipped = tmp_path / "more.zip"
    zipped.write_bytes(hostile.archive([("shipping.md", b"other"), ("a/index.md", b"one"), ("../up.md", b"evil")]))
    status, built, _ = run(capsys, "build", str(folder), str(zipped), *db)
    assert (status, built["files"], built["added"], len(built["failed"])) == (1, 6, 4, 2)
    assert sorted(row["file"] for row in built["failed"]) == ["../up.md", "shipping.md"]
    assert len(run(capsys, "list", *db)[1]) == 4


def test_files_added_from_three_folders_keep_their_paths(capsys, monkeypatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    db = ["--db", "kb.sqlite3", "--words-only", "--json"]
    for name in "abc":
        (tmp_path / name).mkdir()
        (tmp_path / name / "index.md").write_text(f"Words of {name}.")
    run(capsys, "build", "a", "--into", "x", *db)
    added = run(capsys, "add", "a/index.md", "./b/index.md", str(tmp_path / "c" / "index.md"), *db)[1]
    assert [change["path"] for change in added] == ["a/index.md", "b/index.md", "c/index.md"]
    monkeypatch.chdir(tmp_path / "a")
    status, _, err = run(capsys, "add", "../b/index.md", "index.md", "--db", "../kb.sqlite3", "--words-only")
    assert (status, "Two files" in err) == (2, True)
    found = run(capsys, "list", "--db", "../kb.sqlite3", "--json")[1]
    assert {document["path"] for document in found} == {"a/index.md", "b/index.md", "c/index.md", "x/index.md"}


def test_a_query_may_ask_for_metadata(capsys, tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "a.md").write_text("---\ndomain: legal\n---\nReturns are a legal matter.")
    (tmp_path / "docs" / "b.py").write_text("def returns():\n    return 'legal'\n")
    db = ["--db", str(tmp_path / "kb.sqlite3"), "--words-only", "--json"]
    run(capsys, "build", str(tmp_path / "docs"), *db)
    for metadata, wanted in (("domain=legal", ["a.md"]), ("type=py", ["b.py"]), ("type=pdf", [])):
        found = run(capsys, "query", "returns legal", "--metadata", metadata, *db)[1]["passages"]
        assert [passage["document"] for passage in found] == wanted
    assert run(capsys, "query", "x", "--metadata", "domain", *db)[0] == 2


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("query", "x", "--db", "missing.sqlite3"),
        ("build", "missing-folder", "--db", "new.sqlite3", "--words-only"),
        ("query", "x", "--top-k", "many"),
        ("explode",),
        ("add", "missing.txt"),
    ],
)
def test_bad_input_is_one_line_and_status_2(capsys, monkeypatch, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    monkeypatch.chdir(tmp_path)
    status, out, err = run(capsys, *arguments)
    assert (status, out, err.count("\n")) == (2, None, 1), err
    assert not list(tmp_path.glob("new.sqlite3*"))


def test_a_file_that_is_no_database_is_refused(capsys, tmp_path: Path) -> None:
    (tmp_path / "x.db").write_text("not a database, " * 100)
    status, _, err = run(capsys, "list", "--db", str(tmp_path / "x.db"))
    assert (status, "cannot be opened" in err) == (2, True)


def test_two_updates_at_once_say_so_and_neither_removes_the_others(capsys, folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "tea.md").write_text("# Tea\n\nMatcha is green.\n")
    db = tmp_path / "kb.sqlite3"
    options = ["--db", str(db), "--words-only", "--json"]
    run(capsys, "build", str(folder), *options)
    with one_at_a_time(db):  # as another process would hold it
        status, out, err = run(capsys, "update", str(other), *options)
    assert (status, out, err.count("\n")) == (2, None, 1)
    assert "Another update of the knowledge base kb.sqlite3 is under way" in err
    assert len(run(capsys, "list", *options)[1]) == 3


def test_vectors_and_embedder_are_shown_and_bad_words_are_one_line(capsys, folder: Path, tmp_path: Path) -> None:
    db = ["--db", str(tmp_path / "kb.sqlite3"), "--words-only", "--json"]
    run(capsys, "build", str(folder), *db)
    status, moved, err = run(capsys, "move", "--vectors", "here", *db)
    assert (status, moved["vectors"], moved["there"]) == (0, "here", 0) and "are here" in err
    status, shown, _ = run(capsys, "embedder", *db)
    assert (status, shown["to_embed"], shown["dry_run"], shown["embedder"]["url"]) == (0, 5, True, "")
    for wrong, words in (
        (["move", "--vectors", "ftp://a"], "no address"),
        (["move", "--vectors", "http://a", "--anew"], "goes with --vectors here"),
        (["move", "--vectors", "http://a", "--key-variable", "HOME"], "no key's variable"),
        (["embedder", "--endpoint", "http://a"], "--name"),
        (["embedder", "--endpoint", "a", "--name", "b"], "no address"),
        (["embedder", "--file", "nothing"], "not to be had"),
    ):
        status, _, err = run(capsys, *wrong, *db)
        assert status == 2 and words in err and "Traceback" not in err, err
