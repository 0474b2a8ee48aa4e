"""Numbers as people type and paste them, and what is no number; the field that reads them."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from streamlit.testing.v1 import AppTest

from core import numbers
from core.calculator import inputs


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("12k", 12_000), ("12 K", 12_000), ("1.5M", 1.5e6), ("2 bn", 2e9), ("3 million", 3e6), ("-4", -4),
        ("1,000", 1_000), ("1.000", 1_000), ("1 000", 1_000), ("1\u202f000\u00a0000", 1e6), ("1'000", 1_000),
        ("1,234,567.8", 1_234_567.8), ("1.234.567,8", 1_234_567.8), ("0,40", 0.4), ("0.125", 0.125), ("7,5", 7.5),
        ("$1,200", 1_200), ("40%", 40), ("1e4", 1e4), ("2.", 2), (" 5 ", 5),
    ],
)  # fmt: skip
def test_what_people_write(text: str, value: float) -> None:
    assert numbers.read(text) == value


@pytest.mark.parametrize(
    "text",
    ["", "k", "1,0000", "1,000,", "12kk", "1.2.3", "1,00,000", "1 00", "--1", "1-2", "ten", "nan", "inf", "1e999", "٣",
     "1,000.000,5", "9" * 400, "<b>1</b>", "1 , 2"],
)  # fmt: skip
def test_what_is_no_number(text: str) -> None:
    assert numbers.read(text) is None


@pytest.mark.parametrize(
    ("text", "near", "value"),
    [
        ("12.000", 20_000, 12_000),
        ("12.000", 10, 12),
        ("2.125", 0.1, 2.125),
        ("1.000.000", 1, 1e6),
        ("12.000", 0, 12_000),
    ],
)
def test_a_point_before_three_digits_is_read_beside_what_is_expected(text: str, near: float, value: float) -> None:
    assert numbers.read(text, near) == value


@given(st.floats(1e-6, 1e14) | st.just(0.0))
def test_what_is_shown_is_read_again(value: float) -> None:
    again = numbers.read(numbers.shown(value), value)
    assert again is not None and math.isclose(again, value, rel_tol=1e-9)


@pytest.mark.parametrize("one", [one for one in inputs.every().values() if not one.is_word], ids=lambda one: one.name)
def test_every_default_is_read_again_as_it_stands_in_its_field(one: inputs.Input) -> None:
    for end in one.default:
        assert inputs.number(one.name, numbers.shown(end)) == end  # type: ignore[arg-type]


def _field() -> None:
    import streamlit as st

    from pages.draw.number_field import number_field

    st.markdown(f"read {number_field('Rate', 1, 1_000_000, 20_000, key='rate', whole=True)}")


def test_a_field_shows_what_it_read_and_keeps_the_number_before_when_it_cannot() -> None:
    app = AppTest.from_function(_field).run()
    for typed, read, says in (("12k", 12_000, ""), ("x", 12_000, "not a number"), ("0", 12_000, "outside"),
                              ("1,5", 12_000, "whole"), ("1.000", 1_000, "")):  # fmt: skip
        app.text_input(key="rate").set_value(typed).run()
        assert app.text_input(key="rate").value == f"{read:,}" and app.markdown[0].value == f"read {float(read)}"
        assert [one.value for one in app.caption if says and says in one.value] or not (says or app.caption)
