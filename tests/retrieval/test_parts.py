"""The pure parts of retrieval: laws and hand-made examples."""

import random
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.retrieval import citations, fusion, locate, sections, words
from core.retrieval.index import add_chunks
from core.retrieval.schema import MIGRATIONS
from core.retrieval.values import Chunk
from core.retrieval.vectors import BLOCK, Vectors
from core.retrieval.wordpiece import WordPiece
from core.store import Store


@pytest.fixture
def vocab(tmp_path: Path) -> Path:
    file = tmp_path / "vocab.txt"
    file.write_text("[PAD]\n[UNK]\nun\n##aff\n##able\nhello\n,\n!\nworld\ncafe\n日\n本\n")
    return file


def test_wordpiece_takes_the_longest_match_first(vocab: Path) -> None:
    assert WordPiece(vocab).tokens("Unaffable, Hello world!") == ["un", "##aff", "##able", ",", "hello", "world", "!"]


def test_wordpiece_strips_accents_and_cuts_chinese_letters(vocab: Path) -> None:
    assert WordPiece(vocab).tokens("Café 日本") == ["cafe", "日", "本"]


def test_an_unknown_word_is_one_token_and_a_huge_one_is_not(vocab: Path) -> None:
    assert WordPiece(vocab).count("xyz") == 1
    assert WordPiece(vocab).count("x" * 10_000) > 1_000


@pytest.mark.real
def test_wordpiece_counts_as_the_embedder_does(weights: dict[str, Path], real_state: Path) -> None:
    from core import runtime
    from core.weights import catalog

    spec = catalog.spec("embedder")
    texts = ["What does the Tidal Press cost?", "HD-2041/B, 9 bar; naïve café — déjà vu", "Ünïcode $389.50 (incl. VAT)"]
    texts += ["soft\u00adhyphen, zero\u200bwidth", "日本 مرحبا ภาษาไทย İstanbul ﬁne １２３ 🙂", "x" * 5000]
    counter = WordPiece(catalog.vocab())
    try:
        for text in texts:
            assert counter.count(text) == runtime.get().engine.tokens(spec, text)
    finally:
        runtime.close()


@given(st.text(max_size=300))
@settings(max_examples=200, deadline=None)
def test_sections_cover_only_the_text_and_never_overlap(text: str) -> None:
    at = 0
    for section in sections.sections(text):
        assert at <= section.start < section.end <= len(text)
        assert text[section.start : section.end].strip()
        at = section.end


def test_headings_nest_and_those_in_code_fences_are_text() -> None:
    text = "# A\n\nintro\n\n## B\n\nb\n\n```\n# not a heading\n```\n\n### C\n\nc\n\n## D\n\nd\n"
    assert [section.path for section in sections.sections(text)] == [("A",), ("A", "B"), ("A", "B", "C"), ("A", "D")]


@pytest.mark.parametrize(
    ("text", "path", "lead"),
    [
        ("# A\n\nIt is a lever machine. It is heavy.\n\n## B\n\nb", "a.md", "It is a lever machine."),
        ("---\ntitle: Tea\n---\nMatcha is a green powder\nof tea! More.", "a.md", "Matcha is a green powder\nof tea!"),
        ("# A\n\nVersion 2.5 weighs 3.1 kg in all. More.", "a.md", "Version 2.5 weighs 3.1 kg in all."),
        ("# A\n\n| a | b |\n| - | - |\n| one of them. | 2 |", "a.md", ""),
        ("# A\n\nShort.\n\nThis is the second paragraph.", "a.md", ""),
        ("word " * 60 + ".", "a.md", ""),
        ("# This is what the file is for.\nx = 1", "a.py", ""),
        ("", "a.md", ""),
    ],
)
def test_a_documents_lead_is_its_first_sentence(text: str, path: str, lead: str) -> None:
    assert sections.lead(text, path) == lead


def test_front_matter_is_metadata_and_not_text() -> None:
    text = "---\ntitle: Tea\ndomain: legal\n---\nMatcha."
    assert sections.front_matter(text)[0] == {"title": "Tea", "domain": "legal"}
    assert (sections.title(text, "x.md"), text[sections.sections(text)[0].start :]) == ("Tea", "Matcha.")


