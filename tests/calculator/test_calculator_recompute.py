"""An independent recomputation of scenarios: plain Python, draw by draw, against the vectorised model, to 1e-9."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from core.calculator import approaches, breakeven, costs, draws, inputs, model

_spec = importlib.util.spec_from_file_location("recompute", Path(__file__).with_name("recompute.py"))
recompute = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(recompute)

SCENARIOS = {
    "documents": {},
    "policy-bot": {"hosting": "dedicated", "cache_hit": 0, "growth": [-5, 8]},
    "classification": {"training_from": "gpu", "training_method": "full", "latency_from": "document", "horizon": 36},
    "email-summaries": {"tuned_hosting": "premium", "training_from": "api", "retrieval_cost_from": "document"},
    "offline-device": {"speed_from": "roofline", "model_params": 1, "retrain_months": [1, 90], "discount_rate": 0},
    "prices-and-stock": {"tuned_hosting": "own", "training_from": "gpu", "cache_hit": 100, "horizon": 7},
}


@pytest.mark.parametrize("preset", SCENARIOS)
def test_an_independent_recomputation_agrees_to_1e_9(preset):
    scenario = inputs.from_preset(preset).replace({"draws": 1000, **SCENARIOS[preset]})
    outcome = model.evaluate(scenario)
    drawn = {name: np.broadcast_to(values, (1000,)).tolist() for name, values in draws.sample(scenario).items()}
    mine_all = [recompute.one_draw({name: v[at] for name, v in drawn.items()}, scenario.words) for at in range(1000)]
    close = pytest.approx
    for name, result in outcome.results.items():
        mine = {key: [draw[name][key] for draw in mine_all] for key in mine_all[0][name]}
        for p in (5, 25, 50, 75, 95):
            assert result.total[f"p{p}"] == close(
                recompute.percentile([spent[-1] for spent in mine["spent"]], p), rel=1e-9
            )
        for month in range(int(scenario.number("horizon")) + 1):
            at_month = recompute.percentile([spent[month] for spent in mine["spent"]], 50)
            assert result.months["p50"][month] == close(at_month, rel=1e-9)
        for p in (50, 95, 99):
            for kind, found in (("latency", result.latency), ("ttft", result.ttft)):
                over_requests = [requests[p] for requests in mine[kind]]
                assert found[f"p{p}"] == close(recompute.percentile(over_requests, 50), rel=1e-9)
        for key, values in (("accuracy", result.accuracy), ("stale", result.stale), ("weeks", result.weeks)):
            assert values["p50"] == close(recompute.percentile(mine[key], 50), rel=1e-9)
        assert result.delay_mean["p50"] == close(recompute.percentile(mine["delay"], 50), rel=1e-9)
        target = scenario.number("latency_target")
        of = mine["ttft" if scenario.words["latency_measure"] == "ttft" else "latency"]
        measured = [requests[95] for requests in of]
        for key, values in (
            ("first_year", result.first_year), ("month", result.month), ("per_right", result.per_right),
            ("wrong_cost", result.wrong_cost), ("energy", result.energy),
        ):  # fmt: skip
            assert values["p50"] == close(recompute.percentile(mine[key], 50), rel=1e-9)
        if result.exit:
            assert result.exit.mean == close(sum(mine["exit"]) / 1000, rel=1e-9)
            assert result.exit.chance == close(sum(cost > 0 for cost in mine["exit"]) / 1000, abs=1e-12)
        else:
            assert not any(mine["exit"])
        assert result.mean_total == close(sum(spent[-1] for spent in mine["spent"]) / 1000, rel=1e-9)
        assert result.within_target == close(sum(value <= target for value in measured) / 1000, abs=1e-12)
        best = [min(outcome.results, key=lambda other: draw[other]["spent"][-1]) for draw in mine_all]
        assert result.cheapest == close(best.count(name) / 1000, abs=1e-12)


@pytest.mark.parametrize("preset", SCENARIOS)
def test_break_even_reinserted_gives_equal_costs_by_other_means(preset):
    scenario = inputs.from_preset(preset).replace({"draws": 1000, **SCENARIOS[preset]})
    d = draws.sample(scenario)
    composed, months = approaches.compose(d, scenario.words), costs.calendar(d)
    drawn = {name: np.broadcast_to(values, (1000,)).tolist() for name, values in d.items()}
    found = 0
    for a, b in (("retrieval", "fine-tuning"), ("prompt", "retrieval"), ("retrieval", "hybrid")):
        lines = costs.cost_line(composed[a], months), costs.cost_line(composed[b], months)
        volumes, start = breakeven.break_even_queries(*lines)
        for at in range(0, 1000, 50):
            draw = recompute.one_draw({name: v[at] for name, v in drawn.items()}, scenario.words)
            cost = [lambda q, line=draw[one]["by volume"]: recompute.grown_cost(line, q) for one in (a, b)]
            if np.isfinite(volumes[at]):
                found += 1
                assert cost[0](volumes[at]) == pytest.approx(cost[1](volumes[at]), rel=1e-9)
                below, above = volumes[at] * 0.999, volumes[at] * 1.001
                assert (cost[0](below) - cost[1](below)) * start[at] > 0 > (cost[0](above) - cost[1](above)) * start[at]
            else:
                signs = {np.sign(cost[0](q) - cost[1](q)) for q in (0.0, 1e3, 1e6, 1e9, 1e12)} - {0.0}
                assert signs <= {start[at]}
    assert found > 0
