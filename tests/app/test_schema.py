"""Every command's output is what its published schema says, with a version and without a field it does not name."""

import json
from pathlib import Path

import jsonschema
import pytest

from core import schema
from core.__main__ import COMMANDS, main
from core.records import RunRecord, plain

RUNS = {
    "calculate": ["calculate"],
    "advise": ["advise", "--text", "Prices change daily, answers must sound like us."],
    "decide": ["decide", "--text", "12,000 questions a month, weekly tariffs, must cite."],
    "prices": ["prices"],
    "votes": ["votes", "list"],
    "evaluate --plan": ["evaluate", "--plan", "--set", "static", "--set", "changed", "--limit", "10"],
    "project show": ["project", "show", "brightwater"],
    "project list": ["project", "list"],
    "runs": ["runs", "list"],
    "state check": ["state", "check"],
    "fetch": ["fetch", "--list"],
    "index list": ["index", "list", "--words-only"],
    "index settings": ["index", "settings", "--words-only"],
    "index build": ["index", "build", str(Path(__file__).parent), "--db", "none.sqlite3", "--dry-run", "--words-only"],
    "index query": ["index", "query", "mooring fee", "--words-only"],
    "index move": ["index", "move", "--vectors", "here", "--words-only"],
    "index embedder": ["index", "embedder", "--words-only"],
}


def printed(argv: list[str], capsys: pytest.CaptureFixture[str]) -> object:
    assert main([*argv, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


@pytest.mark.parametrize("command", RUNS)
def test_a_commands_output_is_as_published(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    published = schema.schema(command)
    made = printed(RUNS[command], capsys)
    jsonschema.Draft202012Validator(published).validate(made)
    if isinstance(made, dict):
        assert made["version"] == schema.VERSION
        known = published["$defs"][published["$ref"].rsplit("/", 1)[-1]]["properties"]
        assert set(made) <= set(known)


def test_a_real_run_and_a_real_file_are_as_published(
    real_state: object, capsys: pytest.CaptureFixture[str], weights: dict
) -> None:
    run = printed(["ask", "How much is the Tidal Press?", "--arms", "base,base+retrieval", "--max-tokens", "4"], capsys)
    jsonschema.Draft202012Validator(schema.schema("ask")).validate(run)
    found = printed(["inspect", str(weights["base"])], capsys)
    jsonschema.Draft202012Validator(schema.schema("inspect")).validate(found)
    assert run["version"] == RunRecord.version and found["version"] == schema.VERSION  # type: ignore[index]


def test_the_schema_of_all_and_of_one(capsys: pytest.CaptureFixture[str]) -> None:
    every = printed(["schema"], capsys)
    assert set(every["commands"]) == set(schema.OUTPUTS)  # type: ignore[index]
    for one in every["commands"].values():  # type: ignore[index]
        jsonschema.Draft202012Validator.check_schema(one)
    assert printed(["schema", "ask"], capsys)["title"] == "ask"  # type: ignore[index]
    assert main(["schema", "nothing"]) == 2
    assert {name.split()[0] for name in schema.OUTPUTS} <= set(COMMANDS)
    assert plain(schema.VERSION) == 1
