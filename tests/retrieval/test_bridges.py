"""The second hop: what leads on, what does not, and that ordinary results stay as they are."""

from collections.abc import Callable
from pathlib import Path

import pytest

from core.errors import Problem
from core.retrieval import KnowledgeBase, bridges
from core.retrieval.values import Passage
from core.store import Store
from tests.retrieval.fake import HashEmbedder

TODAY = Path(__file__).parents[2] / "models" / "brightwater" / "today"
QUESTION = "What is the bench fee to mend my Tidal Press?"


def passage(document: str, heading: str, text: str, score: float = 0.5, start: int = 0) -> Passage:
    return Passage(document, document.title(), heading, text, score, start, start + len(text), 0)


SHEET = passage("lever", "Service", "It belongs to repair class C.", 1.0)
FEE = passage("fees", "Fee of class C", "The fee is $92.", 0.3)
OTHER = passage("fees", "Fee of class D", "The fee is $150.", 0.6, 90)


def bridge(found: list[Passage], of: Callable[[str], list[Passage]] | None = None) -> bridges.Bridge | None:
    whole = of or (lambda path: [one for one in found if one.document == path])
    return bridges.best("mending a lever", found, lambda _: found, whole)


def test_a_rare_word_leads_to_the_passage_that_scores_less() -> None:
    found = bridge([SHEET, OTHER, FEE])
    assert found is not None and (found.start, found.end) == (SHEET, FEE)
    assert found.words[0] == "class c"
    assert bridge([SHEET, OTHER, FEE]) == found


def test_nothing_leads_on_without_shared_words_or_within_one_document() -> None:
    assert bridge([]) is None
    assert bridge([SHEET]) is None
    assert bridge([passage("lever", "A", "brass body"), passage("lever", "B", "brass spring", start=50)]) is None
    assert bridge([passage("lever", "", "brass body"), passage("fees", "X", "delivery costs")]) is None
    of_the_question = [passage("one", "", "mending"), passage("two", "X", "mending a lever")]
    assert bridge(of_the_question) is None, "words of the question lead nowhere"


def test_long_hostile_texts_are_looked_at_a_bounded_number_of_times(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [passage(f"d{n % 8}", f"h{n}", f"w{n} alike " * 900, 1 - n / 64, n * 9000) for n in range(64)]
    endless = [passage("d0", f"h{n}", f"w{n} alike", start=n) for n in range(1000)]
    linked, link = [0], bridges._link

    def counted(*given):
        linked[0] += 1
        return link(*given)

    monkeypatch.setattr(bridges, "_link", counted)
    bridges.grams.cache_clear()
    assert bridge(found, lambda _: endless) is not None
    assert linked[0] <= bridges.SUBJECTS * bridges.STARTS * len(found)
    assert bridges.grams.cache_info().misses < 1000, "each text is taken apart once"


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> KnowledgeBase:
    """A sheet and the policies of the demo, found by words alone."""
    from core.retrieval.schema import MIGRATIONS

    made = KnowledgeBase(Store(tmp_path_factory.mktemp("hops") / "base.sqlite3", MIGRATIONS))
    for file in (TODAY / "products" / "tidal-press.md", *sorted((TODAY / "policies").glob("*.md"))):
        made.add(file.relative_to(TODAY).as_posix(), file.read_text("utf-8"))
    return made


def test_what_it_costs_to_mend_stands_in_two_documents(demo: KnowledgeBase) -> None:
    once, twice = demo.query(QUESTION), demo.query(QUESTION, hops=2)
    assert "$92" not in " ".join(one.text for one in once.passages)
    assert twice.passages[: len(once.passages)] == once.passages
    text = " ".join(one.text for one in twice.passages)
    assert "It belongs to repair class C" in text and "The bench fee for repair class C is $92." in text
    hop = twice.passages[len(once.passages) :]
    assert 1 <= len(hop) <= 2 and all("class c" in one.linked for one in hop)
    assert demo.query(QUESTION, hops=2).passages == twice.passages


@pytest.mark.parametrize("mode", ["hybrid", "dense", "sparse"])
def test_ordinary_results_come_first_and_unchanged(base: KnowledgeBase, embedder: HashEmbedder, mode: str) -> None:
    for question in ("returns of the Harbor Duo", "days to Norway", "?!", "pump " * 3000):
        for top_k in (1, 3):
            once, twice = base.query(question, top_k, mode), base.query(question, top_k, mode, hops=2)
            assert twice.passages[: len(once.passages)] == once.passages
            hop = twice.passages[len(once.passages) :]
            assert len(hop) <= 2 and all(one.linked for one in hop) and not any(one.linked for one in once.passages)
            places = [(one.document, one.start) for one in twice.passages]
            assert len(set(places)) == len(places)
    only = base.query("returns days", 1, mode, hops=2, filters={"folder": "policies"})
    assert all(one.document.startswith("policies/") for one in only.passages)


def test_the_second_question_is_embedded_and_a_wrong_number_of_hops_is_said(
    base: KnowledgeBase, embedder: HashEmbedder
) -> None:
    embedder.calls.clear()
    base.query("days of the Warranty pump", hops=2)
    assert "days of the pump" in embedder.calls
    with pytest.raises(Problem, match="hops must be 1 or 2"):
        base.query("days", hops=3)
