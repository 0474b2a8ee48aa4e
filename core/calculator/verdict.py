"""The outcome in words a first-time reader understands. Plain text, no Markdown. Knows no formulas."""

import math
from dataclasses import dataclass

from core.approaches import APPROACHES, NAMES
from core.calculator.approaches import USES
from core.calculator.breakeven import Crossing
from core.calculator.compass import NONE_MEETS
from core.calculator.flips import Flip, Switch, flips, recommended_in_the_middle, switches
from core.calculator.inputs import Scenario, every, short, words
from core.calculator.judge import AIMS, limits
from core.calculator.model import Outcome, Result
from core.calculator.weights import Stability
from core.evidence import figures

FLIPS_SHOWN = 6
WORTHS_SHOWN = 3


@dataclass(frozen=True)
class Verdict:
    """`headline` answers, `lines` explain, `flips` say what would change it, `doubts` what to distrust; `risks` say
    what may happen, `first` what measuring first would be worth."""

    headline: str
    lines: tuple[str, ...]
    flips: tuple[str, ...]
    doubts: tuple[str, ...]
    risks: tuple[str, ...]
    first: tuple[str, ...]


def verdict(scenario: Scenario, outcome: Outcome) -> Verdict:
    """The verdict of `outcome`, with what would flip it."""
    return Verdict(
        headline(scenario, outcome),
        tuple(_lines(scenario, outcome)),
        tuple(flip_lines(scenario, outcome)),
        tuple(doubts(scenario, outcome)),
        tuple(risks(scenario, outcome)),
        tuple(measure_first(scenario, outcome)),
    )


def headline(scenario: Scenario, outcome: Outcome) -> str:
    """One or two sentences: which approach, at what cost, how surely."""
    months = int(scenario.number("horizon"))
    if outcome.cheapest is None:
        return "No approach fits into the context length, so nothing is priced. Shorten the prompt or raise the limit."
    if outcome.choice.close:
        return _too_close(scenario, outcome)
    if outcome.recommended is None:
        best = outcome.results[outcome.cheapest]
        return (
            f"No approach meets every target. {_name(outcome.cheapest, True)} costs least over {months} months, "
            f"{_range(best.total, scenario)}, but it misses {_missed(outcome.cheapest, best, scenario)}."
        )
    best = outcome.results[outcome.recommended]
    text = (
        f"{_name(outcome.recommended, True)}: it meets every target and costs {_range(best.total, scenario)} "
        f"over {months} months, {money(best.first_year['p50'], scenario)} of it in the first year"
    )
    if outcome.recommended == outcome.cheapest:
        return f"{text}. It is the cheapest in {percent(best.cheapest)} of draws."
    cheaper = outcome.results[outcome.cheapest]
    return (
        f"{text}. {_name(outcome.cheapest, True)} costs less, {money(cheaper.total['p50'], scenario)}, but it misses "
        f"{_missed(outcome.cheapest, cheaper, scenario)}."
    )


def _too_close(scenario: Scenario, outcome: Outcome) -> str:
    """Both answers, and the target or the cost that lies within the sampling error."""
    answers = [
        f"{NAMES[name]} ({_range(outcome.results[name].total, scenario)})" if name else "none of the four"
        for name in outcome.choice.possible
    ]
    why = [
        f"{NAMES[name]} {'and the others cost about the same' if aim == 'cost' else f'lies at the {aim} target'}"
        for name, aim in outcome.choice.why
    ]
    return f"Too close to call: {' or '.join(answers)}. {_sentence('; '.join(dict.fromkeys(why)))}."


