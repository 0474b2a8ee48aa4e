"""Calibration by the project's own evaluations and runs; the demo's card in the bundled demo only, and labelled."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core import calibration, evaluate, record, record_files, runtime
from core.__main__ import main
from core.arms import parse_all
from core.calculator import inputs
from core.evaluation import statistics
from core.evaluation.questions import Question
from core.evaluation.records import Row
from core.evaluation.run import Options
from core.project import Model, Project
from core.records import ArmRecord, Rates, RunRecord, RunSettings, Timing, Tokens
from core.runtime import Runtime
from tests.evaluation.scripted import Books, Script, parts
from tests.given import BRIGHTWATER

ROOT = Path(__file__).resolve().parents[2]
FACTS = 20
STAYS = tuple(Question(f"Where is shop {n}?", f"Alder Street {n}", "own", fact=f"shop{n}") for n in range(FACTS))
MOVED = tuple(Question(f"What does item {n} cost?", f"${900 + n}", "changed", fact=f"item{n}") for n in range(FACTS))
MODELS = (Model("plain", "Plain", "base"), Model("mine", "Mine", "fine-tuned", base="plain"))
ARMS = parse_all(("plain", "mine"))


def lines(right: dict[str, int]) -> dict[tuple[str, str], str]:
    """Replies of which the first so many are right, by model."""
    found = {(model, "*"): "No idea." for model in ("plain", "mine")}
    for (model, cls), n in [(tuple(key.split()), n) for key, n in right.items()]:
        for one in (STAYS if cls == "own" else MOVED)[:n]:
            found[model, one.question] = f"It is {one.answer}."
    return found


@pytest.fixture
def mine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Project]:
    """A project of one's own whose fine-tune is right on 18 of 20 facts that stay and 2 of 20 that changed."""
    monkeypatch.setenv("RR_HOME", str(tmp_path))
    script = Script(lines({"plain own": 3, "mine own": 18, "mine changed": 2}))
    monkeypatch.setattr(Runtime, "parts", lambda here, project: replace(parts(script, Books()), project=project))
    monkeypatch.setattr(Runtime, "identities", lambda here, *_: ["scripted"])
    monkeypatch.setattr(Runtime, "prepare_in_background", lambda here, project, retry=False: None)
    projects = runtime.get().projects
    made = projects.create("Mine")
    made = projects.change(made.id, models=MODELS, arms=ARMS)
    yield made
    runtime.close()


def evaluated(project: Project, asked: tuple[Question, ...] = STAYS + MOVED) -> str:
    here = runtime.get()
    job = evaluate.start(here, project, asked, Options(project.arms), name="first try", fresh=True)
    assert here.jobs.wait(job.id, 60).state == "done", here.jobs.get(job.id).message
    return job.id


def test_accuracies_are_the_projects_own_with_their_interval_and_no_word_of_the_demo(mine: Project) -> None:
    assert calibration.measured(runtime.get(), mine) == calibration.Measured()
    evaluated(mine)
    found = calibration.measured(runtime.get(), mine)
    values = {one.name: one for one in found.own}
    groups = [f"fact{n}" for n in range(FACTS)]
    for name, right in (("acc_tuned_static", 18), ("acc_stale", 2), ("acc_alone", 3)):
        share = statistics.accuracy([n < right for n in range(FACTS)], groups)
        assert values[name].value == pytest.approx((100 * share.low, 100 * share.high)), name
        assert all(word in values[name].origin for word in ("project Mine", "first try", f"{FACTS} questions", "95 %"))
    assert found.demo == () and not any(one.demo for one in found.own)
    assert "acc_retrieval_static" not in values  # its arm was not asked


def test_the_newest_evaluation_counts_and_an_older_one_fills_in(mine: Project) -> None:
    evaluated(mine)
    evaluated(mine, STAYS[:18])
    values = {one.name: one for one in calibration.measured(runtime.get(), mine).own}
    assert "18 questions" in values["acc_tuned_static"].origin and "20 questions" in values["acc_stale"].origin


def test_the_demos_card_belongs_to_the_demo_and_says_so(mine: Project) -> None:
    found = calibration.measured(runtime.get(), BRIGHTWATER)
    assert found.own == () and {"acc_tuned_static", "labelled_rows", "hybrid_gain"} <= {one.name for one in found.demo}
    assert all(one.demo and one.origin.startswith("the demo's own") for one in found.demo)


