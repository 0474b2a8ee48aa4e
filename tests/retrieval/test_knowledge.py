"""The knowledge base through its public interface: what goes in is found, what goes out is not."""

import itertools
import sqlite3
import threading
from pathlib import Path

import pytest

from core.errors import Problem
from core.retrieval import KnowledgeBase, Settings
from core.retrieval.schema import MIGRATIONS
from core.retrieval.values import DELETED, MODES, TODAY, TRAINING_DAY
from core.store import Store
from tests.retrieval.fake import HashEmbedder


def paths(found) -> list[str]:
    return [passage.document for passage in found.passages]


@pytest.mark.parametrize("mode", MODES)
def test_every_mode_finds_the_passage_and_orders_by_score(base: KnowledgeBase, mode: str) -> None:
    found = base.query("grinders may be returned within 60 days?", 3, mode)
    assert found.mode == mode
    assert found.passages[0].heading == "Time limits"
    scores = [passage.score for passage in found.passages]
    assert scores == sorted(scores, reverse=True)
    assert all(0 <= score <= 1 for score in scores)


def test_a_passage_is_the_documents_own_words_at_its_place(base: KnowledgeBase) -> None:
    for passage in base.query("grinders returned Norway pump", 10).passages:
        assert passage.text.endswith(base.text(passage.document)[passage.start : passage.end])
        assert passage.start < passage.end


def test_a_passage_that_does_not_name_its_subject_gets_the_heading_path(base: KnowledgeBase) -> None:
    found = base.query("money arrives working days", 1, "sparse").passages[0]
    assert found.text == "Returns > Refunds\nSend goods back in their box. Money arrives within five working days."
    named = base.query("pump Harbor Duo", 1, "sparse").passages[0]
    assert named.text.startswith("Warranty\n"), "the text speaks of a pump, not of a warranty"


PRESS = """# Tidal Press

The Tidal Press is our lever machine. It is heavy.

## Price

The Tidal Press sells for $389 today.
"""


@pytest.mark.parametrize("mode", MODES)
def test_a_passage_is_found_and_read_by_its_documents_first_sentence(base: KnowledgeBase, mode: str) -> None:
    base.add("press.md", PRESS)
    found = base.query("lever machine sells", 1, mode).passages[0]
    assert found.heading == "Price"
    assert found.text == "The Tidal Press is our lever machine. The Tidal Press sells for $389 today."
    opening = base.query("heavy", 1, "sparse").passages[0]
    assert opening.text.count("lever machine") == 1, "said once where it stands"


def test_a_front_matter_cannot_put_words_before_other_passages(base: KnowledgeBase) -> None:
    base.add("mule.md", "---\nlead: Believe me.\n---\n# Mule\n\nHi.\n\n## Size\n\nA mule walks seven furlongs.")
    assert base.query("furlongs", 1, "sparse").passages[0].text == "A mule walks seven furlongs."


def test_a_base_of_before_is_searched_as_it_was_and_gets_its_leads_when_indexed(tmp_path: Path) -> None:
    older = Store(tmp_path / "older.sqlite3", MIGRATIONS[:2])
    older.write(lambda db: _of_before(db, PRESS))
    older.close()
    store = Store(tmp_path / "older.sqlite3", MIGRATIONS)
    try:
        base = KnowledgeBase(store, HashEmbedder())
        before = base.query("sells $389", 1, "sparse").passages[0]
        assert (before.heading, before.text) == ("Price", "The Tidal Press sells for $389 today.")
        base.catch_up()
        assert base.query("lever machine sells", 1).passages[0].text.startswith("The Tidal Press is our lever machine.")
        assert base.counts() == (2, 2)
        store.write(lambda db: db.execute("INSERT INTO words (words) VALUES ('integrity-check')"))
    finally:
        store.close()


def _of_before(db: sqlite3.Connection, text: str) -> None:
    """A document as the version before knew it: split under its headings, not embedded yet."""
    db.execute("INSERT INTO documents VALUES (1, 'press.md')")
    db.execute(
        "INSERT INTO versions VALUES (1, 1, 'h', 'Tidal Press', ?, '{}', 'test', '2026-11-01', ?)",
        (text, "headings/160/24/estimate"),
    )
    db.execute("INSERT INTO views VALUES ('current', 1, 1)")
    for heading, body in (
        ("", "The Tidal Press is our lever machine. It is heavy."),
        ("Price", "The Tidal Press sells for $389 today."),
    ):
        place = text.index(body)
        db.execute(
            "INSERT INTO chunks (version, title, heading, body, start, stop, tokens, hash) VALUES (1,?,?,?,?,?,9,?)",
            ("Tidal Press", heading, body, place, place + len(body), body.encode()[:16]),
        )


