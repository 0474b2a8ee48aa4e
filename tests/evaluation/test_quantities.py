"""Amounts are read as people write them, and never in part."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.evaluation.quantities import Quantity, tokens


def only(text: str) -> Quantity:
    (found,) = (token for token in tokens(text) if isinstance(token, Quantity))
    return found


@pytest.mark.parametrize(
    ("text", "unit", "value"),
    [
        ("$1,200.50", "$", 1200.5),
        ("1200.5 dollars", "$", 1200.5),
        ("USD 12", "$", 12),
        ("US$ 12", "$", 12),
        ("twelve bucks", "$", 12),
        ("€7", "€", 7),
        ("12 percent", "%", 12),
        ("12%", "%", 12),
        ("7.4 kg", "kg", 7.4),
        ("7,4 kilos", "kg", 7.4),
        ("7400 grams", "kg", 7.4),
        ("21.5kg.", "kg", 21.5),
        ("3 years", "months", 36),
        ("a 3-year warranty", "months", 36),
        ("thirty-six months", "months", 36),
        ("ninety minutes", "minutes", 90),
        ("1.5 hours", "minutes", 90),
        ("90 seconds", "minutes", 1.5),
        ("a 30 s wait", "minutes", 0.5),
        ("60000 ms", "minutes", 1),
        ("6 µs", "minutes", 1e-7),
        ("4-byte", "bytes", 4),
        ("2 KiB", "bytes", 2048),
        ("1.5MB", "bytes", 1_500_000),
        ("two weeks", "days", 14),
        ("18:30", "clock", 1110),
        ("6:30 pm", "clock", 1110),
        ("6.30 p.m.", "clock", 1110),
        ("18h30", "clock", 1110),
        ("6 pm", "clock", 1080),
        ("1:00p", "clock", 780),
        ("12:30a", "clock", 30),
        ("12 am", "clock", 0),
        ("12:15 pm", "clock", 735),
        ("a hundred", "", 100),
        ("48 units", "", 48),
        ("passage [3] says 7", "", 7),
    ],
)
def test_amounts_in_many_spellings(text: str, unit: str, value: float) -> None:
    assert (only(text).unit, only(text).value) == (unit, value)


@pytest.mark.parametrize("text", ["BW4821", "the 2nd shop", "C3PO", "1.2.3"])
def test_codes_are_no_quantities(text: str) -> None:
    assert not [token for token in tokens(text) if isinstance(token, Quantity) and token.written in (4821, 2, 3)]


def test_versions_stay_whole_and_a_decade_is_no_time() -> None:
    assert tokens("v1.2, 0.4.0 or 1.2.3-beta") == ("1.2", "0.4.0", "or", "1.2.3", "beta")
    assert tokens("the 1980s") == ("the", "1980")


def test_words_lose_case_accents_and_plural() -> None:
    assert tokens("Mondays in MALMÖ, brass") == ("monday", "in", "malmo", "brass")


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10_000_000))
def test_a_number_is_read_back_with_and_without_commas(number: int) -> None:
    assert only(f"it is ${number:,}").value == number
    assert only(f"it is ${number}").value == number


@settings(deadline=None, max_examples=40)
@given(st.text(max_size=300))
def test_any_text_can_be_read(text: str) -> None:
    assert isinstance(tokens(text), tuple)


def test_a_path_is_whole() -> None:
    assert "volume1" in tokens("Remove the /volume1 prefix.") and "/volume1/repo" in tokens("nas:/volume1/repo init")
    assert "volume1" not in tokens("nas:/volume1/repo init") and tokens("and/or") == tokens("and or")
