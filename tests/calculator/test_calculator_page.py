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
    return next(one.value for one in app.markdown if one.value.startswith("## "))


def said(scenario: inputs.Scenario) -> str:
    return f"## {plain(verdict.headline(scenario, model.evaluate_cached(scenario)))}"


def test_a_preset_gives_its_verdict_at_once_and_its_link_brings_it_back():
    app = page()
    assert headline(app) == said(inputs.defaults())
    app.selectbox(key="calculator_preset").set_value("policy-bot").run()
    assert headline(app) == said(inputs.from_preset("policy-bot"))
    link = link_of(app)
    assert headline(page(link)) == said(inputs.from_preset("policy-bot"))


def test_an_end_typed_past_the_other_takes_it_along_and_says_so_beside_the_field():
    app = page()
    app.text_input(key="calculator_answer_tokens_high").set_value("200.0").run()
    changed = inputs.defaults().replace({"answer_tokens": [100, 200]})
    assert headline(app) == said(changed)
    app.text_input(key="calculator_answer_tokens_low").set_value("500.0").run()
    assert not app.warning and headline(app) == said(inputs.defaults().replace({"answer_tokens": 500}))
    assert app.text_input(key="calculator_answer_tokens_high").value == "500"
    assert any("so both are 500 now" in one.value for one in app.caption)
    app.text_input(key="calculator_answer_tokens_high").set_value("50.0").run()
    assert headline(app) == said(inputs.defaults().replace({"answer_tokens": 50}))
    app.text_input(key="calculator_answer_tokens_high").set_value("200.0").run()
    assert not any("so both are" in one.value for one in app.caption)
    assert headline(app) == said(inputs.defaults().replace({"answer_tokens": [50, 200]}))


def test_a_price_is_typed_into_the_low_ends_alone():
    app = page()
    app.selectbox(key="calculator_group").set_value("model").run()
    app.text_input(key="calculator_price_in_low").set_value("0.40").run()
    app.text_input(key="calculator_price_out_low").set_value("1.60").run()
    app.selectbox(key="calculator_group").set_value("knowledge").run()
    app.text_input(key="calculator_corpus_tokens_low").set_value("700,000.0").run()
    wanted = inputs.defaults().replace({"price_in": 0.4, "price_out": 1.6, "corpus_tokens": 700_000})
    assert headline(app) == said(wanted) and not app.warning


def test_a_value_that_cannot_be_used_is_named_beside_its_field_and_the_old_one_kept():
    app = page()
    app.selectbox(key="calculator_group").set_value("money").run()
    app.text_input(key="calculator_horizon_value").set_value("12.5").run()
    assert any("whole number" in one.value and "old value" in one.value for one in app.caption)
    assert app.text_input(key="calculator_horizon_value").value == "24"


@pytest.mark.parametrize(
    ("typed", "value"), [("12k", 12_000), ("12.000", 12_000), ("1,000", 1_000), ("1 000", 1_000), ("0.05M", 50_000)]
)
def test_numbers_are_typed_as_people_write_them(typed, value):
    app = page()
    app.text_input(key="calculator_queries_low").set_value(typed).run()
    assert app.text_input(key="calculator_queries_low").value == f"{value:,}"
    assert headline(app) == said(inputs.defaults().replace({"queries": [value, 60_000]}))


def test_a_preset_is_undone_and_done_again():
    app = page()
    app.text_input(key="calculator_queries_low").set_value("30000.0").run()
    mine = inputs.defaults().replace({"queries": [30000, 60000]})
    app.selectbox(key="calculator_preset").set_value("policy-bot").run()
    assert headline(app) == said(inputs.from_preset("policy-bot"))
    app.button(key="undo").click().run()
    assert headline(app) == said(mine) and app.text_input(key="calculator_queries_low").value == "30,000"
    app.button(key="undo").click().run()
    assert headline(app) == said(inputs.from_preset("policy-bot"))


def test_the_search_finds_inputs_by_label_unit_and_help():
    app = page()
    app.text_input(key="calculator_search").set_value("fine-tuned price").run()
    keys = {one.key for one in app.text_input}
    assert "calculator_tuned_price_in_low" in keys and "calculator_queries_low" not in keys
    app.text_input(key="calculator_search").set_value("no such thing").run()
    assert len(app.text_input) == 1 and any("0 found" in one.value for one in app.caption)


def test_the_demos_accuracies_are_only_taken_when_asked_for():
    app = page()
    app.session_state["view"] = "Calibrate"
    app.run()
    assert any(headline(app)[3:] in one.value for one in app.markdown if "With the measured values" in one.value)
    app.checkbox(key="with_demo").check().run()
    assert not any(headline(app)[3:] in one.value for one in app.markdown if "With the measured values" in one.value)


def test_a_pick_from_the_price_list_sets_prices_with_source_and_only_offers_what_can_be_tuned():
    mini = inputs.defaults().replace({"price_in": 0.4, "price_out": 1.6})
    app = page(envelope.encode({"calculator": mini.section()}))
    app.session_state["view"] = "Prices"
    app.run()
    assert any(
        "retires on 2027" in one.value.replace("\\", "") for one in app.warning
    )  # the list's model of this price
    tunable = app.selectbox(key="pick_model_tuned").options
    assert not any("gpt" in one for one in tunable) and any("gemini-2.5-flash" in one for one in tunable)
    app.selectbox(key="pick_model_base").set_value("gpt-5.6-luna").run()
    wanted = inputs.defaults().replace({"price_in": 0.2, "price_out": 1.2, "cache_discount": 90})
    assert headline(app) == said(wanted) and not any("retires" in one.value for one in app.warning)
    app.selectbox(key="pick_way_tuned").set_value("dedicated").run()
    found, _ = envelope.decode(link_of(app))
    assert found["calculator"]["inputs"]["tuned_hosting"] == "dedicated"
    assert "gpt-5.6-luna, simonw/llm-prices" in found["calculator"]["origins"]["price_in"]
    assert app.selectbox(key="pick_model_tuned").value == "deepseek-v4-flash"


def test_inputs_that_are_not_on_the_screen_keep_their_values():
    app = page()
    app.text_input(key="calculator_queries_low").set_value("30000.0").run()
    app.selectbox(key="calculator_group").set_value("money").run()
    app.text_input(key="calculator_horizon_value").set_value("12.0").run()
    assert headline(app) == said(inputs.defaults().replace({"queries": [30000, 60000], "horizon": 12}))


@pytest.mark.parametrize("group", [group.id for group in inputs.groups()])
def test_every_group_draws_every_input_with_help_and_source(group):
    app = page()
    app.selectbox(key="calculator_group").set_value(group).run()
    assert not app.exception
    wanted = next(one for one in inputs.groups() if one.id == group)
    keys = {one.key for one in [*app.selectbox, *app.text_input]}
    for one in wanted.inputs:
        ends = {"range": ("_low", "_high"), "number": ("_value",)}.get(one.kind, ("",))
        assert {f"calculator_{one.name}{end}" for end in ends} <= keys
    assert all("Source:" in one.help for one in app.text_input if one.help)


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
    app.text_input(key="calculator_queries_low").set_value("30000.0").run()
    found, notes = envelope.decode(link_of(app))
    assert notes == [] and found["advisor"] == {"answers": [1]}
