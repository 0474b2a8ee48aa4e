"""The one loader of TOML: what fits becomes a dataclass, every slip is a Problem that names its place."""

from dataclasses import dataclass, field
from typing import Any

import pytest

from core import tomlfile
from core.errors import Problem


@dataclass(frozen=True)
class Item:
    id: str
    weight: float = 0.0
    tags: tuple[str, ...] = ()
    span: tuple[float, float] | None = None


@dataclass(frozen=True)
class Shape:
    title: str
    item: tuple[Item, ...]
    by_name: dict[str, Item] = field(default_factory=dict)
    loose: dict[str, Any] = field(default_factory=dict)
    on: bool = False


GOOD = """
title = "x"
on = true
loose = { anything = [1, "two"] }
[[item]]
id = "a"
weight = 2
tags = ["p", "q"]
span = [1, 2.5]
[by_name.b]
id = "b"
"""


def test_a_file_that_fits_becomes_its_shape(tmp_path):
    path = tmp_path / "good.toml"
    path.write_text(GOOD, encoding="utf-8")
    made = tomlfile.read(path, Shape)
    item = Item("a", 2.0, ("p", "q"), (1.0, 2.5))
    assert made == Shape("x", (item,), {"b": Item("b")}, {"anything": [1, "two"]}, on=True)
    assert isinstance(made.item[0].weight, float)


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        ("weight", "wieght", "item[0] 'a': unknown key 'wieght'. Did you mean 'weight'?"),
        ("title =", "zzz =", "unknown key 'zzz'. Known: title, item, by_name, loose, on."),
        ('title = "x"', "", "the key 'title' is missing"),
        ("weight = 2", 'weight = "2"', "item[0] 'a', weight: must be a number"),
        ("weight = 2", "weight = true", "must be a number, not True"),
        ("on = true", "on = 1", "on: must be true or false, not 1"),
        ('tags = ["p", "q"]', 'tags = "p"', "must be a list"),
        ('tags = ["p", "q"]', "tags = [1]", "tags[0]: must be a text"),
        ("span = [1, 2.5]", "span = [1]", "must have 2 items, not 1"),
        ('[by_name.b]\nid = "b"', '[by_name]\nb = "b"', "by_name.b: must be a table"),
        ('title = "x"', "title = ", "is not TOML"),
    ],
)
def test_every_slip_is_named_with_its_place(tmp_path, before, after, says):
    path = tmp_path / "bad.toml"
    path.write_text(GOOD.replace(before, after), encoding="utf-8")
    with pytest.raises(Problem) as caught:
        tomlfile.read(path, Shape)
    assert caught.value.message.startswith("bad.toml")
    assert says in caught.value.message
    assert "\n" not in caught.value.message


def test_a_missing_file_is_a_problem(tmp_path):
    with pytest.raises(Problem, match="cannot be read"):
        tomlfile.read(tmp_path / "none.toml", Shape)
