"""What a training run is made of, and its learning rate by step. Part of the card; knows no model and no data."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """What a run is made of; part of the card. `tokens_per_step` counts packed tokens."""

    rank: int = 16
    alpha: int = 32
    learning_rate: float = 1e-3
    warm_up: float = 0.03
    passes: int = 16
    memorise: int = 6  # of them, the first ones: facts before reading (Brightwater's mix only)
    tokens_per_step: int = 1000
    row_length: int = 180
    seed: int = 0
    score_every: int = 50  # steps; 0: never, where scoring takes longer than it is worth
    checkpoint_every: int = 50


def rate(step: int, total: int, settings: Settings) -> float:
    """Learning rate of a step (from 0): linear warm-up, then linear decay to a fiftieth."""
    warm = max(1, round(settings.warm_up * total))
    if step < warm:
        return settings.learning_rate * (step + 1) / warm
    return settings.learning_rate * max(0.02, 1 - (step - warm) / max(1, total - warm))


# The standard base reads already and has four times the weights: it learns in fewer passes, and each costs more.
STANDARD = {"learning_rate": 8e-4, "passes": 8, "memorise": 4, "row_length": 256}
STANDARD |= {"score_every": 0, "checkpoint_every": 5}
PRESETS = {
    "cpu": Settings(),
    "gpu": Settings(passes=40, tokens_per_step=4000, row_length=1024),
}
