"""Bad input gives one clear line naming the field, and the rest is kept."""

import base64
import json
import subprocess
import sys
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core import paths, tomlfile
from core import scenario as envelope
from core.calculator import cares, inputs, kept
from core.commands import calculate
from core.errors import Problem

BAD = {
    "negative": -5,
    "huge": 1e300,
    "inverted": [5, 1],
    "not a number": float("nan"),
    "infinite": "inf",
    "empty": "",
    "nothing": None,
    "a word": "many",
    "a list of three": [1, 2, 3],
    "true": True,
    "an object": {"low": 1},
    "inverted in text": "9..3",
    "half a range": "3..",
}


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_value_is_named_and_everything_else_kept(kind):
    section = {"inputs": {"queries": BAD[kind], "answer_tokens": 222}, "preset": "support-bot"}
    scenario, notes = inputs.check(section)
    (note,) = notes
    assert note.startswith("queries:") and "\n" not in note
    assert scenario.ranges["queries"] == inputs.defaults().ranges["queries"]
    assert scenario.ranges["answer_tokens"] == (222, 222) and scenario.preset == "support-bot"
    with pytest.raises(Problem, match="queries:"):
        inputs.read("queries", BAD[kind])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("horizon", 12.5), ("horizon", [6, 12]), ("horizon", 0), ("draws", 10), ("draws", 1e9), ("hosting", "moon"),
        ("currency", "<b>"), ("exchange_rate", 0), ("no_such_input", 1), ("retrain_months", 0), ("utilisation", 0),
    ],
)  # fmt: skip
def test_limits_hold_for_every_kind_of_input(name, value):
    with pytest.raises(Problem, match=f"^{name}:"):
        inputs.read(name, value)


@pytest.mark.parametrize("name", [one.name for one in inputs.every().values() if not one.is_word])
def test_every_number_accepts_its_own_limits_and_nothing_beyond(name):
    one = inputs.every()[name]
    assert inputs.read(name, one.min) == (one.min, one.min)
    assert inputs.read(name, one.max) == (one.max, one.max)
    for beyond in (one.min - abs(one.min) - 1, one.max + abs(one.max) + 1):
        with pytest.raises(Problem, match=f"^{name}:"):
            inputs.read(name, beyond)


def test_zero_queries_zero_prices_and_zero_everything_still_give_an_answer():
    from core.calculator import model, verdict

    zeros = {one.name: max(0.0, one.min) for one in inputs.every().values() if one.kind == "range"}
    scenario = inputs.defaults().replace({**zeros, "draws": 1000})
    outcome = model.evaluate(scenario)
    assert verdict.verdict(scenario, outcome).headline
    huge = inputs.defaults().replace({one.name: one.max for one in inputs.every().values() if one.kind == "range"})
    assert "fits" in verdict.verdict(huge, model.evaluate(huge)).headline


@pytest.mark.parametrize("value", [5e-324, 1e-300, "1e-30", [0, 1e-10]])
@pytest.mark.parametrize("name", ["queries", "value_per_correct", "changing_share"])
def test_an_amount_nearer_to_nothing_than_any_that_counts_is_refused(name, value):
    with pytest.raises(Problem, match=f"^{name}: .* nearer to 0 than 1e-09"):
        inputs.read(name, value)
    assert inputs.read(name, 1e-9) == (1e-9, 1e-9)


@pytest.mark.filterwarnings("error")
def test_a_retrain_that_costs_nothing_is_done_about_daily_and_not_without_end():
    from core.calculator import model

    free = {"label_cost": 0, "training_document": 0, "retrain_hours": 0, "draws": 1000}
    outcome = model.evaluate(inputs.defaults().replace(free))
    assert outcome.results["fine-tuning"].retrain["best_months"]["p50"] == pytest.approx(0.03, rel=0.01)


# ---------------------------------------------------------------------------------------------------------- the link
def test_a_link_brings_back_exactly_the_scenario_and_is_short():
    scenario = inputs.from_preset("legal-search").replace({"queries": [1, 2]}, {"queries": "measured here, today"})
    link = envelope.encode({"calculator": scenario.section(), "advisor": {"a": [1]}})
    found, notes = envelope.decode(link)
    assert notes == [] and found["advisor"] == {"a": [1]}
    assert inputs.check(found["calculator"]) == (scenario, [])
    assert len(link) < 700


def test_the_defaults_take_no_room_in_the_link():
    assert inputs.defaults().section() == {}
    assert envelope.decode(envelope.encode({"calculator": {}})) == (envelope.empty(), [])


