"""The page "Decide", run headless: a brief confirmed number by number, sliders, requirements, links."""

import pytest
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Block

from core import paths
from core import scenario as envelope
from core.advisor import handover
from core.calculator import inputs, model, verdict
from core.text import plain
from tests.calculator.test_brief import TELECOM


def page(link: str = "") -> AppTest:
    app = AppTest.from_file(str(paths.ROOT / "pages" / "main.py"), default_timeout=120)
    app.run()
    if link:
        app.query_params["s"] = link
    app.switch_page("decide.py").run()
    assert not app.exception, app.exception[0].stack_trace
    return app


def whole(app: AppTest) -> dict:
    value = app.query_params["s"]
    found, notes = envelope.decode(value if isinstance(value, str) else value[0])
    assert notes == []
    return found


def headline(app: AppTest) -> str:
    return next(one.value for one in app.markdown if one.value.startswith("## "))


def read(app: AppTest, text: str) -> AppTest:
    app.text_area(key="decide_text").set_value(text)
    return app.button(key="decide_read_it").click().run()


def place(app: AppTest) -> int:
    """Where among the page's own elements the columns with the verdict stand."""
    blocks = {at: one for at, one in app.main.children.items() if isinstance(one, Block)}
    return next(at for at, one in blocks.items() if any(text.value.startswith("## ") for text in one.get("markdown")))


def slider(app: AppTest, name: str):
    return next(one for one in app.select_slider if one.key.startswith(f"decide_{name}_"))


def test_a_brief_counts_only_once_it_is_confirmed_and_what_is_unticked_does_not():
    app = page()
    before = headline(app)
    read(app, TELECOM)
    assert headline(app) == before and any("CEO likes blue" in one.value for one in app.markdown)
    engineers = next(one for one in app.checkbox if "engineers" in one.label)
    engineers.uncheck().run()
    app.button(key="decide_confirm").click().run()
    assert not app.exception and not app.error
    got = whole(app)["calculator"]["inputs"]
    assert (got["queries"], got["corpus_tokens"], got["budget_first_year"]) == (12000, 700000, 40000)
    assert (got["price_in"], got["price_out"], got["launch_target"]) == (0.4, 1.6, 8) and "people" not in got
    assert whole(app)["advisor"]["answers"]["citations"] == "required"
    assert "your brief" in whole(app)["calculator"]["origins"]["queries"]
    scenario, _ = inputs.check(whole(app)["calculator"])
    assert headline(app) == f"## {plain(verdict.headline(scenario, model.evaluate_cached(scenario)))}"
    assert got["use_fine_tuning"] == "no"  # it must cite
    assert slider(app, "queries").value == (12000, 12000)


def test_the_verdict_keeps_its_place_whether_or_not_there_is_something_to_tell_above():
    """Else a browser shows the verdict of before below the new one until the run ends (seen at 390 px)."""
    app = page()
    example = place(app)
    read(app, TELECOM)
    app.button(key="decide_confirm").click().run()
    assert place(app) == example
    answers = {"citations": "required"}
    assert place(page(envelope.encode(handover.whole(answers, "retrieval")))) == example


def test_an_answer_that_was_read_wrongly_is_corrected_before_it_counts():
    app = read(page(), TELECOM)
    app.selectbox(key="decide_answer_style").set_value("some").run()
    app.button(key="decide_confirm").click().run()
    assert whole(app)["advisor"]["answers"]["style"] == "some"


def test_the_link_brings_the_whole_decision_back():
    app = read(page(), TELECOM)
    app.button(key="decide_confirm").click().run()
    app.text_input(key="decide_title").set_value("Telecom assistant")
    app.text_input(key="decide_owner").set_value("Ana")
    next(one for one in app.button if one.label == "Sign off").click().run()
    app.text_input(key="decide_keep_name").set_value("plan A").run()
    app.button(key="decide_keep").click().run()
    app.selectbox(key="decide_other").set_value("plan A").run()
    assert not app.exception and not app.error
    again = page(envelope.encode(whole(app)))
    assert headline(again) == headline(app) and again.text_input(key="decide_owner").value == "Ana"
    assert again.text_area(key="decide_text").value == TELECOM


def test_from_the_advisors_answers_nothing_is_asked_twice():
    answers = {"citations": "required", "data-changes": "daily", "volume": "medium", "network": "yes"}
    app = page(envelope.encode(handover.whole(answers, "retrieval")))
    assert any("4 answers" in one.value for one in app.caption)
    assert not app.expander[0].proto.expanded  # the brief is not asked for
    scenario, _ = inputs.check(handover.whole(answers, "retrieval")["calculator"])
    low, high = slider(app, "queries").value
    assert (low, high) == scenario.ranges["queries"]
    assert whole(app)["advisor"]["answers"] == answers


def test_a_slider_a_pace_and_a_requirement_move_the_verdict_at_once():
    app = page()
    slider(app, "queries").set_value((100000.0, 200000.0)).run()
    assert whole(app)["calculator"]["inputs"]["queries"] == [100000, 200000]
    slider(app, "pace").set_value("never").run()
    assert whole(app)["calculator"]["inputs"]["churn"] == 0 and slider(app, "pace").value == "never"
    app.button_group(key="decide_needs").set_value(["No network"]).run()
    assert whole(app)["calculator"]["inputs"]["hosting"] == "own"
    assert whole(app)["advisor"]["answers"]["network"] == "no"
    app.button_group(key="decide_needs").set_value([]).run()
    assert "hosting" not in whole(app)["calculator"]["inputs"] and not app.exception


def test_a_text_made_small_enough_for_a_prompt_may_be_put_into_one_again():
    app = read(page(), "700k tokens of manuals, every answer must cite its source")
    app.button(key="decide_confirm").click().run()
    assert whole(app)["calculator"]["inputs"]["use_prompt"] == "no"
    slider(app, "corpus_tokens").set_value((7000.0, 10000.0)).run()
    got = whole(app)["calculator"]["inputs"]
    assert "use_prompt" not in got and got["corpus_tokens"] == [7000, 10000] and got["use_fine_tuning"] == "no"


def test_everything_is_behind_a_fold_and_searchable():
    app = page()
    app.text_input(key="calculator_search").set_value("utilisation").run()
    assert any(one.key == "calculator_utilisation_low" for one in app.text_input)


@pytest.mark.parametrize(
    "section", [3, "x", {"brief": 3, "title": ["a"]}, {"brief": "<img src=x>", "owner": "![x](y)"}], ids=range(4)
)
def test_a_hostile_decision_section_is_a_plain_note_or_plain_text(section):
    app = page(envelope.encode({"decision": section, "advisor": {"answers": section}}))
    assert not app.exception and not app.error
