"""Laws that hold whatever the scenario: monotonicity, limits, conservation, same seed same result."""

import math
from dataclasses import asdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.calculator import approaches, costs, draws, inputs, model
from core.calculator import formulas as f
from core.evidence import figures

FAST = {"draws": 1000}
PRICES = ("price_in", "price_out", "embedding_price", "hour_rate", "label_cost", "training_document", "rerank_price")
TOKENS = (
    "question_tokens",
    "answer_tokens",
    "system_tokens",
    "history_tokens",
    "corpus_tokens",
    "chunk_tokens",
    "top_k",
)


def small(**changes):
    return inputs.from_preset("policy-bot").replace({**FAST, **changes})


def totals(scenario):
    """USD over the horizon, per draw."""
    d = draws.sample(scenario)
    return costs.totals(approaches.compose(d, scenario.words), costs.calendar(d))


def points(scenario):
    """Every range at its middle."""
    return scenario.replace(
        {name: draws.middle(name, value) for name, value in scenario.ranges.items() if not inputs.every()[name].whole}
    )


def test_zero_queries_cost_the_fixed_part():
    scenario = small(queries=0)
    d = draws.sample(scenario)
    months = costs.calendar(d)
    for name, one in approaches.compose(d, scenario.words).items():
        fixed = sum(one.setup.values()) + sum(one.monthly.values()) * months.monthly
        for event, amounts in one.events.items():
            fixed = fixed + sum(amounts.values()) * months.all_events[event]
        assert np.allclose(totals(scenario)[name], fixed, rtol=1e-12)
    result = model.evaluate(scenario).results["retrieval"]
    assert result.per_query is None and result.total["p50"] > 0


@pytest.mark.parametrize("name", ["queries", *PRICES, *TOKENS, "tuned_system_tokens"])
def test_cost_never_falls_with_queries_tokens_and_prices(name):
    base = small()
    low, high = base.ranges[name]
    more = totals(base.replace({name: [low * 1.3, high * 1.3]}))
    for approach, before in totals(base).items():
        assert np.all(more[approach] >= before - 1e-9 * before), approach


@pytest.mark.parametrize("hosting", ["dedicated", "own"])
def test_cost_on_machines_never_falls_with_queries_and_tokens(hosting):
    base = small(hosting=hosting, queries=[1e6, 1e7])
    for name in ("queries", "answer_tokens", "history_tokens"):
        low, high = base.ranges[name]
        more = totals(base.replace({name: [low * 1.3, high * 1.3]}))
        assert all(np.all(more[one] >= before * (1 - 1e-12)) for one, before in totals(base).items())


def test_hybrid_fixed_cost_is_at_least_each_parts():
    d = draws.sample(small())
    composed = approaches.compose(d, small().words)
    for kind in ("setup", "monthly"):
        cost = {name: sum(getattr(one, kind).values()) for name, one in composed.items()}
        assert np.all(cost["hybrid"] >= cost["retrieval"]) and np.all(cost["hybrid"] >= cost["fine-tuning"])
    each = [sum(composed["hybrid"].events[approaches.BEHAVIOUR].values())]
    each.append(sum(composed["fine-tuning"].events[approaches.FACTS].values()))
    assert np.array_equal(*each)


