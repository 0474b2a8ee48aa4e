"""Facts carry over from the documents, their sentences do not: told by hashes of their word sequences."""

import ast
import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.paths import ROOT
from tests.advisor.document_words import FILE, LONGEST, SHORTEST, runs, words

DATA = {name: set(hashes) for name, hashes in json.loads(FILE.read_text(encoding="utf-8")).items()}
FOLDERS = ("core/evidence", "core/advisor", "core/calculator", "pages")
TEXTS = [path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*")) if path.suffix in (".toml", ".py")]
QUOTED = {"title", "place", "label", "source"}  # names of documents and of places in them are citations


def strings(path: Path) -> Iterator[str]:
    """Every text in a file: TOML values and comments, Python strings and docstrings."""
    raw = path.read_text(encoding="utf-8")
    if path.suffix == ".py":
        yield from (
            node.value
            for node in ast.walk(ast.parse(raw))
            if isinstance(node, ast.Constant) and isinstance(node.value, str)
        )
    else:
        yield " ".join(line.lstrip("# ") for line in raw.splitlines() if line.startswith("#"))
        yield from values(tomllib.loads(raw))


def values(found: object, quoted: bool = False) -> Iterator[str]:
    """The texts in parsed TOML; citations only up to LONGEST words are exempt, which is what they have."""
    if isinstance(found, str):
        yield "" if quoted and len(words(found)) <= LONGEST else found
    elif isinstance(found, dict):
        for key, value in found.items():
            yield from values(value, key in QUOTED)
    elif isinstance(found, list):
        for value in found:
            yield from values(value)


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.name)
def test_no_text_shares_more_than_eight_words_or_a_whole_sentence_with_the_documents(path: Path) -> None:
    for text in strings(path):
        found = words(text)
        assert not DATA["runs"] & set(runs(found, LONGEST + 1)), text
        for length in range(SHORTEST, LONGEST + 1):
            assert not DATA["sentences"] & set(runs(found, length)), text


def test_the_hashes_are_those_of_real_sentences() -> None:
    assert len(DATA["runs"]) > 2500
    assert len(DATA["sentences"]) > 60
    assert all(re.fullmatch("[0-9a-f]{12}", one) for hashes in DATA.values() for one in hashes)
    title = words("title: RAG vs Fine-tuning: When to Use What")  # a document's own title, as it stands in its heading
    assert set(runs(title, len(title))) <= DATA["runs"]
