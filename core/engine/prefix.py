"""How much of an evaluated prompt serves the next one, without changing a bit of its answer. Knows no model.

llama.cpp's CPU flash attention evaluates TILE tokens or more at a time by one kernel and fewer by another, which rounds
otherwise. Measured: logits were equal to the bit wherever the kernel was the same, and off by up to 0.5 where it was
not. So a greedy answer could depend on what was asked before, if any prefix were reused to the last token.
"""

from collections.abc import Sequence

TILE = 64


def common_prefix(one: Sequence[int], other: Sequence[int]) -> int:
    """How many tokens two sequences share from the start."""
    length = min(len(one), len(other))
    return next((index for index in range(length) if one[index] != other[index]), length)


def reusable(common: int, cached: int, total: int, chunk: int) -> int:
    """How many of `common` known tokens to reuse, so that the answer stays the same to the bit.

    `cached`, `total`: lengths of the prompt that left the tokens behind and of the new one. A prompt is evaluated in
    chunks from its start; a chunk under TILE tokens goes through another attention kernel that rounds otherwise. So
    tokens are reused only where both prompts take the same kernel, and the rest is never cut below TILE where the
    kernel would change. Otherwise a greedy answer could depend on what was asked before.
    """
    common = min(common, total - 1)  # the last token is always evaluated: its logits are wanted
    begin = common // chunk * chunk
    small, small_before = (min(begin + chunk, length) - begin < TILE for length in (total, cached))
    if small != small_before:
        return begin
    return common if small else min(common, max(begin, min(begin + chunk, total) - TILE))