def test_a_point_range_equals_the_formula_by_hand():
    scenario = points(small()).replace(
        {
            "queries": 10000,
            "growth": 0,
            "discount_rate": 0,
            "horizon": 12,
            "retirement_months": 100,
            "cache_hit": 50,
            "cache_discount": 50,
            "system_tokens": 400,
            "history_tokens": 0,
            "question_tokens": 100,
            "answer_tokens": 200,
            "top_k": 4,
            "chunk_tokens": 250,
            "chunk_overlap": 0,
            "corpus_tokens": 50000,
            "price_in": 1,
            "price_out": 4,
            "embedding_price": 0.1,
            "rerank_price": 0,
            "churn": 10,
            "reembeds_per_year": 0,
            "vector_monthly": 20,
            "vector_price": 0,
            "retrieval_setup": 250,
            "hour_rate": 100,
            "retrieval_setup_hours": 80,
            "retrieval_month_hours": 5,
        }
    )
    # input 400 + 100 + 4 x 250 = 1,500 tokens, of which 400 are cached half the time at half price: 1,400 paid
    query = 1400 * 1 / 1e6 + 200 * 4 / 1e6 + 100 * 0.1 / 1e6
    monthly = 5 * 100 + 20 + 0.1 * 50000 * 0.1 / 1e6
    by_hand = 80 * 100 + 250 + 50000 * 0.1 / 1e6 + 12 * monthly + 120000 * query
    result = model.evaluate(scenario).results["retrieval"]
    assert {round(value, 6) for value in result.total.values()} == {round(by_hand, 6)}
    assert result.per_query["p50"] == pytest.approx(by_hand / 120000, rel=1e-12)
    assert result.per_right["p50"] == pytest.approx(by_hand / 120000 / result.accuracy["p50"] * 100, rel=1e-12)
    assert result.first_year["p50"] == pytest.approx(by_hand, rel=1e-12)
    assert result.month["p50"] == pytest.approx((by_hand - 80 * 100 - 250 - 50000 * 0.1 / 1e6) / 12, rel=1e-12)


def test_dedicated_hosting_per_query_is_the_study_example():
    # 2.50 USD an hour: 0.18 USD a query at 10,000 queries a month, 0.0018 at a million
    for queries, each in ((10_000, 0.1825), (1_000_000, 0.001825)):
        month = f.hosting_month(np.asarray(2.5 * 730), np.asarray(1.0), np.asarray(float(queries)), np.asarray(0.0))
        assert month / queries == pytest.approx(each)


def test_retrains_happen_within_the_horizon_only():
    for interval, retrains in ((6.0, 3), (24.0, 0), (1000.0, 0), (1.0, 23)):  # every 6: after 6, 12 and 18 months
        assert f.retrains_until(np.asarray(interval), 24)[-1] == retrains


def test_the_parts_sum_to_the_total_and_the_months_end_in_it():
    for preset in ("policy-bot", "classification"):
        scenario = inputs.from_preset(preset).replace(FAST)
        d = draws.sample(scenario)
        months = costs.calendar(d)
        for one in approaches.compose(d, scenario.words).values():
            total = costs.cumulative(costs.paid(one, months), months)[-1]
            assert np.allclose(sum(costs.total_parts(one, months).values()), total, rtol=1e-10)


def test_percentiles_are_ordered_and_cumulative_cost_rises():
    for preset in inputs.presets():
        outcome = model.evaluate(inputs.from_preset(preset).replace(FAST))
        for result in outcome.results.values():
            for values in (result.total, result.per_query, result.latency, result.ttft, result.accuracy, result.weeks):
                assert list(values.values()) == sorted(values.values())
            for band in result.months.values():
                assert band == sorted(band)
            assert result.ttft["p50"] <= result.latency["p50"]
            assert result.stale["p5"] >= 0 and result.stale["p95"] <= 100
        assert sum(result.cheapest for result in outcome.results.values()) == pytest.approx(1)


def test_percentiles_match_numpy():
    values = np.random.default_rng(0).lognormal(size=5001)
    wanted = (0, 5, 25, 50, 75, 95, 99, 100)
    assert list(draws.percentiles(values, wanted).values()) == pytest.approx(np.percentile(values, wanted), rel=1e-12)


def test_currency_scales_every_amount_and_nothing_else():
    dollars = model.evaluate(small())
    euros = model.evaluate(small(exchange_rate=0.5, currency="EUR"))
    for name, result in dollars.results.items():
        other = euros.results[name]
        for values, scaled in (
            (result.total, other.total),
            (result.net_value, other.net_value),
            (result.parts, other.parts),
        ):
            assert [value * 0.5 for value in values.values()] == pytest.approx(list(scaled.values()), rel=1e-12)
        assert [v * 0.5 for v in result.months["p50"]] == pytest.approx(other.months["p50"], rel=1e-12)
        assert (result.latency, result.accuracy, result.cheapest) == (other.latency, other.accuracy, other.cheapest)
    assert dollars.crossings == euros.crossings


def test_the_same_seed_gives_the_same_result_and_another_seed_another():
    assert asdict(model.evaluate(small())) == asdict(model.evaluate(small()))
    assert model.evaluate(small()).results["hybrid"].total != model.evaluate(small(seed=2)).results["hybrid"].total


