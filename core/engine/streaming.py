"""Token bytes to text: characters split over tokens, and stop strings split over tokens. Knows no model."""

import codecs
from collections.abc import Sequence


class TextStream:
    """Bytes in, text out. What may still become part of a character or of a stop string is held back."""

    def __init__(self, stop: Sequence[str] = ()) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._stop = tuple(text for text in stop if text)
        self._held = ""
        self.stopped = False

    def feed(self, data: bytes) -> str:
        """The text that can be shown now. A stop string sets `stopped`; it and all after it are dropped."""
        return self._release(self._decoder.decode(data))

    def finish(self) -> str:
        """What was held back: the stream has ended, so half a character becomes U+FFFD."""
        shown = self._release(self._decoder.decode(b"", final=True)) + self._held
        self._held = ""
        return "" if self.stopped else shown

    def _release(self, text: str) -> str:
        if self.stopped:
            return ""
        text = self._held + text
        met = [place for place in (text.find(stop) for stop in self._stop) if place >= 0]
        if met:
            self.stopped, self._held = True, ""
            return text[: min(met)]
        keep = max((_overlap(text, stop) for stop in self._stop), default=0)
        self._held = text[len(text) - keep :]
        return text[: len(text) - keep]


def _overlap(text: str, stop: str) -> int:
    """Length of the longest end of `text` that begins `stop`."""
    for length in range(min(len(text), len(stop) - 1), 0, -1):
        if text.endswith(stop[:length]):
            return length
    return 0
