"""Kinds of fine-tuning, parts of retrieval, pipelines, practices and mistakes: handbook.toml as objects.

Knows nothing of who shows them; which practices apply to a case is decided by the conditions in the file.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from core import tomlfile

FILE = Path(__file__).with_name("handbook.toml")


@dataclass(frozen=True)
class Topic:
    """A kind of fine-tuning or a part of retrieval, in one paragraph."""

    title: str
    source: str
    components: str
    text: str


@dataclass(frozen=True)
class Pipeline:
    """The steps from question to answer, and how knowledge or behaviour is updated."""

    approach: str
    steps: tuple[str, ...]
    update: str
    source: str


@dataclass(frozen=True)
class Practice:
    """Something to do ('practice') or to avoid ('mistake'). Applies when verdict and answers match; empty: always."""

    kind: str
    text: str
    source: str
    verdicts: tuple[str, ...] = ()
    when: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def applies(self, verdict: str, answers: Mapping[str, str]) -> bool:
        """Whether to bring it up for this recommendation."""
        fits = not self.verdicts or verdict in self.verdicts
        return fits and all(answers.get(question) in options for question, options in self.when.items())


@dataclass(frozen=True)
class Handbook:
    """The shape of handbook.toml."""

    kind: tuple[Topic, ...]
    part: tuple[Topic, ...]
    pipeline: tuple[Pipeline, ...]
    practice: tuple[Practice, ...]


def kinds() -> tuple[Topic, ...]:
    """The kinds of fine-tuning."""
    return _file().kind


def parts() -> tuple[Topic, ...]:
    """The parts of retrieval, in the order in which data passes them."""
    return _file().part


def pipelines() -> tuple[Pipeline, ...]:
    """One pipeline an approach."""
    return _file().pipeline


def practices() -> tuple[Practice, ...]:
    """All practices and mistakes that the documents name."""
    return _file().practice


@cache
def _file() -> Handbook:
    return tomlfile.read(FILE, Handbook)
