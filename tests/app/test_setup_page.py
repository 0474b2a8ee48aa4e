"""The six steps of the set-up, each by itself: what is shown, what is kept, what is refused. No model is needed."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core import runtime
from core.arms import Arm
from core.engine.interface import Prompt
from core.evaluation.questions import Question
from core.project import Check, Example, Model, Project, tables
from tests.engine import tiny
from tests.given import BRIGHTWATER

ROOT = Path(__file__).resolve().parents[2]
STEPS = ("Documents", "Instruction", "Models and arms", "Questions", "Checks", "Story")


@pytest.fixture
def mine(monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    """A new project, empty, in a state folder of its own."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.delenv("RR_MODELS", raising=False)
    yield runtime.get().projects.create("My tool")
    runtime.close()


def page(project: Project, step: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / "pages" / "main.py"), default_timeout=120).run()
    app.switch_page("setup.py")
    app.query_params["project"], app.query_params["step"] = project.id, step
    return sound(app.run())


def sound(app: AppTest) -> AppTest:
    assert not app.exception, (app.exception[0].message, app.exception[0].stack_trace)
    return app


def now(project: Project) -> Project:
    return runtime.get().projects.get(project.id)


def said(app: AppTest) -> str:
    """Every text of the page."""
    shown = [*app.markdown, *app.caption, *app.info, *app.warning, *app.error, *app.code, *app.text_area, *app.title]
    lists = [option for box in app.main.get("selectbox") for option in box.options]
    return "\n".join([*(str(one.value) for one in shown), *lists])


def edit(app: AppTest, name: str, *, added: list[dict] | None = None, edited: dict | None = None, deleted=()) -> None:
    """What a person does in the table editor whose key begins with `name`."""
    table = next(one for one in app.data_editor if one.key.startswith(f"{name}-"))
    app.session_state[table.key] = {
        "added_rows": added or [],
        "edited_rows": edited or {},
        "deleted_rows": list(deleted),
    }


@pytest.mark.parametrize("step", STEPS)
def test_an_empty_project_shows_every_step_and_no_word_of_the_demo(mine: Project, step: str) -> None:
    app = page(mine, step)
    assert not app.error
    assert "brightwater" not in said(app).lower()


@pytest.mark.parametrize("step", STEPS)
def test_a_bundled_project_shows_all_and_lets_nothing_be_changed(mine: Project, step: str) -> None:
    app = page(BRIGHTWATER, step)
    assert not app.data_editor and all(one.disabled for one in app.text_area if one.key != "try_reply")
    assert {one.key for one in app.main.get("button")} <= {"new_project", "duplicate", "load_for_prompt"}


def test_a_bundled_project_leads_to_a_new_one_or_a_copy(mine: Project) -> None:
    app = page(BRIGHTWATER, "Documents")
    app.text_input(key="new_title").set_value("Handbook").run()
    sound(app.button(key="new_project").click().run())
    assert now(replace(mine, id="handbook")).title == "Handbook"
    assert "No documents yet" in said(app)
    app = page(BRIGHTWATER, "Instruction")
    sound(app.button(key="duplicate").click().run())
    copy = next(one for one in runtime.get().projects.all() if "copy" in one.title)
    assert copy.instruction == BRIGHTWATER.instruction and copy.models == BRIGHTWATER.models and not copy.bundled


def test_documents_are_added_and_counted(mine: Project) -> None:
    app = page(mine, "Documents")
    app.file_uploader(key="setup_files").set_value([("notes.md", b"# Notes\n\nThe pump holds 3 litres.", "text/plain")])
    next(one for one in app.button if one.label == "Add these files").click().run()
    job = app.session_state[f"upload-{mine.id}"]
    runtime.get().jobs.wait(job, 120)
    sound(app.run())
    assert app.metric[0].value == "1"
    assert "1 added, 0 not added" in said(app)


