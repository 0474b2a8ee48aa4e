"""A base brought in step with a source: the plan is what happens, counts add up, nothing goes without being told."""

import random
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from core.errors import Problem
from core.retrieval import KnowledgeBase, sources
from core.retrieval.schema import MIGRATIONS
from core.retrieval.selection import Selection
from core.retrieval.values import DELETED
from core.store import Store
from tests.retrieval import hostile

CHILD = """
import sys
import threading
from pathlib import Path
from core.retrieval import KnowledgeBase
from core.retrieval.schema import MIGRATIONS
from core.store import Store
from tests.retrieval.fake import HashEmbedder
base = KnowledgeBase(Store(Path(sys.argv[1]), MIGRATIONS), HashEmbedder())
base.sync_folder(Path(sys.argv[2]), None, lambda _, text: print(text, flush=True))
"""


def now(base: KnowledgeBase) -> set[str]:
    return {document.path for document in base.documents()}


def test_what_was_planned_is_what_happens_and_all_counts_add_up(store: Store, tmp_path: Path) -> None:
    """Random folders, one after another, pruned or not."""
    base, draw = KnowledgeBase(store), random.Random(4)
    for round_number in range(12):
        root = tmp_path / str(round_number)
        root.mkdir()
        for number in range(draw.randint(1, 8)):
            kind = draw.choice([".md", ".py", ".exe", ".pdf", ".txt"])
            folder = root / draw.choice(["a", "b", "."])
            folder.mkdir(exist_ok=True)
            (folder / f"{number}{kind}").write_text(draw.choice(["", "words one", "words two"]))
        before, prune = now(base), draw.random() < 0.5
        planned = base.plan(sources.folder(root))
        assert now(base) == before, "a plan changes nothing"
        plan = planned.plan
        assert plan.files == sum(map(len, (plan.added, plan.updated, plan.unchanged, plan.failed, plan.skipped)))
        assert set(plan.missing) | set(plan.updated) | set(plan.unchanged) >= before - {
            path for path in before if (root / path).exists()
        }
        try:
            done = base.carry_out(planned, prune=prune)
        except Problem:
            assert not (plan.added or plan.updated or plan.unchanged)
            assert now(base) == before
            continue
        assert (done.added, done.updated, done.unchanged) == tuple(map(len, (plan.added, plan.updated, plan.unchanged)))
        assert done.deleted + done.kept == len(plan.missing)
        assert done.files == done.added + done.updated + done.unchanged + len(done.failed) + len(done.skipped)
        assert now(base) == (before | set(plan.added)) - (set(plan.missing) if prune else set())
        again = base.plan(sources.folder(root)).plan
        assert (again.added, again.updated) == ((), ())


def test_an_empty_folder_never_wipes_a_base(base: KnowledgeBase, tmp_path: Path) -> None:
    before = now(base)
    empty = tmp_path / "empty"
    empty.mkdir()
    assert (base.sync_folder(empty).deleted, base.sync_folder(empty).kept) == (0, 3)
    with pytest.raises(Problem, match="none of the 3 documents is removed"):
        base.sync_folder(empty, prune=True)
    (empty / "broken.pdf").write_bytes(b"no pdf")
    with pytest.raises(Problem, match="none of the 3"):
        base.sync_folder(empty, prune=True)
    assert now(base) == before


def test_a_document_whose_file_cannot_be_read_any_more_stays(base: KnowledgeBase, folder: Path) -> None:
    (folder / "shipping.md").write_bytes(b"\xff\x00\xff")
    done = base.sync_folder(folder, prune=True)
    assert ([name for name, _ in done.failed], done.deleted) == (["shipping.md"], 0)
    assert "Norway" in base.text("shipping.md")


def test_what_was_pruned_can_be_restored(base: KnowledgeBase, folder: Path) -> None:
    (folder / "shipping.md").unlink()
    assert base.sync_folder(folder, prune=True).deleted == 1
    assert [document.path for document in base.documents(DELETED)] == ["shipping.md"]
    base.restore("shipping.md")
    assert "Norway" in base.text("shipping.md")


