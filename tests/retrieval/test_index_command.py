"""`python -m core index`: the same base without a browser."""

import json
from pathlib import Path

import pytest

from core.__main__ import main
from core.retrieval.alone import one_at_a_time


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
    run(capsys, "delete", "shipping.md", *db)
    assert run(capsys, "query", "parcels to Norway", *db)[1]["passages"] == []
    run(capsys, "restore", "shipping.md", *db)
    assert len(run(capsys, "list", *db)[1]) == 3
    (tmp_path / "tea.txt").write_text("Matcha is green.")
    assert run(capsys, "add", str(tmp_path / "tea.txt"), "--as", "drinks/tea.txt", *db)[1][0]["kind"] == "added"
    assert run(capsys, "query", "matcha", "--folder", "drinks", *db)[1]["passages"][0]["document"] == "drinks/tea.txt"


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
