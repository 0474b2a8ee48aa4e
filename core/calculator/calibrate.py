"""Measured values in place of the documents' ranges, each with origin, date and how it scales.

Takes a plain dict of measurements: `collect` makes one from finished playground runs, core/calibration.py adds a
project's evaluations, and the demo's card (models/cards/measured.json) is read by itself. Knows neither engine nor
store.

Keys (all optional): `prefill_per_s`, `decode_per_s`, `retrieval_ms`, `reindex_ms`, `passage_tokens`,
`prompt_tokens_with_retrieval`, `output_tokens`, `training_minutes`, `training_rows` hold a list of observed values;
`accuracies` holds {input: (low, high)}, the ends of a 95 % interval as shares; `origins` holds {key or input: "what and
when"}.
"""

import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from core.calculator.inputs import Range, Scenario, every
from core.errors import Problem
from core.evidence import figures
from core.records import ArmRecord, RunRecord

NINETY_FIVE = 1.96
LARGER = "from the bundled {ours.bundled-params} to {ours.larger-params}"


@dataclass(frozen=True)
class Change:
    """One input set to a measured range. `scales` says what the value means for a larger model; `demo`: it is of the
    bundled models and their fictional company."""

    name: str
    value: Range
    origin: str
    scales: str
    demo: bool = False


@dataclass(frozen=True)
class _Rule:
    name: str
    key: str
    convert: Callable[[float], float]
    scales: str


_RULES = (
    _Rule(
        "prefill_rate",
        "prefill_per_s",
        lambda rate: rate,
        f"of the models that answered here; the rate falls as parameters grow ({LARGER}: {{ours.scale-compute}}); "
        "elsewhere use the roofline",
    ),
    _Rule(
        "decode_ms",
        "decode_per_s",
        lambda rate: 1000 / rate,
        f"of the models that answered here; the time grows with the model's bytes ({LARGER} in 16 bit: "
        "{ours.scale-bytes})",
    ),
    _Rule("retrieval_ms", "retrieval_ms", lambda ms: ms, "does not depend on the chat model; grows with the corpus"),
    _Rule(
        "chunk_tokens", "passage_tokens", lambda n: n, "does not scale: it depends on the documents and the tokenizer"
    ),
    _Rule("answer_tokens", "output_tokens", lambda n: n, "larger models tend to answer at more length; adjust by hand"),
    _Rule("reindex_hours", "reindex_ms", lambda ms: ms / 3.6e6, "does not depend on the chat model; machine time only"),
    _Rule("labelled_rows", "training_rows", lambda n: n, "does not scale with the model; it depends on the task"),
    _Rule(
        "retrain_days",
        "training_minutes",
        lambda minutes: minutes / 1440,
        f"machine time only, without people; grows with parameters x tokens ({LARGER}: {{ours.scale-compute}})",
    ),
)

STATIC, CHANGED = "static", "changed"
# input <- (arm by role of its model, whether the knowledge asked for stays or has changed)
ACCURACIES = {
    "acc_retrieval_static": ("base+retrieval", STATIC),
    "acc_retrieval_fresh": ("base+retrieval", CHANGED),
    "acc_tuned_static": ("fine-tuned", STATIC),
    "acc_stale": ("fine-tuned", CHANGED),
    "acc_prompt": ("base+pinned", STATIC),
    "acc_alone": ("base", STATIC),
}
GAIN = ("base+retrieval", "fine-tuned+retrieval")  # of which hybrid_gain is the difference, on STATIC
_OF_THESE = "holds for the models and questions measured; a larger model answers better in every arm"


def changes(measured: Mapping[str, Any]) -> list[Change]:
    """The inputs that `measured` can replace, in a fixed order; what is missing or unusable is left alone."""
    origins = measured.get("origins", {})
    found = []
    for rule in _RULES:
        values = [rule.convert(value) for value in _numbers(measured.get(rule.key, ())) if value > 0]
        if values:
            found.append(_change(rule.name, min(values), max(values), origins.get(rule.key, ""), rule.scales))
    for name in (*ACCURACIES, "hybrid_gain"):
        if known := measured.get("accuracies", {}).get(name):
            low, high = known
            origin = f"{origins.get(name) or 'measured here'}, 95 % interval"
            found.append(_change(name, low * 100, high * 100, origin, _OF_THESE))
    return found


