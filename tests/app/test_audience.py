"""The audience: predictions kept with the run, unnamed panes in a drawn order, votes and the tally after the reveal."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core import audience, records, runtime
from core.ask import Parts, Run, Settings
from core.engine import ModelSpec
from core.errors import Problem
from core.marks import Mark
from core.records import ArmRecord, RunRecord, RunSettings
from core.runtime import Runtime
from tests.evaluation.scripted import Script
from tests.given import BRIGHTWATER

ROOT = Path(__file__).resolve().parents[2]
ARMS = BRIGHTWATER.arms
NAMES = [arm.name for arm in ARMS]


def run(blind: int | None = 7, **predicted: int) -> RunRecord:
    settings = RunSettings(
        ARMS, "together", predicted={NAMES[int(k[1:])]: n for k, n in predicted.items()}, blind=blind
    )
    said = tuple(ArmRecord(name, "done", name.title(), answer=f"says {name}", finish="stop") for name in NAMES)
    return RunRecord("a" * 12, "2026-01-01T00:00:00+00:00", "Q?", settings, True, said)


def test_the_order_is_drawn_from_the_seed_kept_with_the_run_and_every_order_occurs() -> None:
    assert audience.order(run(7)) == audience.order(run(7)) and audience.order(run(None)) == list(run().arms)
    orders = {tuple(arm.arm for arm in audience.order(run(seed))) for seed in range(400)}
    assert len(orders) == 24  # all of them: none is left out, none favoured by construction


def test_the_tally_counts_hands_votes_and_what_came_true() -> None:
    record = run(7, a0=2, a3=5)
    best = NAMES[3]
    cast = [audience.vote(record, best), audience.vote(record, best), audience.vote(record, None)]
    assert len({one.voter for one in cast}) == 3 and cast[0].shown == tuple(arm.arm for arm in audience.order(record))
    worth = {NAMES[0]: Mark("stale", False, ""), best: Mark("right", True, ""), NAMES[1]: Mark("grounded", None, "")}
    found = {one.arm: one for one in audience.tally(record, cast, worth)}
    assert (found[best].hands, found[best].votes, found[best].mark, found[best].right) == (5, 2, "right", True)
    assert [one.letter for one in audience.tally(record, cast, worth)] == ["A", "B", "C", "D"]
    assert audience.said(list(found.values())) == "5 of 7 predictions came true."
    assert audience.said(audience.tally(run(7, a1=4), [], worth)) == ""  # nothing that could be checked


def test_predictions_and_seed_are_kept_in_the_record_and_older_records_have_none() -> None:
    record = run(7, a0=2)
    assert records.run_from(records.dumps(record)) == record
    raw = records.plain(record)
    del raw["settings"]["predicted"], raw["settings"]["blind"], raw["identity"]
    old = records.run_from(records.dumps(raw))
    assert old.settings.predicted == {} and old.settings.blind is None and old.identity is None


@pytest.mark.parametrize("text", ["base", "base=", "base=-1", "base=²", "nobody=3", "base=99999999", "="])
def test_a_prediction_that_is_none_is_a_problem(text: str) -> None:
    assert audience.hands_of(["base=3"], ARMS) == (("base", 3),)
    with pytest.raises(Problem):
        audience.hands_of([text], ARMS)


@pytest.fixture
def playground(monkeypatch: pytest.MonkeyPatch) -> Iterator[AppTest]:
    script = Script({(kind, "*"): f"the reply of {kind}" for kind in ("base", "base+passages", "fine-tuned")})
    project = replace(BRIGHTWATER, arms=tuple(arm for arm in ARMS if not arm.retrieves))
    parts = Parts(project, script, lambda: pytest.fail("nothing is searched"), _spec)
    monkeypatch.setattr(Runtime, "parts", lambda here, _project: parts)
    monkeypatch.setattr(Runtime, "prepare_in_background", lambda here, _project, retry=False: None)
    yield AppTest.from_file(str(ROOT / "pages" / "main.py"), default_timeout=120).run()
    runtime.close()


def _spec(model: str) -> ModelSpec:
    return ModelSpec(id=model, path=Path(model))


def test_the_page_predicts_hides_names_takes_votes_and_reveals(playground: AppTest) -> None:
    app = playground.switch_page("playground.py").run()
    panes = next(one for one in app.multiselect if one.label == "Panes")
    panes.set_value([name for name in panes.value if "retrieval" not in name]).run()
    app.button_group(key="audience").set_value(["Predicts", "Votes blind"]).run()
    app.button(key="hand base").click().run()
    app.button(key="hand base").click().run()
    app.text_area[0].set_value("What is it?").run()
    app.button(key="ask").click().run()
    assert not app.exception, app.exception[0].message
    main = [one.value for one in app.main if hasattr(one, "value")]
    texts = [str(one) for one in main if isinstance(one, str)]
    assert {"**A**", "**B**"} <= set(texts) and not any("**Base**" in one or "done" in one for one in texts)
    assert sum("the reply of" in one.value for one in app.text) == 2 and "Votes: 0" in [
        one.value for one in app.caption
    ]
    app.button(key="best A").click().run()
    app.button(key="best none").click().run()
    assert "Votes: 2" in [one.value for one in app.caption]
    app.button(key="vote_back").click().run()
    app.button(key="reveal").click().run()
    assert not app.exception, app.exception[0].message
    (table,) = [one.value for one in app.table]
    assert sorted(table["Found best"]) == ["0", "1"] and sorted(table["Predicted right"]) == ["0", "2"]
    assert any(re.fullmatch(r"\*\*Base\*\*", one.value) for one in app.markdown)


def test_a_run_keeps_what_was_predicted() -> None:
    parts = Parts(BRIGHTWATER, Script({("base", "*"): "yes"}), lambda: pytest.fail("nothing is searched"), _spec)
    record = Run("Q?", Settings(ARMS[:1], predicted=(("base", 3),), blind=5), parts).start().wait(20).record()
    assert record.settings.predicted == {"base": 3} and record.settings.blind == 5