def test_changing_one_input_leaves_the_other_draws_as_they_were():
    before, after = draws.sample(small()), draws.sample(small(queries=[1, 10]))
    assert all(np.array_equal(before[name], after[name]) for name in before if name != "queries")


def test_draws_stay_within_their_range_and_a_log_shape_has_its_median_in_the_geometric_middle():
    scenario = inputs.defaults().replace({"draws": 20000})
    d = draws.sample(scenario)
    for name, (low, high) in scenario.ranges.items():
        assert low <= d[name].min() and d[name].max() <= high + 1e-9 * abs(high), name
    assert np.median(d["labelled_rows"]) == pytest.approx(math.sqrt(1e4 * 1e6), rel=0.05)


def test_without_churn_nothing_goes_stale_and_with_instant_retrains_nothing_either():
    still = model.evaluate(small(churn=0))
    assert all(result.stale["p95"] == 0 for result in still.results.values())
    assert still.results["fine-tuning"].accuracy["p50"] == pytest.approx(92.5, abs=0.2)
    quick = model.evaluate(small(churn=50, retrain_months=0.03, retrain_days=0))
    assert quick.results["fine-tuning"].stale["p95"] < 0.6
    slow = model.evaluate(small(churn=10000, retrain_months=120, changing_share=100))
    assert slow.results["fine-tuning"].accuracy["p50"] == pytest.approx(65, abs=0.5)  # all of it stale


@given(st.floats(0, 50), st.floats(0.01, 60), st.floats(0, 12))
@settings(max_examples=200, deadline=None)
def test_the_fresh_share_is_a_share_and_falls_with_churn_interval_and_lead(churn, interval, lead):
    c, t, lag = (np.asarray(value) for value in (churn, interval, lead))
    here = float(f.fresh_share(c, t, lag))
    assert 0 <= here <= 1
    for more in (f.fresh_share(c + 0.1, t, lag), f.fresh_share(c, t + 0.1, lag), f.fresh_share(c, t, lag + 0.1)):
        assert float(more) <= here + 1e-12


def test_the_fresh_share_is_the_study_formula_without_lead():
    c, t = 0.3, 4.0
    assert f.fresh_share(np.asarray(c), np.asarray(t), np.asarray(0.0)) == pytest.approx(
        (1 - math.exp(-c * t)) / (c * t)
    )
    assert f.fresh_share(np.asarray(c), np.asarray(0.0), np.asarray(2.0)) == pytest.approx(math.exp(-0.6))


@given(st.floats(1, 1e6), st.floats(1e-4, 5), st.floats(0, 1e7))
@settings(max_examples=200, deadline=None)
def test_the_best_retrain_interval_beats_its_neighbours(cost, churn, loss):
    best = float(f.best_retrain_interval(np.asarray(cost), np.asarray(churn), np.asarray(loss))[0])

    def spent(t):
        return cost / t + loss * (1 - float(f.fresh_share(np.asarray(churn), np.asarray(t), np.asarray(0.0))))

    if math.isinf(best):
        assert spent(1e9) <= min(spent(t) for t in np.geomspace(1e-3, 1e6, 60)) * (1 + 1e-6)
    else:
        assert spent(best) <= min(spent(best * 0.98), spent(best * 1.02)) * (1 + 1e-9)


def test_the_best_retrain_interval_approaches_the_study_estimate_for_rare_changes():
    args = np.asarray(1000.0), np.asarray(0.01), np.asarray(1e6)
    assert f.best_retrain_interval(*args)[0] == pytest.approx(float(f.best_retrain_interval_estimate(*args)), rel=0.01)


