"""The decision record: what stands on the page for who signs, and in the appendix behind it.

Says it once, as blocks; record_files.py writes them as HTML or Markdown. Knows no page of the app.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from core import picks
from core.advisor import guidance, score
from core.advisor.rules import load as rules
from core.approaches import NAMES
from core.calculator import cares, kept
from core.calculator.calibrate import Change
from core.calculator.inputs import Scenario, every, words
from core.calculator.model import Outcome, Result, evaluate_cached
from core.calculator.report import origin
from core.calculator.tables import inputs_table, summary
from core.calculator.verdict import measure_first, money, reason, rounded, verdict
from core.calibration import Headline
from core.charts.bars import Bar, ranges
from core.evidence import figures, price_lists, prices
from core.text import one_line
from core.theme import APPROACH_COLORS, GREY

KNOWLEDGE = {"static": "that stays", "changed": "that has changed"}
LISTED = "The advisor's list (ours)"
RISKS, FLIPS, NEXT = 5, 3, 3  # lines on the page for who signs


@dataclass(frozen=True)
class Decision:
    """What the record is of beside the scenario. `other`: a second scenario and its name, set side by side."""

    title: str = "Decision record"
    owner: str = ""
    signer: str = ""
    made: date = field(default_factory=date.today)
    brief: str = ""
    answers: Mapping[str, str] = field(default_factory=dict)
    measured: Sequence[Change] = ()
    evaluations: Sequence[Headline] = ()
    other: tuple[str, Scenario] | None = None
    link: str = ""


@dataclass(frozen=True)
class Block:
    """One part of the record: `kind` is heading, text, strong, list, table, numbers, bars, sign or break."""

    kind: str
    text: str = ""
    lines: tuple[str, ...] = ()
    rows: tuple[Mapping[str, str], ...] = ()
    bars: str = ""


def content(scenario: Scenario, decision: Decision) -> list[Block]:
    """What stands in the record, in its order; everything after the block `break` is the appendix."""
    outcome = evaluate_cached(scenario)
    return [*_page(scenario, outcome, decision), Block("break"), *_appendix(scenario, outcome, decision)]


def numbers(scenario: Scenario, outcome: Outcome, name: str | None) -> list[dict[str, str]]:
    """The three numbers of an approach: what it costs, how fast and how right it is, each beside its target."""
    if name is None or name not in outcome.results:
        return []
    result = outcome.results[name]
    cost, title, limit = cost_of(result, scenario)
    latency = result.ttft if scenario.words["latency_measure"] == "ttft" else result.latency
    what = "First word within" if scenario.words["latency_measure"] == "ttft" else "Answer within"
    right = result.accuracy
    return [
        {
            "What": title,
            "Value": money(cost["p50"], scenario),
            "Range": f"{rounded(cost['p5'])} to {rounded(cost['p95'])}",
            "Target": f"at most {rounded(limit)}" if limit else "no limit set",
        },
        {
            "What": f"{what} (p95)",
            "Value": f"{latency['p95'] / 1000:.1f} s",
            "Range": f"half of them within {latency['p50'] / 1000:.1f} s",
            "Target": f"at most {scenario.number('latency_target') / 1000:g} s",
        },
        {
            "What": "Right answers",
            "Value": f"{right['p50']:.0f} %",
            "Range": f"{right['p5']:.0f} to {right['p95']:.0f} %",
            "Target": f"at least {scenario.number('accuracy_target'):g} %",
        },
    ]


def cost_of(result: Result, scenario: Scenario) -> tuple[dict[str, float], str, float]:
    """(percentiles, what they are of, limit or 0): the first year's cost when its budget is set, else the horizon's."""
    if limit := scenario.number("budget_first_year"):
        return result.first_year, "Cost, first year", limit
    return result.total, f"Cost, {scenario.number('horizon'):.0f} months", scenario.number("budget_total")


def bars(scenario: Scenario, outcome: Outcome) -> str:
    """The approaches' costs as HTML bars, each with what it misses or why it is out."""
    drawn, limit, chosen = [], 0.0, recommended(outcome)
    for name, fits in outcome.fits.items():
        result, label = outcome.results.get(name), NAMES[name].capitalize()
        if result is None:
            why = f"{fits.over_by:,.0f} tokens too long" if fits.allowed else reason(scenario, name)
            drawn.append(Bar(label, None, "does not fit" if fits.allowed else "ruled out", GREY, why, True))
            continue
        cost, _, limit = cost_of(result, scenario)
        missed = [aim for aim, met in result.meets.items() if not met]
        note = f"misses {', '.join(missed)}" if missed else "meets every target"
        note = f"recommended; {note}" if name == chosen else note
        drawn.append(
            Bar(
                label,
                (cost["p5"], cost["p50"], cost["p95"]),
                f"{money(cost['p50'], scenario)} ({rounded(cost['p5'])} to {rounded(cost['p95'])})",
                APPROACH_COLORS[name],
                note,
                bool(missed),
            )
        )
    return ranges(drawn, limit or None, f"budget: {money(limit, scenario)}")


def recommended(outcome: Outcome) -> str | None:
    """The approach that the record is about: the recommended one, else the cheapest; what is ruled out is neither."""
    return outcome.choice.recommended or outcome.cheapest


def risks(scenario: Scenario, outcome: Outcome, today: date) -> list[str]:
    """What may go wrong: what is sold no longer, old prices, the verdict's risks, then its doubts."""
    used, said = picks.in_use(scenario, price_lists.catalogue()), verdict(scenario, outcome)
    found = [*picks.ends(used, today, scenario.number("horizon")), *picks.untunable(scenario, price_lists.catalogue())]
    found.append(prices.old(used, today))
    return [line for line in (*found, *said.risks, *said.doubts) if line]