def test_a_vector_server_or_embedder_that_cannot_be_had_is_one_line_and_changes_nothing(mine: Project) -> None:
    app = page(mine, "Documents")
    assert "Vectors: here" in said(app) and "embedded by the bundled embedder" in said(app)
    app.text_input(key="vec_url").input("ftp://nowhere").run()
    sound(app.button(key="vec_move").click().run())
    runtime.get().jobs.wait(app.session_state[f"vectors-{mine.id}"], 120)
    assert "no address" in said(sound(app.run()))
    sound(app.segmented_control(key="emb_way").set_value("an endpoint").run())
    app.text_input(key="emb_url").input("http://127.0.0.1:9/v1")
    assert "wants the model's name" in said(sound(app.button(key="emb_plan").click().run()))
    knowledge = runtime.get().knowledge(mine)
    assert knowledge.where.place is None and not knowledge.embedding.url


def test_the_instruction_is_kept_and_its_prompt_shown_as_messages_until_a_model_is_there(mine: Project) -> None:
    runtime.get().knowledge(mine).add("pump.md", "# Pump\n\nThe pump holds 3 litres.")
    app = page(mine, "Instruction")
    area = next(one for one in app.text_area if one.label == "With passages")
    area.set_value("Answer from the manual alone.").run()
    app.text_input(key=f"sample-{mine.id}").set_value("What does the pump hold?").run()
    shown = said(app)
    assert "Not saved yet" in shown and "an estimate" in shown
    assert any("Answer from the manual alone." in one.value for one in app.code)
    assert any("The pump holds 3 litres." in one.value and "What does the pump hold?" in one.value for one in app.code)
    sound(app.button(key="save_instruction").click().run())
    assert now(mine).instruction.system_with_passages == "Answer from the manual alone."


def test_a_template_without_its_mark_is_refused_where_it_is_typed(mine: Project) -> None:
    app = page(mine, "Instruction")
    next(one for one in app.text_area if one.label == "Question").set_value("no mark").run()
    assert "must hold" in app.error[0].value and app.button(key="save_instruction").disabled


def test_examples_come_from_a_table(mine: Project) -> None:
    app = page(mine, "Instruction")
    edit(app, "examples", added=[{"question": "What colour?", "answer": "Blue."}])
    app.run()
    assert any("Blue." in one.value for one in app.code)
    sound(app.button(key="save_instruction").click().run())
    assert now(mine).instruction.examples == (Example("What colour?", "Blue."),)


def test_an_arms_own_texts_stand_instead_of_the_projects(mine: Project) -> None:
    kept = replace(mine, models=(Model("base", "Base", "base"),), arms=(Arm("base"), Arm("base", "retrieval")))
    runtime.get().projects.save(kept)
    app = page(mine, "Instruction")
    app.selectbox(key=f"texts-{mine.id}").select("base").run()
    app.text_area(key=f"system-{mine.id}-base").set_value("Say it in French.").run()
    assert any("Say it in French." in one.value for one in app.code)
    sound(app.button(key="save_instruction").click().run())
    assert [arm.system for arm in now(mine).arms] == ["Say it in French.", None]


