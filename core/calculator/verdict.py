"""The outcome in words a first-time reader understands. Plain text, no Markdown. Knows no formulas."""

import math
from dataclasses import dataclass

from core.approaches import APPROACHES, NAMES
from core.calculator.breakeven import Crossing
from core.calculator.flips import NONE_FITS, Flip, Switch, cheapest_in_the_middle, flips, switches
from core.calculator.inputs import Scenario, every, short, words
from core.calculator.model import Outcome, Result

AIMS = ("latency", "accuracy", "freshness", "launch")
FLIPS_SHOWN = 6


@dataclass(frozen=True)
class Verdict:
    """`headline` answers, `lines` explain, `flips` say what would change it, `doubts` what to distrust."""

    headline: str
    lines: tuple[str, ...]
    flips: tuple[str, ...]
    doubts: tuple[str, ...]


def verdict(scenario: Scenario, outcome: Outcome) -> Verdict:
    """The verdict of `outcome`, with what would flip it."""
    return Verdict(
        headline(scenario, outcome),
        tuple(_lines(scenario, outcome)),
        tuple(flip_lines(scenario, outcome)),
        tuple(doubts(scenario, outcome)),
    )


def headline(scenario: Scenario, outcome: Outcome) -> str:
    """One or two sentences: which approach, at what cost, how surely."""
    months = int(scenario.number("horizon"))
    if outcome.cheapest is None:
        return "No approach fits into the context length, so nothing is priced. Shorten the prompt or raise the limit."
    if outcome.recommended is None:
        best = outcome.results[outcome.cheapest]
        return (
            f"No approach meets every target. {_name(outcome.cheapest, True)} is the cheapest in "
            f"{percent(best.cheapest)} of draws over {months} months, at {_range(best.total, scenario)}, but it misses "
            f"{_missed(outcome.cheapest, best, scenario)}."
        )
    best = outcome.results[outcome.recommended]
    text = (
        f"{_name(outcome.recommended, True)}: it meets every target and costs {_range(best.total, scenario)} "
        f"over {months} months"
    )
    if outcome.recommended == outcome.cheapest:
        return f"{text}. It is the cheapest in {percent(best.cheapest)} of draws."
    cheaper = outcome.results[outcome.cheapest]
    return (
        f"{text}. {_name(outcome.cheapest, True)} is the cheapest in {percent(cheaper.cheapest)} of draws, but it "
        f"misses {_missed(outcome.cheapest, cheaper, scenario)}."
    )


def flip_lines(scenario: Scenario, outcome: Outcome) -> list[str]:
    """What would make another approach the cheapest, nearest first; every input at the middle of its range."""
    if outcome.cheapest is None:
        return []
    lines = [_flip(flip, outcome) for flip in flips(scenario)[:FLIPS_SHOWN]]
    lines += [_switch(switch) for switch in switches(scenario)]
    if not lines:
        return ["No single input within its limits, moved up to a hundredfold, changes which approach is the cheapest."]
    centre = cheapest_in_the_middle(scenario)
    if centre != outcome.cheapest:
        lines.insert(0, f"In the middle of all ranges {NAMES.get(centre, centre)} is the cheapest; from there:")
    return lines


def doubts(scenario: Scenario, outcome: Outcome) -> list[str]:
    """What a careful reader should know about this very scenario."""
    found = []
    if scenario.words["retrieval_cost_from"] == "document":
        found.append("D2's retrieval cost a query already holds the passages' tokens; they are not charged again.")
    if scenario.words["training_from"] == "document":
        found.append("D2's training cost is open above ('10,000+'); 10,000 USD is used as the upper end.")
    if scenario.words["latency_from"] == "document":
        found.append("D2's latencies state no output length, and 200-500 plus 200-500 ms is not 500-1500 ms.")
    if scenario.words["tuned_hosting"] == "same" and scenario.words["hosting"] == "api":
        found.append(
            "Fine-tuned calls are priced like the base model's (D2); provider lists ask 1.5 to 2 times as much."
        )
    for name, one in outcome.fits.items():
        if not one.fits and one.fits_at_low_end:
            found.append(f"{_name(name, True)} would fit at the low ends of your ranges.")
    return found


