"""The process that parses one uploaded file, so that a hostile one harms nothing else. Run by path.
(The app itself uses only `decode`: bytes to text needs no parser.)

Argument: the file's type. Standard input: its bytes. Standard output: one JSON object, {"text": ...} or
{"problem": ...}. It gives up memory and processor time before it looks at the first byte; it knows no names, no paths
and nothing of the app.
"""

import csv
import io
import json
import re
import sys
import zipfile
from collections.abc import Callable
from typing import Any

MEMORY = 1_000_000_000  # bytes of address space
CPU_S = 20
MOST_CHARACTERS = 2_000_000
MOST_PAGES = 500
MOST_ROWS, MOST_COLUMNS = 20_000, 200
MOST_MEMBERS, MOST_UNPACKED = 2_000, 60_000_000  # of a .docx, which is a zip file


class Unreadable(Exception):
    """Why this file cannot be a document, as the end of a sentence that begins with its name."""


SILENT = frozenset({"script", "style", "noscript", "template", "svg", "math", "iframe", "object", "head", "#comment"})
BLOCKS = frozenset({"p", "div", "section", "article", "header", "footer", "main", "nav", "ul", "ol", "table", "pre"})
HEADINGS = {f"h{level}": f"\n\n{'#' * level} " for level in range(1, 7)}
BEFORE = {"li": "\n- ", "td": " | ", "th": " | ", "br": "\n", "tr": "\n"} | HEADINGS | dict.fromkeys(BLOCKS, "\n\n")
AFTER = dict.fromkeys((*BLOCKS, *HEADINGS), "\n\n")


def decode(data: bytes, declared: str | None = None) -> str:
    """Text of `data`: by its byte order mark, as declared, else UTF-8."""
    for mark, encoding in ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if data.startswith(mark):
            declared = encoding
    try:
        text = data.decode(declared or "utf-8")
    except LookupError:
        raise Unreadable(f"declares an unknown encoding ({declared!r:.40}). Save it as UTF-8.") from None
    except UnicodeDecodeError as error:
        raise Unreadable(
            f"is not {declared or 'UTF-8'} text (byte {data[error.start]:#04x} at {error.start:,}). Save it as UTF-8."
        ) from None
    if text.count("\x00") or sum(letter < " " and letter not in "\t\n\r\f" for letter in text[:10_000]) > 50:
        raise Unreadable("is a binary file, not text, whatever its name says.")
    return text


def html(data: bytes) -> str:
    """Visible text of an HTML page."""
    found = re.search(rb"""<meta[^>]{0,200}charset=["']?([\w-]{1,40})""", data[:4096], re.IGNORECASE)
    return _html_text(decode(data, found.group(1).decode("ascii") if found else None))


def _html_text(page: str) -> str:
    """Visible text, headings, lists and tables as Markdown; scripts, styles, hidden parts, links' and pictures' targets
    left out, nothing fetched. A tree may be as deep as the page is long: it is walked without recursion."""
    from justhtml import JustHTML

    root = JustHTML(page, sanitize=False).root
    title, parts, stack = "", list[str](), list[Any]([root])
    while stack:
        node = stack.pop()
        if isinstance(node, str):
            parts.append(node)
        elif node.name == "#text":
            parts.append(re.sub(r"\s+", " ", node.data))
        elif node.name == "head":
            title = next((" ".join(child.to_text().split()) for child in node.children if child.name == "title"), "")
        elif not _silent(node):
            parts.append(BEFORE.get(node.name, ""))
            stack.append(AFTER.get(node.name, ""))
            stack.extend(reversed(node.children or ()))
    lines = [line.strip().removeprefix("| ") for line in "".join(parts).split("\n")]
    body = re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()
    return body if not title or body.startswith("# ") or not body else f"# {title[:200]}\n\n{body}"


def _silent(node: Any) -> bool:
    """Whether a browser would show nothing of an element."""
    style = (node.attrs or {}).get("style") or ""
    hidden = "hidden" in (node.attrs or {}) or "display:none" in style.replace(" ", "").lower()
    return hidden or node.name in SILENT


def table(data: bytes) -> str:
    """A CSV file: one line a row, each value with its column's name, so that a row read alone makes sense."""
    text = decode(data)
    csv.field_size_limit(100_000)
    try:
        dialect: Any = csv.Sniffer().sniff(text[:8192], ",;\t|")
    except csv.Error:
        dialect = csv.excel
    try:
        rows = [row for row in csv.reader(io.StringIO(text), dialect) if any(cell.strip() for cell in row)]
    except csv.Error as error:
        raise Unreadable(f"is not a readable CSV file ({error}).") from None
    if len(rows) > MOST_ROWS or max(map(len, rows), default=0) > MOST_COLUMNS:
        raise Unreadable(f"has over {MOST_ROWS:,} rows or {MOST_COLUMNS} columns. Split it.")
    if not rows:
        return ""
    names = [cell.strip() or f"column {place}" for place, cell in enumerate(rows[0], 1)]
    names += [f"column {place}" for place in range(len(names) + 1, MOST_COLUMNS + 1)]
    lines = ["; ".join(f"{name}: {cell.strip()}" for name, cell in zip(names, row, strict=False)) for row in rows[1:]]
    return "\n\n".join(lines) if lines else "; ".join(names[: len(rows[0])])


