"""The cards say what the numbers beside them say, and the numbers are those of the committed adapter."""

import copy
import json

import pytest
from jinja2 import UndefinedError

from core.errors import Problem
from core.evaluation.beside import agreement
from core.weights import manifest
from models.training import cards
from tests.bench import quantization

NAMES = ("measured", "training", "golden", "hand-small", "quantization-small")
STANDARD = ("hand-standard", "training-standard", "measured-standard", "quantization-standard")
NUMBERS, TRAINING, GOLDEN = (
    json.loads((cards.CARDS / f"{name}.json").read_text(encoding="utf-8")) for name in NAMES[:3]
)


def test_the_committed_cards_are_generated_from_their_numbers():
    assert cards.main(["--check"]) == 0


def test_a_changed_number_changes_the_card():
    changed = copy.deepcopy(NUMBERS)
    row = next(r for r in changed["results"] if (r["arm"], r["class"]) == ("fine-tuned", "static"))
    row["accuracy"] = 0.12345
    before = cards.fine_tuned_card(NUMBERS, TRAINING, GOLDEN)
    after = cards.fine_tuned_card(changed, TRAINING, GOLDEN)
    assert "12.3%" in after and before != after


def report(arm, beside=()):
    share = {"n": 4, "accuracy": 0.5, "standard_error": 0.1, "low": 0.2, "high": 0.8}
    return {"arms": {arm: {"classes": {"static": share}}}, "pairs": [], "rows": [], "beside": list(beside)}


def test_further_arms_of_the_same_adapter_leave_the_others_and_an_arm_asked_again_is_the_newer():
    stated = [{"figures": ["P1"], "arm": "Base", "share": 0.1}, {"figures": ["P1"], "arm": "Fine-tuned", "share": 0.2}]
    before = cards.measured([report("fine-tuned", stated)], "before", "2026-11-01", TRAINING)
    again = {"figures": ["P1"], "arm": "Base", "share": 0.3}
    after = cards.measured([report("base+perfect", [again])], "now", "2026-11-02", TRAINING, before, add=True)
    assert {row["arm"] for row in after["results"]} == {"fine-tuned", "base+perfect"}
    assert after["beside"] == [again, stated[1]]
    assert {row["arm"]: row.get("date") for row in after["results"]} == {
        "fine-tuned": "2026-11-01",
        "base+perfect": None,
    }
    same_day = cards.measured([report("base")], "now", "2026-11-02", TRAINING, after, add=True)["results"]
    assert [(row["arm"], row.get("date")) for row in same_day] == [
        ("base", None), ("base+perfect", None), ("fine-tuned", "2026-11-01")
    ]  # fmt: skip
    of_another = cards.measured([report("base+perfect", [again])], "now", "2026-11-02", TRAINING, before)
    assert {row["arm"] for row in of_another["results"]} == {"base+perfect"} and of_another["beside"] == [again]


def test_a_number_that_a_card_needs_and_nobody_gives_is_an_error_and_no_gap():
    with pytest.raises(UndefinedError, match="origin"):
        cards.base_card({name: value for name, value in NUMBERS.items() if name != "origin"}, GOLDEN)


def test_a_kind_of_file_stands_with_its_accuracy_its_difference_and_its_speed():
    row = {"date": "2026-12-01", "role": "base", "quantization": "Q4_0", "megabytes": 497, "memory_megabytes": 1028}
    row |= {"questions": 200, "prefill_per_s": 247.5, "decode_per_s": 37.4}
    row |= {"reading": {"accuracy": 0.765, "standard_error": 0.0295, "over_q8_0": [-0.04, -0.094, 0.015]}}
    card = cards.fine_tuned_card(NUMBERS, TRAINING, GOLDEN, None, [row])
    cells = "| base | Q4_0 | 497 | 1028 | 200 | 76.5% ± 2.9% (-4.0, -9.4 to +1.5) | — | 247.5 | 37.4 | 2026-12-01 |"
    assert cells in card and "By quantization" not in cards.fine_tuned_card(NUMBERS, TRAINING, GOLDEN)


@pytest.mark.parametrize("pair", ["small", "standard"])
def test_each_pair_is_served_as_the_kind_that_was_measured_best(pair):
    rows = json.loads((cards.CARDS / f"quantization-{pair}.json").read_text(encoding="utf-8"))
    assert {row["quantization"] for row in rows} >= {"Q8_0", "shipped", "Q4_0_M", "Q4_0", "IQ4_NL"}
    served = {model.quantization for model in manifest.load().models.values() if model.pair == pair}
    assert served == {quantization.default(rows)}


