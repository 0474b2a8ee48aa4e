"""The advisor and compare pages run as a user runs them: through the main script, without a browser."""

import pytest
from streamlit.testing.v1 import AppTest

from core import scenario
from core.advisor import handover, rules, score
from core.evidence import claims, handbook
from core.paths import ROOT


def opened(page: str, link: str = "") -> AppTest:
    app = AppTest.from_file(str(ROOT / "pages" / "main.py"), default_timeout=30)
    if link:
        app.query_params[scenario.PARAMETER] = link
    app.run()
    app.switch_page(f"{page}.py").run()
    assert not app.exception
    return app


def texts(app: AppTest) -> str:
    return "\n".join(each.value for each in [*app.markdown, *app.caption, *app.header])


def test_the_advisor_opens_undecided_with_every_question():
    app = opened("advisor")
    assert len([each for each in app.selectbox if str(each.key).startswith("advisor-")]) == len(rules.load().questions)
    assert "Undecided" in texts(app)
    assert "Not enough to tell" in texts(app)


def test_an_answer_changes_the_recommendation_and_the_link():
    app = opened("advisor")
    app.selectbox(key="advisor-style").set_value("strict").run()
    assert "Recommendation: Fine-tuning" in texts(app)
    app.selectbox(key="advisor-data-changes").set_value("daily").run()
    assert "Recommendation: Hybrid" in texts(app)
    shared, notes = scenario.decode(app.query_params[scenario.PARAMETER])
    assert not notes
    assert shared["advisor"]["answers"] == {"style": "strict", "data-changes": "daily"}


def test_a_copied_link_gives_the_same_answers_in_a_fresh_session():
    answers = {"citations": "required", "knowledge-size": "large", "latency": "tight"}
    link = scenario.encode(handover.whole(answers, score.advise(answers).verdict))
    app = opened("advisor", link)
    given = {name: app.selectbox(key=f"advisor-{name}").value for name in rules.load().questions}
    assert {name: option for name, option in given.items() if option != rules.UNKNOWN} == answers
    assert app.query_params[scenario.PARAMETER] == link


def test_answers_survive_a_visit_to_another_page():
    app = opened("advisor")
    app.selectbox(key="advisor-style").set_value("strict").run()
    app.switch_page("compare.py").run()
    app.switch_page("advisor.py").run()
    assert app.selectbox(key="advisor-style").value == "strict"


@pytest.mark.parametrize("link", ["rubbish", "A" * 20_000])
def test_a_damaged_link_is_said_and_the_page_works(link):
    app = opened("advisor", link)
    assert app.warning
    assert "Undecided" in texts(app)


def test_wrong_answers_in_a_link_are_named_and_the_rest_is_kept():
    link = scenario.encode({"advisor": {"answers": {"style": "strict", "ghost": "x", "format": "![](http://x)"}}})
    app = opened("advisor", link)
    assert len(app.warning) == 2
    assert app.selectbox(key="advisor-style").value == "strict"
    assert "![](" not in "".join(each.value for each in app.warning)


def test_a_description_is_read_beside_its_text_and_counts_once_confirmed():
    app = opened("advisor")
    text = "Prices change daily and it must sound like us. 12,000 questions a month. <b>![x](http://x)</b>"
    app.text_area(key="advisor-text").set_value(text)
    app.button(key="advisor-read").click().run()
    assert ":green-background[daily]" in texts(app)
    assert "![x](" not in texts(app)
    assert app.selectbox(key="advisor-data-changes").value == rules.UNKNOWN, "nothing counts before it is confirmed"
    app.checkbox(key="advisor-take-volume").uncheck()
    app.button(key="advisor-use").click().run()
    assert app.selectbox(key="advisor-data-changes").value == "daily"
    assert app.selectbox(key="advisor-style").value == "strict"
    assert app.selectbox(key="advisor-volume").value == rules.UNKNOWN
    shared, notes = scenario.decode(app.query_params[scenario.PARAMETER])
    assert not notes
    assert shared["calculator"]["inputs"]["queries"] == 12_000
    app.text_area(key="advisor-text").set_value("qqq")
    app.button(key="advisor-read").click().run()
    assert "No rule found anything" in texts(app)
    app.button(key="advisor-clear").click().run()
    assert app.selectbox(key="advisor-data-changes").value == rules.UNKNOWN
    assert "12,000" not in texts(app)


def test_a_calculator_link_then_the_sidebar_keeps_the_answers():
    answers = {"citations": "required", "data-changes": "daily"}
    link = scenario.encode(handover.whole(answers, score.verdict(answers)))
    app = AppTest.from_file(str(ROOT / "pages" / "main.py"), default_timeout=30)
    app.query_params[scenario.PARAMETER] = link
    app.switch_page("calculator.py").run()
    del app.query_params[scenario.PARAMETER]  # the sidebar's links carry no query
    app.switch_page("advisor.py").run()
    assert not app.exception
    assert {name: app.selectbox(key=f"advisor-{name}").value for name in answers} == answers


@pytest.mark.parametrize(
    "view",
    [
        "Order of work",
        "Trace",
        "What would flip it",
        "Sensitivity",
        "Risks and practices",
        "Measure next",
        "The documents' cases",
        "Method and limits",
    ],
)
def test_every_view_of_the_advisor_draws(view):
    answers = {"citations": "required", "style": "strict", "data-changes": "daily", "volume": "high"}
    app = opened("advisor", scenario.encode({"advisor": {"answers": answers}}))
    app.button_group(key="advisor-view").set_value(view).run()
    assert not app.exception
    assert "Hard constraint" in app.warning[0].value


def test_the_trace_on_the_page_sums_to_the_scores():
    answers = {"style": "strict", "network": "no", "data-changes": "live"}
    app = opened("advisor", scenario.encode({"advisor": {"answers": answers}}))
    app.button_group(key="advisor-view").set_value("Trace").run()
    frame = app.dataframe[0].value
    for column in ("Retrieval", "Fine-tuning", "Hybrid"):
        assert frame[column].iloc[:-1].sum() == pytest.approx(frame[column].iloc[-1])


@pytest.mark.parametrize("view", ["Criteria", "Pipelines", "Kinds and parts", "Checklist", "Contradictions"])
def test_every_view_of_compare_draws(view):
    app = opened("compare")
    app.button_group(key="compare-view").set_value(view).run()
    assert not app.exception


def test_compare_filters():
    app = opened("compare")
    everything = len(app.dataframe[0].value)
    assert everything == sum(each.group != claims.METHOD for each in claims.criteria().values())
    app.toggle(key="compare-disputed").set_value(True).run()
    assert 0 < len(app.dataframe[0].value) < everything
    app.multiselect(key="compare-documents").set_value(["D1"]).run()
    assert all("D1" in "".join(map(str, row)) for row in app.dataframe[0].value.to_numpy())


def test_the_checklist_has_all_practices_and_mistakes():
    assert len(handbook.practices()) == 8 + 6 + 9
    app = opened("compare")
    app.button_group(key="compare-view").set_value("Checklist").run()
    assert len(app.checkbox) == 23