def test_a_link_that_unpacks_to_a_gigabyte_is_refused_without_unpacking_it():
    packer = zlib.compressobj(9)
    packed = b"".join(packer.compress(b" " * 1_000_000) for _ in range(1000)) + packer.flush()
    assert len(base64.urlsafe_b64encode(packed)) > envelope.MAX_LINK  # even the link is too long
    smaller = base64.urlsafe_b64encode(zlib.compress(b" " * 9_000_000, 9)).decode()
    assert len(smaller) < envelope.MAX_LINK
    for text in (base64.urlsafe_b64encode(packed).decode(), smaller):
        found, (note,) = envelope.decode(text)
        assert found == envelope.empty() and note.startswith("link:")


@pytest.mark.parametrize("text", ["abc", "é", "%%%", "A" * 20000, "eJw", "====", "\x00", "eNqrVkpOzEkuzUksyS9SsqpW"])
def test_a_broken_link_gives_the_defaults_and_one_line(text):
    found, notes = envelope.decode(text)
    assert found == envelope.empty() and len(notes) == 1 and notes[0].startswith("link:")


def test_a_link_of_another_version_keeps_what_both_know():
    data = json.dumps({"version": 99, "calculator": {"inputs": {"queries": 5, "gone": 1}}, "future": {}})
    found, notes = envelope.loads(data, "link")
    scenario, wrong = inputs.check(found["calculator"])
    assert scenario.ranges["queries"] == (5, 5)
    assert [note.split(":")[0] for note in [*notes, *wrong]] == ["version", "future", "gone"]


def test_numbers_no_one_can_use_and_deep_nesting_are_left_out_by_name():
    found, notes = envelope.loads('{"version":3,"calculator":{"inputs":{"queries":NaN,"growth":1e999,"draws":5000}}}')
    assert found["calculator"]["inputs"] == {"draws": 5000}
    assert [note.split(":")[0] for note in notes] == ["calculator.inputs.queries", "calculator.inputs.growth"]
    deep = '{"version":3,"calculator":' + '{"a":' * 40 + "1" + "}" * 41
    assert "nested" in envelope.loads(deep)[1][0]
    assert envelope.loads("[" * 100_000)[0] == envelope.empty()


@given(st.binary(max_size=200))
@settings(max_examples=200, deadline=None)
def test_no_bytes_make_loading_fail(data):
    for found, notes in (envelope.loads(data), envelope.decode(data.decode("latin-1"))):
        assert found["version"] == envelope.VERSION and isinstance(notes, list)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(["inputs", "origins", "preset", "others", "x"]), json_values, max_size=5))
@settings(max_examples=200, deadline=None)
def test_no_section_makes_checking_fail(section):
    scenario, notes = inputs.check(section)
    assert set(scenario.ranges) == set(inputs.defaults().ranges) and all(isinstance(note, str) for note in notes)
    kept.shelf_of(section)


@pytest.mark.parametrize(("version", "kept"), [(1, 1), (99, 99), (True, 3), ("2", 3), (None, 3)])
def test_a_scenario_that_is_handed_on_keeps_the_version_it_states(version, kept):
    text = json.dumps({"version": version, "calculator": {"inputs": {"top_k": 3}}})
    assert envelope.loads(text, as_stated=True)[0] == {"version": kept, "calculator": {"inputs": {"top_k": 3}}}
    assert envelope.loads(text)[0]["version"] == envelope.VERSION


def test_changed_defaults_need_a_new_version():
    # An old link holds only differences, so a changed default changes what it means. When this fails: raise
    # core.scenario.VERSION, then put the new number here.
    known = {one.name: inputs.plain_value(one.default) for one in inputs.every().values()}
    assert (envelope.VERSION, zlib.crc32(json.dumps(known, sort_keys=True).encode())) == (3, DEFAULTS)


DEFAULTS = 3801274499


# ------------------------------------------------------------------------------------------------------- the command
def run(capsys, *argv):
    calculate.main(list(argv))
    return capsys.readouterr()


def test_the_command_gives_what_the_page_shows_to_the_last_digit(capsys):
    from core.calculator.model import evaluate_cached

    scenario = inputs.from_preset("policy-bot").replace({"queries": "500..900", "draws": 2000})
    printed = json.loads(
        run(capsys, "--json", "--preset", "policy-bot", "--set", "queries=500..900", "--set", "draws=2000").out
    )
    outcome = evaluate_cached(scenario)
    for name, result in outcome.results.items():
        assert printed["results"][name]["total"] == result.total
        assert printed["results"][name]["months"] == result.months
    link = envelope.encode({"calculator": scenario.section()})
    by_link = json.loads(run(capsys, "--json", "--link", f"https://example.org/calculator?s={link}").out)
    assert by_link == printed


