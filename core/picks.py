"""Which model and where it runs, as the calculator's inputs: a pick from the price catalogue for base and fine-tune.

What cannot be tuned is not offered for tuning, and an open model's fine-tune means machines, one's own or rented.
Knows the catalogue and the names of the calculator's inputs; computes nothing.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any

from core.calculator.inputs import Scenario
from core.errors import Problem
from core.evidence.prices import Offer, day

WAYS = {"api": "Vendor's API, by the token", "dedicated": "Open weights, dedicated", "own": "Open weights, own machine"}
MACHINES = {"dedicated": "h100-rented", "own": "h100-bought"}  # the catalogue's examples that price a machine
OTHER = Offer(
    "another open model", "model", "", "", name="Another open-weights model", input=0, output=0, tuning="weights"
)
MINE = "a price of my own"


def bases(catalogue: Mapping[str, Offer], way: str, today: date) -> list[Offer]:
    """The models that can serve as base this way and are still sold, cheapest output first within a vendor."""
    found = [one for one in _models(catalogue, today) if way == "api" or one.open_weights]
    return found if way == "api" else [*found, OTHER]


def tunables(catalogue: Mapping[str, Offer], way: str, today: date) -> list[Offer]:
    """The models whose fine-tune can be had this way: by the vendor (api), or on machines (open weights)."""
    if way == "api":
        return [one for one in _models(catalogue, today) if one.tuning == "hosted"]
    return bases(catalogue, way, today)


def base(scenario: Scenario, catalogue: Mapping[str, Offer], model: Offer, way: str) -> Scenario:
    """`scenario` with `model` as its base, run this way. Raises Problem."""
    if way not in WAYS:
        raise Problem(f"There is no way '{way[:40]}' to run a model. Ways: {', '.join(WAYS)}.")
    changes: dict[str, Any] = {"hosting": way}
    origins = {"hosting": _note(model)}
    if way == "api":
        changes |= {name: value for name, value in model.sets.items() if not name.startswith("tuned_")}
    else:
        changes |= _size(model)
        changes, origins = _machines(catalogue, way, changes, origins)
    return scenario.replace(changes, {**{name: _note(model) for name in changes}, **origins})


def tuned(scenario: Scenario, catalogue: Mapping[str, Offer], model: Offer, way: str) -> Scenario:
    """`scenario` with `model` as what is fine-tuned, run this way. Raises Problem when it cannot be tuned so."""
    if way == "api" and model.tuning != "hosted":
        raise Problem(f"{model.title} cannot be fine-tuned at its vendor. {model.note}".strip())
    if way != "api" and not model.open_weights:
        raise Problem(f"{model.title} has no open weights, so it cannot run on machines of one's own.")
    if way == "api":
        changes = {"tuned_hosting": "priced", "tuned_price_in": model.input, "tuned_price_out": model.output}
        return scenario.replace(changes, {name: _note(model) for name in changes})
    changes, origins = _machines(catalogue, way, {"tuned_hosting": way, **_size(model)}, {})
    return scenario.replace(changes, {**{name: _note(model) for name in changes}, **origins})


def picked(scenario: Scenario, catalogue: Mapping[str, Offer], role: str = "base") -> Offer | None:
    """The offer in use for `role` ('base' or 'tuned'): what was picked, else for the base the one of exactly its price
    per token (the soonest to retire, so that a warning is not missed). None when there is none."""
    way, price = ("hosting", "price_in") if role == "base" else ("tuned_hosting", "tuned_price_in")
    name = _named(scenario.origins.get(way, ""))
    bought = scenario.words[way] in ("api", "priced")
    if name and (not bought or _named(scenario.origins.get(price, "")) == name):
        return OTHER if name == OTHER.id else catalogue.get(name)
    if role != "base" or not bought:
        return None
    now = (scenario.value("price_in"), scenario.value("price_out"))
    same = [one for one in catalogue.values() if one.kind == "model" and ((one.input,) * 2, (one.output,) * 2) == now]
    return min(same, key=lambda one: one.retires or "9999", default=None)


def in_use(scenario: Scenario, catalogue: Mapping[str, Offer]) -> list[Offer]:
    """Every offer of the catalogue that the scenario rests on, each once."""
    found = [picked(scenario, catalogue), *(catalogue.get(_named(note)) for note in scenario.origins.values())]
    return list({one.id: one for one in found if one is not None and one.source}.values())


def ends(offers: list[Offer], today: date, months: float) -> list[str]:
    """One line for every offer that retires before the horizon ends."""
    lines = []
    for one in offers:
        if one.retires and (day(one.retires) - today).days < months * 30.4:
            gone = "is no longer sold since" if one.retired(today) else "retires on"
            lines.append(f"{one.title} {gone} {one.retires}, and every fine-tune of it with it. {one.note}".strip())
    return lines


def untunable(scenario: Scenario, catalogue: Mapping[str, Offer]) -> list[str]:
    """One line when fine-tuning is priced on a base that nobody can have tuned at its vendor today."""
    model = picked(scenario, catalogue)
    same = scenario.words["hosting"] == "api" and scenario.words["tuned_hosting"] in ("same", "premium")
    if model is None or not same or model.tuning == "hosted":
        return []
    where = "only on machines, from its open weights" if model.open_weights else "by no newcomer"
    return [
        f"{model.title} can be fine-tuned {where}: as set, fine-tuning and hybrid are priced at what cannot be bought. "
        "Pick another model for the fine-tune."
    ]


def _named(note: str) -> str:
    """The offer's id in an origin that a pick wrote, else ''."""
    return note.removeprefix("price list: ").split(",")[0] if note.startswith("price list: ") else ""


def _models(catalogue: Mapping[str, Offer], today: date) -> list[Offer]:
    found = [one for one in catalogue.values() if one.kind == "model" and not one.retired(today)]
    return sorted(found, key=lambda one: (one.vendor, one.output or 0.0, one.id))


def _size(model: Offer) -> dict[str, Any]:
    return {name: value for name, value in model.more.items() if name == "model_params"}


def _machines(
    catalogue: Mapping[str, Offer], way: str, changes: dict[str, Any], origins: dict[str, str]
) -> tuple[dict[str, Any], dict[str, str]]:
    """The same with the machine's price and speed, where the catalogue has one."""
    machine = catalogue.get(MACHINES[way])
    if machine is None:
        return changes, origins
    return {**machine.sets, **changes}, {**{name: machine.origin() for name in machine.sets}, **origins}


def _note(model: Offer) -> str:
    return model.origin() if model.source else f"price list: {model.id}"
