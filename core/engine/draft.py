"""Which tokens an answer may go on with, guessed from what was read: prompt-lookup drafting. Knows no model.

A model that answers out of passages copies names, numbers and sentences, and begins and ends its answers alike. What
followed the answer's last tokens in the prompt or in an earlier answer is a guess that costs nothing; the model checks
the whole guess in one call and keeps as much as it would have said itself, so a greedy answer stays the same.
(Saxena, "Prompt Lookup Decoding", 2023; llama.cpp's own `lookup` example.)
"""

from collections.abc import Sequence

GRAMS = (3, 2)  # so many last tokens must have occurred before, the longer match first
LONGEST_REST = 31
MOST = 3  # tokens guessed at a time: one call then checks four


class Lookup:
    """What followed each short run of tokens, in texts read so far; of several places the latest counts."""

    def __init__(self, text: Sequence[int] = ()) -> None:
        self._tokens: list[int] = []
        self._after: dict[tuple[int, ...], int] = {}
        self.extend(text)

    def extend(self, tokens: Sequence[int]) -> None:
        """Read on: `tokens` follow what was read."""
        for token in tokens:
            place = len(self._tokens)
            for length in GRAMS:
                if place >= length:
                    self._after[tuple(self._tokens[place - length :])] = place
            self._tokens.append(token)

    def guess(self, last: Sequence[int], most: int) -> list[int]:
        """At most `most` tokens that followed the end of `last` before; [] where it never occurred."""
        for length in GRAMS:
            place = self._after.get(tuple(last[-length:])) if len(last) >= length else None
            if place is not None:
                return self._tokens[place : place + most]
        return []


class Draft:
    """The guesses of one answer: how far to reach, and how many came true. `prompt` was read, `earlier` was said."""

    def __init__(self, prompt: Sequence[int], earlier: Sequence[Sequence[int]] = ()) -> None:
        self._read, self._said = Lookup(prompt), Lookup([token for answer in earlier for token in answer])
        self._recent = list(prompt[-max(GRAMS) :])
        self._reach = MOST
        self._rest = self._pause = 0  # tokens without a guess: to come, and after the next one that fails
        self.copied = 0

    def guess(self, room: int) -> list[int]:
        """The next tokens as they stood elsewhere, at most `room`."""
        if self._rest:
            self._rest -= 1
            return []
        most = min(self._reach, room)
        return (self._read.guess(self._recent, most) or self._said.guess(self._recent, most)) if most > 0 else []

    def learn(self, token: int, guessed: bool) -> None:
        """The answer's next token, and whether it was guessed."""
        self.copied += guessed
        self._read.extend((token,))
        self._recent = [*self._recent[1 - max(GRAMS) :], token]

    def checked(self, guessed: int, right: int) -> None:
        """Of `guessed` tokens the first `right` came true: reach further next time, or less far.

        One that fails altogether is followed by a rest, each twice as long: who writes freely copies little.
        """
        if guessed:
            self._reach = min(MOST, 2 * self._reach) if right == guessed else max(1, self._reach // 2)
            self._pause = 0 if right else min(LONGEST_REST, 2 * self._pause + 1)
            self._rest = self._pause
