"""Vector and word scores made one score. Pure functions; know neither index nor text.

score = weight * dense + (1 - weight) * sparse, both stretched to 0..1. Dense: the cosines of the candidates, from the
least to the best. Sparse: BM25, from 0 (no word in common) to the best one found, or, where that is more, to what a
passage of average length would get that holds every word of the question once. So a chance match on one word out of
six stays a weak match, and questions in other words than the document's are still found by their meaning; measured
against the best one found alone, they lost to vectors alone (core/DECISIONS.md).
"""

import math
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from core.retrieval.values import Vector

NO_MATCH = 1e-3  # BM25 of words that stand in more than half of all passages: as good as no match
LEAST_IDF = 1e-6  # what FTS5 gives such words


def top(scores: Vector, count: int) -> NDArray[np.intp]:
    """Places of the `count` highest scores, best first, equal ones in order of place."""
    if count < len(scores):
        least = np.partition(scores, len(scores) - count)[len(scores) - count]
        places = np.flatnonzero(scores >= least)
    else:
        places = np.arange(len(scores))
    return places[np.argsort(-scores[places], kind="stable")][:count]


def attainable(passages: int, holding: Iterable[int]) -> float:
    """BM25 of a passage of average length with every term once, where `holding` of `passages` hold each term."""
    return sum(max(LEAST_IDF, math.log((passages - count + 0.5) / (count + 0.5))) for count in holding)


def fuse(dense: dict[int, float], sparse: dict[int, float], weight: float, full: float) -> dict[int, float]:
    """One score per candidate, 0..1. `dense`: chunk -> cosine (of all candidates); `sparse`: chunk -> BM25, absent = 0.

    `full`: the BM25 that counts as 1, unless a better one was found. A chunk without a cosine (not
    embedded yet) is judged by its words alone, so that a fresh edit is found before its vector is there.
    """
    matched = {chunk: score for chunk, score in sparse.items() if score > NO_MATCH}
    best = max([full, *matched.values()])
    low, high = min(dense.values(), default=0.0), max(dense.values(), default=1.0)
    span = (high - low) or 1.0
    words = {chunk: matched.get(chunk, 0.0) / best for chunk in dense.keys() | matched.keys()}
    return {
        chunk: weight * (dense[chunk] - low) / span + (1 - weight) * word if chunk in dense else word
        for chunk, word in words.items()
    }