def test_an_exact_code_is_found_by_words_though_punctuated(base: KnowledgeBase) -> None:
    for question in ("HD-2041/B", "what is hd-2041/b?", "part HD 2041 B"):
        assert paths(base.query(question, 1, "sparse")) == ["policies/warranty.md"]
        assert paths(base.query(question, 1)) == ["policies/warranty.md"]


@pytest.mark.parametrize(
    "question", ['"', "AND OR NOT", "a* b^2 NEAR(x y)", "words : {title} : x", "'; DROP TABLE chunks;--"]
)
def test_query_syntax_in_a_question_is_only_words(base: KnowledgeBase, question: str) -> None:
    base.query(question, 3, "sparse")
    assert len(base.documents()) == 3


def test_a_question_of_stop_words_finds_nothing_by_words(base: KnowledgeBase) -> None:
    assert base.query("what is it?", 3, "sparse").passages == ()


def test_an_edit_is_found_at_once_and_only_it_is_embedded(base: KnowledgeBase, embedder) -> None:
    embedder.calls.clear()
    change = base.update("policies/returns.md", base.text("policies/returns.md").replace("60 days", "75 days"))
    assert (change.kind, change.embedded, len(embedder.calls)) == ("updated", 1, 1)
    assert change.chunks == 3
    texts = [passage.text for passage in base.query("return grinders", 5).passages]
    assert any("75 days" in text for text in texts)
    assert not any("60 days" in text for text in texts)


def test_the_same_text_again_changes_and_embeds_nothing(base: KnowledgeBase, embedder) -> None:
    before = base.counts()
    embedder.calls.clear()
    assert base.add("shipping.md", base.text("shipping.md")).kind == "unchanged"
    assert (base.counts(), embedder.calls) == (before, [])


def test_a_deleted_document_is_forgotten_and_restored_without_embedding(base: KnowledgeBase, embedder) -> None:
    base.delete("shipping.md")
    assert "shipping.md" not in paths(base.query("parcels to Norway", 10))
    assert [document.path for document in base.documents(DELETED)] == ["shipping.md"]
    with pytest.raises(Problem, match=r"no document 'shipping\.md'"):
        base.update("shipping.md", "x")
    embedder.calls.clear()
    base.restore("shipping.md")
    assert (paths(base.query("parcels Norway", 1)), base.documents(DELETED)) == (["shipping.md"], [])
    assert embedder.calls == ["parcels Norway"]


def test_restore_after_deleting_an_edited_text_brings_back_the_edit(base: KnowledgeBase) -> None:
    base.update("shipping.md", "# Shipping\n\nParcels to Norway cost $21.\n")
    base.delete("shipping.md")
    base.restore("shipping.md")
    assert "$21" in base.text("shipping.md")


def test_old_versions_are_kept_and_can_be_made_current(base: KnowledgeBase) -> None:
    first = base.versions("shipping.md")[0].id
    base.update("shipping.md", "# Shipping\n\nNorway costs $99.\n")
    assert len(base.versions("shipping.md")) == 2
    base.restore("shipping.md", first)
    assert "$19" in base.query("parcels Norway", 1).passages[0].text


def test_forget_leaves_no_trace(base: KnowledgeBase, store: Store) -> None:
    base.forget("shipping.md")
    assert "Norway" not in "".join(str(tuple(row)) for row in store.read("SELECT text FROM versions"))
    assert store.read("SELECT 1 FROM words WHERE words MATCH 'norway'") == []
    with pytest.raises(Problem):
        base.versions("shipping.md")


def test_snapshots_keep_their_day_while_edits_are_current(store: Store, embedder, folder: Path) -> None:
    base = KnowledgeBase(store, embedder)
    base.sync_folder(folder, TRAINING_DAY)
    (folder / "shipping.md").write_text("# Shipping\n\nParcels to Norway cost $23.\n")
    base.sync_folder(folder, TODAY)
    base.update("shipping.md", "# Shipping\n\nParcels to Norway cost $50.\n")
    price = {
        view: base.query("Norway parcels", 1, snapshot=view).passages[0].text for view in (TRAINING_DAY, TODAY, None)
    }
    assert ["$19" in price[TRAINING_DAY], "$23" in price[TODAY], "$50" in price[None]] == [True] * 3
    assert {document.state for document in base.documents()} == {"as shipped", "edited"}
    base.sync_folder(folder, TODAY)
    assert "$50" in base.text("shipping.md"), "a sync must not undo an edit"
    base.restore("shipping.md")
    assert "$23" in base.text("shipping.md")


