"""Every chart says its units where one points, draws its targets, and keeps an approach's colour for the approach."""

import plotly.graph_objects as go
import pytest

from core import theme
from core.calculator import approaches, flips, inputs, model
from core.charts import calculator as charts
from core.charts import playground
from core.records import ArmRecord, Timing

BUDGET, RATE = 50_000, 1.5
UNITS = ("USD", "CHF", "ms", "%", "a month", "of draws", "points", "wrong answers")
APPROACHES = {*theme.APPROACH_COLORS.values(), *theme.ARM_COLORS}


@pytest.fixture(scope="module")
def scenario() -> inputs.Scenario:
    return inputs.defaults().replace({"budget_total": BUDGET, "exchange_rate": RATE, "currency": "CHF"})


@pytest.fixture(scope="module")
def figures(scenario: inputs.Scenario) -> dict[str, go.Figure]:
    """Every chart of the calculator, by name."""
    outcome = model.evaluate_cached(scenario)
    name = next(iter(outcome.results))
    tornado = flips.tornado(scenario, name, None)
    return {
        "cumulative": charts.cumulative_cost(scenario, outcome),
        "parts": charts.cost_by_part(scenario, outcome),
        "latency": charts.latency(scenario, outcome),
        "accuracy": charts.accuracy_over_time(scenario, *approaches.accuracy_over_time(scenario)),
        "trade-off": charts.trade_off(scenario, outcome),
        "break-even": charts.break_even(outcome.crossings),
        "tornado": charts.tornado(scenario, *tornado, "cost"),
        "map": charts.recommendation_map(
            flips.recommendation_map(scenario, "queries", "labelled_rows", 6, 20), scenario
        ),
    }


def test_whoever_points_at_a_mark_reads_its_unit(figures: dict[str, go.Figure]) -> None:
    for name, figure in figures.items():
        for trace in figure.data:
            told = trace.hovertemplate or ""
            assert trace.hoverinfo == "skip" or any(unit in told for unit in UNITS), (name, trace.name, told)


def test_a_part_has_no_approachs_colour(figures: dict[str, go.Figure]) -> None:
    for name in ("parts", "latency", "tornado"):
        used = {trace.marker.color for trace in figures[name].data if trace.type == "bar"}
        assert used and not used & APPROACHES, name
    arm = ArmRecord(arm="base", state="done", title="Base", timing=Timing(total=3.0, prefill=1.0, decode=2.0))
    assert not {trace.marker.color for trace in playground.latency_chart([arm]).data} & APPROACHES


def test_targets_and_budget_are_drawn_and_named(figures: dict[str, go.Figure], scenario: inputs.Scenario) -> None:
    def lines(name: str) -> list[tuple[float, float, str]]:
        shapes, words = figures[name].layout.shapes, figures[name].layout.annotations
        return [(one.x0, one.y0, word.text) for one, word in zip(shapes, words, strict=True)]

    budget = f"budget {BUDGET * RATE:,.0f} CHF"
    assert (0, BUDGET * RATE, budget) in lines("cumulative")
    assert [text for *_, text in lines("trade-off")] == [f"target {scenario.number('latency_target'):,.0f} ms", budget]
    assert lines("latency")[0][0] == scenario.number("latency_target")
    assert lines("accuracy")[0][1] == scenario.number("accuracy_target")


def test_the_map_says_where_one_stands(figures: dict[str, go.Figure], scenario: inputs.Scenario) -> None:
    (here,) = [one for one in figures["map"].layout.annotations if "you are here" in one.text]
    found = flips.recommendation_map(scenario, "queries", "labelled_rows", 6, 20)
    for place, grid, name in ((here.x, found.x, "queries"), (here.y, found.y, "labelled_rows")):
        low, high = grid[int(place)], grid[min(int(place) + 1, len(grid) - 1)]
        value = scenario.ranges[name]
        assert low <= value[1] and high >= value[0], (name, place)


def test_the_tools_stand_beside_the_drawing_and_a_scale_keeps_its_side(figures: dict[str, go.Figure]) -> None:
    for name, figure in figures.items():
        beside = figure.layout.modebar.orientation == "v" and figure.layout.margin.r >= theme.TOOLS
        assert beside is (name != "map"), name
