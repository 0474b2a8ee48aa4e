"""The claims file: whole, sourced, and contradictions computed from it."""

import pytest

from core.evidence import claims, comparison, figures, handbook

# The user's list of contradictions worth showing: (kind, criterion, documents that must be involved).
WORTH_SHOWING = [
    ("opposite", "teaches-knowledge", {"D1", "D2", "D3"}),
    ("choice", "default-choice", {"D0", "D1", "D2", "D3", "D4"}),
    ("choice", "order-of-work", {"D2", "D4"}),
    ("aspects", "cost", {"D1", "D2", "D3", "D4"}),
    ("sum", "latency", {"D2"}),
    ("aspects", "accuracy", {"D0", "D1", "D2"}),
    ("overlap", "accuracy", {"D2"}),
    ("amount", "update-speed", {"D2", "D3"}),
    ("opposite", "expertise", {"D0", "D3"}),
    ("amount", "labelled-data", {"D2", "D3"}),
    ("condition", "catastrophic-forgetting", {"D0", "D3"}),
]
ASKED_FOR = """data-changes knowledge-size several-domains cost hardware query-volume latency attribution hallucination
update-speed setup-time accuracy explainability labelled-data expertise catastrophic-forgetting overfitting privacy
unlearning context-limits offline-edge style jargon reasoning structured-output permanence iteration-speed maintenance
domain-adaptation"""


@pytest.mark.parametrize(("kind", "criterion", "documents"), WORTH_SHOWING)
def test_the_contradictions_worth_showing_are_found(kind, criterion, documents):
    found = [each for each in claims.contradictions() if (each.kind, each.criterion) == (kind, criterion)]
    assert any(documents <= set(each.documents) for each in found), found


def test_disputed_cases_are_contradictions_too():
    subjects = {each.about for each in claims.contradictions() if each.kind == "case"}
    assert subjects == {f"Case: {subject}" for subject in claims.disputed_subjects()}


def test_contradictions_come_from_the_claims_alone(monkeypatch):
    without = tuple(each for each in claims.claims() if each.criterion != "privacy")
    monkeypatch.setattr(claims, "claims", lambda: without)
    assert all(each.criterion != "privacy" for each in claims.contradictions.__wrapped__())


def test_every_side_of_a_contradiction_names_its_document_and_place():
    for clash in claims.contradictions():
        assert len(clash.sides) > 1
        for _, who in clash.sides:
            assert who
            assert all(place[:2] in claims.DOCUMENTS and ", " in place for place in who)


def test_every_criterion_asked_for_is_there_and_spoken_of():
    assert set(ASKED_FOR.split()) <= set(claims.criteria())
    for name in claims.criteria():
        assert claims.select(name), name


def test_every_claim_has_its_place_and_every_figure_exists():
    assert {each.document for each in claims.claims()} == set(claims.DOCUMENTS)
    for claim in claims.claims():
        assert claim.place
        assert claim.says
        assert claim.document in figures.sources()
        if claim.figure:
            assert figures.get(claim.figure).source == claim.document


def test_numbers_in_a_claim_are_its_figures_numbers():
    """A claim that gives an amount and a figure gives the same numbers."""
    for claim in claims.claims():
        if claim.amount and claim.figure and figures.get(claim.figure).text is None:
            assert claim.amount == figures.get(claim.figure).range, claim


def test_what_the_documents_do_not_say_is_not_said_for_them():
    """D2's example code is no word on privacy, D4's real-time lookup no update in 0 s, D1's delay no praise."""
    assert {each.document for each in claims.select("privacy")} == {"D3"}
    assert any(
        each.approach == "retrieval" and "D2" in each.says for each in claims.ours() if each.criterion == "privacy"
    )
    assert all(each.amount is None for each in claims.select("update-speed", document="D4"))
    assert not [each for each in claims.select("latency", "retrieval") if each.direction == "for"]
    assert not claims.select("overfitting", "prompt")
    assert [each.document for each in claims.select("overfitting", "hybrid")] == ["D4"]
    assert figures.get("D0.latency.fine-tuning").place.endswith("Best for")
    assert figures.get("D3.unlearning.retrieval").quantity == "unlearning"
    assert figures.get("D0.example.medical.fine-tuning").text == "a warning sign"


@pytest.mark.parametrize(
    ("document", "criterion", "approach", "part"),
    [
        ("D0", "default-choice", "depends", ""),
        ("D2", "default-choice", "depends", ""),
        ("D2", "accuracy", "fine-tuning", "unsolved"),
        ("D2", "teaches-knowledge", "fine-tuning", "learn something new"),
        ("D3", "cost", "fine-tuning", "labels"),
        ("D4", "maintenance", "retrieval", "modular"),
        ("D4", "cost", "fine-tuning", "less"),
        ("D4", "accuracy", "hybrid", "recall"),
        ("D4", "training", "fine-tuning", "needed"),
        ("D4", "training", "retrieval", "not needed"),
    ],
)
def test_claims_that_were_missing_are_there(document, criterion, approach, part):
    assert any(part in each.says for each in claims.select(criterion, approach, document))


def test_what_is_ours_never_looks_like_a_documents_claim():
    assert claims.ours()
    assert all(each.document == claims.OURS for each in claims.ours())
    assert claims.OURS not in {each.document for each in claims.claims()}
    for row in comparison.table():
        for cell in row.cells.values():
            if not cell.claims and cell.ours:
                assert "ours" in cell.words()


def test_no_cell_of_the_table_is_empty():
    for row in comparison.table():
        for approach, cell in row.cells.items():
            assert cell.words(), (row.criterion.id, approach)


def test_a_cell_names_exactly_the_documents_that_speak():
    for row in comparison.table():
        for approach, cell in row.cells.items():
            words = set(cell.words().split()) & set(claims.DOCUMENTS)
            assert words == {each.document for each in claims.select(row.criterion.id, approach)}


def test_filters_and_sorting_of_the_table():
    assert {row.criterion.group for row in comparison.table(groups=["Trust"])} == {"Trust"}
    assert all(row.disputes for row in comparison.table(only_disputed=True))
    numbers = [row.number for row in comparison.table(sort="Most claims")]
    assert numbers == sorted(numbers, reverse=True)
    d1 = comparison.table(documents=["D1"])
    assert all(each.document == "D1" for row in d1 for cell in row.cells.values() for each in cell.claims + cell.ours)


def test_the_handbook_has_what_was_asked_for():
    kinds = " ".join(each.title for each in handbook.kinds())
    assert all(name in kinds for name in ("Supervised", "Continued pre-training", "RLHF", "LoRA", "QLoRA"))
    parts = " ".join(each.title for each in handbook.parts())
    assert all(name in parts for name in ("Chunking", "Embedding", "Store", "Rerank", "Filtering"))
    assert [each.approach for each in handbook.pipelines()] == list(claims.APPROACHES)
    sources = [each.source for each in handbook.practices()]
    assert len(set(sources)) == len(sources) == 8 + 6 + 9
