"""The difference of two arms while their run goes on, kept up row by row. Knows replies; starts and stops nothing.

Every reply is scored once, when it comes; only the interval is worked out anew, and only when a fact has been added.
"""

from collections.abc import Callable, Sequence

from core.evaluation import sequential
from core.evaluation.questions import Question
from core.evaluation.run import Reply
from core.evaluation.sequential import Watched


class Watch:
    """`right` scores a reply; `pair`: the arms, the difference is the second's over the first."""

    def __init__(self, questions: Sequence[Question], pair: tuple[str, str], right: Callable[[Reply], bool]) -> None:
        self._questions, self.pair, self._right = questions, pair, right
        self._waiting: dict[int, dict[str, bool]] = {}  # question -> arm -> right, until both have answered
        self._facts: dict[str, float] = {}
        self._seen: Watched | None = None

    def add(self, reply: Reply) -> None:
        """Take in one more reply; one of another arm, a repeat, or one that never came, changes nothing."""
        number, arm = reply.number, reply.arm
        if arm not in self.pair or reply.problem or reply.repeat:
            return
        both = self._waiting.setdefault(number, {})
        both[arm] = self._right(reply)
        if len(both) == len(self.pair):
            del self._waiting[number]
            before, after = (both[name] for name in self.pair)
            group = self._questions[number].group
            if group not in self._facts:  # further wordings of a fact are no independent look
                self._facts[group] = float(after) - float(before)
                self._seen = None

    def look(self) -> Watched | None:
        """The difference so far with the interval that holds at every look; None before the first fact."""
        if self._seen is None and self._facts:
            self._seen = sequential.watched(list(self._facts.values()))
        return self._seen
