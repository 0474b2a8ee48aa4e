"""Reports and replies as earlier versions stored them read as records; what is none is one clear line.

`stored_before.json` was written by commit 8e7cfd3, whose reports were dictionaries: the command's JSON and its rows.
"""

import json
from pathlib import Path

import jsonschema
import pytest
from msgspec.structs import replace

from core import evaluate, jobs, runtime, schema
from core.errors import Problem
from core.evaluation.records import replies, report_from
from core.evaluation.report import report
from core.evaluation.versus import versus
from core.project import FreeText
from core.records import dumps, plain
from tests.evaluation.scripted import PRICE, STREET
from tests.given import BRIGHTWATER
from tests.project.made import fill

STORED = json.loads(Path(__file__).with_name("stored_before.json").read_text(encoding="utf-8"))


def test_a_report_of_before_records_reads_whole() -> None:
    found = report_from(json.dumps(STORED["report"]))
    assert found.options is not None and [arm.name for arm in found.options.arms] == list(found.arms)
    assert found.arms["base"].classes["static"].right == 1 and found.arms["fine-tuned"].voice is not None
    assert found.arms["base+retrieval"].classes["static"].hit.accuracy == 1  # type: ignore[union-attr]
    assert {pair.cls for pair in found.pairs} == {"changed", "static", "all facts"}
    assert found.effects["all facts"].model == "fine-tuned"
    assert report_from(dumps(found)) == found


def test_replies_of_before_records_score_as_they_did() -> None:
    old = report_from(json.dumps(STORED["report"]))
    assert old.options is not None
    new = report((PRICE, STREET), replies(STORED["rows"]), old.options.arms, BRIGHTWATER, old.snapshot)
    assert [(row.arm, row.right, row.cause, row.hit, row.cites) for row in new.rows] == [
        (row.arm, row.right, row.cause, row.hit, row.cites) for row in old.rows
    ]
    assert (new.pairs, new.effects, new.titles) == (old.pairs, old.effects, old.titles)
    assert {case.kind for case in versus(old, new).cases} == {"same"}


def test_options_of_before_arms_were_records_read_too() -> None:
    given = {"arms": ["base", "base+retrieval"], "snapshot": None, "top_k": 4, "mode": "words", "max_tokens": 96}
    given |= {"temperature": 0.0, "seed": 0, "device": "auto", "pinned": None}
    found = report_from(json.dumps(STORED["report"] | {"options": given}))
    assert found.options is not None and found.options.arms[1].search.top_k == 4


def test_a_scored_report_is_kept_with_its_job(monkeypatch: pytest.MonkeyPatch) -> None:
    here = runtime.get()
    project = fill(here)
    (job,) = evaluate.jobs(here, project)
    found = evaluate.result(here, job.id)
    runtime.close()
    here = runtime.get()
    monkeypatch.setattr(evaluate, "scored", lambda *_: pytest.fail("scored anew"))
    assert evaluate.result(here, job.id) == found
    scored_anew = replace(found, questions=99)
    monkeypatch.setattr(evaluate, "scored", lambda *_: scored_anew)
    here.projects.change(project.id, free_text=FreeText("token_f1", 0.4))  # it may score otherwise
    assert evaluate.result(here, job.id).questions == 99
    monkeypatch.setattr(evaluate, "_rules", lambda: "another version")
    here.jobs.keep(job.id, "damaged", b"{")
    here.reports.cache_clear()  # type: ignore[attr-defined]
    assert evaluate.result(here, job.id).questions == 99
    here.store.write(lambda db: jobs.erase(db, "project", project.id))
    assert not here.store.read("SELECT * FROM job_kept")


def test_a_report_is_as_published() -> None:
    written = {"version": 1, "gates": [], **plain(report_from(json.dumps(STORED["report"])))}
    jsonschema.Draft202012Validator(schema.schema("evaluate")).validate(json.loads(json.dumps(written)))
    old = set(STORED["report"]) | {"metrics"}
    assert old <= set(schema.Evaluation.__struct_fields__)  # nothing that was published is gone
    assert set(STORED["report"]["rows"][0]) <= set(written["rows"][0])
    assert set(STORED["report"]["pairs"][0]) <= set(written["pairs"][0])


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{", '{"rows": 3, "arms": {}}', '{"arms": {}}', '{"arms": {}, "rows": [{}]}', "\xff", "null",
     '{"arms": {}, "rows": [], "options": {"arms": ["base"]}}',
     '{"arms": {"a": {"classes": {"x": {"n": "1"}}}}, "rows": []}'],
)  # fmt: skip
def test_what_is_no_report_is_one_clear_line(text: str) -> None:
    with pytest.raises(Problem, match="no evaluation's JSON"):
        report_from(text.encode("latin-1"))


def test_replies_that_are_none_are_refused() -> None:
    with pytest.raises(Problem, match="replies cannot be read"):
        replies([{"number": "one", "arm": "base"}])