def pdf(data: bytes) -> str:
    """Text of a PDF, one section a page."""
    from pypdf import PdfReader
    from pypdf.errors import PyPdfError

    if b"%PDF-" not in data[:1024]:
        raise Unreadable("is not a PDF file, whatever its name says.")
    try:
        reader = PdfReader(io.BytesIO(data))
        if reader.is_encrypted and not reader.decrypt(""):
            raise Unreadable("is encrypted. Remove its password first.")
        count = len(reader.pages)
        if count > MOST_PAGES:
            raise Unreadable(f"has {count:,} pages; at most {MOST_PAGES} are taken. Split it.")
        pages, size = [], 0
        for number, page in enumerate(reader.pages, 1):
            text = page.extract_text().strip()
            size += len(text)
            if size > MOST_CHARACTERS:
                raise Unreadable(f"holds over {MOST_CHARACTERS:,} characters. Split it.")
            if text:
                pages.append(f"## Page {number}\n\n{text}")
    except (PyPdfError, KeyError, ValueError, TypeError, AttributeError, IndexError, OSError) as error:
        raise Unreadable(f"is a damaged PDF file ({type(error).__name__}).") from None
    if not pages:
        raise Unreadable("holds no text: its pages are probably scanned. Run text recognition (OCR) on it first.")
    return "\n\n".join(pages)


def docx(data: bytes) -> str:
    """Text of a Word document, headings and lists kept, images left out."""
    import mammoth

    if data.startswith(b"\xd0\xcf\x11\xe0"):
        raise Unreadable("is an encrypted or old Word file. Save it without a password as .docx.")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            members = packed.infolist()
            if len(members) > MOST_MEMBERS or sum(member.file_size for member in members) > MOST_UNPACKED:
                raise Unreadable("unpacks to far more than a document holds (a zip bomb?).")
            if any(member.flag_bits & 1 for member in members):
                raise Unreadable("is encrypted. Remove its password first.")
            if "word/document.xml" not in packed.namelist():
                raise Unreadable("is not a Word document, whatever its name says.")
        page = mammoth.convert_to_html(
            io.BytesIO(data), convert_image=lambda image: [], include_embedded_style_map=False
        )
    except (zipfile.BadZipFile, KeyError, ValueError, AttributeError, TypeError, OSError, NotImplementedError) as error:
        raise Unreadable(f"is a damaged Word file ({type(error).__name__}).") from None
    except Exception as error:  # expat's own error type, and whatever mammoth raises on broken XML
        raise Unreadable(f"is a damaged Word file ({type(error).__name__}).") from None
    return _html_text(page.value)


def notebook(data: bytes) -> str:
    """A Jupyter notebook: its text and code cells under their numbers, without what the code printed."""
    try:
        given = json.loads(decode(data))
        cells = (
            given["cells"] if "cells" in given else [cell for sheet in given["worksheets"] for cell in sheet["cells"]]
        )
        language = str(given.get("metadata", {}).get("language_info", {}).get("name", "python"))[:20]
        parts = [_cell(cell, number, language) for number, cell in enumerate(cells, 1)]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Unreadable(f"is not a Jupyter notebook, or is damaged ({type(error).__name__}).") from None
    return "\n\n".join(part for part in parts if part)


def _cell(cell: dict[str, Any], number: int, language: str) -> str:
    """One cell as Markdown. Its number is a heading of the lowest level, below whatever heading the text has set."""
    source = cell.get("source", cell.get("input", ""))
    text = ("".join(source) if isinstance(source, list) else str(source)).strip("\n")
    if not text.strip() or cell["cell_type"] not in ("code", "markdown", "heading"):
        return ""
    if cell["cell_type"] == "heading":  # of notebooks before 2015
        return "#" * max(1, min(6, int(cell.get("level", 1)))) + " " + " ".join(text.split())
    if cell["cell_type"] == "code":
        fence = "`" * max(3, 1 + max(map(len, re.findall("`+", text)), default=0))
        text = f"{fence}{re.sub(r'[^a-zA-Z0-9+#-]', '', language)}\n{text}\n{fence}"
    elif text.lstrip().startswith("#"):
        return text
    return f"###### Cell {number}\n\n{text}"


READERS: dict[str, Callable[[bytes], str]] = {
    "txt": decode,
    "md": decode,
    "html": html,
    "htm": html,
    "csv": table,
    "pdf": pdf,
    "docx": docx,
    "ipynb": notebook,
}


def limit() -> None:
    """Give up memory, processor time, and the writing of files, for good."""
    try:
        import resource
    except ImportError:  # Windows: the parent's deadline is the only limit there
        return
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def main() -> None:
    """Parse standard input as the type named by the argument."""
    limit()
    try:
        text = READERS[sys.argv[1]](sys.stdin.buffer.read())
        if len(text) > MOST_CHARACTERS:
            raise Unreadable(f"holds {len(text):,} characters; at most {MOST_CHARACTERS:,} are taken. Split it.")
        if not text.strip():
            raise Unreadable("holds no text.")
        answer = {"text": text}
    except Unreadable as problem:
        answer = {"problem": str(problem)}
    except (MemoryError, RecursionError):
        answer = {"problem": "needs too much memory to be read. Split it, or save it as plain text."}
    sys.stdout.buffer.write(json.dumps(answer).encode("ascii"))


if __name__ == "__main__":
    main()
