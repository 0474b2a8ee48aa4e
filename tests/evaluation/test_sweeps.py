"""A sweep ranks as a query would, embeds each text once, leaves the project's base alone, and names the cheapest."""

import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from core.errors import Problem
from core.evaluation import sweeps
from core.evaluation.questions import Question
from core.evaluation.sweeps import Grid, Outcome, Setting
from core.retrieval import KnowledgeBase, Settings, trial
from core.retrieval.embedders import Remembering
from core.retrieval.schema import MIGRATIONS
from core.store import Store
from core.sweep import outcomes
from tests.retrieval.fake import HashEmbedder

ROOT = Path(__file__).resolve().parents[2] / "models" / "brightwater" / "today" / "policies"
ASKED = (
    Question("How many days for returns?", "30 days", "own"),
    Question("What is covered by the warranty of the grinder?", "burrs", "own"),
    Question("When does the shop close?", "18:30", "own", documents=("nowhere.md",)),
)
WAYS = (
    Setting(3),
    Setting(1, "sparse").plain(),
    Setting(5, "dense", threshold=0.2).plain(),
    Setting(5, weight=0.2),
    Setting(18, splitter="sentences", chunk_size=64, overlap=8),
)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KnowledgeBase]:
    store = Store(tmp_path_factory.mktemp("sweep") / "base.sqlite3", MIGRATIONS)
    made = KnowledgeBase(store, HashEmbedder())
    for file in sorted(ROOT.glob("*.md"))[:5]:
        made.add(file.name, file.read_text())
    yield made
    store.close()


@pytest.mark.parametrize("setting", WAYS, ids=lambda one: one.title)
def test_a_setting_finds_what_a_base_of_that_setting_would_answer(base: KnowledgeBase, setting: Setting) -> None:
    paths = [document.path for document in base.documents()]
    with trial.split_otherwise(base, setting.split, paths) as other:
        rankings = other.rankings()
        for question in ASKED:
            vector = None if setting.mode == "sparse" else other.embedder and other.embedder.embed(question.question)
            hits = rankings.ranked(
                rankings.found(question.question, vector, setting.k), setting.mode, setting.k, setting.weight
            )
            chunks = rankings.chunks(hits, setting.k, setting.threshold)
            asked = other.query(
                question.question, setting.k, setting.mode, weight=setting.weight, threshold=setting.threshold
            )
            assert [rankings.passages[chunk].text for chunk in chunks] == [one.text for one in asked.passages]


def test_every_text_is_embedded_once_and_the_projects_base_is_only_read(base: KnowledgeBase) -> None:
    before, embedder = (base.generation, base.settings, base.counts()), HashEmbedder()
    remembering = Remembering(embedder, base.vector_of)
    paths = [document.path for document in base.documents()]
    found: list[Outcome] = []
    for split in (base.settings, Settings("sentences", 64, 8), Settings("sentences", 96, 8)):
        settings = [
            Setting(k, weight=weight, splitter=split.splitter, chunk_size=split.chunk_size, overlap=split.overlap)
            for k in (1, 3)
            for weight in (0.3, 0.7)
        ]
        with trial.split_otherwise(base, split, paths, embedder=remembering) as other:
            found += outcomes(other.rankings(), ASKED, settings, remembering.embed, None)
    assert len(found) == 12
    assert len(embedder.calls) == len(set(embedder.calls)) == remembering.made  # the project's own passages: never
    assert (base.generation, base.settings, base.counts()) == before
    for one in found:
        assert [bool(rank) for rank in one.ranks] == list(one.hits) and not one.hits[2]  # no such document
    by = {one.setting: one for one in found}
    for setting, one in by.items():
        if setting.k == 3:
            fewer = by[replace(setting, k=1)]
            assert all(a <= b for a, b in zip(fewer.hits, one.hits, strict=True))
            assert all(a < b for a, b in zip(fewer.tokens, one.tokens, strict=True))


def test_the_cheapest_within_one_standard_error_of_the_best() -> None:
    """By hand: 20 questions; "best" finds 16 at 300 tokens, "near" misses one of these (error 1/20), "far" four."""
    asked = [Question(str(n), "x", "own") for n in range(20)]

    def outcome(setting: Setting, right: int, tokens: int) -> Outcome:
        return Outcome(
            setting, (True,) * right + (False,) * (20 - right), (2,) * right + (0,) * (20 - right), (tokens,) * 20
        )

    best, near, far, now = Setting(5), Setting(3), Setting(1), Setting(8)
    found = sweeps.summed(
        [outcome(far, 12, 60), outcome(best, 16, 300), outcome(near, 15, 180), outcome(now, 16, 480)], asked, now
    )
    assert (found.best.setting, found.cheapest.setting) == (best, near)
    assert [one.setting for one in found.scored] == [best, now, near, far]
    assert not found.scored[-1].within and found.present is not None and found.present.setting == now
    assert found.cheapest.gain is not None and found.cheapest.gain.difference == pytest.approx(-0.05)
    low, mean, high = found.cheapest.mrr
    assert mean == pytest.approx(15 / 20 / 2) and low < mean < high
    assert "top 3" in found.sentence and "180 tokens" in found.sentence and "-5 points" in found.sentence
    assert sweeps.differing(outcome(best, 16, 0), outcome(far, 12, 0)) == [12, 13, 14, 15]


def test_a_grid_is_every_combination_once_and_a_slip_is_named() -> None:
    found = Grid((1, 2), ("hybrid", "dense", "sparse"), (0.3, 0.7), (0.0,), ("headings",), (32, 96)).settings(24)
    assert len(found) == math.prod((2, 2 + 1 + 1, 2))  # dense and words alone have no weight
    assert {one.overlap for one in found} == {16, 24}
    for slip, said in (
        (Grid(k=(0,)), "top-k"),
        (Grid(mode=("magic",)), "Unknown mode"),
        (Grid(weight=(2.0,)), "Weight"),
        (Grid(chunk_size=(4,)), "Chunk size"),
        (Grid(splitter=("letters",)), "Unknown splitter"),
        (Grid(threshold=()), "at least one value of threshold"),
        (Grid(k=tuple(range(1, 21)), weight=tuple(n / 100 for n in range(50))), "at most 400"),
    ):
        with pytest.raises(Problem, match=said):
            slip.settings()


def test_an_outcome_is_kept_as_a_row_and_read_again() -> None:
    one = Outcome(Setting(2, weight=0.25), (True, False), (1, 0), (90, 80))
    assert sweeps.outcome(sweeps.row(one)) == one