def test_fusion_keeps_the_order_of_a_single_source() -> None:
    dense = {1: 0.9, 2: 0.5, 3: 0.1}
    fused = fusion.fuse(dense, {}, 0.7, 1.0)
    assert sorted(fused, key=fused.get, reverse=True) == [1, 2, 3]


@given(
    st.dictionaries(st.integers(0, 20), st.floats(-1, 1), min_size=1),
    st.dictionaries(st.integers(0, 20), st.floats(0.01, 50)),
    st.floats(0, 1),
)
def test_fused_scores_lie_between_0_and_1_and_grow_with_each_part(dense: dict, sparse: dict, weight: float) -> None:
    fused = fusion.fuse(dense, sparse, weight, 10.0)
    assert all(0 <= score <= 1 + 1e-9 for score in fused.values())
    for one in fused.keys() & dense.keys():
        for two in fused.keys() & dense.keys():
            if dense[one] >= dense[two] and sparse.get(one, 0) >= sparse.get(two, 0):
                assert fused[one] >= fused[two] - 1e-9


def test_the_ends_of_the_weight_are_each_source_alone() -> None:
    dense, sparse = {1: 0.9, 2: 0.1}, {2: 8.0}
    assert fusion.fuse(dense, sparse, 1.0, 8.0) == {1: 1.0, 2: 0.0}
    assert fusion.fuse(dense, sparse, 0.0, 8.0) == {1: 0.0, 2: 1.0}


def test_attainable_bm25_is_the_sum_of_the_terms_rarity() -> None:
    assert fusion.attainable(100, [1]) == pytest.approx(np.log(99.5 / 1.5))
    assert fusion.attainable(100, [1, 60]) == pytest.approx(np.log(99.5 / 1.5), abs=1e-5)


@given(st.lists(st.floats(-1, 1, width=32), min_size=1, max_size=200), st.integers(1, 50))
def test_top_is_the_head_of_a_stable_sort(values: list[float], count: int) -> None:
    scores = np.array(values, np.float32)
    assert list(fusion.top(scores, count)) == list(np.argsort(-scores, kind="stable")[:count])


def test_terms_drop_stop_words_and_keep_codes_together() -> None:
    assert words.terms("What is the price of part HD-2041/B? The price!") == ["price", "part", "hd 2041 b"]
    assert words.match_expression("what is it?") is None