def measure_next(scenario: Scenario, outcome: Outcome, answers: Mapping[str, str]) -> list[str]:
    """What to measure before more is spent: inputs by what knowing them is worth. Where none is worth anything that is
    said first, and the advisor's list follows, named as such."""
    found = measure_first(scenario, outcome)
    if outcome.worth:
        return found
    advice = score.advise(answers)
    return [*found, *(f"{LISTED} for {_case(advice.verdict)}: {line}" for line in guidance.measure(advice))]


def _case(verdict: str) -> str:
    return NAMES.get(verdict) or {"none": "requirements that nothing meets"}.get(verdict, "an open case")


def _page(scenario: Scenario, outcome: Outcome, decision: Decision) -> list[Block]:
    said = verdict(scenario, outcome)
    owner = f"Owner: {decision.owner}. " if decision.owner else ""
    draws = f"{scenario.number('draws'):,.0f} draws, seed {scenario.number('seed'):.0f}"
    return [
        Block("title", decision.title),
        Block("small", f"{owner}{decision.made:%d %B %Y}. Made with Retrieve or Retrain ({draws})."),
        Block("strong", said.headline),
        Block("numbers", rows=tuple(numbers(scenario, outcome, recommended(outcome)))),
        Block("bars", bars=bars(scenario, outcome)),
        Block("heading", "What would flip it"),
        Block("list", lines=said.flips[:FLIPS]),
        Block("heading", "Risks"),
        Block(
            "list", lines=tuple(risks(scenario, outcome, decision.made)[:RISKS]) or ("None beyond the ranges above.",)
        ),
        Block("heading", "Measure next"),
        Block("list", lines=tuple(measure_next(scenario, outcome, decision.answers)[:NEXT])),
        Block("sign", lines=(decision.owner, decision.signer, f"{decision.made:%d %B %Y}")),
    ]


def _appendix(scenario: Scenario, outcome: Outcome, decision: Decision) -> list[Block]:
    said = verdict(scenario, outcome)
    known = rules().questions
    answered = [
        {"Question": known[name].ask, "Answer": known[name].option(option).label}
        for name, option in decision.answers.items()
        if name in known
    ]
    excluded = [
        {"Ruled out": NAMES[name].capitalize(), "Because": why} for name, why in ruled_out(scenario, outcome).items()
    ]
    found = [
        Block("title", "Appendix"),
        *_part("The brief", Block("text", decision.brief) if decision.brief else None),
        *_part("Answers", _table(answered), _table(excluded)),
        *_part("The four approaches", _table(_turned(summary(scenario, outcome)))),
        *_part("Why", Block("list", lines=said.lines)),
        *_part(
            "All that would flip it",
            Block("list", lines=said.flips) if said.flips[FLIPS:] else None,
        ),
        *_part("What was set for this case", _table(_set_here(scenario))),
        *_part("Evaluations of this project", _table(_evaluated(decision.evaluations))),
        *_part("Measured", _table(_measured(decision.measured))),
    ]
    if decision.other is not None:
        name, second = decision.other
        both = kept.side_by_side({"This scenario": scenario, one_line(name, 40): second})
        found += _part(
            "Two scenarios and what differs", _table([{k or "What": v for k, v in row.items()} for row in both])
        )
    return [
        *found,
        *_part(
            "Where the documents' figures need care",
            _table([{"Point": care.title, "What to know": care.text} for care in cares.every()]),
        ),
        *_part("All inputs", _table([{k: v for k, v in row.items() if k != "Name"} for row in inputs_table(scenario)])),
        *_part("Sources", Block("list", lines=tuple(source.words() for source in figures.sources().values()))),
        *_part(
            "The scenario itself",
            Block("text", f"python -m core calculate --json --link {decision.link}") if decision.link else None,
        ),
    ]


def _part(title: str, *blocks: Block | None) -> list[Block]:
    """A heading and its blocks; nothing at all when there are none."""
    there = [block for block in blocks if block is not None]
    return [Block("heading", title), *there] if there else []


def _table(rows: Sequence[Mapping[str, str]]) -> Block | None:
    return Block("table", rows=tuple(rows)) if rows else None


def _turned(rows: list[dict[str, str]]) -> list[dict[str, str]]:
    """Approaches as columns: four narrow columns read on a telephone, twelve do not."""
    names = list(dict.fromkeys(name for row in rows for name in row if name != "Approach"))
    return [{"": name, **{row["Approach"]: row.get(name, "") for row in rows}} for name in names]


def _set_here(scenario: Scenario) -> list[dict[str, str]]:
    return [
        {"Input": one.label, "Value": words(name, scenario.value(name)), "From": origin(scenario, name)}
        for name, one in every().items()
        if scenario.value(name) != one.default
    ]


def _measured(changes: Sequence[Change]) -> list[dict[str, str]]:
    return [
        {"Input": every()[one.name].label, "Measured": words(one.name, one.value), "Of": one.origin, "Note": one.scales}
        for one in changes
    ]


def _evaluated(headlines: Sequence[Headline]) -> list[dict[str, str]]:
    return [
        {
            "Evaluation": f"{one.evaluation} ({one.made})",
            "Arm": one.arm,
            "Knowledge": KNOWLEDGE[one.knowledge],
            "Right": f"{one.right:.0%} ({one.low:.0%} to {one.high:.0%}, 95 % interval)",
            "Questions": f"{one.n} on {one.facts} facts",
        }
        for one in headlines
    ]


def ruled_out(scenario: Scenario, outcome: Outcome) -> dict[str, str]:
    """Approach -> why a requirement rules it out."""
    return {name: reason(scenario, name) for name, one in outcome.fits.items() if not one.allowed}