def test_a_saved_scenario_gives_the_same_report(capsys, tmp_path):
    scenario = inputs.from_preset("policy-bot").replace({"draws": 1000})
    file = tmp_path / "scenario.json"
    file.write_text(envelope.dumps({"calculator": scenario.section()}))
    saved = json.loads(run(capsys, "--json", "--scenario", str(file)).out)
    assert saved == json.loads(run(capsys, "--json", "--preset", "policy-bot", "--set", "draws=1000").out)


def test_list_gives_every_input_with_unit_default_range_source_and_help(capsys):
    entries = json.loads(run(capsys, "--list", "--json").out)
    assert [entry["name"] for entry in entries] == list(inputs.every())
    for entry in entries:
        assert {"name", "unit", "default", "low", "high", "source", "help"} <= set(entry)


@pytest.mark.parametrize(
    ("argv", "field"),
    [
        (["--set", "queries=5..1"], "queries"), (["--set", "queries=nan"], "queries"),
        (["--set", "queries="], "queries"),
        (["--set", "queries"], "--set"), (["--set", "nope=1"], "nope"), (["--preset", "x"], "preset"),
        (["--scenario", "/nowhere/x.json"], "--scenario"), (["--link", "zzz"], "link"), (["--what"], "--what"),
    ],
)  # fmt: skip
def test_bad_arguments_end_with_status_2_and_one_line_naming_the_field(argv, field):
    done = subprocess.run(
        [sys.executable, "-m", "core", "calculate", "--json", *argv], capture_output=True, text=True, cwd=paths.ROOT
    )
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr.count("\n") == 1 and field in done.stderr


def test_the_command_needs_neither_streamlit_nor_models():
    code = (
        "import sys; from core.commands import calculate; calculate.main(['--json', '--set', 'draws=1000']);"
        "bad = {'streamlit', 'llama_cpp', 'llama_index', 'torch', 'pandas'} & set(sys.modules); assert not bad, bad"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, cwd=paths.ROOT)


def test_a_scenario_of_version_1_opens_and_keeps_its_days_to_launch(capsys, tmp_path):
    old = {"version": 1, "calculator": {"inputs": {"tuning_setup_days": [5, 9], "churn": 7, "draws": 1000}}}
    file = tmp_path / "old.json"
    file.write_text(json.dumps(old))
    scenario, notes = inputs.check(old["calculator"])
    assert scenario.words["launch_from"] == "document" and [note.split(":")[0] for note in notes] == ["version"]
    assert inputs.check(scenario.section()) == (scenario, [])
    kept = inputs.defaults().replace({"tuning_setup_days": [5, 9]})
    assert inputs.check(kept.section()) == (kept, [])  # of this version: launch still follows from hours
    printed = run(capsys, "--json", "--scenario", str(file))
    assert json.loads(printed.out)["scenario"]["version"] == 3 and "version 1" in printed.err


def test_an_older_scenario_says_which_defaults_it_did_not_mean():
    (note,) = envelope.loads('{"version":2,"calculator":{}}')[1]
    assert "in version 3 the prices to start from" in note and "in version 2" not in note
    (note,) = envelope.loads('{"version":1}')[1]
    assert "in version 2" in note and "in version 3" in note
    assert set(range(2, envelope.VERSION + 1)) == set(envelope.CHANGES)
    for odd in ("true", "99", "-1", '"2"', "2.5", "null"):
        (note,) = envelope.loads(f'{{"version":{odd}}}')[1]
        assert "in version 3" not in note


@pytest.mark.parametrize(
    ("name", "shape", "slip"),
    [
        ("inputs.toml", inputs._Inputs, ("shape = ", "shap = ")),
        ("inputs.toml", inputs._Inputs, ('kind = "choice"', 'kind = "chioce"')),
        ("presets.toml", inputs._Presets, ("about = ", "abuot = ")),
        ("cares.toml", cares._File, ("view = ", "veiw = ")),
    ],
)
def test_a_slip_in_the_calculators_files_is_one_problem_naming_the_place(tmp_path, name, shape, slip):
    text = (paths.ROOT / "core" / "calculator" / name).read_text(encoding="utf-8")
    assert slip[0] in text
    (tmp_path / name).write_text(text.replace(*slip, 1), encoding="utf-8")
    with pytest.raises(Problem, match=rf"^{name}, ") as found:
        tomlfile.read(tmp_path / name, shape)
    assert slip[1].split(" ")[0] in found.value.message or "chioce" in found.value.message