def test_vectors_find_what_a_plain_matrix_finds_across_blocks_and_removals(tmp_path: Path) -> None:
    store = Store(tmp_path / "v.sqlite3", MIGRATIONS)
    try:
        draw = np.random.default_rng(0)
        count = BLOCK + 300
        matrix = draw.standard_normal((count, 8)).astype(np.float32)
        matrix /= np.linalg.norm(matrix, axis=1, keepdims=True)
        chunk = Chunk("t", "", "b", 0, 1, 1)

        def fill(connection) -> None:
            connection.execute("INSERT INTO documents VALUES (1, 'a')")
            for version in (1, 2):
                connection.execute(
                    "INSERT INTO versions (id, document, hash, title, text, metadata, origin, made) "
                    "VALUES (?, 1, ?, 't', 'x', '{}', 'o', 'm')",
                    (version, str(version)),
                )
            half = count // 2
            add_chunks(connection, 1, [chunk] * half, list(matrix[:half]))
            add_chunks(connection, 2, [chunk] * (count - half), list(matrix[half:]))

        store.write(fill)
        vectors = Vectors(store)
        vectors.refresh()
        query = matrix[7]
        ids, cosines = vectors.search(query, count, np.array([False, True, True]))
        assert np.array_equal(np.sort(ids), np.arange(1, count + 1)) and ids[0] == 8
        np.testing.assert_allclose(cosines, (matrix @ query)[ids - 1], atol=1e-6)
        assert np.all(np.diff(cosines) <= 0)
        only, _ = vectors.search(query, count, np.array([False, False, True]))
        assert np.array_equal(np.sort(only), np.arange(count // 2 + 1, count + 1))
        few, _ = vectors.search(query, 5, np.array([False, True, True]))
        assert np.array_equal(few, ids[:5])

        def remove(connection) -> None:
            connection.execute("DELETE FROM chunks WHERE version = 1")
            connection.execute("UPDATE index_state SET generation = generation + 1, removals = removals + 1")

        store.write(remove)
        vectors.refresh()
        assert len(vectors) == count - count // 2
        left, _ = vectors.search(query, count, np.array([False, True, True]))
        assert np.array_equal(left, only)
    finally:
        store.close()


PASSAGES = ["The Tidal Press costs $389. It is made in Porto.", "Parcels to Norway take 6 days."]


@pytest.mark.parametrize(
    ("answer", "verdicts"),
    [
        ("The Tidal Press costs $389 [1].", ["supported"]),
        ("The Tidal Press costs $340 [1].", ["unsupported"]),
        ("Parcels to Norway take 6 days [2]. It is from Porto [1].", ["supported", "supported"]),
        ("It is made in Turin [1].", ["unsupported"]),
        ("It takes 6 days [2, 5].", ["supported", "missing"]),
        ("It takes 6 days [0].", ["missing"]),
        ("No citation here.", []),
    ],
)
def test_citations_are_held_against_their_passages(answer: str, verdicts: list[str]) -> None:
    assert [citation.verdict for citation in citations.check(answer, PASSAGES)] == verdicts


def test_a_citation_says_what_its_passage_does_not_hold() -> None:
    assert citations.check("The Tidal Press costs $340 [1].", PASSAGES)[0].absent == ("340",)


@given(st.text(max_size=200), st.text(max_size=50))
def test_highlighting_never_changes_the_text(text: str, question: str) -> None:
    assert "".join(piece.text for piece in locate.matches(text, question)) == text


def test_highlighting_marks_the_words_asked_for_in_other_endings() -> None:
    marked = [
        piece.text for piece in locate.matches("Grinders are returned in days.", "return a grinder") if piece.marked
    ]
    assert marked == ["Grinders", "returned"]


def test_a_place_is_shown_with_its_surroundings_and_marked_exactly() -> None:
    text = "a" * 5000 + "HERE" + "b" * 5000
    shown = locate.around(text, 5000, 5004, 10)
    assert [piece.text for piece in shown if piece.marked] == ["HERE"]
    assert "".join(piece.text for piece in shown) == "…\n" + "a" * 10 + "HERE" + "b" * 10 + "\n…"


def test_overlaps_count_what_the_chunk_before_already_held() -> None:
    chunks = [Chunk("t", "", "x" * 10, 0, 10, 3), Chunk("t", "", "x" * 10, 6, 16, 3), Chunk("t", "", "x", 20, 21, 1)]
    assert locate.overlaps(chunks) == [0, 4, 0]


def test_splitting_by_tokens_keeps_every_word_and_its_place(tmp_path: Path) -> None:
    from core.retrieval import KnowledgeBase, Settings

    draw = random.Random(0)
    text = "# T\n\n" + "\n\n".join(
        " ".join(draw.choice(["alpha", "beta", "gamma.", "delta", "epsilon!"]) for _ in range(draw.randint(3, 120)))
        for _ in range(12)
    )
    store = Store(tmp_path / "s.sqlite3", MIGRATIONS)
    try:
        for splitter in ("headings", "sentences"):
            for size, overlap in ((32, 0), (64, 16), (160, 24)):
                chunks = KnowledgeBase(store).preview("t.md", text, Settings(splitter, size, overlap))
                assert all(chunk.tokens <= size and text[chunk.start : chunk.end] == chunk.body for chunk in chunks)
                covered = set().union(*(range(chunk.start, chunk.end) for chunk in chunks))
                begin = chunks[0].start
                assert all(text[at].isspace() for at in range(begin, len(text)) if at not in covered)
    finally:
        store.close()
