"""A document changed beside the answers: what is right then, which answers changed, and the way back."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core import living, marks, runtime
from core.ask import Parts, Run, Settings
from core.engine import ModelSpec
from core.errors import Problem
from core.evaluation.questions import Question
from core.records import RunRecord
from core.retrieval import KnowledgeBase
from core.runs import MIGRATIONS, StoredRuns
from core.runtime import Runtime
from core.store import Store
from tests.app.test_story import PATH, PRICE, TEXT, Reader
from tests.given import BRIGHTWATER

ROOT = Path(__file__).resolve().parents[2]
KNOWN = Question(PRICE, "$389", "own", documents=(PATH,), values={"today": "$389", "training-day": "$340"})


@pytest.fixture
def knowledge(tmp_path: Path) -> Iterator[KnowledgeBase]:
    store = runtime.open_base(tmp_path / "base.sqlite3")
    made = KnowledgeBase(store)
    made.add(PATH, TEXT)
    made.add("other.md", "# Other\n\nNothing of the kind.\n")
    yield made
    store.close()


@pytest.fixture
def parts(knowledge: KnowledgeBase) -> Parts:
    return Parts(BRIGHTWATER, Reader({}), lambda: knowledge, lambda model: ModelSpec(model, Path(f"{model}.gguf")))


def asked(parts: Parts) -> RunRecord:
    return Run(PRICE, Settings(BRIGHTWATER.arms), parts).start().wait(10).record()


def kinds(record: RunRecord, right: Question | None) -> list[str]:
    return [mark.kind if (mark := marks.mark(arm, PRICE, right)) else "" for arm in record.arms]


def test_an_edited_value_is_right_and_the_one_before_is_stale(parts: Parts, knowledge: KnowledgeBase) -> None:
    assert living.expected(KNOWN, knowledge) == KNOWN
    knowledge.update(PATH, TEXT.replace("$389", "$1,425"))
    right = living.expected(KNOWN, knowledge)
    assert right is not None and right.expected(None) == ("$1,425",)
    told = replace(asked(parts).arms[0], answer="It costs $389.")
    mark = marks.mark(told, PRICE, right)
    assert mark is not None and (mark.kind, "before the change" in mark.why) == ("stale", True)
    assert marks.mark(replace(told, answer="$340."), PRICE, right) != mark
    assert living.expected(KNOWN, knowledge, "training-day") == KNOWN  # a dated view is never edited


def test_a_version_that_differs_in_more_than_the_value_does_not_hide_the_one_that_differs_in_it_alone(
    knowledge: KnowledgeBase,
) -> None:
    knowledge.update(PATH, TEXT + "\nOnce there was more to say.\n")  # as a dated view differs
    knowledge.update(PATH, TEXT.replace("$389", "$425"))
    right = living.expected(KNOWN, knowledge)
    assert right is not None and right.answer == "$425"


def test_a_value_that_is_only_gone_is_stale_and_nobody_knows_what_is_right(
    parts: Parts, knowledge: KnowledgeBase
) -> None:
    knowledge.update(PATH, "# Tidal Press\n\nAsk us for its price. It is made of tin.\n")
    right = living.expected(KNOWN, knowledge)
    assert right is not None and right.answer == ""
    one = asked(parts).arms[0]
    answers = {"It costs $389.": "stale", "I could not find that.": "declined", "It costs $7.": "unknown"}
    for answer, kind in answers.items():
        mark = marks.mark(replace(one, answer=answer), PRICE, right)
        assert mark is not None and mark.kind == kind
    knowledge.delete(PATH)
    assert living.expected(KNOWN, knowledge) == right


@pytest.mark.parametrize(
    ("before", "now", "old", "new"),
    [
        ("a $5 b", "a $7 b", "$5", "$7"),
        ("$5 or $5.", "$7 or $7.", "$5", "$7"),
        ("$5 or $5.", "$7 or $8.", "$5", ""),
        ("a $5 b", "a $7 c", "$5", ""),
        ("a (*.+) b", "a x b", "(*.+)", "x"),
        ("a $5 b", "a  b", "$5", ""),
        ("a $5", "a one\ntwo", "$5", ""),
        ("a b", "a c", "$5", ""),
    ],
)
def test_one_value_in_place_of_another(before: str, now: str, old: str, new: str) -> None:
    assert living.replaced(before, now, old) == new


def test_which_answers_changed_and_why(parts: Parts, knowledge: KnowledgeBase) -> None:
    first = asked(parts)
    assert living.compare(None, first) == {} and living.told({}) == ""
    assert living.told(living.compare(first, asked(parts))).startswith("None of 4 panes")
    knowledge.update(PATH, TEXT.replace("$389", "$425"))
    changed = living.compare(first, asked(parts))
    assert [one.same for one in changed.values()] == [True, False, True, False]
    assert [one.passages for one in changed.values()] == [False, True, False, True]
    assert living.told(changed) == "2 of 4 panes changed their answer: Base + retrieval, Fine-tuned + retrieval."
    broken = replace(first, arms=(replace(first.arms[0], problem="died"), *first.arms[1:]))
    assert living.compare(broken, first)["base"].same is None
    hotter = replace(first.settings.arms[0], sampling=replace(first.settings.arms[0].sampling, temperature=1.0))
    other = replace(first, settings=replace(first.settings, arms=(hotter, *first.settings.arms[1:])))
    assert [one.settings for one in living.compare(first, other).values()] == [True, False, False, False]


def test_the_run_before_is_the_last_of_the_same_question_and_project(tmp_path: Path, parts: Parts) -> None:
    store = Store(tmp_path / "runs.sqlite3", MIGRATIONS)
    stored, runs = StoredRuns(store), [asked(parts) for _ in range(3)]
    assert stored.before(runs[0]) is None
    for each in (runs[0], replace(runs[1], question="Another?"), replace(runs[2], project="mine")):
        stored.save(each)
    live = asked(parts)
    assert stored.before(live) == runs[0]
    stored.save(live)
    assert stored.before(live) == runs[0] and stored.before(runs[0]) is None
    store.close()


def test_undo_goes_back_edit_by_edit_and_never_to_a_dated_text(knowledge: KnowledgeBase, tmp_path: Path) -> None:
    assert living.undo_to(knowledge, PATH) is None and living.undo_to(knowledge, "none.md") is None
    (tmp_path / "old" / "products").mkdir(parents=True)
    (tmp_path / "old" / PATH).write_text(TEXT.replace("$389", "$340"))
    knowledge.sync_folder(tmp_path / "old", "training-day")
    texts = [TEXT.replace("$389", price) for price in ("$400", "$500")]
    for text in texts:
        knowledge.update(PATH, text)
    for back in (texts[0], TEXT):
        version = living.undo_to(knowledge, PATH)
        assert version is not None
        knowledge.restore(PATH, version)
        assert knowledge.text(PATH) == back
    assert living.undo_to(knowledge, PATH) is None


def test_an_attempt_restores_the_document_also_when_asking_breaks(parts: Parts, knowledge: KnowledgeBase) -> None:
    known = {marks.key(PRICE): KNOWN}
    tried = living.attempt(knowledge, known, lambda: asked(parts), PATH, "$389", "$425")
    assert [one.changed for one in tried.arms] == [False, True, False, True]
    assert [one.mark_after.kind for one in tried.arms if one.mark_after] == ["invented", "right", "stale", "right"]
    assert tried.restored and knowledge.text(PATH) == TEXT and (tried.saved.fresh, tried.saved.passages) == (1, 1)
    answers = iter([asked(parts)])
    with pytest.raises(StopIteration):
        living.attempt(knowledge, known, lambda: next(answers), PATH, "$389", "$425")
    assert knowledge.text(PATH) == TEXT
    for path, old, says in (("none.md", "a", "no document"), (PATH, "$1", "does not say"), (PATH, "", "does not say")):
        with pytest.raises(Problem, match=says):
            living.attempt(knowledge, known, lambda: asked(parts), path, old, "b")


def test_a_document_passages_panes_a_follow_up_and_the_calculator_from_the_page(
    monkeypatch: pytest.MonkeyPatch, knowledge: KnowledgeBase, parts: Parts
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setattr(Runtime, "parts", lambda _self, _project: parts)
    monkeypatch.setattr(Runtime, "knowledge", lambda _self, _project: knowledge)
    app = AppTest.from_file(str(ROOT / "pages" / "main.py"), default_timeout=60).run()
    app.session_state["desk"] = True
    app.switch_page("playground.py").run()
    app.text_area[0].set_value(PRICE).run()
    app.button(key="ask").click().run()
    editor = next(each for each in app.text_area if each.label == "Its text")
    assert editor.value == TEXT.strip() or editor.value == TEXT  # the best passage's document
    editor.set_value(TEXT.replace("$389", "$425"))
    next(each for each in app.button if each.label == "Save and ask again").click().run()
    assert not app.exception
    shown = json.dumps([each.value for each in (*app.markdown, *app.caption)])
    assert "2 of 4 panes changed their answer" in shown and "1 of 1 passages changed" in shown
    app.button(key="desk-undo").click().run()
    assert knowledge.text(PATH).strip() == TEXT.strip()

    app.session_state["picking-brightwater"] = app.session_state["follow-brightwater"] = True
    app.session_state["instructions-brightwater-open"] = True
    app.run()
    next(each for each in app.get("button_group") if each.label == "Use of passage 1").set_value("out")
    next(each for each in app.text_area if each.label.startswith("A passage of your own")).set_value("It is $777.")
    next(each for each in app.text_area if each.label == "Its instruction").set_value("Say a number.")
    app.run()
    assert any("1 pinned, 1 left out" in each.value for each in app.caption)
    app.number_input(key="repeats").set_value(2)
    app.radio(key="way").set_value("one at a time").run()
    next(each for each in app.button if each.label == "Ask again with these").click().run()
    shown = [each.value for each in (*app.markdown, *app.text)]
    assert any("2 repeats" in each for each in shown) and any("given by hand" in each for each in shown)
    assert any("$777" in each for each in shown)
    next(each for each in app.text_input if each.label == "Your follow-up").set_value("And its metal?")
    next(each for each in app.button if each.label == "Ask the follow-up").click().run()
    record = runtime.get().runs.record("".join(app.query_params["run"]), BRIGHTWATER.id)
    assert [len(arm.history) for arm in record.arms] == [1, 1, 1, 1] and record.settings.choices == ()
    assert record.settings.arms[0].system == "Say a number." and record.settings.arms[1].system is None
    app.button(key="hand-over").click().run()
    assert not app.exception and "measured here" in json.dumps(list(app.session_state["calculator"].origins.values()))
    assert app.session_state["calculator"].ranges["dedicated_hour_price"] == (0.10, 0.10)
    runtime.close()