def risks(scenario: Scenario, outcome: Outcome) -> list[str]:
    """What may happen: a vendor's exit, a target missed, wrong answers."""
    found = []
    exits = {name: one.exit for name, one in outcome.results.items() if one.exit}
    if exits and (chance := max(one.chance for one in exits.values())) > 0:
        costs = [f"{NAMES[name]} {money(one.mean, scenario)}" for name, one in exits.items()]
        found.append(
            f"Vendor's exit: the hosted model is retired within the horizon in {percent(chance)} of draws. "
            f"Moving costs {', '.join(costs)} on average, as part of the total. On own weights there is none."
        )
    for name in dict.fromkeys(one for one in outcome.choice.possible if one):
        one = outcome.results[name]
        missed = [f"{aim} in {percent(1 - share)}" for aim, share in one.met.items() if share < 0.95]
        if missed:
            found.append(f"{_name(name, True)} misses {' and '.join(missed)} of draws.")
    wrong = [
        f"{NAMES[name]} {rounded(one.wrong_answers['p50'])}"
        + (f", {money(one.wrong_cost['p50'], scenario)}" if one.wrong_cost else "")
        for name, one in outcome.results.items()
    ]
    if wrong:
        found.append(f"Wrong answers within the horizon, and what they cost: {'; '.join(wrong)}.")
    return found


def measure_first(scenario: Scenario, outcome: Outcome) -> list[str]:
    """The inputs whose true value is worth most before one chooses, at most WORTHS_SHOWN."""
    if not outcome.worth and outcome.results:
        whole = f"; knowing all of them is worth {money(outcome.worth_of_everything, scenario)}"
        return [f"No single input, known first, changes the choice{whole if outcome.worth_of_everything else ''}."]
    where = {
        "playground": "; the playground measures it here",
        "evaluation": "; the evaluation measures it here",
        "": "",
    }
    return [
        f"{every()[one.name].label}: knowing it first is worth {money(one.amount, scenario)}{where[one.measured_by]}."
        for one in outcome.worth[:WORTHS_SHOWN]
    ]


def flip_lines(scenario: Scenario, outcome: Outcome) -> list[str]:
    """What would make another approach the recommended one, nearest first; every input at the middle of its range."""
    if outcome.cheapest is None:
        return []
    start = outcome.recommended or NONE_MEETS
    lines = [_flip(flip, start) for flip in flips(scenario)[:FLIPS_SHOWN]]
    lines += [_switch(switch, start) for switch in switches(scenario)]
    if not lines:
        return ["No single input within its limits, moved up to a hundredfold, changes the recommendation."]
    centre = recommended_in_the_middle(scenario)
    if centre != start:
        lines.insert(0, f"In the middle of all ranges {_answer(centre)} would be recommended; from there:")
    return lines


def doubts(scenario: Scenario, outcome: Outcome) -> list[str]:
    """What a careful reader should know about this very scenario."""
    found = []
    if scenario.words["retrieval_cost_from"] == "document":
        found.append("D2's retrieval cost a query already holds the passages' tokens; they are not charged again.")
    if scenario.words["training_from"] == "document":
        found.append(
            figures.fill("D2's training cost ({D2.training-cost}) is open above; {D2.training-cost|high} is used.")
        )
    if scenario.words["latency_from"] == "document":
        found.append(
            figures.fill(
                "D2's latencies state no output length, and {D2.latency.fine-tuning} plus {D2.retrieval-overhead} "
                "is not {D2.latency.retrieval}."
            )
        )
    if scenario.words["tuned_hosting"] == "same" and scenario.words["hosting"] == "api":
        found.append(
            figures.fill(
                "Fine-tuned calls are priced like the base model's (D2); provider lists ask {PRICES.tuned-premium}."
            )
        )
    for name, one in outcome.fits.items():
        if one.allowed and not one.fits and one.fits_at_low_end:
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
        if one.allowed and not one.fits
    ]
    lines += [
        f"{_name(name, True)} is ruled out: {reason(scenario, name)}"
        for name, one in outcome.fits.items()
        if not one.allowed
    ]
    if outcome.cheapest is None:
        return lines
    shares = [f"{NAMES[name]} {percent(result.cheapest)}" for name, result in outcome.results.items()]
    lines.append(f"Cheapest in a share of draws: {', '.join(shares)}.")
    lines += [text for one in outcome.crossings if (text := _crossing(one, outcome.cheapest))]
    lines += [_aim(aim, scenario, outcome) for aim in limits(scenario)]
    lines += [_spread(outcome), _time(outcome), _first_year(scenario, outcome)]
    if any(one.per_right for one in outcome.results.values()):
        lines.append(_right(scenario, outcome))
    lines.append(_energy(outcome))
    if outcome.stability:
        lines.append(_stability(outcome.stability))
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
        f"{_volume(one.queries)} queries a month at first, growing as set"
    )
    rest = [f"never in {percent(always)}" if always else "", f"always in {percent(never)}" if never else ""]
    rest_text = " and ".join(part for part in rest if part)
    text += f" ({rest_text} of draws)" if rest_text else ""
    crossed = 1 - one.first_throughout - one.second_throughout
    if one.months is not None and one.second_cheaper_later == (other == one.second):
        text += f"; at this scenario's volume after {_interval(one.months)} months, in {percent(crossed)} of draws"
    return text + "."