def test_a_loaded_model_gives_the_exact_prompt_and_its_tokens(
    mine: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tiny.write(tmp_path / "tiny.gguf")
    kept = replace(mine, models=(Model("tiny", "Tiny", str(file)),), arms=(Arm("tiny"),))
    runtime.get().projects.save(kept)
    app = page(mine, "Instruction")
    assert "the model is not loaded" in said(app)
    sound(app.button(key="load_for_prompt").click().run())
    exact: Prompt = runtime.get().engine.prompt(
        runtime.spec(kept, "tiny"), kept.instruction.messages("What is this about?", arm=Arm("tiny"))
    )
    assert f"**{exact.tokens} tokens**" in said(app)
    assert exact.text.rstrip("\n") in [one.value for one in app.code]


def test_one_click_adds_a_model_with_its_first_arms(mine: Project) -> None:
    app = page(mine, "Models and arms")
    assert "nothing can answer" in said(app)
    sound(app.button(key="add_model").click().run())
    made = now(mine)
    assert [model.file for model in made.models] == ["base"]
    assert [(arm.model, arm.context) for arm in made.arms] == [
        (made.models[0].id, "closed"),
        (made.models[0].id, "retrieval"),
    ]
    assert "python -m core fetch" in app.warning[0].value.replace("\\", "")  # it says what is missing still


def test_a_gguf_of_ones_own_gets_a_template_stops_and_a_base(
    mine: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny.write(tmp_path / "bare.gguf", template=None)
    monkeypatch.setenv("RR_MODELS", str(tmp_path))
    runtime.get().projects.save(replace(mine, models=(Model("base", "Base", "base"),)))
    app = page(mine, "Models and arms")
    app.selectbox(key="add_file").select("bare").run()
    app.selectbox(key="add_base").select("base").run()
    app.selectbox(key="add_template").select("vicuna").run()
    sound(app.button(key="add_model").click().run())
    model = now(mine).model("bare")
    assert (model.file, model.base, model.template) == ("bare", "base", "vicuna")
    app = page(mine, "Models and arms")
    edit(app, "models", edited={1: {"stop strings": "### | END", "title": "Bare one"}})
    sound(app.button(key="save_models").click().run())
    assert (now(mine).model("bare").stop, now(mine).model("bare").title) == (("###", "END"), "Bare one")
    found = runtime.spec(now(mine), "bare")
    assert (found.template, found.stop) == ("vicuna", ("###", "END"))


def test_a_base_and_a_lora_at_an_address_are_a_pair_and_a_wrong_address_or_key_is_refused(mine: Project) -> None:
    app = page(mine, "Models and arms")

    def add(url: str, name: str, variable: str = "", base: str | None = None) -> AppTest:
        app.text_input(key="end_url").set_value(url)
        app.text_input(key="end_name").set_value(name)
        app.text_input(key="end_key").set_value(variable)
        if base:
            app.selectbox(key="end_base").select(base)
        return sound(app.button(key="add_endpoint").click().run())

    assert "is no address of an endpoint" in add("file:///etc/passwd", "m").error[0].value.replace("\\", "")
    secret = add("http://127.0.0.1:9/v1", "m", "sk-secret-typed-by-mistake")
    assert "type no key here" in secret.error[0].value.replace("\\", "") and not now(mine).models
    add("http://127.0.0.1:9/v1", "meta/Base-8B")
    add("http://127.0.0.1:9/v1", "support-lora", base="meta-base-8b")
    base, tuned = now(mine).models
    assert (base.file, tuned.file, tuned.base) == ("meta/Base-8B", "support-lora", base.id)
    assert {arm.model for arm in now(mine).arms} == {base.id, tuned.id}
    assert "is asked at" in said(app)
    app.session_state["step"] = "Instruction"
    assert "tokenizer is not here" in said(page(now(mine), "Instruction"))


def test_a_removed_model_takes_its_arms_along(mine: Project) -> None:
    models = (Model("one", "One", "base"), Model("two", "Two", "base"))
    runtime.get().projects.save(replace(mine, models=models, arms=(Arm("one"), Arm("two"))))
    app = page(mine, "Models and arms")
    edit(app, "models", deleted=(1,))
    sound(app.button(key="save_models").click().run())
    assert [model.id for model in now(mine).models] == ["one"] and [arm.model for arm in now(mine).arms] == ["one"]


def test_arms_are_edited_in_a_table_and_a_bad_one_changes_nothing(mine: Project) -> None:
    runtime.get().projects.save(replace(mine, models=(Model("one", "One", "base"),), arms=(Arm("one"),)))
    app = page(mine, "Models and arms")
    added = {"name": "deep", "model": "one", "context": "retrieval", "passages": 8, "folder": "guides", "weight": 0.5}
    edit(app, "arms", added=[added | {"repeats": 3, "temperature": 0.7, "max tokens": 64}])
    sound(app.button(key="save_arms").click().run())
    deep = now(mine).arm("deep")
    assert (deep.search.top_k, deep.search.folder, deep.search.weight, deep.search.threshold) == (
        8,
        "guides",
        0.5,
        None,
    )
    assert (deep.sampling.temperature, deep.sampling.max_tokens, deep.repeats) == (0.7, 64, 3)
    app = page(mine, "Models and arms")
    edit(app, "arms", added=[added])
    sound(app.button(key="save_arms").click().run())
    assert "Two arms are named" in app.error[0].value
    assert len(now(mine).arms) == 2


def test_questions_are_typed_reviewed_and_removed_in_a_table(mine: Project) -> None:
    app = page(mine, "Questions")
    row = {"question": "What does the pump hold?", "answer": "3 litres", "documents": "pump.md#size | b.md"}
    edit(app, "questions", added=[row])
    app.text_input(key="new_set").set_value("pumps").run()
    sound(app.button(key="save_questions").click().run())
    (kept,) = runtime.get().questions.read(mine, "pumps")
    assert (kept.answer, kept.documents, kept.cls, kept.reviewed) == ("3 litres", ("pump.md#size", "b.md"), "own", True)
    proposed = [Question(f"Q{n}?", "A", "own", origin="proposed", reviewed=False) for n in range(3)]
    runtime.get().questions.save(mine, "pumps", [kept, *proposed])
    app = page(mine, "Questions")
    assert "3 of 4 questions are proposals" in app.warning[0].value
    edit(app, "questions", edited={1: {"reviewed": True}}, deleted=(2,))
    sound(app.button(key="save_questions").click().run())
    kept_now = runtime.get().questions.read(mine, "pumps")
    assert [(one.question, one.reviewed, one.origin) for one in kept_now[1:]] == [
        ("Q0?", True, "proposed"),
        ("Q2?", False, "proposed"),
    ]
    app = page(mine, "Questions")
    sound(app.button(key="reject_rest").click().run())
    assert all(one.reviewed for one in runtime.get().questions.read(mine, "pumps"))


def test_questions_come_from_a_file(mine: Project) -> None:
    app = page(mine, "Questions")
    app.file_uploader(key="setup_questions").set_value(("thirty.csv", b"question,answer\nQ?,A\n", "text/csv"))
    next(one for one in app.button if one.label == "Add this file as a set").click().run()
    assert len(runtime.get().questions.read(mine, "thirty")) == 1


def test_checks_are_tried_on_a_reply_and_kept(mine: Project) -> None:
    app = page(mine, "Checks")
    edit(app, "checks", added=[{"name": "short", "kind": "max-words", "value": "3"}])
    app.text_area(key="try_reply").set_value("one two three four").run()
    assert any("✗ short" in one.value for one in app.markdown)
    sound(app.button(key="save_checks").click().run())
    assert now(mine).checks == (Check("short", "max-words", "3"),)
    app = page(mine, "Checks")
    edit(app, "checks", added=[{"name": "bad", "kind": "regex", "value": "("}])
    sound(app.button(key="save_checks").click().run())
    assert "no regular expression" in app.error[0].value and len(now(mine).checks) == 1


def test_a_broken_address_still_shows_a_step(mine: Project) -> None:
    app = page(mine, json.dumps({"x": 1}))
    assert app.title[0].value == "Set up"


def test_a_story_of_ones_own_is_written_checked_and_kept(mine: Project) -> None:
    here = runtime.get()
    here.projects.change(mine.id, models=(Model("m", "M", "base"),), arms=(Arm("m"), Arm("m", "retrieval")))
    here.knowledge(mine).add("fees.md", "# Fees\n\nThe mooring fee is $47.\n")
    app = page(now(mine), "Story")
    scene = {"title": "The fee", "question": "What is the fee?", "claims": "m = invented | m+retrieval = right",
             "document": "fees.md", "old words": "$47", "new words": "$52", "answer": "$52", "say": "Now.",
             "look": "The fee."}  # fmt: skip
    for wrong, says in (
        ({"claims": "m right"}, "ARM = KIND"),
        ({"claims": "m = wonderful"}, "wonderful"),
        ({"claims": "nobody = right"}, "nobody"),
        ({"title": "x" * 81}, "title"),
        ({"new words": ""}, "which words"),
        ({"document": ""}, "in which document"),
        ({"say": "x" * 3_000}, "say"),
    ):
        edit(app, "scenes", added=[scene | wrong])
        sound(app.run())
        if app.button(key="save_story") if any(one.key == "save_story" for one in app.button) else None:
            app.button(key="save_story").click()
            sound(app.run())
        assert any(says in one.value for one in app.error), (wrong, [one.value for one in app.error])
        assert now(mine).story == ()
    edit(app, "scenes", added=[scene | {"old words": "$48"}])
    assert any("does not say" in one.value for one in sound(app.run()).warning)
    edit(app, "scenes", added=[scene, {"title": "Now you"}])
    sound(app.run())
    app.button(key="save_story").click()
    sound(app.run())
    kept = now(mine).story
    assert [one.title for one in kept] == ["The fee", "Now you"] and kept[0].claims["m+retrieval"] == "right"
    assert tables.scenes(tables.scene_rows(now(mine))) == kept
