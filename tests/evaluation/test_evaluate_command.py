"""`python -m core evaluate`: bad input is one line and status 2, before anything is loaded; limits draw by class."""

import json
from pathlib import Path

import pytest

from core import records, runtime
from core.__main__ import main
from core.commands.evaluate import table
from core.errors import Problem
from core.evaluate import KIND, limited
from core.evaluation.questions import read
from core.evaluation.records import ArmResult, ClassResult, Report
from core.evaluation.run import Options
from core.jobs import Job, insert_ended
from models.brightwater import data
from tests.given import BRIGHTWATER

SET = data.FOLDER / "questions" / "test-static.jsonl"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "Nothing to ask"),
        (["--questions", "none.jsonl"], "no file none.jsonl"),
        (["--questions", str(SET), "--arms", "base,magic"], "no model 'magic'"),
        (["--questions", str(SET), "--project", "nowhere"], "no project 'nowhere'"),
        (["--questions", str(SET), "--snapshot", "tomorrow"], "Unknown snapshot 'tomorrow'"),
        (["--questions", str(SET), "--limit", "0"], "at least 1"),
        (["--questions", str(SET), "--limit", "many"], "invalid int"),
        (["--questions", str(SET), "--top-k", "0"], "top-k"),
        (["--questions", str(SET), "--max-tokens", "99999"], "max tokens"),
        (["--questions", str(SET), "--pinned", "none.txt"], "--pinned cannot be read"),
        (["--questions", str(SET), "--bogus"], "unrecognized"),
    ],
)
def test_bad_input_is_one_line_and_status_2(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate", "--json", *arguments]) == 2
    streams = capsys.readouterr()
    assert streams.out == ""
    assert said in streams.err and len(streams.err.strip().splitlines()) == 1


def test_a_limit_draws_that_many_of_each_class_by_the_seed() -> None:
    asked = read(SET) + read(data.FOLDER / "questions" / "test-ticket.jsonl")
    few = limited(asked, 7, 1)
    assert [sum(q.cls == cls for q in few) for cls in ("static", "ticket")] == [7, 7]
    assert few == limited(asked, 7, 1) != limited(asked, 7, 2)
    assert limited(asked, None, 1) == asked


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(b"GGUF\x00\x00")
    with pytest.raises(Problem, match="zero byte"):
        read(tmp_path / "a.jsonl")


def test_the_table_has_a_line_an_arm_and_class() -> None:
    score = ClassResult(4, 3, 4, 0.75, 0.2, 0.3, 0.95)
    lines = table(Report(arms={"base": ArmResult(classes={"static": score})}, rows=()))
    assert len(lines) == 2 and "3/4" in lines[1] and "75.0%" in lines[1]


def test_the_latest_report_is_the_projects_own(capsys: pytest.CaptureFixture[str]) -> None:
    here = runtime.get()
    own = here.projects.create("Own", BRIGHTWATER)
    given = {"questions": [{"question": "Why?", "answer": "x"}], "options": records.plain(Options()), "before": []}
    for job_id, project, when in (("aaaaaa", BRIGHTWATER.id, 1.0), ("bbbbbb", own.id, 2.0), ("cccccc", own.id, 3.0)):
        job = Job(job_id, KIND, None, "done", 1.0, "", when, when, "here", {"project": project, **given}, None)
        here.store.write(lambda db, job=job: insert_ended(db, job, []))
    runtime.close()
    for project, wanted in ((BRIGHTWATER.id, "aaaaaa"), (own.id, "cccccc")):
        assert main(["report", "latest", "--project", project, "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["id"] == wanted
    assert main(["report", "latest", "--json"]) == 0 and '"id": "aaaaaa"' in capsys.readouterr().out
    assert main(["report", "latest", "--project", "nowhere"]) == 2 and "no project" in capsys.readouterr().err
