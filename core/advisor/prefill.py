"""What reader.py reads as answers and the words behind them alone: for who needs neither numbers nor marked text."""

from core.advisor import quantities
from core.advisor.reader import MAX_TEXT as MAX_TEXT
from core.advisor.reader import Found as Found
from core.advisor.reader import read as _read

WORDS = {**quantities.NUMBERS, **{f"{word} of": value for word, value in quantities.VAGUE.items()}}


def read(text: str) -> tuple[dict[str, str], list[Found]]:
    """Answers that the text gives away (question -> option), and the words that spoke for them."""
    reading = _read(text)
    return reading.answers, [found for found in reading.found if found.used]
