"""The glossary: one meaning a word, in a sentence; what pages ask of it is there, and nowhere written a second time."""

import ast
from pathlib import Path

import pytest

from core import glossary
from core.errors import Problem

ROOT = Path(__file__).resolve().parents[2]


def asked() -> set[str]:
    """Every word that a page asks the glossary for."""
    calls = [
        node
        for path in (ROOT / "pages").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "glossary.told"
    ]
    return {ast.literal_eval(call.args[0]) for call in calls}


def test_every_word_a_page_heads_something_with_is_explained() -> None:
    assert {"TTFT", "Hit rate"} <= asked() <= set(glossary.terms())
    with pytest.raises(Problem, match="nonsense"):
        glossary.told("nonsense")


def test_each_word_has_one_meaning_of_its_own_in_a_sentence() -> None:
    terms = glossary.terms()
    assert len({word.casefold() for word in terms}) == len(set(terms.values())) == len(terms)
    assert all(text.endswith(".") and text[0].isalnum() and len(text) <= 130 for text in terms.values())
    wanted = ("Arm", "Draw", "p95", "TTFT", "Hit rate", "Hybrid", "Hybrid search")
    assert all(word in terms for word in wanted)


def test_no_page_writes_a_sentence_of_the_glossary_a_second_time() -> None:
    texts = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "pages").rglob("*.py"))
    assert [word for word, text in glossary.terms().items() if text in texts] == []