def percent(share: float) -> str:
    """A share as a whole percentage; never 0 % or 100 % for what is only nearly so."""
    if 0 < share < 0.005:
        return "under 1 %"
    if 0.995 < share < 1:
        return "over 99 %"
    return f"{share * 100:.0f} %"


def money(amount: float, scenario: Scenario) -> str:
    """An amount with three significant digits and its currency."""
    return f"{rounded(amount)} {scenario.words['currency']}"


def duration(hours: float) -> str:
    """A time in the unit that reads best."""
    if hours == 0:
        return "no time"
    for size, unit in ((730 * 24, "years"), (730, "months"), (24, "days"), (1, "hours")):
        if hours >= size * (2 if unit in ("years", "months") else 1):
            return f"{rounded(hours / size, 2)} {unit}"
    return f"{rounded(hours * 60, 2)} minutes"


def _lines(scenario: Scenario, outcome: Outcome) -> list[str]:
    lines = [
        f"{_name(name, True)} does not fit, by {one.over_by:,.0f} tokens ({one.prompt_tokens:,.0f} in the prompt), so "
        "it is not priced."
        for name, one in outcome.fits.items()
        if not one.fits
    ]
    if outcome.cheapest is None:
        return lines
    shares = [f"{NAMES[name]} {percent(result.cheapest)}" for name, result in outcome.results.items()]
    lines.append(f"Cheapest in a share of draws: {', '.join(shares)}.")
    lines += [text for one in outcome.crossings if (text := _crossing(one, outcome.cheapest))]
    lines += [_aim(aim, scenario, outcome) for aim in AIMS]
    lines.append(_time(outcome))
    if (tuning := outcome.results.get("fine-tuning")) and tuning.retrain:
        lines.append(_retrain(tuning.retrain, scenario))
    return lines


def _crossing(one: Crossing, cheapest: str) -> str:
    """Break-even of the cheapest against another approach, in queries a month and in months."""
    if cheapest not in (one.first, one.second):
        return ""
    other = one.second if cheapest == one.first else one.first
    always = one.first_always if cheapest == one.first else one.second_always
    never = one.second_always if cheapest == one.first else one.first_always
    if one.queries is None:
        answer = "always" if always >= never else "never"
        return f"{_name(cheapest, True)} against {NAMES[other]}: {answer} cheaper, at any number of queries."
    above = one.second_cheaper_above == (other == one.second)
    overtakes = "overtakes" if above else "is cheaper below"
    at = "at " if above else ""
    text = (
        f"{_name(other, True)} {overtakes} {NAMES[cheapest] + ' ' if above else ''}{at}"
        f"{_interval(one.queries)} queries a month"
    )
    rest = [f"never in {percent(always)}" if always else "", f"always in {percent(never)}" if never else ""]
    rest_text = " and ".join(part for part in rest if part)
    text += f" ({rest_text} of draws)" if rest_text else ""
    crossed = 1 - one.first_throughout - one.second_throughout
    if one.months is not None and one.second_cheaper_later == (other == one.second):
        text += f"; at this scenario's volume after {_interval(one.months)} months, in {percent(crossed)} of draws"
    return text + "."


def _aim(aim: str, scenario: Scenario, outcome: Outcome) -> str:
    target = words(f"{aim}_target", scenario.value(f"{aim}_target"))
    if aim == "freshness":
        target = duration(scenario.number("freshness_target") * 24)
    met = [NAMES[name] for name, result in outcome.results.items() if result.meets[aim]]
    what = {
        "latency": f"p95 {'TTFT' if scenario.words['latency_measure'] == 'ttft' else 'latency'} target of {target}",
        "accuracy": f"Accuracy target of {target}",
        "freshness": f"Freshness target of {target}",
        "launch": f"Launch within {target}",
    }[aim]
    names = f": {', '.join(met)}" if met else ""
    return f"{what} met by {len(met)} of {len(APPROACHES)}{names}."


