"""Where sections begin, by type: reStructuredText, source files, notebooks. Nothing of a text is lost."""

import random

import pytest

from core.retrieval import KnowledgeBase, parsing, sections
from tests.retrieval import hostile

PYTHON = '''"""Module."""
import os

LIMIT = 5

# What it is.
@cache
class Boiler:
    """Heats."""

    def heat(
        self,
        degrees: int,
    ) -> None:
        if degrees:
            self.on = True

    async def cool(self) -> None: ...


if __name__ == "__main__":
    Boiler().heat(3)
'''
CASES = {
    "boiler.py": (PYTHON, ["", "Boiler", "Boiler > heat", "Boiler > cool", ""]),
    "a.go": ("package a\n\n// Hi.\nfunc (s *S) Greet(n string) {\n\treturn\n}\n", ["", "(s *S) Greet"]),
    "a.ts": (
        "import x;\nexport class A {\n  constructor(a: string) {\n    if (a) {\n    }\n  }\n}\n"
        "export const go = async (x) => {\n}\n",
        ["", "A", "A > constructor", "go"],
    ),
    "a.c": ("#include <x.h>\nint main(int n) {\n  for (;;) { f(1); }\n}\nstruct p { int x; };\n", ["", "main", "p"]),
    "A.java": ("class A {\n    @Override\n    public int of(T... x) {\n        call(x);\n    }\n}\n", ["A", "A > of"]),
    "a.rs": (
        "impl Bar for Baz {\n    pub fn new() -> Self {\n        let x = foo();\n    }\n}\n",
        ["Bar for Baz", "Bar for Baz > new"],
    ),
    "a.sql": ("CREATE TABLE IF NOT EXISTS users (\n  id int\n);\nselect 1;\n", ["users"]),
    "a.yml": ("---\nname: x\njobs:\n  build:\n    steps:\n      - run: x\n", ["", "jobs", "jobs > build"]),
    "a.toml": ("a = 1\n[tool.x]\nb = 1\n", ["", "tool.x"]),
    "a.json": ('{\n  "paths": {\n    "/a": {\n      "x": 1\n    }\n  }\n}\n', ["", "paths"]),
    "a.sh": ("set -e\n# builds\nbuild() {\n  cc\n}\nbuild\n", ["", "build", ""]),
}  # fmt: skip
RST = """=====
Title
=====

Intro.

Install
-------

Do it.

.. note::

   Take care

From source
~~~~~~~~~~~

Then.

===== =====
a     b
===== =====
1     2
===== =====

Use
---

Now.
"""


@pytest.mark.parametrize("path", CASES)
def test_source_files_are_cut_at_their_definitions(path: str) -> None:
    text, wanted = CASES[path]
    assert [" > ".join(section.path) for section in sections.sections(text, path)] == wanted


@pytest.mark.parametrize("path", [*CASES, "a.rst"])
def test_no_word_of_a_source_file_is_lost_however_it_is_broken(path: str) -> None:
    text = RST if path == "a.rst" else CASES[path][0]
    draw = random.Random(1)
    for _ in range(60):
        lines = text.split("\n")
        draw.shuffle(lines)
        broken = "\n".join(line[draw.randint(0, 3) :] for line in lines)
        found, at = sections.sections(broken, path), 0
        for section in found:
            assert at <= section.start < section.end <= len(broken)
            if path != "a.rst":
                assert not broken[at : section.start].strip()
            at = section.end
        if path != "a.rst":
            assert not broken[at:].strip()


def test_restructured_text_nests_by_the_order_of_its_marks() -> None:
    assert [section.path for section in sections.sections(RST, "a.rst")] == [
        *(("Title",), ("Title", "Install"), ("Title", "Install", "From source"), ("Title", "Use"))
    ]
    assert sections.title(RST, "docs/a.rst") == "Title"


def test_comments_and_front_matter_like_lines_of_source_files_are_text() -> None:
    text = "---\ntitle: not this\n---\n# not this either\nx: 1\n"
    assert sections.title(text, "deploy/app.yaml") == "deploy/app.yaml"
    assert sections.front_matter(text, "app.yaml") == ({}, 0)


def test_a_fence_ends_only_with_one_as_long() -> None:
    text = "# A\n\n````\n```\n# not a heading\n````\n\n## B\n\nb\n"
    assert [section.path for section in sections.sections(text, "a.md")] == [("A",), ("A", "B")]


def test_passages_of_code_and_notebooks_say_where_they_stand(base: KnowledgeBase) -> None:
    base.add("src/boiler.py", PYTHON)
    found = base.query("heat degrees", 1, "sparse").passages[0]
    assert (found.document, found.title, found.heading) == ("src/boiler.py", "src/boiler.py", "Boiler > heat")
    base.add("lab/coffee.ipynb", parsing.parse("coffee.ipynb", hostile.notebook()).text)
    cell = base.query("price 389", 1, "sparse").passages[0]
    assert (cell.title, cell.heading) == ("Coffee", "Cell 2")
    assert "secret" not in base.text("lab/coffee.ipynb")


def test_a_long_function_is_cut_between_lines(base: KnowledgeBase) -> None:
    body = "\n".join(f"    value_{number} = compute('a b. c', {number})" for number in range(200))
    base.add("long.py", f"def long():\n{body}\n")
    chunks = base.chunks("long.py")
    assert len(chunks) > 5 and {chunk.heading for chunk in chunks} == {"long"}
    assert all(chunk.body.endswith(")") or chunk.body.endswith(":") for chunk in chunks)