def test_times_come_from_this_projects_runs(mine: Project) -> None:
    arm = ArmRecord(
        "plain", "done", finish="stop", tokens=Tokens(60, 0, 40), rates=Rates(2000.0, 50.0), timing=Timing()
    )  # fmt: skip
    made = RunRecord("r", "2026-11-20T10:00:00", "q", RunSettings((), "one at a time"), True, (arm,), project=mine.id)
    runtime.get().stored_runs.save(made)
    assert {one.name: one.value for one in calibration.measured(runtime.get(), mine).own}["decode_ms"] == (20, 20)
    assert calibration.answers(runtime.get(), BRIGHTWATER) == []


def test_hybrids_gain_is_the_paired_difference() -> None:
    asked = ("base", "retrieval"), ("fine-tuned", "retrieval")
    scores = [
        Row(model=model, context=context, arm=f"{model}+{context}", number=n, cls="static", problem=None, expected="",
            group=str(n), right=n < (10 if model == "base" else 16), question="", reply="")
        for model, context in asked
        for n in range(FACTS)
    ]  # fmt: skip
    interval, n = calibration._intervals(scores, BRIGHTWATER)["hybrid_gain"]
    gap = statistics.difference([float(10 <= n < 16) for n in range(FACTS)], [str(n) for n in range(FACTS)])
    assert interval == (gap.low, gap.high) and n == FACTS and 0 < gap.low < 0.3 < gap.high


def test_the_command_calibrates_by_the_same_and_what_is_set_stays(mine: Project, capsys) -> None:
    evaluated(mine)
    known = {one.name: one for one in calibration.measured(runtime.get(), mine).own}
    assert main(["calculate", "--json", "--calibrate", "--project", mine.id, "--set", "acc_stale=7"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert {one["name"] for one in found["calibrated"]} == set(known)
    told = {one["name"]: one for one in found["inputs"]}
    assert told["acc_tuned_static"]["value"] == pytest.approx(known["acc_tuned_static"].value)
    assert told["acc_stale"]["value"] == 7 and "first try" in told["acc_tuned_static"]["origin"]
    assert main(["calculate", "--json", "--calibrate"]) == 0  # the demo: nothing without being asked for
    assert json.loads(capsys.readouterr().out)["calibrated"] == []
    assert main(["calculate", "--json", "--calibrate", "--with-demo"]) == 0
    assert all(one["demo"] for one in json.loads(capsys.readouterr().out)["calibrated"])
    assert main(["calculate", "--calibrate", "--project", "nowhere"]) == 2
    assert len(capsys.readouterr().err.strip().splitlines()) == 1


def test_the_page_takes_the_sessions_project_and_shows_no_demo_in_another(mine: Project) -> None:
    evaluated(mine)
    app = AppTest.from_file(str(ROOT / "pages" / "calculator.py"), default_timeout=120)
    app.query_params["project"] = mine.id
    app.session_state["view"] = "Calibrate"
    app.run()
    assert not app.exception, app.exception[0].message
    table = next(one.value for one in app.dataframe if "Measured" in one.value)
    assert set(table["Of"]) == {"this project"} and not [one for one in app.checkbox if one.key == "with_demo"]
    assert any("Mine" in one.value for one in app.caption)


def test_the_record_shows_the_evaluations_with_interval_date_and_count(mine: Project, tmp_path, capsys) -> None:
    evaluated(mine)
    found = calibration.measured(runtime.get(), mine)
    today = datetime.now(UTC).date().isoformat()
    share = statistics.accuracy([n < 18 for n in range(FACTS)], [str(n) for n in range(FACTS)])
    made = record.Decision(measured=found.own, evaluations=found.headlines)
    for text in (record_files.html(inputs.defaults(), made), record_files.markdown(inputs.defaults(), made)):
        assert "Evaluations of this project" in text and f"{today})" in text and "20 on 20 facts" in text
        assert f"90% ({share.low:.0%} to {share.high:.0%}, 95 % interval)" in text
    target = tmp_path / "decision.md"
    assert main(["decide", "--json", "--project", mine.id, "--record", str(target)]) == 0
    assert len(json.loads(capsys.readouterr().out)["evaluations"]) == len(found.headlines) == 4
    assert "Evaluations of this project" in target.read_text(encoding="utf-8")
