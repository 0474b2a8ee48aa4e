"""How much of an evaluated prompt serves the next one, without changing a bit of its answer. Knows no model.

llama.cpp's CPU flash attention evaluates TILE tokens or more at a time by one kernel and fewer by another, which rounds
otherwise. Measured: logits were equal to the bit wherever the kernel was the same, and off by up to 0.5 where it was
not. So a greedy answer could depend on what was asked before, if any prefix were reused to the last token.

Matrices are multiplied likewise: four tokens at a time by one kernel, the one to three that remain by another. Measured
on AVX-512: off by up to 0.3 with Q4_K weights, by 0.002 with 16-bit ones, equal with Q8_0.
"""

from collections.abc import Sequence
from itertools import pairwise

TILE = 64
GROUP = 4


def common_prefix(one: Sequence[object], other: Sequence[object]) -> int:
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
    as both take them through the same kernels; what remains of a part keeps its kernels: whole groups are cut off, and
    of a tiled part the rest is never below TILE, of any other never below GROUP.
    """
    common = min(common, ends[-1] - 1)  # the last token is always evaluated: its logits are wanted
    common = min(common, common_prefix(kernels(cached), kernels(ends)))
    for begin, end in pairwise([0, *ends]):
        if begin < common < end:
            most = max(begin, end - (TILE if end - begin >= TILE else GROUP))
            return begin + (min(common, most) - begin) // GROUP * GROUP
    return common


def kernels(ends: Sequence[int]) -> list[tuple[bool, bool]]:
    """Token by token of a plan: whether it goes through attention for TILE tokens and more, and in a whole group."""
    made: list[tuple[bool, bool]] = []
    for begin, end in pairwise([0, *ends]):
        size = end - begin
        whole = size // GROUP * GROUP
        made += [(size >= TILE, True)] * whole + [(size >= TILE, False)] * (size - whole)
    return made
