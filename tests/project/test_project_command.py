"""A whole project built by commands alone, taken along, and calculated with; bad input is one line and status 2."""

import json
from pathlib import Path

import pytest

from core.__main__ import main

TOML = """title = "x"
id = "x"
about = "from a file"

[[models]]
id = "m"
title = "M"
file = "base"

[[arms]]
model = "m"
"""


def run(capsys: pytest.CaptureFixture[str], *argv: str) -> dict | list:
    assert main([*argv, "--json"]) == 0, capsys.readouterr().err
    return json.loads(capsys.readouterr().out)


def test_a_project_is_built_shown_and_taken_along(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    docs, words, asked = tmp_path / "docs", tmp_path / "words.txt", tmp_path / "asked.jsonl"
    docs.mkdir()
    (docs / "moon.md").write_text("# Moon\n\nThe mooring fee is 47 dollars.\n")
    words.write_text("Answer as the Moon Office.\n")
    asked.write_text('{"question": "What is the fee?", "answer": "47 dollars"}\n')
    assert run(capsys, "project", "create", "Moon Office")["id"] == "moon-office"
    run(capsys, "index", "build", str(docs), "--project", "moon-office", "--words-only")
    run(capsys, "project", "set", "moon-office", "--instruction-file", str(words), "--dollars-per-hour", "0.5")
    run(capsys, "project", "model", "moon-office", "--add", "small", "--file", "base")
    run(capsys, "project", "model", "moon-office", "--add", "tuned", "--file", "fine-tuned", "--base", "small")
    run(capsys, "project", "arms", "moon-office", "--set", "small,small+retrieval,tuned")
    run(capsys, "project", "check", "moon-office", "--add", "short", "--kind", "max-words", "--value", "30")
    run(capsys, "project", "suggest", "moon-office", "--add", "Fee", "--question", "What is the fee?")
    assert run(capsys, "project", "questions", "moon-office", "--set", "fees", "--file", str(asked)) == [
        {"set": "fees", "questions": 1}
    ]
    run(capsys, "calculate", "--project", "moon-office", "--set", "queries=7777", "--keep")
    run(capsys, "advise", "--project", "moon-office", "--set", "data-changes=daily", "--keep")
    shown = run(capsys, "project", "show", "moon-office")
    assert shown["project"]["instruction"]["system"] == "Answer as the Moon Office."
    assert [model["id"] for model in shown["project"]["models"]] == ["small", "tuned"]
    assert shown["question_sets"] == {"fees": 1} and "documents" not in shown["lacks"]
    assert run(capsys, "advise", "--project", "moon-office")["answers"] == {"data-changes": "daily"}
    kept = run(capsys, "calculate", "--project", "moon-office")
    assert kept != run(capsys, "calculate") and kept == run(capsys, "calculate", "--set", "queries=7777")
    file = tmp_path / "moon.project.zip"
    run(capsys, "project", "export", "moon-office", "--to", str(file))
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".export")] == []
    taken = run(capsys, "project", "import", str(file), "--title", "Taken")
    again = run(capsys, "project", "show", str(taken["id"]))
    apart = ("id", "title", "owner")
    assert {k: v for k, v in again["project"].items() if k not in apart} == {
        k: v for k, v in shown["project"].items() if k not in apart
    }
    assert again["question_sets"] == {"fees": 1}
    found = run(capsys, "index", "query", "mooring fee", "--project", str(taken["id"]), "--words-only")
    assert [passage["document"] for passage in found["passages"]] == ["moon.md"]
    run(capsys, "project", "delete", "moon-office")
    assert [one["id"] for one in run(capsys, "project", "list")] == ["brightwater", "taken"]
    run(capsys, "project", "restore", "moon-office")
    assert run(capsys, "project", "rename", "moon-office", "Other")["title"] == "Other"


def test_a_project_begins_as_a_file_says(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "project.toml"
    file.write_text(TOML)
    made = run(capsys, "project", "create", "Mine", "--from", str(file))
    assert (made["id"], made["title"], made["about"]) == ("mine", "Mine", "from a file")
    file.write_text(TOML.replace("about", "abuot"))
    assert main(["project", "create", "Other", "--from", str(file)]) == 2
    assert "Did you mean 'about'" in capsys.readouterr().err


@pytest.mark.parametrize(
    "argv",
    [
        [],
        ["show", "nobody"],
        ["create", ""],
        ["rename", "brightwater", "Mine"],
        ["delete", "brightwater"],
        ["restore", "nobody"],
        ["import", "no-such-file.zip"],
        ["set", "brightwater"],
        ["set", "brightwater", "--title", "x"],
        ["model", "brightwater", "--add", "m", "--file", "/no/such.gguf"],
        ["arms", "brightwater", "--set", "nobody+retrieval"],
        ["check", "brightwater", "--add", "c"],
        ["questions", "brightwater", "--set", "x"],
        ["questions", "brightwater", "--remove", "nothing"],
        ["create", "x", "--from", "no-such.toml"],
    ],
)
def test_bad_input_is_one_line_and_status_2(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["project", *argv]) == 2
    said = capsys.readouterr()
    assert said.out == "" and len(said.err.strip().splitlines()) == 1 and said.err.startswith("error: ")


@pytest.mark.parametrize("command", ["calculate", "advise"])
def test_a_scenario_is_kept_only_where_it_may_be(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([command, "--keep"]) == 2
    assert main([command, "--project", "nobody"]) == 2
    assert main([command, "--project", "brightwater", "--keep"]) == 2
    assert "read-only" in capsys.readouterr().err


STORY = """[[story]]
title = "The fee"
question = "What is the fee?"
document = "moon.md"
old = "47"
new = "52"
claims = { m = "invented" }
"""


def test_a_story_is_put_in_shown_and_taken_away(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    begin, file = tmp_path / "project.toml", tmp_path / "story.toml"
    begin.write_text(TOML)
    run(capsys, "project", "create", "Moon", "--from", str(begin))
    assert main(["story", "--project", "moon"]) == 2 and "no story" in capsys.readouterr().err
    file.write_text(STORY)
    (scene,) = run(capsys, "project", "story", "moon", "--file", str(file))
    assert scene["claims"] == {"m": "invented"}
    shown = run(capsys, "story", "--list", "--project", "moon")
    assert shown["scenes"] == [scene] and shown["held"] is None
    assert main(["story", "--list", "--project", "moon"]) == 0
    out = capsys.readouterr()
    assert "The fee: What is the fee?" in out.out and "not there any more" in out.err
    for bad, says in (
        (STORY.replace("claims", "clams"), "Did you mean"),
        (STORY.replace("invented", "<b>wonderful"), "wonderful"),
        (STORY.replace("{ m", "{ nobody"), "nobody"),
        (STORY.replace("The fee", "x" * 90), "title"),
        (STORY * 21, "too many"),
        ("story = 3", "list"),
        ("[[story", "not TOML"),
    ):
        file.write_text(bad)
        assert main(["project", "story", "moon", "--file", str(file)]) == 2
        err = capsys.readouterr().err
        assert says in err and len(err.strip().splitlines()) == 1, err
    assert run(capsys, "project", "story", "moon") == [scene]
    assert run(capsys, "project", "story", "moon", "--clear") == []
