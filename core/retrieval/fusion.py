"""Vector and word scores made one score. Pure functions; know neither index nor text.

Weighted min-max: the cosines of the candidates are stretched to 0..1 between the least candidate and the best; BM25 is
divided by its best (its least is 0: no word in common). score = weight * dense + (1 - weight) * sparse.
Reciprocal rank fusion was measured below vectors alone (tests/bench/quality.py), because it throws the distances away.
"""

import numpy as np
from numpy.typing import NDArray

from core.retrieval.values import Vector

NO_MATCH = 1e-3  # BM25 of words that stand in more than half of all passages: as good as no match


def top(scores: Vector, count: int) -> NDArray[np.intp]:
    """Places of the `count` highest scores, best first, equal ones in order of place."""
    if count < len(scores):
        least = np.partition(scores, len(scores) - count)[len(scores) - count]
        places = np.flatnonzero(scores >= least)
    else:
        places = np.arange(len(scores))
    return places[np.argsort(-scores[places], kind="stable")][:count]


def fuse(dense: dict[int, float], sparse: dict[int, float], weight: float) -> dict[int, float]:
    """One score per candidate, 0..1. `dense`: chunk -> cosine (of all candidates); `sparse`: chunk -> BM25, absent = 0.

    A chunk without a cosine (not embedded yet) gets its words' share only.
    """
    matched = {chunk: score for chunk, score in sparse.items() if score > NO_MATCH}
    best = max(matched.values(), default=1.0)
    low, high = min(dense.values(), default=0.0), max(dense.values(), default=1.0)
    span = (high - low) or 1.0
    return {
        chunk: weight * ((dense[chunk] - low) / span if chunk in dense else 0.0)
        + (1 - weight) * matched.get(chunk, 0.0) / best
        for chunk in dense.keys() | matched.keys()
    }