def reason(scenario: Scenario, name: str) -> str:
    """What rules an approach out, as whoever set it said."""
    return scenario.origins.get(USES[name], "set so by hand.").removeprefix("advisor: ")


def _aim(aim: str, scenario: Scenario, outcome: Outcome) -> str:
    target = words(AIMS[aim], scenario.value(AIMS[aim]))
    if aim == "freshness":
        target = duration(scenario.number("freshness_target") * 24)
    met = [NAMES[name] for name, result in outcome.results.items() if result.meets[aim]]
    what = {
        "latency": f"p95 {_measure(scenario)} target of {target}",
        "accuracy": f"Accuracy target of {target}",
        "freshness": f"Freshness target of {target}",
        "launch": f"Launch within {target}",
    }.get(aim, f"{_sentence(aim)} of {target}")
    names = f": {', '.join(met)}" if met else ""
    return f"{what} met by {len(met)} of {len(APPROACHES)}{names}."


def _time(outcome: Outcome) -> str:
    parts = [
        f"{NAMES[name]} launches in {duration(result.weeks['p50'] * 168)} and answers a changed fact right after "
        f"{duration(result.delay_mean['p50'])} ({result.stale['p50']:.1f} % of answers stale at any moment)"
        for name, result in outcome.results.items()
    ]
    return f"Time: {'; '.join(parts)}."


def _spread(outcome: Outcome) -> str:
    """Spread between requests and uncertainty of it, named apart."""
    parts = [
        f"{NAMES[name]} {' / '.join(_seconds(value) for value in one.latency.values())}"
        f" (p95 {_seconds(one.latency_range['p5'])} to {_seconds(one.latency_range['p95'])})"
        for name, one in outcome.results.items()
    ]
    return (
        f"Latency of 50 / 95 / 99 of 100 requests in the median draw: {', '.join(parts)}. The bracket is how uncertain "
        "the p95 of the targeted measure is: 5 to 95 % of draws."
    )


def _first_year(scenario: Scenario, outcome: Outcome) -> str:
    parts = [
        f"{NAMES[name]} {_range(one.first_year, scenario)}, {money(one.month['p50'], scenario)} a month"
        for name, one in outcome.results.items()
    ]
    return f"First year, and a month after launch: {'; '.join(parts)}."


def _right(scenario: Scenario, outcome: Outcome) -> str:
    parts = [f"{NAMES[name]} {one.per_right['p50']:.2g}" for name, one in outcome.results.items() if one.per_right]
    return f"A right answer costs, in {scenario.words['currency']}: {', '.join(parts)}."


def _energy(outcome: Outcome) -> str:
    parts = [
        f"{NAMES[name]} {rounded(one.energy['p50'])} kWh, {rounded(one.carbon['p50'])} kg CO2e"
        + (f" ({one.query_energy['p50']:.2g} Wh a query)" if one.query_energy else "")
        for name, one in outcome.results.items()
    ]
    return f"Energy and carbon within the horizon, training included: {'; '.join(parts)}."


