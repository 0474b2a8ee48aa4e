"""How sure a model was of each token of its answer: probabilities in a few steps, for drawing. Knows no screen.

A probability says how likely the model found this token after the text so far, before any sampling. It says nothing
about whether the answer is true: a fine-tune is sure of what it learnt, right or outdated.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from core.records import TokenRecord

STEPS: Final = (0.3, 0.7, 0.95)  # probabilities at which a token falls into the next step


@dataclass(frozen=True)
class Stretch:
    """Neighbouring tokens of one step (0: least sure), and the lowest probability among them."""

    text: str
    step: int
    lowest: float


@dataclass(frozen=True)
class Summary:
    """`perplexity`: e to the mean negative log-probability; `lowest`: the least likely token and its probability."""

    tokens: int
    perplexity: float
    lowest_text: str
    lowest: float


def stretches(tokens: Sequence[TokenRecord]) -> list[Stretch]:
    """The answer in reading order; joined, the texts are the tokens' texts."""
    made: list[Stretch] = []
    for token in tokens:
        probability = math.exp(min(token.logprob, 0.0))
        step = sum(probability >= border for border in STEPS)
        if made and made[-1].step == step:
            last = made[-1]
            made[-1] = Stretch(last.text + token.text, step, min(last.lowest, probability))
        else:
            made.append(Stretch(token.text, step, probability))
    return made


def summary(tokens: Sequence[TokenRecord]) -> Summary | None:
    """The whole answer in figures; None for none."""
    if not tokens:
        return None
    worst = min(tokens, key=lambda token: token.logprob)
    mean = sum(token.logprob for token in tokens) / len(tokens)
    return Summary(len(tokens), math.exp(-mean), worst.text, math.exp(worst.logprob))
