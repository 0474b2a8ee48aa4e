"""Uploads: what can be read is read; the rest ends in one clear line and stores nothing (all cases: campaigns)."""

from pathlib import Path

import pytest

from core.errors import Problem
from core.retrieval import KnowledgeBase, parsing
from core.retrieval.parse_worker import html
from core.retrieval.uploads import add_file
from tests.retrieval import hostile

QUICK = {  # one of each kind; the campaign runs them all
    *("empty.pdf", "spaces.docx", "zeros.txt", "noise.pdf", "latin1.txt", "liar.html", "program.exe", "encrypted.docx"),
    *(
        "docx.pdf",
        "entities.docx",
        "external.docx",
        "bomb.docx",
        "scanned.pdf",
        "encrypted.pdf",
        "long.csv",
        "huge.txt",
        *("list.ipynb", "deep.ipynb", "cells.ipynb", "empty.ipynb", "archive.zip"),
    ),
}


@pytest.mark.parametrize(
    ("name", "data"),
    [case for case in hostile.refused() if case[0] in QUICK],
    ids=lambda part: part if isinstance(part, str) else "",
)
def test_a_hostile_file_gets_one_line_and_stores_nothing(base: KnowledgeBase, name: str, data: bytes) -> None:
    before = [tuple(row) for row in base._store.read("SELECT * FROM versions")]
    row = add_file(base, name, data)
    assert not row["added"]
    assert name in row["result"] and "\n" not in row["result"] and "Traceback" not in row["result"]
    assert [tuple(row) for row in base._store.read("SELECT * FROM versions")] == before


def test_a_word_file_keeps_headings_and_loses_pictures(base: KnowledgeBase) -> None:
    heading = '<w:p><w:pPr><w:pStyle w:val="Heading1"/></w:pPr><w:r><w:t>Descaling</w:t></w:r></w:p>'
    parsed = parsing.parse("guide.docx", hostile.docx(heading + hostile.paragraph("Use 20 g of acid.")))
    assert "Use 20 g of acid." in parsed.text
    assert "Descaling" in parsed.text


def test_a_pdf_is_read_page_by_page(base: KnowledgeBase) -> None:
    row = add_file(base, "sheet.pdf", hostile.pdf("The gasket HX-77 measures 73 mm", pages=2))
    assert row["added"], row
    found = base.query("gasket HX-77", 1).passages[0]
    assert (found.document, found.heading) == ("sheet.pdf", "Page 1")


def test_a_table_row_carries_its_columns_names() -> None:
    parsed = parsing.parse("prices.csv", b"\xef\xbb\xbfname;price\nMoka;46\nFlask;49\n")
    assert parsed.text == "name: Moka; price: 46\n\nname: Flask; price: 49"


def test_html_gives_visible_text_with_headings() -> None:
    page = b"<title>T</title><script>x()</script><h2>Care &amp; cleaning</h2><p>Rinse<br>daily</p><ul><li>a<li>b</ul>"
    assert html(page) == "# T\n\n## Care & cleaning\n\nRinse\ndaily\n\n- a\n- b"


@pytest.mark.parametrize(
    ("page", "text"),
    [
        (b"<p" * 300_000, ""),  # the standard library's parser took 20 s of processor over it
        (b"<div>" * 50_000 + b"x", "x"),
        (b"<p>a<p>b<b>c</p>", "a\n\nbc"),
        (b"<table><tr><th>Name<th>Price<tr><td>Moka<td>46</table>", "Name | Price\nMoka | 46"),
        (b"<a href='http://x.invalid'>l</a><img src='http://x.invalid/y' alt='z'>", "l"),
        (b"a<div hidden><p>b</div><p style='display: none'>c</p><svg><text>d</text></svg><template>e</template>", "a"),
        (b"<!-- a --><ul><li>b<ul><li>c</ul><li>d</ul>", "- b\n\n- c\n\n- d"),
        (b"1 * 2 _a_ &lt;b&gt; &amp; # x", "1 * 2 _a_ <b> & # x"),
    ],
)
def test_html_as_browsers_read_it(page: bytes, text: str) -> None:
    assert html(page) == text


@pytest.mark.parametrize("name", ["../../x.txt", "/etc/x.txt", "C:\\temp\\x.txt", "a/b/../x.txt", "C:x.txt"])
def test_an_uploads_name_is_no_place_on_this_machine(base: KnowledgeBase, name: str) -> None:
    before = base.count()
    row = add_file(base, name, b"words")
    assert (row["added"], "outside" in row["result"], base.count()) == (False, True, before)


def test_a_notebook_keeps_its_cells_in_order_and_loses_what_they_printed() -> None:
    parsed = parsing.parse("a.ipynb", hostile.notebook())
    assert parsed.text == (
        "# Coffee\n\nWords.\n\n###### Cell 2\n\n```python\nprice = 389\nprice\n```\n\n"
        "###### Cell 4\n\n````python\ntext = '```'\n# no heading\n````\n\n## Ending\n\nBye."
    )


def test_a_parser_that_never_ends_is_stopped(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    endless = tmp_path / "endless.py"
    endless.write_text("while True: pass\n")
    monkeypatch.setattr(parsing, "_WORKER", endless)
    monkeypatch.setattr(parsing, "DEADLINE_S", 1.0)
    with pytest.raises(Problem, match="could not be read within 1 seconds"):
        parsing.parse("a.pdf", b"%PDF-")


def test_injected_documents_are_stored_and_found_as_plain_text(base: KnowledgeBase) -> None:
    for path, text in list(hostile.injections())[:10]:
        base.add(path, text)
        assert base.text(path) == text