def _stability(found: Stability) -> str:
    shares = [f"{NAMES[name]} {percent(share)}" for name, share in found.shares.items()]
    text = f"By the weights {NAMES[found.winner]} scores highest; over drawn weights: {', '.join(shares)}"
    if found.flips:
        flip = found.flips[0]
        text += (
            f". It flips to {NAMES[flip.winner]} where {flip.criterion} has {percent(flip.at)} of the weight instead "
            f"of {percent(flip.now)}"
        )
    return f"{text}."


def _retrain(best: dict[str, object], scenario: Scenario) -> str:
    months = best["best_months"]
    pays = best["pays"]
    assert isinstance(months, dict) and isinstance(pays, float)
    if not scenario.ranges["value_per_correct"][1]:
        return "Best retrain interval: give a correct answer a value, and it is worked out."
    if pays == 0:
        return "Best retrain interval: none within the horizon; a retrain costs more than the stale answers it mends."
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
        **{
            aim: f"{money(found['p50'], scenario)} against "
            f"{money(scenario.number(AIMS[aim]) * scenario.number('exchange_rate'), scenario)}"
            for aim, found in (
                ("total budget", result.total),
                ("first-year budget", result.first_year),
                ("monthly budget", result.month),
            )
        },
    }
    return " and ".join(f"{aim} ({reached[aim]})" for aim, met in result.meets.items() if not met)


def _flip(flip: Flip, start: str) -> str:
    one = every()[flip.name]
    change = (
        f" ({flip.change:+.0%})" if abs(flip.change) < 10 else f" (x{rounded(flip.at / flip.now)})" if flip.now else ""
    )
    text = f"{one.label}: {rounded(flip.now)} to {rounded(flip.at)} {one.unit}".rstrip() + change
    return f"{text}: {_becomes(flip.winner)}{_because(flip, start)}."


def _switch(switch: Switch, start: str) -> str:
    return f"{every()[switch.name].label}: '{switch.option}': {_becomes(switch.winner)}{_because(switch, start)}."


def _becomes(winner: str) -> str:
    return "no approach meets every target" if winner == NONE_MEETS else f"{NAMES[winner]} is recommended"


def _because(flip: Flip | Switch, start: str) -> str:
    """The target that decides, or that the winner costs less and meets every target."""
    aims = " and ".join(flip.aims)
    if flip.cause == "misses":
        return f", since {NAMES[start]} misses {aims} there"
    if flip.cause == "meets":
        return f", which meets {aims} there"
    if flip.cause == "fits":
        return ", as the prompt fits there or no longer does"
    return ", which costs less there and meets every target"


def _answer(name: str) -> str:
    return "no approach" if name == NONE_MEETS else NAMES[name]


def _p95(result: Result, scenario: Scenario) -> float:
    return (result.ttft if scenario.words["latency_measure"] == "ttft" else result.latency)["p95"]


def _range(total: dict[str, float], scenario: Scenario) -> str:
    return f"{money(total['p50'], scenario)} ({rounded(total['p5'])} to {rounded(total['p95'])})"


def _volume(queries: dict[str, float]) -> str:
    """Queries a month; with enormous growth the first month's may be a small part of one."""
    if queries["p5"] >= 1:
        return _interval(queries)
    return "fewer than 1" if queries["p95"] < 1 else f"fewer than 1 to {rounded(queries['p95'], 2)}"


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
    if abs(rounded) >= 1e15:
        return f"{rounded:.{digits}g}"
    for size, suffix in ((1e9, "G"), (1e6, "M")):
        if abs(rounded) >= size:
            return short(rounded / size) + suffix
    return short(rounded)


def _measure(scenario: Scenario) -> str:
    return "TTFT" if scenario.words["latency_measure"] == "ttft" else "latency"


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _name(name: str, first: bool = False) -> str:
    return NAMES[name].capitalize() if first else NAMES[name]
