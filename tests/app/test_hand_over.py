"""From a run to the calculator: times, tokens and cost, by the machine's hour or by the token."""

from dataclasses import replace

from core import hand_over, records
from core.calculator import inputs
from core.project import Model
from core.records import ArmRecord, ModelIdentity, RunRecord, Timing, Tokens
from tests.given import BRIGHTWATER
from tests.project.made import run

HERE = replace(
    ArmRecord("base", "done", model_id="base", context="closed", finish="stop", answer="x"),
    timing=Timing(ttft_total=20.0, prefill=10.0, decode=90.0, total=360.0),
    tokens=Tokens(100, 0, 20),
    rates=records.Rates(1000.0, 50.0),
)
FAR = replace(
    HERE, model_id="far", model=ModelIdentity(kind="endpoint"), tokens=Tokens(1_000, 0, 500), rates=records.Rates()
)
SOLD = replace(
    BRIGHTWATER,
    models=(Model("far", "Far", "gpt", endpoint="http://127.0.0.1:1/v1", offer="gpt-4.1-mini"), *BRIGHTWATER.models),
)


def of(*arms: ArmRecord) -> RunRecord:
    return replace(run(BRIGHTWATER), arms=arms)


def test_an_answer_given_here_hands_over_the_machine_s_hour_and_what_one_answer_cost() -> None:
    found = hand_over.of(of(HERE), BRIGHTWATER, 0.5)
    assert found.costs == (0.5 * 360 / 3_600_000,) * 2 and "cost $5e-05 an answer" in hand_over.words(found)
    made = hand_over.apply(inputs.defaults(), found)
    assert made.words["hosting"] == "dedicated" and made.words["tuned_hosting"] == "same"
    assert made.ranges["dedicated_hour_price"] == (0.5, 0.5) and made.ranges["concurrency"] == (1, 1)
    assert made.ranges["decode_ms"] == (20.0, 20.0) and "playground" in made.origins["dedicated_hour_price"]


def test_what_does_not_count_has_no_cost_either() -> None:
    for odd in (Timing(total=360.0, contended=True), Timing(total=360.0, cold=True)):
        assert hand_over.of(of(replace(HERE, timing=odd)), BRIGHTWATER, 0.5).empty
    assert hand_over.of(of(replace(HERE, finish="cancelled")), BRIGHTWATER, 0.5).empty
    assert hand_over.of(of(FAR), BRIGHTWATER, 0.5).empty  # the project names no price for it


def test_an_endpoint_hands_over_its_price_by_the_token_to_the_role_of_its_model() -> None:
    found = hand_over.of(of(FAR), SOLD, 0.5)
    assert found.base is not None and found.rate is None and not found.empty
    made = hand_over.apply(inputs.defaults(), found)
    assert made.words["hosting"] == "api" and made.ranges["price_in"] == (found.base.input,) * 2
    assert found.costs == ((1_000 * found.base.input + 500 * found.base.output) / 1e6,) * 2  # type: ignore[operator]
    tuned = replace(SOLD, models=(replace(SOLD.models[0], base="base"), *SOLD.models[1:]))
    made = hand_over.apply(inputs.defaults(), hand_over.of(of(FAR), tuned, 0.5))
    assert made.words["tuned_hosting"] == "priced" and made.ranges["tuned_price_out"] == (found.base.output,) * 2
