"""The page and its job: start, results, files, going on after a stop. Models and documents are scripted."""

import csv
import io
import json
import re
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core import evaluate, opening, runtime
from core.arms import Arm, Search
from core.charts import evaluation as charts
from core.engine import Sampling
from core.errors import Problem
from core.evaluation import tables
from core.evaluation.questions import Question
from core.evaluation.run import Options
from core.jobs import Jobs
from core.runtime import Runtime
from core.text import plain
from tests.evaluation.scripted import ASKED, LINES, STREET, Books, Script, parts
from tests.given import BRIGHTWATER, chosen

ROOT = Path(__file__).resolve().parents[2]
EVERY = Options(chosen(), "today")


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> Iterator[Script]:
    """The process's runtime, its models and documents replaced by scripted ones."""
    made, books = Script(dict(LINES)), Books()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setattr(Runtime, "parts", lambda here, project: parts(made, books))
    monkeypatch.setattr(Runtime, "identities", lambda here, *_: ["scripted"])
    monkeypatch.setattr(Runtime, "prepare_in_background", lambda here, project, retry=False: None)
    yield made
    runtime.close()


def finished(options: Options = EVERY, asked: tuple[Question, ...] = ASKED) -> str:
    here = runtime.get()
    job = evaluate.start(here, BRIGHTWATER, asked, options)
    assert here.jobs.wait(job.id, 60).state == "done", here.jobs.get(job.id).message
    return job.id


def page(view: str = "", **query: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / "pages" / "main.py"), default_timeout=120).run()
    app.switch_page("evaluation.py")
    if view:
        app.session_state["evaluation_view"] = view
    for name, value in query.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception, app.exception[0].message
    return app


def test_a_job_gives_the_report_and_asks_nothing_twice(script: Script) -> None:
    first = finished()
    asked = len(script.requests)
    found = evaluate.result(runtime.get(), first)
    assert found.state == "done" and len(found.rows) == asked
    assert evaluate.result(runtime.get(), finished()).rows == found.rows
    assert len(script.requests) == asked  # the second job took over the first one's rows


def test_failed_replies_are_asked_again_when_one_goes_on(script: Script) -> None:
    lost = {key: script.lines.pop(key) for key in list(script.lines) if key[0] == "base"}
    first = finished()
    failed = [row for row in runtime.get().jobs.rows(first) if row["problem"]]
    assert failed
    script.lines.update(lost)
    asked = len(script.requests)
    again = evaluate.again(runtime.get(), first)
    runtime.get().jobs.wait(again.id, 60)
    assert len(script.requests) == asked + len(failed)
    assert not [row for row in runtime.get().jobs.rows(again.id) if row["problem"]]


def test_another_job_is_no_evaluation(script: Script) -> None:
    other = runtime.get().jobs.start("index", lambda context: None)
    with pytest.raises(Problem, match="no evaluation"):
        evaluate.result(runtime.get(), other.id)


def test_the_page_starts_a_job_on_few_bundled_questions(script: Script) -> None:
    app = page()
    app.text_input(key="limit").set_value("1").run()
    app.button(key="evaluate").click().run()
    assert not app.exception, app.exception[0].message
    job_id = str(app.query_params["evaluation"])
    assert len(runtime.get().jobs.get(job_id).parameters["questions"]) == 2  # one static, one changed
    assert runtime.get().jobs.wait(job_id, 60).state == "done"


def first_table(shown: AppTest) -> list[list[str]]:
    """The cells of the page's first table, which is Markdown; its second row is the line below the names."""
    (table,) = [one.value for one in shown.markdown if one.value.startswith("| Right")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in table.splitlines()]


def test_results_do_not_wait_for_models(script: Script, monkeypatch: pytest.MonkeyPatch) -> None:
    job_id, prepared = finished(), []
    monkeypatch.setattr(Runtime, "prepare_in_background", lambda here, project, retry=False: prepared.append(project))
    assert first_table(page(evaluation=job_id)) and not prepared
    assert page().button(key="evaluate") and prepared


def test_the_page_shows_a_finished_evaluation_by_its_address(script: Script) -> None:
    job_id = finished()
    wanted = {
        "": {"arm", "class", "accuracy", "standard error"},
        "Effects": {"effect", "points", "verdict"},
        "Replies": {"reply", "cause"},
    }
    for view, names in wanted.items():
        columns = [set(frame.value.columns) for frame in page(view, evaluation=job_id).dataframe]
        assert any(names <= one for one in columns), (view, columns)
    head, _, *shares = first_table(page(evaluation=job_id))
    found = evaluate.result(runtime.get(), job_id)
    scored = {plain(cls) for arm in found.arms.values() for cls in arm.classes}
    assert {row[0] for row in shares} == scored and head[1:] == [plain(found.titles[arm]) for arm in found.arms]
    cells = [cell.replace("\\", "") for row in shares for cell in row[1:]]
    assert all(re.fullmatch(r"[\d.]+ \(\d+ to \d+\)|—", cell) for cell in cells)


