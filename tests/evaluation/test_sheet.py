"""The HTML files: whole, small, without script or network, hostile text shown letter for letter; and the documents'
figures held beside a run."""

import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from msgspec import structs

from core import run_file
from core.evaluation import beside, sheet
from core.evaluation.questions import Question
from core.evaluation.records import ArmResult, Report, Row, replies
from core.evaluation.report import report
from core.evaluation.run import Options, run
from core.evidence import figures
from core.marks import Mark
from core.project import Model, Project
from core.records import ArmRecord, PassageRecord, RunRecord, RunSettings, Timing
from tests.evaluation.scripted import ASKED, LINES, Books, Script, parts
from tests.given import BRIGHTWATER, FOUR, MORE, chosen

EVIL = '"><script src=http://203.0.113.1/x.js></script><img src=//203.0.113.1 onerror=alert(1)>\u202e{{7*7}}'


class Parsed(HTMLParser):
    """The tags and attributes of a document; what opens must close."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def harmless(text: str) -> Parsed:
    found = Parsed(text)
    assert not found.open and not {"script", "img", "iframe", "link", "a", "object", "base"} & set(found.tags)
    assert not [name for name, _ in found.attributes if name in ("src", "href", "srcset", "action") or name[:2] == "on"]
    assert not re.search(r"url\(|@import", text) and "\u202e" not in text
    assert len(text.encode()) < 300_000
    return found


def evaluated(asked: tuple[Question, ...] = ASKED) -> Report:
    rows: list[dict] = []
    arms = chosen(FOUR + MORE)
    run(asked, Options(arms, "today"), parts(Script(LINES), Books()), rows.append)
    return report(asked, replies(json.loads(json.dumps(rows))), arms, BRIGHTWATER, "today")


def test_the_report_says_what_the_run_found() -> None:
    found = evaluated()
    text = sheet.html(found, BRIGHTWATER, ["press.md"])
    harmless(text)
    for arm, result in found.arms.items():
        assert found.titles[arm] in text
        for cls, score in result.classes.items():
            assert f"{score.right} of {score.n}" in text, (arm, cls)
        assert all(cause in text.replace("&#39;", "'") for cause in result.causes)
    assert "press.md" in text and "msgspec" in text and BRIGHTWATER.instruction.system[:40] in text
    assert sum(text.count(f'"tag">{name}') for name in ["right", *found.arms["base"].causes]) >= 5


def test_hostile_text_is_shown_letter_for_letter() -> None:
    asked = (Question(EVIL, "Alder Street", EVIL), *ASKED)
    text = sheet.html(evaluated(asked), BRIGHTWATER, [EVIL])
    harmless(text)
    assert "{{7*7}}" in text and "&lt;script" in text


def test_ten_cases_of_every_cause_and_no_question_twice() -> None:
    found = evaluated()
    picked = sheet.cases(found)
    wrong = [row for row in picked if not row.right]
    assert {row.cause for row in wrong} <= {row.cause for row in found.rows} and len(wrong) <= sheet.WORST
    assert len({row.number for row in wrong}) == len(wrong) and len(picked) <= sheet.CASES
    assert picked == sheet.cases(found)


def test_a_run_without_replies_is_a_document_too() -> None:
    text = sheet.html(Report(arms={}, rows=()), BRIGHTWATER)
    harmless(text)
    assert "No reply has come back yet" in text


def test_a_playground_run_is_such_a_file() -> None:
    passage = PassageRecord(EVIL, EVIL * 50, heading=EVIL)
    arm = ArmRecord("base", "done", EVIL, "base", "retrieval", EVIL, finish="stop", passages=(passage,) * 20)
    failed = ArmRecord("other", "failed", "Other", problem=EVIL)
    settings = RunSettings(chosen(("base+retrieval", "base")), "one at a time")
    record = RunRecord("r", "2026-11-29T04:00:00", EVIL, settings, True, (arm, failed))
    text = run_file.html(record, BRIGHTWATER, [Mark("stale", False, EVIL)])
    harmless(text)
    assert "stale" in text and "given by hand" not in text


def test_repeats_and_trainings_stand_in_the_report() -> None:
    models = (PAIR.models[0], *(Model(name, name.title(), name, base="small") for name in ("one", "two")))
    asked = [
        structs.replace(row, repeat=repeat, right=row.right and (row.number + repeat) % 3 > 0)
        for repeat in range(3)
        for name, right in (("one", 30), ("two", 12))
        for row in rows(name, name, "closed", right)
    ]
    report = Report(arms={name: ArmResult(classes={}) for name in ("one", "two")}, rows=tuple(asked))
    text = sheet.html(report, replace(PAIR, models=models))
    harmless(text)
    assert "2 fine-tunes of small: " in text and "spread between training runs" in text
    assert "one: 30 of 40 questions flip" in text and "Variance between runs" in text
    assert "Asked again" not in sheet.html(evaluated(), BRIGHTWATER)


# -- beside the documents ----------------------------------------------------------------------------------------------

PAIR = Project("mine", "Mine", models=(Model("small", "Small", "a"), Model("tuned", "Tuned", "b", base="small")))


def rows(arm: str, model: str, context: str, right: int, cls: str = "static", n: int = 40) -> list[Row]:
    return [
        Row(number=at, question=f"q{at}", cls=cls, group=f"q{at}", arm=arm, model=model, context=context, expected="x",
            reply="", problem=None, right=at < right)
        for at in range(n)
    ]  # fmt: skip


def held(*of: list[Row]) -> dict[tuple[str, ...], beside.Beside]:
    every = tuple(row for one in of for row in one)
    arms = {row.arm: ArmResult(classes={}) for row in every}
    return {one.figures: one for one in beside.beside(Report(arms=arms, rows=every), PAIR)}


@pytest.mark.parametrize(("right", "agreement"), [(36, beside.MEETS), (20, beside.BELOW), (40, beside.MEETS)])
def test_a_runs_interval_is_held_against_what_the_document_states(right: int, agreement: str) -> None:
    found = held(rows("a", "small", "retrieval", right))["D2.accuracy-static.retrieval",]
    assert (found.n, found.share, found.agreement) == (40, right / 40, agreement)
    stated = figures.get("D2.accuracy-static.retrieval")
    assert (100 * found.low, 100 * found.high) == pytest.approx(stated.range)
    assert found.source.startswith("D2: ") and found.states == stated.words()


def test_above_is_told_and_a_fine_tune_is_held_against_its_own() -> None:
    found = held(rows("a", "tuned", "closed", 40, cls="changed"))
    assert found["D2.accuracy-dynamic.fine-tuning",].agreement == beside.ABOVE
    assert ("D2.accuracy-static.fine-tuning",) not in found and ("D2.accuracy-dynamic.retrieval",) not in found


def test_passages_unused_and_facts_destroyed_are_counted_among_the_right_questions() -> None:
    found = held(rows("a", "small", "closed", 10), rows("b", "small", "perfect", 30))
    unused, destroyed = found["P7.unused-oracle",], found["P7.destroyed",]
    assert (unused.n, unused.share) == (30, 10 / 30) and unused.agreement == beside.BELOW
    assert (destroyed.n, destroyed.share, destroyed.agreement) == (10, 0.0, beside.BELOW)


def test_an_interval_that_would_meet_nearly_anything_meets_nothing() -> None:
    found = held(rows("a", "small", "closed", 2), rows("b", "small", "perfect", 2))["P7.destroyed",]
    assert (found.n, found.share, found.agreement) == (2, 0.0, beside.FEW)
    assert beside.agreement((0.9, 1.0), (0.0, 0.66)) == beside.BELOW  # too few to meet it, enough to be below it
    assert beside.agreement((0.0, 0.1), (0.2, 0.8)) == beside.ABOVE


def test_every_figure_that_is_held_exists_with_a_source() -> None:
    for one in beside.HELD:
        assert all(figures.get(name).range[0] <= figures.get(name).range[1] for name in one.figures)


def test_times_stand_in_the_playgrounds_file() -> None:
    arm = ArmRecord("base", "done", "Base", "base", answer="42", finish="stop", timing=Timing(100.0, total=2_500.0))
    record = RunRecord("r", "2026-11-29T04:00:00", "q", RunSettings(chosen(("base",)), "together"), True, (arm,))
    text = run_file.html(record, BRIGHTWATER)
    assert "2.5 s" in text and "first word after 100 ms" in text