def test_two_snapshots_of_the_same_text_are_embedded_once(store: Store, embedder, folder: Path) -> None:
    base = KnowledgeBase(store, embedder)
    base.sync_folder(folder, TRAINING_DAY)
    calls = len(embedder.calls)
    done = base.sync_folder(folder, TODAY)
    assert (done.added, done.embedded, len(embedder.calls)) == (3, 0, calls)


def test_a_folder_sync_touches_only_what_changed(store: Store, embedder, folder: Path) -> None:
    base = KnowledgeBase(store, embedder)
    assert base.sync_folder(folder).added == 3
    embedder.calls.clear()
    again = base.sync_folder(folder)
    assert (again.unchanged, again.added, again.updated, again.embedded, embedder.calls) == (3, 0, 0, 0, [])
    (folder / "shipping.md").unlink()
    (folder / "new.txt").write_text("Teapots are sold in Oslo.")
    third = base.sync_folder(folder)
    assert (third.added, third.deleted, third.kept, third.unchanged) == (1, 0, 1, 2)
    fourth = base.sync_folder(folder, prune=True)
    assert (fourth.added, fourth.deleted, fourth.kept, fourth.unchanged) == (0, 1, 0, 3)
    assert {document.path for document in base.documents()} == {
        "new.txt",
        "policies/returns.md",
        "policies/warranty.md",
    }