def test_only_the_open_view_is_drawn_and_a_redraw_reads_no_reply_anew(
    script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    job_id, read, rows = finished(), [], Jobs.rows
    monkeypatch.setattr(Jobs, "rows", lambda jobs, *given: read.append(given) or rows(jobs, *given))
    app = page(evaluation=job_id)
    views = [set(frame.value.columns) for frame in app.dataframe]
    assert not any("reply" in names or "effect" in names for names in views)
    whole = (job_id, runtime.get().jobs.count(job_id))
    assert read.count(whole) <= 1  # none where the job itself has scored its end
    before = read.count(whole)
    app.run()
    assert read.count(whole) == before and (job_id,) not in read


def test_replies_are_found_by_words_arm_and_verdict(script: Script) -> None:
    found = evaluate.result(runtime.get(), finished())
    assert tables.found_in(found) == list(found.rows)
    right, wrong = tables.found_in(found, verdict="right"), tables.found_in(found, verdict="wrong")
    assert len(right) + len(wrong) == len(found.rows) and right and wrong
    cause = next(row.cause for row in wrong if row.cause)
    assert {row.cause for row in tables.found_in(found, verdict=cause)} == {cause}
    (one,) = tables.found_in(found, "ALDER street", "base+retrieval")
    assert (one.question, one.arm) == (ASKED[1].question, "base+retrieval")


def test_blind_votes_and_marks_by_hand(script: Script) -> None:
    job_id = finished()
    app = page("Judged", evaluation=job_id)
    shown = [markdown.value for markdown in app.markdown]
    assert not any("was **" in text for text in shown)  # names are hidden until one has voted
    app.button(key="vote-left").click().run()
    assert not app.exception, app.exception[0].message
    (vote,) = runtime.get().votes.votes("brightwater", job_id)
    assert vote.best == vote.shown[:1] and vote.question in {one.question for one in ASKED}
    assert any("was **" in markdown.value and "by the rules" in markdown.value for markdown in app.markdown)
    app.segmented_control(key="by_hand").set_value("Right or wrong").run()
    app.button(key="mark-Wrong").click().run()
    assert not app.exception, app.exception[0].message
    (mark,) = runtime.get().votes.marks("brightwater", job_id)
    assert not mark.right and any("agreement with the marks" in frame.value.columns for frame in app.dataframe)
    app.segmented_control(key="by_hand").set_value("Causes").run()
    app.text_input(key="voter").set_value("Ann").run()
    agree = next(one for one in app.button if str(one.key).endswith("-agree"))
    agree.click().run()
    assert not app.exception, app.exception[0].message
    (said,) = runtime.get().votes.causes("brightwater", job_id)
    assert said.cause == said.stated and said.voter == "Ann" and said.arm in str(agree.key)
    assert any("Rules against people" in markdown.value for markdown in app.markdown)
    app.segmented_control(key="by_hand").set_value("Blind votes").run()
    assert app.text_input(key="voter").value == "Ann"  # one label for all of it


def test_a_broken_address_is_one_message(script: Script) -> None:
    app = page(evaluation="nonsense")
    assert "no job" in app.error[0].value


def test_the_csv_has_a_row_a_reply_and_no_formula(script: Script) -> None:
    evil = Question("=1+1", "Alder Street", "<b>own</b>")
    found = evaluate.result(runtime.get(), finished(asked=(evil, *ASKED)))
    rows = list(csv.DictReader(io.StringIO(tables.as_csv(found))))
    assert len(rows) == len(found.rows)
    assert rows[0]["question"] == "'=1+1"
    assert "<" not in json.dumps(charts.accuracy_chart(found).to_plotly_json()["data"][0]["y"])


def test_charts_show_the_reports_own_figures(script: Script) -> None:
    found = evaluate.result(runtime.get(), finished())
    accuracy = charts.accuracy_chart(found)
    for trace in accuracy.data:
        arm = next(name for name, title in found.titles.items() if title == trace.name)
        classes = found.arms[arm].classes
        assert list(trace.x) == [score.accuracy for score in classes.values()]
    causes = charts.causes_chart(found)
    for number, arm in enumerate(found.arms):
        assert sum(trace.x[number] for trace in causes.data) == sum(found.arms[arm].causes.values())
    effects = charts.effects_chart(found)
    assert [trace.name for trace in effects.data if trace.showlegend is None] == [name for _, name in charts.EFFECTS]
    for trace, (key, _) in zip((t for t in effects.data if t.showlegend is False), charts.EFFECTS, strict=True):
        assert list(trace.x) == [100 * getattr(split, key).difference for split in found.effects.values()]
    assert {row["verdict"] for row in tables.effects(found)} == {"too few questions to tell"}


def test_an_app_goes_on_with_the_evaluation_that_an_earlier_one_left(script: Script) -> None:
    script.free = 9
    here = Runtime(resume=True)
    job = evaluate.start(here, BRIGHTWATER, ASKED, EVERY)
    while len(script.requests) <= script.free:
        pass
    closing = threading.Thread(target=here.close)
    closing.start()
    while closing.is_alive():
        script.gate.release()
        closing.join(0.05)
    script.free = None
    looking = Runtime()
    kept = len(looking.jobs.rows(job.id))
    looking.close()
    again = Runtime(resume=True)
    assert again.jobs.wait(job.id, 60).state == "done"
    places = [(row["number"], row["arm"]) for row in again.jobs.rows(job.id)]
    again.close()
    assert 0 < kept < len(places) and len(set(places)) == len(places)


# -- a case in the playground ------------------------------------------------------------------------------------------

FIELDS = {"top_k": 7, "mode": "sparse", "weight": 0.25, "threshold": 0.1, "folder": "faq", "snapshot": "training-day"}
LIKE = Arm("base", "retrieval", "mine", None, "Say it in one word.", search=Search(**FIELDS, hops=2),
           sampling=Sampling(0.7, 0.9, 40, 0.05, 1.1, 11, 300, ("END",)))  # fmt: skip


def test_a_link_opens_the_playground_with_an_arm_as_it_was_asked() -> None:
    opened = opening.opening(opening.section("Why?", [LIKE, Arm("fine-tuned")], "ticket"), BRIGHTWATER)
    assert opened == opening.Opening("Why?", arms=(LIKE, Arm("fine-tuned")), task="ticket")
    assert opening.section("Why?", [Arm()]) == {"question": "Why?", "arms": [{}]}


@pytest.mark.parametrize(
    "arms",
    [3, "base", [3], [{"model": "other"}], [{"model": 3}], [{"context": "root"}], [{"sampling": {"temperature": 9}}],
     [{"search": {"top_k": -1}}], [{"system": "x" * 30_000}], [{"search": {"metadata": [["a"]]}}], [{}, {}]],
)  # fmt: skip
def test_arms_of_a_link_that_cannot_be_asked_are_left_out(arms: object) -> None:
    assert opening.opening({"question": "Why?", "arms": arms}, BRIGHTWATER).arms == ()


def test_a_case_opens_with_the_settings_of_its_run(script: Script) -> None:
    options = Options((replace(LIKE, search=replace(LIKE.search, snapshot=None), repeats=2),), "today")
    job_id = finished(options)
    whole = evaluate.whole(runtime.get(), job_id, 1, "mine", 1)
    app = AppTest.from_file(str(ROOT / "pages" / "main.py"), default_timeout=120).run()
    app.switch_page("playground.py")
    app.query_params["s"] = whole.link
    app.run()
    assert not app.exception, app.exception[0].message
    assert app.text_area(key=f"question-brightwater-{STREET.question}").value == STREET.question
    assert app.slider(key="top_k-brightwater").value == 7 and app.toggle(key="hops-brightwater").value
    assert app.slider(key="temperature").value == 0.7 and app.text_input(key="seed").value == "12"  # the second asking
    assert app.text_input(key="max_tokens").value == "300" and app.text_area(key="stop_strings").value == "END"
    assert app.selectbox(key="snapshot").value == "today"
    (panes,) = [one for one in app.multiselect if one.label == "Panes"]
    assert panes.value == ["mine"]
    app.button(key="ask").click().run()
    assert not app.exception, app.exception[0].message
    (arm,) = runtime.get().runs.record(str(app.query_params["run"]), "brightwater").settings.arms
    wanted = whole.arm.search, whole.arm.system_with_passages
    assert (replace(arm.search, snapshot=None), arm.system_with_passages) == wanted and arm.search.snapshot == "today"
    assert arm.sampling == replace(LIKE.sampling, seed=12)