def test_the_documents_own_figures_come_back_out_when_entered():
    scenario = inputs.defaults().replace({**FAST, "latency_from": "document", "churn": 0, "changing_share": 0})
    results = model.evaluate(scenario).results
    for name in ("fine-tuning", "retrieval"):
        low, high = figures.get(f"D2.latency.{name}").range
        assert low <= results[name].latency["p50"] <= results[name].latency["p99"] <= high
        low, high = figures.get(f"D2.accuracy-static.{name}").range
        assert low <= results[name].accuracy["p5"] <= results[name].accuracy["p95"] <= high
    changing = model.evaluate(scenario.replace({"changing_share": 100, "reindex_hours": 0}))
    assert 90 <= changing.results["retrieval"].accuracy["p5"] <= changing.results["retrieval"].accuracy["p95"] <= 95
    stale = model.evaluate(scenario.replace({"changing_share": 100, "churn": 10000, "retrain_months": 120}))
    assert 60 <= stale.results["fine-tuning"].accuracy["p5"] <= stale.results["fine-tuning"].accuracy["p95"] <= 70.1
    d = draws.sample(scenario.replace({"retrieval_cost_from": "document"}))
    approach = approaches.compose(d, {**scenario.words, "retrieval_cost_from": "document"})["retrieval"]
    extra = approach.per_query["retrieval (document)"]
    assert extra.min() >= 0.001 and extra.max() <= 0.01
    assert approach.setup["store set-up"].min() >= 0 and approach.setup["store set-up"].max() <= 500
    tuned = approaches.compose(d, scenario.words)["fine-tuning"]
    assert tuned.setup["training"].min() >= 100 and tuned.setup["training"].max() <= 10000


def test_d2s_latencies_do_not_sum():
    tuned, overhead = figures.get("D2.latency.fine-tuning").range, figures.get("D2.retrieval-overhead").range
    assert figures.get("ours.latency-sum").range == (tuned[0] + overhead[0], tuned[1] + overhead[1])
    assert figures.get("D2.latency.retrieval").range != figures.get("ours.latency-sum").range


def test_an_8b_model_on_an_h100_needs_the_study_floor_a_token():
    each = f.decode_ms_roofline(*(np.asarray(value) for value in (8e9, 2.0, 3.35e12, 1.0)))
    assert each == pytest.approx(figures.get("ours.decode-floor").value, rel=0.01)


def test_what_does_not_fit_is_never_priced_and_never_cheapest():
    outcome = model.evaluate(small(corpus_tokens=[100000, 200000]))
    fit = outcome.fits["prompt"]
    longest = 200000 + 800 + 600 + 100 + 300 - 128000
    assert not fit.fits and fit.over_by == longest and fit.fits_at_low_end
    assert "prompt" not in outcome.results and outcome.cheapest != "prompt"
    assert all("prompt" not in (one.first, one.second) for one in outcome.crossings)


def test_retrieval_that_overflows_by_one_token_does_not_fit_and_by_none_does():
    scenario = points(small()).replace({"system_tokens": 100, "history_tokens": 0, "question_tokens": 50})
    scenario = scenario.replace({"answer_tokens": 50, "top_k": 4, "chunk_tokens": 200})
    assert model.evaluate(scenario.replace({"context_tokens": 1000})).fits["retrieval"].fits
    assert model.evaluate(scenario.replace({"context_tokens": 999})).fits["retrieval"].over_by == 1


def test_point_values_leave_the_spread_between_requests_and_no_uncertainty_about_it():
    sure = points(small())
    one = model.evaluate(sure).results["retrieval"]
    assert one.latency["p50"] < one.latency["p95"] < one.latency["p99"]
    assert len({round(value, 9) for value in one.latency_range.values()}) == 1
    still = sure.replace({"cache_hit": 100, "length_spread": 0, "queue_ms": 0})
    assert len({round(v, 9) for v in model.evaluate(still).results["prompt"].latency.values()}) == 1
    unsure = model.evaluate(still.replace({"cache_hit": 50})).results["prompt"].latency
    assert unsure["p95"] > unsure["p50"] or unsure["p50"] > still.number("network_ms")


def test_common_draws_make_equal_approaches_equal():
    # Without retrieval's own costs, tokens and hours, retrieval is prompt only with an empty corpus, draw by draw.
    scenario = small(
        corpus_tokens=0,
        top_k=0,
        embedding_price=0,
        rerank_price=0,
        retrieval_setup=0,
        vector_monthly=0,
        vector_price=0,
        retrieval_setup_hours=10,
        prompt_setup_hours=10,
        retrieval_month_hours=2,
        prompt_month_hours=2,
    )
    cost = totals(scenario)
    assert np.allclose(cost["prompt"], cost["retrieval"], rtol=1e-12)