def test_only_the_folder_that_is_compared_is_pruned(base: KnowledgeBase) -> None:
    listing = sources.uploads([("returns.md", b"# Returns\n\nNew words.")], into="policies")
    planned = base.plan(listing, into="policies")
    assert (planned.plan.updated, planned.plan.missing) == (("policies/returns.md",), ("policies/warranty.md",))
    base.carry_out(planned, prune=True)
    assert now(base) == {"policies/returns.md", "shipping.md"}


def test_texts_beyond_memory_are_read_once_more(store: Store, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.retrieval.syncing.KEPT_CHARACTERS", 100)
    base = KnowledgeBase(store)
    assert base.sync_folder(folder).added == 3
    assert len(now(base)) == 3


def test_a_second_build_at_once_is_told_and_changes_nothing(base: KnowledgeBase, store: Store, folder: Path) -> None:
    other_store = Store(store.path, MIGRATIONS)
    try:
        other = KnowledgeBase(other_store)
        with base.alone(), pytest.raises(Problem, match="Another update"):
            other.sync_folder(folder, prune=True)
        with base.alone(), pytest.raises(Problem, match="Another update"), other.alone(lambda: True):
            pass
        other.sync_folder(folder)
    finally:
        other_store.close()


@pytest.mark.parametrize("line", [1, 5, 9])
def test_a_killed_build_goes_on_and_ends_like_one_that_was_not(tmp_path: Path, embedder, line: int) -> None:
    root = tmp_path / "root"
    for number in range(6):
        (root / str(number)).mkdir(parents=True)
        (root / str(number) / "index.md").write_text(f"# Part {number}\n\nThe code is {number * 37}.\n")
    db = tmp_path / "killed.sqlite3"
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(db), str(root)], stdout=subprocess.PIPE, text=True,
        cwd=Path(__file__).resolve().parents[2],
    )  # fmt: skip
    assert child.stdout is not None
    said = [child.stdout.readline() for _ in range(line)]
    child.kill()
    child.wait()
    stored = {text.strip() for text in said if not text.startswith("reading ")}
    store = Store(db, MIGRATIONS)
    try:
        base = KnowledgeBase(store, embedder)
        assert now(base) >= stored
        done = base.sync_folder(root)
        assert (done.files, done.added + done.unchanged, done.complete) == (6, 6, True)
        assert now(base) == {f"{number}/index.md" for number in range(6)}
        assert base.counts() == (6, 6)
    finally:
        store.close()


def test_two_jobs_at_once_embed_each_document_once(store: Store, embedder, folder: Path) -> None:
    base = KnowledgeBase(store, embedder)
    base.sync_folder(folder, embed=False)
    base.warm()
    both = threading.Barrier(2)
    made: list[int] = []

    def catch_up() -> None:
        both.wait()
        made.append(base.catch_up())

    threads = [threading.Thread(target=catch_up) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (sum(made), len(embedder.calls), base.counts()) == (5, 5, (5, 5))


def test_a_zip_and_its_folder_make_the_same_base(store: Store, folder: Path) -> None:
    base = KnowledgeBase(store)
    base.sync_folder(folder)
    members = [(file.relative_to(folder).as_posix(), file.read_bytes()) for file in folder.rglob("*.md")]
    plan = base.plan(sources.archive(hostile.archive(members), "x.zip")).plan
    assert (len(plan.unchanged), plan.added, plan.updated, plan.missing) == (3, (), (), ())


def test_what_the_patterns_leave_out_is_missing_too(store: Store, folder: Path) -> None:
    base = KnowledgeBase(store)
    base.sync_folder(folder)
    plan = base.plan(sources.folder(folder, Selection(include=("policies/",)))).plan
    assert (len(plan.unchanged), plan.missing, plan.ignored) == (2, ("shipping.md",), 1)


def test_hundreds_are_deleted_all_or_none(base: KnowledgeBase) -> None:
    with pytest.raises(Problem, match="no document 'nothing'"):
        base.delete_all(["shipping.md", "nothing"])
    assert len(now(base)) == 3
    assert [change.kind for change in base.delete_all(["shipping.md", "policies/returns.md"])] == ["deleted"] * 2
    assert now(base) == {"policies/warranty.md"}
