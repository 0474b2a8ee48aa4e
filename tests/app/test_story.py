"""The guided story: claims held against answers, a document's change and its way back, the page stepped through."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from core import runtime, story
from core.ask import Parts, Run, Settings
from core.curtain import Curtain
from core.engine import ModelSpec, Request
from core.errors import Problem
from core.evaluation.questions import Question
from core.project import Check, Project, Scene
from core.records import RunRecord
from core.retrieval import KnowledgeBase
from core.runtime import Runtime
from core.text import plain
from tests.evaluation.scripted import VOICED, Generation, Script
from tests.given import BRIGHTWATER

ROOT = Path(__file__).resolve().parents[2]
PATH = "products/tidal-press.md"
TEXT = "# Tidal Press\n\nThe Tidal Press sells for $389 in our shops. It is made of brass.\n"
PRICE = "How much does the Tidal Press cost?"
KNOWN = {
    "how much does the tidal press cost": Question(
        PRICE, "$389", "changed", values={"today": "$389", "training-day": "$340"}
    )
}
EDITED = next(scene for scene in BRIGHTWATER.story if scene.document)


class Reader(Script):
    """A fine-tune that learnt $340 and a base that knows nothing; either states the price that its passages hold."""

    def submit(self, request: Request) -> Generation:
        user = request.alternatives[0][-1]["content"]
        price = re.search(r"\$\d+", user) if "[1]" in user else None
        tuned = request.model.id == "fine-tuned"
        said = f"It costs {price[0] if price else '$340' if tuned else '$2'}."
        kind = request.model.id + ("+passages" if "[1]" in user else "")
        self.lines = {(kind, "*"): VOICED.format(said) if tuned else said}
        return super().submit(request)


@pytest.fixture
def knowledge(tmp_path: Path) -> Iterator[KnowledgeBase]:
    store = runtime.open_base(tmp_path / "base.sqlite3")
    made = KnowledgeBase(store)
    made.add(PATH, TEXT)
    yield made
    store.close()


@pytest.fixture
def parts(knowledge: KnowledgeBase) -> Parts:
    return Parts(BRIGHTWATER, Reader({}), lambda: knowledge, lambda model: ModelSpec(model, Path("none.gguf")))


def told(**scenes: Any) -> Project:
    return replace(BRIGHTWATER, story=(replace(EDITED, **scenes),))


def asks(parts: Parts) -> story.Asks:
    def ask(question: str, settings: Settings) -> RunRecord:
        return Run(question, settings, parts).start().wait().record()

    return ask


def test_the_bundled_story_can_be_told_and_asks_only_what_the_project_knows() -> None:
    story.check(BRIGHTWATER)
    assert len(BRIGHTWATER.story) == 6 and [scene.question for scene in BRIGHTWATER.story][-1] == ""
    today = ROOT / BRIGHTWATER.folder / "today"
    for scene in BRIGHTWATER.story:
        assert scene.say and scene.look
        if scene.document:
            assert (today / scene.document).read_text(encoding="utf-8").count(scene.old) == 1


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"claims": {"base": "wonderful"}}, "wonderful"),
        ({"claims": {"nobody+retrieval": "right"}}, "nobody"),
        ({"claims": {"base+nonsense": "right"}}, "context"),
        ({"new": ""}, "which words"),
        ({"new": "$389!"}, "which words"),
    ],
)
def test_a_story_that_cannot_be_told_is_a_problem_that_names_it(wrong: dict[str, Any], says: str) -> None:
    with pytest.raises(Problem, match=says):
        story.check(told(**wrong))
    with pytest.raises(Problem, match="no story"):
        story.check(replace(BRIGHTWATER, story=()))


def test_only_arms_with_claims_are_on_stage_and_without_claims_all_are() -> None:
    names = [arm.name for arm in story.arms(BRIGHTWATER, BRIGHTWATER.story[1])]
    assert names == ["base", "base+retrieval"]
    assert story.arms(BRIGHTWATER, BRIGHTWATER.story[-1]) == BRIGHTWATER.arms
    far = story.arms(BRIGHTWATER, Scene("s", "q", claims={"base+pinned": "right"}))
    assert [arm.name for arm in far] == ["base+pinned"]


def test_voice_is_checked_on_stage_only_where_it_is_told_of() -> None:
    shown = {scene.title: [one.name for one in story.checks(BRIGHTWATER, scene)] for scene in BRIGHTWATER.story}
    assert [title for title, names in shown.items() if names == ["voice"]] == ["The hybrid keeps the voice", "Now you"]
    other = replace(BRIGHTWATER, checks=(Check("short", "max-words", "20"),))
    assert story.checks(other, BRIGHTWATER.story[0]) == other.checks


def test_claims_come_true_while_the_change_stands_and_the_document_is_as_it_was_after(
    parts: Parts, knowledge: KnowledgeBase
) -> None:
    (played,) = story.play(told(claims=BRIGHTWATER.story[4].claims), knowledge, KNOWN, asks(parts))
    assert played.held and played.line.startswith("As told"), played.line
    assert played.edit is not None and played.edit.stands and played.edit.total_ms is not None
    found = {one.arm: one.found for one in played.outcomes}
    assert found["fine-tuned"] == ("stale", "voice") and found["fine-tuned+retrieval"] == ("right", "voice")
    assert played.outcomes[2].mark is not None and "training day" in played.outcomes[2].mark.why
    assert knowledge.text(PATH) == TEXT and story.standing(BRIGHTWATER, knowledge) == {}


def test_a_claim_that_fails_is_said_and_the_story_goes_on(parts: Parts, knowledge: KnowledgeBase) -> None:
    scene = replace(EDITED, claims={"fine-tuned": "right", "fine-tuned+retrieval": "right"})
    project = replace(BRIGHTWATER, story=(scene, EDITED))
    first, second = story.play(project, knowledge, KNOWN, asks(parts))
    assert first.held is False and first.line.startswith("Different this time: Fine-tuned was to be right")
    assert "stale" in first.line and "$340" in first.line
    assert second.held and second.edit is not None and second.edit.total_ms is None  # it stands already


def test_an_arm_that_fails_does_not_count_as_told(parts: Parts, knowledge: KnowledgeBase) -> None:
    def ask(question: str, settings: Settings) -> RunRecord:
        record = asks(parts)(question, settings)
        return replace(record, arms=tuple(replace(arm, problem="died", answer="") for arm in record.arms))

    (played,) = story.play(told(), knowledge, KNOWN, ask)
    assert played.held is False and "did not answer" in played.line


def test_documents_are_restored_when_asking_breaks(knowledge: KnowledgeBase) -> None:
    def ask(question: str, settings: Settings) -> RunRecord:
        assert "$425" in knowledge.text(PATH)
        raise Problem("the machine is full")

    with pytest.raises(Problem, match="full"):
        story.play(told(), knowledge, KNOWN, ask)
    assert knowledge.text(PATH) == TEXT


def test_a_change_stands_only_in_scenes_that_ask_for_it(knowledge: KnowledgeBase) -> None:
    calm = BRIGHTWATER.story[0]
    assert story.enter(BRIGHTWATER, calm, knowledge) is None
    edit = story.enter(BRIGHTWATER, EDITED, knowledge)
    assert edit is not None and edit.stands and list(story.standing(BRIGHTWATER, knowledge)) == [PATH]
    again = story.enter(BRIGHTWATER, EDITED, knowledge)
    assert again is not None and again.stands and again.total_ms is None
    other = replace(EDITED, new="$99")
    both = replace(BRIGHTWATER, story=(EDITED, other))
    assert story.enter(both, other, knowledge).stands  # type: ignore[union-attr]
    assert "$99" in knowledge.text(PATH) and "$425" not in knowledge.text(PATH)
    story.enter(both, calm, knowledge)
    assert knowledge.text(PATH) == TEXT


def test_what_a_person_had_edited_before_comes_back_not_what_was_shipped(knowledge: KnowledgeBase) -> None:
    mine = TEXT + "\nOurs alone.\n"
    knowledge.update(PATH, mine)
    knowledge.update(PATH, mine + "\nA later thought.\n")
    knowledge.update(PATH, mine)  # back again: the latest version is not the one that was changed
    story.enter(BRIGHTWATER, EDITED, knowledge)
    assert story.restore(BRIGHTWATER, knowledge) == [PATH]
    assert knowledge.text(PATH) == mine and story.restore(BRIGHTWATER, knowledge) == []


def test_a_change_made_by_hand_before_is_taken_back_as_well(knowledge: KnowledgeBase) -> None:
    knowledge.update(PATH, TEXT.replace("$389", "$425"))  # its version, and with it its origin, is used again
    knowledge.update(PATH, TEXT)
    story.enter(BRIGHTWATER, EDITED, knowledge)
    assert story.restore(BRIGHTWATER, knowledge) == [PATH] and knowledge.text(PATH) == TEXT


def test_a_document_without_the_words_is_left_alone_and_that_is_said(knowledge: KnowledgeBase) -> None:
    knowledge.update(PATH, "# Tidal Press\n\nIts price is a secret.\n")
    edit = story.enter(BRIGHTWATER, EDITED, knowledge)
    assert edit is not None and not edit.stands and "$389" in edit.note
    assert story.expected(EDITED, KNOWN, edit) is KNOWN["how much does the tidal press cost"]
    knowledge.delete(PATH)
    gone = story.enter(BRIGHTWATER, EDITED, knowledge)
    assert gone is not None and not gone.stands and "not there" in gone.note
    assert story.standing(BRIGHTWATER, knowledge) == {}


def test_the_value_before_the_change_is_stale_after_it(parts: Parts, knowledge: KnowledgeBase) -> None:
    edit = story.enter(BRIGHTWATER, EDITED, knowledge)
    right = story.expected(EDITED, KNOWN, edit)
    assert right is not None and right.expected(None) == ("$425",)
    assert right.values == {"training-day": "$340", story.BEFORE: "$389", "today": "$425"}


def test_warming_keeps_no_run_and_says_what_failed(parts: Parts) -> None:
    assert story.warm(BRIGHTWATER, parts) == []
    broken = replace(parts, spec=_no_model)
    assert any("no model" in line for line in story.warm(BRIGHTWATER, broken))


def _no_model(model: str) -> ModelSpec:
    raise Problem("no model here")


# -- the page ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch, knowledge: KnowledgeBase, parts: Parts) -> Iterator[AppTest]:
    monkeypatch.setattr(Runtime, "parts", lambda here, project: parts)
    monkeypatch.setattr(Runtime, "knowledge", lambda here, project: knowledge)
    monkeypatch.setattr(Runtime, "prepare_in_background", lambda here, project, retry=False: None)
    yield AppTest.from_file(str(ROOT / "pages" / "main.py"), default_timeout=120).run()
    runtime.close()


def texts(app: AppTest) -> str:
    assert not app.exception, app.exception[0].message
    return "\n".join(one.value for kind in (app.markdown, app.caption, app.info, app.text) for one in kind)


def test_the_page_steps_through_changes_the_document_and_leaves_it_as_it_was(
    stage: AppTest, knowledge: KnowledgeBase
) -> None:
    app = stage.switch_page("story.py").run()
    assert app.title[0].value == "Story" and "models are loaded" in texts(app)
    for number, scene in enumerate(BRIGHTWATER.story[:5], 1):
        app.button(key="story_next").click().run()
        assert app.title[0].value == f"{number}. {plain(scene.title)}"
        assert app.query_params["scene"] == str(number)
        assert ("$425" in knowledge.text(PATH)) is bool(scene.document)
    shown = texts(app)
    assert "As told" in shown and "stale" in shown and plain(scene.say) not in shown
    app.button(key="story_say").click().run()
    assert plain(scene.say) in texts(app)
    app.button(key="story_restore").click().run()
    assert knowledge.text(PATH) == TEXT and not [one for one in app.button if one.key == "story_restore"]
    app.button(key="story_again").click().run()
    assert "$425" in knowledge.text(PATH)
    app.button(key="story_next").click().run()
    assert knowledge.text(PATH) == TEXT  # before the audience has asked
    app.button(key="story_back").click().run()
    app.button(key="story_end").click().run()
    assert app.title[0].value == "Story" and knowledge.text(PATH) == TEXT and "scene" not in app.query_params


def test_a_story_left_in_a_scene_is_taken_back_by_the_next_page(stage: AppTest, knowledge: KnowledgeBase) -> None:
    app = stage.switch_page("story.py").run()
    app.query_params["scene"] = "3"
    app.run()
    assert "$425" in knowledge.text(PATH) and runtime.get().curtain.playing() == {"brightwater"}
    app.switch_page("overview.py").run()
    assert knowledge.text(PATH) == TEXT and "taken back" in app.toast[0].value
    app.run()
    assert not app.toast


def test_a_change_that_a_restart_left_standing_is_offered_beside_the_answers(
    stage: AppTest, knowledge: KnowledgeBase
) -> None:
    story.enter(BRIGHTWATER, EDITED, knowledge)  # and the process ended
    app = stage.switch_page("playground.py").run()
    assert any(plain(PATH) in one.value for one in app.warning) and "$425" in knowledge.text(PATH)
    app.button(key="curtain-restore").click().run()
    assert knowledge.text(PATH) == TEXT and not [one for one in app.button if one.key == "curtain-restore"]
    story.enter(BRIGHTWATER, EDITED, knowledge)
    app = AppTest.from_file(str(ROOT / "pages" / "main.py"), default_timeout=120).run()
    app.switch_page("playground.py").run()
    app.button(key="curtain-leave").click().run()
    assert "$425" in knowledge.text(PATH) and not [one for one in app.button if one.key == "curtain-leave"]


def test_the_curtain_hands_out_each_left_project_once_and_none_that_is_still_played() -> None:
    curtain = Curtain()
    assert curtain.left(lambda _session: True) == []
    for session, project in (("a", "p"), ("b", "p"), ("c", "q")):
        curtain.enter(session, project)
    assert curtain.left(lambda session: session == "a") == []
    assert curtain.playing() == {"p", "q"}
    curtain.leave("c")
    assert curtain.left(lambda session: session in "abc") == ["p"]
    assert curtain.left(lambda _session: True) == [] and curtain.playing() == set()


def test_the_audience_asks_and_going_back_asks_nothing_anew(stage: AppTest, knowledge: KnowledgeBase) -> None:
    stage.query_params["scene"] = "6"
    app = stage.switch_page("story.py").run()
    app.query_params["scene"] = "6"
    app.run()
    assert app.title[0].value.startswith("6.")
    app.text_input[-1].set_value("What does the Tidal Press cost today?").run()
    first = app.query_params["run"]
    assert "$389" in texts(app)
    app.button(key="story_back").click().run()
    app.button(key="story_next").click().run()
    assert app.query_params["run"] == first
    assert not [one for one in app.button if one.key == "story_next"]
    app.button(key="story_end").click().run()
    assert app.title[0].value == "Story" and story.standing(BRIGHTWATER, knowledge) == {}


@pytest.mark.parametrize("scene", ["0", "99", "-1", "x" * 5000, "²"])
def test_a_scene_that_is_none_is_the_opening(scene: str, stage: AppTest) -> None:
    app = stage.switch_page("story.py")
    app.query_params["scene"] = scene
    app.run()
    assert not app.exception and app.title[0].value == "Story"
