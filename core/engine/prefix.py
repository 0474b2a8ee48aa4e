"""How much of an evaluated prompt serves the next one, without changing a bit of its answer. Knows no model.

llama.cpp's CPU flash attention evaluates TILE tokens or more at a time by one kernel and fewer by another, which rounds
otherwise. Measured: logits were equal to the bit wherever the kernel was the same, and off by up to 0.5 where it was
not. So a greedy answer could depend on what was asked before, if any prefix were reused to the last token.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise

TILE = 64


def common_prefix(one: Sequence[int], other: Sequence[int]) -> int:
    """How many tokens two sequences share from the start."""
    length = min(len(one), len(other))
    return next((index for index in range(length) if one[index] != other[index]), length)


def plan(total: int, split: int, chunk: int) -> list[int]:
    """Where the parts end in which a prompt of `total` tokens is evaluated: at `split`, and every `chunk` tokens.

    `split` is where the question begins. It is a border of fresh prompts too, so that the question takes the same
    kernel whether what precedes it is known or not: a second question over the same passages costs its own tokens only.
    """
    ends: list[int] = []
    for begin, end in ((0, split), (split, total)):
        ends += [*range(begin + chunk, end, chunk), end] if end > begin else []
    return ends


def reusable(common: int, cached: Sequence[int], ends: Sequence[int]) -> int:
    """How many of `common` known tokens to reuse, so that the answer stays the same to the bit.

    `cached`, `ends`: the plans of the prompt that left the tokens behind and of the new one. Tokens are reused as far
    as both take them through the same kernel, and of a tiled part the rest is never cut below TILE.
    """
    common = min(common, ends[-1] - 1)  # the last token is always evaluated: its logits are wanted
    for begin, end, tiled in _parts(ends):
        agreed = _agreed(begin, min(end, common), tiled, cached)
        if agreed < end:
            return agreed if not tiled else min(agreed, max(begin, end - TILE))
    return common


def _agreed(begin: int, end: int, tiled: bool, cached: Sequence[int]) -> int:
    """From `begin`, how far towards `end` the cached prompt's tokens went through the same kernel."""
    for before, after, kernel in _parts(cached):
        if after > begin and before < end and kernel != tiled:
            return max(before, begin)
    return max(begin, end)


def _parts(ends: Sequence[int]) -> Iterator[tuple[int, int, bool]]:
    """(begin, end, whether it goes through the kernel for TILE tokens and more) of each part."""
    for begin, end in pairwise([0, *ends]):
        yield begin, end, end - begin >= TILE
