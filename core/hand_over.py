"""What one run says to the calculator: its times and tokens, and what an answer cost. Knows no page and no formula.

An answer given here cost the hours of a machine: the calculator then bills a dedicated machine of that hourly price,
which serves one request at a time, as it was measured. One given by an endpoint cost its tokens at the offer that the
project names. Which of both an arm counts for (base or fine-tune) is the role of its model.
"""

from dataclasses import dataclass

from core import ask, picks
from core.calculator import calibrate, inputs
from core.calculator.calibrate import Change
from core.calculator.inputs import Scenario
from core.evidence import bills, price_lists
from core.evidence.prices import Offer
from core.project import Project
from core.records import ArmRecord, RunRecord

BY_HAND = "price of the machine that answered, as set in the playground"
ALONE = "one answer at a time, as these were measured"


@dataclass(frozen=True)
class HandOver:
    """What would be taken over. `changes`: measured inputs; `rate`: USD an hour of the machine whose times count, None
    where none do; `base`, `tuned`: offers of models at an endpoint; `costs`: USD an answer, least and most."""

    changes: tuple[Change, ...] = ()
    rate: float | None = None
    base: Offer | None = None
    tuned: Offer | None = None
    costs: tuple[float, float] | None = None

    @property
    def empty(self) -> bool:
        """Whether there is nothing to take over."""
        return not (self.changes or self.base or self.tuned)


def of(record: RunRecord, project: Project, rate: float) -> HandOver:
    """What a finished run measured and cost. `rate`: USD an hour of this machine."""
    measured = tuple(calibrate.changes(calibrate.collect([record])))
    bases = {model.id: model.base for model in project.models}
    sold = [(arm, ask.priced(project, arm.model_id)) for arm in record.arms if arm.finish in ("stop", "length")]
    roles = {bool(bases.get(arm.model_id)): offer for arm, offer in reversed(sold) if offer is not None}
    costs = [cost for arm, offer in sold if (cost := _cost(arm, offer, rate if measured else None)) is not None]
    return HandOver(
        measured, rate if measured else None, roles.get(False), roles.get(True),
        (min(costs), max(costs)) if costs else None,
    )  # fmt: skip


def apply(scenario: Scenario, found: HandOver) -> Scenario:
    """`scenario` with what was measured and what it cost, each with its origin. Raises Problem."""
    made = calibrate.apply(scenario, found.changes)
    if found.rate is not None and found.base is None:
        made = _billed_by_the_hour(made, found.rate)
    if found.base is not None:
        made = picks.base(made, price_lists.catalogue(), found.base, "api")
    if found.tuned is not None:
        prices = {"tuned_hosting": "priced", "tuned_price_in": found.tuned.input, "tuned_price_out": found.tuned.output}
        made = made.replace(prices, dict.fromkeys(prices, found.tuned.origin()))
    return made


def words(found: HandOver) -> str:
    """What would be taken over, in one line."""
    parts = [f"{inputs.every()[one.name].label.lower()} {inputs.words(one.name, one.value)}" for one in found.changes]
    if found.costs is not None:
        low, high = (f"${cost:.2g}" for cost in found.costs)
        parts.append(f"cost {low if low == high else f'{low} to {high}'} an answer")
    if found.rate is not None and found.base is None:
        parts.append(f"a dedicated machine at ${found.rate:.2f} an hour, one answer at a time")
    parts += [f"{one.id} by the token" for one in dict.fromkeys((found.base, found.tuned)) if one is not None]
    return ", ".join(parts)


def _billed_by_the_hour(scenario: Scenario, rate: float) -> Scenario:
    """Both models on the machine that answered: its price an hour, and no more requests at once than were measured."""
    values = {"hosting": "dedicated", "tuned_hosting": "same", "dedicated_hour_price": rate, "concurrency": 1}
    origins = dict.fromkeys(("hosting", "tuned_hosting", "dedicated_hour_price"), BY_HAND) | {"concurrency": ALONE}
    return scenario.replace(values, origins)


def _cost(arm: ArmRecord, offer: Offer | None, rate: float | None) -> float | None:
    """USD for an arm's answer: by the token where an offer is named, else the machine's time; None where unknown."""
    if offer is not None:
        return bills.cost(offer, arm.tokens.prompt, arm.tokens.prompt_reused, arm.tokens.output)
    elsewhere = arm.model is not None and arm.model.kind == "endpoint"
    if rate is None or elsewhere or arm.timing.total is None or arm.timing.contended or arm.timing.cold:
        return None
    return ask.cost(arm.timing.total, rate)