def apply(scenario: Scenario, wanted: Iterable[Change]) -> Scenario:
    """`scenario` with measured values in place, their origins attached. Raises Problem."""
    kept = list(wanted)
    return scenario.replace({one.name: one.value for one in kept}, {one.name: one.origin for one in kept})


def collect(runs: Sequence[RunRecord], cards: Path | None = None) -> dict[str, Any]:
    """Measurements from finished runs (the playground's records) and from models/cards/measured.json.

    Contended and cold arms, and endpoints, are left out: their times say nothing about the machine. Raises
    Problem on a broken file.
    """
    measured: dict[str, Any] = {"origins": {}}
    arms = [(run, one) for run in runs for arm in run.arms for one in _answers(arm) if _counts(one)]
    without = {(run.id, arm.model_id): arm.tokens.prompt for run, arm in arms if arm.context == "closed"}
    for run, arm in arms:
        for key, value in _observed(arm, without.get((run.id, arm.model_id))).items():
            if value is not None and value > 0:
                measured.setdefault(key, []).append(value)
    dates = sorted(run.made[:10] for run, _ in arms)
    if dates:
        span = dates[0] if dates[0] == dates[-1] else f"{dates[0]} to {dates[-1]}"
        text = f"measured here, {len(arms)} uncontended playground answers, {span}"
        measured["origins"] = {key: text for key in measured if key != "origins"}
    if cards is not None and cards.exists():
        _read_cards(measured, cards)
    return measured


def _answers(arm: ArmRecord) -> list[ArmRecord]:
    """An arm's answer, or each of its repeats."""
    return [
        replace(arm, finish=one.finish, timing=one.timing, tokens=one.tokens, rates=one.rates) for one in arm.repeats
    ] or [arm]


def _counts(arm: ArmRecord) -> bool:
    elsewhere = arm.model is not None and arm.model.kind == "endpoint"
    return arm.finish in ("stop", "length") and not (arm.timing.contended or arm.timing.cold or elsewhere)


def _observed(arm: ArmRecord, prompt_without: int | None) -> dict[str, float | None]:
    """What one arm of a run measured."""
    found: dict[str, float | None] = {
        "prefill_per_s": arm.rates.prefill_per_s,
        "decode_per_s": arm.rates.decode_per_s,
        "output_tokens": arm.tokens.output,
        "retrieval_ms": arm.timing.retrieval,
    }
    if arm.timing.retrieval is not None and arm.tokens.prompt and prompt_without and arm.passages:
        found["passage_tokens"] = (arm.tokens.prompt - prompt_without) / len(arm.passages)
    return found


def _read_cards(measured: dict[str, Any], cards: Path) -> None:
    try:
        raw = json.loads(cards.read_text(encoding="utf-8"))
        origin = f"measured here, {raw['origin']}, {raw['date']}"
        known: dict[tuple[str, str], tuple[float, float]] = {}  # (arm, class) -> share and its standard error
        for row in raw.get("results", []):
            if row["standard_error"] is not None:
                # All or none right leaves no spread to estimate an error from: the rule of three, 3 / n at 95 %.
                error = float(row["standard_error"]) or 3 / NINETY_FIVE / int(row["n"])
                known[row["arm"], row["class"]] = (float(row["accuracy"]), error)
        found = {name: known[place] for name, place in ACCURACIES.items() if place in known}
        base, tuned = (known.get((arm, STATIC)) for arm in GAIN)
        if base and tuned:
            found["hybrid_gain"] = (tuned[0] - base[0], math.hypot(tuned[1], base[1]))
        measured["accuracies"] = {
            name: (share - NINETY_FIVE * error, share + NINETY_FIVE * error) for name, (share, error) in found.items()
        }
        measured["origins"] |= dict.fromkeys(found, origin)
        for key in ("training_minutes", "training_rows", "reindex_ms"):
            if isinstance(raw.get(key), int | float):
                measured[key] = [float(raw[key])]
                measured["origins"][key] = origin
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Problem(f"{cards.name} cannot be read ({error!r}); restore it from the repository.") from error


def _change(name: str, low: float, high: float, origin: str, scales: str) -> Change:
    """A change clipped to the input's limits."""
    one = every()[name]
    low, high = (min(max(value, one.min), one.max) for value in (low, high))
    return Change(name, (low, high), origin or "measured here", figures.fill(scales))


def _numbers(values: Any) -> list[float]:
    items = values if isinstance(values, list | tuple) else [values]
    return [float(item) for item in items if isinstance(item, int | float) and math.isfinite(item)]