def test_whether_a_pair_meets_what_is_stated_elsewhere_is_as_the_evaluation_says_it():
    for file in cards.CARDS.glob("*.json"):
        numbers = json.loads(file.read_text())
        for row in numbers.get("beside", ()) if isinstance(numbers, dict) else ():
            found = agreement((row["low"], row["high"]), (row["run_low"], row["run_high"]))
            assert row["agreement"] == found, (file.name, row["figures"], row["arm"])


def test_check_finds_a_card_edited_by_hand(tmp_path, monkeypatch):
    for name in (*NAMES, *STANDARD):
        (tmp_path / f"{name}.json").write_bytes((cards.CARDS / f"{name}.json").read_bytes())
    monkeypatch.setattr(cards, "CARDS", tmp_path)
    monkeypatch.setattr(cards.cards, "__defaults__", (tmp_path,))
    assert cards.main(["--check"]) == 1
    assert cards.main([]) == 0
    assert cards.main(["--check"]) == 0
    (tmp_path / "base.md").write_text("better")
    assert cards.main(["--check"]) == 1
    (tmp_path / "golden.json").unlink()
    with pytest.raises(Problem, match=r"golden\.json cannot be read"):
        cards.cards(tmp_path)


def test_the_training_record_adds_up():
    runs = cards.runs(TRAINING)
    for run in runs:
        assert sum(run["kinds"].values()) == run["samples"]
        assert run["loss"][-1][0] == run["steps"] == run["scores"][-1]["step"]
        steps = [row["step"] for row in run["scores"]]
        assert steps == sorted(set(steps))
    assert sum(run["seconds"] for run in runs) < 90 * 60  # the preset's promise, on the machines of the record


def test_a_run_that_started_from_another_shows_both():
    alone = {key: value for key, value in TRAINING.items() if key != "before"}
    later = alone | {"kinds": {"sea shanties": 3}, "samples": 3, "before": alone}
    card = cards.fine_tuned_card(NUMBERS, later, GOLDEN)
    assert "| run 1 |" in card and "| run 2 |" in card and "| sea shanties | 0 | 3 |" in card
    assert cards.runs(later) == [alone, later]
    assert "| training |" in cards.fine_tuned_card(NUMBERS, alone, GOLDEN)


def test_accuracies_are_shares_with_their_questions():
    for row in NUMBERS["results"]:
        assert row["arm"] in cards.ARMS
        assert 0 <= row["accuracy"] <= 1 and row["n"] > 0
        right = row["accuracy"] * row["n"]
        assert right == pytest.approx(round(right), abs=row["n"] * 1e-4)


def test_results_are_taken_over_from_an_evaluation_report():
    score = {"n": 10, "right": 9, "accuracy": 0.9, "standard_error": 0.1}
    other = score | {"accuracy": 0.5}
    spoken = {"arm": "fine-tuned+retrieval", "cls": "changed", "problem": None}
    report = {
        "arms": {"fine-tuned+retrieval": {"classes": {"changed": score | {"right_training_day": other, "hit": other}}}},
        "rows": [spoken | {"voice": number < 9, "group": str(number)} for number in range(10)],
        "pairs": [
            {
                "class": "general",
                "from": "base",
                "to": "fine-tuned",
                "n": 5,
                "difference": -0.01,
                "low": -0.05,
                "high": 0.02,
            }
        ],
    }
    made = cards.measured([report], "the command", "2026-01-01", TRAINING)
    found = {row["class"]: row["accuracy"] for row in made["results"]}
    assert found == {"changed": 0.9, "voice": 0.9, "changed, training day": 0.5, "hit@3, changed": 0.5}
    more = {"arms": {}, "pairs": [], "rows": [spoken | {"voice": False, "group": "x"}] * 2}
    more["rows"] += [spoken | {"cls": "ticket", "voice": False, "group": "y"}]
    voices = [row for row in cards.measured([report, more], "", "", TRAINING)["results"] if row["class"] == "voice"]
    assert [(row["n"], row["accuracy"]) for row in voices] == [(12, 0.75)]  # over both reports, tickets left out
    old = {"date": "2025-12-31", "results": [{"arm": arm, "class": "static"} for arm in ("base", "fine-tuned")]}
    kept = cards.measured([report], "the command", "2026-01-01", TRAINING, old)["results"]
    assert {"arm": "base", "class": "static", "date": "2025-12-31"} in kept  # the base does not change, the tune does
    assert len(kept) == len(made["results"]) + 1
    assert made["general_gap"] == {"n": 5, "difference": -0.01, "low": -0.05, "high": 0.02}
