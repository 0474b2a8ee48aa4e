"""Rows of samples that share a prefix: a context is computed once for all the questions asked over it.

A group of samples becomes a tree: their longest common token prefix, then one branch each. A row holds whole trees up
to a length; the attention mask lets a token see its own tree's prefix and its own branch only, so the loss is that
of the samples one by one (a test compares them). Knows token ids; knows no model and no text.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

IGNORE = -100


@dataclass(frozen=True)
class Tokens:
    """One sample in tokens: the prompt, and the completion that bears the loss."""

    prompt: tuple[int, ...]
    completion: tuple[int, ...]


@dataclass(frozen=True)
class Row:
    """Packed trees, all arrays of length n. `labels`: IGNORE where there is no loss; `branch`: 0 is the prefix."""

    ids: np.ndarray
    positions: np.ndarray
    labels: np.ndarray
    tree: np.ndarray
    branch: np.ndarray

    def __len__(self) -> int:
        return len(self.ids)


def common_prefix(group: Sequence[Tokens]) -> int:
    """Length of the longest prompt prefix that all samples share, leaving each at least one prompt token."""
    first, last = min(s.prompt for s in group), max(s.prompt for s in group)
    limit = min(len(s.prompt) for s in group) - 1
    length = 0
    while length < limit and first[length] == last[length]:
        length += 1
    return length


def tree(group: Sequence[Tokens]) -> Row:
    """One group of samples as a tree. The label of a position is the token to predict there."""
    shared = common_prefix(group)
    ids, positions = list(group[0].prompt[:shared]), list(range(shared))
    labels, branch = [IGNORE] * shared, [0] * shared
    for number, sample in enumerate(group, 1):
        rest = sample.prompt[shared:] + sample.completion
        size = len(rest) - 1  # the last token predicts nothing
        ids += rest[:size]
        positions += range(shared, shared + size)
        labels += [IGNORE] * (len(sample.prompt) - shared - 1) + list(sample.completion)
        branch += [number] * size
    return Row(*(np.asarray(x, dtype=np.int64) for x in (ids, positions, labels, [0] * len(ids), branch)))


def pack(groups: Iterable[Sequence[Tokens]], length: int) -> list[Row]:
    """Trees into rows of at most `length` tokens (a longer tree is its own row), first fit in the order given."""
    rows: list[list[Row]] = []
    sizes: list[int] = []
    for group in groups:
        new = tree(group)
        fits = (i for i in range(max(0, len(rows) - 8), len(rows)) if sizes[i] + len(new) <= length)
        index = next(fits, None)
        if index is None:
            rows.append([new])
            sizes.append(len(new))
        else:
            rows[index].append(new)
            sizes[index] += len(new)
    return [_join(trees) for trees in rows]


def _join(trees: Sequence[Row]) -> Row:
    def column(name: str) -> np.ndarray:
        return np.concatenate([getattr(t, name) for t in trees])

    numbers = np.repeat(np.arange(len(trees)), [len(t) for t in trees])
    return Row(column("ids"), column("positions"), column("labels"), numbers, column("branch"))


def batch(rows: Sequence[Row], pad: int) -> dict[str, np.ndarray]:
    """Rows padded to the longest: ids, positions, labels (rows, n) and the attention mask (rows, 1, n, n), bool."""
    n = max(len(row) for row in rows)

    def fill(name: str, value: int) -> np.ndarray:
        return np.stack([np.pad(getattr(row, name), (0, n - len(row)), constant_values=value) for row in rows])

    which, branch = fill("tree", -1), fill("branch", 0)
    same_tree = which[:, :, None] == which[:, None, :]
    visible = (branch[:, None, :] == 0) | (branch[:, :, None] == branch[:, None, :])
    mask = same_tree & visible & np.tri(n, dtype=bool)
    return {
        "ids": fill("ids", pad),
        "positions": fill("positions", 0),
        "labels": fill("labels", IGNORE),
        "mask": mask[:, None],
    }
