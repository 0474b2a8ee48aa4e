"""The price catalogue, the user's own lists over it, and picks from it; hostile lists are refused in one line."""

import json
from datetime import date

import pytest

from core import picks
from core.__main__ import main
from core.calculator import inputs
from core.errors import Problem
from core.evidence import price_lists, prices

TODAY = date(2026, 11, 24)
LUNA = {"id": "gpt-5.6-luna", "vendor": "openai", "name": "Luna", "input": 0.18, "output": 1.2, "input_cached": 0.02}


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("RR_HOME", str(tmp_path / "home"))
    return tmp_path


def listed(*entries, updated="2026-11-20"):
    return json.dumps({"updated_at": updated, "prices": list(entries)}).encode()


def test_every_shipped_price_has_source_and_date_and_sets_inputs_that_exist():
    assert "Examples" in prices.note()
    for one in prices.shipped().values():
        assert one.source and one.age(TODAY) >= 0, one.id
        inputs.defaults().replace(one.sets)
    kinds = {one.kind for one in prices.shipped().values()}
    assert kinds == set(prices.KINDS)


def test_the_default_scenarios_prices_are_those_of_the_catalogue():
    assert picks.picked(inputs.defaults(), prices.shipped()).id == "gemini-2.5-flash-lite"
    assert inputs.defaults().number("cache_discount") == prices.shipped()["gemini-2.5-flash-lite"].cache_discount
    mini = inputs.defaults().replace(prices.shipped()["gpt-4o-mini"].sets)
    (line,) = picks.ends(picks.in_use(mini, prices.shipped()), TODAY, 24)
    assert "2027-01-14" in line and picks.ends(list(prices.shipped().values()), TODAY, 1) == []


@pytest.mark.parametrize("preset", inputs.presets())
def test_no_scenario_to_start_from_rests_on_what_cannot_be_bought_or_tuned(preset):
    scenario, known = inputs.from_preset(preset), prices.shipped()
    assert picks.ends(picks.in_use(scenario, known), TODAY, 24) == [] and picks.untunable(scenario, known) == []


def test_cached_input_is_a_discount_and_none_where_none_is_listed():
    assert prices.shipped()["gpt-5.6-luna"].sets["cache_discount"] == 90
    assert prices.shipped()["claude-sonnet-5"].sets["cache_discount"] == 0


def test_prices_older_than_120_days_say_so_and_younger_ones_do_not():
    assert prices.old([prices.shipped()["gpt-5.6-luna"]], date(2026, 12, 3)) == ""  # 120 days
    assert "121 days" in prices.old([prices.shipped()["gpt-5.6-luna"]], date(2026, 12, 4))


def test_a_list_in_llm_prices_form_changes_the_price_and_keeps_what_it_does_not_say_and_the_old():
    offers, notes = price_lists.read(listed({**LUNA, "id": "gpt-4.1-mini"}), "x.json", TODAY)
    assert notes == []
    price_lists.keep(offers, "x.json", TODAY)
    one = price_lists.catalogue()["gpt-4.1-mini"]
    assert (one.input, one.date, one.source) == (0.18, "2026-11-20", "x.json")
    assert one.retires == "2027-01-14"  # the list does not say it, the catalogue knew it
    assert [each.input for each in price_lists.history("gpt-4.1-mini")] == [0.40, 0.18]


def test_of_a_history_what_holds_today_is_taken_as_read_today():
    past = {**LUNA, "input": 9, "from_date": None, "to_date": "2026-01-01"}
    now = {**LUNA, "input": 0.3, "from_date": "2026-01-01", "to_date": "2027-01-01"}
    later = {**LUNA, "input": 7, "from_date": "2027-01-01", "to_date": None}
    text = json.dumps({"prices": [past, later, now]}).encode()
    ((one,), notes) = price_lists.read(text, "x.json", TODAY)
    assert (one.input, one.date, notes) == (0.3, "2026-11-24", [])


def test_a_price_that_stands_twice_is_said_and_the_first_is_taken():
    offers, notes = price_lists.read(b"id,kind,input,output\none,model,1,2\none,model,3,4\n", "mine.csv", TODAY)
    assert [(one.id, one.input) for one in offers] == [("one", 1.0)]
    assert notes == ["entry 2: one stands there twice; 1 in, 2 out is taken."]


def test_the_later_date_wins_whatever_was_read_last():
    for updated, price in (("2026-11-20", 0.18), ("2026-09-01", 0.5), ("2020-01-01", 9.0)):
        offers, _ = price_lists.read(listed({**LUNA, "input": price}, updated=updated), "x.json", TODAY)
        compared = price_lists.changes(price_lists.catalogue(), offers)
        assert bool(compared.older) == (price != 0.18)
        price_lists.keep(offers, "x.json", TODAY)
    assert price_lists.catalogue()["gpt-5.6-luna"].input == 0.18 and len(price_lists.kept()) == 3


