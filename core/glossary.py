"""The words of the pages, each explained in one sentence: a hover where a word heads something, and one list of all."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from core import tomlfile
from core.errors import Problem


@dataclass(frozen=True)
class _File:
    terms: dict[str, str]


@cache
def _file() -> _File:
    return tomlfile.read(Path(__file__).with_suffix(".toml"), _File)


def terms() -> dict[str, str]:
    """Word -> its sentence, in the file's order."""
    return dict(_file().terms)


def told(term: str) -> str:
    """What a word means. Raises Problem on one that is not explained."""
    try:
        return _file().terms[term]
    except KeyError:
        raise Problem(f"core/glossary.toml does not explain '{term}'.") from None
