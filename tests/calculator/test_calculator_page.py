"""The page, run headless: presets, widgets, links, notes; and that it shows what core computes."""

import json

import pytest
from streamlit.testing.v1 import AppTest

from core import paths
from core import scenario as envelope
from core.calculator import inputs, model, verdict
from core.text import plain


def page(link: str = "") -> AppTest:
    app = AppTest.from_file(str(paths.ROOT / "pages" / "calculator.py"), default_timeout=120)
    if link:
        app.query_params["s"] = link
    app.run()
    assert not app.exception, app.exception[0].stack_trace
    return app


def link_of(app: AppTest) -> str:
    value = app.query_params["s"]
    return value if isinstance(value, str) else value[0]


def headline(app: AppTest) -> str:
    return next(one.value for one in app.markdown if one.value.startswith("#### "))


def said(scenario: inputs.Scenario) -> str:
    return f"#### {plain(verdict.headline(scenario, model.evaluate_cached(scenario)))}"


def test_a_preset_gives_its_verdict_at_once_and_its_link_brings_it_back():
    app = page()
    assert headline(app) == said(inputs.defaults())
    app.selectbox(key="calculator_preset").set_value("policy-bot").run()
    assert headline(app) == said(inputs.from_preset("policy-bot"))
    link = link_of(app)
    assert headline(page(link)) == said(inputs.from_preset("policy-bot"))


def test_a_range_is_entered_as_low_and_high_and_an_inverted_one_is_named_and_dropped():
    app = page()
    app.number_input(key="calculator_answer_tokens_high").set_value(200.0).run()
    changed = inputs.defaults().replace({"answer_tokens": [100, 200]})
    assert headline(app) == said(changed)
    app.number_input(key="calculator_answer_tokens_low").set_value(500.0).run()
    assert "answer\\_tokens" in app.warning[0].value and headline(app) == said(changed)
    assert app.number_input(key="calculator_answer_tokens_low").value == 100
    app.number_input(key="calculator_answer_tokens_low").set_value(150.0).run()
    assert not app.warning and headline(app) == said(inputs.defaults().replace({"answer_tokens": [150, 200]}))


def test_inputs_that_are_not_on_the_screen_keep_their_values():
    app = page()
    app.number_input(key="calculator_queries_low").set_value(30000.0).run()
    app.selectbox(key="calculator_group").set_value("money").run()
    app.number_input(key="calculator_horizon_value").set_value(12.0).run()
    assert headline(app) == said(inputs.defaults().replace({"queries": [30000, 60000], "horizon": 12}))


@pytest.mark.parametrize("group", [group.id for group in inputs.groups()])
def test_every_group_draws_every_input_with_help_and_source(group):
    app = page()
    app.selectbox(key="calculator_group").set_value(group).run()
    assert not app.exception
    wanted = next(one for one in inputs.groups() if one.id == group)
    keys = {one.key for one in [*app.number_input, *app.selectbox, *app.text_input]}
    for one in wanted.inputs:
        ends = {"range": ("_low", "_high"), "number": ("_value",)}.get(one.kind, ("",))
        assert {f"calculator_{one.name}{end}" for end in ends} <= keys
    assert all("Source:" in one.help for one in app.number_input if one.help)


def test_every_view_draws_without_an_exception():
    from pages.draw.calculator_views import VIEWS

    app = page(envelope.encode({"calculator": inputs.from_preset("policy-bot").section()}))
    for view in VIEWS:
        app.session_state["view"] = view
        app.run()
        assert not app.exception, (view, app.exception[0].stack_trace)
        assert not app.error, (view, app.error[0].value)


def test_the_chart_on_the_screen_holds_the_models_numbers():
    app = page()
    spec = json.loads(app.get("plotly_chart")[0].proto.spec)
    result = model.evaluate_cached(inputs.defaults()).results["retrieval"]
    (line,) = [trace for trace in spec["data"] if trace.get("name") == "Retrieval"]
    assert list(line["y"]) == result.months["p50"]


@pytest.mark.parametrize("link", ["broken", "A" * 17000])
def test_a_broken_link_shows_the_defaults_and_one_line(link):
    app = page(link)
    assert app.warning[0].value.startswith("link") and headline(app) == said(inputs.defaults())


def test_a_link_with_one_bad_field_keeps_the_rest_and_shows_no_markdown_of_others():
    section = {"inputs": {"queries": -1, "horizon": 12, "![x](https://evil.example/x.png)": 3}}
    app = page(envelope.encode({"calculator": section}))
    text = app.warning[0].value
    assert "queries" in text and "![x](" not in text  # escaped, so no picture is fetched
    assert headline(app) == said(inputs.defaults().replace({"horizon": 12}))


def test_other_pages_sections_survive_in_the_link():
    app = page(envelope.encode({"advisor": {"answers": [1]}, "calculator": {"inputs": {"horizon": 12}}}))
    app.number_input(key="calculator_queries_low").set_value(30000.0).run()
    found, notes = envelope.decode(link_of(app))
    assert notes == [] and found["advisor"] == {"answers": [1]}
