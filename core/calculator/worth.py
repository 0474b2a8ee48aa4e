"""What measuring an input first would be worth: the expected value of partial perfect information, by regression.

For each input: how much more net value one expects when the approach is chosen after its true value is known. The
expected net value given the input is fitted to the draws by polynomials in its place in its range (after Strong, Oakley
and Brennan 2014, source V1), orthogonal for evenly drawn places; what does not rise above the sampling error is none.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from core.calculator.draws import uniform
from core.calculator.formulas import Array
from core.calculator.inputs import Scenario
from core.calculator.requests import WORLDS

NOISE = 3.0  # standard errors below which a term is none
MEASURED_BY = {  # where this app measures an input
    **dict.fromkeys(("prefill_rate", "decode_ms", "retrieval_ms", "chunk_tokens", "answer_tokens"), "playground"),
    **dict.fromkeys(
        ("acc_prompt", "acc_retrieval_static", "acc_retrieval_fresh", "acc_tuned_static", "acc_stale", "acc_alone"),
        "evaluation",
    ),
    "hybrid_gain": "evaluation",
}


@dataclass(frozen=True)
class Worth:
    """Knowing input `name` before choosing is worth `amount` (scenario's currency) over the horizon.

    `measured_by` says where this app measures it: "playground", "evaluation" or "" (ask, look into your logs).
    """

    name: str
    amount: float
    measured_by: str


def worths(scenario: Scenario, net: Mapping[str, Array]) -> tuple[list[Worth], float]:
    """(inputs worth knowing, dearest first; the same for all together). `net`: USD over WORLDS draws, by approach."""
    if len(net) < 2:
        return [], 0.0
    rate, count = scenario.number("exchange_rate"), min(WORLDS, int(scenario.number("draws")))
    values = np.stack([np.broadcast_to(one, (count,)) for one in net.values()])
    gaps = values - values[0]
    means = gaps.mean(axis=1)
    everything = float(gaps.max(axis=0).mean() - means.max())
    names = [name for name, (low, high) in scenario.ranges.items() if low != high]
    if everything <= 0 or not names:
        return [], 0.0
    amounts = _given(_basis(tuple(names), int(scenario.number("draws")), int(scenario.number("seed"))), gaps, means)
    found = [
        Worth(name, min(float(amount), everything) * rate, MEASURED_BY.get(name, ""))
        for name, amount in zip(names, amounts, strict=True)
        if amount > 0
    ]
    return sorted(found, key=lambda one: -one.amount), everything * rate


@lru_cache(maxsize=4)
def _basis(names: tuple[str, ...], draws: int, seed: int) -> Array:
    """(inputs, 3, draws): the first three Legendre polynomials of each input's place, of variance 1. Remembered, since
    it hangs on which inputs are ranges, not on the ranges."""
    t = 2 * np.stack([uniform(name, min(draws, WORLDS), seed) for name in names]) - 1
    square = t * t
    return np.stack([3**0.5 * t, 5**0.5 * (1.5 * square - 0.5), 7**0.5 * t * (2.5 * square - 1.5)], axis=1)


def _given(basis: Array, gaps: Array, means: Array) -> Array:
    """(inputs,) expected gain from choosing by the fitted expectation."""
    centred, draws = gaps - means[:, None], gaps.shape[1]
    fits = (basis.reshape(-1, draws) @ centred.T / draws).reshape(*basis.shape[:2], -1)  # (inputs, 3, approaches)
    fits[np.abs(fits) < NOISE * centred.std(axis=1) / draws**0.5] = 0.0
    gain = np.zeros(basis.shape[0])
    for at in np.flatnonzero(np.any(fits != 0, axis=(1, 2))):
        expected = means[:, None] + fits[at].T @ basis[at]
        gain[at] = expected.max(axis=0).mean() - expected.mean(axis=1).max()
    return np.maximum(gain, 0)