def test_a_csv_of_ones_own_brings_models_machines_and_what_can_be_tuned():
    text = (
        "ID, Input, Output, Kind, Price, Tuning, Retires, Note\n"
        "ours-7b, 0, 0, model,, weights,,\n"
        "rack, , , hour, 1.5..2, ,,\n"
        "gone, 1, 2, model,, hosted, 2026-01-01,\n"
        "broken, x, 2, model,,,,\n"
    )
    offers, notes = price_lists.read(text.encode("utf-8-sig"), "mine.csv", TODAY)
    assert [one.id for one in offers] == ["ours-7b", "rack", "gone"] and "'x' is not a number" in notes[0]
    assert offers[1].sets == {"gpu_hour_price": [1.5, 2.0], "dedicated_hour_price": [1.5, 2.0]}
    known = prices.catalogue([offers])
    assert "ours-7b" in {one.id for one in picks.tunables(known, "own", TODAY)}
    assert "gone" not in {one.id for one in [*picks.bases(known, "api", TODAY), *picks.tunables(known, "api", TODAY)]}


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff\xfe\x00",
        b"{",
        b"[]",
        b'{"prices": 3}',
        b'{"prices": []}',
        b'{"prices": [{"id": "x", "input": -1, "output": 1}]}',
        b'{"prices": [{"id": "x", "input": 1e999, "output": 1}], "updated_at": "2026-01-01"}',
        b'{"prices": [{"id": "x", "input": 1, "output": 1}], "updated_at": "yesterday"}',
        b"[" * 100_000,
        b"a,b,c\n1,2,3\n",
        b"id,input,output\n,1,2\n",
        b"id,kind,price\nx,weapon,3\n",
        b"x" * (price_lists.MAX_BYTES + 1),
    ],
    ids=range(14),
)
def test_what_is_no_price_list_is_refused_in_one_line(data):
    with pytest.raises(Problem) as refused:
        price_lists.read(data, "list", TODAY)
    assert "\n" not in refused.value.message and len(refused.value.message) < 500


def test_a_damaged_kept_list_is_named(home):
    offers, _ = price_lists.read(listed(LUNA), "x.json", TODAY)
    file = price_lists.keep(offers, "x.json", TODAY)
    file.write_text('{"offers": [{"id": 3}]}')
    with pytest.raises(Problem, match=r"0001\.json"):
        price_lists.catalogue()


def test_what_cannot_be_tuned_is_not_offered_for_tuning_and_refused_when_asked_for():
    known = prices.shipped()
    assert all(one.tuning == "hosted" for one in picks.tunables(known, "api", TODAY))
    for way in ("dedicated", "own"):
        assert all(one.open_weights for one in picks.tunables(known, way, TODAY))
        assert picks.OTHER in picks.tunables(known, way, TODAY)
    with pytest.raises(Problem, match="cannot be fine-tuned"):
        picks.tuned(inputs.defaults(), known, known["gpt-5.6-luna"], "api")
    with pytest.raises(Problem, match="no open weights"):
        picks.tuned(inputs.defaults(), known, known["gemini-2.5-pro"], "own")


@pytest.mark.parametrize("way", picks.WAYS)
def test_any_model_can_be_picked_for_base_and_fine_tune_and_is_found_again(way):
    known = prices.shipped()
    for one in picks.bases(known, way, TODAY):
        scenario = picks.base(inputs.defaults(), known, one, way)
        assert picks.picked(scenario, known).id == one.id and scenario.words["hosting"] == way
    for one in picks.tunables(known, way, TODAY):
        scenario = picks.tuned(inputs.defaults(), known, one, way)
        assert picks.picked(scenario, known, "tuned").id == one.id
        assert inputs.check(scenario.section())[0] == scenario


def test_fine_tuning_priced_on_what_nobody_can_have_tuned_is_said():
    known = prices.shipped()
    mini = inputs.defaults().replace(known["gpt-4o-mini"].sets)
    (line,) = picks.untunable(mini, known)
    assert "gpt-4o-mini" in line and "cannot be bought" in line
    elsewhere = picks.tuned(mini, known, known["gemini-2.5-flash"], "api")
    assert picks.untunable(elsewhere, known) == []
    assert picks.untunable(picks.base(inputs.defaults(), known, known["gemini-2.5-pro"], "api"), known) == []


def test_a_price_edited_after_a_pick_is_no_longer_the_pick():
    known = prices.shipped()
    scenario = picks.base(inputs.defaults(), known, known["gpt-5.6-luna"], "api").replace({"price_in": 0.19})
    assert picks.picked(scenario, known) is None


def test_the_command_shows_keeps_and_compares(home, capsys):
    file = home / "list.json"
    file.write_bytes(listed(LUNA, {"id": "new", "input": 1, "output": 2}, {"id": "bad", "input": "NaN"}))
    assert main(["prices", "--from", str(file), "--dry-run", "--json"]) == 0
    seen = json.loads(capsys.readouterr().out)
    assert [one["id"] for one in seen["changed"]] == ["gpt-5.6-luna", "new"] and price_lists.kept() == []
    assert main(["prices", "--from", str(file)]) == 0
    assert "gpt-5.6-luna: 0.2 in, 1.2 out, cached 0.02 -> 0.18 in" in capsys.readouterr().out
    assert main(["prices", "--from", str(file), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["changed"] == []
    assert main(["prices", "--json"]) == 0
    rows = {row["id"]: row for row in json.loads(capsys.readouterr().out)["offers"]}
    assert rows["gpt-5.6-luna"]["input"] == 0.18 and rows["cohere-rerank"]["old"] and "age_days" in rows["new"]
    for bad in ("http://example.org/x.json", "file:///etc/passwd", str(home / "none.json")):
        assert main(["prices", "--from", bad]) == 2
        assert len(capsys.readouterr().err.strip().splitlines()) == 1


def test_a_price_in_the_table_is_read_as_people_type_it() -> None:
    row = prices.rows(prices.shipped().values(), date(2026, 9, 1))[0]
    assert prices.typed(row, prices.shown(row)) == row
    taken = prices.typed(row | {"Low": 900.0, "High": 900.0}, {"Low": "1,000", "High": "1.5k"})
    assert (taken["Low"], taken["High"], taken["Origin"]) == (1000, 1500, row["Origin"])
    with pytest.raises(Problem, match="'dear' is not a number"):
        prices.typed(row, {"Low": "dear", "High": "1"})