def test_a_folder_is_read_without_following_links_out_of_it(store: Store, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("the secret word is xylophone")
    (folder / "link.txt").symlink_to(tmp_path / "secret.txt")
    (folder / "app.exe").write_bytes(b"MZ")
    base = KnowledgeBase(store)
    done = base.sync_folder(folder)
    assert {name for name, _ in done.skipped} == {"link.txt", "app.exe"}
    assert base.query("xylophone", 3, "sparse").passages == ()


def test_a_cancelled_build_goes_on_where_it_stopped(store: Store, embedder, folder: Path) -> None:
    base = KnowledgeBase(store, embedder)
    seen: list[float] = []
    assert not base.sync_folder(folder, None, lambda done, _: seen.append(done), lambda: len(seen) > 7).complete
    waiting = base.counts()[0] - base.counts()[1]
    assert waiting > 0
    rest = base.sync_folder(folder)
    assert (rest.complete, rest.embedded) == (True, waiting)
    assert seen == sorted(seen)


def test_without_an_embedder_words_alone_are_searched_and_it_is_said(store: Store, folder: Path, embedder) -> None:
    base = KnowledgeBase(store)
    base.sync_folder(folder)
    found = base.query("parcels to Norway")
    assert (found.mode, paths(found)[0]) == ("sparse", "shipping.md")
    assert "BM25" in found.note
    later = KnowledgeBase(store, embedder)
    assert "not embedded yet" in later.query("parcels to Norway").note
    later.catch_up()
    assert (later.query("parcels to Norway").mode, later.query("parcels to Norway").note) == ("hybrid", None)


def test_another_embedder_never_reads_the_old_ones_vectors(base: KnowledgeBase, store: Store, embedder) -> None:
    other = KnowledgeBase(store, type(embedder)(dimensions=64, identity="fake-2"))
    found = other.query("parcels to Norway")
    assert (found.mode, "another model" in found.note) == ("sparse", True)
    other.catch_up()
    assert other.query("parcels to Norway").mode == "hybrid"


def test_an_embedder_that_fails_changes_nothing(base: KnowledgeBase, store: Store, embedder, monkeypatch) -> None:
    def fail(_text: str) -> None:
        raise Problem("The worker died.")

    monkeypatch.setattr(embedder, "embed", fail)
    before = [tuple(row) for row in store.read("SELECT * FROM versions")]
    with pytest.raises(Problem, match="worker died"):
        base.update("shipping.md", "# Shipping\n\nEntirely new words.\n")
    assert [tuple(row) for row in store.read("SELECT * FROM versions")] == before
    found = base.query("parcels to Norway")
    assert (found.mode, "worker died" in found.note) == ("sparse", True)


def test_another_process_sees_every_change_at_its_next_question(base: KnowledgeBase, store: Store, embedder) -> None:
    other_store = Store(store.path, MIGRATIONS)
    try:
        other = KnowledgeBase(other_store, embedder)
        other.query("Norway", 3)
        base.add("notes/tea.md", "# Tea\n\nMatcha comes from Uji.")
        assert paths(other.query("matcha from Uji", 1)) == ["notes/tea.md"]
        base.delete("notes/tea.md")
        assert "notes/tea.md" not in paths(other.query("matcha from Uji", 10))
        base.forget("notes/tea.md")
        assert "notes/tea.md" not in paths(other.query("matcha from Uji", 10))
    finally:
        other_store.close()


def test_filters_restrict_by_folder_and_metadata(base: KnowledgeBase) -> None:
    base.add("notes/a.md", "---\ndomain: legal\n---\n# Note\n\nReturns are a legal matter.\n")
    assert set(paths(base.query("returns", 10, filters={"folder": "policies"}))) <= {
        "policies/returns.md",
        "policies/warranty.md",
    }
    assert paths(base.query("returns", 10, filters={"domain": "legal"})) == ["notes/a.md"]
    assert paths(base.query("returns", 10, filters={"domain": "none"})) == []
    with pytest.raises(Problem, match="metadata name"):
        base.query("returns", filters={"x') OR 1=1 --": "y"})


def test_a_higher_threshold_never_finds_more(base: KnowledgeBase) -> None:
    found = [set(base.query("return grinders", 10, threshold=step / 10).passages) for step in range(11)]
    assert all(later <= earlier for earlier, later in itertools.pairwise(found))
    assert found[0] and not found[10]


@pytest.mark.parametrize("size", [32, 16])
def test_other_splitting_reaches_every_document_and_no_chunk_is_lost(base: KnowledgeBase, size: int) -> None:
    base.configure(Settings(splitter="sentences", chunk_size=size, overlap=0))
    base.catch_up()
    chunks = base.chunks("policies/returns.md")
    assert all(chunk.tokens <= size for chunk in chunks)
    assert {chunk.heading for chunk in chunks} == {""}
    assert base.counts()[0] == base.counts()[1]
    assert "60 days" in base.query("return grinders", 2).passages[0].text


@pytest.mark.parametrize(
    "change",
    [
        {"splitter": "magic"},
        {"chunk_size": 15, "overlap": 0},
        {"chunk_size": 4096},
        {"overlap": 100, "chunk_size": 64},
        {"weight": float("nan")},
        {"threshold": 1.5},
    ],
)
def test_bad_settings_are_refused_by_name(change: dict) -> None:
    with pytest.raises(Problem):
        Settings(**change)


@pytest.mark.parametrize("arguments", [("", 3), ("   ", 3), ("x", 0), ("x", 101)])
def test_bad_questions_are_refused(base: KnowledgeBase, arguments: tuple) -> None:
    with pytest.raises(Problem):
        base.query(*arguments)


def test_unknown_mode_and_snapshot_name_what_there_is(base: KnowledgeBase) -> None:
    with pytest.raises(Problem, match="hybrid, dense, sparse"):
        base.query("x", 3, "magic")
    with pytest.raises(Problem, match="current"):
        base.query("x", snapshot="tomorrow")


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("../../etc/passwd", "etc/passwd"),
        ("/etc/passwd", "etc/passwd"),
        ("C:\\Windows\\x.txt", "C/Windows/x.txt"),
        ("a\x00b\u202e.md", "ab.md"),
        ("x" * 5000, "x" * 200),
    ],
)
def test_a_name_never_becomes_a_place_on_this_machine(base: KnowledgeBase, given: str, kept: str) -> None:
    assert base.add(given, "some words").path == kept


def test_questions_while_documents_change_are_never_torn(base: KnowledgeBase) -> None:
    """Each answer is one of the texts ever stored, whole, while a writer edits the document."""
    stop, wrong = threading.Event(), []

    def ask() -> None:
        while not stop.is_set():
            for passage in base.query("parcels to Norway cost", 1).passages:
                if passage.document == "shipping.md" and not passage.text.endswith("days."):
                    wrong.append(passage.text)

    readers = [threading.Thread(target=ask) for _ in range(3)]
    for reader in readers:
        reader.start()
    for price in range(20):
        base.update("shipping.md", f"# Shipping\n\nParcels to Norway cost ${price} and take 6 days.\n")
    stop.set()
    for reader in readers:
        reader.join()
    assert wrong == []
    assert "$19" in base.query("parcels to Norway", 1).passages[0].text


def test_importing_the_package_imports_neither_llama_index_nor_an_engine() -> None:
    import subprocess
    import sys

    code = (
        "import sys, core.retrieval; print([m for m in sys.modules if m.split('.')[0] in ('llama_index', 'llama_cpp')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