def _time(outcome: Outcome) -> str:
    parts = [
        f"{NAMES[name]} launches in {duration(result.weeks['p50'] * 168)} and answers a changed fact right after "
        f"{duration(result.delay_mean['p50'])} ({result.stale['p50']:.1f} % of answers stale at any moment)"
        for name, result in outcome.results.items()
    ]
    return f"Time: {'; '.join(parts)}."


def _retrain(best: dict[str, object], scenario: Scenario) -> str:
    months = best["best_months"]
    pays = best["pays"]
    assert isinstance(months, dict) and isinstance(pays, float)
    if not scenario.ranges["value_per_correct"][1]:
        return "Best retrain interval: give a correct answer a value, and it is worked out."
    if pays == 0:
        return "Best retrain interval: none; a retrain costs more than the stale answers it mends."
    text = f"Best retrain interval for fine-tuning: {_interval(months)} months".replace("never months", "never")
    return f"{text}; in {percent(1 - pays)} of draws no retrain pays." if pays < 1 else f"{text}."


def _missed(name: str, result: Result, scenario: Scenario) -> str:
    """The targets that an approach misses, with what it reaches."""
    fresh = duration(scenario.number("freshness_target") * 24)
    reached = {
        "latency": f"p95 {_seconds(_p95(result, scenario))} against {_seconds(scenario.number('latency_target'))}",
        "accuracy": f"{result.accuracy['p50']:.1f} % against {scenario.number('accuracy_target'):g} %",
        "freshness": f"{duration(result.delay_longest['p50'])} against {fresh}",
        "launch": f"{result.weeks['p50']:.1f} weeks against {scenario.number('launch_target'):g}",
    }
    return " and ".join(f"{aim} ({reached[aim]})" for aim, met in result.meets.items() if not met)


def _flip(flip: Flip, outcome: Outcome) -> str:
    one = every()[flip.name]
    change = (
        f" ({flip.change:+.0%})" if abs(flip.change) < 10 else f" (x{rounded(flip.at / flip.now)})" if flip.now else ""
    )
    text = f"{one.label}: {rounded(flip.now)} to {rounded(flip.at)} {one.unit}".rstrip() + change
    if flip.winner == NONE_FITS:
        return f"{text}, and nothing fits any more."
    text = f"{text} makes {NAMES[flip.winner]} the cheapest"
    result = outcome.results.get(flip.winner)
    missed = [aim for aim, met in result.meets.items() if not met] if result else []
    return f"{text}, though it misses {' and '.join(missed)} as set now." if missed else f"{text}."


def _switch(switch: Switch) -> str:
    winner = NAMES.get(switch.winner, switch.winner)
    return f"{every()[switch.name].label}: '{switch.option}' makes {winner} the cheapest."


def _p95(result: Result, scenario: Scenario) -> float:
    return (result.ttft if scenario.words["latency_measure"] == "ttft" else result.latency)["p95"]


def _range(total: dict[str, float], scenario: Scenario) -> str:
    return f"{money(total['p50'], scenario)} ({rounded(total['p5'])} to {rounded(total['p95'])})"


def _interval(values: dict[str, float]) -> str:
    low, high = rounded(values["p5"], 2), rounded(values["p95"], 2)
    return low if low == high else f"{low} to {high}"


def _seconds(milliseconds: float) -> str:
    return f"{milliseconds / 1000:.1f} s" if milliseconds >= 1000 else f"{milliseconds:.0f} ms"


def rounded(value: float, digits: int = 3) -> str:
    """`value` with so many significant digits: '26,700', '1.9M', '0.012'."""
    if not math.isfinite(value):
        return "never"
    rounded = float(f"{value:.{digits}g}")
    for size, suffix in ((1e9, "G"), (1e6, "M")):
        if abs(rounded) >= size:
            return short(rounded / size) + suffix
    return short(rounded)


def _name(name: str, first: bool = False) -> str:
    return NAMES[name].capitalize() if first else NAMES[name]
